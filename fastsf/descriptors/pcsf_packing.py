"""From lists of pair-centred symmetry functions to the tables that drive the kernels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fastsf.descriptors.packing import Packer, ShellRows, pack, records
from fastsf.kernels.acsf.tables import Tables
from fastsf.kernels.pcsf.tables import (
    AT_OWNER,
    AT_PARTNER,
    AT_THIRD,
    NO_FACTOR,
    NO_SLOT,
    PCSF_GROUP,
    PCSF_TERM,
    SLOT,
    PCSFFunctions,
    PCSFTables,
)
from fastsf.symmetry.atoms import Radial
from fastsf.symmetry.factors import Envelope, RadialFactor
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial, PCSFunction, kind_name, kinds_of

Columns: TypeAlias = Mapping[str, Sequence[PCSFunction]]
_Group: TypeAlias = tuple[int, int, int]
_Members: TypeAlias = list[tuple[int, PairAngular]]


@dataclass(frozen=True, eq=False)
class PackedPCSF:
    """Pair-centred functions as the kernels take them.

    Parameters
    ----------
    sums : Tables
        Atom-centred radial functions: the sums over the neighbours of one atom.
    n_sums : int
        Columns of `sums`.
    tables : PCSFTables
        Functions that use these sums.
    distances, triangles : Tables
        Factors of the pair's own distance, and functions of triangles.
    """

    sums: Tables
    n_sums: int
    tables: PCSFTables
    distances: Tables
    triangles: Tables

    @property
    def functions(self) -> PCSFFunctions:
        """All of these except the sums."""
        return PCSFFunctions(self.tables, self.distances, self.triangles)


class _Sums:
    """Columns of the sums over neighbours of each element."""

    def __init__(self, elements: Sequence[str]) -> None:
        self.columns: dict[str, dict[Radial, int]] = {symbol: {} for symbol in elements}

    def column(self, center: str, function: PairEnvironment) -> int:
        radial = Radial(center, function.neighbor, function.envelope, function.eta, function.rs)
        own = self.columns[center]
        return own.setdefault(radial, len(own))


def pack_pcsf(elements: Sequence[str], columns: Columns) -> PackedPCSF:
    """Pack the functions of every kind of pairs.

    Parameters
    ----------
    elements : sequence of str
        By atomic number; their order is the element index of the kernels.
    columns : mapping of str to sequences of PairRadial, PairEnvironment or PairAngular
        Functions of each kind, in column order.
    """
    sums, distances = _Sums(elements), Packer(elements[:1])
    slots: list[tuple[int, ...]] = []
    terms: list[tuple[int, ...]] = []
    slot_first, term_first = [0], [0]
    for kind in kinds_of(elements):
        own_slots, own_terms = _pack_kind(columns.get(kind, ()), sums, distances)
        slots += own_slots
        terms += own_terms
        slot_first.append(len(slots))
        term_first.append(len(terms))
    tables = PCSFTables(
        kind=_kind_index(elements),
        cutoff=np.array([cutoff_of(columns.get(kind, ())) for kind in kinds_of(elements)]),
        slot_first=np.array(slot_first, dtype=np.int64),
        slots=records(slots, SLOT),
        term_first=np.array(term_first, dtype=np.int64),
        terms=records(terms, PCSF_TERM),
        most_slots=int(np.diff(slot_first).max(initial=0)),
    )
    n_sums = max(len(own) for own in sums.columns.values())
    packed_sums = pack(elements, {symbol: list(own) for symbol, own in sums.columns.items()})
    return PackedPCSF(packed_sums, n_sums, tables, distances.tables(), _pack_triangles(elements, columns))


def cutoff_of(functions: Sequence[PCSFunction]) -> float:
    """Return the distance of a pair in Å beyond which all functions are zero; 0 without functions."""
    return max((function.radius for function in functions), default=0.0)


def _kind_index(elements: Sequence[str]) -> Any:
    names = kinds_of(elements)
    return np.array([[names.index(kind_name(a, b)) for b in elements] for a in elements], dtype=np.int64)


def _pack_kind(
    functions: Sequence[PCSFunction], sums: _Sums, distances: Packer
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Return the slots and terms of a kind; its factors of the distance become a shell."""
    rows, spans = ShellRows(), distances.spans()

    def slot_of(envelope: Envelope, factor: RadialFactor) -> int:
        return rows.slot(envelope, factor, (0,))

    slots: dict[tuple[int, ...], int] = {}
    terms: list[tuple[int, ...]] = []
    for column, function in enumerate(functions):
        if isinstance(function, PairRadial):
            envelope = function.envelope
            index = NO_FACTOR if envelope is None else slot_of(envelope, function.radial_factor)
            terms.append((column, index, NO_SLOT))
        elif isinstance(function, PairEnvironment):
            ends = [sums.column(symbol, function) for symbol in function.elements]
            own = slot_of(function.envelope, function.radial_factor)
            slot = slots.setdefault((*ends, own, function.elements.count(function.neighbor)), len(slots))
            terms.append((column, slot_of(function.envelope, function.pair_factor), slot))
    if functions:
        distances.close_shell(rows, spans)
    distances.end_center()
    return list(slots), terms


def _pack_triangles(elements: Sequence[str], columns: Columns) -> Tables:
    packer = Packer(elements)
    for owner in elements:
        shells: dict[Envelope, dict[_Group, _Members]] = {}
        for partner in elements:
            for column, function in enumerate(columns.get(kind_name(owner, partner), ())):
                if isinstance(function, PairAngular):
                    groups = shells.setdefault(function.envelope, {})
                    third = packer.index[function.neighbor]
                    for apex in _apexes(function.apex, packer.index[owner], packer.index[partner]):
                        groups.setdefault((packer.index[partner], third, apex), []).append((column, function))
        for groups in shells.values():
            rows, spans = ShellRows(), packer.spans()
            for (partner_index, third, apex), members in sorted(groups.items()):
                fields = packer.add_narrow((partner_index, third), members, rows)
                packer.groups.append((apex, partner_index, third, *fields))
            packer.close_shell(rows, spans)
        packer.end_center()
    return packer.tables(PCSF_GROUP)


def _apexes(name: str, owner: int, partner: int) -> Iterator[int]:
    """Yield the atoms at which angles are; the heavier element has the larger index."""
    if name == "both":
        yield from (AT_OWNER, AT_PARTNER)
    elif name == "third" or owner == partner:
        yield AT_THIRD
    else:
        yield AT_OWNER if owner > partner else AT_PARTNER

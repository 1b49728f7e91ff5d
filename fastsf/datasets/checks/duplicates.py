"""Structures that occur more than once, with the same labels or with others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fastsf.datasets.checks.features import Twins
from fastsf.datasets.checks.findings import Finding
from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.splits import Split
from fastsf.types import IntArray

_DIGITS = 4
_ENERGY_PER_ATOM = 1e-3
_MILLI = 1e3


def equal_in_place(labelled: LabelledSet) -> Twins:
    """Find structures with the same cell and atoms in the same order, up to a common shift, within 1e-4 Å."""
    first: dict[tuple[bytes, ...], int] = {}
    pairs = []
    for k, structure in enumerate(labelled.structures):
        shifted = structure.positions - structure.positions[0]
        parts = (structure.numbers, structure.pbc, *(np.round(x, _DIGITS) + 0.0 for x in (structure.cell, shifted)))
        same = first.setdefault(tuple(part.tobytes() for part in parts), k)
        if same != k:
            pairs.append((same, k))
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Twins(table[:, 0], table[:, 1])


def check_duplicates(labelled: LabelledSet, twins: Twins, split: Split | None) -> Iterator[Finding]:
    """Find equal structures, with contradicting energies and in several parts of the data."""
    families = _families(twins, len(labelled))
    energies = labelled.energies / labelled.n_atoms
    for family in families:
        known = energies[family][np.isfinite(energies[family])]
        range_of = float(np.ptp(known)) if len(known) else 0.0
        members = tuple(family.tolist())
        if range_of > _ENERGY_PER_ATOM:
            message = f"{len(family)} equal structures with energies that differ by {_MILLI * range_of:.3g} meV/atom"
            yield Finding("contradiction", "suspicious", message, members)
        else:
            yield Finding("duplicate", "note", f"{len(family)} equal structures", members)
    if split is not None:
        yield from _check_parts(families, split)


def _check_parts(families: list[IntArray], split: Split) -> Iterator[Finding]:
    trained = [family for family in families if np.isin(family, split.train).any()]
    for name, part in (("validation", split.validation), ("test", split.test)):
        known = np.intersect1d(np.concatenate([*trained, part[:0]]), part)
        if len(known):
            message = (
                f"{len(known)} of the {len(part)} structures of the {name} part are equal to training "
                "structures: errors there say nothing about new structures"
            )
            yield Finding("duplicate", "suspicious", message, tuple(known.tolist()))


def _families(twins: Twins, m: int) -> list[IntArray]:
    """Return the families of structures that are linked by twins, each ascending."""
    if not len(twins.first):
        return []
    graph = coo_array((np.ones(len(twins.first)), (twins.first, twins.second)), shape=(m, m))
    labels = connected_components(graph, directed=False)[1]
    order = np.argsort(labels, kind="stable")
    families = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return sorted((family for family in families if len(family) > 1), key=lambda family: int(family[0]))

"""Reference energies of elements, which explain most of the total energies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fastsf.datasets.isolated import FREE, isolated_atoms
from fastsf.datasets.labelled import LabelledSet
from fastsf.elements import atomic_number, chemical_symbol
from fastsf.types import BoolArray, FloatArray

_ALL_ELECTRONS, _POWER = -14.0, 2.4
"""Energy of a free atom with all its electrons, about -14 eV Z^2.4; within 5 % from H to Au."""

_LIKENESS = 0.1
"""Largest relative difference from that law of energies that count as those of all electrons."""

Origin = Literal["set", "free atom", "fitted", "shared", "no energies"]

_SAME = 1e-3
"""Largest difference of the energies of equal free atoms without a remark, eV."""

_NULL = 1e-6
"""Smallest component of an element in a combination of elements that the compositions do not determine."""


@dataclass(frozen=True)
class References:
    """Reference energies with their origins.

    Parameters
    ----------
    energies : dict of str to float
        Energy of each element of the set, eV per atom; 0 for elements without energies.
    origins : dict of str to str
        Origin of each energy: "set" by the user, "free atom" of the data, "fitted", "shared" where compositions do not
        determine it, or "no energies".
    remarks : tuple of str
        Remarks about energies that contradict each other or are not determined.
    """

    energies: dict[str, float]
    origins: dict[str, Origin]
    remarks: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """True if some energy is set or that of a free atom."""
        return any(origin in ("set", "free atom") for origin in self.origins.values())

    def text(self) -> str:
        """Return the energies, and the remarks in lines of their own."""
        words = [f"{symbol} {value:.7g} ({self.origins[symbol]})" for symbol, value in self.energies.items()]
        return "\n".join([f"reference energies in eV per atom: {', '.join(words)}", *self.remarks])


def reference_energies(labelled: LabelledSet) -> dict[str, float]:
    """Return the reference energies of `find_references`, eV per atom."""
    return find_references(labelled).energies


def find_references(
    labelled: LabelledSet, chosen: Mapping[str, float] | None = None, cutoff: float = FREE
) -> References:
    """Find energies of elements: chosen ones, those of isolated atoms, and a fit to the energies per atom.

    The fit of the other elements is least squares on the composition. If the compositions do not determine the energies
    of single elements (as in pure water), these are as near as possible to equal shares for all atoms, or to shares
    in proportion to Z^2.4 if the energies are those of all electrons. The sums are right.

    Parameters
    ----------
    labelled : LabelledSet
        Structures; those without energy or weight are ignored.
    chosen : mapping of str to float, optional
        Energies that replace those of the data, eV.
    cutoff : float
        Largest cutoff of the symmetry functions, Å; an isolated atom has no neighbour within it.
    """
    weights = np.where(np.isfinite(labelled.energies), np.sqrt(labelled.weights), 0.0)
    free, remarks = _free_atoms(labelled, isolated_atoms(labelled, cutoff) & (weights > 0))
    known = {**free, **(chosen or {})}
    for symbol in sorted(free.keys() & (chosen or {}).keys()):
        if abs(free[symbol] - known[symbol]) > _SAME:
            remarks.append(
                f"the reference energy of {symbol} is set to {known[symbol]:.7g} eV, "
                f"but its isolated atoms have {free[symbol]:.7g} eV"
            )
    fitted, shared = _fitted(labelled, weights, known)
    energies = {symbol: float(known.get(symbol, fitted[symbol])) for symbol in labelled.elements}
    present: BoolArray = np.any(compositions(labelled)[weights > 0], axis=0)
    origins: dict[str, Origin] = {}
    for symbol, has_energy in zip(labelled.elements, present.tolist(), strict=True):
        other: Origin = "shared" if symbol in shared else "fitted" if has_energy else "no energies"
        origins[symbol] = "set" if symbol in (chosen or {}) else "free atom" if symbol in free else other
    if shared:
        remarks.append(_advice(shared))
    return References(energies, origins, tuple(remarks))


def _advice(shared: list[str]) -> str:
    energies = ", ".join(f"{symbol} = ..." for symbol in shared)
    return (
        f"the compositions do not tell apart the energies of {', '.join(shared)}: sums are right for these "
        "compositions, but energies of free atoms and of other compositions may be wrong by any amount; give energies "
        f"of free atoms: [networks] atom_energies = {{ {energies} }}, or add isolated atoms to the data"
    )


def _free_atoms(labelled: LabelledSet, isolated: BoolArray) -> tuple[dict[str, float], list[str]]:
    """Return the lowest energy of the isolated atoms of each element, with remarks where they differ."""
    rows = np.flatnonzero(isolated)
    found: dict[str, list[float]] = {}
    for k in rows.tolist():
        found.setdefault(chemical_symbol(int(labelled.structures[k].numbers[0])), []).append(
            float(labelled.energies[k])
        )
    remarks = [
        f"the {len(all_of)} isolated atoms of {symbol} have energies from {min(all_of):.7g} to {max(all_of):.7g} eV: "
        "the lowest is the reference energy"
        for symbol, all_of in found.items()
        if max(all_of) - min(all_of) > _SAME
    ]
    return {symbol: min(all_of) for symbol, all_of in found.items()}, remarks


def _fitted(
    labelled: LabelledSet, weights: FloatArray, known: Mapping[str, float]
) -> tuple[dict[str, float], list[str]]:
    """Fit the elements without known energies; return also those that the compositions do not determine."""
    energies = labelled.energies / labelled.n_atoms
    shares = compositions(labelled) / labelled.n_atoms[:, None]
    is_known = np.array([symbol in known for symbol in labelled.elements], dtype=np.bool_)
    names = [symbol for symbol in labelled.elements if symbol not in known]
    used = (weights > 0) & (not is_known.all())
    result = dict.fromkeys(labelled.elements, 0.0)
    if not used.any():
        return result, []
    rows = shares[used] * weights[used, None]
    right = energies[used] * weights[used]
    if known:
        right = right - rows[:, is_known] @ np.array([known[symbol] for symbol in labelled.elements if symbol in known])
        rows = rows[:, ~is_known]
    solution, _, rank, _ = np.linalg.lstsq(rows, right, rcond=1e-10)
    shared: list[str] = []
    present: BoolArray = np.any(rows != 0, axis=0)
    if rank < np.count_nonzero(present):
        null = np.linalg.svd(rows)[2][rank:]
        solution = solution + null.T @ (null @ np.where(present, _shares(rows, right, names), 0.0))
        shared = [name for k, name in enumerate(names) if present[k] and np.abs(null[:, k]).max() > _NULL]
    return result | dict(zip(names, solution.tolist(), strict=True)), shared


def _shares(rows: FloatArray, right: FloatArray, names: list[str]) -> FloatArray:
    """Return energies of elements that divide the energies equally, or as those of all electrons."""
    law = np.array([float(atomic_number(symbol)) ** _POWER for symbol in names])
    scale = _scale(rows @ law, right)
    if abs(scale / _ALL_ELECTRONS - 1.0) < _LIKENESS:
        return scale * law
    return np.full(len(names), _scale(rows.sum(axis=1), right))


def _scale(sums: FloatArray, right: FloatArray) -> float:
    return float(sums @ right) / float(sums @ sums)


def compositions(labelled: LabelledSet) -> FloatArray:
    """Return the number of atoms of each element in each structure, (m, elements), as in `LabelledSet.elements`."""
    numbers = np.array([atomic_number(symbol) for symbol in labelled.elements])
    counts = [np.count_nonzero(each.numbers[:, None] == numbers, axis=0) for each in labelled.structures]
    return np.array(counts, dtype=np.float64).reshape(len(labelled), len(numbers))


def above_references(labelled: LabelledSet, references: References | None = None) -> FloatArray:
    """Return the energies per atom above the reference energies, (m,) eV; NaN for structures without energy.

    Parameters
    ----------
    labelled : LabelledSet
        Structures.
    references : References, optional
        The reference energies, those of the set if not given.
    """
    energies = np.array(list((references or find_references(labelled)).energies.values()))
    result: FloatArray = (labelled.energies - compositions(labelled) @ energies) / labelled.n_atoms
    return result

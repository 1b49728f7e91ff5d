"""Impossible distances, and forces that were not computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase.data import covalent_radii

from fastsf.datasets.checks.findings import Finding, Level
from fastsf.datasets.isolated import isolated_atoms
from fastsf.datasets.labelled import LabelledSet
from fastsf.elements import chemical_symbol
from fastsf.neighbors.neighbor_list import neighbor_list
from fastsf.structure import Structure
from fastsf.types import FloatArray, IntArray

REACH = 1.5
"""Largest distance of bonds, in sums of covalent radii."""

_TOO_SHORT, _IMPOSSIBLE = 0.55, 0.3
_SQUEEZED = 0.66
_RELAXED, _STRETCHED = 0.75, 1.3
_RARE = 0.02
"""Share of structures with bonds of a usual length that shows that the unit of lengths is right."""

_ASYMMETRY = 0.1
_STEEPNESS = 15.0
_TINY = 1e-3
_NOBLE = {"He", "Ne", "Ar", "Kr", "Xe", "Rn"}


@dataclass(frozen=True)
class Shortest:
    """Shortest distance of two elements.

    Parameters
    ----------
    distance : float
        Distance, Å.
    structure : int
        Index of the structure.
    """

    distance: float
    structure: int


@dataclass
class Geometry:
    """Distances in a data set.

    Parameters
    ----------
    shortest : dict of (str, str) to Shortest
        Shortest distance of each pair of elements.
    nearest : list of (n,) float64
        Distance of each atom to its nearest neighbour, in sums of covalent radii; infinite beyond `REACH`.
    pushes : list of (n, 3) float64
        Direction in which repulsive neighbours would push each atom; near neighbours have larger weights.
    zero_forces : list of int
        Structures whose forces are all exactly zero, although the neighbours of some atom are not symmetric.
    """

    shortest: dict[tuple[str, str], Shortest]
    nearest: list[FloatArray]
    pushes: list[FloatArray]
    zero_forces: list[int]


def measure_geometry(labelled: LabelledSet) -> Geometry:
    """Measure all distances of a set up to `REACH`."""
    geometry = Geometry({}, [], [], [])
    for k, structure in enumerate(labelled.structures):
        own = covalent_radii[structure.numbers]
        i, j, d, vectors = neighbor_list("ijdD", structure, 2 * REACH * float(own.max()), threads=1)
        ratio = d / (own[i] + own[j])
        near = ratio < REACH
        nearest = np.full(len(structure), np.inf)
        np.minimum.at(nearest, i[near], ratio[near])
        geometry.nearest.append(nearest)
        weights = np.where(near, np.exp(_STEEPNESS * (1.0 - ratio)), 0.0) / np.maximum(d, _TINY)
        geometry.pushes.append(-_sums(i, weights[:, None] * vectors, len(structure)))
        _note_shortest(geometry.shortest, structure.numbers, (i, j, d), k)
        forces = labelled.forces[k]
        if forces is not None and not forces.any():
            crooked = np.abs(_sums(i[near], vectors[near], len(structure))) > _ASYMMETRY
            geometry.zero_forces += [k] * bool(crooked.any())
    return geometry


def _note_shortest(
    shortest: dict[tuple[str, str], Shortest], numbers: IntArray, pairs: tuple[IntArray, IntArray, FloatArray], k: int
) -> None:
    i, j, d = pairs
    present, kinds = np.unique(numbers, return_inverse=True)
    best = np.full((len(present), len(present)), np.inf)
    np.minimum.at(best, (kinds[i], kinds[j]), d)
    symbols = [chemical_symbol(number) for number in present.tolist()]
    for a, b in zip(*np.nonzero(np.isfinite(np.triu(best))), strict=True):
        pair = symbols[a], symbols[b]
        if a <= b and (pair not in shortest or best[a, b] < shortest[pair].distance):
            shortest[pair] = Shortest(float(best[a, b]), k)


def _sums(atoms: IntArray, vectors: FloatArray, n: int) -> FloatArray:
    """Return the sum of the vectors of each atom, (n, 3)."""
    total = np.zeros((n, 3))
    np.add.at(total, atoms, vectors)
    return total


def _usual(labelled: LabelledSet, geometry: Geometry) -> FloatArray:
    """Return the median distance to the nearest neighbour in each structure, in sums of covalent radii.

    Isolated atoms are left out.
    """
    together = np.flatnonzero(~isolated_atoms(labelled))
    return np.array([np.median(geometry.nearest[k]) for k in together.tolist()])


def _wrong_unit(labelled: LabelledSet, usual: FloatArray, nearest: FloatArray) -> str:
    """Return the error of the unit of lengths as text, empty if there is none.

    A wrong unit changes all structures. A few with usual bonds show that the others are meant, as in curves of
    dissociation.
    """
    if not len(usual):
        return ""
    middle = float(np.median(nearest))
    if middle < _SQUEEZED and np.mean(usual >= _RELAXED) <= _RARE:
        return f"neighbours are usually at {middle:.2f} times the length of a bond: were lengths in Å read as Bohr?"
    if middle == np.inf and np.mean(usual < _STRETCHED) <= _RARE and not _NOBLE.issuperset(labelled.elements):
        return (
            f"most atoms have no neighbour within {REACH} times the length of a bond: were lengths in Bohr read as Å?"
        )
    return ""


def is_dimer(structure: Structure) -> bool:
    """Return whether a structure is two atoms in free space, whose distance is chosen on purpose."""
    return len(structure) == 2 and not structure.pbc.any()


def check_geometry(labelled: LabelledSet, geometry: Geometry) -> Iterator[Finding]:
    """Find atoms that are too close, distances in another unit, and forces that were not computed."""
    closest = np.array([each.min() for each in geometry.nearest])
    usual = _usual(labelled, geometry)
    alone = isolated_atoms(labelled)
    nearest = [each for each, single in zip(geometry.nearest, alone.tolist(), strict=True) if not single]
    unit = _wrong_unit(labelled, usual, np.concatenate([*nearest, np.empty(0)]))
    if unit:
        yield Finding("units", "serious", unit)
    if "read as Bohr" not in unit:
        for k in np.flatnonzero(closest < _TOO_SHORT).tolist():
            on_purpose = is_dimer(labelled.structures[k])
            level: Level = "serious" if closest[k] < _IMPOSSIBLE and not on_purpose else "suspicious"
            yield Finding("distance", level, f"atoms at {closest[k]:.2f} times the length of a bond", (k,))
    if geometry.zero_forces:
        message = (
            f"the forces of {len(geometry.zero_forces)} structures are all exactly zero, and not by symmetry: "
            "were they computed?"
        )
        yield Finding("forces", "suspicious", message, tuple(geometry.zero_forces))

"""Structures and atoms with equal symmetry functions: duplicates and contradictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from fastsf.datasets.checks.findings import Finding
from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.reference_energies import compositions
from fastsf.elements import chemical_symbol
from fastsf.types import FloatArray, IntArray

NEAR = 0.005
"""Largest distance of two equal atoms: root mean square over the columns, in standard deviations. Random
displacements of 0.001 to 0.002 Å result in such a distance."""

_FORCE_SHARE, _LEAST_FORCE = 0.2, 0.02
_SHARE = 0.1
_NEIGHBORS = 4
_DIRECTIONS = 8
_SAMPLE = 5000
_BLOCK = 100_000
_ROUNDING = 1e-12


class Twins(NamedTuple):
    """Pairs of near rows of a table, each once; (p,) int64 each."""

    first: IntArray
    second: IntArray


def find_twins(rows: FloatArray, limit: float) -> Twins:
    """Find rows of a table that are near another row; at most four for each row.

    Parameters
    ----------
    rows : (n, s) float64
        The table.
    limit : float
        Largest root mean square of the differences in the columns.
    """
    n, width = rows.shape
    if n < 2:
        nothing = np.empty(0, dtype=np.int64)
        return Twins(nothing, nothing)
    sample = rows[np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.int64)]
    directions = np.linalg.svd(sample - sample.mean(axis=0), full_matrices=False)[2][:_DIRECTIONS]
    tree = cKDTree(rows @ directions.T)  # a projection brings rows nearer, so that no twin is lost
    radius = limit * np.sqrt(width)
    near = tree.query(tree.data, k=min(_NEIGHBORS + 1, n), distance_upper_bound=radius)[1]
    own = np.broadcast_to(np.arange(n)[:, None], near.shape)
    found = (near < n) & (near != own)
    low, high = np.minimum(near, own)[found], np.maximum(near, own)[found]
    first, second = np.divmod(np.unique(low * n + high), n)
    close = [
        np.linalg.norm(rows[first[some]] - rows[second[some]], axis=1) < radius
        for some in (slice(start, start + _BLOCK) for start in range(0, len(first), _BLOCK))
    ]
    chosen = np.flatnonzero(np.concatenate([*close, np.zeros(0, dtype=np.bool_)]))
    return Twins(first[chosen], second[chosen])


class Environments(NamedTuple):
    """Symmetry functions of the atoms of one element.

    Parameters
    ----------
    symbol : str
        The element.
    rows : (n, s) float64
        Symmetry functions minus their mean, divided by their standard deviation.
    structure, atom : (n,) int64
        Indices of the structure and of the atom in it.
    """

    symbol: str
    rows: FloatArray
    structure: IntArray
    atom: IntArray


def environments(labelled: LabelledSet, values: Sequence[FloatArray]) -> list[Environments]:
    """Return the symmetry functions of each element on a common scale, without columns that do not vary."""
    numbers = np.concatenate([each.numbers for each in labelled.structures])
    structure = np.repeat(np.arange(len(labelled)), labelled.n_atoms)
    atom = np.concatenate([np.arange(n) for n in labelled.n_atoms])
    table = np.concatenate(values)
    found = []
    for number in np.unique(numbers).tolist():
        mine = numbers == number
        rows = _standardized(table[mine])
        found.append(Environments(chemical_symbol(number), rows, structure[mine], atom[mine]))
    return found


def _standardized(rows: FloatArray) -> FloatArray:
    """Return columns that vary, with mean 0 and standard deviation 1; one column of zeros if none varies."""
    means = rows.mean(axis=0)
    rows -= means
    spread = np.sqrt(np.einsum("ns,ns->s", rows, rows) / len(rows))
    varying = spread > _ROUNDING * np.abs(means)
    if not varying.any():
        return np.zeros((len(rows), 1))
    if not varying.all():
        rows, spread = rows[:, varying], spread[varying]
    rows /= spread
    return rows


def check_atoms(labelled: LabelledSet, kinds: Sequence[Environments]) -> Iterator[Finding]:
    """Find atoms with equal symmetry functions and forces of different size."""
    worst: dict[tuple[int, int], tuple[float, str]] = {}
    for kind in kinds:
        sizes = _force_sizes(labelled, kind)
        twins = find_twins(kind.rows, NEAR)
        apart = np.abs(sizes[twins.first] - sizes[twins.second])
        usual = np.sqrt(np.nanmean(sizes**2)) if np.isfinite(sizes).any() else 0.0
        for p in np.flatnonzero(apart > max(_FORCE_SHARE * usual, _LEAST_FORCE)).tolist():
            first, second = twins.first[p], twins.second[p]
            pair = int(kind.structure[first]), int(kind.structure[second])
            message = (
                f"atoms {kind.atom[first]} and {kind.atom[second]} ({kind.symbol}) have equal symmetry functions, "
                f"but forces of {sizes[first]:.3g} and {sizes[second]:.3g} eV/Å"
            )
            worst[pair] = max(worst.get(pair, (0.0, "")), (float(apart[p]), message))
    for pair, (_, message) in sorted(worst.items(), key=lambda item: -item[1][0]):
        yield Finding("contradiction", "suspicious", message, pair)


def _force_sizes(labelled: LabelledSet, kind: Environments) -> FloatArray:
    """Return the length of the force on each atom, (n,) eV/Å; NaN without forces."""
    sizes = [
        np.full(n, np.nan) if forces is None else np.sqrt(np.einsum("nc,nc->n", forces, forces))
        for n, forces in zip(labelled.n_atoms.tolist(), labelled.forces, strict=True)
    ]
    start = np.cumsum(labelled.n_atoms) - labelled.n_atoms
    result: FloatArray = np.concatenate(sizes)[start[kind.structure] + kind.atom]
    return result


def equal_to_functions(labelled: LabelledSet, kinds: Sequence[Environments]) -> Twins:
    """Find structures whose atoms have equal functions, in any order, orientation and number of cells."""
    m = len(labelled)
    means = []
    for kind in kinds:
        total = np.zeros((m, kind.rows.shape[1]))
        np.add.at(total, kind.structure, kind.rows)
        means.append(total / np.maximum(np.bincount(kind.structure, minlength=m), 1)[:, None])
    shares = compositions(labelled) / labelled.n_atoms[:, None]
    twins = find_twins(np.hstack([*means, shares / _SHARE]), NEAR)
    starts = [np.searchsorted(kind.structure, np.arange(m + 1)) for kind in kinds]
    same = [
        all(
            _same_atoms(kind.rows[s[a] : s[a + 1]], kind.rows[s[b] : s[b + 1]])
            for kind, s in zip(kinds, starts, strict=True)
        )
        for a, b in zip(*twins, strict=True)
    ]
    return Twins(twins.first[same], twins.second[same])


def _same_atoms(first: FloatArray, second: FloatArray) -> bool:
    """Return whether each row of one table is near a row of the other."""
    if not len(first) or not len(second):
        return len(first) == len(second)
    radius = NEAR * np.sqrt(first.shape[1])
    distances = cdist(first, second)
    return bool((distances.min(axis=0) < radius).all() and (distances.min(axis=1) < radius).all())

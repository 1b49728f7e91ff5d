"""Structures and atoms that look the same to the symmetry functions: duplicates and contradictions."""

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
"""Distance of two atoms that count as equal: root mean square over the columns, in standard deviations. Random
displacements of 0.001 to 0.002 Å make such a distance."""

_FORCE_SHARE, _LEAST_FORCE = 0.2, 0.02
_SHARE = 0.1
_NEIGHBORS = 4
_DIRECTIONS = 8
_SAMPLE = 5000
_BLOCK = 100_000
_ROUNDING = 1e-12


class Twins(NamedTuple):
    """Pairs of rows that are near each other; each pair once, (p,) each."""

    first: IntArray
    second: IntArray


def find_twins(rows: FloatArray, limit: float) -> Twins:
    """Rows of a table with another row nearby: of each row the nearest ones, a few at most.

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
    """Atoms of one element.

    Parameters
    ----------
    symbol : str
        The element.
    rows : (n, s) float64
        Symmetry functions minus their mean, divided by their standard deviation.
    structure, atom : (n,) int64
        Where each of them is.
    """

    symbol: str
    rows: FloatArray
    structure: IntArray
    atom: IntArray


def environments(labelled: LabelledSet, values: Sequence[FloatArray]) -> list[Environments]:
    """Symmetry functions of each element on a common scale; columns that do not vary are left out."""
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
    """Columns that vary, with mean 0 and standard deviation 1; a column of zeros if there are none."""
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
    """Atoms that look the same and have forces of different size."""
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
                f"atoms {kind.atom[first]} and {kind.atom[second]} ({kind.symbol}) look the same to the functions, "
                f"with forces of {sizes[first]:.3g} and {sizes[second]:.3g} eV/Å"
            )
            worst[pair] = max(worst.get(pair, (0.0, "")), (float(apart[p]), message))
    for pair, (_, message) in sorted(worst.items(), key=lambda item: -item[1][0]):
        yield Finding("contradiction", "suspicious", message, pair)


def _force_sizes(labelled: LabelledSet, kind: Environments) -> FloatArray:
    """Length of the force on each atom, (n,) eV/Å; NaN where there is none."""
    sizes = [
        np.full(n, np.nan) if forces is None else np.sqrt(np.einsum("nc,nc->n", forces, forces))
        for n, forces in zip(labelled.n_atoms.tolist(), labelled.forces, strict=True)
    ]
    start = np.cumsum(labelled.n_atoms) - labelled.n_atoms
    result: FloatArray = np.concatenate(sizes)[start[kind.structure] + kind.atom]
    return result


def equal_to_functions(labelled: LabelledSet, kinds: Sequence[Environments]) -> Twins:
    """Structures whose atoms all look the same, whatever their order, orientation and number of cells."""
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
    """Whether each row of one table is near a row of the other."""
    if not len(first) or not len(second):
        return len(first) == len(second)
    radius = NEAR * np.sqrt(first.shape[1])
    distances = cdist(first, second)
    return bool((distances.min(axis=0) < radius).all() and (distances.min(axis=1) < radius).all())

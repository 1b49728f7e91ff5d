"""Labels of one kind, energies or components of forces, for the updates of a filter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastsf.training.objective.objective import Objective
from fastsf.types import FloatArray, IntArray

SELECTIONS = ("random", "sort", "threshold")
"""Ways to choose labels."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Labels of one kind.

    Parameters
    ----------
    structure : (N,) int64
        Structure of each label.
    row : (N,) int64
        Row of the label among those of its structure.
    scale : (N,) float64
        Factor of residuals in the filter.
    share : (N,) float64
        Factor of residuals for the comparison with root mean square errors: 1 / n for energies.
    """

    structure: IntArray
    row: IntArray
    scale: FloatArray
    share: FloatArray

    def __len__(self) -> int:
        return len(self.row)

    def errors(self, residuals: list[FloatArray]) -> FloatArray:
        """Return the errors (N,) of the labels from residuals of all structures."""
        found = np.array([residuals[k][row] for k, row in zip(self.structure, self.row, strict=True)])
        return np.abs(found * self.share)


def find_candidates(
    objective: Objective, parameters: FloatArray, energy_scale: float | FloatArray, force_scale: float
) -> tuple[Candidates, Candidates]:
    """Find all energies and components of forces; the weights of their structures scale them too.

    Parameters
    ----------
    objective : Objective
    parameters : (P,) float64
        Any parameters: residuals of missing labels are NaN.
    energy_scale : float or (m,) float64
        Factor of residuals of total energies (eV), of all structures or of each.
    force_scale : float
        Factor of residuals of forces (eV/Å).
    """
    counts, weights = objective.labelled.n_atoms, np.sqrt(objective.labelled.weights)
    there = [np.isfinite(r) & (w > 0) for r, w in zip(objective.residuals(parameters), weights, strict=True)]
    energies = np.array([k for k, known in enumerate(there) if known[0]], dtype=np.int64)
    rows = [1 + np.flatnonzero(known[1 : 1 + 3 * n]) for known, n in zip(there, counts, strict=True)]
    forces = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
    scales = (energy_scale * weights)[energies]
    return (
        Candidates(energies, np.zeros_like(energies), scales, 1 / counts[energies]),
        Candidates(forces, np.concatenate(rows), force_scale * weights[forces], np.ones(len(forces))),
    )


class Queue:
    """Candidates of one epoch, in the order of trials.

    Parameters
    ----------
    candidates : Candidates
    order : (N,) int64
        Numbers of candidates, repeated cyclically.
    limit : float
        Smallest error of a label.
    trials : int
        Number of candidates that are tried for one label of an update before the one with the largest error is used.
    """

    def __init__(self, candidates: Candidates, order: IntArray, limit: float, trials: int) -> None:
        self._candidates, self._order, self._limit, self._trials = candidates, order, limit, trials
        self._next = 0

    def take(self, objective: Objective, parameters: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
        """Return scaled residuals (count,) and derivatives (count, P) of candidates with large errors."""
        residuals, jacobian = np.zeros(count), np.zeros((count, objective.size))
        largest, places = np.full(count, -1.0), np.arange(count)
        for _ in range(self._trials):
            tried = self._draw(len(places))
            found, rows = self._rows(objective, parameters, tried)
            errors = np.abs(found) * self._candidates.share[tried]
            better = errors > largest[places]
            largest[places[better]] = errors[better]
            scale = self._candidates.scale[tried[better]]
            residuals[places[better]] = scale * found[better]
            jacobian[places[better]] = scale[:, None] * rows[better]
            places = np.flatnonzero(largest < self._limit)
            if not len(places):
                break
        return residuals, jacobian

    def _draw(self, count: int) -> IntArray:
        chosen = self._order[np.arange(self._next, self._next + count) % len(self._order)]
        self._next += count
        return np.asarray(chosen)

    def _rows(self, objective: Objective, parameters: FloatArray, tried: IntArray) -> tuple[FloatArray, FloatArray]:
        residuals, jacobian = np.empty(len(tried)), np.empty((len(tried), objective.size))
        structures = self._candidates.structure[tried]
        for k in np.unique(structures):
            mine = structures == k
            residuals[mine], jacobian[mine] = objective.rows(parameters, int(k), self._candidates.row[tried[mine]])
        return residuals, jacobian

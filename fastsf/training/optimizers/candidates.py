"""Labels of one kind, energies or force components, that a filter may choose for its updates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastsf.training.objective.objective import Objective
from fastsf.types import FloatArray, IntArray

SELECTIONS = ("random", "sort", "threshold")
"""Ways to choose."""


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
        What residuals are multiplied by before they enter the filter.
    share : (N,) float64
        What residuals are multiplied by to be compared with the root mean square error: 1 / n for energies.
    """

    structure: IntArray
    row: IntArray
    scale: FloatArray
    share: FloatArray

    def __len__(self) -> int:
        return len(self.row)

    def errors(self, residuals: list[FloatArray]) -> FloatArray:
        """Errors (N,) of the labels by residuals of all structures."""
        found = np.array([residuals[k][row] for k, row in zip(self.structure, self.row, strict=True)])
        return np.abs(found * self.share)


def find_candidates(
    objective: Objective, parameters: FloatArray, energy_scale: float | FloatArray, force_scale: float
) -> tuple[Candidates, Candidates]:
    """Energies and force components that are there, scaled also by the weights of their structures.

    Parameters
    ----------
    objective : Objective
    parameters : (P,) float64
        Any; residuals at labels that are missing are NaN.
    energy_scale : float or (m,) float64
        What residuals of total energies (eV) are multiplied by, in all structures or in each.
    force_scale : float
        What residuals of forces (eV/Å) are multiplied by.
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
    """The candidates of one epoch, in the order in which they are tried.

    Parameters
    ----------
    candidates : Candidates
    order : (N,) int64
        Numbers of candidates; begins again where it ends.
    limit : float
        Smaller errors are passed over.
    trials : int
        How many candidates are tried for one place before the one with the largest error is taken.
    """

    def __init__(self, candidates: Candidates, order: IntArray, limit: float, trials: int) -> None:
        self._candidates, self._order, self._limit, self._trials = candidates, order, limit, trials
        self._next = 0

    def take(self, objective: Objective, parameters: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
        """Scaled residuals (count,) and their derivatives (count, P) of candidates with large errors."""
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

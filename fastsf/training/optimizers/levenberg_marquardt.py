"""Levenberg-Marquardt: Gauss-Newton steps with the Jacobian of all residuals, and more damping after failures.

A step solves (J^T J + decay + mu D) dp = -(J^T r + decay p), with D the diagonal of J^T J (Marquardt, J. SIAM 11, 431
(1963)). This is cheap for networks of a few thousand parameters: J^T J is one product of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from fastsf.errors import InputError
from fastsf.storage.states import State
from fastsf.training.objective.objective import Objective
from fastsf.training.optimizers.base import Optimizer, OptimizerStep
from fastsf.types import FloatArray

_LEAST_DIAGONAL = 1e-6
"""Smallest damping of a parameter, relative to the largest diagonal element."""


@dataclass(frozen=True)
class LevenbergMarquardtSettings:
    """Settings of Levenberg-Marquardt.

    Parameters
    ----------
    damping : float
        Damping mu of the first step.
    least_damping : float
        Smallest damping.
    trials : int
        Largest number of trials of a step, with more damping each time.
    precision : {"float32", "float64"}
        Precision of the products of matrices. float32 is about twice as fast. Steps differ a little, but each must
        lower the sum of squares, which is always computed in float64.
    """

    damping: float = 0.1
    least_damping: float = 1e-9
    trials: int = 8
    precision: str = "float32"

    def __post_init__(self) -> None:
        if not (0 < self.damping < np.inf and 0 <= self.least_damping < np.inf):
            raise InputError(
                f"damping and least_damping: expected positive numbers, found {self.damping} and {self.least_damping}"
            )
        if self.trials < 1 or self.precision not in ("float32", "float64"):
            raise InputError(
                "expected one trial or more and a precision of float32 or float64, "
                f"found {self.trials} and {self.precision!r}"
            )


class LevenbergMarquardt(Optimizer[LevenbergMarquardtSettings]):
    """Optimiser whose steps are never random."""

    name = "levenberg-marquardt"
    settings_type = LevenbergMarquardtSettings

    def __init__(self, objective: Objective, settings: LevenbergMarquardtSettings | None = None, seed: int = 0) -> None:
        super().__init__(objective, settings, seed)
        self._damping = self.settings.damping

    @classmethod
    def matrix_bytes(cls, sizes: Sequence[int], settings: LevenbergMarquardtSettings, threads: int) -> int:
        """Return the memory for J^T J in float64 with either a damped copy, or the products that wait for their sum."""
        waiting = 1 if threads == 1 else 2 * threads + 1
        return sum(sizes) ** 2 * (8 + max(8, waiting * np.dtype(settings.precision).itemsize))

    def step(self, parameters: FloatArray) -> OptimizerStep:
        """Do one accepted step, or none if no trial lowers the loss."""
        squares, right, matrix = self.objective.normal(parameters, dtype=self.settings.precision)
        decay = self.objective.decay_diagonal
        loss = squares + float(decay @ parameters**2)
        right += decay * parameters
        diagonal = np.diag(matrix).copy()
        diagonal += _LEAST_DIAGONAL * diagonal.max()
        matrix[np.diag_indices_from(matrix)] += decay
        for trial in range(self.settings.trials):
            change = _solve(matrix, self._damping * diagonal, right)
            if change is not None:
                found = self.objective.value(parameters + change)
                if found < loss:
                    expected = -change @ right + self._damping * (diagonal @ change**2)
                    self._damping = self._next((loss - found) / expected)
                    return OptimizerStep(parameters + change, found, self._info(trial, change))
            self._damping *= 6.0
        return OptimizerStep(parameters, loss, self._info(self.settings.trials, np.zeros(1)))

    def _next(self, gain: float) -> float:
        """Return the damping after a step with a gain relative to that of the quadratic model."""
        factor = 0.2 if gain > 0.75 else 0.5 if gain > 0.3 else 1.5
        return max(self._damping * factor, self.settings.least_damping)

    def _info(self, trials: int, change: FloatArray) -> dict[str, float]:
        largest = float(np.abs(change).max())
        return {"damping": self._damping, "refused steps": float(trials), "largest change": largest}

    def state(self) -> State:
        """Return the damping."""
        return {"damping": self._damping}

    def restore(self, state: State) -> None:
        """Continue with a damping."""
        self._damping = float(state["damping"])


def _solve(matrix: FloatArray, damping: FloatArray, right: FloatArray) -> FloatArray | None:
    """Solve with the lower triangle of a matrix and a damped diagonal; None if that is not positive definite."""
    damped = matrix.T.copy()  # Fortran's order, with the upper triangle: no other copy is needed
    damped[np.diag_indices_from(damped)] += damping
    try:
        factor: Any = cho_factor(damped, lower=False, overwrite_a=True, check_finite=False)
    except LinAlgError:
        return None
    change: FloatArray = -cho_solve(factor, right, check_finite=False)
    return change if np.isfinite(change).all() else None

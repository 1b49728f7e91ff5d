"""L-BFGS: the curvature along the last steps stands for the second derivatives (scipy's L-BFGS-B, without bounds).

Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16, 1190 (1995).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from fastsf.errors import InputError
from fastsf.training.objective.objective import Objective
from fastsf.training.optimizers.base import State, Step
from fastsf.types import FloatArray


@dataclass(frozen=True)
class LBFGSSettings:
    """Settings of L-BFGS.

    Parameters
    ----------
    iterations : int
        Iterations that count as one step. Curvature is forgotten after each step, so a few times `memory` is best.
    memory : int
        Steps whose curvature is remembered.
    """

    iterations: int = 60
    memory: int = 20

    def __post_init__(self) -> None:
        for name in ("iterations", "memory"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: expected 1 or more, found {getattr(self, name)}")


class LBFGS:
    """The optimiser; nothing is remembered from step to step.

    Parameters
    ----------
    objective : Objective
        What to make small.
    settings : LBFGSSettings, optional
    seed : int
        Without effect: nothing here is random.
    """

    name = "l-bfgs"

    def __init__(self, objective: Objective, settings: LBFGSSettings | None = None, seed: int = 0) -> None:
        self.objective, self.settings = objective, settings or LBFGSSettings()

    def step(self, parameters: FloatArray) -> Step:
        """So many iterations as the settings say, or fewer where nothing is left to gain."""
        options = {
            "maxiter": self.settings.iterations,
            "maxcor": self.settings.memory,
            "maxfun": 10 * self.settings.iterations,
            "ftol": 0.0,
            "gtol": 0.0,
        }
        found = minimize(self.objective.gradient, parameters, jac=True, method="L-BFGS-B", options=options)
        info = {"iterations": float(found.nit), "evaluations": float(found.nfev)}
        return Step(np.array(found.x, dtype=np.float64), float(found.fun), info)

    def state(self) -> State:
        """Nothing."""
        return {}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic] | float | int | str]) -> None:
        """Nothing to do."""

"""L-BFGS: the curvature along the last steps replaces second derivatives (scipy's L-BFGS-B, without bounds).

Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16, 1190 (1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from fastsf.errors import InputError
from fastsf.storage.states import State
from fastsf.training.optimizers.base import Optimizer, OptimizerStep
from fastsf.types import FloatArray


@dataclass(frozen=True)
class LBFGSSettings:
    """Settings of L-BFGS.

    Parameters
    ----------
    iterations : int
        Number of iterations in one step. Each step forgets the curvature, so a few times `memory` is best.
    memory : int
        Number of iterations whose curvature is kept.
    """

    iterations: int = 60
    memory: int = 20

    def __post_init__(self) -> None:
        for name in ("iterations", "memory"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: expected 1 or more, found {getattr(self, name)}")


class LBFGS(Optimizer[LBFGSSettings]):
    """Optimiser that remembers nothing from step to step."""

    name = "l-bfgs"
    settings_type = LBFGSSettings

    def step(self, parameters: FloatArray) -> OptimizerStep:
        """Do the iterations of the settings, fewer if there is no further gain."""
        options = {
            "maxiter": self.settings.iterations,
            "maxcor": self.settings.memory,
            "maxfun": 10 * self.settings.iterations,
            "ftol": 0.0,
            "gtol": 0.0,
        }
        found = minimize(self.objective.gradient, parameters, jac=True, method="L-BFGS-B", options=options)
        info = {"iterations": float(found.nit), "evaluations": float(found.nfev)}
        return OptimizerStep(np.array(found.x, dtype=np.float64), float(found.fun), info)

    def state(self) -> State:
        """Return nothing."""
        return {}

    def restore(self, state: State) -> None:
        """Do nothing."""

"""The optimisers by the names that configurations use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastsf.training.optimizers.adam import Adam, AdamSettings
from fastsf.training.optimizers.base import Optimizer
from fastsf.training.optimizers.kalman import Kalman, KalmanSettings
from fastsf.training.optimizers.lbfgs import LBFGS, LBFGSSettings
from fastsf.training.optimizers.levenberg_marquardt import LevenbergMarquardt, LevenbergMarquardtSettings


@dataclass(frozen=True)
class Kind:
    """A kind of optimiser.

    Parameters
    ----------
    make : callable
        Makes one from an objective, settings and a seed.
    settings : type
        Dataclass of its settings.
    """

    make: Callable[..., Optimizer]
    settings: type[Any]


OPTIMIZERS = {
    "levenberg-marquardt": Kind(LevenbergMarquardt, LevenbergMarquardtSettings),
    "kalman": Kind(Kalman, KalmanSettings),
    "adam": Kind(Adam, AdamSettings),
    "l-bfgs": Kind(LBFGS, LBFGSSettings),
}
"""The first one is the default."""

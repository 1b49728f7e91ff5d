"""The optimisers by the names that configurations use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastsf.training.optimizers import adam, kalman, lbfgs, levenberg_marquardt
from fastsf.training.optimizers.base import Optimizer


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
    "levenberg-marquardt": Kind(levenberg_marquardt.LevenbergMarquardt, levenberg_marquardt.Settings),
    "kalman": Kind(kalman.Kalman, kalman.Settings),
    "adam": Kind(adam.Adam, adam.Settings),
    "l-bfgs": Kind(lbfgs.LBFGS, lbfgs.Settings),
}
"""The first one is the default."""

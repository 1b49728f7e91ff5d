"""Optimisers by the names that configurations use."""

from __future__ import annotations

from typing import Any

from fastsf.training.optimizers.adam import Adam
from fastsf.training.optimizers.base import Optimizer
from fastsf.training.optimizers.kalman import Kalman
from fastsf.training.optimizers.lbfgs import LBFGS
from fastsf.training.optimizers.levenberg_marquardt import LevenbergMarquardt

OPTIMIZERS: dict[str, type[Optimizer[Any]]] = {each.name: each for each in (LevenbergMarquardt, Kalman, Adam, LBFGS)}
"""The first one is the default."""

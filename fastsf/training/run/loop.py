"""Loop of a training: epochs until a limit, and the parameters that are best in validation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from fastsf.training.config.sections import TrainingLimits
from fastsf.training.objective.balance import Balance
from fastsf.training.objective.measures import Errors, Sigma
from fastsf.training.optimizers.base import Optimizer
from fastsf.training.run.history import EPOCH
from fastsf.types import FloatArray

KINDS = {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å^3"}
"""Kinds of labels and the units of their errors."""
SECONDS = "seconds (s)"
SCORE = "score"
NOTHING = np.empty(0)


class Measured(Protocol):
    """Objective as the loop needs it."""

    sigma: Sigma

    def errors(self, parameters: FloatArray) -> Errors:
        """Return the errors of predictions with some parameters."""


@dataclass
class TrainingProgress:
    """State of a training between two epochs.

    Parameters
    ----------
    parameters : (P,) float64
        Parameters after the last epoch.
    epoch : int
        Number of finished epochs; -1 before the first parameters are evaluated.
    seconds : float
        Wall time of these epochs, s.
    best_parameters : (P,) float64
        Parameters with the lowest score.
    best_epoch : int
        Epoch of these parameters.
    best_score : float
        Lowest score.
    sigma : (3,) float64
        Sigmas of energy, forces and stress, in the order of `KINDS`.
    reference : (3,) float64
        Sigmas in the score.
    """

    parameters: FloatArray
    epoch: int = -1
    seconds: float = 0.0
    best_parameters: FloatArray = field(default_factory=NOTHING.copy)
    best_epoch: int = 0
    best_score: float = math.inf
    sigma: FloatArray = field(default_factory=NOTHING.copy)
    reference: FloatArray = field(default_factory=NOTHING.copy)

    def state(self) -> dict[str, Any]:
        """Return everything by name, for a checkpoint."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def column(part: str, kind: str) -> str:
    """Return the name of the column of an error in histories, such as "validation forces RMSE (eV/Å)"."""
    return f"{part} {kind} RMSE ({KINDS[kind]})"


def score(errors: Errors, sigma: FloatArray) -> float:
    """Return the geometric mean of MAE / sigma over the kinds of labels; NaN without labels.

    A geometric mean compares relative changes of the errors. Mean absolute errors depend less on single structures that
    are unlike all others: validation sets are small, and such structures would decide which epoch is best.

    Parameters
    ----------
    errors : Errors
        Errors, NaN for kinds without labels.
    sigma : (3,) float64
        Sigmas in the order of `KINDS`.
    """
    ratios = np.array([getattr(errors, f"{kind}_mae") for kind in KINDS]) / sigma
    known = ratios[~np.isnan(ratios)]
    return float(np.prod(known ** (1 / known.size))) if known.size else math.nan


class TrainingLoop:
    """Training of one set of parameters.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser that makes the steps.
    training : Measured
        Objective that it minimises.
    validation : Measured, optional
        Objective of other structures, whose score decides which parameters are best. Without it, the score on the
        training set decides, and the training does not end early.
    limits : TrainingLimits
        Limits of the training.
    balance : Balance, optional
        Rule that changes the sigmas during the training.
    """

    def __init__(
        self,
        optimizer: Optimizer[Any],
        training: Measured,
        validation: Measured | None,
        limits: TrainingLimits,
        balance: Balance | None = None,
    ) -> None:
        self.optimizer, self.training, self.validation = optimizer, training, validation
        self.limits, self.balance = limits, balance

    def run(
        self,
        progress: TrainingProgress,
        record: Callable[[Mapping[str, float]], object],
        save: Callable[[TrainingProgress], object],
        stopping: Callable[[], bool] = lambda: False,
    ) -> str:
        """Train from the progress on, which is changed.

        Parameters
        ----------
        progress : TrainingProgress
            Progress of a new training, or of a checkpoint, with the optimiser in the state of that checkpoint.
        record : callable
            Function called after every epoch with a row of the history.
        save : callable
            Function called after every epoch, and before the first one.
        stopping : callable
            Function that returns True to stop before the next epoch.

        Returns
        -------
        str
            Reason for the end; empty if `stopping` returned True.
        """
        began = time.perf_counter() - progress.seconds
        if progress.epoch < 0:
            self._begin(progress, began, record, save)
        else:
            self.training.sigma = Sigma(*progress.sigma.tolist())
        while not (reason := self.ended(progress)):
            if stopping():
                return ""
            self._epoch(progress, began, record)
            save(progress)
        return reason

    def ended(self, progress: TrainingProgress) -> str:
        """Return the reason for the end of a training, empty if it is not over."""
        limits = self.limits
        if not np.isfinite(progress.parameters).all():
            return f"diverged in epoch {progress.epoch}"
        if progress.epoch >= limits.epochs:
            return f"{limits.epochs} epochs done"
        if progress.seconds >= 60 * limits.minutes:
            return f"{limits.minutes:g} minutes over"
        if self.validation is not None and progress.epoch - progress.best_epoch >= limits.patience:
            return f"no better score on the validation set in {limits.patience} epochs"
        return ""

    def _begin(
        self,
        progress: TrainingProgress,
        began: float,
        record: Callable[[Mapping[str, float]], object],
        save: Callable[[TrainingProgress], object],
    ) -> None:
        sigma = self.training.sigma
        progress.sigma = np.array([getattr(sigma, kind) for kind in KINDS], dtype=np.float64)
        progress.reference = progress.sigma.copy()
        progress.epoch = 0
        record(self._measure(progress, began))
        save(progress)

    def _epoch(self, progress: TrainingProgress, began: float, record: Callable[[Mapping[str, float]], object]) -> None:
        step = self.optimizer.step(progress.parameters)
        progress.parameters = step.parameters
        progress.epoch += 1
        finite = np.isfinite(step.parameters).all()
        row = self._measure(progress, began) if finite else {EPOCH: progress.epoch, SECONDS: progress.seconds}
        record({**row, "loss": step.loss, **step.info})

    def _measure(self, progress: TrainingProgress, began: float) -> dict[str, float]:
        """Evaluate the parameters, keep them if they are the best so far, and balance the sigmas."""
        found = {"training": self.training.errors(progress.parameters)}
        if self.validation is not None:
            found["validation"] = self.validation.errors(progress.parameters)
        number = score(list(found.values())[-1], progress.reference)
        if number < progress.best_score or not len(progress.best_parameters):
            progress.best_score, progress.best_epoch = number, progress.epoch
            progress.best_parameters = progress.parameters.copy()
        progress.seconds = time.perf_counter() - began
        row: dict[str, float] = {EPOCH: progress.epoch, SECONDS: progress.seconds, "loss": math.nan, SCORE: number}
        for part, errors in found.items():
            row |= {column(part, kind): getattr(errors, f"{kind}_rmse") for kind in KINDS}
        row |= {f"sigma of {kind} ({KINDS[kind]})": value for kind, value in zip(KINDS, progress.sigma, strict=True)}
        self._rebalance(progress, found["training"])
        return row

    def _rebalance(self, progress: TrainingProgress, errors: Errors) -> None:
        if self.balance is not None:
            progress.sigma = self.balance(progress.epoch, progress.sigma, progress.reference, errors)
            self.training.sigma = Sigma(*progress.sigma.tolist())

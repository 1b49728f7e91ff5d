"""The loop of a training: epoch after epoch until a limit; the parameters that are best in validation are kept."""

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
"""Kinds of labels, and the units of their errors."""
SECONDS = "seconds (s)"
SCORE = "score"
NOTHING = np.empty(0)


class Measured(Protocol):
    """What the loop asks of an objective."""

    sigma: Sigma

    def errors(self, parameters: FloatArray) -> Errors:
        """Errors of the predictions with some parameters."""


@dataclass
class TrainingProgress:
    """Where a training is.

    Parameters
    ----------
    parameters : (P,) float64
        After the last epoch.
    epoch : int
        How many are done; -1 before the first parameters have been looked at.
    seconds : float
        Wall time that they took.
    best_parameters : (P,) float64
        Those with the lowest score.
    best_epoch : int
    best_score : float
    sigma : (3,) float64
        Of energy, forces and stress, in the order of `KINDS`.
    reference : (3,) float64
        Sigmas that the score divides by.
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
        """Everything by name, for a checkpoint."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def column(part: str, kind: str) -> str:
    """Name of the column of an error in histories, as "validation forces RMSE (eV/Å)"."""
    return f"{part} {kind} RMSE ({KINDS[kind]})"


def score(errors: Errors, sigma: FloatArray) -> float:
    """Geometric mean of MAE / sigma over the kinds of labels that there are; NaN if there are none.

    Such a mean asks by what part each error falls, and mean absolute errors do not hang on the few structures that are
    unlike all others: validation sets are small, and epochs would be chosen by their luck with these.

    Parameters
    ----------
    errors : Errors
        NaN for kinds without labels.
    sigma : (3,) float64
        In the order of `KINDS`.
    """
    ratios = np.array([getattr(errors, f"{kind}_mae") for kind in KINDS]) / sigma
    known = ratios[~np.isnan(ratios)]
    return float(np.prod(known ** (1 / known.size))) if known.size else math.nan


class TrainingLoop:
    """Training of one set of parameters.

    Parameters
    ----------
    optimizer : Optimizer
        Makes the steps.
    training : Measured
        The objective that it minimises.
    validation : Measured, optional
        An objective of other structures: the best parameters are those with the lowest score on them. Without, those
        with the lowest score on the training set are kept, and the training does not end early.
    limits : TrainingLimits
        When to end.
    balance : Balance, optional
        Changes the sigmas of the training on the way.
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
        """Train from where the progress is, which is changed.

        Parameters
        ----------
        progress : TrainingProgress
            New, or from a checkpoint; the optimiser must be in the state that it had there.
        record : callable
            Called after every epoch with a row of the history.
        save : callable
            Called after every epoch, and before the first one.
        stopping : callable
            Whether to stop before the next epoch.

        Returns
        -------
        str
            Why it ended; empty if `stopping` said so.
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
        """Why a training is over, in words; empty as long as it is not."""
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
        """Look at the parameters, keep them if they are the best so far, and balance the labels."""
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

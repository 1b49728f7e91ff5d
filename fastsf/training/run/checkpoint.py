"""Checkpoints of trainings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fastsf.storage.checkpoint import Checkpoint
from fastsf.storage.states import State
from fastsf.training.run.loop import TrainingProgress


@dataclass(frozen=True)
class TrainingCheckpoint(Checkpoint):
    """A training between two epochs.

    Parameters
    ----------
    progress : TrainingProgress
        Parameters and numbers after the last epoch.
    optimizer : mapping of str to array, number or str
        State of the optimiser.
    """

    FORMAT: ClassVar[str] = "fastsf-training-checkpoint"
    VERSION: ClassVar[int] = 1
    SUBJECT: ClassVar[str] = "training"
    STATES: ClassVar[tuple[str, ...]] = ("progress", "optimizer")

    progress: TrainingProgress
    optimizer: State

    def _stored(self) -> dict[str, Any]:
        return {**super()._stored(), "progress": self.progress.state()}

    @classmethod
    def _loaded(cls, found: dict[str, Any]) -> TrainingCheckpoint:
        return cls(**{**found, "progress": TrainingProgress(**found["progress"])})

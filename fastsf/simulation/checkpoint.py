"""Checkpoints of simulations: the state of the engine, and the lengths of the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fastsf.simulation.engine import State
from fastsf.simulation.observers import Mark
from fastsf.storage.checkpoint import Checkpoint


@dataclass(frozen=True)
class RunCheckpoint(Checkpoint):
    """A simulation after some step.

    Parameters
    ----------
    identity : dict
        Everything that determines the results of the run, in JSON's types; only the same run may continue.
    step : int
        Number of steps done.
    state : dict
        State of the engine.
    marks : mapping of str to dict
        Marks of the log and of the observers, by name.
    notes : mapping
        Further values that the run keeps, in JSON's types.
    """

    FORMAT: ClassVar[str] = "fastsf-simulation-checkpoint"
    VERSION: ClassVar[int] = 1
    SUBJECT: ClassVar[str] = "run"
    STATES: ClassVar[tuple[str, ...]] = ("state",)

    step: int
    state: State
    marks: Mapping[str, Mark]
    notes: Mapping[str, Any] = field(default_factory=dict)

"""Checkpoints of runs: the state of the engine, and where the files were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastsf.errors import FormatError
from fastsf.simulation.engine import State
from fastsf.simulation.observers import Mark
from fastsf.storage.states import read_states, write_states

FORMAT, VERSION = "fastsf-simulation-checkpoint", 1


@dataclass(frozen=True)
class Checkpoint:
    """A run after some step.

    Parameters
    ----------
    identity : dict
        What determines its course, in JSON's types; only the same run may go on.
    step : int
        After which step.
    state : dict
        Of the engine.
    marks : mapping of str to dict
        Of the log and the observers, by name.
    notes : mapping
        What the run remembers, in JSON's types.
    """

    identity: dict[str, Any]
    step: int
    state: State
    marks: Mapping[str, Mark]
    notes: Mapping[str, Any] = field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a file that is there is replaced, and only once the new one is whole.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    document = {name: getattr(checkpoint, name) for name in ("identity", "step", "marks", "notes")}
    write_states(path, FORMAT, VERSION, document, {"state": checkpoint.state})


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint to the last bit.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is damaged, something else or of another version.
    """
    found = read_states(path, FORMAT, VERSION)
    try:
        return Checkpoint(*(found[name] for name in ("identity", "step", "state", "marks", "notes")))
    except KeyError as error:
        raise FormatError(f"not a whole {FORMAT}: no {error}", path) from error

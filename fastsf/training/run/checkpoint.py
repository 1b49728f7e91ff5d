"""Checkpoints: all that a training needs to go on as if nothing had happened, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastsf.errors import FormatError
from fastsf.storage.states import State, read_states, write_states
from fastsf.training.run.loop import Progress

FORMAT = "fastsf-training-checkpoint"
VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A training between two epochs.

    Parameters
    ----------
    identity : dict
        What determines the course of the training, in JSON's types; only the same training may go on.
    progress : Progress
        Where the training is.
    optimizer : mapping of str to array, number or str
        State of the optimiser.
    """

    identity: dict[str, Any]
    progress: Progress
    optimizer: State


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a file that is there is replaced, and only once the new one is whole.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    states = {"progress": checkpoint.progress.state(), "optimizer": checkpoint.optimizer}
    write_states(path, FORMAT, VERSION, {"identity": checkpoint.identity}, states)


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
        return Checkpoint(found["identity"], Progress(**found["progress"]), found["optimizer"])
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"not a whole {FORMAT}: {error}", path) from error

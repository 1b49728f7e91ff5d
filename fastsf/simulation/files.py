"""The files of a run: the log, what the observers write, the checkpoint, and the atoms at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastsf.simulation.checkpoint import RunCheckpoint
from fastsf.simulation.engine import Column, EngineFrame, Halt
from fastsf.simulation.log import Log
from fastsf.simulation.observers import Mark, Observer
from fastsf.simulation.settings import TrajectorySettings
from fastsf.simulation.trajectories import Trajectory, frame_text
from fastsf.storage.atomic import storage_errors, write_atomically
from fastsf.types import FloatArray

LOG, CHECKPOINT, STOPPED, FINAL = "thermo.csv", "checkpoint.npz", "stopped.extxyz", "final.extxyz"
"""Names of files of a run."""

_EVERYTHING = TrajectorySettings("extxyz", 1, velocities=True, forces=True)


class RunFiles:
    """Where a run writes.

    Parameters
    ----------
    folder : Path
        The folder.
    watches : sequence of Observer
        See frames before the trajectories do.
    trajectories : sequence of TrajectorySettings
        What else is written.
    """

    def __init__(self, folder: Path, watches: Sequence[Observer], trajectories: Sequence[TrajectorySettings]) -> None:
        self.folder = folder
        self._watches = list(watches)
        self._observers: list[Observer] = [*watches, *(Trajectory(folder, each) for each in trajectories)]
        self._log: Log | None = None
        self._open: list[Log | Observer] = []
        self._saved = -1

    def before(self, identity: dict[str, Any]) -> RunCheckpoint | None:
        """Read the checkpoint of the same run, None if nothing is there; raises as `Checkpoint.find`."""
        outputs = self.folder / LOG, *(path for each in self._observers for path in each.paths)
        return RunCheckpoint.find(self.folder / CHECKPOINT, identity, outputs)

    def begin(self, columns: Sequence[Column], before: RunCheckpoint | None) -> None:
        """Open all files, cut back to where they were at a checkpoint, or anew.

        Raises
        ------
        StorageError
            If they cannot be written.
        FormatError
            If they are not those of the checkpoint.
        """
        marks: Mapping[str, Mark] = {} if before is None else before.marks
        if before is not None:
            self._saved = before.step
        self._log = Log(self.folder / LOG, columns, marks.get(LOG))
        self._open.append(self._log)
        for observer in self._observers:
            observer.begin(marks.get(observer.name))
            self._open.append(observer)

    def forget_end(self) -> None:
        """Remove the atoms where an earlier part of the run ended.

        Raises
        ------
        StorageError
            If they cannot be removed.
        """
        for name in (STOPPED, FINAL):
            with storage_errors(f"cannot remove {self.folder / name}"):
                (self.folder / name).unlink(missing_ok=True)

    def next_seen(self, step: int) -> int:
        """Steps from a step to the next one of which somebody wants to see the atoms."""
        return min((each.every - step % each.every for each in self._observers), default=2**62)

    def wanted(self, step: int) -> bool:
        """Whether somebody wants to see the atoms of a step."""
        return any(step % each.every == 0 for each in self._observers)

    def show(self, frame: EngineFrame) -> Halt | None:
        """Show the atoms to those who want to see them; returns why the run has to end, if somebody says so."""
        for observer in self._observers:
            halt = observer.see(frame) if frame.step % observer.every == 0 else None
            if halt is not None:
                return halt
        return None

    def add(self, rows: FloatArray) -> None:
        """Add rows to the log."""
        assert self._log is not None
        self._log.add(rows)

    def marks_of_watches(self) -> dict[str, Mark]:
        """Where those are that may stop the run; a trajectory never shows what comes after a stop."""
        return {each.name: each.mark() for each in self._watches}

    def marks(self) -> dict[str, Mark]:
        """Where all files are; writes what waits for it."""
        assert self._log is not None
        return {LOG: self._log.mark(), **{each.name: each.mark() for each in self._observers}}

    def save(self, point: RunCheckpoint, marks: Mapping[str, Mark]) -> None:
        """Write a checkpoint once everything before it is on the disk, unless there is one of this step.

        Raises
        ------
        StorageError
            If it cannot be written; then that from before is there.
        """
        if point.step == self._saved:
            return
        for each in self._open:
            each.sync()
        replace(point, marks=marks).write(self.folder / CHECKPOINT)
        self._saved = point.step

    def write_frame(self, name: str, frame: EngineFrame) -> Path:
        """Write all that is known of the atoms into a file of its own."""
        path = self.folder / name
        write_atomically(path, lambda file: file.write(frame_text(frame, _EVERYTHING).encode()))
        return path

    def close(self) -> None:
        """Close all files; what waits to be written is dropped, as it is after the last checkpoint."""
        for each in self._open:
            each.close()

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
    """The files that a run writes.

    Parameters
    ----------
    folder : Path
        The folder.
    watches : sequence of Observer
        Observers that see frames before the trajectories do.
    trajectories : sequence of TrajectorySettings
        Trajectories to write.
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
        """Open all files: new ones, or those of a checkpoint, cut to the lengths that it has for them.

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
        """Remove the files with the last atoms of an earlier part of the run.

        Raises
        ------
        StorageError
            If they cannot be removed.
        """
        for name in (STOPPED, FINAL):
            with storage_errors(f"cannot remove {self.folder / name}"):
                (self.folder / name).unlink(missing_ok=True)

    def next_seen(self, step: int) -> int:
        """Return the number of steps from a step to the next one that an observer wants to see."""
        return min((each.every - step % each.every for each in self._observers), default=2**62)

    def wanted(self, step: int) -> bool:
        """Return True if an observer wants to see the atoms of a step."""
        return any(step % each.every == 0 for each in self._observers)

    def show(self, frame: EngineFrame) -> Halt | None:
        """Show the atoms to the observers of this step; return the halt that one of them asks for, if any."""
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
        """Return the marks of the watches alone; trajectories do not show frames of a run that a watch stops."""
        return {each.name: each.mark() for each in self._watches}

    def marks(self) -> dict[str, Mark]:
        """Write what is still in memory, and return the marks of all files."""
        assert self._log is not None
        return {LOG: self._log.mark(), **{each.name: each.mark() for each in self._observers}}

    def save(self, point: RunCheckpoint, marks: Mapping[str, Mark]) -> None:
        """Write a checkpoint once all files are on the disk, unless one of this step was written before.

        Raises
        ------
        StorageError
            If it cannot be written; the earlier one is kept.
        """
        if point.step == self._saved:
            return
        for each in self._open:
            each.sync()
        replace(point, marks=marks).write(self.folder / CHECKPOINT)
        self._saved = point.step

    def write_frame(self, name: str, frame: EngineFrame) -> Path:
        """Write the atoms, with velocities and forces, into a file of their own; return its path."""
        path = self.folder / name
        write_atomically(path, lambda file: file.write(frame_text(frame, _EVERYTHING).encode()))
        return path

    def close(self) -> None:
        """Close all files; drop what is still in memory, since it is later than the last checkpoint."""
        for each in self._open:
            each.close()

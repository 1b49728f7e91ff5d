"""A run in a folder: an engine with a log, trajectories and checkpoints; it can continue after a kill at any time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from fastsf.errors import FastsfError, InputError, SimulationError
from fastsf.simulation.checkpoint import RunCheckpoint
from fastsf.simulation.engine import Engine, Halt
from fastsf.simulation.files import CHECKPOINT, FINAL, STOPPED, RunFiles
from fastsf.simulation.limits import DriftLimit
from fastsf.simulation.observers import Mark, Observer
from fastsf.simulation.settings import RunSettings
from fastsf.storage.atomic import alone_in, make_folder
from fastsf.storage.interruption import Interruption
from fastsf.types import FloatArray

_BLOCK_SECONDS = 0.25


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run.

    Parameters
    ----------
    step, steps : int
        Steps done, and steps of the whole run.
    first : int
        Steps done before this process.
    seconds : float
        Seconds since this process began to move atoms.
    row : mapping of str to float
        Last row of the log, by the names of the columns.
    """

    step: int
    steps: int
    first: int
    seconds: float
    row: Mapping[str, float]


def run(
    engine: Engine,
    folder: str | Path,
    settings: RunSettings,
    watches: Sequence[Observer] = (),
    *,
    overwrite: bool = False,
    on_progress: Callable[[RunProgress], object] = lambda progress: None,
    on_interruption: Callable[[], object] = lambda: None,
) -> RunProgress:
    """Let an engine run in a folder, or continue its run there.

    A run that was interrupted ends with the same results as one that was not, to the last bit. A run that has ended
    continues if more steps are wanted now.

    Parameters
    ----------
    engine : Engine
        A new engine; its state is read from the folder.
    folder : path-like
        Folder for the log, the checkpoint and the trajectories; made if it does not exist.
    settings : RunSettings
        Length and outputs of the run.
    watches : sequence of Observer
        Observers that see frames before the trajectories do.
    overwrite : bool
        Replace an existing run.
    on_progress : callable
        Gets a `RunProgress` several times a second.
    on_interruption : callable
        Called at the first SIGINT or SIGTERM; the current block of steps is then finished and saved.

    Returns
    -------
    RunProgress
        Progress at the end.

    Raises
    ------
    SimulationError
        If a limit or a watch stopped the run. The checkpoint is from before.
    InputError
        If the folder holds another run.
    StorageError
        If files cannot be read or written (the last checkpoint is whole), or another process runs in the folder.
    FormatError
        If files of the run are damaged.
    KeyboardInterrupt
        After a signal, when everything is saved.
    """
    files = RunFiles(make_folder(Path(folder)), watches, settings.trajectories)
    work = _BlockLoop(engine, files, settings)
    with alone_in(files.folder), Interruption(on_interruption) as interruption:
        try:
            work.begin(None if overwrite else files.before(engine.identity()))
            progress = work.go(on_progress, lambda: interruption.requested)
        finally:
            files.close()
    if progress.step < progress.steps:
        raise KeyboardInterrupt(f"saved in {folder}; the same command continues from there")
    return progress


class _BlockLoop:
    def __init__(self, engine: Engine, files: RunFiles, settings: RunSettings) -> None:
        self._engine, self._files, self._settings = engine, files, settings
        self._names = [column.name for column in engine.columns]

    def begin(self, before: RunCheckpoint | None) -> None:
        """Bring engine and files to the state of the checkpoint, or to the start."""
        engine = self._engine
        if before is not None and before.step == engine.steps_done:
            before = None  # the checkpoint is the one that was written before the first step
        if before is not None:
            engine.restore(before.state)
        first = engine.frame()
        self._check_trajectories(first.velocities is not None, first.forces is not None)
        self._drift = DriftLimit(engine.columns, self._settings.drift, len(first.numbers))
        self._row: FloatArray = np.array([first.columns[name] for name in self._names])
        if before is not None:
            self._drift.start = before.notes["start"]
            self._files.begin(engine.columns, before)
            return
        point = self._point()
        self._files.save(point, {})
        self._files.forget_end()
        self._files.begin(engine.columns, None)
        self._examine(point, self._row[None], None)

    def _check_trajectories(self, velocities: bool, forces: bool) -> None:
        for each in self._settings.trajectories:
            if (each.velocities and not velocities) or (each.forces and not forces):
                what = "forces" if velocities else "velocities"
                raise InputError(f"trajectory: {what} were asked for, but this simulation has none; leave {what} out")

    def go(self, on_progress: Callable[[RunProgress], object], stopping: Callable[[], bool]) -> RunProgress:
        """Do the remaining steps, block by block; save at the end and when `stopping` returns True."""
        first, size, began = self._engine.steps_done, 1, time.perf_counter()
        saved = now = began
        progress = self._progress(first, 0.0)
        on_progress(progress)
        if first < self._settings.steps:
            self._files.forget_end()
        while self._engine.steps_done < self._settings.steps and not stopping():
            before = now
            self._block(size)
            now = time.perf_counter()
            size = _better_size(size, now - before)
            progress = self._progress(first, now - began)
            on_progress(progress)
            if now - saved >= self._settings.checkpoint_seconds:
                self._save()
                saved = now
        self._save()
        self._files.write_frame(FINAL, self._engine.frame())
        return progress

    def _block(self, most: int) -> None:
        """Do some steps, at most up to the next one that an observer wants to see, or the last."""
        done, point = self._engine.steps_done, self._point()
        steps = min(most, self._settings.steps - done, self._files.next_seen(done))
        try:
            advance = self._engine.advance(steps, self._settings.log_every)
        except FastsfError:
            self._files.save(point, self._files.marks())
            raise
        self._examine(point, advance.rows, advance.halt)

    def _examine(self, before: RunCheckpoint, rows: FloatArray, halt: Halt | None) -> None:
        """Log the rows of a block and show its last frame, or stop the run at the point before it."""
        halt = halt or self._drift.check(rows)
        if halt is not None:
            self._stop(halt, before, self._files.marks(), rows)
        if self._files.wanted(self._engine.steps_done):
            marks = self._files.marks_of_watches()
            halt = self._files.show(self._engine.frame())
            if halt is not None:
                self._stop(halt, before, {**self._files.marks(), **marks}, rows)
        self._files.add(rows)
        if len(rows):
            self._row = rows[-1]

    def _stop(self, halt: Halt, before: RunCheckpoint, marks: Mapping[str, Mark], rows: FloatArray) -> NoReturn:
        self._files.save(before, marks)
        self._files.add(rows)
        path = self._files.write_frame(STOPPED, self._engine.frame())
        raise SimulationError(
            f"stopped at step {halt.step:,}: {halt.message}; {path} has the atoms there, and "
            f"{self._files.folder / CHECKPOINT} the state after step {before.step:,}"
        )

    def _point(self) -> RunCheckpoint:
        engine, start = self._engine, self._drift.start
        return RunCheckpoint(engine.identity(), engine.steps_done, engine.state(), {}, {"start": start})

    def _save(self) -> None:
        self._files.save(self._point(), self._files.marks())

    def _progress(self, first: int, seconds: float) -> RunProgress:
        row = dict(zip(self._names, self._row.tolist(), strict=True))
        return RunProgress(self._engine.steps_done, self._settings.steps, first, seconds, row)


def _better_size(size: int, seconds: float) -> int:
    """Return the number of steps of the next block, given size and duration of the last one."""
    if seconds < 0.5 * _BLOCK_SECONDS:
        return 2 * size
    return max(size // 2, 1) if seconds > 2 * _BLOCK_SECONDS else size

"""A run in a folder: an engine with a log, trajectories and checkpoints, which goes on after a kill at any moment."""

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
    """Where a run is.

    Parameters
    ----------
    step, steps : int
        How many are done, and how many there will be.
    first : int
        Steps that were done before this process.
    seconds : float
        Since it began to move atoms.
    row : mapping of str to float
        The last row of the log, by the names of the columns.
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
    tell: Callable[[RunProgress], object] = lambda progress: None,
    on_interruption: Callable[[], object] = lambda: None,
) -> RunProgress:
    """Let an engine run in a folder, or go on with its run there.

    A run that was interrupted in any way ends as one that was not, to the last bit; one that has ended goes on if
    there are more steps to be done now.

    Parameters
    ----------
    engine : Engine
        As it was made; where it goes on is read from the folder.
    folder : path-like
        For the log, the checkpoint and the trajectories; made if it is not there.
    settings : RunSettings
        What to do.
    watches : sequence of Observer
        What else looks at the atoms, before the trajectories.
    overwrite : bool
        Start anew, whatever is there.
    tell : callable
        Gets a `RunProgress` several times a second.
    on_interruption : callable
        Called at the first SIGINT or SIGTERM; the block of steps at hand is finished and saved then.

    Returns
    -------
    RunProgress
        At the end.

    Raises
    ------
    SimulationError
        If something stopped the run that makes no physical sense. The checkpoint is from before it.
    InputError
        If the folder holds another run.
    StorageError
        If files cannot be read or written, and the last checkpoint is whole; if another process runs in the folder.
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
            progress = work.go(tell, lambda: interruption.requested)
        finally:
            files.close()
    if progress.step < progress.steps:
        raise KeyboardInterrupt(f"saved in {folder}; the same command goes on from there")
    return progress


class _BlockLoop:
    def __init__(self, engine: Engine, files: RunFiles, settings: RunSettings) -> None:
        self._engine, self._files, self._settings = engine, files, settings
        self._names = [column.name for column in engine.columns]

    def begin(self, before: RunCheckpoint | None) -> None:
        """Bring engine and files to where the run is."""
        engine = self._engine
        if before is not None and before.step == engine.steps_done:
            before = None  # it had not come farther than the checkpoint that stands at the begin
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
                raise InputError(f"trajectory: {what} were asked for, and this simulation has none")

    def go(self, tell: Callable[[RunProgress], object], stopping: Callable[[], bool]) -> RunProgress:
        """Do the steps that are left, block by block; saves at the end and when `stopping` says so."""
        first, size, began = self._engine.steps_done, 1, time.perf_counter()
        saved = now = began
        progress = self._progress(first, 0.0)
        tell(progress)
        if first < self._settings.steps:
            self._files.forget_end()
        while self._engine.steps_done < self._settings.steps and not stopping():
            before = now
            self._block(size)
            now = time.perf_counter()
            size = _better_size(size, now - before)
            progress = self._progress(first, now - began)
            tell(progress)
            if now - saved >= self._settings.checkpoint_seconds:
                self._save()
                saved = now
        self._save()
        self._files.write_frame(FINAL, self._engine.frame())
        return progress

    def _block(self, most: int) -> None:
        """Go on for some steps, at most to the next one of which somebody wants to see the atoms, or to the last."""
        done, point = self._engine.steps_done, self._point()
        steps = min(most, self._settings.steps - done, self._files.next_seen(done))
        try:
            advance = self._engine.advance(steps, self._settings.log_every)
        except FastsfError:
            self._files.save(point, self._files.marks())
            raise
        self._examine(point, advance.rows, advance.halt)

    def _examine(self, before: RunCheckpoint, rows: FloatArray, halt: Halt | None) -> None:
        """Write down what was found after a point, or stop there if it makes no sense to go on."""
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
    """Steps of the next block, after one of that size took so long."""
    if seconds < 0.5 * _BLOCK_SECONDS:
        return 2 * size
    return max(size // 2, 1) if seconds > 2 * _BLOCK_SECONDS else size

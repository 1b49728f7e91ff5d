"""One training with its files: history, checkpoints and the model, and going on after a kill at any moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastsf.training.run.checkpoint import TrainingCheckpoint
from fastsf.training.run.history import EPOCH, History
from fastsf.training.run.loop import TrainingLoop, TrainingProgress
from fastsf.types import FloatArray

Row = Mapping[str, float]


@dataclass(frozen=True)
class TrainingFiles:
    """Where a training writes.

    Parameters
    ----------
    folder : Path
        The folder.
    suffix : str
        Behind the names of files, to tell several trainings in one folder apart.
    """

    folder: Path
    suffix: str = ""

    @property
    def model(self) -> Path:
        """The potential with the best parameters."""
        return self.folder / f"model{self.suffix}.h5"

    @property
    def history(self) -> Path:
        """A row for every epoch."""
        return self.folder / f"history{self.suffix}.csv"

    @property
    def checkpoint(self) -> Path:
        """What it needs to go on."""
        return self.folder / f"checkpoint{self.suffix}.npz"

    def found(self) -> list[Path]:
        """Those that are there."""
        return [path for path in (self.model, self.history, self.checkpoint) if path.exists()]


class TrainingRun:
    """A training that writes down what it does.

    Parameters
    ----------
    files : TrainingFiles
        Where to.
    loop : Loop
        The training.
    identity : dict
        What determines its course, in JSON's types.
    save_model : callable
        Called with a path and the progress to write the model of the best parameters.
    minutes : float
        Between checkpoints.
    """

    def __init__(
        self,
        files: TrainingFiles,
        loop: TrainingLoop,
        identity: dict[str, Any],
        save_model: Callable[[Path, TrainingProgress], object],
        minutes: float = 1.0,
    ) -> None:
        self.files, self.loop, self.identity, self.minutes = files, loop, identity, minutes
        self._save_model = save_model
        self._history: History | None = None
        self._first: Row | None = None
        self._saved = self._saved_best = -1
        self._when = time.perf_counter()

    def go(
        self,
        parameters: FloatArray,
        before: TrainingCheckpoint | None,
        tell: Callable[[Row], object] = lambda row: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> tuple[TrainingProgress, str]:
        """Train, or go on.

        Parameters
        ----------
        parameters : (P,) float64
            Where a new training begins.
        before : TrainingCheckpoint or None
            Of the same training, from `unfinished`.
        tell : callable
            Gets the row of every epoch.
        stopping : callable
            As for `TrainingLoop.run`.

        Returns
        -------
        progress : TrainingProgress
            With the best parameters.
        reason : str
            Why the training ended; empty if it was stopped.

        Raises
        ------
        StorageError
            If a file cannot be written; the last checkpoint is whole.
        """
        progress = self._start(parameters, before)

        def record(row: Row) -> None:
            self._record(row)
            tell(row)

        try:
            reason = self.loop.run(progress, record, self._save_sometimes, stopping)
            if self._history is None and self._first is not None:  # it ended before the first step
                self._begin_history(self._first)
            self._save(progress)
        finally:
            if self._history is not None:
                self._history.close()
        return progress, reason

    def _start(self, parameters: FloatArray, before: TrainingCheckpoint | None) -> TrainingProgress:
        if before is None or before.progress.epoch < 1:
            return TrainingProgress(parameters)
        self._history = History.resume(self.files.history, before.progress.epoch)
        self.loop.optimizer.restore(before.optimizer)
        self._saved = before.progress.epoch
        return before.progress

    def _record(self, row: Row) -> None:
        """Write a row. What an optimiser tells is known after its first step, so the row before that waits."""
        if self._history is not None:
            self._history.add(row)
        elif row[EPOCH] == 0:
            self._first = row
        else:
            self._begin_history(row)
            self._record(row)

    def _begin_history(self, row: Row) -> None:
        assert self._first is not None  # epoch 0 comes first
        self._history = History.begin(self.files.history, list(row))
        self._history.add(self._first)

    def _save_sometimes(self, progress: TrainingProgress) -> None:
        if progress.epoch == 0 or time.perf_counter() - self._when >= 60 * self.minutes:
            self._save(progress)

    def _save(self, progress: TrainingProgress) -> None:
        """Write a checkpoint, unless there is one, and the model if it is a better one."""
        if self._history is not None:
            self._history.sync()
        if self._saved < progress.epoch:
            TrainingCheckpoint(self.identity, progress, self.loop.optimizer.state()).write(self.files.checkpoint)
        if self._saved_best < progress.best_epoch or not self.files.model.exists():
            self._save_model(self.files.model, progress)
        self._saved, self._saved_best = progress.epoch, progress.best_epoch
        self._when = time.perf_counter()


def unfinished(files: TrainingFiles, identity: dict[str, Any]) -> TrainingCheckpoint | None:
    """Read the checkpoint of the same training, None if nothing is there; raises as `Checkpoint.find`."""
    return TrainingCheckpoint.find(files.checkpoint, identity, files.found())

"""Training with files: history, checkpoints and the model; it can continue after a kill at any moment."""

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
    """Files of a training.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    suffix : str
        End of the names of files, for several trainings in one folder.
    """

    folder: Path
    suffix: str = ""

    @property
    def model(self) -> Path:
        """File of the potential with the best parameters."""
        return self.folder / f"model{self.suffix}.h5"

    @property
    def history(self) -> Path:
        """File of the history."""
        return self.folder / f"history{self.suffix}.csv"

    @property
    def checkpoint(self) -> Path:
        """File of the checkpoint."""
        return self.folder / f"checkpoint{self.suffix}.npz"

    def found(self) -> list[Path]:
        """Return the files that exist."""
        return [path for path in (self.model, self.history, self.checkpoint) if path.exists()]


class TrainingRun:
    """Training that writes its files.

    Parameters
    ----------
    files : TrainingFiles
        Files to write.
    loop : Loop
        Loop of the training.
    identity : dict
        Everything that determines the results, in JSON's types.
    save_model : callable
        Function of a path and the progress that writes the model with the best parameters.
    minutes : float
        Time between checkpoints.
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
        on_epoch: Callable[[Row], object] = lambda row: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> tuple[TrainingProgress, str]:
        """Train or continue.

        Parameters
        ----------
        parameters : (P,) float64
            Parameters of a new training.
        before : TrainingCheckpoint or None
            Checkpoint of the same training, from `unfinished`.
        on_epoch : callable
            Function called with the row of every epoch.
        stopping : callable
            As for `TrainingLoop.run`.

        Returns
        -------
        progress : TrainingProgress
            Progress with the best parameters.
        reason : str
            Reason for the end; empty if it was stopped.

        Raises
        ------
        StorageError
            If a file cannot be written; the last checkpoint is whole.
        """
        progress = self._start(parameters, before)

        def record(row: Row) -> None:
            self._record(row)
            on_epoch(row)

        try:
            reason = self.loop.run(progress, record, self._save_sometimes, stopping)
            if self._history is None and self._first is not None:  # the end came before the first step
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
        """Write a row; the first one waits for the second, which has the columns of the optimiser."""
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
        """Write a checkpoint unless it exists, and the model if it is better than the last one."""
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

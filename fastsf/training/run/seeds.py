"""The third stage of a training: one run for each seed, all with the same prepared data."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import fastsf
from fastsf.potentials.potential import Potential
from fastsf.storage.atomic import make_folder, storage_errors
from fastsf.storage.interruption import Interruption
from fastsf.training.objective.balance import Balance
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.samples import Samples
from fastsf.training.optimizers.registry import OPTIMIZERS
from fastsf.training.preparation.prepared import PreparedData
from fastsf.training.run.checkpoint import TrainingCheckpoint
from fastsf.training.run.loop import TrainingLoop, TrainingProgress
from fastsf.training.run.run import TrainingFiles, TrainingRun, unfinished

_IN_THE_MODEL = ("functions", "input.nn")
"""Parts of a configuration that a model file has anyway."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished training.

    Parameters
    ----------
    seed : int
    files : TrainingFiles
    progress : TrainingProgress
    reason : str
        Reason for its end.
    potential : Potential
        Potential with the best parameters.
    """

    seed: int
    files: TrainingFiles
    progress: TrainingProgress
    reason: str
    potential: Potential


class TrainingObserver:
    """Base of observers, which are called while seeds are trained; its methods do nothing."""

    def memory(self, needed: float, matrices: float, allowed: float) -> None:
        """Take upper bounds for all samples and for matrices of the optimiser, and the memory for both, in bytes."""

    def samples(self, structures: int, atoms: int, total: int) -> None:
        """Take the number of structures and atoms whose samples are computed, and the number of all structures."""

    def begin(self, epoch: int) -> None:
        """Take the number of epochs that were done before, when the training of a seed begins."""

    def epoch(self, row: Mapping[str, float]) -> None:
        """Take the row of the history of an epoch."""

    def end(self, reason: str, best_epoch: int) -> None:
        """Take the reason for the end of a seed, empty after an interruption, and its best epoch."""

    def interrupted(self) -> None:
        """Take note of the first SIGINT or SIGTERM; the epoch is finished."""


def train_seeds(
    prepared: PreparedData,
    folder: Path,
    observer: TrainingObserver | None = None,
    *,
    overwrite: bool = False,
    command: str = "",
) -> list[Trained]:
    """Train with every seed, or continue unfinished trainings of the same configuration in the same folder.

    Parameters
    ----------
    prepared : PreparedData
    folder : Path
        Folder to write; made if it does not exist.
    observer : TrainingObserver, optional
    overwrite : bool
        Replace the files of earlier trainings.
    command : str
        Command of the user, for the model files.

    Raises
    ------
    StorageError
        If files cannot be read or written, or others are in the way.
    InputError
        If the folder holds another training.
    KeyboardInterrupt
        After SIGINT or SIGTERM, when everything is saved.
    """
    return _Seeds(prepared, make_folder(folder), observer or TrainingObserver(), command).train(overwrite)


class _Seeds:
    def __init__(self, prepared: PreparedData, folder: Path, observer: TrainingObserver, command: str) -> None:
        self._prepared, self._folder, self._observer, self._command = prepared, folder, observer, command
        self._config = prepared.config
        self._identity = prepared.identity()
        self._samples: dict[str, Samples] = {}

    def train(self, overwrite: bool) -> list[Trained]:
        run = self._config.run
        seeds = range(run.seed, run.seed + run.seeds)
        files = [TrainingFiles(self._folder, f"-{seed}" if run.seeds > 1 else "") for seed in seeds]
        before = [self._unfinished(each, seed, overwrite) for each, seed in zip(files, seeds, strict=True)]
        with Interruption(self._observer.interrupted) as interruption:
            return [
                self._train(*each, lambda: interruption.requested) for each in zip(seeds, files, before, strict=True)
            ]

    def _unfinished(self, files: TrainingFiles, seed: int, overwrite: bool) -> TrainingCheckpoint | None:
        if not overwrite:
            return unfinished(files, {**self._identity, "seed": seed})
        with storage_errors(f"cannot remove files in {self._folder}"):
            for path in files.found():
                path.unlink()
        return None

    def _train(
        self, seed: int, files: TrainingFiles, before: TrainingCheckpoint | None, stopping: Callable[[], bool]
    ) -> Trained:
        model, config = self._prepared.model(seed), self._config.run
        loop, identity = self._loop(model, seed), {**self._identity, "seed": seed}

        def save(path: Path, progress: TrainingProgress) -> None:
            about = self._metadata(seed, progress)
            model.with_parameters(progress.best_parameters).potential(about).save(path)

        self._observer.begin(0 if before is None else before.progress.epoch)
        run = TrainingRun(files, loop, identity, save, config.checkpoint_minutes)
        progress, reason = run.go(model.parameters, before, self._observer.epoch, stopping)
        self._observer.end(reason, progress.best_epoch)
        if not reason:
            raise KeyboardInterrupt(f"saved in {self._folder}; the same command continues from there")
        return Trained(seed, files, progress, reason, Potential.load(files.model, threads=config.threads))

    def _loop(self, model: TrainableModel, seed: int) -> TrainingLoop:
        config, prepared = self._config, self._prepared
        training = prepared.objective("train", model, self._samples_of("train", model))
        validation = None
        if len(prepared.dataset.split.validation):
            validation = prepared.objective("validation", model, self._samples_of("validation", model))
        optimizer = OPTIMIZERS[config.optimizer](training, config.settings, seed)
        return TrainingLoop(
            optimizer, training, validation, config.run.limits, Balance() if config.loss.balance else None
        )

    def _samples_of(self, part: str, model: TrainableModel) -> Samples:
        """Return the samples of a part, which all seeds share."""
        if part not in self._samples:
            allowed, matrices = self._config.run.memory * 2**30, self._prepared.matrix_bytes(model)
            if not self._samples:
                self._observer.memory(self._prepared.estimated_bytes(), matrices, allowed)
            used = sum(each.kept_bytes for each in self._samples.values())
            n_atoms = self._prepared.dataset.part(part).n_atoms

            def show(structures: int) -> None:
                self._observer.samples(structures, int(n_atoms[:structures].sum()), len(n_atoms))

            self._samples[part] = self._prepared.samples(part, max(allowed - matrices - used, 0.0), show)
        return self._samples[part]

    def _metadata(self, seed: int, progress: TrainingProgress) -> dict[str, str]:
        """Return the origin of a potential."""
        versions = {name: metadata.version(name) for name in ("numpy", "numba", "scipy")}
        about: dict[str, Any] = {
            "config": _without_functions(self._config.table()),
            "files (SHA-256)": self._identity["files"],
            "versions": {"fastsf": fastsf.__version__, "python": platform.python_version(), **versions},
        }
        return {
            "command": self._command,
            "training": f"seed {seed}, epoch {progress.best_epoch}, score {progress.best_score:.6g}",
            **{name: json.dumps(value) for name, value in about.items()},
        }


def _without_functions(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without the parts that a model file has anyway."""
    parts = {name: value for name, value in table.items() if name not in _IN_THE_MODEL}
    return {name: _without_functions(value) if isinstance(value, dict) else value for name, value in parts.items()}

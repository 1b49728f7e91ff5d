"""``fastsf train``: from a configuration to a folder with the model and a report on it."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import fastsf
from fastsf.console import Console, ReadingProgress, compile_first
from fastsf.datasets.checks.outliers import find_outliers
from fastsf.errors import InputError
from fastsf.potentials.potential import Potential
from fastsf.storage.atomic import make_folder, storage_errors
from fastsf.storage.interruption import Interruption
from fastsf.training.config.config import Config
from fastsf.training.objective.balance import Balance
from fastsf.training.objective.model import Model
from fastsf.training.objective.samples import Samples
from fastsf.training.optimizers.registry import OPTIMIZERS
from fastsf.training.run.checkpoint import TrainingCheckpoint
from fastsf.training.run.display import EpochTable
from fastsf.training.run.loop import Loop, Progress
from fastsf.training.run.preparation import PARTS, Preparation, read_data
from fastsf.training.run.report import Assessment, Trained, write_report
from fastsf.training.run.run import Run, RunFiles, unfinished

_LONG = ("functions", "input.nn")
"""Parts of a configuration that the model itself tells."""


def train(config: Config, folder: Path, console: Console, *, overwrite: bool = False, command: str = "") -> list[Path]:
    """Train, or go on with an unfinished training of the same configuration in the same folder.

    Parameters
    ----------
    config : Config
        What to do.
    folder : Path
        Where to write; made if it is not there.
    console : Console
        Where to say what is done.
    overwrite : bool
        Start anew, whatever is there.
    command : str
        What the user typed, for the model files.

    Returns
    -------
    list of Path
        The files that are there now: models, histories, the report.

    Raises
    ------
    StorageError
        If files cannot be read or written, or others are in the way.
    InputError
        If data and configuration do not fit together, or the folder holds another training.
    KeyboardInterrupt
        After SIGINT or SIGTERM, when everything is saved.
    """
    preparation, remarks = _prepare(config, console)
    work = _Work(preparation, make_folder(folder), console, overwrite, command)
    trained = work.run()
    assessment = Assessment(trained, preparation)
    console.say(assessment.text())
    _note_errors(trained, assessment)
    reports = write_report(folder, trained, preparation, assessment, remarks, command)
    written = [path for each in trained for path in (each.files.model, each.files.history)]
    for path in (*written, *reports):
        console.say(f"wrote {path}")
    return [*written, *reports]


def _note_errors(trained: Sequence[Trained], assessment: Assessment) -> None:
    """Write the errors of each model into its file."""
    for number, each in enumerate(trained):
        errors = {part: found[number].errors() for part, found in assessment.seeds.items()}
        each.potential.metadata["errors (RMSE)"] = json.dumps(errors)
        each.potential.save(each.files.model)


def _prepare(config: Config, console: Console) -> tuple[Preparation, str]:
    """Read and look at the data; returns also what is unusual in them."""
    console.say("Reading the data ...")
    dataset = read_data(config.data)
    counts = ", ".join(f"{name} {len(dataset.part(name)):,}" for name in PARTS)
    console.say(f"structures: {counts}; {dataset.labelled.n_atoms.sum():,} atoms")
    for text in dataset.split.warnings:
        console.say(f"warning: {text}")
    compile_first(["train" if config.pairs is None else "pair-train"], console)
    preparation = Preparation.of(config, dataset)
    remarks = _remarks(preparation, console)
    for descriptor in preparation.descriptors:
        console.say(descriptor.describe())
    return preparation, remarks


def _remarks(preparation: Preparation, console: Console) -> str:
    """Say what is unusual in the data, and return it.

    Raises
    ------
    InputError
        If training makes no sense with them.
    """
    dataset = preparation.dataset
    descriptor = preparation.descriptor
    values = descriptor.create(dataset.labelled.structures) if descriptor.n_features else None
    outliers = find_outliers(dataset.labelled, values, dataset.split)
    console.say(outliers.text())
    if outliers.serious and preparation.config.data.on_serious == "stop":
        found = outliers.describe(outliers.serious[0])
        raise InputError(f'{found}; with [data] on_serious = "warn" the training goes on all the same')
    return outliers.text()


class _Work:
    """The trainings of all seeds."""

    def __init__(self, preparation: Preparation, folder: Path, console: Console, overwrite: bool, command: str) -> None:
        self.preparation, self.folder, self.console = preparation, folder, console
        self.overwrite, self.command = overwrite, command
        self.config = preparation.config
        self.identity = preparation.identity()
        self._samples: dict[str, Samples] = {}

    def run(self) -> list[Trained]:
        """Train with every seed."""
        run = self.config.run
        seeds = range(run.seed, run.seed + run.seeds)
        places = [RunFiles(self.folder, f"-{seed}" if run.seeds > 1 else "") for seed in seeds]
        before = [self._unfinished(place, seed) for place, seed in zip(places, seeds, strict=True)]
        with Interruption(lambda: self.console.say("finishing this epoch ... (again: stop at once)")) as interruption:
            done = []
            for seed, place, checkpoint in zip(seeds, places, before, strict=True):
                done.append(self._train(seed, place, checkpoint, interruption))
        return done

    def _unfinished(self, files: RunFiles, seed: int) -> TrainingCheckpoint | None:
        if not self.overwrite:
            return unfinished(files, {**self.identity, "seed": seed})
        with storage_errors(f"cannot remove files in {self.folder}"):
            for path in files.found():
                path.unlink()
        return None

    def _train(
        self, seed: int, files: RunFiles, before: TrainingCheckpoint | None, interruption: Interruption
    ) -> Trained:
        model = self.preparation.model(seed)
        loop = self._loop(model, seed)
        identity = {**self.identity, "seed": seed}
        run = Run(
            files,
            loop,
            identity,
            lambda path, at: self._save(path, model, seed, at),
            self.config.run.checkpoint_minutes,
        )
        if before is not None:
            self.console.say(f"Going on after epoch {before.progress.epoch}.")
        with EpochTable(self.console, self.config.run.epochs, self.console.bar()) as table:
            progress, reason = run.go(model.parameters, before, table, lambda: interruption.requested)
        if not reason:
            raise KeyboardInterrupt(f"saved in {self.folder}; the same command goes on from there")
        self.console.say(f"{reason}; best epoch {progress.best_epoch}")
        return Trained(seed, files, progress, reason, Potential.load(files.model, threads=self.config.run.threads))

    def _loop(self, model: Model, seed: int) -> Loop:
        kind, config = OPTIMIZERS[self.config.optimizer], self.config
        training = self.preparation.objective("train", model, self.samples("train"))
        validation = None
        if len(self.preparation.dataset.split.validation):
            validation = self.preparation.objective("validation", model, self.samples("validation"))
        balance = Balance() if config.loss.balance else None
        return Loop(kind.make(training, config.settings, seed), training, validation, config.run.limits, balance)

    def samples(self, name: str) -> Samples:
        """Samples of a part, which all seeds share."""
        if name not in self._samples:
            if not self._samples:
                self._announce_memory()
            used = sum(each.kept_bytes for each in self._samples.values())
            labelled = self.preparation.dataset.part(name)
            with self.console.progress_bar() as bar:
                self._samples[name] = self.preparation.samples(
                    name,
                    self.config.run.memory * 2**30 - used,
                    lambda n: bar(ReadingProgress(n, int(labelled.n_atoms[:n].sum()), n, len(labelled))),
                )
        return self._samples[name]

    def _announce_memory(self) -> None:
        needed, given = self.preparation.estimated_bytes() / 2**30, self.config.run.memory
        self.console.say(f"derivatives of the symmetry functions: at most {needed:.2f} GiB, {given:g} GiB may be kept")
        if needed > given:
            self.console.say("  what does not fit is computed anew in every epoch; [run] memory (--memory) allows more")

    def _save(self, path: Path, model: Model, seed: int, progress: Progress) -> None:
        model.with_parameters(progress.best_parameters).potential(self._metadata(seed, progress)).save(path)

    def _metadata(self, seed: int, progress: Progress) -> Mapping[str, str]:
        """Where the potential comes from."""
        versions = {name: metadata.version(name) for name in ("numpy", "numba", "scipy")}
        about: dict[str, Any] = {
            "config": _short(self.config.table()),
            "files (SHA-256)": self.identity["files"],
            "versions": {"fastsf": fastsf.__version__, "python": platform.python_version(), **versions},
        }
        return {
            "command": self.command,
            "training": f"seed {seed}, epoch {progress.best_epoch}, score {progress.best_score:.6g}",
            **{name: json.dumps(value) for name, value in about.items()},
        }


def _short(table: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without what the model itself tells."""
    parts = {name: value for name, value in table.items() if name not in _LONG}
    return {name: _short(value) if isinstance(value, dict) else value for name, value in parts.items()}


def default_folder(config: Path) -> Path:
    """Folder of a training that was not told one."""
    return config.with_name(f"{config.stem}-training")

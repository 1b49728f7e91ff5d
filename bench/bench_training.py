"""Training compared: optimisers by error and wall time, and models by error and cost.

    python bench/bench_training.py optimizers Si_train.extxyz.gz --minutes 3
    python bench/bench_training.py front Si_train.extxyz.gz --minutes 3

Data are divided, functions and loss chosen as `fastsf train --init` does; all errors are those of the validation set.
`optimizers` prints the errors of the best epoch so far at several times. `front` trains models of several sizes with
the default optimiser and prints their errors beside the time of one evaluation of energy and forces on one thread, for
which the models take turns.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from interleave import interleaved

from fastsf import Potential
from fastsf.cli.console import Console
from fastsf.cli.train import train
from fastsf.cli.train_init import init
from fastsf.datasets.frames import Reading
from fastsf.datasets.labelled import read_labelled
from fastsf.structure import Structure
from fastsf.training.config.files import read_config
from fastsf.training.optimizers.registry import OPTIMIZERS

PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Fractions of the minutes at which errors are measured."""

MODELS: dict[str, dict[str, Any]] = {
    "smallest": {"radial": 8, "angular": 2, "zeta": [1.0], "hidden": [10, 10]},
    "small": {"radial": 8, "angular": 2, "zeta": [1.0, 2.0, 4.0], "hidden": [12, 12]},
    "medium": {"radial": 10, "angular": 3, "zeta": [1.0, 2.0, 4.0], "hidden": [16, 16]},
    "suggested": {},
    "large": {"zeta": [1.0, 2.0, 4.0, 8.0, 16.0], "hidden": [30, 30]},
}
"""Options of the recipe and nodes in place of those that the data suggest."""

SIDE = 8.0
"""Å; structures are repeated to at least so much along each vector before their evaluation is timed."""


def run(config: Path, folder: Path, values: dict[str, Any]) -> list[dict[str, float]]:
    """Train and return the rows of the history."""
    chosen = read_config(config, {name: (value, "bench") for name, value in values.items()})
    train(chosen, folder, Console(quiet=True), command="bench")
    with (folder / "history.csv").open() as file:
        return [{name: float(text or "nan") for name, text in row.items()} for row in csv.DictReader(file)]


def column(rows: list[dict[str, float]], begin: str) -> np.ndarray:
    """The column whose name begins so."""
    name = next(each for each in rows[0] if each.startswith(begin))
    return np.array([row[name] for row in rows])


def errors_at(rows: list[dict[str, float]], seconds: float) -> str:
    """Errors of the best epoch until then, in meV/atom and meV/Å."""
    there = np.flatnonzero(column(rows, "seconds") <= seconds)
    best = there[np.nanargmin(column(rows, "score")[there])]
    energy, forces = (1e3 * column(rows, f"validation {kind} RMSE")[best] for kind in ("energy", "forces"))
    return f"{energy:8.2f} {forces:6.1f}"


def compare_optimizers(config: Path, folder: Path, minutes: float) -> None:
    """Print errors of every optimiser at several times."""
    times = [60 * minutes * part for part in PARTS]
    print(f"{'':22}" + "".join(f"{f'{time:.0f} s':>15}" for time in times) + "   epochs")
    print(f"{'':22}" + f"{'meV/at.  meV/Å':>15}" * len(times))
    for name in OPTIMIZERS:
        limits = {"run.minutes": minutes, "run.epochs": 1_000_000, "run.patience": 1_000_000}
        rows = run(config, folder / name, {"optimizer": {"name": name}, **limits})
        print(f"{name:22}" + "".join(errors_at(rows, time) for time in times) + f"{len(rows) - 1:9}", flush=True)


def compare_models(config: Path, folder: Path, minutes: float, path: str) -> None:
    """Print errors and cost of models of several sizes."""
    rows, evaluate, columns = {}, {}, {}
    structure = large(read_labelled([path], Reading()).structures[0])
    rng = np.random.default_rng(0)
    for name, options in MODELS.items():
        values = {f"functions.{key}": value for key, value in options.items() if key != "hidden"}
        values |= {"networks.hidden": options["hidden"]} if options else {}
        rows[name] = run(config, folder / name, {**values, "run.minutes": minutes, "run.epochs": 1_000_000})
        potential = Potential.load(folder / name / "model.h5", threads=1)
        columns[name] = potential.descriptor.n_features
        evaluator = potential.evaluator(structure, 0.3, 1)
        evaluate[name] = partial(call, evaluator, structure, rng)
    times = interleaved(evaluate, 15)
    print(f"{'':14}functions  meV/atom  meV/Å  µs/atom")
    for name, each in rows.items():
        print(f"{name:14}{columns[name]:9}  {errors_at(each, np.inf)}  {1e6 * times[name] / len(structure):7.1f}")


def call(evaluator: Any, structure: Structure, rng: np.random.Generator) -> None:
    """Move all atoms a little and evaluate."""
    evaluator.evaluate(structure.positions + 1e-3 * rng.standard_normal((len(structure), 3)))


def large(structure: Structure) -> Structure:
    """A structure repeated so that work, not overhead, is timed."""
    from ase import Atoms

    atoms = Atoms(structure.numbers, structure.positions, cell=structure.cell, pbc=structure.pbc)
    repeats = [
        int(np.ceil(2 * SIDE / length)) if pbc else 1
        for length, pbc in zip(atoms.cell.lengths(), atoms.pbc, strict=True)
    ]
    return Structure.from_atoms(atoms.repeat(repeats))


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("optimizers", "front"))
    parser.add_argument("data")
    parser.add_argument("--minutes", type=float, default=3.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "train.toml"
        init([str(Path(arguments.data).resolve())], config, Console(quiet=True))
        if arguments.what == "optimizers":
            compare_optimizers(config, Path(scratch), arguments.minutes)
        else:
            compare_models(config, Path(scratch), arguments.minutes, arguments.data)


if __name__ == "__main__":
    main()

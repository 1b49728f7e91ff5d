"""Pair-centred functions and networks: cost against the number of atoms, and errors beside atom-centred ones.

    python bench/bench_pairs.py scaling results --plot docs/pair_scaling.png
    python bench/make_pair_data.py data
    python bench/bench_pairs.py compare results data    trainings, hours: --models atoms, --systems copper for a part
    python bench/bench_pairs.py cost results data       time of what was trained, alternating

Results stand in the folder and are not made again: a command that was stopped goes on where it was. `scaling`
evaluates energy and forces of copper crystals with displaced atoms and networks of random weights, one process for each
size. `compare` trains energies of atoms, of pairs and sums of both by `fastsf train`, with networks of the same number
of weights and the same data and settings. Neighbour lists are kept; all atoms move in each step. One thread.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from interleave import interleaved
from pair_models import SYSTEMS, TERMS, configuration
from pair_scaling import MOVE, SIZES, SKIN, draw, measure, pairs_per_atom

from fastsf import Potential
from fastsf.cli.main import main as fastsf

COLUMNS = {"energy": ("energy, meV/atom", 1e3), "forces": ("forces, meV/Å", 1e3)}
"""Errors of the test set by their names in model files: heading, factor."""

MOLECULES, APART = 5, 12.0
"""Copies of a molecule along each direction, and Å between them: cost without that of single calls."""


def kept(path: Path, key: str, make: Callable[[], Any]) -> Any:
    """A result in a JSON file, made if it is not there."""
    found = json.loads(path.read_text()) if path.exists() else {}
    if key not in found:
        found[key] = make()
        path.write_text(json.dumps(found, indent=1))
    return found[key]


# --- scaling ---


def scaling(arguments: argparse.Namespace) -> None:
    """Time and memory for all sizes, medians of the rounds."""
    file = arguments.folder / "scaling.json"
    rows: dict[str, dict[int, list[Any]]] = {model: {} for model in arguments.models}
    for turn in range(arguments.rounds):
        for atoms in SIZES:
            for model in arguments.models:
                found = kept(file, f"{model} {atoms} {turn}", partial(measure, model, atoms))
                rows[model].setdefault(atoms, []).append(found)
    result = {
        model: {
            atoms: {key: statistics.median(row[key] for row in rounds) for key in rounds[0]}
            for atoms, rounds in sizes.items()
        }
        for model, sizes in rows.items()
    }
    print_scaling(result)
    if arguments.plot:
        draw(result, arguments.plot)


def print_scaling(rows: dict[str, dict[int, dict[str, float]]]) -> None:
    """As a table in Markdown."""
    cutoff = SYSTEMS["copper"].pairs["cutoff"]
    print("| atoms | pairs per atom |" + "".join(f" {model}: µs/atom | kB/atom |" for model in rows))
    print("|---" * (2 + 2 * len(rows)) + "|")
    for atoms in SIZES:
        cells = [f"{row[atoms]['microseconds']:.1f} | {row[atoms]['bytes'] / 1e3:.1f}" for row in rows.values()]
        print(f"| {atoms:,} | {pairs_per_atom(atoms, cutoff):.1f} | " + " | ".join(cells) + " |")


# --- errors ---


def compare(arguments: argparse.Namespace) -> None:
    """Train what is not there yet, seed by seed through all models, and print the errors."""
    for seed in range(arguments.seeds):
        for name in arguments.systems:
            for model in arguments.models:
                train(arguments, name, model, seed)
    for name in arguments.systems:
        print_errors(arguments, name)


def place(arguments: argparse.Namespace, name: str, model: str, seed: int) -> Path:
    """Folder of a training."""
    return Path(arguments.folder) / f"{name}-{model}" / f"seed-{seed}"


def train(arguments: argparse.Namespace, name: str, model: str, seed: int) -> None:
    """One training, unless it is done."""
    folder = place(arguments, name, model, seed)
    if (folder / "report.md").exists():
        return
    files = [(arguments.data / f"{name}_{part}.extxyz.gz").resolve() for part in ("train", "test")]
    folder.parent.mkdir(parents=True, exist_ok=True)
    config = folder.parent / "train.toml"
    config.write_text(configuration(SYSTEMS[name], model, *files))
    print(f"{name}, {model}, seed {seed}", flush=True)
    status = fastsf(["train", str(config), "-o", str(folder), "--seed", str(seed)])
    if status:
        raise SystemExit(status)


def errors(folder: Path) -> dict[str, float]:
    """Errors of the test set."""
    return json.loads(Potential.load(folder / "model.h5").metadata["errors (RMSE)"])["test"]


def print_errors(arguments: argparse.Namespace, name: str) -> None:
    """Errors of all seeds, of energies and forces, with the time of one evaluation where it was measured."""
    times = (
        json.loads((arguments.folder / "cost.json").read_text()) if (arguments.folder / "cost.json").exists() else {}
    )
    print(f"\n{name}\n\n| | hidden | weights | " + " | ".join(head for head, _ in COLUMNS.values()) + " | µs/atom |")
    print("|---" * (4 + len(COLUMNS)) + "|")
    for model in arguments.models:
        shapes = SYSTEMS[name].shapes(model).values()
        found = [errors(place(arguments, name, model, seed)) for seed in range(arguments.seeds)]
        hidden = " + ".join(f"{a}, {b}" for (a, b), _ in shapes)
        cells = [
            " / ".join(f"{factor * each[key]:.3g}" for each in found) + f" (mean {factor * mean_of(found, key):.3g})"
            for key, (_, factor) in COLUMNS.items()
        ]
        cost = times.get(f"{name} {model}")
        print(f"| {model} | {hidden} | {sum(count for _, count in shapes)} | " + " | ".join(cells), end="")
        print(f" | {cost:.1f} |" if cost else " | |")


def mean_of(found: list[dict[str, float]], key: str) -> float:
    """Mean over seeds."""
    return statistics.mean(each[key] for each in found)


# --- cost ---


def cost(arguments: argparse.Namespace) -> None:
    """Time of energy and forces of the trained models."""
    for name in arguments.systems:
        atoms = large(ase.io.read(arguments.data / f"{name}_test.extxyz.gz", "-1"))
        folders = {model: place(arguments, name, model, 0) for model in arguments.models}
        steps = {model: step(Potential.load(folder / "model.h5"), atoms) for model, folder in folders.items()}
        seconds = interleaved(steps, arguments.rounds)
        for model in steps:
            key = f"{name} {model}"
            micro = 1e6 * seconds[model] / len(atoms)
            print(f"{key:20} {len(atoms)} atoms {micro:8.1f} µs/atom")
            kept(arguments.folder / "cost.json", key, lambda value=micro: value)


def large(atoms: Atoms) -> Atoms:
    """About a thousand atoms: copies of a cell, or of a molecule far from each other."""
    if atoms.pbc.all():
        return atoms.repeat(2)
    atoms.set_cell(np.full(3, APART))
    copies = atoms.repeat(MOLECULES)
    copies.set_cell(None)
    return copies


def step(potential: Potential, atoms: Atoms) -> Callable[[], object]:
    """Energy and forces with all atoms a little elsewhere each time."""
    rng = np.random.default_rng(0)
    places = cycle([atoms.positions + rng.uniform(-MOVE, MOVE, (len(atoms), 3)) for _ in range(2)])
    evaluator = potential.evaluator(atoms, skin=SKIN, threads=1)
    return lambda: evaluator.evaluate(next(places))


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for function in (scaling, compare, cost):
        command = commands.add_parser(function.__name__, help=function.__doc__)
        command.set_defaults(run=function)
        command.add_argument("folder", type=Path, help="of results")
        command.add_argument("--models", nargs="+", choices=TERMS, default=list(TERMS))
        if function is scaling:
            command.add_argument("--plot", type=Path, help="PNG to write")
            command.add_argument("--rounds", type=int, default=3)
            continue
        command.add_argument("data", type=Path, help="folder of make_pair_data.py")
        command.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
        if function is compare:
            command.add_argument("--seeds", type=int, default=5)
        else:
            command.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    arguments.run(arguments)


if __name__ == "__main__":
    main()

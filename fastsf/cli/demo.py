"""``fastsf demo``: featurization, training, dynamics and analysis with the packaged data, with figures."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastsf.cli.console import Console, compile_first
from fastsf.cli.options import Commands, add_console, console_of
from fastsf.datasets import examples as data
from fastsf.errors import SimulationError
from fastsf.storage.atomic import make_folder

if TYPE_CHECKING:
    from fastsf.featurize.run import FeaturizeSummary


@dataclass(frozen=True)
class _Case:
    """A packaged data set, and the functions that suit it."""

    name: str
    text: str
    recipe: str
    cutoff: float
    derivatives: bool


EPOCHS, MINUTES = 60, 1.0
"""Limits of the training."""

LATTICE, ATOMS, TEMPERATURE, TIMESTEP, STEPS, EQUILIBRATION = 5.45, 64, 300.0, 2.0, 2000, 0.5
"""Dynamics: lattice constant in Å, atoms, temperature in K, time step in fs, steps, skipped time in ps."""

CASES = (
    _Case("silicon", "silicon crystals, perfect and with defects", "imbalzano2018", 6.0, derivatives=False),
    _Case("ethanol", "ethanol molecules", "gastegger2018-acsf", 6.0, derivatives=True),
)


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "demo", help="featurization, training and dynamics with the packaged data, step by step"
    )
    parser.add_argument(
        "folder",
        nargs="?",
        default="fastsf-demo",
        metavar="FOLDER",
        help="for the results (default: %(default)s)",
    )
    add_console(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the demonstration.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    demonstrate(Path(arguments.folder), console_of(arguments))


def demonstrate(folder: Path, console: Console) -> list[Path]:
    """Featurize the packaged data sets, train a potential on one of them, and run dynamics with it.

    Parameters
    ----------
    folder : Path
        Folder to write; it is made if necessary. Files of an earlier demonstration are replaced.
    console : Console
        Output for messages.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    make_folder(folder)
    console.say(f"fastsf demo: results go to {folder.resolve()}")
    compile_first(["featurize", "derivatives", "train", "md"], console)
    written = []
    for number, case in enumerate(CASES, start=1):
        console.say(f"\n{number}. {case.name}: {case.text}")
        summary = featurize_step(case, folder, console)
        written += [summary.output, *picture_step(summary.output, folder / case.name, console)]
    console.say(f"\n{len(CASES) + 1}. a potential for silicon, in a minute")
    written += training_step(data.path("silicon"), folder, console)
    console.say(f"\n{len(CASES) + 2}. molecular dynamics with it: {ATOMS} atoms at {TEMPERATURE:g} K")
    written += dynamics_step(folder / "training" / "model.h5", folder, console)
    console.say(f"\nWritten to {folder.resolve()}:")
    for path in written:
        console.say(f"  {path.relative_to(folder)}  ({path.stat().st_size / 1e6:.2f} MB)")
    console.say(f"Look inside with: fastsf inspect {written[0]}")
    return written


def featurize_step(case: _Case, folder: Path, console: Console) -> FeaturizeSummary:
    """Compute the symmetry functions of one data set, their derivatives and statistics."""
    from fastsf.datasets.frames import Reading, find_elements
    from fastsf.descriptors.acsf import ACSF
    from fastsf.featurize.run import Options, featurize

    source = data.path(case.name)
    elements = find_elements([str(source)], Reading())
    acsf = ACSF.from_recipe(case.recipe, elements, case.cutoff)
    console.say(f"  recipe {case.recipe}, {acsf.describe()}")
    output = folder / f"{case.name}.h5"
    with console.progress_bar() as bar:
        summary = featurize(
            [source],
            output,
            acsf,
            Options(derivatives=case.derivatives, scale=True),
            overwrite=True,
            command="fastsf demo",
            on_progress=bar,
        )
    extra = " and their derivatives" if case.derivatives else ""
    console.say(
        f"  {summary.structures:,} structures, {summary.atoms:,} atoms, {acsf.n_features} columns{extra}; "
        f"labels: {summary.with_energy:,} energies, {summary.with_forces:,} forces, "
        f"{summary.with_stress:,} stresses"
    )
    console.say(
        f"  kernels {summary.kernel_seconds / summary.atoms * 1e6:.1f} µs per atom; with reading and writing "
        f"{summary.seconds / summary.atoms * 1e6:.1f} µs per atom, {summary.seconds:.2f} s"
    )
    return summary


def training_step(source: Path, folder: Path, console: Console) -> list[Path]:
    """Write a configuration for the data, and train with it."""
    from fastsf.cli.train import train
    from fastsf.cli.train_init import init
    from fastsf.training.config.files import read_config

    config, output = folder / "train.toml", folder / "training"
    init([str(source)], config, console, overwrite=True)
    values = {"data.test": 0.1, "run.epochs": EPOCHS, "run.minutes": MINUTES}
    chosen = read_config(config, {name: (value, "fastsf demo") for name, value in values.items()})
    return [config, *train(chosen, output, console, overwrite=True, command="fastsf demo")]


def dynamics_step(model: Path, folder: Path, console: Console) -> list[Path]:
    """Run dynamics of a silicon crystal, and analyse it."""
    from ase.build import bulk

    from fastsf.analysis.results import AnalysisSettings
    from fastsf.analysis.source import Source
    from fastsf.cli.analyze import analyze
    from fastsf.cli.simulation import simulate
    from fastsf.md import Bussi, MolecularDynamics, maxwell_boltzmann
    from fastsf.potentials.potential import Potential
    from fastsf.simulation.files import LOG
    from fastsf.simulation.settings import FILES, RunSettings, TrajectorySettings

    atoms = bulk("Si", cubic=True, a=LATTICE).repeat(2)
    maxwell_boltzmann(atoms, 2 * TEMPERATURE)  # half of it becomes potential energy
    engine = MolecularDynamics(Potential.load(model), atoms, Bussi(TEMPERATURE), TIMESTEP)
    output = folder / "dynamics"
    settings = RunSettings(STEPS, 10, (TrajectorySettings("h5md", 10, velocities=True),))
    try:
        simulate(engine, output, settings, console, overwrite=True)
    except SimulationError as error:
        console.say(f"  {error}: the training was too short for this")
        return []
    wanted = AnalysisSettings(("means", "rdf", "vdos"), skip=EQUILIBRATION)
    pictures = analyze(Source.of(output), folder / "analysis", wanted, console, "fastsf demo")
    return [output / LOG, output / FILES["h5md"], *pictures]


def picture_step(features: Path, folder: Path, console: Console) -> list[Path]:
    """Draw the functions and the ranges of their values."""
    from fastsf.featurize.reader import FeatureFile
    from fastsf.reports.pictures import write_plots

    with FeatureFile(features) as file:
        pictures = write_plots(file, folder)
        still = sum(int((each.minimum == each.maximum).sum()) for each in file.statistics().values())
    console.say(f"  {len(pictures)} pictures; {still} columns never change in these data")
    return pictures

"""``fastsf train``: from a configuration to a folder with the model and a report on it."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastsf.cli.console import Console, compile_first
from fastsf.cli.options import Commands, add_console, add_reading, command_line, console_of, reading_of
from fastsf.errors import InputError

if TYPE_CHECKING:
    from fastsf.training.config.config import Config
    from fastsf.training.preparation.prepared import PreparedData

RUN_OPTIONS: dict[str, tuple[type, str]] = {
    "epochs": (int, "largest number of epochs"),
    "minutes": (float, "time limit of each training in minutes"),
    "patience": (int, "epochs without a better score in validation"),
    "seed": (int, "seed of the first training"),
    "seeds": (int, "number of trainings that differ in their seeds: a committee"),
    "threads": (int, "threads (default: all processors)"),
    "memory": (float, "memory for matrices of the optimizer and kept derivatives in GiB"),
}
"""Options for values of the section [run]: types and meanings."""


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "train",
        help="fit a potential to energies and forces",
        description="Fit a potential to energies, forces and stresses, as a configuration says. After an interruption "
        "of any kind, the same command continues.",
    )
    parser.add_argument(
        "config",
        nargs="+",
        metavar="CONFIG",
        help="configuration (TOML), or folder of n2p2 or RuNNer with input.nn and input.data; with --init: data files",
    )
    parser.add_argument(
        "--init",
        action="store_true",
        help="do not train, but write a configuration with comments that suits data files",
    )
    parser.add_argument(
        "--pairs",
        choices=("too", "only"),
        help="with --init: pair-centred networks beside atom-centred ones, or only these",
    )
    parser.add_argument(
        "--set-key",
        metavar="KEY",
        help="with --init: key of structures with train, validation (val, valid) or test (default: set)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="folder to write (default: CONFIG without its ending, and -training); with --init the configuration "
        "(default: train.toml)",
    )
    override = parser.add_argument_group("values that replace those of the configuration")
    for name, (kind, words) in RUN_OPTIONS.items():
        override.add_argument(f"--{name}", type=kind, metavar="N", help=words)
    override.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="any other value, for example --set optimizer.name=adam",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the files of an earlier training")
    kinds = "a folder, and of input.data files with --init"
    add_reading(parser, kinds, kinds)
    add_console(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train as the options say, or write a configuration.

    Raises
    ------
    FastsfError
        If the configuration or the data cannot be used, or files cannot be written.
    KeyboardInterrupt
        After SIGINT or SIGTERM, when everything is saved.
    """
    console = console_of(arguments)
    if arguments.init:
        from fastsf.cli.train_init import init

        output = Path(arguments.output or "train.toml")
        options = {name: getattr(arguments, name) for name in ("pairs", "overwrite", "set_key")}
        init(arguments.config, output, console, reading=reading_of(arguments), **options)
        return
    if arguments.set_key:
        raise InputError("--set-key belongs to --init; a configuration has set_key in its section [data]")
    if arguments.pairs:
        raise InputError("--pairs belongs to --init; a training has the functions of its configuration")
    if len(arguments.config) > 1:
        raise InputError(f"expected one configuration, found {len(arguments.config)} files; --init makes one for data")
    path = Path(arguments.config[0])
    folder = path.with_name(f"{path.stem}-training") if arguments.output is None else Path(arguments.output)
    config, words = _config(arguments, path), command_line(arguments)
    train(config, folder, console, overwrite=arguments.overwrite, command=words)


def _config(arguments: argparse.Namespace, path: Path) -> Config:
    from fastsf.training.config.files import overrides_of, read_config, read_folder

    overrides = overrides_of({name: getattr(arguments, name) for name in RUN_OPTIONS}, arguments.set)
    if path.is_dir():
        return read_folder(path, arguments.length_unit, arguments.energy_unit, overrides)
    return read_config(path, overrides)


def train(config: Config, folder: Path, console: Console, *, overwrite: bool = False, command: str = "") -> list[Path]:
    """Train, or continue an unfinished training of the same configuration in the same folder.

    Parameters
    ----------
    config : Config
    folder : Path
        Folder to write; made if it does not exist.
    console : Console
    overwrite : bool
        Replace the files of earlier trainings.
    command : str
        Command of the user, for the model files.

    Returns
    -------
    list of Path
        Models, histories and files of the report.

    Raises
    ------
    StorageError
        If files cannot be read or written, or others are in the way.
    InputError
        If data and configuration do not fit together, or the folder holds another training.
    KeyboardInterrupt
        After SIGINT or SIGTERM, when everything is saved.
    """
    from fastsf.cli.train_display import TrainingDisplay
    from fastsf.training.run.assessment import Assessment, write_errors
    from fastsf.training.run.report import write_report
    from fastsf.training.run.seeds import train_seeds

    for text in config.remarks:
        console.say(text)
    prepared = _prepare(config, console)
    remarks = _check_data(prepared, console)
    for descriptor in prepared.descriptors:
        console.say(descriptor.describe())
    with TrainingDisplay(console, config.run.epochs) as display:
        trained = train_seeds(prepared, folder, display, overwrite=overwrite, command=command)
    assessment = Assessment(trained, prepared)
    console.say(assessment.text())
    write_errors(trained, assessment)
    reports = write_report(folder, trained, prepared, assessment, remarks, command)
    written = [path for each in trained for path in (each.files.model, each.files.history)]
    for path in (*written, *reports):
        console.say(f"wrote {path}")
    return [*written, *reports]


def _prepare(config: Config, console: Console) -> PreparedData:
    """Read the data, compile the kernels (errors in the data come first), and prepare the rest."""
    from fastsf.training.preparation.dataset import PARTS, read_data
    from fastsf.training.preparation.models import largest_cutoff
    from fastsf.training.preparation.prepared import PreparedData

    console.say("Reading the data ...")
    dataset = read_data(config.data, partial(largest_cutoff, config))
    counts = ", ".join(f"{name} {len(dataset.part(name)):,}" for name in PARTS)
    console.say(f"structures: {counts}; {dataset.labelled.n_atoms.sum():,} atoms")
    console.say(dataset.labelled.account.text())
    for text in dataset.split.warnings:
        console.say(f"warning: {text}")
    compile_first(["train" if config.pcsf is None else "pair-train"], console)
    return PreparedData.of(config, dataset)


def _check_data(prepared: PreparedData, console: Console) -> str:
    """Show and return the reference energies and the findings in the data.

    Raises
    ------
    InputError
        If there are serious findings, and the configuration does not allow them.
    """
    from fastsf.datasets.checks.outliers import find_outliers

    dataset, descriptor = prepared.dataset, prepared.descriptor
    values = descriptor.create(dataset.labelled.structures) if descriptor.n_features else None
    outliers = find_outliers(dataset.labelled, values, dataset.split)
    references = prepared.references
    remarks = outliers.text() if references is None else f"{references.text()}\n{outliers.text()}"
    console.say(remarks)
    if outliers.serious and prepared.config.data.on_serious == "stop":
        found = outliers.describe(outliers.serious[0])
        raise InputError(f'{found}; with [data] on_serious = "warn" trains nevertheless')
    return remarks

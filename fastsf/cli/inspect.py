"""``fastsf inspect``: contents of a feature file or a potential, with remarks."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastsf.cli.console import Console
from fastsf.cli.options import Commands, add_console, add_units, add_verbose, console_of
from fastsf.errors import FormatError, InputError, counted


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "inspect",
        help="show the contents of a feature file or a potential, with remarks",
        description="Show the contents of a feature file, a model file, or a folder of n2p2 or RuNNer. "
        "A folder is explained line by line, with errors and suspicious settings. "
        "The exit status is 2 if the potential cannot be used.",
    )
    parser.add_argument("file", metavar="FILE", help="written by fastsf, or folder with input.nn")
    parser.add_argument(
        "--plots",
        metavar="FOLDER",
        help="of a feature file: write pictures of the functions and of the columns' ranges (PNG)",
    )
    kind = "a folder of n2p2 or RuNNer"
    add_units(parser.add_argument_group("units"), "", kind, kind, in_file=True)
    add_verbose(parser, "functions of a model file and remarks on a folder")
    add_console(parser)


def run(arguments: argparse.Namespace) -> None:
    """Show the contents of a file or folder.

    Raises
    ------
    FastsfError
        If it cannot be read, or is a potential that cannot be used.
    """
    from fastsf.potentials.files.model_file import is_model

    console = console_of(arguments)
    folder = Path(arguments.file).is_dir()
    if folder and not (Path(arguments.file) / "input.nn").exists():
        raise FormatError("expected a file, or a folder with input.nn; found a folder without input.nn", arguments.file)
    if not folder and not is_model(arguments.file):
        _inspect_features(arguments, console)
        return
    if arguments.plots is not None:
        raise InputError("--plots belongs to feature files")
    from fastsf.reports.potential import describe_folder, describe_model

    if not folder:
        console.say(describe_model(arguments.file, verbose=arguments.verbose))
        return
    units = arguments.length_unit, arguments.energy_unit
    text, wrong = describe_folder(arguments.file, *units, verbose=arguments.verbose)
    console.say(text)
    if wrong:
        raise FormatError(f"the potential cannot be used: found {counted(wrong, 'error')}", arguments.file)


def _inspect_features(arguments: argparse.Namespace, console: Console) -> None:
    from fastsf.featurize.reader import FeatureFile
    from fastsf.featurize.summary import describe, statistics_tables
    from fastsf.reports.pictures import write_plots

    with FeatureFile(arguments.file) as file:
        console.say(describe(file))
        statistics = file.statistics()
        console.say("\n" + statistics_tables(statistics, file.labels, file.centered_on))
        if arguments.plots is not None:
            console.say()
            for path in write_plots(file, Path(arguments.plots)):
                console.say(f"wrote {path}")

"""``fastsf convert``: a potential or a data set in another format."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastsf.cli.console import Console
from fastsf.cli.options import (
    MODEL,
    Commands,
    add_console,
    add_labels,
    add_units,
    console_of,
    load_potential,
    reading_of,
)
from fastsf.errors import InputError


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "convert",
        help="write a potential or a data set in another format",
        description="Write a folder of n2p2 or RuNNer as one model file of fastsf, or a model file as a folder; or "
        "structures with their labels as input.data or extended XYZ.",
    )
    kinds = "files of structures that ASE reads, input.data, or patterns"
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help=f"{MODEL}; or {kinds}")
    parser.add_argument("output", metavar="OUTPUT", help="the file or the folder to write")
    parser.add_argument(
        "--to",
        choices=("fastsf", "n2p2", "input.data", "extxyz"),
        help="format to write (default: fastsf from a folder, n2p2 from a model file, data by the name of the output)",
    )
    add_labels(parser.add_argument_group("reading data"))
    units = parser.add_argument_group("units")
    what = "the folder or the input.data"
    add_units(units, "", f"{what} that is read", f"{what} that is read", in_file=True)
    add_units(units, "to-", f"{what} that is written", f"{what} that is written")
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    add_console(parser)


def run(arguments: argparse.Namespace) -> None:
    """Convert a potential or data, as the first input is.

    Raises
    ------
    FastsfError
        If it cannot be read or written.
    """
    from fastsf.potentials.files.model_file import is_model

    console = console_of(arguments)
    units = arguments.to_length_unit, arguments.to_energy_unit
    first = Path(arguments.inputs[0])
    if first.is_dir() or (first.is_file() and is_model(first)):
        _convert_potential(arguments, units, console)
    else:
        _convert_data(arguments, units, console)
    console.say(f"wrote {arguments.output}")


def _convert_potential(arguments: argparse.Namespace, units: tuple[str, str], console: Console) -> None:
    from fastsf.potentials.convert import convert

    if len(arguments.inputs) > 1:
        raise InputError(f"expected one potential, found {len(arguments.inputs)} inputs; convert potentials one by one")
    potential = load_potential(arguments, arguments.inputs[0])
    kind = arguments.to or ("fastsf" if Path(arguments.inputs[0]).is_dir() else "n2p2")
    convert(potential, arguments.output, kind, *units, overwrite=arguments.overwrite)
    console.say(potential.describe())


def _convert_data(arguments: argparse.Namespace, units: tuple[str, str], console: Console) -> None:
    from fastsf.datasets.convert import convert_data
    from fastsf.io.structures import expand_paths

    arguments.length_unit = arguments.length_unit or "Angstrom"
    arguments.energy_unit = arguments.energy_unit or "eV"
    inputs, reading = expand_paths(arguments.inputs), reading_of(arguments)
    conversion = convert_data(inputs, arguments.output, arguments.to, reading, *units, overwrite=arguments.overwrite)
    console.say(conversion.text())

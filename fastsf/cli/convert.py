"""``fastsf convert``: a potential or a data set in another format."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastsf.cli.options import load_potential, reading_of
from fastsf.console import Console
from fastsf.datasets.convert import convert_data
from fastsf.errors import InputError
from fastsf.io.structures import expand_paths
from fastsf.potentials.convert import convert
from fastsf.potentials.files.model_file import is_model


def run_convert(arguments: argparse.Namespace, console: Console) -> None:
    """Convert what the first input is.

    Raises
    ------
    FastsfError
        If it cannot be read or written.
    """
    units = arguments.to_length_unit, arguments.to_energy_unit
    first = Path(arguments.inputs[0])
    if first.is_dir() or (first.is_file() and is_model(first)):
        _convert_potential(arguments, units, console)
    else:
        _convert_data(arguments, units, console)
    console.say(f"wrote {arguments.output}")


def _convert_potential(arguments: argparse.Namespace, units: tuple[str, str], console: Console) -> None:
    if len(arguments.inputs) > 1:
        raise InputError(f"potentials are converted one by one, found {len(arguments.inputs)} inputs")
    potential = load_potential(arguments, arguments.inputs[0])
    kind = arguments.to or ("fastsf" if Path(arguments.inputs[0]).is_dir() else "n2p2")
    convert(potential, arguments.output, kind, *units, overwrite=arguments.overwrite)
    console.say(potential.describe())


def _convert_data(arguments: argparse.Namespace, units: tuple[str, str], console: Console) -> None:
    arguments.length_unit = arguments.length_unit or "Angstrom"
    arguments.energy_unit = arguments.energy_unit or "eV"
    inputs, reading = expand_paths(arguments.inputs), reading_of(arguments)
    conversion = convert_data(inputs, arguments.output, arguments.to, reading, *units, overwrite=arguments.overwrite)
    console.say(conversion.text())

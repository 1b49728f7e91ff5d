"""Options that several commands share, and the objects that they stand for."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from fastsf.cli.console import Console, compile_first, open_log
from fastsf.units import ENERGY_UNITS, LENGTH_UNITS

if TYPE_CHECKING:
    from fastsf.datasets.frames import Reading
    from fastsf.potentials.committee import Committee
    from fastsf.potentials.potential import Potential

MODEL = "model file of fastsf, or folder of n2p2 or RuNNer (input.nn, scaling.data, weights)"


class Parser(argparse.ArgumentParser):
    """Parser whose errors are one line, as all others."""

    def error(self, message: str) -> NoReturn:
        """End the process with an error."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"

# --- adding options ---


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the potential as an argument."""
    parser.add_argument("model", metavar="MODEL", help=MODEL)


def add_members(parser: argparse.ArgumentParser | argparse._ArgumentGroup, what: str) -> None:
    """Add further potentials of a committee."""
    parser.add_argument(
        "--member",
        action="append",
        default=[],
        metavar="MODEL",
        help=f"one more potential with the same functions, for a committee: {what}",
    )


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add files of structures."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="file that ASE reads (extxyz, traj, db, ..., also .gz), input.data of n2p2, or a pattern",
    )


def add_reading(parser: argparse.ArgumentParser, with_lengths: str, with_energies: str) -> None:
    """Add the options for reading structures."""
    reading = parser.add_argument_group("reading")
    add_units(reading, "", with_lengths, with_energies)
    add_labels(reading)


def add_labels(reading: argparse._ArgumentGroup) -> None:
    """Add the names of labels, and the choice for structures that cannot be used."""
    add_format(reading)
    for name in ("energy", "forces", "stress"):
        reading.add_argument(f"--{name}-key", metavar="KEY", help=f"name of the {name} in the files, or none")
    reading.add_argument(
        "--on-error",
        choices=("stop", "skip"),
        default="stop",
        help="for structures that cannot be used: stop, or skip them (default: %(default)s)",
    )


def add_format(group: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the format of files of structures, and the elements of types."""
    group.add_argument(
        "--format",
        dest="file_format",
        metavar="NAME",
        help="format of the inputs, if it is not recognised: extxyz, input.data, lammps-dump, lammps-data, ipi-xyz, "
        "or a name of ASE (vasp-out, ...)",
    )
    group.add_argument(
        "--types", type=symbols, default=(), metavar="A,B", help="elements of the types 1, 2, ... of files of LAMMPS"
    )


def add_units(
    group: argparse._ArgumentGroup, prefix: str, with_lengths: str, with_energies: str, in_file: bool = False
) -> None:
    """Add units; with `in_file`, the file may name them."""
    for name, default, known, what in (
        ("length", "Angstrom", LENGTH_UNITS, with_lengths),
        ("energy", "eV", ENERGY_UNITS, with_energies),
    ):
        group.add_argument(
            f"--{prefix}{name}-unit",
            default=None if in_file else default,
            metavar="UNIT",
            help=f"of {what}: {', '.join(known)} (default: {'as the file says, or ' if in_file else ''}{default})",
        )


def add_threads(group: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the number of threads."""
    group.add_argument("--threads", type=positive, metavar="N", help="threads (default: all processors)")


def add_precision(group: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the precision of energies and forces."""
    group.add_argument(
        "--precision",
        choices=("double", "mixed"),
        default="double",
        help="mixed is about 1.4 times as fast, with relative errors of forces of about 1e-5 (default: %(default)s)",
    )


def add_console(parser: argparse.ArgumentParser) -> None:
    """Add the options for messages."""
    console = parser.add_argument_group("messages")
    console.add_argument("--quiet", action="store_true", help="print nothing but errors")
    console.add_argument("--log", metavar="FILE", help="also write messages into a file")


def add_verbose(parser: argparse.ArgumentParser, listed: str) -> None:
    """Add the option for complete lists."""
    parser.add_argument("--verbose", action="store_true", help=f"list all {listed}, not only the first")


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {number}")
    return number


def symbols(text: str) -> tuple[str, ...]:
    """Read a list of elements."""
    return tuple(filter(None, (word.strip() for word in text.split(","))))


# --- using options ---


def console_of(arguments: argparse.Namespace) -> Console:
    """Return the output for messages."""
    if arguments.log:
        open_log(arguments.log)
    return Console(arguments.quiet)


def command_line(arguments: argparse.Namespace) -> str:
    """Return the command that the user typed, for the files that are written."""
    return shlex.join(["fastsf", *arguments.words])


def reading_of(arguments: argparse.Namespace) -> Reading:
    """Return the options for reading structures."""
    from fastsf.datasets.frames import Reading

    names = ("length_unit", "energy_unit", "energy_key", "forces_key", "stress_key", "on_error", "file_format", "types")
    return Reading(**{name: getattr(arguments, name) for name in names})


def load_potential(arguments: argparse.Namespace, path: str) -> Potential:
    """Load a potential; the options for units apply to folders, model files know theirs."""
    from pathlib import Path

    from fastsf.potentials.potential import Potential
    from fastsf.potentials.precision import DOUBLE

    units = (arguments.length_unit, arguments.energy_unit) if Path(path).is_dir() else ()
    return Potential.load(path, *units, precision=getattr(arguments, "precision", DOUBLE))


def compile_for(
    arguments: argparse.Namespace, potential: Potential | Committee, what: Sequence[str], console: Console
) -> None:
    """Compile the kernels that a command needs for a potential, in its precision."""
    groups = list(what) if potential.model.pairs is None else [f"pair-{group}" for group in what]
    compile_first([*groups, "mixed"] if arguments.precision == "mixed" else groups, console)


def load_members(arguments: argparse.Namespace) -> Potential | Committee:
    """Load the potential, or a committee if there are further members."""
    from fastsf.potentials.committee import Committee

    members = [load_potential(arguments, path) for path in (arguments.model, *arguments.member)]
    return Committee(members) if len(members) > 1 else members[0]

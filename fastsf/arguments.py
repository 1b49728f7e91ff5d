"""The options of the command line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from fastsf.units import ENERGY_UNITS, LENGTH_UNITS


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    parser = _Parser(prog="fastsf", description="Symmetry functions of atomic structures, fast.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_featurize(commands)
    _add_inspect(commands)
    _add_demo(commands)
    _add_compile(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Parser whose complaints are one line, as all others."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        import fastsf

        print(f"fastsf {fastsf.__version__}")
        parser.exit()


def _add_featurize(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "featurize",
        help="compute the symmetry functions of data sets",
        description="Compute the symmetry functions of all structures of the given files, and write them "
        "into one HDF5 file. After an interruption of any kind, the same command goes on where it was.",
    )
    parser.set_defaults(command="featurize")
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="file that ASE reads (extxyz, traj, db, ..., also .gz), input.data of n2p2, or a pattern",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the HDF5 file to write")

    functions = parser.add_argument_group("symmetry functions")
    source = functions.add_mutually_exclusive_group(required=True)
    source.add_argument("--recipe", metavar="NAME", help="a published set, made for the elements of the data")
    source.add_argument("--functions", metavar="FILE", help="a TOML or YAML file, or an input.nn of n2p2")
    functions.add_argument("--cutoff", type=float, metavar="R", help="cutoff radius of the recipe in Å")
    functions.add_argument(
        "--elements", metavar="A,B", help="elements of the recipe; found by a pass over the data if not given"
    )

    reading = parser.add_argument_group("reading")
    reading.add_argument(
        "--length-unit",
        default="Angstrom",
        metavar="UNIT",
        help=f"of input.nn and input.data files: {', '.join(LENGTH_UNITS)} (default: %(default)s)",
    )
    reading.add_argument(
        "--energy-unit",
        default="eV",
        metavar="UNIT",
        help=f"of input.data files: {', '.join(ENERGY_UNITS)} (default: %(default)s)",
    )
    for name in ("energy", "forces", "stress"):
        reading.add_argument(f"--{name}-key", metavar="KEY", help=f"name of the {name} in the files")
    reading.add_argument(
        "--on-error",
        choices=("stop", "skip"),
        default="stop",
        help="what to do about structures that cannot be used (default: %(default)s)",
    )

    writing = parser.add_argument_group("computing and writing")
    writing.add_argument("--derivatives", action="store_true", help="also the sparse derivatives")
    writing.add_argument("--float32", action="store_true", help="store in single precision")
    writing.add_argument("--scale", action="store_true", help="also minimum, maximum, mean and sigma of every column")
    writing.add_argument("--threads", type=_positive, metavar="N", help="threads (default: all processors)")
    writing.add_argument("--chunk-atoms", type=_positive, metavar="N", help="atoms that are computed and saved at once")
    writing.add_argument("--overwrite", action="store_true", help="start anew, whatever is there")
    _add_console(parser)


def _add_inspect(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("inspect", help="show what is in a feature file")
    parser.set_defaults(command="inspect")
    parser.add_argument("file", metavar="FILE", help="written by fastsf featurize")
    parser.add_argument(
        "--plots", metavar="FOLDER", help="write pictures of the functions and of the columns' ranges (PNG)"
    )
    _add_console(parser)


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("demo", help="featurize the data that come with fastsf, step by step")
    parser.set_defaults(command="demo")
    parser.add_argument(
        "folder",
        nargs="?",
        default="fastsf-demo",
        metavar="FOLDER",
        help="for the results (default: %(default)s)",
    )
    _add_console(parser)


def _add_compile(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("compile", help="compile all kernels now, in place of at the first use")
    parser.set_defaults(command="compile")
    _add_console(parser)


def _add_console(parser: argparse.ArgumentParser) -> None:
    console = parser.add_argument_group("messages")
    console.add_argument("--quiet", action="store_true", help="print nothing but errors")
    console.add_argument("--log", metavar="FILE", help="also write messages into a file")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {number}")
    return number

"""The options of the command line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from fastsf.cli.analyze_options import add_analyze
from fastsf.cli.lammps_options import add_lammps
from fastsf.cli.mc_options import add_mc
from fastsf.cli.md_options import add_md
from fastsf.cli.options import (
    MODEL,
    Commands,
    Parser,
    add_console,
    add_inputs,
    add_labels,
    add_members,
    add_model,
    add_precision,
    add_reading,
    add_threads,
    add_units,
    positive,
)

RUN_OPTIONS: dict[str, tuple[type, str]] = {
    "epochs": (int, "most epochs"),
    "minutes": (float, "most minutes"),
    "patience": (int, "epochs without a better score in validation"),
    "seed": (int, "of the first training"),
    "seeds": (int, "trainings with seeds of their own: a committee"),
    "threads": (int, "threads (default: all processors)"),
    "memory": (float, "GiB for what is computed once and kept"),
}
"""Options of a training that stand for values in the section [run]: types and meanings."""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    parser = Parser(prog="fastsf", description="Symmetry functions and neural network potentials, fast.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_featurize(commands)
    _add_train(commands)
    _add_predict(commands)
    _add_evaluate(commands)
    add_md(commands)
    add_mc(commands)
    _add_convert(commands)
    _add_inspect(commands)
    add_analyze(commands)
    _add_demo(commands)
    _add_compile(commands)
    add_lammps(commands)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        import fastsf

        print(f"fastsf {fastsf.__version__}")
        parser.exit()


def _add_featurize(commands: Commands) -> None:
    parser = commands.add_parser(
        "featurize",
        help="compute the symmetry functions of data sets",
        description="Compute the symmetry functions of all structures of the given files, and write them "
        "into one HDF5 file. After an interruption of any kind, the same command goes on where it was.",
    )
    parser.set_defaults(command="featurize")
    add_inputs(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the HDF5 file to write")

    functions = parser.add_argument_group("symmetry functions")
    source = functions.add_mutually_exclusive_group(required=True)
    source.add_argument("--recipe", metavar="NAME", help="a set made for the elements of the data")
    source.add_argument("--functions", metavar="FILE", help="a TOML or YAML file, or an input.nn of n2p2")
    functions.add_argument(
        "--rows", choices=("atoms", "pairs"), help="which functions of a file that has those of atoms and of pairs"
    )
    functions.add_argument("--cutoff", type=float, metavar="R", help="cutoff radius of the recipe in Å")
    functions.add_argument(
        "--elements", metavar="A,B", help="elements of the recipe; found by a pass over the data if not given"
    )

    add_reading(parser, "input.nn and input.data files", "input.data files")

    writing = parser.add_argument_group("computing and writing")
    writing.add_argument("--derivatives", action="store_true", help="also the sparse derivatives")
    writing.add_argument("--float32", action="store_true", help="store in single precision")
    writing.add_argument("--scale", action="store_true", help="also minimum, maximum, mean and sigma of every column")
    add_threads(writing)
    writing.add_argument("--chunk-atoms", type=positive, metavar="N", help="atoms that are computed and saved at once")
    writing.add_argument("--overwrite", action="store_true", help="start anew, whatever is there")
    add_console(parser)


def _add_train(commands: Commands) -> None:
    parser = commands.add_parser(
        "train",
        help="fit a potential to energies and forces",
        description="Fit a potential to energies, forces and stresses, as a configuration says. After an interruption "
        "of any kind, the same command goes on where it was.",
    )
    parser.set_defaults(command="train")
    parser.add_argument(
        "config",
        nargs="+",
        metavar="CONFIG",
        help="configuration (TOML), or folder of n2p2 or RuNNer with input.nn and input.data; data files with --init",
    )
    parser.add_argument(
        "--init", action="store_true", help="write a configuration that suits data, with comments, in place of training"
    )
    parser.add_argument(
        "--pairs", choices=("too", "only"), help="with --init: networks of pairs beside those of atoms, or nothing else"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="folder to write (default: CONFIG without its ending, and -training); with --init the configuration "
        "(default: train.toml)",
    )
    override = parser.add_argument_group("in place of what the configuration says")
    for name, (kind, words) in RUN_OPTIONS.items():
        override.add_argument(f"--{name}", type=kind, metavar="N", help=words)
    override.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="any other value, as in the file: --set optimizer.name=adam",
    )
    parser.add_argument("--overwrite", action="store_true", help="start anew, whatever is there")
    kinds = "a folder, and of input.data files with --init"
    add_reading(parser, kinds, kinds)
    add_console(parser)


def _add_predict(commands: Commands) -> None:
    parser = commands.add_parser(
        "predict",
        help="energies, forces and stresses of data sets from a potential, and their errors",
        description="Predict energies, forces and stresses of all structures of the given files, and compare them "
        "with the labels that are there.",
    )
    parser.set_defaults(command="predict")
    writing = _add_prediction(parser)
    writing.add_argument("-o", "--output", metavar="FILE", help="extended XYZ file to write, also .gz")


def _add_evaluate(commands: Commands) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="errors of a potential on labelled data, by element and by group",
        description="Compare the predictions of a potential with the labels of all structures of the given files.",
    )
    parser.set_defaults(command="evaluate", output=None)
    _add_prediction(parser)


def _add_prediction(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add what predictions and their errors need; returns the group of what is written."""
    add_model(parser)
    add_inputs(parser)
    add_members(parser, "means and standard deviations")
    writing = parser.add_argument_group("computing and writing")
    writing.add_argument("--metrics", metavar="FILE", help="write the errors as JSON")
    writing.add_argument("--plots", metavar="FOLDER", help="write pictures of predictions against labels (PNG)")
    add_threads(writing)
    add_precision(writing)
    writing.add_argument("--chunk-atoms", type=positive, metavar="N", help="atoms that are computed at once")
    writing.add_argument("--overwrite", action="store_true", help="replace files that are there")
    kinds = "a folder of n2p2 or RuNNer and of input.data files"
    add_reading(parser, kinds, kinds)
    parser.add_argument("--group-key", metavar="KEY", help="name of the structures' group in the files")
    add_console(parser)
    return writing


def _add_convert(commands: Commands) -> None:
    parser = commands.add_parser(
        "convert",
        help="write a potential or a data set in another format",
        description="Write a folder of n2p2 or RuNNer as one model file of fastsf, or a model file as a folder; or "
        "structures with their labels as input.data or extended XYZ.",
    )
    parser.set_defaults(command="convert")
    kinds = "files of structures that ASE reads, input.data, or patterns"
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help=f"{MODEL}; or {kinds}")
    parser.add_argument("output", metavar="OUTPUT", help="the file or the folder to write")
    parser.add_argument(
        "--to",
        choices=("fastsf", "n2p2", "input.data", "extxyz"),
        help="what to write (default: fastsf from a folder, n2p2 from a model file, data by the name of the output)",
    )
    add_labels(parser.add_argument_group("reading data"))
    units = parser.add_argument_group("units")
    what = "the folder or the input.data"
    add_units(units, "", f"{what} that is read", f"{what} that is read", told=True)
    add_units(units, "to-", f"{what} that is written", f"{what} that is written")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    add_console(parser)


def _add_inspect(commands: Commands) -> None:
    parser = commands.add_parser(
        "inspect",
        help="show what is in a feature file or a potential, and what is suspicious in it",
        description="Show what is in a feature file, a model file, or a folder of n2p2 or RuNNer: there line by line, "
        "with all that is wrong or suspicious. Exit status 2 if the potential cannot be used.",
    )
    parser.set_defaults(command="inspect")
    parser.add_argument("file", metavar="FILE", help="written by fastsf, or folder with input.nn")
    parser.add_argument(
        "--plots",
        metavar="FOLDER",
        help="of a feature file: write pictures of the functions and of the columns' ranges (PNG)",
    )
    kind = "a folder of n2p2 or RuNNer"
    add_units(parser.add_argument_group("units"), "", kind, kind, told=True)
    add_console(parser)


def _add_demo(commands: Commands) -> None:
    parser = commands.add_parser(
        "demo", help="features, training and dynamics with the data that come with fastsf, step by step"
    )
    parser.set_defaults(command="demo")
    parser.add_argument(
        "folder",
        nargs="?",
        default="fastsf-demo",
        metavar="FOLDER",
        help="for the results (default: %(default)s)",
    )
    add_console(parser)


def _add_compile(commands: Commands) -> None:
    parser = commands.add_parser("compile", help="compile the kernels now, in place of at the first use")
    parser.set_defaults(command="compile")
    parser.add_argument(
        "what",
        nargs="*",
        metavar="GROUP",
        help="what they are for: featurize, derivatives, products, predict, train, lammps, md, committee, all of them "
        "also for pair-centred functions (pair-featurize ...), mc, mixed (default: everything but mixed)",
    )
    add_console(parser)

"""``fastsf predict``: energies, forces and stresses of data sets from a potential, and their errors."""

from __future__ import annotations

import argparse

from fastsf.cli.options import (
    Commands,
    Parser,
    add_console,
    add_inputs,
    add_members,
    add_model,
    add_precision,
    add_reading,
    add_threads,
    add_verbose,
    command_line,
    compile_for,
    console_of,
    load_members,
    positive,
    reading_of,
)
from fastsf.errors import InputError


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "predict",
        help="energies, forces and stresses of data sets from a potential, and their errors",
        description="Predict energies, forces and stresses of all structures of the given files, and compare them "
        "with labels, if there are any.",
    )
    writing = add_prediction(parser)
    writing.add_argument("-o", "--output", metavar="FILE", help="extended XYZ file to write, also .gz")


def add_prediction(parser: Parser) -> argparse._ArgumentGroup:
    """Add the options of predictions and errors; return the group of options for writing."""
    add_model(parser)
    add_inputs(parser)
    add_members(parser, "means and standard deviations")
    writing = parser.add_argument_group("computing and writing")
    writing.add_argument("--metrics", metavar="FILE", help="write the errors as JSON")
    writing.add_argument("--plots", metavar="FOLDER", help="write pictures of predictions against labels (PNG)")
    add_threads(writing)
    add_precision(writing)
    writing.add_argument("--chunk-atoms", type=positive, metavar="N", help="atoms that are computed at once")
    writing.add_argument("--overwrite", action="store_true", help="replace existing files")
    kinds = "a folder of n2p2 or RuNNer and of input.data files"
    add_reading(parser, kinds, kinds)
    parser.add_argument("--group-key", metavar="KEY", help="name of the structures' group in the files")
    add_verbose(parser, "functions with extrapolations, groups and structures left out")
    add_console(parser)
    return writing


def run(arguments: argparse.Namespace) -> None:
    """Predict, and compare with the labels; ``fastsf evaluate`` requires some.

    Raises
    ------
    FastsfError
        If files cannot be read or written, or if their contents cannot be used.
    """
    console = console_of(arguments)
    from fastsf.io.structures import expand_paths
    from fastsf.prediction.predict import CHUNK_ATOMS, predict
    from fastsf.prediction.report import check_results, report, write_results

    check_results(arguments.metrics, arguments.plots, arguments.overwrite)
    inputs = [str(path) for path in expand_paths(arguments.inputs)]
    potential = load_members(arguments)
    console.say(potential.describe())
    compile_for(arguments, potential, ["committee" if arguments.member else "predict"], console)
    with console.progress_bar() as bar:
        summary = predict(
            inputs,
            potential,
            arguments.output,
            reading_of(arguments),
            threads=arguments.threads,
            chunk_atoms=arguments.chunk_atoms or CHUNK_ATOMS,
            group_key=arguments.group_key,
            overwrite=arguments.overwrite,
            on_progress=bar,
        )
    console.say(report(summary, arguments.verbose))
    if arguments.command == "evaluate" and not summary.metrics.by_name():
        raise InputError("nothing to compare with: no structure has a label; fastsf predict does without")
    about = {"models": [arguments.model, *arguments.member], "command": command_line(arguments)}
    for path in write_results(summary, arguments.metrics, arguments.plots, about):
        console.say(f"wrote {path}")

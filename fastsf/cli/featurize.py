"""``fastsf featurize``: symmetry functions of data sets, in one HDF5 file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastsf.cli.console import Console, compile_first
from fastsf.cli.options import (
    Commands,
    add_console,
    add_inputs,
    add_reading,
    add_threads,
    command_line,
    console_of,
    positive,
    reading_of,
)
from fastsf.errors import InputError

if TYPE_CHECKING:
    from fastsf.datasets.frames import Reading
    from fastsf.descriptors.base import Descriptor
    from fastsf.featurize.run import FeaturizeSummary

_MOST_LINES = 20
"""Largest number of omitted structures that are listed."""


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "featurize",
        help="compute the symmetry functions of data sets",
        description="Compute the symmetry functions of all structures of the given files, and write them "
        "into one HDF5 file. After an interruption of any kind, the same command continues.",
    )
    add_inputs(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the HDF5 file to write")

    functions = parser.add_argument_group("symmetry functions")
    source = functions.add_mutually_exclusive_group(required=True)
    source.add_argument("--recipe", metavar="NAME", help="published set of functions for the elements of the data")
    source.add_argument("--functions", metavar="FILE", help="a TOML or YAML file, or an input.nn of n2p2")
    functions.add_argument(
        "--rows", choices=("atoms", "pairs"), help="functions to use if the file has atom-centred and pair-centred ones"
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
    writing.add_argument("--overwrite", action="store_true", help="start again, and replace files of earlier runs")
    add_console(parser)


def run(arguments: argparse.Namespace) -> None:
    """Compute the symmetry functions that the options ask for.

    Raises
    ------
    FastsfError
        If files cannot be read or written, or if their contents cannot be used.
    """
    console = console_of(arguments)
    if arguments.recipe is None and (arguments.cutoff is not None or arguments.elements is not None):
        raise InputError("--cutoff and --elements belong to --recipe; a file of functions has its own")
    if arguments.recipe is not None and arguments.rows is not None:
        raise InputError("--rows belongs to --functions; a recipe is either atom-centred or pair-centred")
    from fastsf.featurize.run import Options, featurize
    from fastsf.io.structures import expand_paths

    inputs = [str(path) for path in expand_paths(arguments.inputs)]
    reading = reading_of(arguments)
    options = Options(arguments.derivatives, arguments.float32, arguments.scale, arguments.chunk_atoms)
    descriptor = _descriptor(arguments, inputs, reading, console)
    console.say(descriptor.describe())
    group = "derivatives" if arguments.derivatives else "featurize"
    compile_first([group if descriptor.centered_on == "atoms" else f"pair-{group}"], console)
    with console.progress_bar() as bar:
        summary = featurize(
            inputs,
            arguments.output,
            descriptor,
            options,
            reading,
            overwrite=arguments.overwrite,
            command=command_line(arguments),
            on_progress=bar,
        )
    _report(summary, console)


def _descriptor(arguments: argparse.Namespace, inputs: Sequence[str], reading: Reading, console: Console) -> Descriptor:
    from fastsf.descriptors.choose import descriptor_from_file, descriptor_from_recipe

    threads = arguments.threads
    if arguments.functions is not None:
        path, unit = arguments.functions, arguments.length_unit
        return descriptor_from_file(path, unit, centered_on=arguments.rows, threads=threads)
    if arguments.elements is not None:
        elements = [symbol.strip() for symbol in arguments.elements.split(",")]
    else:
        elements = _find_elements(arguments, inputs, reading, console)
    return descriptor_from_recipe(arguments.recipe, elements, arguments.cutoff, threads=threads)


def _find_elements(
    arguments: argparse.Namespace, inputs: Sequence[str], reading: Reading, console: Console
) -> list[str]:
    from fastsf.datasets.frames import find_elements
    from fastsf.featurize.manifest import recorded_elements

    known = None if arguments.overwrite else recorded_elements(arguments.output, inputs)
    if known is None:
        console.say("Reading the files for their elements (--elements saves this pass) ...")
        known = find_elements(inputs, reading)
        console.say(f"Elements: {', '.join(known)}")
    return known


def _report(summary: FeaturizeSummary, console: Console) -> None:
    """Print a summary of a featurization."""
    if summary.complete_before:
        console.say(f"{summary.output} is complete already; --overwrite computes it again.")
    counts = f"{summary.structures:,} structures, {summary.atoms:,} atoms"
    if summary.pairs is not None:
        counts += f", {summary.pairs:,} pairs"
    numbers = {"energy": summary.with_energy, "forces": summary.with_forces, "stress": summary.with_stress}
    console.say(f"{summary.output}: {counts}; {summary.account.text(numbers)}")
    for remark in summary.account.remarks():
        console.say(remark)
    if summary.resumed and not summary.complete_before:
        console.say(f"{summary.resumed:,} structures were computed before and not computed again.")
    if summary.computed_atoms:
        each = 1e6 / summary.computed_atoms
        console.say(
            f"{summary.seconds:.1f} s for {summary.computed_atoms:,} atoms: {summary.seconds * each:.1f} µs "
            f"per atom, of it {summary.kernel_seconds * each:.1f} µs in the kernels"
        )
    if summary.skipped:
        console.say(f"Left out: {len(summary.skipped):,} (all are listed in the file)")
        for reason in summary.skipped[:_MOST_LINES]:
            console.say(f"  {reason}")

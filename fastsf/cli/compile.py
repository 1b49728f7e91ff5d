"""``fastsf compile``: kernels compiled ahead of their first use."""

from __future__ import annotations

import argparse

from fastsf.cli.options import Commands, add_console, console_of


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("compile", help="compile the kernels now instead of at their first use")
    parser.add_argument(
        "what",
        nargs="*",
        metavar="GROUP",
        help="purpose: featurize, derivatives, products, predict, train, lammps, md, committee, each of them also for "
        "pair-centred functions (pair-featurize ...), mc, mixed (default: everything except mixed)",
    )
    add_console(parser)


def run(arguments: argparse.Namespace) -> None:
    """Compile the kernels of the groups that were named.

    Raises
    ------
    FastsfError
        If a group is unknown, or if compiling fails.
    """
    console = console_of(arguments)
    from fastsf.cli.compilation.compile import cache_folder, compile_kernels

    console.say("Compiling the kernels, once per installation ...")
    seconds = compile_kernels(arguments.what or None)
    folder = cache_folder()
    kept = f"kept in {folder}" if folder else "no cache folder can be written: every process compiles again"
    console.say(f"{seconds:.1f} s; {kept}")

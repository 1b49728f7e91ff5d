"""``fastsf train``: a potential fitted to energies, forces and stresses."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastsf.cli.options import Commands, add_console, add_reading, command_line, console_of, reading_of
from fastsf.errors import InputError

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


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "train",
        help="fit a potential to energies and forces",
        description="Fit a potential to energies, forces and stresses, as a configuration says. After an interruption "
        "of any kind, the same command goes on where it was.",
    )
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


def run(arguments: argparse.Namespace) -> None:
    """Train as the configuration says, or write one.

    Raises
    ------
    FastsfError
        If files cannot be read or written, or if their contents cannot be used.
    """
    console = console_of(arguments)
    from fastsf.cli.train_init import init
    from fastsf.training.config.files import overrides_of, read_config, read_folder
    from fastsf.training.run.command import default_folder, train

    if arguments.init:
        output = Path(arguments.output or "train.toml")
        options = {"pairs": arguments.pairs, "overwrite": arguments.overwrite}
        init(arguments.config, output, console, reading=reading_of(arguments), **options)
        return
    if arguments.pairs:
        raise InputError("--pairs belongs to --init; a training takes its functions from the configuration")
    if len(arguments.config) > 1:
        raise InputError(f"expected one configuration, found {len(arguments.config)} files; --init makes one for data")
    overrides = overrides_of({name: getattr(arguments, name) for name in RUN_OPTIONS}, arguments.set)
    path = Path(arguments.config[0])
    folder = default_folder(path) if arguments.output is None else Path(arguments.output)
    if path.is_dir():
        config = read_folder(path, arguments.length_unit, arguments.energy_unit, overrides)
    else:
        config = read_config(path, overrides)
    train(config, folder, console, overwrite=arguments.overwrite, command=command_line(arguments))

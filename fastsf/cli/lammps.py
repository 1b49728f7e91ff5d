"""``fastsf lammps``: what its words do."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from fastsf.cli.options import console_of, load_potential
from fastsf.console import Console, compile_first
from fastsf.errors import FastsfError, InputError


def lammps(arguments: argparse.Namespace) -> None:
    """Do what the arguments say; errors as of what is called."""
    {"in": _write_start, "run": _run, "build": _build}[arguments.action](arguments, console_of(arguments))


def _build(arguments: argparse.Namespace, console: Console) -> None:
    from fastsf.lammps import plugin

    console.say(f"the pair style is {plugin.build()}")
    compile_first(["lammps"], console)


def _write_start(arguments: argparse.Namespace, console: Console) -> None:
    from fastsf.lammps.start import write_start
    from fastsf.simulation.starting import read_start, remarks

    potential = load_potential(arguments, arguments.model)
    atoms = read_start(arguments.start, arguments.length_unit or "Angstrom", arguments.energy_unit or "eV")
    for remark in remarks(atoms, potential.model):
        console.say(f"note: {remark}")
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
    console.say(f"In that folder: fastsf lammps run {written[-1].name} --model {model}")


def _run(arguments: argparse.Namespace, console: Console) -> None:
    from fastsf.lammps import library

    ranks = library.world()
    first = ranks is None or ranks.rank == 0
    try:
        _run_input(arguments, console if first else Console(quiet=True))
    except (FastsfError, OSError):
        if first:
            raise
        raise SystemExit(2) from None  # the first rank says it


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

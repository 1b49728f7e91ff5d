"""``fastsf md``: molecular dynamics in a folder."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from fastsf.cli.options import Commands, add_precision, console_of
from fastsf.cli.simulation import (
    add_command,
    add_conditions,
    add_supervision,
    add_writing,
    load_start,
    run_command,
    temperatures_of,
)
from fastsf.errors import InputError
from fastsf.md.ensembles import ENSEMBLES, ensemble_name

if TYPE_CHECKING:
    from ase import Atoms

    from fastsf.cli.console import Console
    from fastsf.md import Integrator, Ramp

_STEPS = 10_000
"""Steps of a run unless others are asked for."""

_HYDROGEN_STEP, _OTHER_STEP = 0.5, 1.0
"""Usual time steps in fs."""

_LONG = 5.0
"""Factor by which a time step exceeds the usual one when the command warns."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "md", "molecular dynamics", "Molecular dynamics")
    _add_conditions(parser.add_argument_group("conditions"))
    _add_coupling(parser.add_argument_group("thermostats and barostats"))
    add_precision(add_writing(parser, 100, "h5md:100"))
    group = add_supervision(parser, 100)
    group.add_argument(
        "--max-temperature",
        type=float,
        default=10_000.0,
        metavar="K",
        help="stop above this temperature (default: %(default)g)",
    )
    group.add_argument(
        "--max-drift",
        type=float,
        default=0.05,
        metavar="E",
        help="stop when the conserved energy drifts by more eV/atom/ps; 0: never (default: %(default)s)",
    )


def _add_conditions(group: argparse._ArgumentGroup) -> None:
    words = ", ".join(f"{name} ({each.meaning})" for name, each in ENSEMBLES.items())
    group.add_argument(
        "--ensemble",
        type=_known_ensemble,
        default="bussi",
        metavar="NAME",
        help=f"{words}, or another name such as nvt; default: %(default)s",
    )
    group.add_argument("--pressure", type=float, metavar="BAR", help="of npt (default: 1.01325)")
    group.add_argument("--timestep", type=float, metavar="FS", help="default: 0.5 with hydrogen, 1 without")
    add_conditions(group, "--ps", "PS", "length of the whole run", f"steps of the whole run (default: {_STEPS:,})")
    group.add_argument(
        "--velocities",
        default="auto",
        metavar="auto|file|K",
        help="velocities at the start: those of START, or drawn at a temperature (default: those of START if it has "
        "any, otherwise drawn at the temperature of the run)",
    )
    group.add_argument(
        "--skin", type=float, metavar="R", help="distance by which the neighbour list exceeds the cutoff, Å"
    )


def _known_ensemble(text: str) -> str:
    try:
        ensemble_name(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _add_coupling(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--friction", type=float, metavar="G", help="of langevin, 1/fs (default: 0.001)")
    group.add_argument("--thermostat-time", type=float, metavar="FS", help="of bussi, nhc and npt (default: 100)")
    group.add_argument("--barostat-time", type=float, metavar="FS", help="of npt (default: 1000)")
    group.add_argument(
        "--compressibility", type=float, metavar="X", help="of npt, 1/bar (default: that of water, 4.6e-5)"
    )
    group.add_argument("--shape", metavar="SHAPE", help="of npt: isotropic (default), anisotropic, or axes as xyz, z")


def run(arguments: argparse.Namespace) -> None:
    """Run molecular dynamics as the options say.

    Raises
    ------
    FastsfError
        If that is not possible, or something stops the run.
    KeyboardInterrupt
        After a signal, when everything is saved.
    """
    from fastsf.md import Limits, MolecularDynamics

    console = console_of(arguments)
    name = ensemble_name(arguments.ensemble)
    if name != arguments.ensemble:
        console.say(f"--ensemble {arguments.ensemble}: {name} ({ENSEMBLES[name].meaning})")
    temperatures = temperatures_of(arguments)
    potential, atoms = load_start(arguments, console)
    timestep = _timestep(arguments.timestep, atoms, console)
    steps = _steps(arguments, timestep)
    _set_velocities(atoms, arguments, temperatures[0], console)

    def make_engine() -> MolecularDynamics:
        stop = arguments.extrapolation == "stop"
        return MolecularDynamics(
            potential,
            atoms,
            _integrator(arguments, temperatures, steps),
            timestep,
            seed=arguments.seed,
            skin=arguments.skin,
            threads=arguments.threads,
            limits=Limits(arguments.max_temperature, extrapolations=0 if stop else None),
        )

    run_command(
        arguments,
        console,
        potential,
        atoms,
        steps=steps,
        groups=["md", "committee"] if arguments.member else ["md", "predict"],
        make_engine=make_engine,
        words=f"{name}, {steps:,} steps of {timestep:g} fs",
        drift=arguments.max_drift or None,
    )


def _timestep(wanted: float | None, atoms: Atoms, console: Console) -> float:
    usual = _HYDROGEN_STEP if 1 in atoms.numbers else _OTHER_STEP
    if wanted is not None and wanted > _LONG * usual:
        console.say(f"warning: a time step of {wanted:g} fs is long; usual for these elements is {usual:g} fs")
    return usual if wanted is None else wanted


def _steps(arguments: argparse.Namespace, timestep: float) -> int:
    if arguments.ps is None:
        return _STEPS if arguments.steps is None else int(arguments.steps)
    if not 0 < arguments.ps < math.inf or not timestep > 0:
        raise InputError(f"expected a positive length and time step, found {arguments.ps:g} ps and {timestep:g} fs")
    steps: int = math.ceil(1000 * arguments.ps / timestep - 1e-6)
    return steps


def _set_velocities(atoms: Atoms, arguments: argparse.Namespace, temperature: float, console: Console) -> None:
    """Draw velocities, unless those of the file are used."""
    from fastsf.md import maxwell_boltzmann

    wanted, there = arguments.velocities, bool(atoms.get_momenta().any())
    if wanted == "file" or (wanted == "auto" and there):
        console.say(f"velocities: those of {arguments.start}" + ("" if there else ", which are zero"))
        return
    try:
        drawn = temperature if wanted == "auto" else float(wanted)
    except ValueError:
        raise InputError(f"--velocities: expected auto, file or a temperature in K, found {wanted!r}") from None
    maxwell_boltzmann(atoms, drawn, arguments.seed)
    console.say(f"velocities: drawn at {drawn:g} K")


def _integrator(arguments: argparse.Namespace, temperatures: tuple[float, ...], steps: int) -> Integrator:
    """Make the integrator of an ensemble; refuse options that it does not have."""
    from fastsf.md import Ramp

    ensemble = ENSEMBLES[ensemble_name(arguments.ensemble)]
    options = {option for each in ENSEMBLES.values() for option in each.known}
    given = {option: getattr(arguments, option) for option in options if getattr(arguments, option) is not None}
    for option in sorted(given.keys() - ensemble.known):
        having = ", ".join(name for name, each in ENSEMBLES.items() if option in each.known)
        raise InputError(
            f"--{option.replace('_', '-')} has no meaning for the ensemble {arguments.ensemble}; it belongs to {having}"
        )
    temperature: float | Ramp = temperatures[0]
    if len(temperatures) == 2:
        temperature = Ramp(temperatures[0], temperatures[1], arguments.ramp_steps or steps)
    return ensemble.make(temperature, given)

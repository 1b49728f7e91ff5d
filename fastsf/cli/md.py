"""``fastsf md``: molecular dynamics in a folder."""

from __future__ import annotations

import argparse
import math

from ase import Atoms

from fastsf.cli.md_options import STEPS
from fastsf.cli.options import compile_for, load_potential
from fastsf.cli.simulation import simulate
from fastsf.cli.simulation_options import folder_of, settings_of, supervision_of
from fastsf.console import Console
from fastsf.errors import InputError
from fastsf.md import Integrator, Limits, MolecularDynamics, Ramp, maxwell_boltzmann
from fastsf.md.ensembles import ENSEMBLES, ensemble_name
from fastsf.simulation.starting import hold, read_start, remarks

_HYDROGEN_STEP, _OTHER_STEP = 0.5, 1.0
_USUAL = 5.0
"""Times these, a time step is told to be long."""


def run_md(arguments: argparse.Namespace, console: Console) -> None:
    """Do what the options say.

    Raises
    ------
    FastsfError
        If that is not possible, or makes no physical sense from some step on.
    KeyboardInterrupt
        After a signal, when everything is saved.
    """
    name = ensemble_name(arguments.ensemble)
    if name != arguments.ensemble:
        console.say(f"--ensemble {arguments.ensemble}: {name} ({ENSEMBLES[name].meaning})")
    potential = load_potential(arguments, arguments.model)
    atoms = read_start(arguments.start, arguments.length_unit, arguments.energy_unit)
    console.say(potential.describe())
    temperatures = _temperatures(arguments.temperature)
    timestep = _timestep(arguments.timestep, atoms, console)
    steps = _steps(arguments, timestep)
    hold(atoms, arguments.fix)
    _set_velocities(atoms, arguments, temperatures[0], console)
    for text in remarks(atoms, potential.model):
        console.say(f"warning: {text}")
    folder = folder_of(arguments, "md")
    settings = settings_of(arguments, steps, drift=arguments.max_drift or None)
    watches = supervision_of(arguments, potential, atoms, folder, lambda text: console.say(f"warning: {text}"))
    compile_for(arguments, potential, ["md", "committee"] if arguments.member else ["md", "predict"], console)
    stop = arguments.extrapolation == "stop"
    engine = MolecularDynamics(
        potential,
        atoms,
        _integrator(arguments, temperatures, steps),
        timestep,
        seed=arguments.seed,
        skin=arguments.skin,
        threads=arguments.threads,
        limits=Limits(arguments.max_temperature, extrapolations=0 if stop else None),
    )
    console.say(f"{len(atoms):,} atoms, {name}, {steps:,} steps of {timestep:g} fs, in {folder}")
    simulate(engine, folder, settings, console, watches, overwrite=arguments.overwrite)


def _temperatures(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(word) for word in text.split(":"))
    except ValueError:
        found = ()
    if len(found) not in (1, 2) or not all(0 < each < math.inf for each in found):
        raise InputError(f"--temperature: expected one positive number, or two with a colon between; found {text!r}")
    return found


def _timestep(wanted: float | None, atoms: Atoms, console: Console) -> float:
    usual = _HYDROGEN_STEP if 1 in atoms.numbers else _OTHER_STEP
    if wanted is not None and wanted > _USUAL * usual:
        console.say(f"warning: a time step of {wanted:g} fs is long; usual for these elements is {usual:g} fs")
    return usual if wanted is None else wanted


def _steps(arguments: argparse.Namespace, timestep: float) -> int:
    if arguments.ps is None:
        return STEPS if arguments.steps is None else int(arguments.steps)
    if not 0 < arguments.ps < math.inf or not timestep > 0:
        raise InputError(f"expected a positive length and time step, found {arguments.ps:g} ps and {timestep:g} fs")
    steps: int = math.ceil(1000 * arguments.ps / timestep - 1e-6)
    return steps


def _set_velocities(atoms: Atoms, arguments: argparse.Namespace, temperature: float, console: Console) -> None:
    """Draw velocities unless those of the file are to be taken."""
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

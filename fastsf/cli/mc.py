"""``fastsf mc``: Monte Carlo in a folder."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace

from ase.constraints import FixAtoms

from fastsf.cli.mc_options import EQUILIBRATION, SWEEPS
from fastsf.cli.options import load_potential
from fastsf.cli.simulation import simulate
from fastsf.cli.simulation_options import folder_of, settings_of, supervision_of
from fastsf.console import Console, compile_first
from fastsf.errors import InputError
from fastsf.mc.engine import MonteCarlo, check_potential
from fastsf.mc.moves import Displacement, Move, Swap, VolumeChange
from fastsf.simulation.starting import read_start, remarks, selected_atoms


def run_mc(arguments: argparse.Namespace, console: Console) -> None:
    """Do what the options say.

    Raises
    ------
    FastsfError
        If that is not possible, or makes no physical sense from some move on.
    KeyboardInterrupt
        After a signal, when everything is saved.
    """
    potential = load_potential(arguments, arguments.model)
    check_potential(potential)
    atoms = read_start(arguments.start, arguments.length_unit, arguments.energy_unit)
    console.say(potential.describe())
    moves, steps = moves_of(arguments), _steps(arguments, len(atoms))
    temperature, ramp = _temperature(arguments, steps)
    held = selected_atoms(arguments.fix, atoms)
    if held:
        atoms.set_constraint([*atoms.constraints, FixAtoms(held)])
    for text in remarks(atoms, potential.model):
        console.say(f"warning: {text}")
    folder = folder_of(arguments, "mc")
    settings = settings_of(arguments, steps)
    watches = supervision_of(arguments, potential, atoms, folder, lambda text: console.say(f"warning: {text}"))
    compile_first(["mc"], console)
    engine = MonteCarlo(
        potential,
        atoms,
        temperature,
        moves,
        pressure=arguments.pressure,
        ramp=ramp,
        equilibration=_equilibration(arguments, len(atoms)),
        seed=arguments.seed,
        skin=arguments.skin,
        compare_every=arguments.compare_every,
        threads=arguments.threads,
    )
    console.say(f"{len(atoms):,} atoms, {steps:,} moves ({', '.join(move.name for move in moves)}), in {folder}")
    progress = simulate(engine, folder, settings, console, watches, overwrite=arguments.overwrite)
    for move in moves:
        rate = progress.row[f"{move.name}: rate"]
        if not math.isnan(rate):
            console.say(f"{move.name}: {100 * rate:.3g} % accepted")


def moves_of(arguments: argparse.Namespace) -> list[Move]:
    """Moves that the options ask for.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    moves: list[Move] = [_displacement(text) for text in arguments.displace or ["0.1"] if text != "none"]
    for text in arguments.swap:
        elements = text.split(",")
        if len(elements) != 2:
            raise InputError(f"--swap: expected two elements with a comma between, found {text!r}")
        moves.append(Swap((elements[0], elements[1])))
    if arguments.volume is not None:
        moves.append(VolumeChange(arguments.volume_step, arguments.volume == "axes"))
    return _weighted(moves, arguments.weight)


def _displacement(text: str) -> Displacement:
    elements, _, step = text.rpartition("=")
    return Displacement(_number("--displace", step), tuple(elements.split(",")) if elements else None)


def _weighted(moves: Sequence[Move], texts: Sequence[str]) -> list[Move]:
    known = {move.name: move for move in moves}
    for text in texts:
        name, _, weight = text.rpartition("=")
        if name not in known:
            raise InputError(f"--weight: expected one of {', '.join(known)} and =W behind it, found {text!r}")
        known[name] = replace(known[name], weight=_number("--weight", weight))
    return list(known.values()) if len(known) == len(moves) else list(moves)


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{option}: expected a number, found {text!r}") from None


def _steps(arguments: argparse.Namespace, atoms: int) -> int:
    if arguments.steps is not None:
        return int(arguments.steps)
    sweeps = SWEEPS if arguments.sweeps is None else arguments.sweeps
    if not 0 < sweeps < math.inf:
        raise InputError(f"--sweeps: expected a positive number, found {sweeps:g}")
    return math.ceil(sweeps * atoms)


def _equilibration(arguments: argparse.Namespace, atoms: int) -> int:
    return EQUILIBRATION * atoms if arguments.equilibration is None else arguments.equilibration


def _temperature(arguments: argparse.Namespace, steps: int) -> tuple[float | tuple[float, float], int]:
    """Temperature or both ends of a ramp, and the length of it."""
    first, colon, last = arguments.temperature.partition(":")
    start = _number("--temperature", first)
    if not colon:
        return start, 0
    return (start, _number("--temperature", last)), arguments.ramp_steps or steps

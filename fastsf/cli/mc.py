"""``fastsf mc``: Monte Carlo in a folder."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fastsf.cli.options import Commands, console_of, positive
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

if TYPE_CHECKING:
    from fastsf.mc import Displacement, Move

_SWEEPS, _EQUILIBRATION = 1000, 20
"""Moves of the whole run, and those that adapt the steps, for each atom."""


def add(commands: Commands) -> None:
    """Add the command."""
    description = "Metropolis Monte Carlo, in which a step is one move,"
    parser = add_command(commands, "mc", "Monte Carlo", description)
    parser.set_defaults(precision="double")
    _add_conditions(parser.add_argument_group("conditions"))
    _add_moves(parser.add_argument_group("moves"))
    add_writing(parser, 1000, "h5md:10000")
    add_supervision(parser, 10_000)


def _add_conditions(group: argparse._ArgumentGroup) -> None:
    words = f"moves of the whole run for each atom (default: {_SWEEPS})"
    add_conditions(group, "--sweeps", "N", words, "moves of the whole run")
    group.add_argument(
        "--pressure", type=float, default=1.01325, metavar="BAR", help="of changes of the volume (default: %(default)s)"
    )
    group.add_argument(
        "--equilibration",
        type=int,
        metavar="N",
        help=f"moves at the start that adapt the steps (default: {_EQUILIBRATION} for each atom)",
    )
    group.add_argument(
        "--skin",
        type=float,
        default=1.0,
        metavar="R",
        help="distance by which the neighbour list exceeds the cutoff, Å (default: %(default)s)",
    )
    group.add_argument(
        "--compare-every",
        type=positive,
        metavar="N",
        help="moves after which the running energy is compared with a full evaluation "
        "(default: ten for each atom, at least 10,000)",
    )


def _add_moves(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--displace",
        action="append",
        metavar="[A,B=]R",
        help="move an atom by up to R Å at first, of all or of some elements; can be repeated; or none (default: 0.1)",
    )
    group.add_argument("--swap", action="append", default=[], metavar="A,B", help="swap atoms of two elements")
    group.add_argument(
        "--volume",
        choices=("isotropic", "axes"),
        help="change the volume, or one vector of the cell at a time, at the pressure",
    )
    group.add_argument(
        "--volume-step", type=float, default=0.02, metavar="X", help="change of ln V at first (default: %(default)s)"
    )
    group.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="NAME=W",
        help="frequency of a move, by its name in the log (default: the number of atoms that it may choose; "
        "1 for volumes)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run Monte Carlo as the options say.

    Raises
    ------
    FastsfError
        If that is not possible, or something stops the run.
    KeyboardInterrupt
        After a signal, when everything is saved.
    """
    from fastsf.mc.engine import MonteCarlo, check_potential

    console = console_of(arguments)
    temperatures, moves = temperatures_of(arguments), _moves(arguments)
    potential, atoms = load_start(arguments, console)
    check_potential(potential)
    steps, ramped = _steps(arguments, len(atoms)), len(temperatures) > 1
    adapted = _EQUILIBRATION * len(atoms) if arguments.equilibration is None else arguments.equilibration

    def make_engine() -> MonteCarlo:
        return MonteCarlo(
            potential,
            atoms,
            (temperatures[0], temperatures[-1]),
            moves,
            pressure=arguments.pressure,
            ramp=(arguments.ramp_steps or steps) if ramped else 0,
            equilibration=adapted,
            seed=arguments.seed,
            skin=arguments.skin,
            compare_every=arguments.compare_every,
            threads=arguments.threads,
        )

    progress = run_command(
        arguments,
        console,
        potential,
        atoms,
        steps=steps,
        groups=["mc"],
        make_engine=make_engine,
        words=f"{steps:,} moves ({', '.join(move.name for move in moves)})",
    )
    for move in moves:
        rate = progress.row[f"{move.name}: rate"]
        if not math.isnan(rate):
            console.say(f"{move.name}: {100 * rate:.3g} % accepted")


def _moves(arguments: argparse.Namespace) -> list[Move]:
    """Return the moves that the options ask for."""
    from fastsf.mc import Swap, VolumeChange

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
    from fastsf.mc import Displacement

    elements, _, step = text.rpartition("=")
    return Displacement(_number("--displace", step), tuple(elements.split(",")) if elements else None)


def _weighted(moves: Sequence[Move], texts: Sequence[str]) -> list[Move]:
    known = {move.name: move for move in moves}
    for text in texts:
        name, _, weight = text.rpartition("=")
        if name not in known:
            raise InputError(f"--weight: expected NAME=W with a name out of {', '.join(known)}, found {text!r}")
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
    sweeps = _SWEEPS if arguments.sweeps is None else arguments.sweeps
    if not 0 < sweeps < math.inf:
        raise InputError(f"--sweeps: expected a positive number, found {sweeps:g}")
    return math.ceil(sweeps * atoms)

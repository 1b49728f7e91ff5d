"""The options of ``fastsf mc``."""

from __future__ import annotations

import argparse

from fastsf.cli.options import Commands, positive
from fastsf.cli.simulation_options import add_start, add_supervision, add_writing

SWEEPS, EQUILIBRATION = 1000, 20
"""Moves for each atom, by default."""


def add_mc(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "mc",
        help="Monte Carlo with a potential",
        description="Metropolis Monte Carlo in a folder with a log, trajectories and checkpoints. After an "
        "interruption of any kind, the same command goes on where it was; with more steps also after the end. A step "
        "is one move.",
    )
    parser.set_defaults(command="mc")
    add_start(parser, "mc")
    _add_course(parser.add_argument_group("course"))
    _add_moves(parser.add_argument_group("moves"))
    add_writing(parser, 1000, "h5md:10000")
    add_supervision(parser, 10_000)


def _add_course(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--temperature", default="300", metavar="K[:K]", help="or from one to another (default: %(default)s)"
    )
    group.add_argument(
        "--pressure", type=float, default=1.01325, metavar="BAR", help="of changes of the volume (default: %(default)s)"
    )
    length = group.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive, metavar="N", help="moves of the whole run")
    length.add_argument(
        "--sweeps", type=float, metavar="N", help=f"moves of the whole run for each atom (default: {SWEEPS})"
    )
    group.add_argument("--ramp-steps", type=positive, metavar="N", help="of a ramp of the temperature (default: all)")
    group.add_argument(
        "--equilibration",
        type=int,
        metavar="N",
        help=f"moves at the start that adapt the steps (default: {EQUILIBRATION} for each atom)",
    )
    group.add_argument(
        "--fix", default="", metavar="ATOMS", help="atoms that do not move: numbers from 0, elements (0-15,20,Au)"
    )
    group.add_argument(
        "--skin",
        type=float,
        default=1.0,
        metavar="R",
        help="how far beyond the cutoff pairs are kept, Å (default: %(default)s)",
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
        help="move an atom by up to R Å at first; of some elements, several times for several; or none (default: 0.1)",
    )
    group.add_argument(
        "--swap", action="append", default=[], metavar="A,B", help="let atoms of two elements change places"
    )
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
        help="how often a move is tried, by its name in the log (default: the number of atoms that it may choose; "
        "1 for volumes)",
    )

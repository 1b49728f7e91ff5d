"""The options of ``fastsf md``."""

from __future__ import annotations

import argparse

from fastsf.cli.options import Commands, add_precision, positive
from fastsf.cli.simulation_options import add_start, add_supervision, add_writing
from fastsf.errors import InputError
from fastsf.md.ensembles import ENSEMBLES, ensemble_name

STEPS = 10_000
"""By default."""


def add_md(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "md",
        help="molecular dynamics with a potential",
        description="Molecular dynamics in a folder with a log, trajectories and checkpoints. After an interruption of "
        "any kind, the same command goes on where it was; with more steps also after the end.",
    )
    parser.set_defaults(command="md")
    add_start(parser, "md")
    _add_course(parser.add_argument_group("course"))
    _add_coupling(parser.add_argument_group("thermostats and barostats"))
    add_precision(add_writing(parser, 100))
    group = add_supervision(parser, 100)
    group.add_argument(
        "--max-temperature", type=float, default=10_000.0, metavar="K", help="stop above it (default: %(default)g)"
    )
    group.add_argument(
        "--max-drift",
        type=float,
        default=0.05,
        metavar="E",
        help="stop when the conserved energy drifts by more eV/atom/ps; 0: never (default: %(default)s)",
    )


def _add_course(group: argparse._ArgumentGroup) -> None:
    words = ", ".join(f"{name} ({each.meaning})" for name, each in ENSEMBLES.items())
    group.add_argument(
        "--ensemble",
        type=_known_ensemble,
        default="bussi",
        metavar="NAME",
        help=f"{words}, or another name of them such as nvt; default: %(default)s",
    )
    group.add_argument(
        "--temperature", default="300", metavar="K[:K]", help="or from one to another (default: %(default)s)"
    )
    group.add_argument("--pressure", type=float, metavar="BAR", help="of npt (default: 1.01325)")
    group.add_argument("--timestep", type=float, metavar="FS", help="default: 0.5 with hydrogen, 1 without")
    length = group.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive, metavar="N", help=f"of the whole run (default: {STEPS:,})")
    length.add_argument("--ps", type=float, metavar="PS", help="length of the whole run")
    group.add_argument("--ramp-steps", type=positive, metavar="N", help="of a ramp of the temperature (default: all)")
    group.add_argument(
        "--velocities",
        default="auto",
        metavar="auto|file|K",
        help="at the start: those of START, or drawn at a temperature (default: those of START if it has any, "
        "otherwise drawn at that of the run)",
    )
    group.add_argument(
        "--fix", default="", metavar="ATOMS", help="atoms that do not move: numbers from 0, elements (0-15,20,Au)"
    )
    group.add_argument("--skin", type=float, metavar="R", help="how far beyond the cutoff pairs are kept, Å")


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

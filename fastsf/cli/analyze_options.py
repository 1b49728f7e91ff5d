"""Options of ``fastsf analyze``."""

from __future__ import annotations

import argparse

from fastsf.analysis.parts import PARTS
from fastsf.cli.options import Commands, add_console, add_threads

_HELP = "radial distributions, diffusion, vibrations, means with errors, from a trajectory or the folder of a run"


def add_analyze(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "analyze",
        help=_HELP,
        description=f"Find out what a run tells: {_HELP.partition(', from')[0]}. Whatever the run allows is written as "
        "tables (CSV), pictures (PNG) and a report; --only asks for parts by name, which must succeed then.",
    )
    parser.set_defaults(command="analyze")
    parser.add_argument(
        "run", metavar="RUN", help="trajectory that ASE reads (also .h5), log (.csv), or folder of a run"
    )
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", help="folder to write (default: RUN without ending, and -analysis)"
    )
    parser.add_argument("--only", metavar="A,B", help=f"parts: {', '.join(PARTS)} (default: all that are possible)")
    parser.add_argument("--overwrite", action="store_true", help="replace results that are there")
    _add_times(parser.add_argument_group("times"))
    _add_parts(parser)
    add_threads(parser)
    add_console(parser)


def _add_times(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--skip", type=float, default=0.0, metavar="PS", help="leave out so much at the start")
    group.add_argument(
        "--interval",
        type=float,
        metavar="FS",
        help="time between frames (default: as the frames tell by their key time)",
    )


def _add_parts(parser: argparse.ArgumentParser) -> None:
    rdf = parser.add_argument_group("radial distribution functions")
    rdf.add_argument(
        "--rdf-range", type=float, default=10.0, metavar="R", help="largest distance, Å (default: %(default)s)"
    )
    rdf.add_argument("--rdf-bins", type=int, metavar="N", help="number of shells (default: 0.05 Å each)")
    motion = parser.add_argument_group("motion")
    motion.add_argument("--unwrapped", action="store_true", help="positions are not wrapped: take steps as they are")
    motion.add_argument("--keep-drift", action="store_true", help="leave the motion of the centre of mass in")
    motion.add_argument("--fit", metavar="A:B", help="lags in ps that the diffusion coefficient is fitted to")
    motion.add_argument(
        "--pieces", type=int, default=5, metavar="N", help="pieces for its error (default: %(default)s)"
    )
    motion.add_argument(
        "--longest",
        type=float,
        metavar="PS",
        help="lag up to which velocities are correlated (default: 2.5 or a quarter)",
    )
    motion.add_argument(
        "--memory", type=float, default=2.0, metavar="GIB", help="for the motion of the atoms (default: %(default)s)"
    )

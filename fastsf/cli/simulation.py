"""The body of `fastsf md` and `fastsf mc`: shared options, the start, and the run in its folder."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastsf.cli.options import (
    Commands,
    Parser,
    add_console,
    add_format,
    add_members,
    add_model,
    add_threads,
    add_units,
    compile_for,
    load_potential,
    positive,
)
from fastsf.errors import InputError
from fastsf.simulation.settings import (
    ACTIONS,
    FILES,
    WORDS,
    RunSettings,
    SupervisionSettings,
    TrajectorySettings,
)

if TYPE_CHECKING:
    from ase import Atoms

    from fastsf.cli.console import Console
    from fastsf.potentials.potential import Potential
    from fastsf.simulation.engine import Engine
    from fastsf.simulation.observers import Observer
    from fastsf.simulation.running import RunProgress
    from fastsf.simulation.supervision import Supervision

# --- options ---


def add_command(commands: Commands, name: str, words: str, description: str) -> Parser:
    """Add a command that simulates, with the potential, the first structure and the folder; returns its parser."""
    parser = commands.add_parser(
        name,
        help=f"{words} with a potential",
        description=f"{description} in a folder with a log, trajectories and checkpoints. After any interruption the "
        "same command continues the run; with more steps it also continues a run that has ended.",
    )
    add_model(parser)
    parser.add_argument("start", metavar="START", help="file that ASE reads, or input.data; its last structure")
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", help=f"folder to write (default: START without ending, and -{name})"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the run that is in the folder")
    kinds = "a folder of n2p2 or RuNNer and of input.data files"
    reading = parser.add_argument_group("reading")
    add_units(reading, "", kinds, kinds)
    add_format(reading)
    return parser


def add_conditions(
    group: argparse._ArgumentGroup, length_option: str, length_unit: str, length_help: str, steps_help: str
) -> None:
    """Add temperature, length and fixed atoms of a run; its length also by an option of another unit."""
    group.add_argument(
        "--temperature", default="300", metavar="K[:K]", help="or from one to another (default: %(default)s)"
    )
    length = group.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive, metavar="N", help=steps_help)
    length.add_argument(length_option, type=float, metavar=length_unit, help=length_help)
    group.add_argument("--ramp-steps", type=positive, metavar="N", help="of a ramp of the temperature (default: all)")
    group.add_argument(
        "--fix", default="", metavar="ATOMS", help="atoms that do not move: numbers from 0, elements (0-15,20,Au)"
    )
    group.add_argument(
        "--constraints",
        choices=("refuse", "ignore", "none"),
        default="refuse",
        help="of START: refuse or ignore those other than atoms that are fixed completely; none: fixed atoms move, too "
        "(default: %(default)s)",
    )


def add_writing(parser: argparse.ArgumentParser, log_every: int, trajectory: str) -> argparse._ArgumentGroup:
    """Add the options for outputs and their intervals; return the group."""
    group = parser.add_argument_group("computing and writing")
    group.add_argument(
        "--log-every",
        type=positive,
        default=log_every,
        metavar="N",
        help="steps between rows of the log (default: %(default)s)",
    )
    group.add_argument(
        "--trajectory",
        action="append",
        metavar="FORMAT:N[:WITH,...]",
        help=f"a frame every N steps as {', '.join(FILES)}, with {', '.join(WORDS)}; can be repeated; or none "
        f"(default: {trajectory})",
    )
    group.add_argument(
        "--checkpoint-seconds",
        type=float,
        default=60.0,
        metavar="S",
        help="seconds between checkpoints (default: %(default)s)",
    )
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the random numbers (default: %(default)s)"
    )
    add_threads(group)
    parser.set_defaults(default_trajectory=trajectory)
    return group


def add_supervision(parser: argparse.ArgumentParser, every: int) -> argparse._ArgumentGroup:
    """Add the options of the supervision; return the group."""
    group = parser.add_argument_group(
        "supervision", "ignore, warn, save (structures for the next training set, and warn) or stop (and save)"
    )
    group.add_argument(
        "--extrapolation",
        choices=ACTIONS,
        default="warn",
        help="if functions are outside the range of the training set (default: %(default)s)",
    )
    add_members(group, "its disagreement is watched, the run follows MODEL")
    group.add_argument(
        "--disagreement",
        choices=ACTIONS,
        default="save",
        help="if the members' forces on an atom differ by more than the limit (default: %(default)s)",
    )
    group.add_argument(
        "--disagreement-limit",
        type=float,
        default=0.3,
        metavar="F",
        help="standard deviation of a force in eV/Å (default: %(default)s)",
    )
    group.add_argument(
        "--check-every", type=positive, default=every, metavar="N", help="steps between looks (default: %(default)s)"
    )
    group.add_argument(
        "--apart",
        type=positive,
        default=10 * every,
        metavar="N",
        help="least number of steps between saved structures (default: %(default)s)",
    )
    add_console(parser)
    return group


# --- the run ---


def load_start(arguments: argparse.Namespace, console: Console) -> tuple[Potential, Atoms]:
    """Load the potential and the first structure, with the atoms fixed that must not move."""
    from fastsf.simulation.fixed import apply_constraints
    from fastsf.simulation.starting import hold, notes, read_start

    potential = load_potential(arguments, arguments.model)
    units = arguments.length_unit, arguments.energy_unit
    atoms = read_start(arguments.start, *units, arguments.file_format, arguments.types)
    console.say(potential.describe())
    left_out = apply_constraints(atoms, arguments.constraints)
    if left_out:
        console.say(f"--constraints {arguments.constraints}: {left_out}")
    hold(atoms, arguments.fix)
    for text in notes(atoms):
        console.say(text)
    return potential, atoms


def temperatures_of(arguments: argparse.Namespace) -> tuple[float, ...]:
    """Return the temperature, or both ends of a ramp, in K."""
    text = arguments.temperature
    try:
        found = tuple(float(word) for word in text.split(":"))
    except ValueError:
        found = ()
    if len(found) not in (1, 2) or not all(0 < each < math.inf for each in found):
        raise InputError(f"--temperature: expected one positive number, or two with a colon between; found {text!r}")
    return found


def run_command(
    arguments: argparse.Namespace,
    console: Console,
    potential: Potential,
    atoms: Atoms,
    *,
    steps: int,
    groups: Sequence[str],
    make_engine: Callable[[], Engine],
    words: str,
    drift: float | None = None,
) -> RunProgress:
    """Let an engine run as the shared options say.

    Parameters
    ----------
    arguments : Namespace
        All options of the command.
    console : Console
        Gets warnings, progress and summary.
    potential : Potential
    atoms : ase.Atoms
        The first structure.
    steps : int
        Steps of the whole run.
    groups : sequence of str
        Groups of kernels that the engine needs, as in `fastsf.cli.compilation`.
    make_engine : callable
        Makes the engine once they are compiled.
    words : str
        Short description of the run.
    drift : float, optional
        Limit of the drift, as in `RunSettings`.
    """
    from fastsf.simulation.starting import remarks

    def warn(text: str) -> None:
        console.say(f"warning: {text}")

    for text in remarks(atoms, potential.model):
        warn(text)
    start = Path(arguments.start)
    default = start.with_name(f"{start.name.split('.')[0]}-{arguments.command}")
    folder = Path(arguments.output) if arguments.output else default
    chosen = arguments.trajectory or [arguments.default_trajectory]
    trajectories = () if chosen == ["none"] else tuple(map(TrajectorySettings.parse, chosen))
    settings = RunSettings(steps, arguments.log_every, trajectories, arguments.checkpoint_seconds, drift)
    watches = _supervision(arguments, potential, atoms, folder, warn)
    compile_for(arguments, potential, groups, console)
    engine = make_engine()
    console.say(f"{len(atoms):,} atoms, {words}, in {folder}")
    return simulate(engine, folder, settings, console, watches, overwrite=arguments.overwrite)


def _supervision(
    arguments: argparse.Namespace,
    potential: Potential,
    atoms: Atoms,
    folder: Path,
    warn: Callable[[str], object],
) -> list[Supervision]:
    """Return the observer that supervises the run; none if it has nothing to do."""
    from fastsf.potentials.committee import Committee
    from fastsf.simulation.supervision import Supervision

    settings = SupervisionSettings(
        arguments.check_every,
        arguments.extrapolation,
        arguments.disagreement,
        arguments.disagreement_limit,
        arguments.apart,
    )
    members = [load_potential(arguments, path) for path in arguments.member]
    if not members and settings.extrapolation == "ignore":
        return []
    eyes = Committee([potential, *members]) if members else potential
    return [Supervision(eyes, atoms, folder, settings, warn, arguments.threads)]


def simulate(
    engine: Engine,
    folder: Path,
    settings: RunSettings,
    console: Console,
    watches: Sequence[Observer] = (),
    *,
    overwrite: bool = False,
) -> RunProgress:
    """Let an engine run in a folder as a command does; parameters and errors as in `fastsf.simulation.run`."""
    from fastsf.cli.simulation_display import SimulationDisplay, summary
    from fastsf.simulation.running import run

    with SimulationDisplay(console) as display:
        progress = run(
            engine,
            folder,
            settings,
            watches,
            overwrite=overwrite,
            on_progress=display,
            on_interruption=lambda: display.say("finishing these steps ... (again: stop at once)"),
        )
    for line in summary(engine, progress, folder, settings, watches):
        console.say(line)
    return progress

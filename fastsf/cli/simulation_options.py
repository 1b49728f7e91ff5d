"""Options that all commands that simulate have, and what they mean."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fastsf.cli.options import add_console, add_members, add_model, add_threads, add_units, positive
from fastsf.simulation.settings import FILES, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ase import Atoms

    from fastsf.potentials.potential import Potential
    from fastsf.simulation.settings import Settings
    from fastsf.simulation.supervision import Supervision

_ACTIONS = ("ignore", "warn", "save", "stop")
_DEFAULT_TRAJECTORY = "h5md:100"


def add_start(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the potential, where the atoms are at first, and the folder.

    Parameters
    ----------
    parser : ArgumentParser
    name : str
        Stands in the default name of the folder.
    """
    add_model(parser)
    parser.add_argument("start", metavar="START", help="file that ASE reads, or input.data; its last structure")
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", help=f"folder to write (default: START without ending, and -{name})"
    )
    parser.add_argument("--overwrite", action="store_true", help="start anew, whatever is there")
    kinds = "a folder of n2p2 or RuNNer and of input.data files"
    add_units(parser.add_argument_group("units"), "", kinds, kinds)


def add_writing(
    parser: argparse.ArgumentParser, log_every: int, trajectory: str = _DEFAULT_TRAJECTORY
) -> argparse._ArgumentGroup:
    """Add what a run writes, and how often; returns the group, for more of it."""
    group = parser.add_argument_group("computing and writing")
    group.add_argument(
        "--log-every", type=positive, default=log_every, metavar="N", help="steps to a row of the log (%(default)s)"
    )
    group.add_argument(
        "--trajectory",
        action="append",
        metavar="FORMAT:N[:WITH,...]",
        help=f"a frame every N steps as {', '.join(FILES)}, with {', '.join(WORDS)}; several times for several files, "
        f"or none (default: {trajectory})",
    )
    group.add_argument(
        "--checkpoint-seconds", type=float, default=60.0, metavar="S", help="between checkpoints (%(default)s)"
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the random numbers (%(default)s)")
    add_threads(group)
    parser.set_defaults(default_trajectory=trajectory)
    return group


def add_supervision(parser: argparse.ArgumentParser, every: int) -> argparse._ArgumentGroup:
    """Add what is watched; returns the group, for more of it."""
    group = parser.add_argument_group(
        "supervision", "ignore, warn, save (structures for the next training set, and warn) or stop (and save)"
    )
    group.add_argument(
        "--extrapolation",
        choices=_ACTIONS,
        default="warn",
        help="outside the range of the training set (default: %(default)s)",
    )
    add_members(group, "its disagreement is watched, the run is that of MODEL")
    group.add_argument(
        "--disagreement",
        choices=_ACTIONS,
        default="save",
        help="when the members' forces on an atom differ by more than the limit (default: %(default)s)",
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
        help="steps between saved structures, at least (default: %(default)s)",
    )
    add_console(parser)
    return group


# --- using them ---


def folder_of(arguments: argparse.Namespace, name: str) -> Path:
    """Where to write."""
    from pathlib import Path

    start = Path(arguments.start)
    return Path(arguments.output) if arguments.output else start.with_name(f"{start.name.split('.')[0]}-{name}")


def settings_of(arguments: argparse.Namespace, steps: int, drift: float | None = None) -> Settings:
    """What to do; the limit of the drift as of `Settings`."""
    from fastsf.simulation.settings import Settings, TrajectorySettings

    words = arguments.trajectory or [arguments.default_trajectory]
    trajectories = () if words == ["none"] else tuple(map(TrajectorySettings.parse, words))
    return Settings(steps, arguments.log_every, trajectories, arguments.checkpoint_seconds, drift)


def supervision_of(
    arguments: argparse.Namespace,
    potential: Potential,
    atoms: Atoms,
    folder: Path,
    warn: Callable[[str], object],
) -> list[Supervision]:
    """What looks at the run, if anything does."""
    from fastsf.cli.options import load_potential
    from fastsf.potentials.committee import Committee
    from fastsf.simulation.supervision import Supervision, SupervisionSettings

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

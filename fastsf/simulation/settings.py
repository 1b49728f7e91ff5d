"""Settings of a run: its length, its outputs, its supervision."""

from __future__ import annotations

from dataclasses import dataclass

from fastsf.errors import InputError

FILES = {"extxyz": "trajectory.extxyz", "traj": "trajectory.traj", "h5md": "trajectory.h5"}
"""Formats of trajectories, and the files that hold them."""

WORDS = ("velocities", "forces", "wrap", "float64")

ACTIONS = ("ignore", "warn", "save", "stop")
"""Actions of the supervision; "save" includes "warn", "stop" includes "save"."""


@dataclass(frozen=True)
class TrajectorySettings:
    """A trajectory that a run writes.

    Parameters
    ----------
    format : str
        "extxyz" (text), "traj" (ASE's), or "h5md" (HDF5 in the H5MD layout, compact).
    every : int
        Number of steps between frames.
    velocities, forces : bool
        True if frames hold them.
    wrap : bool
        True if atoms are put back into the cell.
    float64 : bool
        Double precision in an h5md file; the other formats always have it.

    Raises
    ------
    InputError
        If a value is not allowed.
    """

    format: str
    every: int
    velocities: bool = False
    forces: bool = False
    wrap: bool = False
    float64: bool = False

    def __post_init__(self) -> None:
        if self.format not in FILES:
            raise InputError(f"trajectory: expected a format out of {', '.join(FILES)}, found {self.format!r}")
        if self.every < 1:
            raise InputError(f"trajectory: expected an interval of at least 1 step, found {self.every}")

    @classmethod
    def parse(cls, text: str) -> TrajectorySettings:
        """Read FORMAT:EVERY or FORMAT:EVERY:WORD,..., with words out of velocities, forces, wrap, float64.

        Raises
        ------
        InputError
            If the text has another form.
        """
        kind, _, rest = text.partition(":")
        every, _, words = rest.partition(":")
        chosen = [word for word in words.split(",") if word]
        unknown = [word for word in chosen if word not in WORDS]
        if not every.isdecimal() or unknown:
            found = f"the word {unknown[0]!r} in {text!r}" if unknown else repr(text)
            raise InputError(
                f"trajectory: expected FORMAT:EVERY or FORMAT:EVERY:WORD,... with words out of "
                f"{', '.join(WORDS)}; found {found}"
            )
        return cls(kind, int(every), **dict.fromkeys(chosen, True))


@dataclass(frozen=True)
class SupervisionSettings:
    """Settings of the supervision: when it looks, and what it does.

    Parameters
    ----------
    every : int
        Number of steps between two looks.
    extrapolation : "ignore", "warn", "save" or "stop"
        Action if symmetry functions are outside the range of the training set.
    disagreement : "ignore", "warn", "save" or "stop"
        Action if the forces of a committee on an atom deviate by more than `limit`.
    limit : float
        Limit in eV/Å of sqrt(sum of the variances of the force components on an atom over the members).
    apart : int
        Least number of steps between saved structures.

    Raises
    ------
    InputError
        If a value is not allowed.
    """

    every: int = 100
    extrapolation: str = "warn"
    disagreement: str = "save"
    limit: float = 0.3
    apart: int = 1000

    def __post_init__(self) -> None:
        for name in ("extrapolation", "disagreement"):
            if getattr(self, name) not in ACTIONS:
                raise InputError(f"{name}: expected one of {', '.join(ACTIONS)}, found {getattr(self, name)!r}")
        if self.every < 1 or self.apart < 1:
            raise InputError(f"expected at least 1 step between two looks, found {min(self.every, self.apart)}")
        if not self.limit > 0:
            raise InputError(f"expected a limit of the deviation above 0 eV/Å, found {self.limit}")


@dataclass(frozen=True)
class RunSettings:
    """Settings of a run.

    Parameters
    ----------
    steps : int
        Steps of the whole run, including those before an interruption.
    log_every : int
        Number of steps between rows of the log.
    trajectories : tuple of TrajectorySettings
        At most one of each format.
    checkpoint_seconds : float
        Seconds between checkpoints.
    drift : float, optional
        Stop if the conserved energy changes by more than this, in eV per atom and ps (at least 1 ps is counted).

    Raises
    ------
    InputError
        If a value is not allowed.
    """

    steps: int
    log_every: int = 100
    trajectories: tuple[TrajectorySettings, ...] = ()
    checkpoint_seconds: float = 60.0
    drift: float | None = None

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise InputError(f"expected at least 0 steps, found {self.steps}")
        if self.log_every < 1:
            raise InputError(f"expected a row of the log every 1 or more steps, found {self.log_every}")
        formats = [each.format for each in self.trajectories]
        if len(set(formats)) < len(formats):
            raise InputError(f"expected at most one trajectory of each format, found {', '.join(formats)}")
        if self.drift is not None and not self.drift > 0:
            raise InputError(f"expected a limit of the drift above 0, found {self.drift}")

"""Reaction of simulations to extrapolations, with the options of the pair style of LAMMPS."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from fastsf.errors import ExtrapolationError, ExtrapolationWarning, InputError
from fastsf.io.extxyz_writer import format_frame
from fastsf.potentials.extrapolation import Extrapolations, Tally
from fastsf.storage.atomic import storage_errors
from fastsf.types import IntArray

if TYPE_CHECKING:
    from ase import Atoms

Action = Literal["ignore", "warn", "stop"]
_ACTIONS = ("ignore", "warn", "stop")
_MOST_LINES = 10


class Evaluated(Protocol):
    """Result that a policy can check, as `fastsf.potentials.result.Result`."""

    @property
    def outside(self) -> IntArray:
        """Number of functions of each atom outside their range."""

    @property
    def extrapolations(self) -> Extrapolations:
        """Values outside the range."""


@dataclass(frozen=True)
class ExtrapolationPolicy:
    """Reaction to symmetry functions outside the range of the training set.

    Parameters
    ----------
    action : "ignore", "warn" or "stop"
        "warn" warns (`ExtrapolationWarning`), "stop" stops at the first extrapolation (`ExtrapolationError`). Warnings
        come at the 1st, 10th, 100th, ... structure with extrapolations and summarise all up to then.
    showew : bool
        Warn at every structure with extrapolations and list them, as LAMMPS does by default.
    showewsum : int
        Evaluations between summaries, which come if there were new extrapolations; 0: never.
    maxew : int, optional
        Largest number of extrapolations before the stop; 0, the default of LAMMPS, is ``action="stop"``.
    resetew : bool
        Count for `maxew` from zero at each evaluation.
    save_to : path-like, optional
        Extended XYZ file to which structures with extrapolations are appended. Its column ``outside`` holds the number
        of functions of each atom outside the range.
    save_interval : int
        Least number of evaluations from one saved structure to the next.

    Raises
    ------
    InputError
        If a value is unknown or too small, or two values exclude each other.
    """

    action: Action = "warn"
    showew: bool = False
    showewsum: int = 0
    maxew: int | None = None
    resetew: bool = False
    save_to: str | Path | None = None
    save_interval: int = 1

    def __post_init__(self) -> None:
        if self.action not in _ACTIONS:
            raise InputError(f"extrapolation: expected one of {', '.join(_ACTIONS)}, found {self.action!r}")
        for name, least in (("showewsum", 0), ("maxew", 0), ("save_interval", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(f"extrapolation: {name}: expected at least {least}, found {value}")
        if self.action == "stop" and self.maxew:
            raise InputError(
                f"extrapolation: action='stop' stops at the first and maxew={self.maxew} later; choose one"
            )

    @property
    def limit(self) -> int | None:
        """Largest number of extrapolations that are accepted; None: any number."""
        return 0 if self.action == "stop" else self.maxew

    @property
    def counts_only(self) -> bool:
        """True if extrapolations are only counted, so that their functions need not be found."""
        loud = self.action != "ignore" or self.showew or self.showewsum
        return not loud and self.maxew is None and self.save_to is None


@dataclass(eq=False)
class Monitor:
    """Counter of the extrapolations of one simulation that acts on them.

    Parameters
    ----------
    policy : ExtrapolationPolicy
        Reaction to them.

    Attributes
    ----------
    evaluations : int
        Number of structures that were checked.
    structures : int
        Number of structures with extrapolations.
    count : int
        Number of extrapolations (atoms times functions) in all of them.
    """

    policy: ExtrapolationPolicy = field(default_factory=ExtrapolationPolicy)
    evaluations: int = 0
    structures: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self._tally: Tally | None = None
        self._counted = self._reported = 0
        self._saved: int | None = None

    @classmethod
    def of(cls, policy: ExtrapolationPolicy | str) -> Monitor:
        """Return a monitor with a policy, or with the policy of an action."""
        return cls(policy if isinstance(policy, ExtrapolationPolicy) else ExtrapolationPolicy(policy))  # type: ignore[arg-type]

    def check(self, result: Evaluated, atoms: Atoms) -> None:
        """Count the extrapolations of one more structure and act on them.

        Parameters
        ----------
        result : Result
            Result for the structure.
        atoms : ase.Atoms
            The structure, which `save_to` writes.

        Raises
        ------
        ExtrapolationError
            If there are more than the policy allows.
        StorageError
            If the structure cannot be saved.
        """
        self.evaluations += 1
        number = int(result.outside.sum())
        if self.policy.resetew:
            self._counted = 0
        if number:
            self.structures += 1
            self.count += number
            self._counted += number
            self._act(result, atoms, number)
        self._sum_up()

    def summary(self) -> str:
        """Return the counts up to now as text."""
        about = f"{self.structures:,} of {self.evaluations:,} evaluated structures"
        if self._tally is None:
            return f"{self.count:,} extrapolations in {about}"
        return f"{about}: {self._tally.summary()}"

    def _act(self, result: Evaluated, atoms: Atoms, number: int) -> None:
        policy = self.policy
        if policy.counts_only:
            return
        found = result.extrapolations
        if self._tally is None:
            self._tally = Tally()
        self._tally.add(found)
        if policy.save_to is not None and self._is_time_to_save():
            self._saved = self.evaluations
            _append(Path(policy.save_to), atoms, result.outside)
        if policy.limit is not None and self._counted > policy.limit:
            raise ExtrapolationError(
                f"{self._counted:,} extrapolations, more than {policy.limit:,}, at evaluation {self.evaluations:,}; "
                f"{_first_lines(found)}"
            )
        if policy.showew:
            _warn(f"evaluation {self.evaluations:,}: {_first_lines(found)}")
        elif policy.action == "warn" and not policy.showewsum and _is_power_of_ten(self.structures):
            _warn(f"extrapolation: {self.summary()}")

    def _is_time_to_save(self) -> bool:
        return self._saved is None or self.evaluations - self._saved >= self.policy.save_interval

    def _sum_up(self) -> None:
        every = self.policy.showewsum
        if every and self.evaluations % every == 0 and self.count > self._reported:
            self._reported = self.count
            _warn(f"extrapolation: {self.summary()}")


def _append(path: Path, atoms: Atoms, outside: IntArray) -> None:
    info, columns = {"extrapolations": int(outside.sum())}, {"outside": outside}
    text = format_frame(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, info, columns)
    with storage_errors(f"cannot save a structure to {path}"), path.open("a", encoding="utf-8") as file:
        file.write(text)


def _first_lines(found: Extrapolations) -> str:
    lines = list(islice(found.lines(), _MOST_LINES))
    more = f"; and {len(found) - len(lines):,} more" if len(found) > len(lines) else ""
    return "; ".join(lines) + more


def _is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"


def _warn(text: str) -> None:
    warnings.warn(text, ExtrapolationWarning, stacklevel=2)

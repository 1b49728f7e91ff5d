"""What a run asks of whatever moves the atoms: molecular dynamics, Monte Carlo.

Units are Å, eV, fs, K, bar and amu; velocities are Å/fs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastsf.types import FloatArray, IntArray

State = dict[str, npt.NDArray[Any] | float | int | str]
"""What an engine remembers, such that a checkpoint can keep it."""


@dataclass(frozen=True)
class Column:
    """A quantity that an engine observes.

    Parameters
    ----------
    name : str
        Such as "temperature".
    unit : str
        Such as "K"; empty for numbers.
    """

    name: str
    unit: str


@dataclass(frozen=True)
class Halt:
    """Why an engine does not go on.

    Parameters
    ----------
    reason : str
        One word or two: "not finite", "temperature", "extrapolation", "cell", "lost".
    step : int
        Where it happened.
    message : str
        For people: what was found, and what had been expected.
    """

    reason: str
    step: int
    message: str


@dataclass(frozen=True)
class Advance:
    """What an engine did.

    Parameters
    ----------
    steps : int
        Steps really done; fewer than asked for after a halt.
    rows : (k, columns) float64
        What was observed, wherever `steps_done` was a multiple of ``every`` after a step that was done.
    halt : Halt or None
        Why it stopped early.
    """

    steps: int
    rows: FloatArray
    halt: Halt | None = None


@dataclass(frozen=True)
class EngineFrame:
    """The atoms at one step.

    Parameters
    ----------
    step : int
        Of the run.
    time : float
        In fs; NaN where there is none.
    numbers : (n,) int64
        Atomic numbers.
    positions : (n, 3) float64
        Unwrapped, Å.
    cell : (3, 3) float64
        Rows are the vectors, Å.
    pbc : (3,) bool
        Directions that repeat.
    velocities : (n, 3) float64 or None
        In Å/fs.
    forces : (n, 3) float64 or None
        In eV/Å.
    energy : float
        Potential energy, eV.
    columns : mapping of str to float
        All that the engine observes, by the names of its columns.
    """

    step: int
    time: float
    numbers: IntArray
    positions: FloatArray
    cell: FloatArray
    pbc: npt.NDArray[np.bool_]
    velocities: FloatArray | None
    forces: FloatArray | None
    energy: float
    columns: Mapping[str, float] = field(default_factory=dict)


class Engine(Protocol):
    """Moves atoms, and can be stopped, stored and continued after any step."""

    @property
    def steps_done(self) -> int:
        """Time steps of molecular dynamics, moves of Monte Carlo."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What `advance` observes; "step" and "time" come first."""

    def advance(self, steps: int, every: int) -> Advance:
        """Go on.

        Results do not depend on how a run is cut into calls, to the last bit.

        Parameters
        ----------
        steps : int
            How many steps.
        every : int
            Observe wherever `steps_done` is a multiple of this.
        """

    def frame(self) -> EngineFrame:
        """Return where the atoms are now; the arrays are the caller's."""

    def state(self) -> State:
        """Return everything that `restore` needs to go on to the same last bit."""

    def restore(self, state: State) -> None:
        """Go back to a state of an engine with the same identity."""

    def identity(self) -> dict[str, Any]:
        """Return what determines the course, in JSON's types."""

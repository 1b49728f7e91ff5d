"""The interface between a run and the engines that move atoms: molecular dynamics, Monte Carlo.

Units are Å, eV, fs, K, bar and amu; velocities are Å/fs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastsf.types import BoolArray, FloatArray, IntArray

State = dict[str, npt.NDArray[Any] | float | int | str]
"""State of an engine, in types that a checkpoint can keep."""


@dataclass(frozen=True)
class Column:
    """A quantity that an engine observes.

    Parameters
    ----------
    name : str
        For example "temperature".
    unit : str
        For example "K"; empty for numbers.
    """

    name: str
    unit: str


@dataclass(frozen=True)
class Halt:
    """The reason for which an engine stopped.

    Parameters
    ----------
    reason : str
        One or two words: "not finite", "temperature", "extrapolation", "cell", "lost".
    step : int
        Step at which it happened.
    message : str
        Sentence for the user: what was found, and what had been expected.
    """

    reason: str
    step: int
    message: str


@dataclass(frozen=True)
class Advance:
    """The result of `Engine.advance`.

    Parameters
    ----------
    steps : int
        Steps done; fewer than asked for after a halt.
    rows : (k, columns) float64
        Values of the columns after each step for which `steps_done` was a multiple of ``every``.
    halt : Halt or None
        Reason for an early stop.
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
        Step of the run.
    time : float
        Time in fs; NaN for Monte Carlo.
    numbers : (n,) int64
        Atomic numbers.
    positions : (n, 3) float64
        Positions in Å, not wrapped into the cell.
    cell : (3, 3) float64
        Cell in Å; rows are the vectors.
    pbc : (3,) bool
        Periodic directions.
    velocities : (n, 3) float64 or None
        Velocities in Å/fs.
    forces : (n, 3) float64 or None
        Forces in eV/Å.
    energy : float
        Potential energy in eV.
    columns : mapping of str to float
        Values of all columns of the engine, by name.
    masses : (n,) float64 or None
        Masses in amu; None if all are the standard masses of the elements.
    fixed : (n,) bool or None
        True for atoms that do not move; None if all may move.
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
    masses: FloatArray | None = None
    fixed: BoolArray | None = None


class Engine(Protocol):
    """An engine that moves atoms; it can be stopped, stored and continued after any step."""

    @property
    def steps_done(self) -> int:
        """Number of time steps (molecular dynamics) or moves (Monte Carlo) so far."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the rows of `advance`; "step" and "time" come first."""

    def advance(self, steps: int, every: int) -> Advance:
        """Do some steps.

        Results are the same to the last bit however a run is cut into calls.

        Parameters
        ----------
        steps : int
            Number of steps.
        every : int
            Observe after steps for which `steps_done` is a multiple of this.
        """

    def frame(self) -> EngineFrame:
        """Return the atoms as they are now; the arrays are copies."""

    def state(self) -> State:
        """Return everything that `restore` needs to continue to the same last bit."""

    def restore(self, state: State) -> None:
        """Go back to a state of an engine with the same identity."""

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the results of the run, in JSON's types."""

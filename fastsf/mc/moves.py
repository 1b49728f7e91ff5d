"""The moves of Monte Carlo, and their tables for the kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastsf.elements import atomic_number, chemical_symbol
from fastsf.errors import InputError
from fastsf.kernels.dynamics import monte_carlo
from fastsf.types import BoolArray, FloatArray, IntArray

_LARGEST_CHANGE = 0.5
"""Largest change of ln V in one move."""

_MOST_OF_SKIN = 0.49
"""Largest displacement as a part of the skin; an atom must not move by more than half of the skin."""


@dataclass(frozen=True)
class Displacement:
    """Displacement of one atom to a random point in a ball around it.

    Parameters
    ----------
    step : float
        Radius of the ball in Å; at most 0.49 of the skin.
    elements : tuple of str, optional
        Elements of the atoms that may be chosen; by default all.
    weight : float, optional
        Frequency relative to other moves; by default the number of atoms that may be chosen.
    target : float
        Wanted rate of acceptance while steps are adapted.
    """

    step: float = 0.1
    elements: tuple[str, ...] | None = None
    weight: float | None = None
    target: float = 0.4

    @property
    def name(self) -> str:
        """Name of the move, with which its columns begin."""
        return " ".join(["displacement", *(self.elements or ())])


@dataclass(frozen=True)
class Swap:
    """Swap of two atoms of different elements.

    Parameters
    ----------
    elements : (str, str)
        Elements of the two atoms.
    weight : float, optional
        As in `Displacement`; by default the number of atoms of both elements.
    """

    elements: tuple[str, str]
    weight: float | None = None

    @property
    def name(self) -> str:
        """Name of the move, with which its columns begin."""
        return " ".join(["swap", *self.elements])


@dataclass(frozen=True)
class VolumeChange:
    """Change of the volume, with all atoms.

    Parameters
    ----------
    step : float
        Largest change of ln V; at most 0.5.
    axes : bool
        True to scale one random cell vector at a time; otherwise all are scaled in proportion.
    weight : float, optional
        As in `Displacement`; by default 1: one change for as many moves as there are atoms.
    target : float
        As in `Displacement`.
    """

    step: float = 0.02
    axes: bool = False
    weight: float | None = None
    target: float = 0.4

    @property
    def name(self) -> str:
        """Name of the move, with which its columns begin."""
        return "axes" if self.axes else "volume"


Move = Displacement | Swap | VolumeChange


def pack(
    moves: Sequence[Move], numbers: IntArray, free: BoolArray, skin: float
) -> tuple[monte_carlo.Moves, FloatArray]:
    """Return the tables of moves and their first steps.

    Parameters
    ----------
    moves : sequence of Move
        Moves, at least one.
    numbers : (n,) int64
        Atomic numbers.
    free : (n,) bool
        Mask of atoms that may move.
    skin : float
        Skin in Å, which limits displacements.

    Raises
    ------
    InputError
        For moves that no atom can make, and values outside their range.
    """
    if not moves:
        raise InputError("expected at least one kind of move")
    names = [move.name for move in moves]
    if len(set(names)) < len(names):
        raise InputError(f"expected each kind of move once, found {', '.join(names)}")
    table = np.zeros(len(moves), monte_carlo.MOVE)
    members: list[IntArray] = []
    weights, steps, used = np.empty(len(moves)), np.zeros(len(moves)), 0
    for k, move in enumerate(moves):
        first, second = _members(move, numbers, free)
        members += [first, second]
        ends = np.cumsum([used, len(first), len(second)])
        used = int(ends[-1])
        largest = _MOST_OF_SKIN * skin if isinstance(move, Displacement) else _LARGEST_CHANGE
        target = 0.0 if isinstance(move, Swap) else move.target
        table[k] = (_kind(move), 0.0, *ends, largest, target)
        weights[k] = max(len(first) + len(second), 1) if move.weight is None else move.weight
        if not isinstance(move, Swap):
            steps[k] = _checked_step(move, largest)
    if not (np.isfinite(weights) & (weights >= 0)).all() or weights.sum() == 0:
        raise InputError(f"expected weights of moves that are not negative, found {weights.tolist()}")
    table["upto"] = np.cumsum(weights) / weights.sum()
    table["upto"][np.flatnonzero(weights)[-1] :] = 1.0  # whatever the rounding
    return monte_carlo.Moves(table.view(np.recarray), np.concatenate(members)), steps


def _kind(move: Move) -> int:
    if isinstance(move, VolumeChange):
        return monte_carlo.AXES if move.axes else monte_carlo.VOLUME
    return monte_carlo.SWAP if isinstance(move, Swap) else monte_carlo.DISPLACEMENT


def _members(move: Move, numbers: IntArray, free: BoolArray) -> tuple[IntArray, IntArray]:
    """Return the atoms that a move may choose, and those with which it may swap them."""
    none = np.empty(0, np.int64)
    if isinstance(move, VolumeChange):
        if not free.all():
            raise InputError("the volume cannot change with fixed atoms")
        return none, none
    if isinstance(move, Swap):
        if len(move.elements) != 2 or move.elements[0] == move.elements[1]:
            raise InputError(f"swap: expected two different elements, found {' '.join(move.elements)}")
        return _atoms_of(move.elements[:1], numbers, free), _atoms_of(move.elements[1:], numbers, free)
    if move.elements is not None:
        return _atoms_of(move.elements, numbers, free), none
    if not free.any():
        raise InputError("displacement: expected atoms that may move, found only fixed ones")
    return np.flatnonzero(free), none


def _atoms_of(elements: Sequence[str], numbers: IntArray, free: BoolArray) -> IntArray:
    found = np.flatnonzero(free & np.isin(numbers, [atomic_number(symbol) for symbol in elements]))
    if len(found) == 0:
        present = ", ".join(chemical_symbol(number) for number in np.unique(numbers[free]))
        raise InputError(f"no atom of {', '.join(elements)} may move; expected some of {present or 'none'}")
    return found


def _checked_step(move: Displacement | VolumeChange, largest: float) -> float:
    if not 0 < move.step <= largest:
        reason = f", {_MOST_OF_SKIN} of the skin" if isinstance(move, Displacement) else ""
        raise InputError(f"{move.name}: expected a step above 0 and up to {largest:.6g}{reason}, found {move.step}")
    if not (0 < move.target < 1 and math.isfinite(move.target)):
        raise InputError(f"{move.name}: expected a rate of acceptance between 0 and 1, found {move.target}")
    return move.step

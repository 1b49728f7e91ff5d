"""Observers of a run: trajectories, which write its frames, and watches, which may end it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.geometry import wrap_positions
from ase.units import fs

from fastsf.simulation.engine import EngineFrame, Halt
from fastsf.types import FloatArray

Mark = dict[str, Any]
"""Position of an observer in its files, in JSON's types."""


class Observer(Protocol):
    """An observer that sees frames at regular steps and writes one or more files.

    Attributes
    ----------
    name : str
        Key of its mark in checkpoints.
    every : int
        Steps that are multiples of this are shown to it.
    paths : tuple of Path
        Files that it writes.
    """

    name: str
    every: int
    paths: tuple[Path, ...]

    def begin(self, mark: Mark | None) -> None:
        """Open the files: new ones, or existing ones cut to a mark.

        Raises
        ------
        StorageError
            If they cannot be written.
        FormatError
            If they do not fit the mark.
        """

    def see(self, frame: EngineFrame) -> Halt | None:
        """Look at a frame; return a halt if the run has to end."""

    def mark(self) -> Mark:
        """Write everything seen so far; return the mark of the files."""

    def sync(self) -> None:
        """Return once everything up to the last mark is on the disk."""

    def close(self) -> None:
        """Close the files; drop what is still in memory."""


def shown_positions(frame: EngineFrame, wrap: bool) -> FloatArray:
    """Return the positions of a frame, wrapped into the cell if wanted."""
    if not wrap:
        return frame.positions
    wrapped: FloatArray = wrap_positions(frame.positions, frame.cell, frame.pbc, eps=0)
    return wrapped


def to_atoms(frame: EngineFrame, *, velocities: bool = True, forces: bool = True, wrap: bool = False) -> Atoms:
    """Return a frame as an ASE structure, with its energy and, if wanted, velocities and forces.

    It has the masses of the frame if they are not the standard ones, and its fixed atoms as a constraint.
    """
    cell = frame.cell if frame.pbc.any() else None
    atoms = Atoms(frame.numbers, shown_positions(frame, wrap), cell=cell, pbc=frame.pbc)
    if frame.masses is not None:
        atoms.set_masses(frame.masses)
    if velocities and frame.velocities is not None:
        atoms.set_velocities(frame.velocities / fs)
    if frame.fixed is not None:
        atoms.set_constraint(FixAtoms(mask=frame.fixed))
    results: dict[str, Any] = {"energy": frame.energy}
    if forces and frame.forces is not None:
        results["forces"] = frame.forces
    atoms.calc = SinglePointCalculator(atoms, **results)
    atoms.info |= {"step": frame.step, "time": frame.time}
    return atoms

"""What looks at the atoms while a run goes on: trajectories that write them down, watches that may end the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.geometry import wrap_positions
from ase.units import fs

from fastsf.simulation.engine import EngineFrame, Halt
from fastsf.types import FloatArray

Mark = dict[str, Any]
"""Where an observer is, in JSON's types."""


class Observer(Protocol):
    """Sees a frame now and then, and writes about it into one or more files.

    Attributes
    ----------
    name : str
        Stands for it in checkpoints.
    every : int
        Sees the frames of the steps that are multiples of this.
    paths : tuple of Path
        What it writes.
    """

    name: str
    every: int
    paths: tuple[Path, ...]

    def begin(self, mark: Mark | None) -> None:
        """Replace the files that are there, or go on where they were marked.

        Raises
        ------
        StorageError
            If they cannot be written.
        FormatError
            If they are not those that were marked.
        """

    def see(self, frame: EngineFrame) -> Halt | None:
        """Look at a frame; returns why the run has to end, if it has to."""

    def mark(self) -> Mark:
        """Write all that was seen; returns where the files are then."""

    def sync(self) -> None:
        """Return once everything up to the last mark is on the disk."""

    def close(self) -> None:
        """Close the files; what waits to be written is dropped."""


def shown_positions(frame: EngineFrame, wrap: bool) -> FloatArray:
    """Positions of a frame, in the cell if that is wanted."""
    if not wrap:
        return frame.positions
    wrapped: FloatArray = wrap_positions(frame.positions, frame.cell, frame.pbc, eps=0)
    return wrapped


def to_atoms(frame: EngineFrame, *, velocities: bool = True, forces: bool = True, wrap: bool = False) -> Atoms:
    """Make a frame an ASE structure, with its energy and, if wanted, velocities and forces.

    The momenta are those that ASE's own masses have at the velocities of the frame.
    """
    cell = frame.cell if frame.pbc.any() else None
    atoms = Atoms(frame.numbers, shown_positions(frame, wrap), cell=cell, pbc=frame.pbc)
    if velocities and frame.velocities is not None:
        atoms.set_velocities(frame.velocities / fs)
    results: dict[str, Any] = {"energy": frame.energy}
    if forces and frame.forces is not None:
        results["forces"] = frame.forces
    atoms.calc = SinglePointCalculator(atoms, **results)
    atoms.info |= {"step": frame.step, "time": frame.time}
    return atoms

"""Limits of molecular dynamics, and messages for runs that reach them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from ase import units

from fastsf.elements import chemical_symbol
from fastsf.errors import InputError
from fastsf.kernels.dynamics import md as kernels
from fastsf.simulation.engine import Halt
from fastsf.structure import Structure, volume
from fastsf.types import FloatArray


@dataclass(frozen=True)
class MDLimits:
    """Limits at which molecular dynamics halts between two steps, before a step that is not physical.

    Parameters
    ----------
    temperature : float
        Highest temperature in K, from the kinetic energy.
    extrapolations : int, optional
        Most symmetry functions outside the range of the training set, summed over all steps; by default any number.
    move : float
        Largest displacement of an atom in one step, in Å.
    escape : float
        Distance in Å by which an atom may leave the extent of the first structure in directions without period.
    cell : float
        Factor by which the distance between two faces of the cell may shrink or grow.

    Raises
    ------
    InputError
        If a limit is outside its range.
    """

    temperature: float = 10_000.0
    extrapolations: int | None = None
    move: float = 1.0
    escape: float = 50.0
    cell: float = 2.0

    def __post_init__(self) -> None:
        for name, least in (("temperature", 0.0), ("move", 0.0), ("escape", 0.0), ("cell", 1.0)):
            value = getattr(self, name)
            if not least < value <= math.inf:
                raise InputError(f"limit of {name}: expected more than {least:g}, found {value}")
        if self.extrapolations is not None and self.extrapolations < 0:
            raise InputError(f"limit of extrapolations: expected 0 or more, found {self.extrapolations}")

    def packed(self, start: Structure, freedom: int) -> kernels.HaltLimits:
        """Return the limits as the kernels take them, for a first structure and a number of degrees of freedom."""
        normals = np.linalg.inv(start.cell).T
        heights = 1 / np.linalg.norm(normals, axis=1)
        normals = np.ascontiguousarray(normals * heights[:, None])
        along = start.positions @ normals.T
        extent = np.stack([along.min(axis=0) - self.escape, along.max(axis=0) + self.escape], axis=1)
        extent[start.pbc] = -math.inf, math.inf
        allowed = np.stack([heights / self.cell, heights * self.cell], axis=1)
        allowed[~start.pbc] = 0.0, math.inf
        return kernels.HaltLimits(
            0.5 * freedom * units.kB * self.temperature,
            -1 if self.extrapolations is None else self.extrapolations,
            self.move,
            normals,
            extent,
            allowed,
        )


Limits = MDLimits
"""The name in `fastsf.md`."""


@dataclass(frozen=True)
class KernelHalt:
    """The finding of a kernel that halted.

    Parameters
    ----------
    status : int
        Result of the kernel.
    step : int
        Number of steps done.
    who : int
        Index of the atom or the cell vector.
    outside : int
        Number of extrapolations so far.
    temperature : float
        Temperature in K.
    """

    status: int
    step: int
    who: int
    outside: int
    temperature: float


def halt(
    found: KernelHalt,
    limits: MDLimits,
    start: Structure,
    cell: FloatArray,
    speed: FloatArray,
    forces: FloatArray,
    cutoff: float,
) -> Halt:
    """Return the halt with its message.

    Parameters
    ----------
    found : KernelHalt
    limits : MDLimits
    start : Structure
        First structure.
    cell : (3, 3) float64
        Current cell in Å.
    speed : (n, 3) float64
        Current displacements in one step, in Å.
    forces : (n, 3) float64
        Current forces in eV/Å.
    cutoff : float
        Cutoff of the potential in Å.
    """
    who = found.who
    if found.status == kernels.NOT_FINITE:
        return Halt("not finite", found.step, "the energy is not a finite number")
    if found.status == kernels.HOT:
        words = f"the temperature is {found.temperature:.4g} K, the limit is {limits.temperature:g} K"
        return Halt("temperature", found.step, words)
    if found.status == kernels.EXTRAPOLATING:
        words = f"{found.outside:,} extrapolations so far, the limit is {limits.extrapolations:,}"
        return Halt("extrapolation", found.step, words)
    if found.status in (kernels.CELL, kernels.BAROSTAT):
        return Halt("cell", found.step, _about_cell(found, limits, start, cell, cutoff))
    name = f"atom {who} ({chemical_symbol(int(start.numbers[who]))})"
    if found.status == kernels.ESCAPED:
        words = f"{name} is more than {limits.escape:g} Å outside the extent of the first structure"
        return Halt("lost", found.step, words)
    force = float(np.linalg.norm(forces[who]))
    if not math.isfinite(force):
        return Halt("not finite", found.step, f"the force on {name} is not finite")
    words = (
        f"{name} would move more than {limits.move:g} Å in the next step (now {np.linalg.norm(speed[who]):.3g} Å, "
        f"with a force of {force:.3g} eV/Å): atoms too close, or a time step too long"
    )
    return Halt("lost", found.step, words)


def _about_cell(found: KernelHalt, limits: MDLimits, start: Structure, cell: FloatArray, cutoff: float) -> str:
    if found.status == kernels.BAROSTAT:
        return (
            f"the barostat would change the cell by more than {100 * kernels.LARGEST_STRAIN:g} % in the next step: "
            "the pressure is far from its target, or the time of the barostat too short"
        )
    now, before = (_height(each, found.who) for each in (cell, start.cell))
    return (
        f"along vector {'abc'[found.who]} the cell is {now:.4g} Å thick, {before:.4g} Å at the start; it may change "
        f"by a factor of {limits.cell:g} (the cutoff is {cutoff:g} Å)"
    )


def _height(cell: FloatArray, k: int) -> float:
    return volume(cell) / float(np.linalg.norm(np.cross(cell[(k + 1) % 3], cell[(k + 2) % 3])))

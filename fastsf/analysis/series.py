"""Quantities of a run against time, with their means: from the frames of a trajectory, or from a log."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError

from fastsf.analysis.averages import Mean, drift, mean
from fastsf.errors import InputError
from fastsf.simulation.fixed import held_atoms
from fastsf.types import FloatArray

GRAM_PER_CM3 = 1e24 / units.mol
"""amu/Å^3 in g/cm^3."""

_CUBIC = "Å^3"
FRAME_UNITS = {
    "potential energy": "eV",
    "kinetic energy": "eV",
    "total energy": "eV",
    "temperature": "K",
    "pressure": "bar",
    "volume": _CUBIC,
    "density": "g/cm^3",
}
"""Quantities that frames of a trajectory can have, with their units."""

_AT_REST = 1e-5
"""Total momentum at rest, in sums of all momenta; files of single precision reach 1e-7."""

_DRIFTING = ("conserved energy", "total energy")
"""Columns whose drift is computed: the first of them that exists."""


@dataclass(frozen=True)
class Series:
    """Quantities against time.

    Parameters
    ----------
    time : (k,) float64 or None
        Times in fs; None without times.
    columns : mapping of str to (k,) float64
        Quantities by name.
    units : mapping of str to str
        Unit of each quantity.
    """

    time: FloatArray | None
    columns: Mapping[str, FloatArray]
    units: Mapping[str, str]

    def means(self) -> dict[str, Mean]:
        """Return the mean of each column with its error by blocking."""
        return {name: mean(values) for name, values in self.columns.items()}

    def after(self, skip: float) -> Series:
        """Return the series without the first part of a run.

        Parameters
        ----------
        skip : float
            Time to leave out, in ps.

        Raises
        ------
        InputError
            If there are no times, or nothing is left.
        """
        if not skip:
            return self
        if self.time is None:
            raise InputError("--skip: expected a column time in the log, found none")
        rest = self.time - self.time[0] >= 1000 * skip * (1 - 1e-9)
        if not rest.any():
            raise InputError(f"--skip: expected rows of the log after the first {skip:g} ps, found none")
        return Series(self.time[rest], {name: values[rest] for name, values in self.columns.items()}, self.units)

    def with_density(self, mass: float) -> Series:
        """Return the series with the density, if it has a volume in Å^3; mass in amu."""
        if "density" in self.columns or "volume" not in self.columns or self.units["volume"] != _CUBIC:
            return self
        columns = {**self.columns, "density": mass / self.columns["volume"] * GRAM_PER_CM3}
        return Series(self.time, columns, {**self.units, "density": FRAME_UNITS["density"]})

    def drift(self, n_atoms: int) -> tuple[str, float, float] | None:
        """Return the drift of the conserved energy, or else of the total energy.

        Parameters
        ----------
        n_atoms : int
            Number of atoms.

        Returns
        -------
        str, float, float or None
            Name of the column, slope and standard error in eV/atom/ps; None without times, energy or six samples.
        """
        name = next((name for name in _DRIFTING if name in self.columns), None)
        if name is None or self.time is None or len(self.time) < 6:
            return None
        return name, *drift(self.columns[name] / n_atoms, self.time / 1000)


class FrameSeries:
    """A series that is collected from frames; quantities that a frame lacks are left out."""

    def __init__(self) -> None:
        self._rows: list[dict[str, float]] = []
        self._times: list[float] = []

    def add(self, atoms: Atoms, time: float | None) -> None:
        """Add the quantities of a frame; time in fs."""
        self._rows.append(frame_values(atoms))
        self._times.append(math.nan if time is None else time)

    def result(self) -> Series:
        """Return the columns that all frames have.

        Raises
        ------
        InputError
            If there is no such column.
        """
        everywhere = [name for name in FRAME_UNITS if self._rows and all(name in row for row in self._rows)]
        if not everywhere:
            raise InputError("means: expected frames with energies, velocities or a cell, found none of them")
        columns = {name: np.array([row[name] for row in self._rows]) for name in everywhere}
        time = np.array(self._times)
        return Series(None if np.isnan(time).any() else time, columns, FRAME_UNITS)


def frame_values(atoms: Atoms) -> dict[str, float]:
    """Return the quantities of one frame, those of `FRAME_UNITS` that it has.

    Temperature and kinetic energy need velocities, the pressure also a stress. Degrees of freedom are those of ASE,
    without fixed atoms, and less three if the centre of mass is at rest.
    """
    values: dict[str, float] = {}
    potential = _calculated(atoms, "energy")
    if potential is not None:
        values["potential energy"] = float(potential)
    if atoms.has("momenta"):
        values["kinetic energy"] = float(atoms.get_kinetic_energy())
        values["temperature"] = 2 * values["kinetic energy"] / (units.kB * _freedom(atoms))
        if potential is not None:
            values["total energy"] = values["potential energy"] + values["kinetic energy"]
    if atoms.pbc.all() and atoms.cell.rank == 3:
        values["volume"] = float(atoms.get_volume())
        values["density"] = float(atoms.get_masses().sum()) / values["volume"] * GRAM_PER_CM3
        stress = _calculated(atoms, "stress")
        if stress is not None and "kinetic energy" in values:
            kinetic = 2 * values["kinetic energy"] / (3 * values["volume"])
            values["pressure"] = (kinetic - float(np.mean(stress[:3]))) / units.bar
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _freedom(atoms: Atoms) -> float:
    """Return the number of degrees of freedom; NaN if there is none."""
    momenta = atoms.get_momenta()
    resting = len(atoms) > 1 and np.abs(momenta.sum(axis=0)).max() <= _AT_REST * np.abs(momenta).sum()
    freedom = atoms.get_number_of_degrees_of_freedom() - (3 if resting and not held_atoms(atoms).any() else 0)
    return float(freedom) if freedom > 0 else math.nan


def _calculated(atoms: Atoms, name: str) -> FloatArray | None:
    """Return a result of the attached calculator, if it has been calculated already."""
    if atoms.calc is None:
        return None
    try:
        found = atoms.calc.get_property(name, atoms, allow_calculation=False)
    except (PropertyNotImplementedError, RuntimeError):
        return None
    return None if found is None else np.asarray(found, dtype=np.float64)

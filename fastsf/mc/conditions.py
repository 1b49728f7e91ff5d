"""Temperature, pressure and intervals of a Monte Carlo simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ase import units

from fastsf.errors import InputError
from fastsf.kernels.dynamics.monte_carlo import Stage, thermal_energy

BAR = float(units.bar)
"""1 bar in eV/Å^3."""

_BOLTZMANN = float(units.kB)
"""Boltzmann constant in eV/K."""


@dataclass(frozen=True)
class Conditions:
    """Conditions of a Monte Carlo simulation; parameters as in `fastsf.mc.MonteCarlo`.

    Parameters
    ----------
    temperature : (float, float)
        Temperatures in K, at the start and after the ramp.
    ramp : int
        Number of moves between them.
    pressure : float
        Pressure in bar.
    equilibration : int
        Number of moves during which steps are adapted.
    compare_every : int
        Number of moves between two checks of the running energy.
    skin : float
        Distance in Å by which the neighbour list exceeds the cutoff.

    Raises
    ------
    InputError
        For values outside their range.
    """

    temperature: tuple[float, float]
    ramp: int
    pressure: float
    equilibration: int
    compare_every: int
    skin: float

    def __post_init__(self) -> None:
        if not all(0 < each < math.inf for each in self.temperature):
            raise InputError(f"expected temperatures above 0 K, found {' and '.join(map(str, self.temperature))}")
        if self.temperature[0] != self.temperature[1] and self.ramp == 0:
            raise InputError("ramp: expected the number of moves between the two temperatures, found 0")
        if not math.isfinite(self.pressure):
            raise InputError(f"expected a finite pressure in bar, found {self.pressure}")
        if not 0 < self.skin < math.inf:
            raise InputError(f"expected a skin above 0 Å, found {self.skin}")
        for name, least in (("ramp", 0), ("equilibration", 0), ("compare_every", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: expected at least {least} moves, found {getattr(self, name)}")

    @property
    def work(self) -> float:
        """Pressure in eV/Å^3."""
        return self.pressure * BAR

    def stage(self, begin: int) -> Stage:
        """Return the quantities that depend on the number of the move, for moves after the first `begin`."""
        first, last = (_BOLTZMANN * each for each in self.temperature)
        return Stage(begin, first, last, self.ramp, self.equilibration)

    def temperature_after(self, moves: int) -> float:
        """Return the temperature in K after a number of moves."""
        return float(thermal_energy(self.stage(moves), 0)) / _BOLTZMANN

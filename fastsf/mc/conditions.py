"""What a Monte Carlo simulation is done at, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ase import units

from fastsf.errors import InputError
from fastsf.kernels.dynamics.monte_carlo import Course, thermal_energy

BAR = float(units.bar)
"""eV/Å^3."""

_BOLTZMANN = float(units.kB)
"""eV/K."""


@dataclass(frozen=True)
class Conditions:
    """Temperature, pressure and what is done when; parameters as of `fastsf.mc.MonteCarlo`.

    Parameters
    ----------
    temperature : (float, float)
        K; at the start and behind the ramp.
    ramp : int
        Moves from one to the other.
    pressure : float
        bar.
    equilibration : int
        Moves during which steps are adapted.
    compare_every : int
        Moves.
    skin : float
        Å.

    Raises
    ------
    InputError
        For values that make no sense.
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
            raise InputError("two temperatures need the length of the ramp between them, in moves")
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

    def course(self, begin: int) -> Course:
        """What changes with the number of the move, for those behind the first `begin`."""
        first, last = (_BOLTZMANN * each for each in self.temperature)
        return Course(begin, first, last, self.ramp, self.equilibration)

    def temperature_after(self, moves: int) -> float:
        """K."""
        return float(thermal_energy(self.course(moves), 0)) / _BOLTZMANN

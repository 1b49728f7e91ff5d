"""Integrators: parameters of the compiled steps, whose equations are in `fastsf.kernels.dynamics.integrators`.

A new ensemble takes a subclass of `Integrator` here, its equations in the kernels, and an entry of
`fastsf.md.ensembles` for the command.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
from ase import units

from fastsf.errors import InputError
from fastsf.kernels.dynamics import integrators as kernels
from fastsf.types import FloatArray


@dataclass(frozen=True)
class Ramp:
    """A temperature that changes linearly and is constant afterwards.

    Parameters
    ----------
    begin, end : float
        First and last temperature in K.
    steps : int
        Time steps between them, counted from the start of the run.
    """

    begin: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        for name in ("begin", "end"):
            _positive(f"{name} of a ramp (K)", getattr(self, name))
        if not (isinstance(self.steps, int) and self.steps >= 1):
            raise InputError(f"steps of a ramp: expected one or more, found {self.steps}")


Temperature: TypeAlias = float | Ramp


@dataclass(frozen=True)
class Integrator(ABC):
    """Base of all integrators; subclasses are frozen dataclasses of their parameters.

    Attributes
    ----------
    changes_cell : bool
        The cell changes: the structure must be periodic in all directions and have no fixed atoms.
    """

    changes_cell: ClassVar[bool] = False

    @property
    def scales_velocities(self) -> bool:
        """True if velocities are only scaled, so that some of them must differ from zero at the start."""
        return False

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """Return the fields of `kernels.Scheme` that differ from those of velocity Verlet, in ASE's units."""

    def chain_masses(self, freedom: int) -> FloatArray:
        """Return the masses of a chain of thermostats, (links,) in ASE's units; none by default."""
        return np.empty(0)

    def described(self) -> dict[str, Any]:
        """Return name and parameters in JSON's types; checkpoints compare them."""
        return {"name": type(self).__name__, **asdict(self)}

    def highest_temperature(self) -> float:
        """Return the highest target in K; 0 if there is none."""
        values = self.values()
        return float(max(values.get("begin", 0.0), values.get("end", 0.0)) / units.kB)


@dataclass(frozen=True)
class NVE(Integrator):
    """Newton's equations by velocity Verlet: constant energy."""

    def values(self) -> dict[str, Any]:
        """Return nothing: velocity Verlet is what the others differ from."""
        return {}


@dataclass(frozen=True)
class Langevin(Integrator):
    """Friction and noise on every atom, BAOAB splitting: canonical, for each atom on its own.

    Parameters
    ----------
    temperature : float or Ramp
        Temperature in K.
    friction : float
        Friction in 1/fs, the inverse of the time in which velocities forget their past.
    """

    temperature: Temperature
    friction: float = 0.001

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)
        _positive("friction (1/fs)", self.friction)

    def values(self) -> dict[str, Any]:
        """Return the fields of the scheme, in ASE's units."""
        return {
            "thermostat": kernels.LANGEVIN,
            "rate": self.friction / units.fs,
            **_temperatures(self.temperature),
        }


@dataclass(frozen=True)
class Bussi(Integrator):
    """Stochastic velocity rescaling: canonical, with very little influence on the motion of the atoms.

    Parameters
    ----------
    temperature : float or Ramp
        Temperature in K.
    time : float
        Relaxation time of the kinetic energy in fs.
    """

    temperature: Temperature
    time: float = 100.0

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)
        _positive("time of the thermostat (fs)", self.time)

    @property
    def scales_velocities(self) -> bool:
        """Always true."""
        return True

    def values(self) -> dict[str, Any]:
        """Return the fields of the scheme, in ASE's units."""
        return {
            "thermostat": kernels.RESCALING,
            "rate": 1 / (self.time * units.fs),
            **_temperatures(self.temperature),
        }


@dataclass(frozen=True)
class NoseHooverChain(Integrator):
    """Chain of Nosé-Hoover thermostats: canonical if the motion is chaotic, and deterministic.

    Parameters
    ----------
    temperature : float or Ramp
        Temperature in K. Masses of the thermostats are those of the first temperature of a ramp.
    time : float
        Time scale of the thermostats in fs: sqrt(Q / (k_B T)) for each degree of freedom.
    links : int
        Number of thermostats.
    """

    temperature: Temperature
    time: float = 100.0
    links: int = 3

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)
        _positive("time of the thermostat (fs)", self.time)
        if not (isinstance(self.links, int) and self.links >= 1):
            raise InputError(f"links of the chain: expected one or more, found {self.links}")

    @property
    def scales_velocities(self) -> bool:
        """Always true."""
        return True

    def values(self) -> dict[str, Any]:
        """Return the fields of the scheme, in ASE's units."""
        return {"thermostat": kernels.CHAIN, **_temperatures(self.temperature)}

    def chain_masses(self, freedom: int) -> FloatArray:
        """Return the masses of the thermostats, (links,) in ASE's units."""
        temperature = float(_temperatures(self.temperature)["begin"])
        masses = np.full(self.links, temperature * (self.time * units.fs) ** 2)
        masses[0] *= freedom
        return masses


@dataclass(frozen=True)
class StochasticCellRescaling(Integrator):
    """Stochastic cell rescaling: constant temperature and pressure.

    Parameters
    ----------
    thermostat : Bussi or Langevin
        Thermostat, which sets the temperature.
    pressure : float
        Pressure in bar.
    time : float
        Relaxation time of the volume in fs, if the compressibility is that of the material.
    compressibility : float
        Compressibility in 1/bar; by default that of water. Only its ratio to the time matters.
    shape : str
        "isotropic": only the volume changes; "anisotropic": the whole cell changes, without rotation; or the axes
        along which it changes independently, for example "xyz" or "z".
    """

    thermostat: Bussi | Langevin
    pressure: float = 1.01325
    time: float = 1000.0
    compressibility: float = 4.6e-5
    shape: str = "isotropic"
    changes_cell: ClassVar[bool] = True
    _coupled: FloatArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.thermostat, Bussi | Langevin):
            raise InputError(
                f"thermostat of the barostat: expected Bussi or Langevin, found {type(self.thermostat).__name__}"
            )
        if not (isinstance(self.pressure, int | float) and math.isfinite(self.pressure)):
            raise InputError(f"pressure (bar): expected a finite number, found {self.pressure!r}")
        _positive("time of the barostat (fs)", self.time)
        _positive("compressibility (1/bar)", self.compressibility)
        object.__setattr__(self, "_coupled", _coupled_components(self.shape))

    @property
    def scales_velocities(self) -> bool:
        """True if those of the thermostat are."""
        return self.thermostat.scales_velocities

    def values(self) -> dict[str, Any]:
        """Return the fields of the scheme, in ASE's units."""
        return {
            **self.thermostat.values(),
            "barostat": kernels.ISOTROPIC if self.shape == "isotropic" else kernels.ANISOTROPIC,
            "pressure": self.pressure * units.bar,
            "softness": self.compressibility / units.bar / (self.time * units.fs),
            "coupled": self._coupled,
        }

    def described(self) -> dict[str, Any]:
        """Return name and parameters in JSON's types."""
        words = super().described()
        del words["_coupled"]
        return {**words, "thermostat": self.thermostat.described()}


def _temperatures(temperature: Temperature) -> dict[str, Any]:
    if isinstance(temperature, Ramp):
        return {"begin": temperature.begin * units.kB, "end": temperature.end * units.kB, "ramp": temperature.steps}
    return {"begin": temperature * units.kB, "end": temperature * units.kB, "ramp": 0}


def _check_temperature(temperature: Temperature) -> None:
    if not isinstance(temperature, Ramp):
        _positive("temperature (K)", temperature)


def _positive(name: str, value: float) -> None:
    if not (isinstance(value, int | float) and 0 < value < math.inf):
        raise InputError(f"{name}: expected a positive number, found {value!r}")


def _coupled_components(shape: str) -> FloatArray:
    if shape in ("isotropic", "anisotropic"):
        return np.ones((3, 3))
    if not (isinstance(shape, str) and shape and set(shape) <= set("xyz")):
        raise InputError(f"shape: expected isotropic, anisotropic, or axes such as xyz or z; found {shape!r}")
    return np.diag([float(axis in shape) for axis in "xyz"])

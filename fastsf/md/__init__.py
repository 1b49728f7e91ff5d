"""Molecular dynamics with compiled steps."""

from fastsf.md.engine import MolecularDynamics
from fastsf.md.integrators import (
    NVE,
    Bussi,
    Langevin,
    NoseHooverChain,
    Ramp,
    StochasticCellRescaling,
)
from fastsf.md.limits import Limits
from fastsf.md.velocities import maxwell_boltzmann

__all__ = [
    "NVE",
    "Bussi",
    "Langevin",
    "Limits",
    "MolecularDynamics",
    "NoseHooverChain",
    "Ramp",
    "StochasticCellRescaling",
    "maxwell_boltzmann",
]

"""Molecular dynamics: integrators, the engine with its compiled steps, and the limits at which it halts.

Files, logs and checkpoints of a run belong to `fastsf.simulation`; the command is `fastsf.cli.md`.
"""

from typing import TYPE_CHECKING

from fastsf._lazy import lazy_names
from fastsf.md.ensembles import ENSEMBLES

if TYPE_CHECKING:
    from fastsf.md.engine import MolecularDynamics
    from fastsf.md.integrators import (
        NVE,
        Bussi,
        Integrator,
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
    "Integrator",
    "Langevin",
    "Limits",
    "MolecularDynamics",
    "NoseHooverChain",
    "Ramp",
    "StochasticCellRescaling",
    "maxwell_boltzmann",
]

_MODULES = {
    "MolecularDynamics": "engine",
    "Limits": "limits",
    "maxwell_boltzmann": "velocities",
    **dict.fromkeys(("Integrator", "Ramp", *(each.integrator for each in ENSEMBLES.values())), "integrators"),
}
__getattr__ = lazy_names(__name__, _MODULES)

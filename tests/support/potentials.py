"""Potential for the named systems, with random networks."""

from __future__ import annotations

import numpy as np

from fastsf import ACSF, G2, G4, G5, Cutoff
from fastsf.potentials.potential import Potential
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.training.objective.initialization import initial_network
from support.systems import RADIUS, SYSTEMS

ELEMENTS = ("H", "O", "S")
CUTOFF = Cutoff(RADIUS, "poly4")
"""Smooth enough for central differences."""


def functions() -> list[SymmetryFunction]:
    chosen: list[SymmetryFunction] = []
    for center in ELEMENTS:
        chosen += [G2(center, neighbor, eta, CUTOFF, rs=0.5) for neighbor in ELEMENTS for eta in (0.05, 0.8)]
        chosen += [G2(center, None, 0.3, CUTOFF), G4(center, ("O", "H"), 0.05, 2.0, -1.0, CUTOFF)]
        chosen += [G4(center, ("H", "H"), 0.02, 1.0, 1.0, CUTOFF), G5(center, ("S", "O"), 0.1, 4.0, 1.0, CUTOFF)]
    return chosen


def random_potential(seed: int = 1, threads: int | None = 1, mode: str = "scale_center") -> Potential:
    """Return a potential with the statistics of all named systems and networks of one depth and different widths."""
    acsf = ACSF(functions(), threads=threads)
    structures = [make() for make in SYSTEMS.values()]
    values, numbers = np.concatenate(acsf.create(structures)), np.concatenate([atoms.numbers for atoms in structures])
    networks, scalings = {}, {}
    for k, symbol in enumerate(ELEMENTS):
        own = values[numbers == {"H": 1, "O": 8, "S": 16}[symbol], : len(acsf.columns[symbol])]
        scalings[symbol] = Scaling.from_values(own, mode, -1.0, 2.0)
        sizes = (own.shape[1], 5 + k, 4, 1)
        networks[symbol] = initial_network(sizes, ("tanh", "softplus", "linear"), rng=seed + k)
    offsets = {"H": -0.5, "O": -75.0}
    return Potential(
        acsf, networks, scalings, energy_scale=0.25, offsets=offsets, length_scale=1.5, metadata={"made": "at random"}
    )

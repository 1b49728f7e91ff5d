"""Members of small committees."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import molecule

from fastsf import ACSF, G2, G4, G5
from fastsf.potentials.potential import Potential
from fastsf.potentials.scaling import Scaling
from fastsf.training.objective.initialization import initial_network

RADIUS = 4.0


TOPOLOGIES = (5, 4), (7,), (), (3, 3, 3)


def functions(eta: float = 0.3) -> list:
    found = []
    for center in ("H", "O"):
        found += [G2(center, other, eta, RADIUS) for other in ("H", "O")]
        found += [G4(center, ("H", "O"), 0.1, 2, 1, RADIUS), G5(center, ("H", "H"), 0.05, 1, -1, RADIUS)]
    return found


def potential(seed: int, descriptor: ACSF | None = None, spread: float = 1.0) -> Potential:
    """Return a random potential; topology, scaling and unit of energy depend on the seed, the range on `spread`."""
    descriptor = descriptor or ACSF(functions(), threads=1)
    hidden = TOPOLOGIES[seed % len(TOPOLOGIES)]
    names = ("tanh",) * len(hidden) + ("linear",)
    rng = np.random.default_rng(seed)
    nets = {symbol: initial_network((4, *hidden, 1), names, rng=seed + k) for k, symbol in enumerate("HO")}
    mode = ("scale", "center", "scale_center")[seed % 3]
    scalings = {symbol: Scaling.from_values(spread * rng.random((20, 4)), mode) for symbol in "HO"}
    return Potential(descriptor, nets, scalings, energy_scale=1.0 + seed, offsets={"O": -2.0 * seed})


def ice(seed: int = 0) -> Atoms:
    box = Atoms(cell=[[5.0, 0.0, 0.5], [0.3, 4.5, 0.0], [0.0, 0.0, 4.0]], pbc=True)
    for position in ([0.5, 0.5, 0.5], [2.8, 2.6, 2.2]):
        one = molecule("H2O")
        one.translate(position)
        box += one
    box.positions += np.random.default_rng(seed).normal(0.0, 0.1, (len(box), 3))
    return box

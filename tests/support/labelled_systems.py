"""Named systems with random labels, some of them missing, for training."""

from __future__ import annotations

import numpy as np

from fastsf.datasets.labelled import LabelledSet
from fastsf.structure import Structure
from support.systems import SYSTEMS


def labelled_systems(seed: int = 5) -> LabelledSet:
    rng = np.random.default_rng(seed)
    structures = [Structure.from_atoms(make()) for make in SYSTEMS.values()]
    m = len(structures)
    forces: list = [rng.normal(0.0, 0.3, (len(each), 3)) for each in structures]
    forces[1] = None
    energies, stresses = rng.normal(-50.0, 5.0, m), rng.normal(0.0, 0.02, (m, 6))
    energies[2] = np.nan
    for k, each in enumerate(structures):
        if not all(each.pbc):
            stresses[k] = np.nan
    names = list(SYSTEMS)
    return LabelledSet(structures, energies, forces, stresses, [""] * m, rng.uniform(0.5, 2.0, m), names)

"""Small labelled sets for tests of training."""

import numpy as np
from ase import Atoms

from fastsf.datasets.labelled import LabelledSet
from fastsf.structure import Structure


def water(seed: int) -> Atoms:
    """Return a slightly distorted water molecule."""
    random = np.random.default_rng(seed)
    positions = np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
    return Atoms("OH2", positions + random.normal(0.0, 0.05, (3, 3)))


def labelled_set(frames, energies=None, forces=None, **others) -> LabelledSet:
    """Return a set of given structures, with random forces if none are given."""
    m = len(frames)
    random = np.random.default_rng(m)
    structures = [Structure.from_atoms(each) for each in frames]
    return LabelledSet(
        structures,
        random.normal(size=m) if energies is None else np.array(energies, dtype=np.float64),
        [random.normal(size=(len(each), 3)) for each in structures] if forces is None else forces,
        others.pop("stresses", np.full((m, 6), np.nan)),
        others.pop("groups", [""] * m),
        others.pop("weights", np.ones(m)),
        others.pop("sources", [f"set.extxyz, frame {k}" for k in range(m)]),
        **others,
    )

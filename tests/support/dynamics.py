"""Small simulations, and the same with ASE."""

import numpy as np
from ase import Atoms

from fastsf import Calculator
from fastsf.md import (
    Bussi,
    Integrator,
    MolecularDynamics,
    StochasticCellRescaling,
    maxwell_boltzmann,
)
from support.systems import SYSTEMS

STEP = 0.5  # fs


BAROSTAT = StochasticCellRescaling(Bussi(300.0), 1000.0, time=500.0)


def warm(name: str = "triclinic", repeats: tuple[int, int, int] = (1, 1, 1), kelvin: float = 300.0) -> Atoms:
    atoms = SYSTEMS[name]().repeat(repeats) if repeats != (1, 1, 1) else SYSTEMS[name]()
    maxwell_boltzmann(atoms, kelvin, seed=1)
    return atoms


def simulation(potential, atoms: Atoms, integrator: Integrator, **options) -> MolecularDynamics:
    return MolecularDynamics(potential, atoms, integrator, **{"timestep": STEP, "threads": 1} | options)


def with_calculator(potential, atoms: Atoms) -> Atoms:
    copy = atoms.copy()
    copy.calc = Calculator(potential, threads=1, extrapolation="ignore")
    return copy


def same_state(one: MolecularDynamics, other: MolecularDynamics) -> bool:
    first, second = one.state(), other.state()
    assert set(first) == set(second)
    return all(np.array_equal(first[name], second[name]) for name in first)

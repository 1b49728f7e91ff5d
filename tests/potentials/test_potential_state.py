"""Potentials keep nothing of the structures that they evaluate."""

from __future__ import annotations

import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from ase import Atoms
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf.potentials.potential import Potential


@cache
def potential() -> Potential:
    return random_potential()


def deform(atoms: Atoms) -> None:
    atoms.set_cell(atoms.cell.array @ np.diag([1.01, 1.0, 0.98]))


def open_up(atoms: Atoms) -> None:
    atoms.cell[1] = [0.0, 4.25, 0.0]
    atoms.pbc = [False, True, False]


def close_up(atoms: Atoms) -> None:
    atoms.set_cell([6.0, 6.5, 7.0])
    atoms.pbc = True


def transmute(atoms: Atoms) -> None:
    atoms.numbers[0] = {1: 8, 8: 16, 16: 1}[int(atoms.numbers[0])]


def exchange(atoms: Atoms) -> None:
    atoms.positions[[0, -1]] = atoms.positions[[-1, 0]]


CHANGES = {
    "cell": deform,
    "fewer directions": open_up,
    "more directions": close_up,
    "element": transmute,
    "order": exchange,
    "atom less": lambda atoms: atoms.pop(),
    "atom more": lambda atoms: atoms.append("H"),
    "position": lambda atoms: atoms.positions.__iadd__([[1e-9, 0, 0]] + [[0, 0, 0]] * (len(atoms) - 1)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["molecule", "molecule_with_cell", "triclinic", "slab"])
def test_nothing_is_kept_of_the_structure_before(name, change):
    atoms = SYSTEMS[name]()
    before = potential().evaluate(atoms)
    CHANGES[change](atoms)
    if change == "atom more":
        atoms.positions[-1] = atoms.positions[:-1].mean(axis=0)
    after, fresh = potential().evaluate(atoms), pickle.loads(pickle.dumps(potential())).evaluate(atoms)
    for quantity in ("energy", "energies", "forces", "virials", "values", "outside", "numbers", "volume"):
        np.testing.assert_array_equal(getattr(after, quantity), getattr(fresh, quantity))
    free = not atoms.pbc.any() and change == "cell"  # a cell that repeats nothing does not matter
    assert free == (before.energies.tobytes() == after.energies.tobytes())


def test_no_reference_to_the_structure():
    atoms = SYSTEMS["molecule"]()
    found = potential().evaluate(atoms)
    kept = {name: np.copy(getattr(found, name)) for name in ("numbers", "forces", "values")}
    atoms.positions += 1.0
    atoms.numbers[:] = 1
    for name, array in kept.items():
        np.testing.assert_array_equal(getattr(found, name), array)
    alive = weakref.ref(atoms)
    del atoms
    gc.collect()
    assert alive() is None


def test_molecules_in_several_python_threads():
    rng = np.random.default_rng(8)
    structures = []
    for size in rng.integers(1, 12, 200):
        symbols = rng.choice(list("HOS"), size)
        structures.append(Atoms(symbols, positions=np.arange(size)[:, None] + rng.normal(0.0, 0.2, (size, 3))))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(potential().evaluate, structures))
    for atoms, one in zip(structures, found, strict=True):
        np.testing.assert_array_equal(one.forces, potential().evaluate(atoms).forces)

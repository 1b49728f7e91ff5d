"""Energies and forces of one kernel against symmetry functions, networks and the chain rule."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from fastsf import ACSF, G2, G4, G5, Angular, Cutoff, Potential, Power
from fastsf.kernels.acsf.triplets import CHUNK
from fastsf.kernels.energies.energies import MOST_KEPT
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.training.objective.initialization import initial_network


def potential(functions: list[SymmetryFunction]) -> Potential:
    acsf = ACSF(functions, threads=1)
    networks, scalings = {}, {}
    for seed, (symbol, columns) in enumerate(acsf.columns.items()):
        size = len(columns)
        networks[symbol] = initial_network((size, 7, 1), ("softplus", "linear"), rng=seed)
        zero = np.zeros(size)
        scalings[symbol] = Scaling("none", 0.0, 1.0, zero, zero + 1, zero, zero + 1)
    return Potential(acsf, networks, scalings)


def check(model: Potential, atoms: Atoms) -> None:
    evaluator = model.evaluator(atoms)
    found = evaluator.evaluate()
    values = evaluator.values()
    energies, slopes, outside = evaluator.predict(model.model.networks, values)
    (forces,), (virials,) = evaluator.chain(slopes[:, None])
    size = np.abs(forces).max()
    assert size > 1e-6
    np.testing.assert_allclose(found.values, values, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(found.energies, energies, rtol=1e-11)
    np.testing.assert_allclose(found.forces, forces, rtol=0, atol=1e-11 * size)
    np.testing.assert_allclose(found.virials, virials, rtol=0, atol=1e-11 * np.abs(virials).max())
    np.testing.assert_array_equal(found.outside, outside)


def cluster(symbols: str, n: int, radius: float, seed: int) -> Atoms:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 3))
    points *= (radius * rng.uniform(0.05, 1.0, n) ** (1 / 3) / np.linalg.norm(points, axis=1))[:, None]
    return Atoms([symbols[k % len(symbols)] for k in range(n)], points)


def test_more_triplets_than_are_kept() -> None:
    atoms = cluster("H", 300, 2.9, 1)
    triplets = 299 * 298 // 2
    assert triplets > 8 * CHUNK * MOST_KEPT  # all atoms see each other: some chunks cannot be kept
    check(potential([G2("H", "H", 1.0, 6.0), G4("H", ("H", "H"), 0.1, 3.5, 1.0, 6.0)]), atoms)


@pytest.mark.parametrize("lam", [-1.0, 0.3, 1.0])
@pytest.mark.parametrize("zeta", [1, 2, 3, 4, 6, 7, 8, 16, 2.5])
def test_every_way_to_sum_angle_factors(zeta: float, lam: float) -> None:
    functions = [G4("H", ("H", "O"), 0.05, zeta, lam, 4.0), G4("O", ("H", "H"), 0.05, zeta, lam, 4.0)]
    check(potential(functions), cluster("HHO", 30, 3.0, 2))


def test_several_cutoffs_kinds_and_shifts() -> None:
    functions = [
        G2("H", "H", 1.0, 3.0, rs=0.5),
        G2("H", "O", 0.2, 5.0),
        G4("H", ("H", "O"), 0.1, 1.0, 1.0, 5.0, rs=1.0),
        G4("H", ("H", "O"), 0.3, 4.0, -1.0, 5.0, rs=1.0),
        G4("H", ("O", "O"), 0.3, 2.0, -1.0, 3.0),
        G5("H", ("H", "H"), 0.1, 4.0, 1.0, 5.0),
        G5("O", ("H", "H"), 0.1, 1.0, -1.0, Cutoff(4.0, "poly2")),
        G2("O", None, 0.2, 4.0),
        Angular("O", None, Cutoff(4.0, "tanh3"), Power(3.0, 1.0), eta=0.02),
    ]
    atoms = cluster("HOH", 90, 5.0, 3)
    atoms.set_cell([7.0, 8.0, 9.0])
    atoms.pbc = True
    check(potential(functions), atoms)


def test_an_atom_without_neighbours() -> None:
    functions = [G2("H", "H", 1.0, 3.0), G4("H", ("H", "H"), 0.1, 1.0, 1.0, 3.0)]
    atoms = Atoms("H4", [[0, 0, 0], [1, 0, 0], [0, 1.1, 0], [50, 0, 0]])
    check(potential(functions), atoms)
    assert (potential(functions).evaluate(atoms).forces[3] == 0).all()

"""Neighbours in small molecules and cells: the same pairs as a search finds, wherever the atoms have been before."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from support.systems import RADIUS, SYSTEMS

from fastsf.errors import InputError, StructureError
from fastsf.neighbors.all_pairs import MOST_ATOMS, AllPairs
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure

SMALL = tuple(name for name, make in SYSTEMS.items() if AllPairs.fits(Structure.from_atoms(make()), RADIUS))


def cloud(n: int, seed: int) -> Structure:
    """Return random atoms in a box that is a few times larger than the cutoff."""
    positions = np.random.default_rng(seed).uniform(0.0, 2.5 * RADIUS, (n, 3))
    return Structure.from_atoms(Atoms(f"H{n}", positions=positions))


def assert_same(found: Pairs, expected: Pairs, error: float = 0.0) -> None:
    """Check that the images are the same, with vectors to a relative error."""
    np.testing.assert_array_equal(found.start, expected.start)
    assert len(found) == len(expected)
    centers = np.repeat(np.arange(len(found.start) - 1), np.diff(found.start))
    ours, theirs = (np.lexsort((*pairs.shift.T, pairs.neighbor, centers)) for pairs in (found, expected))
    np.testing.assert_array_equal(found.neighbor[ours], expected.neighbor[theirs])
    np.testing.assert_array_equal(found.shift[ours], expected.shift[theirs])
    np.testing.assert_allclose(found.vector[ours], expected.vector[theirs], rtol=0, atol=error * RADIUS)
    np.testing.assert_array_equal(found.neighbor[found.reverse], centers)
    np.testing.assert_array_equal(centers[found.reverse], found.neighbor)
    np.testing.assert_array_equal(found.vector[found.reverse], -found.vector)
    np.testing.assert_array_equal(found.shift[found.reverse], -found.shift)


def test_systems_are_there():
    free = {"molecule", "molecule_with_cell", "single_atom", "two_atoms_at_the_cutoff"}
    assert free | {"slab", "wire_without_vectors"} <= set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_of_the_named_systems(name):
    structure = Structure.from_atoms(SYSTEMS[name]())
    far = np.abs(structure.positions).max(initial=1.0)
    error = 1e-15 * far if structure.pbc.any() else 0.0
    assert_same(AllPairs.build(structure, RADIUS), Pairs.build(structure, RADIUS), error)


def test_of_skewed_cells_that_change():
    rng = np.random.default_rng(5)
    atoms = Atoms("H4", positions=rng.uniform(-20.0, 20.0, (4, 3)), cell=np.eye(3) * RADIUS, pbc=(True, True, False))
    pairs = AllPairs.build(atoms, RADIUS)
    for _ in range(20):
        cell = np.eye(3) * RADIUS * rng.uniform(0.5, 3.0) + rng.normal(0.0, 0.3, (3, 3)) * RADIUS
        positions = rng.uniform(-20.0, 20.0, (4, 3))
        assert pairs.update(positions, cell)
        assert_same(pairs, Pairs.build(Atoms("H4", positions, cell=cell, pbc=atoms.pbc), RADIUS), 1e-14)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 17, MOST_ATOMS])
def test_after_moves(n):
    structure, rng = cloud(n, seed=n), np.random.default_rng(100 + n)
    pairs = AllPairs.build(structure, RADIUS, skin=0.5)
    for spread in (0.01, 1.0, 3.0):
        positions = structure.positions + rng.normal(0.0, spread, (n, 3))
        assert pairs.update(positions)
        assert_same(pairs, Pairs.build(structure.moved_to(positions), RADIUS))
        assert not np.shares_memory(pairs._structure.positions, positions)
    assert pairs.update(structure.positions, np.eye(3))
    assert_same(pairs, Pairs.build(structure, RADIUS))


def test_what_fits():
    assert AllPairs.fits(cloud(MOST_ATOMS, seed=0), RADIUS) and not AllPairs.fits(cloud(MOST_ATOMS + 1, seed=0), RADIUS)
    cubes = [Structure.from_atoms(Atoms("H", cell=np.eye(3) * side, pbc=True)) for side in (RADIUS, RADIUS / 20)]
    assert AllPairs.fits(cubes[0], RADIUS) and not AllPairs.fits(cubes[1], RADIUS)


def test_cells_that_shrink_absurdly():
    pairs = AllPairs.build(Atoms("H", cell=np.eye(3) * RADIUS, pbc=True), RADIUS)
    with pytest.raises(InputError, match=r"shorter cutoff, found .* which reaches"):
        pairs.update(np.zeros((1, 3)), np.eye(3) * 1e-3)


def test_wrong_input():
    structure = cloud(3, seed=1)
    with pytest.raises(InputError, match="cutoff"):
        AllPairs.build(structure, -1.0)
    with pytest.raises(InputError, match="skin"):
        AllPairs.build(structure, RADIUS, skin=-0.1)
    with pytest.raises(InputError, match="threads: expected at least 1"):
        AllPairs.build(structure, RADIUS, threads=0)
    pairs = AllPairs.build(structure, RADIUS)
    with pytest.raises(StructureError, match=r"expected positions of shape \(3, 3\), found \(2, 3\)"):
        pairs.update(structure.positions[:2])
    with pytest.raises(StructureError, match="position of atom 1 is not finite"):
        pairs.update([[0, 0, 0], [0, np.inf, 0], [1, 1, 1]])

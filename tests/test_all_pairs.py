"""Neighbours in small molecules: the same pairs as a search finds, wherever the atoms have been before."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from systems import RADIUS, SYSTEMS

from fastsf.all_pairs import MOST_ATOMS, AllPairs
from fastsf.errors import InputError, StructureError
from fastsf.neighbors import Pairs
from fastsf.structure import Structure

FREE = tuple(name for name, make in SYSTEMS.items() if AllPairs.fits(Structure.from_atoms(make())))


def cloud(n: int, seed: int) -> Structure:
    """Random atoms in a box that is a few times larger than the cutoff."""
    positions = np.random.default_rng(seed).uniform(0.0, 2.5 * RADIUS, (n, 3))
    return Structure.from_atoms(Atoms(f"H{n}", positions=positions))


def assert_same(found: Pairs, expected: Pairs) -> None:
    np.testing.assert_array_equal(found.start, expected.start)
    assert len(found) == len(expected)
    for begin, end in zip(expected.start[:-1], expected.start[1:], strict=True):
        order = begin + np.argsort(expected.neighbor[begin:end])
        np.testing.assert_array_equal(found.neighbor[begin:end], expected.neighbor[order])
        np.testing.assert_array_equal(found.vector[begin:end], expected.vector[order])
    centers = np.repeat(np.arange(len(found.start) - 1), np.diff(found.start))
    np.testing.assert_array_equal(found.neighbor[found.reverse], centers)
    np.testing.assert_array_equal(centers[found.reverse], found.neighbor)
    np.testing.assert_array_equal(found.vector[found.reverse], -found.vector)
    assert found.shift.shape == (len(found), 3) and not found.shift.any()


def test_systems_are_there():
    assert {"molecule", "molecule_with_cell", "single_atom", "two_atoms_at_the_cutoff"} <= set(FREE)


@pytest.mark.parametrize("name", FREE)
def test_of_the_named_systems(name):
    structure = Structure.from_atoms(SYSTEMS[name]())
    assert_same(AllPairs.build(structure, RADIUS), Pairs.build(structure, RADIUS))


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
    assert AllPairs.fits(cloud(MOST_ATOMS, seed=0)) and not AllPairs.fits(cloud(MOST_ATOMS + 1, seed=0))
    assert not any(AllPairs.fits(Structure.from_atoms(SYSTEMS[name]())) for name in ("slab", "wire_without_vectors"))


def test_wrong_input():
    structure = cloud(3, seed=1)
    with pytest.raises(InputError, match="cutoff"):
        AllPairs.build(structure, -1.0)
    with pytest.raises(InputError, match="skin"):
        AllPairs.build(structure, RADIUS, skin=-0.1)
    with pytest.raises(InputError, match="at least one thread"):
        AllPairs.build(structure, RADIUS, threads=0)
    pairs = AllPairs.build(structure, RADIUS)
    with pytest.raises(StructureError, match=r"expected positions of shape \(3, 3\), found \(2, 3\)"):
        pairs.update(structure.positions[:2])
    with pytest.raises(StructureError, match="position of atom 1 is not finite"):
        pairs.update([[0, 0, 0], [0, np.inf, 0], [1, 1, 1]])

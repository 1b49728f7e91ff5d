"""Isolated atoms: where they are found, and in which part of the data they are."""

import numpy as np
import pytest
from ase import Atoms
from support.labelled_sets import labelled_set, water

from fastsf.datasets.checks.outliers import find_outliers
from fastsf.datasets.isolated import isolated_atoms
from fastsf.datasets.splits import Named, split, with_sets
from fastsf.errors import InputError


def atom(symbol="H", cell=None, pbc=False):
    return Atoms(symbol, cell=cell, pbc=pbc)


@pytest.mark.parametrize(
    ("atoms", "cutoff", "isolated"),
    [
        (atom(), 6.0, True),
        (atom(cell=[3, 3, 3]), 6.0, True),
        (atom(cell=[15, 15, 15], pbc=True), 6.0, True),
        (atom(cell=[7, 7, 7], pbc=True), 8.0, False),
        (atom(cell=[15, 15, 15], pbc=True), 15.0, True),
        (atom(cell=[15, 15, 2], pbc=(True, True, False)), 6.0, True),
        (atom(cell=[15, 15, 2], pbc=(False, False, True)), 6.0, False),
        (atom("Cu", cell=[[0, 1.8, 1.8], [1.8, 0, 1.8], [1.8, 1.8, 0]], pbc=True), 6.0, False),
        (atom(cell=[[20, 0, 0], [19, 3, 0], [0, 0, 20]], pbc=True), 6.0, False),
        (Atoms("H2", [[0, 0, 0], [0, 0, 50]]), 6.0, False),
    ],
)
def test_single_atoms_without_neighbours(atoms, cutoff, isolated):
    assert isolated_atoms(labelled_set([atoms]), cutoff).tolist() == [isolated]


@pytest.mark.parametrize("seed", range(20))
def test_are_never_drawn(seed):
    frames = [atom("O"), *(water(k) for k in range(6)), atom(cell=[12, 12, 12], pbc=True)]
    found = split(labelled_set(frames), 0.3, 0.3, seed=seed)
    assert {0, 7} <= set(found.train.tolist())
    assert (len(found.validation), len(found.test)) == (2, 2), "fractions are of the other structures"
    assert found.warnings == ()


@pytest.mark.parametrize("m", [5, 12])
def test_other_parts_are_those_of_the_data_without_them(m):
    molecules = [water(k) for k in range(m)]
    alone, both = split(labelled_set(molecules), 0.3, 0.2, seed=3), [*molecules, atom(), atom("O")]
    found = split(labelled_set(both), 0.3, 0.2, seed=3)
    np.testing.assert_array_equal(found.validation, alone.validation)
    np.testing.assert_array_equal(found.test, alone.test)


def test_the_cutoff_decides_in_periodic_cells():
    frames = [atom(cell=[7, 7, 7], pbc=True)] * 3
    assert len(split(labelled_set([*frames, water(0)]), 0.0).train) == 4
    assert len(split(labelled_set(frames), 0.4, cutoff=8.0).validation) == 1


def test_marked_and_named_ones_are_moved_and_this_is_said():
    frames = [atom(), water(0), atom("O"), water(1)]
    marked = split(labelled_set(frames, subsets=["validation", "", "train", "test"]), 0.0)
    assert marked.train.tolist() == [0, 1, 2]
    assert marked.warnings[0] == (
        "isolated atoms are always for training: 1 structure chosen for validation or test is there now"
    )
    named = split(labelled_set(frames, groups=["a", "a", "a", "b"]), Named("group", ("a",)))
    assert (named.train.tolist(), named.validation.tolist()) == ([0, 2, 3], [1])
    assert "2 structures chosen for validation or test are there now" in named.warnings[0]


def test_sets_with_a_part_of_their_own():
    train, further = labelled_set([water(0), water(1)]), labelled_set([atom(), water(2)])
    own = split(train, 0.0)
    found = with_sets(own, 2, {"validation": further, "test": labelled_set([water(3)])})
    assert (found.train.tolist(), found.validation.tolist(), found.test.tolist()) == ([0, 1, 2], [3], [4])
    assert len(found.warnings) == 1
    assert with_sets(own, 2, {}).warnings == own.warnings
    assert "no structures for validation" in own.warnings[0]


def test_are_no_outliers():
    frames = [*(water(k) for k in range(12)), atom(), atom("O")]
    energies = [-469.9 + 0.01 * k for k in range(12)] + [-13.6, -432.0]
    found = find_outliers(labelled_set(frames, energies))
    assert [each for each in found.findings if each.kind == "energy"] == []


def test_training_needs_more_than_isolated_atoms():
    with pytest.raises(InputError, match=r"no structures are left for training: .* found 1 for validation"):
        split(labelled_set([atom(), water(0), atom("O")]), 0.1)
    assert split(labelled_set([atom(), atom("O")]), 0.1).train.tolist() == [0, 1]

"""Curves of dissociation are no errors of units or signs, and such errors are found in them too."""

import numpy as np
import pytest
from ase import Atoms
from ase.data import covalent_radii
from support.labelled_sets import labelled_set

from fastsf.datasets.checks.outliers import find_outliers


def curve(symbols="N2", distances=None, depth=9.8, steepness=2.7, length=1.1, order=None):
    """Return dimers with energies and forces of a Morse potential."""
    distances = np.arange(0.8, 5.0, 0.1) if distances is None else distances
    if order is not None:
        distances = np.random.default_rng(order).permutation(distances)
    frames, energies, forces = [], [], []
    for r in distances:
        frames.append(Atoms(symbols, [[0, 0, 0], [0, 0, r]]))
        x = np.exp(-steepness * (r - length))
        energies.append(depth * (x - 1.0) ** 2)
        slope = -2.0 * depth * steepness * (x - 1.0) * x
        forces.append(np.array([[0, 0, slope], [0, 0, -slope]]))
    return labelled_set(frames, energies, forces)


def serious(labelled):
    return [(each.kind, each.message) for each in find_outliers(labelled).serious]


@pytest.mark.parametrize("order", [None, 1])
@pytest.mark.parametrize(
    "distances",
    [
        None,
        np.arange(1.1, 8.0, 0.1),
        np.array([1.1, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0]),
        np.arange(0.3, 1.3, 0.02),
        np.concatenate([np.arange(0.3, 0.9, 0.02), [1.1]]),
    ],
    ids=["all", "stretched", "coarse", "compressed", "mostly compressed"],
)
def test_right_labels(distances, order):
    assert serious(curve(distances=distances, order=order)) == []


def test_short_distances_of_dimers_are_suspicious_only():
    found = find_outliers(curve(distances=np.array([0.3, 1.1, 1.3])))
    assert [each.level for each in found.findings if each.kind == "distance"] == ["suspicious"]
    crowd = [Atoms("N3", [[0, 0, 0], [0, 0, 0.3], [0, 0, 1.5]]), Atoms("N2", [[0, 0, 0], [0, 0, 1.1]])] * 3
    assert ("distance", "atoms at 0.21 times the length of a bond") in serious(labelled_set(crowd))


@pytest.mark.parametrize("order", [None, 2])
def test_wrong_signs_are_found(order):
    labelled = curve(order=order)
    for forces in labelled.forces:
        forces *= -1.0
    assert any("in the other direction" in message for _, message in serious(labelled))


@pytest.mark.parametrize("symbols", ["N2", "Cu2", "CO"])
def test_wrong_units_are_found_where_every_structure_shows_them(symbols):
    first, second = covalent_radii[Atoms(symbols).numbers]
    bonded = [Atoms(symbols, [[0, 0, 0], [0, 0, (first + second) * x]]) for x in np.linspace(0.9, 1.2, 9)]
    for factor, words in ((1.8897, "Bohr read as Å"), (0.5292, "Å read as Bohr")):
        frames = [Atoms(each.symbols, factor * each.positions) for each in bonded]
        assert any(words in message for _, message in serious(labelled_set(frames, forces=[None] * 9)))
        frames[-1] = bonded[-1]
        assert not any(words in message for _, message in serious(labelled_set(frames, forces=[None] * 9)))


def test_isolated_atoms_do_not_count():
    frames = [Atoms("Cu", cell=[15, 15, 15], pbc=True)] * 5 + [Atoms("Cu2", [[0, 0, 0], [0, 0, 2.3]])] * 3
    assert serious(labelled_set(frames, forces=[np.zeros((1, 3))] * 5 + [None] * 3)) == []

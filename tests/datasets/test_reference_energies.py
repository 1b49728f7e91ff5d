"""Reference energies of elements by least squares."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st
from support.labelled_sets import labelled_set, water
from support.strategies import REPEATABLE, number

from fastsf.datasets.reference_energies import above_references, compositions, reference_energies


def chain(formula: str) -> Atoms:
    atoms = Atoms(formula)
    atoms.positions[:, 0] = 2.0 * np.arange(len(atoms))
    return atoms


FORMULAS = ["H2O", "H2", "O2", "CO2", "CH4", "Cu3"]


@REPEATABLE
@given(st.lists(number(-1e4, 1e4), min_size=4, max_size=4))
def test_are_found_again(energies):
    given_energies = dict(zip(("H", "C", "O", "Cu"), energies, strict=True))
    frames = [chain(formula) for formula in FORMULAS]
    totals = [sum(given_energies[symbol] for symbol in atoms.symbols) for atoms in frames]
    found = reference_energies(labelled_set(frames, totals))
    assert list(found) == list(given_energies)
    scale = 1.0 + max(map(abs, energies))
    np.testing.assert_allclose(list(found.values()), energies, atol=1e-11 * scale)
    np.testing.assert_allclose(above_references(labelled_set(frames, totals)), 0.0, atol=1e-11 * scale)


def test_smallest_norm_where_compositions_tell_nothing():
    found = reference_energies(labelled_set([water(k) for k in range(3)], [-30.0, -30.0, -30.0]))
    assert found == pytest.approx({"H": -12.0, "O": -6.0}, rel=1e-12)


def test_missing_energies_and_weights_of_zero_do_not_count():
    frames = [chain("H2"), chain("H2"), chain("H3"), chain("Cu")]
    labelled = labelled_set(frames, [2.0, 4.0, np.nan, np.nan], weights=np.array([1.0, 0.0, 1.0, 1.0]))
    assert reference_energies(labelled) == pytest.approx({"H": 1.0, "Cu": 0.0})
    np.testing.assert_allclose(above_references(labelled), [0.0, 1.0, np.nan, np.nan], atol=1e-12)
    nothing = labelled_set(frames, [np.nan] * 4)
    assert reference_energies(nothing) == {"H": 0.0, "Cu": 0.0}


def test_compositions():
    labelled = labelled_set([chain("CO2"), chain("H2")])
    np.testing.assert_array_equal(compositions(labelled), [[0, 1, 2], [2, 0, 0]])

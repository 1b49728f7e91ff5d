"""Reference energies of elements by least squares."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st
from support.labelled_sets import labelled_set, water
from support.strategies import REPEATABLE, number

from fastsf.datasets.reference_energies import above_references, compositions, find_references, reference_energies


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


def test_equal_shares_where_compositions_tell_nothing():
    found = find_references(labelled_set([water(k) for k in range(3)], [-30.0, -30.0, -30.0]))
    assert found.energies == pytest.approx({"H": -10.0, "O": -10.0}, rel=1e-12)
    assert found.origins == {"H": "shared", "O": "shared"}
    assert "do not tell apart the energies of H, O:" in found.remarks[0]
    assert "[networks] atom_energies = { H = ..., O = ... }" in found.remarks[0]


def test_equal_shares_only_of_the_elements_that_are_not_determined():
    frames = [chain("H2O"), chain("H2O"), chain("Cu3"), chain("Cu2")]
    found = find_references(labelled_set(frames, [-30.0, -30.0, -9.0, -6.0]))
    assert 2 * found.energies["H"] + found.energies["O"] == pytest.approx(-30.0)
    assert found.energies["Cu"] == pytest.approx(-3.0)
    assert found.origins == {"H": "shared", "O": "shared", "Cu": "fitted"}
    assert "of H, O:" in found.remarks[0]


def test_free_atoms_are_the_references_exactly():
    frames = [Atoms("O"), Atoms("H"), *(water(k) for k in range(8)), chain("CO2")]
    energies = [-432.0, -13.6, *(-469.9 + 0.1 * k for k in range(8)), -1027.0]
    found = find_references(labelled_set(frames, energies))
    assert (found.energies["H"], found.energies["O"]) == (-13.6, -432.0)
    assert found.energies["C"] == pytest.approx(-163.0)
    assert found.origins == {"H": "free atom", "C": "fitted", "O": "free atom"}
    assert found.remarks == ()
    assert found.known
    np.testing.assert_allclose(above_references(labelled_set(frames, energies))[:3], [0.0, 0.0, -10.7 / 3])


def test_a_free_atom_determines_its_element_and_with_it_the_other_one():
    found = find_references(labelled_set([Atoms("H"), water(0), water(1)], [-13.6, -469.9, -469.9]))
    assert found.energies == pytest.approx({"H": -13.6, "O": -442.7})
    assert found.origins == {"H": "free atom", "O": "fitted"}


def test_the_lowest_of_several_free_atoms_counts():
    frames = [Atoms("H"), Atoms("H"), Atoms("H"), Atoms("O")]
    weights = np.array([1.0, 1.0, 0.0, 1.0])
    found = find_references(labelled_set(frames, [-13.0, -13.6, -20.0, np.nan], weights=weights))
    assert found.energies == {"H": -13.6, "O": 0.0}
    assert found.origins == {"H": "free atom", "O": "no energies"}
    assert found.remarks == (
        "the 2 isolated atoms of H have energies from -13.6 to -13 eV: the lowest is the reference energy",
    )


def test_set_energies_replace_those_of_the_data():
    labelled = labelled_set([Atoms("H"), water(0)], [-13.6, -469.9])
    found = find_references(labelled, {"H": -12.0})
    assert found.energies == pytest.approx({"H": -12.0, "O": -445.9})
    assert found.origins == {"H": "set", "O": "fitted"}
    assert found.remarks == ("the reference energy of H is set to -12 eV, but its isolated atoms have -13.6 eV",)
    everything = find_references(labelled, {"H": -13.6, "O": -432.0})
    assert everything.energies == {"H": -13.6, "O": -432.0}
    assert everything.remarks == ()
    assert everything.text() == "reference energies in eV per atom: H -13.6 (set), O -432 (set)"


@pytest.mark.parametrize("formulas", [["H2O"], ["CH4O", "C2H6O"], ["CuO"]])
def test_energies_of_all_electrons_are_shared_as_those_of_free_atoms(formulas):
    free = {"H": -13.6, "C": -1029.5, "O": -2042.0, "Cu": -44640.0}
    frames = [chain(formula) for formula in formulas]
    energies = [sum(free[symbol] for symbol in atoms.symbols) - 4.0 * len(atoms) for atoms in frames]
    found = find_references(labelled_set(frames, energies)).energies
    for symbol, energy in found.items():
        assert energy == pytest.approx(free[symbol], rel=0.05, abs=20.0)


def test_two_compositions_of_three_elements():
    frames = [chain("CH4O"), chain("C2H6O")]
    found = find_references(labelled_set(frames, [-3153.0, -4210.0]))
    e = found.energies
    assert e["C"] + 4 * e["H"] + e["O"] == pytest.approx(-3153.0)
    assert 2 * e["C"] + 6 * e["H"] + e["O"] == pytest.approx(-4210.0)
    assert "tell apart the energies of H, C, O" in found.remarks[0]


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

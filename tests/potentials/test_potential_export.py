"""Potentials written for n2p2: read back, or refused."""

from __future__ import annotations

import shutil
from functools import cache

import numpy as np
import pytest
from support.golden_n2p2 import CASES, golden
from support.potential_folders import SETTINGS, same, write
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import ACSF, G2, G3, G4, Cutoff
from fastsf.errors import InputError, StorageError
from fastsf.potentials.potential import Potential
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.training.objective.initialization import initial_network


@cache
def potential() -> Potential:
    return random_potential()


@pytest.mark.parametrize("units", [("Angstrom", "eV"), ("Bohr", "Hartree")], ids=" ".join)
@pytest.mark.parametrize("case", CASES)
def test_exported_cases_read_back(shared, tmp_path, case, units):
    own = Potential.load(shared / "reference" / case, "Angstrom", "eV", threads=1)
    own.export_n2p2(tmp_path / "out", *units)
    again = Potential.load(tmp_path / "out", threads=1)  # the folder has its units
    assert {symbol: again.networks[symbol].sizes for symbol in again.elements} == {
        symbol: own.networks[symbol].sizes for symbol in own.elements
    }
    reference = golden(shared / "reference" / case)
    atoms = reference.atoms(reference.prefixes[-1])
    first, second = own.evaluate(atoms), again.evaluate(atoms)
    assert second.energy == pytest.approx(first.energy, rel=1e-12)
    assert np.abs(second.forces - first.forces).max() <= 1e-11 * np.abs(first.forces).max()


def plain(widths: dict[str, tuple[int, ...]], activations: dict[str, tuple[str, ...]] | None = None) -> Potential:
    """Return a potential of elements with one function each and networks with given hidden layers."""
    acsf = ACSF([G2(symbol, symbol, 0.5, 6.0) for symbol in widths], threads=1)
    networks, scalings = {}, {}
    for symbol, hidden in widths.items():
        names = (activations or {}).get(symbol, (*("tanh" for _ in hidden), "linear"))
        networks[symbol] = initial_network((1, *hidden, 1), names, rng=len(networks))
        scalings[symbol] = Scaling("scale", 0.0, 1.0, np.zeros(1), np.ones(1), np.zeros(1), np.ones(1))
    return Potential(acsf, networks, scalings)


def test_export_sorts_columns(tmp_path):
    """Rows of scaling.data and inputs of networks follow functions in another order than that of n2p2."""
    potential().export_n2p2(tmp_path / "first")
    first = Potential.load(tmp_path / "first", threads=1)
    sorted_functions = [function for symbol in first.elements for function in first.descriptor.columns[symbol]]
    own = potential()
    assert [f for symbol in own.elements for f in own.descriptor.columns[symbol]] != sorted_functions
    atoms = SYSTEMS["triclinic"]()
    expected = own.evaluate(atoms)
    found = first.evaluate(atoms)
    assert found.energy == pytest.approx(expected.energy, rel=1e-12)
    assert np.abs(found.forces - expected.forces).max() <= 1e-12 * np.abs(expected.forces).max()


def test_export_of_different_networks(tmp_path):
    own = plain({"H": (3, 5, 4), "C": (6, 5, 4), "O": (3, 5, 4)}, {"O": ("softplus", "cosine", "exp", "linear")})
    own.export_n2p2(tmp_path)
    text = (tmp_path / "input.nn").read_text()
    assert "element_nodes_short C 6 5 4" in text and "element_activation_short O p c e l" in text
    assert same(Potential.load(tmp_path), own)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (lambda: plain({"H": (3,), "O": (3, 3)}), "cannot be written: n2p2 expects the same number of hidden layers"),
        (lambda: plain({"H": (3, 4), "O": (3, 5)}), "found H 3 4 t t l; O 3 5 t t l"),
        (lambda: plain({"H": (3,), "O": (3,)}, {"H": ("tanh", "tanh")}), "cannot be written"),
        (
            lambda: plain({"H": (3,), "O": (3,), "C": (3,)}, {"H": ("exp", "linear"), "O": ("cosine", "linear")}),
            "other activations for at most one element",
        ),
        (lambda: with_function(G3("H", "H", 1.0, 6.0)), "has the form of G3"),
        (lambda: with_function(G4("H", ("H", "H"), 0.1, 1.0, 0.0, 6.0)), "lambda = 0"),
        (lambda: with_function(G4("H", ("H", "H"), 0.1, 1.0, 1.0, 6.0, rs=-0.5)), "negative shift"),
        (lambda: with_function(G2("H", "H", 0.1, Cutoff(5.0, "tanh3"))), "one cutoff type"),
    ],
)
def test_what_cannot_be_exported(tmp_path, own, said):
    with pytest.raises(InputError, match=said):
        own().export_n2p2(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def with_function(function: SymmetryFunction) -> Potential:
    base = plain({"H": (2,)})
    scaling = Scaling("scale", 0.0, 1.0, np.zeros(2), np.ones(2), np.zeros(2), np.ones(2))
    acsf = ACSF([*base.descriptor.functions, function])
    return Potential(acsf, {"H": initial_network((2, 2, 1), ("tanh", "linear"))}, {"H": scaling})


def test_different_scalings_cannot_be_exported(tmp_path):
    own = plain({"H": (2,), "O": (2,)})
    other = Scaling(
        "center", 0.0, 1.0, *(getattr(own.scalings["O"], n) for n in ("minimum", "maximum", "mean", "sigma"))
    )
    mixed = Potential(own.descriptor, own.networks, {**own.scalings, "O": other})
    with pytest.raises(InputError, match="the same scaling for all elements"):
        mixed.export_n2p2(tmp_path)


def test_export_does_not_overwrite(tmp_path):
    folder = write(tmp_path)
    own = Potential.load(folder)
    with pytest.raises(StorageError, match=r"input\.nn, scaling\.data, weights\.001\.data, .* would be overwritten"):
        own.export_n2p2(folder)
    assert (folder / "input.nn").read_text() == SETTINGS
    own.export_n2p2(folder, overwrite=True)
    assert Potential.load(folder).evaluate(SYSTEMS["element_absent"]()).energy == pytest.approx(
        own.evaluate(SYSTEMS["element_absent"]()).energy, rel=1e-13
    )
    shutil.rmtree(folder)
    folder.write_text("a file in the way")
    with pytest.raises(StorageError, match="cannot make the folder"):
        own.export_n2p2(folder)


def test_units_that_the_folder_tells(tmp_path):
    own = plain({"H": (2,)})
    own.export_n2p2(tmp_path, "Bohr", "Ha")
    assert Potential.load(tmp_path).descriptor.cutoff == pytest.approx(6.0, rel=1e-15)
    assert same(Potential.load(tmp_path, "bohr", "Hartree"), Potential.load(tmp_path))
    with pytest.raises(InputError, match=r"input\.nn:1: expected the unit of the file, Bohr; found Angstrom"):
        Potential.load(tmp_path, "Angstrom")
    with pytest.raises(InputError, match="expected the unit of the file, Ha; found eV"):
        Potential.load(tmp_path, energy_unit="eV")

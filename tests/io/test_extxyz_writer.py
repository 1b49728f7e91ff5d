"""Written frames of extended XYZ are read back by ASE in every bit."""

from io import StringIO

import numpy as np
import pytest
from ase import Atoms
from ase.io import read
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import REPEATABLE
from support.systems import SYSTEMS

from fastsf.io.extxyz import parse_frame
from fastsf.io.extxyz_writer import format_frame


def text_of(atoms: Atoms, info=None, columns=None) -> str:
    return format_frame(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, info or {}, columns or {})


def both(text: str, tmp_path):
    """Return structures as ASE and as fastsf read them."""
    return read(StringIO(text), format="extxyz"), parse_frame((1, text), tmp_path / "file", 0)


@pytest.mark.parametrize("name", SYSTEMS)
def test_structures_come_back(name, tmp_path):
    atoms = SYSTEMS[name]()
    for found in both(text_of(atoms), tmp_path):
        np.testing.assert_array_equal(found.positions, atoms.positions)
        np.testing.assert_array_equal(found.numbers, atoms.numbers)
        np.testing.assert_array_equal(found.cell, atoms.cell)
        np.testing.assert_array_equal(found.pbc, atoms.pbc)


def test_results_and_labels_come_back(tmp_path):
    rng = np.random.default_rng(4)
    atoms = SYSTEMS["triclinic"]()
    n = len(atoms)
    stress, forces = rng.normal(size=6), rng.normal(size=(n, 3)) * 10.0 ** rng.integers(-12, 12, (n, 3))
    columns = {"forces": forces, "energies": rng.normal(size=n), "outside": np.arange(n)}
    for found in both(text_of(atoms, {"energy": 1 / 3, "stress": stress, "REF_stress": stress}, columns), tmp_path):
        assert found.calc.results["energy"] == 1 / 3
        np.testing.assert_array_equal(found.calc.results["stress"], stress)
        np.testing.assert_array_equal(np.ravel(found.info["REF_stress"])[[0, 4, 8, 5, 2, 1]], stress)
        np.testing.assert_array_equal(found.calc.results["forces"], forces)
        np.testing.assert_array_equal(found.calc.results["energies"], columns["energies"])
        np.testing.assert_array_equal(found.arrays["outside"], columns["outside"])
        assert found.arrays["outside"].dtype.kind == "i"


def test_words_and_numbers_come_back(tmp_path):
    info = {
        **{"name": "bulk", "sentence": 'a "quoted" = {odd} [one] \\ here', "flag": True, "off": False, "whole": -3},
        **{"real": 1e-300, "row": np.array([1.5, -2.0, 3.25, 4.0]), "numbers": np.array([1, 2]), "Ä b": "é"},
    }
    for found in both(text_of(SYSTEMS["molecule"](), info), tmp_path):
        assert set(found.info) == set(info)
        for key, value in info.items():
            np.testing.assert_array_equal(found.info[key], value)


@REPEATABLE
@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1).map(lambda text: f"w {text}"))
def test_any_text_comes_back(text):
    found = read(StringIO(text_of(SYSTEMS["molecule"](), {"text": text})), format="extxyz")
    assert found.info["text"] == text


def test_lines_stay_lines():
    text = text_of(SYSTEMS["molecule"](), {"text": "two\nlines\r\n"})
    assert text.count("\n") == len(SYSTEMS["molecule"]()) + 2
    assert "\r" not in text

"""Labels under all names that are common in files, in any case; conversions, preference and what is not read."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from hypothesis import given
from hypothesis import strategies as st

from fastsf.errors import StructureError
from fastsf.io.label_names import LABELS, REFERENCES, STEMS, rank_of
from fastsf.io.labels import find_labels, labels_of
from fastsf.io.structures import iread_structures

FORCES = [[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]]
ENERGY_NAMES = (
    "REF_energy",
    "ref_energy",
    "Energy",
    "ENERGY",
    "E",
    "e",
    "TotEnergy",
    "total_energy",
    "TotalEnergy",
    "dft_energy",
    "DFT_energy",
    "energy_dft",
    "potential_energy",
    "free_energy",
    "E_tot",
    "Etot",
    "E_total",
    "QM_energy",
    "reference_energy",
    "target_energy",
    "dft_total_energy",
    "REF-energy",
    "energy_ref",
    "refEnergy",
    "vasp_energy",
    "toten",
    "TOTEN",
    "Epot",
    "pe",
    "DFT_E",
)
FORCES_NAMES = (
    "force",
    "Force",
    "FORCES",
    "Forces",
    "REF_forces",
    "ref_force",
    "REF_Forces",
    "dft_forces",
    "DFT_forces",
    "dft_force",
    "forces_dft",
    "f",
    "F",
    "frc",
    "atom_forces",
    "qm_forces",
    "reference_forces",
    "target_forces",
    "vasp_forces",
    "forces_ref",
    "RefForces",
    "cp2k_forces",
)
VOIGT = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
MATRIX = "1 6 5 6 2 4 5 4 3"


def read(tmp_path, comment="", column="forces", text=None):
    path = tmp_path / "a.xyz"
    given = f"Properties=species:S:1:pos:R:3:{column}:R:3 {comment}\nH 0 0 0 1 2 3\nH 1 0 0 -1 -2 -3\n"
    path.write_text("2\n" + (given if text is None else text))
    ((_, _, atoms),) = iread_structures(path)
    if isinstance(atoms, Exception):
        raise atoms
    return atoms


@pytest.mark.parametrize("name", ENERGY_NAMES)
def test_names_of_energies(tmp_path, name):
    found = find_labels(read(tmp_path, f"{name}=-4.5"), strict=True)
    assert found.values["energy"] == -4.5
    assert found.names == {"energy": name, "forces": "forces"}
    assert not found.unread


@pytest.mark.parametrize("name", FORCES_NAMES)
def test_names_of_forces(tmp_path, name):
    found = find_labels(read(tmp_path, "energy=-4.5", name), strict=True)
    np.testing.assert_array_equal(found.values["forces"], FORCES)
    assert found.names == {"energy": "energy", "forces": name}
    assert not found.unread


@pytest.mark.parametrize("name", ["gradient", "gradients", "Gradient", "dft_gradient", "grad"])
def test_gradients_are_minus_the_forces(tmp_path, name):
    atoms = read(tmp_path, "energy=1", name)
    for found in (find_labels(atoms, strict=True), find_labels(atoms, {"forces": name}, strict=False)):
        np.testing.assert_array_equal(found.values["forces"], -np.array(FORCES))
        assert found.names["forces"] == f"minus {name}"


@given(st.sampled_from(LABELS), st.data())
def test_every_name_is_known_in_any_case_and_with_any_punctuation(label, data):
    stem = data.draw(st.sampled_from(STEMS[label]))
    prefix = data.draw(st.sampled_from(("", *REFERENCES)))
    name = "".join(data.draw(st.sampled_from((letter, letter.upper()))) for letter in stem)
    sign = data.draw(st.sampled_from("_-.")) if prefix else ""
    place = rank_of(label, f"{prefix}{sign}{name}")
    assert place is not None
    assert (place[0] < len(REFERENCES)) == bool(prefix)
    assert [rank_of(other, name) for other in LABELS if other != label] == [None, None]


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (f'stress="{MATRIX}"', VOIGT),
        ('stress="1 2 3 4 5 6"', VOIGT),
        ("stress={1 2 3 4 5 6}", VOIGT),
        ('stress="[1, 2, 3, 4, 5, 6]"', VOIGT),
        ('Stress="1 2 3 4 5 6"', VOIGT),
        ('REF_stress="1 2 3 4 5 6"', VOIGT),
        (f'dft_stress="{MATRIX}"', VOIGT),
        ('virial="-60 -120 -180 -240 -300 -360"', VOIGT),
        ('virial="-60 -360 -300 -360 -120 -240 -300 -240 -180"', VOIGT),
        ('REF_virial="-60 -120 -180 -240 -300 -360"', VOIGT),
        ('Virial="-60 -120 -180 -240 -300 -360"', VOIGT),
        ("stress=None", None),
        ('stress="None"', None),
        ("", None),
    ],
)
def test_stresses_and_virials(tmp_path, comment, expected):
    atoms = read(tmp_path, f'energy=1 Lattice="3 0 0 0 4 0 0 0 5" {comment}')
    found = labels_of(atoms)
    assert sorted(found) == ["energy", "forces", *["stress"] * (expected is not None)]
    if expected is not None:
        np.testing.assert_allclose(found["stress"], expected, rtol=1e-14)


def test_a_virial_without_a_periodic_cell_is_left_out(tmp_path):
    found = find_labels(read(tmp_path, 'energy=1 virial="1 2 3 4 5 6"'), strict=True)
    assert sorted(found.values) == ["energy", "forces"]
    assert found.unusable == ("virial: a virial needs a cell that is periodic in all directions",)


@pytest.mark.parametrize(
    "comment", ["energy=nan", 'stress="1 2 3"', 'Lattice="3 0 0 0 4 0 0 0 5" stress="1 2 3 4 5 6 7 8 9"', "energy=low"]
)
def test_unusable_labels_matter_only_where_they_are_asked_for(tmp_path, comment):
    atoms = read(tmp_path, comment)
    found = find_labels(atoms, strict=False)
    assert list(found.values) == ["forces"]
    assert len(found.unusable) == 1
    with pytest.raises(StructureError):
        find_labels(atoms, strict=True)


def test_an_energy_is_no_boolean(tmp_path):
    with pytest.raises(StructureError, match="energy: expected numbers, found True"):
        labels_of(read(tmp_path, "energy=T"))


def test_references_are_preferred():
    atoms = Atoms("H2", info={"REF_energy": -2.0, "Energy": -1.5})
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0, forces=np.zeros((2, 3)))
    atoms.new_array("dft_forces", np.array(FORCES))
    found = find_labels(atoms, strict=True)
    assert found.values["energy"] == -2.0
    np.testing.assert_array_equal(found.values["forces"], FORCES)
    assert found.passed_over == (
        ("energy", "REF_energy", "energy"),
        ("energy", "REF_energy", "Energy"),
        ("forces", "dft_forces", "forces"),
    )
    assert labels_of(atoms, energy_key="energy", forces_key="none") == {"energy": -1.0}


@pytest.mark.parametrize(
    ("info", "array", "unread"),
    [
        ({"mace_energy": 1.0}, "mace_forces", [("energy", "mace_energy"), ("forces", "mace_forces")]),
        ({"energy_kcal": 1.0, "kinetic_energy": 2.0, "energy_std": 0.1}, "vel", [("energy", "energy_kcal")]),
        ({"enthalpy": 1.0, "energy_unit": "eV"}, "x", [("energy", "enthalpy"), ("forces", "x")]),
        ({"temperature": 300.0}, "velocities", []),
    ],
)
def test_keys_that_may_be_labels(info, array, unread):
    atoms = Atoms("H2", info=info)
    atoms.new_array(array, np.array(FORCES))
    assert list(find_labels(atoms, strict=False).unread) == unread


def test_lower_case_keys_and_columns_without_names(tmp_path):
    rows = "H 0 0 0 1 2 3\nH 1 0 0 -1 -2 -3\n"
    atoms = read(tmp_path, text=f"properties=species:S:1:pos:R:3:forces:R:3 energy = -1.5\n{rows}")
    assert labels_of(atoms)["energy"] == -1.5
    np.testing.assert_array_equal(labels_of(atoms)["forces"], FORCES)
    plain = read(tmp_path, text=f"energy=-1.5\n{rows}")
    assert find_labels(plain, strict=True).unread == (("forces", "columns_5_7"),)
    np.testing.assert_array_equal(labels_of(plain, forces_key="columns_5_7")["forces"], FORCES)

"""`fastsf convert` of data: labels keep their numbers through all formats, and losses are reported."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io import read, write

from fastsf.datasets import examples as data
from fastsf.datasets.convert import convert_data
from fastsf.datasets.frames import Reading
from fastsf.datasets.labelled import read_labelled
from fastsf.errors import InputError, StorageError
from fastsf.io.input_data import iread_input_data


def crystal() -> Atoms:
    atoms = Atoms("CuO", [[0.1, 0.2, 1 / 3], [1.5, 1.6, 1.7]], cell=[[3, 0, 0], [0.1, 3, 0], [0, 0.2, 3]], pbc=True)
    atoms.info = {"group": "bulk", "set": "train", "comment": "one", "number": 7}
    labels = {"energy": -1 / 3, "forces": np.array([[1, 2, 3], [-1, -2, -3]]) / 7, "stress": np.arange(6) / 11}
    atoms.calc = SinglePointCalculator(atoms, **labels, charges=np.array([1.5, -1.5]))
    return atoms


def molecule() -> Atoms:
    atoms = Atoms("H2", [[0, 0, 0], [0.7, 0, 0]])
    atoms.calc = SinglePointCalculator(atoms, energy=-2.0)
    return atoms


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data.extxyz"
    write(path, [crystal(), molecule()])
    return path


def test_packaged_data_through_input_data_and_back(run, tmp_path):
    source = data.path("ethanol")
    there, back = tmp_path / "ethanol.input.data.gz", tmp_path / "ethanol.xyz"
    status, out, err = run("convert", source, there, "--to-length-unit", "Bohr", "--to-energy-unit", "Hartree")
    assert (status, err) == (0, "")
    assert "499 structures, 4,491 atoms; energies of 499, forces of 499, stresses of 0" in out
    assert f"wrote {there}" in out
    assert run("convert", there, back, "--length-unit", "Bohr", "--energy-unit", "Hartree", "--quiet") == (0, "", "")
    first, second = read_labelled([source]), read_labelled([back])
    np.testing.assert_allclose(second.energies, first.energies, rtol=1e-15)
    for one, other in zip(first.structures, second.structures, strict=True):
        np.testing.assert_allclose(other.positions, one.positions, rtol=1e-15, atol=1e-15)
        np.testing.assert_array_equal(other.numbers, one.numbers)
    for one, other in zip(first.forces, second.forces, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-15)


def test_what_is_carried(file, tmp_path):
    convert_data([file], tmp_path / "a.extxyz")
    atoms = read(tmp_path / "a.extxyz", 0)
    assert atoms.info == crystal().info
    for name, value in read(file, 0).calc.results.items():
        np.testing.assert_array_equal(atoms.calc.results[name], value)
    convert_data([file], tmp_path / "input.data")
    first, second = iread_input_data(tmp_path / "input.data")
    assert first.info == {"comment": "one\ngroup=bulk number=7", "set": "train", "charge": 0.0}
    np.testing.assert_array_equal(first.calc.results["charges"], [1.5, -1.5])
    assert second.calc.results["energy"] == -2.0
    convert_data([tmp_path / "input.data"], tmp_path / "b.data")
    assert (tmp_path / "b.data").read_text().replace("comment\n", "") == (tmp_path / "input.data").read_text()


def test_unknown_forces_are_told(run, file, tmp_path):
    status, out, _ = run("convert", file, tmp_path / "input.data")
    assert status == 0
    assert "input.data has no stresses" in out
    assert "warning: 1 structure without forces; zeros are written" in out


def test_several_files_and_named_labels(run, file, tmp_path):
    other = tmp_path / "more.db"
    with connect(other) as database:
        database.write(molecule(), group="molecules", DFT=-9.0)
    output = tmp_path / "out.xyz"
    status, out, err = run("convert", file, other, output, "--energy-key", "DFT")
    assert (status, err) == (0, "")
    assert "3 structures, 6 atoms; energies of 1 (`DFT`), forces of 1" in out
    assert read(output, 2).calc.results["energy"] == -9.0
    assert read(output, 2).info["group"] == "molecules"
    status, _, err = run("convert", file, output, "--overwrite", "--energy-key", "gone")
    assert status == 2
    assert "no 'gone' in this structure" in err
    assert len(read(output, ":")) == 3, "what was there stays"


def test_structures_that_cannot_be_used_or_written(run, tmp_path):
    slab = crystal()
    slab.pbc = [True, True, False]
    source, output = tmp_path / "some.extxyz", tmp_path / "input.data"
    write(source, [crystal(), slab])
    with source.open("a") as file:
        file.write("1\nenergy=nan\nH 0 0 0\n")
    status, _, err = run("convert", source, output)
    assert status == 2
    assert re.fullmatch(r"fastsf: .*some.extxyz, frame 1: input.data: expected period.*; --on-error skip .*\n", err)
    assert not output.exists()
    status, out, _ = run("convert", source, output, "--on-error", "skip")
    assert status == 0
    assert "1 structure, 2 atoms" in out
    assert "left out: " in out and "frame 1: input.data: expected periodicity" in out and "frame 2: energy: not" in out
    source.write_text("1\nenergy=nan\nH 0 0 0\n")
    status, _, err = run("convert", source, output, "--on-error", "skip", "--overwrite")
    assert status == 2
    assert "no structure can be written: 1 structure left out, first " in err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("data.extxyz", "out"), "expected a name that ends with .data, .extxyz or .xyz"),
        (("data.extxyz", "out.xyz", "--to-length-unit", "Bohr"), "extended XYZ is in Å and eV"),
        (("data.extxyz", "out.h5", "--to", "fastsf"), "format of data: expected input.data or extxyz, found 'fastsf'"),
        (("data.extxyz", "data.extxyz", "--overwrite"), "is an input"),
        (("data.extxyz", "no/out.xyz"), "there is no folder"),
        (("data.extxyz", "gone.xyz", "out.xyz"), "gone.xyz"),
        (("data.extxyz", "there.xyz"), "already exists"),
        (("data.extxyz", "out.data", "--to-energy-unit", "erg"), "unknown energy unit 'erg'"),
        (("text.txt", "out.data"), "text.txt"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(run, file, tmp_path, monkeypatch, words, reason):
    monkeypatch.chdir(tmp_path)
    for name in ("there.xyz", "text.txt"):
        (tmp_path / name).write_text("precious")
    before = sorted(path.name for path in tmp_path.iterdir())
    status, _, err = run("convert", *words)
    assert status == 2
    assert re.fullmatch(rf"fastsf( convert)?: .*{reason}.*\n", err), err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_unknown_kind(file, tmp_path):
    with pytest.raises(InputError, match="found 'cif'"):
        convert_data([file], tmp_path / "out.cif", "cif")
    with pytest.raises(StorageError, match="there is no folder"):
        convert_data([file], tmp_path / "no" / "out.xyz")
    conversion = convert_data([file], tmp_path / "out", "extxyz", Reading(on_error="skip"))
    assert (conversion.structures, conversion.with_energy, conversion.with_forces) == (2, 2, 1)

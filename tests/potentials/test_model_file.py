"""Model files: read back in every bit, or refused."""

from __future__ import annotations

import json
from functools import cache

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.golden_n2p2 import CASES
from support.potential_folders import same
from support.potentials import random_potential
from support.strategies import REPEATABLE
from support.systems import SYSTEMS

from fastsf import ACSF
from fastsf.errors import FormatError, InputError, StorageError
from fastsf.potentials.potential import Potential


@cache
def potential() -> Potential:
    return random_potential()


def test_saved_and_loaded(tmp_path):
    path = tmp_path / "model.fastsf"
    potential().save(path)
    again = Potential.load(path, threads=1)
    assert same(again, potential()) and again.metadata == {"made": "at random"}
    assert list(tmp_path.iterdir()) == [path]
    atoms = SYSTEMS["slab"]()
    first, second = potential().evaluate(atoms), again.evaluate(atoms)
    assert first.energy == second.energy
    np.testing.assert_array_equal(first.forces, second.forces)


@pytest.mark.parametrize("case", CASES)
def test_reference_cases_are_saved_to_the_last_bit(shared, tmp_path, case):
    own = Potential.load(shared / "reference" / case, "Bohr", "Hartree")
    own.save(tmp_path / "model")
    assert same(Potential.load(tmp_path / "model"), own)


def test_the_file_says_what_it_is(tmp_path):
    path = tmp_path / "model"
    potential().save(path)
    assert path.read_bytes().startswith(b"fastsf potential, HDF5 from byte 512\nsha256 ")
    with h5py.File(path, "r") as file:
        assert (file.attrs["length_unit"], file.attrs["energy_unit"]) == ("Angstrom", "eV")
        assert set(file["elements"]) == {"H", "O", "S"}
        assert file["elements/O/network/weights/0"].shape == (10, 6)
        assert ACSF.from_dict(json.loads(file["definition"].asstr()[()])).elements == ("H", "O", "S")


def test_files_that_are_something_else(tmp_path):
    path = tmp_path / "model"
    for junk in (b"", b"elements H\n", b"\x89HDF\r\n\x1a\n" + bytes(600)):
        path.write_bytes(junk)
        with pytest.raises(FormatError, match="expected a potential written by fastsf"):
            Potential.load(path)
    potential().save(path)
    with pytest.raises(InputError, match="a model file has its own"):
        Potential.load(path, "Bohr")


@REPEATABLE
@given(st.data())
def test_damaged_files_are_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("model") / "model"
    potential().save(path)
    whole = path.read_bytes()
    if data.draw(st.booleans()):
        broken = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        at = data.draw(st.integers(0, len(whole) - 1))
        broken = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    path.write_bytes(broken)
    with pytest.raises(FormatError, match="model"):
        Potential.load(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.attrs.modify("version", 3), "expected a version up to 2, found 3"),
        (lambda file: file.attrs.modify("length_unit", "Bohr"), "expected the length_unit Angstrom, found Bohr"),
        (lambda file: file.pop("elements/O"), "the potential is incomplete"),
        (lambda file: file.pop("elements/O/network/weights/1"), "the potential is incomplete"),
        (
            lambda file: file["elements/O/scaling"].attrs.modify("mode", "log"),
            "scaling: expected one of none, .*, found 'log'",
        ),
        (lambda file: file.pop("metadata"), "the potential is incomplete"),
    ],
)
def test_files_that_lack_something(tmp_path, monkeypatch, change, said):
    from fastsf.potentials.files import model_file

    fill = model_file._fill

    def fill_and_change(file, parts):
        fill(file, parts)
        change(file)

    monkeypatch.setattr(model_file, "_fill", fill_and_change)
    potential().save(tmp_path / "model")
    with pytest.raises(FormatError, match=said):
        Potential.load(tmp_path / "model")


def test_a_file_is_replaced_only_when_it_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "model"
    potential().save(path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StorageError, match="no space left"):
        potential().save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]

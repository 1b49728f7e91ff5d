"""Labelled sets: labels, units, groups, weights and subsets from files; errors and their messages."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io import write
from ase.units import Bohr, Hartree
from support.labelled_sets import labelled_set, water

from fastsf.datasets.frames import Reading
from fastsf.datasets.labelled import LabelledSet, read_labelled
from fastsf.errors import InputError, StorageError, StructureError
from fastsf.io.input_data_writer import write_input_data

FRAME = """\
2
Properties=species:S:1:pos:R:3:{forces}:R:3 {comment}
H 0.0 0.0 0.0 1.0 2.0 3.0
O 1.0 0.0 0.0 -1.0 -2.0 {last}
"""


def frame(comment: str = "", forces: str = "forces", last: str = "-3.0") -> str:
    return FRAME.format(forces=forces, comment=comment, last=last)


@pytest.fixture
def file(tmp_path):
    def write_text(*frames: str, name: str = "data.extxyz"):
        path = tmp_path / name
        path.write_text("".join(frames))
        return path

    return write_text


def test_labels_groups_weights_and_subsets(file):
    box = 'Lattice="3 0 0 0 4 0 0 0 5" stress="1 6 5 6 2 4 5 4 3"'
    path = file(
        frame("energy=-1.5 group=a weight=2 set=test"),
        frame(f"{box} config_type=7"),
        frame("energy=3", forces="other"),
        frame('stress="1 0 0 0 1 0 0 0 1"'),
    )
    found = read_labelled([path])
    assert len(found) == 4
    np.testing.assert_array_equal(found.energies, [-1.5, np.nan, 3.0, np.nan])
    np.testing.assert_array_equal(found.forces[1], [[1, 2, 3], [-1, -2, -3]])
    assert found.forces[2] is None
    np.testing.assert_array_equal(found.stresses[1], [1, 2, 3, 4, 5, 6])
    assert np.isnan(found.stresses[[0, 2, 3]]).all(), "there is no stress without a volume"
    assert found.groups == ["a", "7", "", ""]
    np.testing.assert_array_equal(found.weights, [2, 1, 1, 1])
    assert found.subsets == ["test", "", "", ""]
    assert found.sources[3] == f"{path}, frame 3"
    assert found.files == [str(path)] * 4
    assert (found.elements, found.n_atoms.tolist(), found.skipped) == (["H", "O"], [2, 2, 2, 2], [])


def test_named_keys(file):
    comment = "energy=1 REF_energy=2 kind=x importance=0.5"
    path = file(frame(comment, forces="REF_forces"), frame("REF_energy=3 energy=2"))
    reading = Reading(energy_key="REF_energy", forces_key="REF_forces")
    found = read_labelled([path], reading, group_key="kind", weight_key="importance")
    np.testing.assert_array_equal(found.energies, [2, 3])
    assert found.forces[0] is not None and found.forces[1] is None
    assert found.groups == ["x", ""]
    np.testing.assert_array_equal(found.weights, [0.5, 1.0])


def test_units_patterns_and_several_files(tmp_path):
    atoms = Atoms("H2", [[0, 0, 0], [1.0, 0, 0]])
    atoms.calc = SinglePointCalculator(atoms, energy=2.0, forces=np.ones((2, 3)))
    write_input_data(tmp_path / "a-input.data", [atoms], "Bohr", "Hartree")
    write(tmp_path / "b.traj", [atoms, atoms])
    reading = Reading("Bohr", "Hartree")
    found = read_labelled([tmp_path / "*.data", str(tmp_path / "b.traj")], reading)
    np.testing.assert_allclose(found.energies, 2.0, rtol=1e-15)
    np.testing.assert_allclose([each.positions[1, 0] for each in found.structures], 1.0, rtol=1e-15)
    raw = read_labelled([tmp_path / "a-input.data"])
    np.testing.assert_allclose(raw.energies, 2.0 / Hartree, rtol=1e-15)
    np.testing.assert_allclose(raw.forces[0], Bohr / Hartree, rtol=1e-15)


def test_key_value_pairs_of_databases(tmp_path):
    path = tmp_path / "data.db"
    with connect(path) as database:
        for number in range(2):
            atoms = water(number)
            atoms.calc = SinglePointCalculator(atoms, energy=float(number))
            database.write(atoms, group="mine", weight=3, set="train")
    found = read_labelled([path])
    assert (found.groups, found.subsets) == (["mine"] * 2, ["train"] * 2)
    np.testing.assert_array_equal(found.weights, [3.0, 3.0])


BAD_FRAMES = [
    (frame("energy=1", last="nan"), "frame 1: forces: not finite on atom 1"),
    (frame("energy=nan"), "frame 1: energy: not finite"),
    (frame("energy=1 weight=-1"), "frame 1: weight: expected a finite number of at least 0, found -1"),
    (frame("energy=1 weight=T"), "frame 1: weight: .* found True"),
    (frame("energy=1 set=holdout"), "frame 1: set: expected train, validation or test, found 'holdout'"),
    (frame("E=1", forces="F"), "frame 1: no energy, forces or stress in .* info: E; arrays: numbers, positions, F"),
    (frame("energy=1", last="x"), "frame 1: "),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_FRAMES)
def test_bad_structures_stop_or_are_listed(file, bad, reason):
    path = file(frame("energy=1"), bad, frame("energy=3"))
    with pytest.raises(InputError, match=reason):
        read_labelled([path])
    found = read_labelled([path], Reading(on_error="skip"))
    np.testing.assert_array_equal(found.energies, [1.0, 3.0])
    assert found.sources == [f"{path}, frame 0", f"{path}, frame 2"]
    (omitted,) = found.skipped
    assert omitted.startswith(f"{path}, frame 1: ") or omitted.startswith(f"{path}:")


def test_nothing_usable(file, tmp_path):
    path = file(frame("E=1 x=2", forces="F"))
    with pytest.raises(StructureError, match=r"info: E, x; arrays: .* F"):
        read_labelled([path])
    with pytest.raises(InputError, match=r"no structure can be used: 1 structure left out, first .* info: E, x;"):
        read_labelled([path], Reading(on_error="skip"))
    with pytest.raises(StorageError, match="no such file"):
        read_labelled([tmp_path / "gone.extxyz"])
    with pytest.raises(StorageError, match="no file matches"):
        read_labelled([tmp_path / "*.traj"])
    with pytest.raises(InputError, match="expected at least one file of structures"):
        read_labelled([])


def test_keys_that_are_nowhere(file):
    path = file(frame("energy=1 REF=2 kind=a"))
    for name in ("energy", "forces", "stress"):
        with pytest.raises(InputError, match=r"no 'gone' in this structure; available keys: .*REF, kind"):
            read_labelled([path], Reading(**{f"{name}_key": "gone"}))
    for name in ("group", "weight"):
        with pytest.raises(InputError, match="no structure has the key 'gone'; there are REF, kind"):
            read_labelled([path], **{f"{name}_key": "gone"})


def test_selecting_weighting_and_joining():
    whole = labelled_set([water(k) for k in range(4)], groups=["a", "b", "a", ""], weights=np.array([1.0, 2, 3, 4]))
    some = whole.select([2, 0])
    np.testing.assert_array_equal(some.energies, whole.energies[[2, 0]])
    assert some.forces[0] is whole.forces[2]
    assert (some.groups, some.sources[1]) == (["a", "a"], whole.sources[0])
    assert whole.select(np.array([False, True, False, True])).groups == ["b", ""]
    assert len(whole.select([])) == 0
    np.testing.assert_array_equal(whole.weighted({"a": 10.0, "b": 0.0}).weights, [10, 0, 30, 4])
    np.testing.assert_array_equal(whole.weights, [1, 2, 3, 4])
    with pytest.raises(InputError, match="no structure has the group 'c'; there are a, b"):
        whole.weighted({"c": 1.0})
    with pytest.raises(InputError, match="weight of group 'a': expected a finite number of at least 0, found nan"):
        whole.weighted({"a": float("nan")})
    both = LabelledSet.joined([some, whole])
    assert both.groups == some.groups + whole.groups
    np.testing.assert_array_equal(both.stresses.shape, (6, 6))
    np.testing.assert_array_equal(both.n_atoms, [3] * 6)


def test_lengths_must_agree():
    with pytest.raises(InputError, match="groups: expected 2, one per structure, found 1"):
        labelled_set([water(0), water(1)], groups=["a"])


def test_data_of_the_benchmark(shared):
    found = read_labelled([shared / "data" / "Si_train.extxyz.gz"])
    assert len(found) == 214
    assert set(found.groups) == {"AIMD-NVT", "Elastic", "Surface", "Vacancy"}
    assert np.isfinite(found.energies).all() and np.isfinite(found.stresses).all()
    assert all(each is not None for each in found.forces)

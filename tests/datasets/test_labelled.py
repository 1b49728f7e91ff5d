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

from fastsf.datasets.checks.names import check_names_of_labels, check_placeholders
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
    (frame("mine=1", forces="x"), "frame 1: no energy, .* or stress in .* info: mine; arrays: numbers, positions, x"),
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
    path = file(frame("mine=1 x=2", forces="y"))
    with pytest.raises(StructureError, match=r"info: mine, x; arrays: .* y"):
        read_labelled([path])
    with pytest.raises(InputError, match=r"no structure can be used: 1 structure left out, first .* info: mine, x;"):
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


def test_subsets_under_other_names_and_keys(file):
    names = ["train", "Training", "val", "valid", "Validation", "VALID", "test", "TESTING"]
    expected = ["train"] * 2 + ["validation"] * 4 + ["test"] * 2
    for key in ("set", "split"):
        path = file(*(frame(f"energy=1 {key}={name}") for name in names))
        found = read_labelled([path], set_key=None if key == "set" else key)
        assert found.subsets == expected
    with pytest.raises(InputError, match="no structure has the key 'fold'"):
        read_labelled([path], set_key="fold")
    with pytest.raises(InputError, match=r"found 'a'; --set-key \(set_key in \[data\]\) names another key"):
        read_labelled([file(frame("energy=1 set=a"))])


def test_config_weights(file):
    path = file(frame("energy=1 config_weight=0.5"), frame("energy=1 weight=2 config_weight=3"), frame("energy=1"))
    np.testing.assert_array_equal(read_labelled([path]).weights, [0.5, 2.0, 1.0])


def test_account_of_labels(file):
    path = file(
        frame("REF_energy=1 energy=2", forces="REF_forces"),
        frame("REF_energy=3 energy=3", forces="REF_forces"),
        frame("energy=3", forces="vector"),
    )
    labelled = read_labelled([path])
    account = labelled.account
    assert account.text() == (
        "energies of 3 (`REF_energy` 2, `energy` 1), forces of 2 (`REF_forces`), stresses of 0 structures"
    )
    assert LabelledSet.joined([labelled, labelled]).account.count("energy") == 6
    assert account.remarks() == [
        "energies are read from `REF_energy`, a reference, and not from `energy`, which differs in 1 structure; "
        "--energy-key energy (energy_key in [data]) reads the latter",
        "1 structure without forces, but with `vector`, which is not read (are three real numbers of each atom): "
        "--forces-key vector (forces_key in [data]) reads it as forces",
        "energies have several names (`REF_energy` 2, `energy` 1): are those of `energy` references too? "
        "--energy-key REF_energy (energy_key in [data]) reads only this one",
    ]
    kinds = [(each.kind, each.level) for each in check_names_of_labels(labelled)]
    assert kinds == [("labels", "serious"), ("labels", "serious"), ("labels", "note")]
    plain = read_labelled([file(frame("energy=1"), frame("energy=2"))])
    assert (plain.account.text(), plain.account.remarks()) == (
        "energies of 2, forces of 2, stresses of 0 structures",
        [],
    )


def test_placeholders_for_energies(file):
    shown = [frame("energy=0", last=f"-{k}.0") for k in range(1, 5)]
    (finding,) = check_placeholders(read_labelled([file(*shown)]))
    assert (finding.kind, finding.level, finding.structures) == ("labels", "serious", (0, 1, 2, 3))
    assert finding.message.startswith("all energies of 4 structures are 0 eV although the forces differ")
    reading = Reading(energy_key="none")
    assert not list(check_placeholders(read_labelled([file(*shown)], reading)))
    varied = [frame(f"energy={k}", last=f"-{k}.0") for k in range(1, 5)]
    assert not list(check_placeholders(read_labelled([file(*varied)])))
    assert not list(check_placeholders(read_labelled([file(*[frame("energy=2")] * 4)]))), "one structure, repeated"

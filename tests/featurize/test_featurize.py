"""Contents of feature files."""

import json

import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from support.featurizing import assert_same_contents, descriptor, silicon, structures, water, write_data

import fastsf
from fastsf import ACSF, InputError, StorageError, StructureError
from fastsf.errors import FormatError
from fastsf.featurize import chunks
from fastsf.featurize.reader import FeatureFile
from fastsf.featurize.run import Options, Reading, featurize


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data.xyz")


def make(data, options=None, reading=None, name="out.h5", **more):
    output = data.parent / name
    return featurize([data], output, descriptor(), options or Options(), reading, **more), output


def test_records_hold_what_the_descriptor_and_the_data_give(data):
    summary, output = make(data)
    images, acsf = read(data, ":"), descriptor()
    assert (summary.structures, summary.atoms) == (12, 66)
    assert (summary.with_energy, summary.with_forces, summary.with_stress) == (12, 12, 6)
    with FeatureFile(output) as file:
        assert len(file) == len(images)
        assert file.elements == ("H", "O", "Si")
        assert file.labels == acsf.labels
        for number, (record, atoms) in enumerate(zip(file, images, strict=True)):
            np.testing.assert_array_equal(record.features, acsf.create(atoms))
            np.testing.assert_array_equal(record.numbers, atoms.numbers)
            np.testing.assert_array_equal(record.positions, atoms.positions)
            np.testing.assert_array_equal(record.cell, atoms.cell.array)
            np.testing.assert_array_equal(record.pbc, atoms.pbc)
            assert record.energy == atoms.calc.results["energy"]
            np.testing.assert_array_equal(record.forces, atoms.calc.results["forces"])
            assert (record.stress is None) == ("stress" not in atoms.calc.results)
            if record.stress is not None:
                np.testing.assert_array_equal(record.stress, atoms.calc.results["stress"])
            assert (record.path, record.frame) == (str(data), number)
            assert record.derivatives is None


def test_definition_makes_an_equal_descriptor(data):
    _, output = make(data)
    with FeatureFile(output) as file:
        again = ACSF.from_dict(file.definition)
        assert again.functions == descriptor().functions
        assert file.hdf5.attrs["fastsf"] == fastsf.__version__
        assert file.manifest["identity"]["inputs"][0]["path"] == str(data)


def test_every_number_has_a_unit(data):
    _, output = make(data, Options(derivatives=True, scale=True))
    without = []
    with h5py.File(output) as file:
        file.visititems(
            lambda name, item: (
                without.append(name)
                if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub" and "units" not in item.attrs
                else None
            )
        )
        assert file["atoms/force"].attrs["units"] == "eV/Angstrom"
        assert file["derivatives/data"].attrs["units"] == "1/Angstrom"
    assert without == []


@pytest.mark.parametrize("chunk_atoms", [1, 20, 10**6])
def test_chunks_do_not_show(data, chunk_atoms):
    _, one = make(data, Options(derivatives=True), name="one.h5")
    _, other = make(data, Options(derivatives=True, chunk_atoms=chunk_atoms), name="other.h5")
    assert_same_contents(one, other)


def test_single_precision_is_rounded_double_precision(data):
    _, double = make(data, Options(derivatives=True), name="double.h5")
    _, single = make(data, Options(derivatives=True, float32=True), name="single.h5")
    with FeatureFile(double) as wide, FeatureFile(single) as narrow:
        assert narrow.hdf5["features"].dtype == np.float32
        assert narrow.hdf5["derivatives/data"].dtype == np.float32
        np.testing.assert_array_equal(narrow.hdf5["features"][:], wide.hdf5["features"][:].astype(np.float32))


def test_derivatives_count_atoms_within_their_structure(data):
    _, output = make(data, Options(derivatives=True, chunk_atoms=30))
    acsf = descriptor()
    with FeatureFile(output) as file:
        for record, atoms in zip(file, read(data, ":"), strict=True):
            dense, _ = acsf.derivatives(atoms)
            found = record.derivatives.dense(len(atoms), acsf.n_features)
            np.testing.assert_allclose(found, dense, rtol=1e-13, atol=1e-15)


def test_statistics_are_those_of_the_columns(data):
    _, output = make(data, Options(scale=True, chunk_atoms=20))
    _, plain = make(data, name="plain.h5")
    with FeatureFile(output) as file, FeatureFile(plain) as without:
        features, numbers = file.hdf5["features"][:], file.hdf5["atoms/number"][:]
        stored, computed = file.statistics(), without.statistics()
        assert "statistics" not in without.hdf5
    for symbol, number, width in (("H", 1, 3), ("O", 8, 3), ("Si", 14, 7)):
        rows = features[numbers == number][:, :width]
        for found in (stored[symbol], computed[symbol]):
            assert found.count == len(rows)
            np.testing.assert_array_equal(found.minimum, rows.min(axis=0))
            np.testing.assert_array_equal(found.maximum, rows.max(axis=0))
            np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-14)
            np.testing.assert_allclose(found.sigma, rows.std(axis=0, ddof=1), rtol=1e-12)


def test_several_files_of_several_kinds(tmp_path):
    images = structures(6)
    paths = [tmp_path / "a.xyz.gz", tmp_path / "b.traj", tmp_path / "c.db"]
    for path, part in zip(paths, (images[:1], images[1:4], images[4:]), strict=True):
        write(path, part)
    featurize(paths, tmp_path / "out.h5", descriptor(), Options(chunk_atoms=10))
    with FeatureFile(tmp_path / "out.h5") as file:
        origin = [(record.path, record.frame) for record in file]
        assert [record.energy for record in file] == pytest.approx([a.get_potential_energy() for a in images])
    assert origin == [(str(paths[k]), n) for k, n in ((0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1))]


def test_same_run_gives_the_same_bytes(data, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    options = Options(derivatives=True, scale=True, chunk_atoms=20)
    first = make(data, options)[1].read_bytes()
    second = make(data, options, overwrite=True)[1].read_bytes()
    assert first == second


# --- labels ---


def test_labels_that_no_structure_has_are_left_out(tmp_path):
    data = write_data(tmp_path / "data.xyz", structures(4, labelled=False))
    summary, output = make(data)
    assert (summary.with_energy, summary.with_forces, summary.with_stress) == (0, 0, 0)
    with FeatureFile(output) as file:
        assert "atoms/force" not in file.hdf5
        assert "structures/energy" not in file.hdf5
        assert file[0].energy is None
        assert file[0].forces is None


def test_labels_that_some_structures_have_are_nan_elsewhere(tmp_path):
    rng = np.random.default_rng(3)
    data = write_data(tmp_path / "data.xyz", [water(rng, False), water(rng), silicon(rng, False)])
    _, output = make(data)
    with FeatureFile(output) as file:
        np.testing.assert_array_equal(file.hdf5["structures/has_energy"][:], [False, True, False])
        np.testing.assert_array_equal(np.isnan(file.hdf5["structures/energy"][:]), [True, False, True])
        force = file.hdf5["atoms/force"][:]
        assert np.isnan(force[:3]).all()
        assert np.isfinite(force[3:6]).all()
        assert np.isnan(force[6:]).all()
        assert file[0].energy is None


def keyed(rng, with_forces):
    atoms = water(rng)
    atoms.info["REF_energy"] = -5.0
    if with_forces:
        atoms.arrays["REF_forces"] = rng.normal(size=(3, 3))
    return atoms


def test_named_labels_replace_the_usual_ones(tmp_path):
    rng = np.random.default_rng(4)
    images = [keyed(rng, True), keyed(rng, False)]
    data = write_data(tmp_path / "data.xyz", images)
    _, output = make(data, reading=Reading(energy_key="REF_energy", forces_key="REF_forces"))
    with FeatureFile(output) as file:
        assert [record.energy for record in file] == [-5.0, -5.0]
        np.testing.assert_allclose(file[0].forces, images[0].arrays["REF_forces"], atol=1e-8)
        assert file[1].forces is None  # not those of the calculator


def test_named_label_that_is_nowhere_tells_what_is_there(tmp_path):
    rng = np.random.default_rng(4)
    data = write_data(tmp_path / "data.xyz", [keyed(rng, True)])
    with pytest.raises(InputError, match=r"data\.xyz, frame 0: no 'E'.*REF_energy"):
        make(data, reading=Reading(energy_key="E"))
    assert not (tmp_path / "out.h5.parts").exists()


# --- structures that cannot be used ---


def broken_structures():
    rng = np.random.default_rng(5)
    good = [water(rng), silicon(rng), water(rng)]
    nan = water(rng)
    nan.positions[1, 2] = np.nan
    gold = Atoms("Au")
    flat = silicon(rng)
    flat.set_cell([[1, 0, 0], [2, 0, 0], [0, 0, 1]])
    endless = water(rng)
    endless.positions[0, 0] = np.inf
    return [good[0], nan, gold, good[1], flat, endless, good[2]]


REASONS = [
    (1, "position of atom 1 is not finite"),
    (2, "no functions for element Au"),
    (4, "no volume"),
    (5, "position of atom 0 is not finite"),
]


@pytest.mark.parametrize(("frame", "reason"), REASONS)
def test_bad_structure_stops_the_run_with_its_place(tmp_path, frame, reason):
    data = tmp_path / "data.traj"
    write(data, [broken_structures()[0], broken_structures()[frame]])
    with pytest.raises(StructureError, match=rf"data\.traj, frame 1: .*{reason}"):
        make(data)


@pytest.mark.parametrize("chunk_atoms", [1, 1000])
def test_bad_structures_are_skipped_and_listed(tmp_path, chunk_atoms):
    data = tmp_path / "data.traj"
    write(data, broken_structures())
    summary, output = make(data, Options(chunk_atoms=chunk_atoms), Reading(on_error="skip"))
    assert summary.structures == 3
    with FeatureFile(output) as file:
        assert [record.frame for record in file] == [0, 3, 6]
        assert [row.frame for row in file.skipped] == [frame for frame, _ in REASONS]
        for row, text, (_, reason) in zip(file.skipped, summary.skipped, REASONS, strict=True):
            assert row.path == str(data)
            assert row.reason == text
            assert reason in text


def test_structure_that_only_the_descriptor_refuses_is_found_in_its_chunk(data, monkeypatch):
    real = ACSF.evaluate_batch

    def picky(self, batch, jacobian=False):
        if any(len(structure) == 8 and structure.positions[0, 0] > 0 for structure in batch):
            raise InputError("cutoff far too long for the cell")
        return real(self, batch, jacobian=jacobian)

    monkeypatch.setattr(ACSF, "evaluate_batch", picky)
    bad = [n for n, atoms in enumerate(read(data, ":")) if len(atoms) == 8 and atoms.positions[0, 0] > 0]
    assert bad
    with pytest.raises(StructureError, match=rf"data\.xyz, frame {bad[0]}: cutoff far too long"):
        make(data)
    summary, output = make(data, Options(derivatives=True), Reading(on_error="skip"))
    assert summary.structures == 12 - len(bad)
    with FeatureFile(output) as file:
        assert [row.frame for row in file.skipped] == bad


def test_frame_that_breaks_off_is_reported_and_the_rest_read(data):
    lines = data.read_text().splitlines()
    del lines[3]  # an atom of the first frame
    data.write_text("\n".join(lines) + "\n")
    with pytest.raises(FormatError, match=r"data\.xyz:1, frame 0: expected 3 atoms"):
        make(data)
    summary, _ = make(data, reading=Reading(on_error="skip"))
    assert summary.structures == 11
    assert len(summary.skipped) == 1


def test_empty_file_among_others(data):
    empty = data.with_name("empty.xyz")
    empty.touch()
    output = data.with_name("out.h5")
    with pytest.raises(FormatError, match=r"empty\.xyz: the file is empty"):
        featurize([empty, data], output, descriptor())
    summary = featurize([empty, data], output, descriptor(), reading=Reading(on_error="skip"))
    assert summary.structures == 12
    with FeatureFile(output) as file:
        assert [(row.path, row.frame) for row in file.skipped] == [(str(empty), -1)]


def test_nothing_left_is_an_error(tmp_path):
    data = tmp_path / "data.traj"
    write(data, [Atoms("Au"), Atoms("Ag")])
    with pytest.raises(InputError, match="no structure can be used: 2 structures left out"):
        make(data, reading=Reading(on_error="skip"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.traj"]


# --- files ---


def test_complete_file_is_not_made_again(data, monkeypatch):
    make(data)
    monkeypatch.setattr(ACSF, "evaluate_batch", None)
    summary, _ = make(data)
    assert summary.complete_before
    assert (summary.structures, summary.atoms, summary.with_stress) == (12, 66, 6)


def test_other_run_is_refused_until_overwritten(data):
    make(data)
    with pytest.raises(InputError, match=r"float32 was False, is True.*--overwrite"):
        make(data, Options(float32=True))
    summary, output = make(data, Options(float32=True), overwrite=True)
    assert not summary.complete_before
    with FeatureFile(output) as file:
        assert file.hdf5["features"].dtype == np.float32


def test_changed_input_is_noticed(data):
    make(data)
    data.write_text(data.read_text() + "\n")
    with pytest.raises(InputError, match=r"input files have changed: .*data\.xyz"):
        make(data)


def test_foreign_output_is_not_replaced_by_accident(data):
    output = data.with_name("out.h5")
    output.write_text("a thesis")
    with pytest.raises(FormatError, match="expected a feature file"):
        make(data)
    assert output.read_text() == "a thesis"


def test_output_that_cannot_be(data, tmp_path):
    with pytest.raises(StorageError, match="it is a folder"):
        featurize([data], tmp_path, descriptor())
    with pytest.raises(StorageError, match="there is no folder"):
        featurize([data], tmp_path / "no" / "out.h5", descriptor())


def test_inputs_that_cannot_be(data, tmp_path):
    output = tmp_path / "out.h5"
    with pytest.raises(StorageError, match=r"gone\.xyz: no such file"):
        featurize([tmp_path / "gone.xyz"], output, descriptor())
    with pytest.raises(InputError, match="given twice"):
        featurize([data, tmp_path / "." / "data.xyz"], output, descriptor())
    with pytest.raises(InputError, match="expected at least one input file"):
        featurize([], output, descriptor())
    with pytest.raises(InputError, match=r"data\.xyz is an input"):
        featurize([data], tmp_path / "." / "data.xyz", descriptor(), overwrite=True)
    with pytest.raises(StorageError, match="expected a regular file, found a folder"):
        featurize([tmp_path], output, descriptor())
    with pytest.raises(InputError, match="chunk_atoms"):
        featurize([data], output, descriptor(), Options(chunk_atoms=0))


def test_feature_file_says_what_is_wrong(data, tmp_path):
    with pytest.raises(StorageError, match="no such file"):
        FeatureFile(tmp_path / "gone.h5")
    with pytest.raises(StorageError, match="found a folder"):
        FeatureFile(tmp_path)
    with pytest.raises(FormatError, match="expected a feature file"):
        FeatureFile(data)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(FormatError, match="found another HDF5 file"):
        FeatureFile(tmp_path / "other.h5")
    _, output = make(data)
    with h5py.File(output, "a") as file:
        del file["features"]
    with pytest.raises(FormatError, match="damaged: features is missing"):
        FeatureFile(output)
    with h5py.File(output, "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(FormatError, match=r"format version up to \d+, found 99"):
        FeatureFile(output)


def test_records_by_index(data):
    _, output = make(data)
    with FeatureFile(output) as file:
        assert file[-1].frame == 11
        with pytest.raises(IndexError, match="structure 12 of 12"):
            file[12]


def test_working_folder_with_foreign_files_is_kept(data):
    folder = data.with_name("out.h5.parts")
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    make(data)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_manifest_that_is_no_json(data):
    folder = data.with_name("out.h5.parts")
    folder.mkdir()
    (folder / "manifest.json").write_text("{")
    (folder / "chunk-00000000").touch()
    with pytest.raises(InputError, match=r"manifest\.json: expected JSON"):
        make(data)
    assert make(data, overwrite=True)[0].structures == 12


def test_two_processes_do_not_write_into_one_file(data):
    with chunks.FeatureChunks(data.with_name("out.h5")), pytest.raises(StorageError, match="another process"):
        make(data)


def test_command_is_kept(data):
    _, output = make(data, command="fastsf featurize data.xyz")
    with FeatureFile(output) as file:
        assert file.hdf5.attrs["command"] == "fastsf featurize data.xyz"
        assert json.loads(file.hdf5["manifest"].asstr()[()])["command"] == "fastsf featurize data.xyz"

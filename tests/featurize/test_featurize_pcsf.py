"""Feature files whose rows are pairs."""

import re

import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write
from support.featurizing import PAIR_TOML, TOML, assert_same_contents, pcsf_descriptor, silicon, water, write_data

from fastsf import ACSF, PCSF, InputError
from fastsf.cli.main import main
from fastsf.datasets.read_ahead import ReadingProgress
from fastsf.descriptors.choose import descriptor_from_dict, descriptor_from_file, descriptor_from_recipe
from fastsf.errors import FormatError
from fastsf.featurize.reader import FeatureFile
from fastsf.featurize.run import Options, Reading, featurize

pytestmark = pytest.mark.usefixtures("compiled")


def structures():
    """Return molecules, crystals, a single atom, and a cell much smaller than the cutoff."""
    rng = np.random.default_rng(6)
    tiny = bulk("Si")
    tiny.rattle(0.05, rng=rng)
    tiny.positions += [30.0, -11.0, 4.0]  # not wrapped
    return [water(rng), silicon(rng), Atoms("O", [[1.0, 2.0, 3.0]]), tiny, *(water(rng) for _ in range(8))]


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data.xyz", structures())


def make(data, options=None, reading=None, name="out.h5", **more):
    output = data.parent / name
    return featurize([data], output, pcsf_descriptor(), options, reading, **more), output


def test_records_hold_what_the_descriptor_gives(data):
    summary, output = make(data, Options(chunk_atoms=10))
    images, pcsf = read(data, ":"), pcsf_descriptor()
    assert (summary.structures, summary.atoms) == (12, 38)
    with FeatureFile(output) as file:
        assert (file.centered_on, file.elements, file.groups) == ("pairs", ("H", "O", "Si"), pcsf.kinds)
        assert file.labels == pcsf.labels
        assert list(file.labels) == list(pcsf.kinds)
        assert file.n_rows == summary.pairs == len(file.hdf5["features"])
        for record, atoms in zip(file, images, strict=True):
            rows = pcsf.rows(atoms)
            np.testing.assert_array_equal(record.features, pcsf.create(atoms))
            for name in ("i", "j", "shift", "kind", "distance"):
                np.testing.assert_array_equal(getattr(record.pairs, name), getattr(rows, name))
            np.testing.assert_array_equal(record.positions, atoms.positions)
        assert sum(file.row_counts().values()) == summary.pairs
        assert file.row_counts()["O-Si"] == 0
        assert file.atom_counts() == {"H": 18, "O": 10, "Si": 10}


def test_rows_can_be_told_from_the_file_alone(data):
    _, output = make(data)
    with FeatureFile(output) as file:
        seen = set()
        for record in file:
            pairs, numbers = record.pairs, record.numbers
            ends = record.positions[pairs.j] + pairs.shift @ record.cell
            distance = np.linalg.norm(ends - record.positions[pairs.i], axis=1)
            np.testing.assert_allclose(pairs.distance, distance, rtol=1e-12)
            for i, j, kind in zip(pairs.i, pairs.j, pairs.kind, strict=True):
                symbols = Atoms(sorted((numbers[i], numbers[j]))).get_chemical_symbols()
                assert file.groups[kind] == "-".join(symbols)
                seen.add(file.groups[kind])
            column = record.features[pairs.kind == file.groups.index("H-O"), 0]
            np.testing.assert_array_equal(column, pairs.distance[pairs.kind == file.groups.index("H-O")])
        assert seen == {"H-H", "H-O", "Si-Si"}


def test_definition_makes_an_equal_descriptor(data):
    _, output = make(data)
    with FeatureFile(output) as file:
        assert PCSF.from_dict(file.definition).functions == pcsf_descriptor().functions
        assert "PCSF" in file.hdf5["definition"].attrs["description"]


@pytest.mark.parametrize("chunk_atoms", [1, 10, 10**6])
def test_chunks_do_not_show(data, chunk_atoms):
    _, one = make(data, Options(derivatives=True), name="one.h5")
    _, other = make(data, Options(derivatives=True, chunk_atoms=chunk_atoms), name="other.h5")
    assert_same_contents(one, other)


def test_derivatives(data):
    _, double = make(data, Options(derivatives=True, chunk_atoms=10))
    _, single = make(data, Options(derivatives=True, float32=True), name="single.h5")
    pcsf = pcsf_descriptor()
    with FeatureFile(double) as file, FeatureFile(single) as narrow:
        for record, rounded, atoms in zip(file, narrow, read(data, ":"), strict=True):
            dense, _ = pcsf.derivatives(atoms)
            found = record.derivatives.dense(len(atoms), pcsf.n_features)
            np.testing.assert_allclose(found, dense, rtol=1e-13, atol=1e-15)
            np.testing.assert_array_equal(rounded.features, record.features.astype(np.float32))
            np.testing.assert_array_equal(rounded.derivatives.data, record.derivatives.data.astype(np.float32))


def test_statistics_are_those_of_each_kind(data):
    _, output = make(data, Options(scale=True, chunk_atoms=10))
    _, plain = make(data, name="plain.h5")
    pcsf = pcsf_descriptor()
    with FeatureFile(output) as file, FeatureFile(plain) as without:
        features, kinds = file.hdf5["features"][:], file.hdf5["pairs/kind"][:]
        stored, computed = file.statistics(), without.statistics()
    assert tuple(stored) == tuple(computed) == pcsf.kinds
    for k, kind in enumerate(pcsf.kinds):
        rows = features[kinds == k][:, : len(pcsf.columns[kind])]
        for found in (stored[kind], computed[kind]):
            assert found.count == len(rows)
            assert len(found.mean) == rows.shape[1]
            if len(rows):
                np.testing.assert_array_equal(found.minimum, rows.min(axis=0))
                np.testing.assert_array_equal(found.maximum, rows.max(axis=0))
                np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-13, atol=1e-300)
                np.testing.assert_allclose(found.sigma, rows.std(axis=0, ddof=1), rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize("count", [1, 5, 11])
def test_goes_on_after_an_interruption(data, monkeypatch, count):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    options = Options(derivatives=True, scale=True, chunk_atoms=5)
    whole = make(data, options)[1].rename(data.with_name("whole.h5")).read_bytes()

    def stop(progress: ReadingProgress) -> None:
        if progress.structures >= count:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(data, options, on_progress=stop)
    assert not data.with_name("out.h5").exists()
    summary, output = make(data, options)
    assert summary.resumed >= count
    assert output.read_bytes() == whole
    again, _ = make(data, options)
    assert again.complete_before
    assert again.pairs == summary.pairs


def test_structures_without_pairs_alone(tmp_path):
    data = write_data(tmp_path / "data.xyz", [Atoms("Si"), Atoms("O")])
    summary, output = make(data, Options(derivatives=True, scale=True))
    assert summary.pairs == 0
    with FeatureFile(output) as file:
        assert [record.features.shape for record in file] == [(0, 7), (0, 7)]
        assert [len(record.derivatives) for record in file] == [0, 0]
        assert np.isnan(file.statistics()["Si-Si"].mean).all()


def test_bad_structures_are_skipped_and_listed(tmp_path):
    rng = np.random.default_rng(3)
    nan = water(rng)
    nan.positions[1, 2] = np.nan
    data = tmp_path / "data.traj"
    write(data, [water(rng), nan, Atoms("Au"), silicon(rng)])
    with pytest.raises(InputError, match=r"frame 1: .*not finite"):
        make(data)
    summary, output = make(data, reading=Reading(on_error="skip"))
    assert (summary.structures, len(summary.skipped)) == (2, 2)
    with FeatureFile(output) as file:
        assert "no functions for element Au; there are functions for H, O, Si" in file.skipped[1].reason
        np.testing.assert_array_equal(file[1].features, pcsf_descriptor().create(read(data, 3)))


def test_other_functions_are_another_run(data):
    _, output = make(data)
    with pytest.raises(InputError, match="other symmetry functions"):
        featurize([data], output, PCSF(pcsf_descriptor().functions[:-1], elements=("H", "O", "Si")))
    with pytest.raises(InputError, match="other symmetry functions"):
        featurize([data], output, ACSF.from_recipe("even-grid", ["H", "O", "Si"]), Options(chunk_atoms=2000))


# --- where descriptors come from ---


def test_descriptors_through_their_documents():
    for descriptor in (pcsf_descriptor(), ACSF.from_recipe("even-grid", ["H", "O"])):
        again = descriptor_from_dict(descriptor.to_dict())
        assert type(again) is type(descriptor)
        assert again.functions == descriptor.functions


def test_recipes_of_both_kinds():
    assert isinstance(descriptor_from_recipe("pairs", ["H", "O"], 5.0), PCSF)
    assert isinstance(descriptor_from_recipe("even-grid", ["H", "O"], 5.0), ACSF)
    with pytest.raises(InputError, match=r"unknown recipe 'pears', expected one of .*even-grid.*of pairs: pairs"):
        descriptor_from_recipe("pears", ["H"])


def test_files_of_either_kind_and_of_both(tmp_path):
    path = tmp_path / "functions.toml"
    path.write_text(PAIR_TOML)
    assert descriptor_from_file(path).functions == pcsf_descriptor().functions
    with pytest.raises(FormatError, match=r"functions\.toml: there are no functions of atoms"):
        descriptor_from_file(path, centered_on="atoms")
    path.write_text(TOML + PAIR_TOML.replace('elements = ["H", "O", "Si"]', ""))
    with pytest.raises(InputError, match=r"functions\.toml has functions of atoms and of pairs.*--rows pairs"):
        descriptor_from_file(path)
    assert isinstance(descriptor_from_file(path, centered_on="atoms"), ACSF)
    assert descriptor_from_file(path, centered_on="pairs").elements == ("H", "O", "Si")
    with pytest.raises(FormatError, match="there are no functions of pairs"):
        descriptor_from_file(tmp_path / "input.nn", centered_on="pairs")


# --- the command line ---


@pytest.fixture
def run(capsys):
    def call(*words):
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def test_command(run, data, tmp_path):
    definition, output = tmp_path / "functions.toml", tmp_path / "out.h5"
    definition.write_text(TOML + PAIR_TOML.replace('elements = ["H", "O", "Si"]', ""))
    words = ("featurize", data, "-o", output, "--functions", definition, "--threads", "1", "--scale")
    status, _, err = run(*words)
    assert status == 2
    assert re.fullmatch(r"fastsf: .*of atoms and of pairs.*run twice for both\n", err)
    status, out, err = run(*words, "--rows", "pairs")
    assert (status, err) == (0, "")
    pairs = int(re.search(r"12 structures, 38 atoms, (\d+) pairs", out)[1])
    status, out, _ = run(*words, "--rows", "pairs")
    assert "complete already" in out
    status, out, err = run("inspect", output)
    assert (status, err) == (0, "")
    for text in (
        "atoms       38: H 18, O 10, Si 10",
        f"pairs       {pairs}: H-H 9, H-O 18, H-Si 0, O-O 0, O-Si 0, Si-Si {pairs - 27}",
        "columns     7: H-H 2, H-O 7, H-Si 0, O-O 0, O-Si 0, Si-Si 7; float64, dimensionless, distances in Å",
        "H-H: 2 columns over 9 pairs (dimensionless)",
        "pair-distance(H-O)",
    ):
        assert text in out


def test_pictures(run, data, tmp_path):
    _, output = make(data)
    status, out, err = run("inspect", output, "--plots", tmp_path / "pictures")
    assert (status, err) == (0, "")
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == [f"{what}-{kind}.png" for what in ("functions", "ranges") for kind in ("H-H", "H-O", "Si-Si")]
    assert "wrote " in out


def test_inspect_damaged_files(run, data):
    _, output = make(data)
    for name in ("kinds", "pairs", "structures/pair_start"):
        broken = output.with_name("broken.h5")
        broken.write_bytes(output.read_bytes())
        with h5py.File(broken, "a") as file:
            del file[name]
        status, _, err = run("inspect", broken)
        assert status == 2
        assert re.fullmatch(rf"fastsf: .*damaged: {name} is missing\n", err)


def test_command_with_a_recipe(run, data, tmp_path):
    output = tmp_path / "out.h5"
    words = ("featurize", data, "-o", output, "--recipe", "pairs", "--cutoff", "4")
    status, out, err = run(*words, "--elements", "H,O,Si", "--threads", "1")
    assert (status, err) == (0, "")
    assert "192 pair-centred functions" in out
    with FeatureFile(output) as file:
        np.testing.assert_array_equal(
            file[0].features, PCSF.from_recipe("pairs", ["H", "O", "Si"], 4.0).create(read(data, 0))
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--recipe", "pears"), "unknown recipe 'pears'"),
        (("--recipe", "pairs", "--cutoff", "-1"), "cutoff"),
        (("--recipe", "pairs", "--elements", "Xx"), "Xx"),
        (("--recipe", "pairs", "--rows", "pairs"), "--rows belongs to --functions"),
        (("--functions", "gone.toml", "--rows", "pairs"), "gone.toml"),
        (("--functions", "input.nn", "--rows", "pairs"), "no functions of pairs"),
    ],
)
def test_wrong_words_are_one_line(run, data, tmp_path, words, said):
    status, _, err = run("featurize", data, "-o", tmp_path / "out.h5", *words)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1

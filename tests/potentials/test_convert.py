"""`fastsf convert`: potentials keep their numbers through every format."""

import re

import numpy as np
import pytest
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import ACSF, G2, Potential
from fastsf.errors import InputError, StorageError
from fastsf.potentials.convert import convert
from fastsf.potentials.scaling import Scaling
from fastsf.training.objective.initialization import initial_network


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.h5"
    random_potential().save(path)
    return path


def expect_same(first: Potential, second: Potential, rtol: float = 0.0) -> None:
    for name in ("molecule", "triclinic"):
        one, other = first.evaluate(SYSTEMS[name]()), second.evaluate(SYSTEMS[name]())
        np.testing.assert_allclose(other.energies, one.energies, rtol=rtol)
        np.testing.assert_allclose(other.forces, one.forces, rtol=rtol, atol=rtol * np.abs(one.forces).max())


def test_there_and_back(run, model, tmp_path):
    folder, again = tmp_path / "folder", tmp_path / "again.h5"
    units = ("--to-length-unit", "Bohr", "--to-energy-unit", "Hartree")
    status, out, err = run("convert", model, folder, *units)
    assert (status, err) == (0, "")
    assert f"wrote {folder}" in out
    assert {"input.nn", "scaling.data", "weights.001.data", "weights.008.data", "weights.016.data"} <= {
        path.name for path in folder.iterdir()
    }
    assert run("convert", folder, again, "--length-unit", "Bohr", "--energy-unit", "Hartree", "--quiet") == (0, "", "")
    expect_same(Potential.load(model), Potential.load(again), rtol=1e-9)


def test_same_kind_where_that_is_asked_for(run, model, tmp_path):
    copy, folder, other = tmp_path / "copy.h5", tmp_path / "folder", tmp_path / "other"
    assert run("convert", model, copy, "--to", "fastsf")[0] == 0
    expect_same(Potential.load(model), Potential.load(copy))
    assert run("convert", model, folder)[0] == 0
    assert run("convert", folder, other, "--to", "n2p2")[0] == 0
    expect_same(Potential.load(folder), Potential.load(other), rtol=1e-13)


def test_published_potential(run, shared, tmp_path):
    folder, path = shared / "data" / "mlearn_nnp" / "Si", tmp_path / "si.h5"
    assert run("convert", folder, path, "--length-unit", "Bohr", "--energy-unit", "Hartree")[0] == 0
    found, expected = Potential.load(path), Potential.load(folder, "Bohr", "Hartree")
    assert found.descriptor.labels == expected.descriptor.labels
    for name in ("minimum", "maximum", "mean", "sigma"):
        np.testing.assert_array_equal(getattr(found.scalings["Si"], name), getattr(expected.scalings["Si"], name))
    np.testing.assert_array_equal(found.networks["Si"].parameters, expected.networks["Si"].parameters)


def test_nothing_is_overwritten_unless_wanted(run, model, tmp_path):
    output, folder = tmp_path / "out.h5", tmp_path / "folder"
    assert run("convert", model, folder)[0] == 0
    output.write_text("precious")
    for target, kind in ((output, "fastsf"), (folder, "n2p2")):
        words = ("convert", model, target, "--to", kind)
        status, _, err = run(*words)
        assert status == 2
        assert re.fullmatch(r"fastsf: .*overwrit.*\n", err), err
        if target is output:
            assert output.read_text() == "precious"
        assert run(*words, "--overwrite")[0] == 0


def test_scalings_without_counterpart_are_refused(tmp_path):
    """A folder has one kind of scaling for all elements."""
    acsf = ACSF([G2(symbol, symbol, 0.5, 3.0) for symbol in "HO"])
    networks = {symbol: initial_network((1, 2, 1), ("tanh", "linear")) for symbol in "HO"}
    values = np.array([[0.0], [1.0]])
    scalings = {"H": Scaling.from_values(values, "center"), "O": Scaling.from_values(values, "none")}
    with pytest.raises(InputError, match="scaling"):
        convert(Potential(acsf, networks, scalings), tmp_path / "folder", "n2p2")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("gone.h5", "out.h5"), r"gone\.h5"),
        (("model.h5", "no/out"), "there is no folder"),
        (("model.h5", ".", "--to", "fastsf"), "it is a folder"),
        (("model.h5", "out.h5", "--to", "fastsf", "--to-length-unit", "Bohr"), "a model file is in Å and eV"),
        (("model.h5", "out", "--to-energy-unit", "foot"), "foot"),
        (("model.h5", "out", "--to", "lammps"), "invalid choice"),
        (("model.h5",), "OUTPUT"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(run, model, tmp_path, monkeypatch, words, reason):
    monkeypatch.chdir(tmp_path)
    status, _, err = run("convert", *words)
    assert status == 2
    assert re.fullmatch(rf"fastsf( convert)?: .*{reason}.*\n", err), err
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


def test_unknown_kind(tmp_path):
    with pytest.raises(InputError, match="kind: expected one of fastsf, n2p2, found 'lammps'"):
        convert(random_potential(), tmp_path / "out", "lammps")
    with pytest.raises(StorageError, match="there is no folder"):
        convert(random_potential(), tmp_path / "no" / "out", "n2p2")

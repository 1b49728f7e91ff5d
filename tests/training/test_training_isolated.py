"""`fastsf train` with isolated atoms: their part, and reference energies of the potential."""

import ase.io
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from support.labelled_sets import water

from fastsf import Potential
from fastsf.errors import InputError
from fastsf.training.config.files import read_config
from fastsf.training.preparation.dataset import read_data
from fastsf.training.preparation.models import find_known_references, largest_cutoff

CONFIG = """
[data]
train = "data.xyz"
validation = 0.3
test = 0.2
seed = {seed}

[functions]
recipe = "even-grid"
cutoff = 5.0
radial = 3
angular = 2

[networks]
hidden = [3]
{networks}

[run]
epochs = 2
threads = 1
"""
FREE = {"H": -13.6, "O": -432.0}


def labelled(atoms: Atoms, energy: float) -> Atoms:
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=0.0 * atoms.positions)
    return atoms


@pytest.fixture
def write(tmp_path):
    def call(networks="", seed=0, isolated=True):
        frames = [labelled(water(k), -469.9 + 0.01 * k) for k in range(8)]
        if isolated:
            frames.insert(3, labelled(Atoms("H", cell=[5.5, 5.5, 5.5], pbc=True), FREE["H"]))
            frames.append(labelled(Atoms("O"), FREE["O"]))
        ase.io.write(tmp_path / "data.xyz", frames, format="extxyz")
        path = tmp_path / "water.toml"
        path.write_text(CONFIG.format(networks=networks, seed=seed))
        return path

    return call


@pytest.fixture(autouse=True)
def without_report(monkeypatch):
    monkeypatch.setattr("fastsf.training.run.report.write_report", lambda *_: [])


@pytest.mark.parametrize("seed", range(10))
def test_are_in_the_training_part(write, seed):
    config = read_config(write(seed=seed))
    dataset = read_data(config.data, lambda labelled: largest_cutoff(config, labelled))
    assert {3, 9} <= set(dataset.split.train.tolist())
    assert len(dataset.split.validation) == 2
    assert largest_cutoff(config, dataset.labelled) == 5.0


@pytest.mark.usefixtures("compiled")
def test_their_energies_are_the_reference_energies(run, write, tmp_path):
    status, told, _ = run("train", write(), "-o", tmp_path / "out")
    assert status == 0
    assert "reference energies in eV per atom: H -13.6 (free atom), O -432 (free atom)" in told
    assert "middle of" not in told, "an isolated atom is no outlier"
    assert dict(Potential.load(tmp_path / "out" / "model.h5").offsets) == FREE


@pytest.mark.usefixtures("compiled")
def test_set_energies(run, write, tmp_path):
    path = write("atom_energies = { H = -13.0 }", isolated=False)
    status, told, _ = run("train", path, "-o", tmp_path / "out")
    assert status == 0
    assert "H -13 (set), O -443.86" in told
    assert Potential.load(tmp_path / "out" / "model.h5").offsets["H"] == -13.0
    status, _, complaints = run("train", path, "--set", "networks.atom_energies={ H = -14.0 }", "-o", tmp_path / "out")
    assert status == 2
    assert "holds another training" in complaints


@pytest.mark.usefixtures("compiled")
def test_elements_that_compositions_do_not_tell_apart(run, write, tmp_path):
    status, told, _ = run("train", write(isolated=False), "-o", tmp_path / "out")
    assert status == 0
    assert "do not tell apart the energies of H, O:" in told
    assert "[networks] atom_energies = { H = ..., O = ... }" in told


@pytest.mark.parametrize(
    ("networks", "reason"),
    [
        ("atom_energies = { h = -13.6 }", "water.toml:14: [networks] atom_energies: 'h' is not a chemical symbol"),
        ("atom_energies = { H = nan }", "atom_energies: expected a finite energy of H in eV, found nan"),
        ("atom_energies = -13.6", "atom_energies: expected a table, each value a number, found -13.6"),
    ],
)
def test_wrong_energies(run, write, networks, reason):
    status, _, complaints = run("train", write(networks))
    assert status == 2
    assert reason in complaints


def test_energies_of_other_elements(write):
    config = read_config(write("atom_energies = { Cu = -1.0 }"))
    dataset = read_data(config.data)
    with pytest.raises(InputError, match=r"expected elements of the training set \(H, O\), found Cu; remove it"):
        find_known_references(config, dataset.part("train"), 5.0)

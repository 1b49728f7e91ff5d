"""Predictions for files of structures: correct numbers and errors, complete files, clear messages."""

import gzip
import json
import re
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from support.featurizing import command
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import Committee, InputError, Potential, StorageError
from fastsf.datasets.frames import Reading
from fastsf.datasets.read_ahead import ReadingProgress
from fastsf.prediction.metrics import ErrorSums, ParitySample
from fastsf.prediction.predict import predict
from fastsf.prediction.prediction import Prediction

pytestmark = pytest.mark.usefixtures("compiled")

ALL = ("energy", "forces", "stress")


@cache
def potential() -> Potential:
    return random_potential()


def labelled(name: str, seed: int, labels=ALL) -> Atoms:
    """Return a named system whose labels are the numbers of the potential with known errors."""
    rng = np.random.default_rng(seed)
    atoms = SYSTEMS[name]()
    found = potential().evaluate(atoms)
    results = {
        "energy": found.energy + len(atoms) * rng.normal(),
        "forces": found.forces + rng.normal(size=(len(atoms), 3)),
    }
    if found.stress is not None:
        results["stress"] = found.stress + rng.normal(size=6)
    atoms.calc = SinglePointCalculator(atoms, **{name: value for name, value in results.items() if name in labels})
    atoms.info.update(config_type=name, number=seed)
    return atoms


@cache
def structures() -> tuple[Atoms, ...]:
    names = ("molecule", "triclinic", "slab", "molecule_with_cell", "triclinic", "cell_smaller_than_cutoff")
    return tuple(labelled(name, seed) for seed, name in enumerate(names))


@pytest.fixture
def data(tmp_path):
    """Return a trajectory, which has exact numbers, unlike texts of ASE."""
    path = tmp_path / "data.traj"
    write(path, structures())
    return path


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.h5"
    potential().save(path)
    return path


# --- numbers ---


def expect(found: list[Atoms], of: Potential = None) -> None:
    """Compare the contents of a file with single evaluations."""
    assert len(found) == len(structures())
    for mine, given in zip(found, structures(), strict=True):
        expected = (of or potential()).evaluate(given)
        np.testing.assert_array_equal(mine.positions, given.positions)
        np.testing.assert_array_equal(mine.numbers, given.numbers)
        np.testing.assert_array_equal(mine.cell, given.cell)
        np.testing.assert_array_equal(mine.pbc, given.pbc)
        results = mine.calc.results
        assert results["energy"] == pytest.approx(expected.energy, rel=1e-13)
        np.testing.assert_allclose(results["energies"], expected.energies, rtol=1e-11)
        np.testing.assert_allclose(results["forces"], expected.forces, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(mine.arrays["outside"], expected.outside)
        assert ("stress" in results) == given.pbc.all()
        if given.pbc.all():
            np.testing.assert_allclose(results["stress"], expected.stress, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("chunk_atoms", [1, 20, 5000])
def test_predictions_are_those_of_single_evaluations(data, tmp_path, chunk_atoms):
    output = tmp_path / "out.extxyz"
    summary = predict([data], potential(), output, threads=1, chunk_atoms=chunk_atoms)
    found = read(output, ":")
    expect(found)
    assert (summary.structures, summary.atoms) == (6, sum(map(len, structures())))
    for mine, given in zip(found, structures(), strict=True):
        assert mine.info["config_type"] == given.info["config_type"]
        assert mine.info["number"] == given.info["number"]
        assert mine.info["units"] == "Angstrom eV"
        assert mine.info["REF_energy"] == given.get_potential_energy()
        np.testing.assert_array_equal(mine.arrays["REF_forces"], given.get_forces())


def test_chunks_change_no_bit(data, tmp_path):
    texts = []
    for chunk_atoms in (1, 17, 5000):
        output = tmp_path / f"{chunk_atoms}.xyz"
        predict([data], potential(), output, threads=1, chunk_atoms=chunk_atoms)
        texts.append(output.read_bytes())
    assert texts[0] == texts[1] == texts[2]


def test_threads_change_no_bit(data, tmp_path):
    texts = []
    for threads in (1, None):
        output = tmp_path / f"{threads}.xyz"
        predict([data], potential(), output, threads=threads)
        texts.append(output.read_bytes())
    assert texts[0] == texts[1]


def test_errors_are_those_of_the_labels(data):
    metrics = predict([data], potential(), threads=1, chunk_atoms=20).metrics
    energies, forces, elements, stresses = [], [], [], []
    for atoms in structures():
        found, labels = potential().evaluate(atoms), atoms.calc.results
        energies.append((found.energy - labels["energy"]) / len(atoms))
        forces.append(found.forces - labels["forces"])
        elements += atoms.get_chemical_symbols()
        if "stress" in labels:
            stresses.append(found.stress - labels["stress"])
    everything = {"energy": energies, "forces": np.concatenate(forces), "stress": stresses}
    for name, moments in metrics.by_name().items():
        errors = np.ravel(everything[name])
        assert moments.count == len(errors)
        assert moments.rmse == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-10)
        assert moments.mae == pytest.approx(np.abs(errors).mean(), rel=1e-10)
        assert moments.mean == pytest.approx(errors.mean(), rel=1e-8, abs=1e-12)
        assert moments.largest == pytest.approx(np.abs(errors).max(), rel=1e-10)
    for symbol in ("H", "O", "S"):
        mine = everything["forces"][np.array(elements) == symbol]
        assert metrics.forces[symbol].rmse == pytest.approx(np.sqrt(np.mean(mine**2)), rel=1e-10)
    order = np.argsort(-np.abs(energies))
    assert [worst.frame for worst in metrics.worst_frames("energy")] == order.tolist()
    sizes = [np.sqrt(np.mean(each**2)) for each in forces]
    assert [worst.error for worst in metrics.worst_frames("forces")] == pytest.approx(sorted(sizes, reverse=True))


def test_labels_may_be_missing(tmp_path):
    path = tmp_path / "data.traj"
    write(path, [labelled("triclinic", 1, ("energy",)), labelled("triclinic", 2, ("forces",)), SYSTEMS["molecule"]()])
    metrics = predict([path], potential(), threads=1).metrics
    assert {name: moments.count for name, moments in metrics.by_name().items()} == {
        "energy": 1,
        "forces": 3 * len(SYSTEMS["triclinic"]()),
    }


def test_only_the_worst_are_remembered(tmp_path):
    path = tmp_path / "data.traj"
    write(path, [labelled("molecule", seed) for seed in range(30)])
    metrics = predict([path], potential(), threads=1).metrics
    worst = metrics.worst_frames("energy")
    assert len(worst) == 10
    errors = [abs(np.random.default_rng(seed).normal()) for seed in range(30)]
    assert [each.frame for each in worst] == np.argsort(errors)[::-1][:10].tolist()


def test_extrapolations_are_counted(data):
    scalings = dict(potential().scalings)
    low = scalings["S"].minimum
    scalings["S"] = type(scalings["S"])("none", 0.0, 1.0, low - 2.0, low - 1.0, low - 1.5, np.ones(len(low)))
    summary = predict([data], Potential(potential().descriptor, potential().networks, scalings), threads=1)
    sulfur = [int((atoms.numbers == 16).sum()) for atoms in structures()]
    assert summary.extrapolating_structures == np.count_nonzero(sulfur)
    assert summary.extrapolating_atoms == sum(sulfur)
    assert len(summary.extrapolations) == sum(sulfur) * len(low)


def test_committee(data, tmp_path):
    committee = Committee([potential(), random_potential(7)])
    output = tmp_path / "out.xyz"
    predict([data], committee, output, threads=1)
    found = read(output, ":")
    expect(found, committee)
    expected = committee.evaluate(structures()[1])
    assert found[1].info["energy_std"] == pytest.approx(expected.energy_std, rel=1e-10)
    np.testing.assert_allclose(found[1].arrays["forces_std"], expected.forces_std, rtol=1e-8, atol=1e-12)


def test_moments_and_samples_without_anything():
    assert np.isnan([ErrorSums().rmse, ErrorSums().mae, ErrorSums().mean]).all()
    assert ParitySample().points.shape == (0, 2)


def test_samples_are_thinned_evenly():
    sample = ParitySample(most=100)
    for start in range(0, 1000, 30):
        numbers = np.arange(start, min(start + 30, 1000))
        sample.add(numbers, -numbers)
    pairs = sample.points
    assert not sample.is_whole
    assert 50 <= len(pairs) <= 100
    assert set(np.diff(pairs[:, 0])) == {16.0}
    np.testing.assert_array_equal(pairs[:, 1], -pairs[:, 0])
    small = ParitySample(most=100)
    small.add(np.arange(100), np.arange(100))
    assert small.is_whole


@pytest.mark.parametrize(("element", "energy", "force"), [("Si", 6.9e-3, 0.170), ("Li", 0.98e-3, 0.0234)])
def test_published_errors(shared, element, energy, force):
    """Errors of the potential of the mlearn benchmark on its test sets are those of n2p2."""
    folder = shared / "data" / "mlearn_nnp" / element
    mlearn = Potential.load(folder, "Bohr", "Hartree", threads=1)
    metrics = predict([shared / "data" / f"{element}_test.extxyz.gz"], mlearn, threads=1).metrics
    assert metrics.energy.rmse == pytest.approx(energy, rel=0.008)
    assert metrics.all_forces().rmse == pytest.approx(force, rel=0.003)


# --- the file ---


def test_nothing_is_overwritten_unless_wanted(data, tmp_path):
    output = tmp_path / "out.extxyz"
    output.write_text("precious")
    with pytest.raises(StorageError, match="already exists; --overwrite"):
        predict([data], potential(), output, threads=1)
    assert output.read_text() == "precious"
    predict([data], potential(), output, threads=1, overwrite=True)
    expect(read(output, ":"))


def test_errors_leave_nothing_behind_and_the_old_file_as_it_was(tmp_path):
    path, output = tmp_path / "data.traj", tmp_path / "out.extxyz"
    write(path, [*structures(), Atoms("Au")])
    output.write_text("precious")
    with pytest.raises(InputError, match="frame 6: no functions for element Au"):
        predict([path], potential(), output, threads=1, chunk_atoms=1, overwrite=True)
    assert output.read_text() == "precious"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data.traj", "out.extxyz"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
@pytest.mark.parametrize("size", [0, 3000])
def test_a_full_disk_leaves_nothing_behind(data, model, tmp_path, size):
    """The system limits the size of files, as on a full disk."""
    output = tmp_path / "out.extxyz"
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"
    words = ("predict", model, data, "-o", output, "--chunk-atoms", 1, "--threads", 1)
    process = command(*words, before=f"import numpy, numba, ase.io, h5py\n{limit}")
    _, err = process.communicate()
    assert process.returncode == 2
    assert re.fullmatch(rf"fastsf: cannot write {output}: .+\n", err), err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data.traj", "model.h5"]


def test_an_interruption_leaves_nothing_behind(run, data, model, tmp_path, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Prediction, "text", interrupt)
    status, _, err = run("predict", model, data, "-o", tmp_path / "out.xyz", "--threads", 1)
    assert (status, err) == (130, "fastsf: interrupted\n")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data.traj", "model.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_kill_leaves_no_half_file(data, model, tmp_path):
    output, many = tmp_path / "out.extxyz", tmp_path / "many.traj"
    write(many, structures() * 50)
    slow = "import time\nfrom fastsf.prediction.prediction import Prediction\ntext = Prediction.text\n"
    slow += "Prediction.text = lambda self: (time.sleep(0.05), text(self))[1]"
    words = ("predict", model, many, "-o", output, "--chunk-atoms", 8, "--threads", 1)
    process = command(*words, before=slow)
    growing = Path(f"{output}.tmp")
    while not (growing.exists() and growing.stat().st_size):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert growing.exists() and not output.exists()
    predict([data], potential(), output, threads=1)
    expect(read(output, ":"))
    assert not growing.exists()


def test_compressed_output(data, tmp_path):
    plain, packed = tmp_path / "out.xyz", tmp_path / "out.xyz.gz"
    for output in (plain, packed):
        predict([data], potential(), output, threads=1)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_structures_that_cannot_be_used_are_left_out(tmp_path):
    path, output = tmp_path / "data.traj", tmp_path / "out.xyz"
    write(path, [structures()[0], Atoms("Au"), structures()[1]])
    summary = predict([path], potential(), output, Reading(on_error="skip"), threads=1)
    assert [re.sub(r".*data", "data", reason) for reason in summary.skipped] == [
        "data.traj, frame 1: no functions for element Au; there are functions for H, O, S"
    ]
    assert len(read(output, ":")) == 2
    write(path, [Atoms("Au")])
    with pytest.raises(InputError, match="no structure can be used: 1 structure left out"):
        predict([path], potential(), reading=Reading(on_error="skip"), threads=1)


def test_progress(data):
    seen: list[ReadingProgress] = []
    predict([data], potential(), threads=1, chunk_atoms=1, on_progress=seen.append)
    assert [each.structures for each in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[-1].bytes_read <= seen[-1].bytes_total == data.stat().st_size


# --- the command ---


def test_predict_tells_and_writes(run, data, model, tmp_path):
    output, metrics, plots = tmp_path / "out.xyz", tmp_path / "metrics.json", tmp_path / "plots"
    words = ("predict", model, data, "-o", output, "--metrics", metrics, "--plots", plots, "--threads", "1")
    status, out, err = run(*words)
    assert (status, err) == (0, "")
    expect(read(output, ":"))
    document = json.loads(metrics.read_text())
    expected = predict([data], potential(), threads=1).metrics
    assert document["errors"]["forces"]["rmse"] == pytest.approx(expected.all_forces().rmse, rel=1e-12)
    assert document["errors"]["energy"]["unit"] == "eV/atom"
    assert document["errors"]["forces"]["elements"]["S"]["mae"] == pytest.approx(expected.forces["S"].mae, rel=1e-12)
    assert document["errors"]["stress"]["worst"][0]["file"] == str(data)
    assert document["models"] == [str(model)]
    assert document["command"].startswith("fastsf predict ")
    assert sorted(each.name for each in plots.iterdir()) == [
        "energies.png",
        "errors.png",
        *(f"forces-{symbol}.png" for symbol in ("H", "O", "S")),
    ]
    for text in (
        f"{output}: 6 structures, {sum(map(len, structures()))} atoms",
        f"  energy         {1e3 * expected.energy.rmse:10.4g} ",
        f"  on S         {expected.forces['S'].rmse:10.4g} ",
        f"frame {expected.worst_frames('energy')[0].frame} (",
        "no extrapolation",
        f"wrote {metrics}",
        f"wrote {plots / 'energies.png'}",
    ):
        assert text in out
    status, _, err = run(*words)
    assert status == 2
    assert "already exists; --overwrite" in err
    assert run(*words, "--overwrite")[0] == 0


def test_metrics_are_json_even_where_a_distance_is_infinite(run, data, tmp_path):
    scalings = dict(potential().scalings)
    low = scalings["H"].minimum
    scalings["H"] = type(scalings["H"])("none", 0.0, 1.0, low - 1.0, low - 1.0, low - 1.0, np.zeros(len(low)))
    Potential(potential().descriptor, potential().networks, scalings).save(tmp_path / "still.h5")
    metrics = tmp_path / "metrics.json"
    status, out, _ = run("predict", tmp_path / "still.h5", data, "--metrics", metrics, "--threads", "1")
    assert status == 0
    assert "(never changed in training)" in out
    assert "extrapolation in 6 of 6 structures, " in out
    functions = json.loads(metrics.read_text(), parse_constant=pytest.fail)["extrapolation"]["functions"]
    assert {row["farthest"] for row in functions} == {None}


def test_predict_without_labels_and_quietly(run, model, tmp_path):
    path = tmp_path / "data.xyz"
    write(path, SYSTEMS["molecule"]())
    status, out, _ = run("predict", model, path)
    assert status == 0
    assert "no labels to compare with" in out
    log = tmp_path / "log"
    assert run("predict", model, path, "--quiet", "--log", log) == (0, "", "")
    assert "1 structure, 8 atoms" in log.read_text()


def test_labels_of_other_names(run, model, tmp_path):
    path, atoms = tmp_path / "data.traj", SYSTEMS["molecule"]()
    atoms.info["REF_energy"] = potential().evaluate(atoms).energy + len(atoms) * 0.25
    write(path, atoms)
    status, out, _ = run("predict", model, path)
    assert status == 0
    assert "labels: energies of 1 (`REF_energy`), forces of 0, stresses of 0 structures" in out
    assert "  energy                250        250       -250        250 meV/atom, 1 structures" in out
    atoms.info["my_energy"] = atoms.info.pop("REF_energy")
    write(path, atoms)
    status, out, _ = run("predict", model, path)
    assert status == 0
    assert "1 structure without energy, but with `my_energy`, which is not read" in out
    assert "no labels to compare with" in out
    status, out, _ = run("predict", model, path, "--energy-key", "my_energy")
    assert status == 0
    assert "  energy                250        250       -250        250 meV/atom, 1 structures" in out


def test_predictions_are_no_references(run, data, model, tmp_path):
    """Errors of predictions are those of the references in the file, not zero."""
    output, bare = tmp_path / "out.xyz", tmp_path / "bare.xyz"
    assert run("predict", model, data, "-o", output)[0] == 0
    outputs = [run("evaluate", model, path)[1].split("labels")[1] for path in (data, output)]
    errors = [[line for line in out.splitlines() if "meV/atom" in line or "eV/Å" in line] for out in outputs]
    assert errors[0] == errors[1] and errors[0]
    write(bare, SYSTEMS["molecule"]())
    assert run("predict", model, bare, "-o", output, "--overwrite")[0] == 0
    _, out, _ = run("evaluate", model, output)
    assert "no labels to compare with" in out and "--energy-key energy" in out


def test_predict_with_a_committee(run, data, model, tmp_path):
    other, output = tmp_path / "other.h5", tmp_path / "out.xyz"
    random_potential(7).save(other)
    status, out, _ = run("predict", model, data, "--member", other, "-o", output, "--threads", "1")
    assert status == 0
    assert "committee of 2 potentials" in out
    assert all("forces_std" in atoms.arrays for atoms in read(output, ":"))


def test_folder_in_its_units(run, shared, tmp_path):
    """The benchmark structure of the water potential has its own units."""
    folder, path = shared / "reference" / "predict_H2O_RPBE-D3", shared / "data" / "H2O_1080_liquid.input.data"
    output = tmp_path / "out.xyz"
    words = ("predict", folder, path, "-o", output, "--threads", "1")
    assert run(*words, "--length-unit", "Bohr", "--energy-unit", "Hartree")[0] == 0
    (atoms,) = read(output, ":")
    assert atoms.info["extrapolations"] == atoms.arrays["outside"].sum()
    assert np.abs(atoms.get_forces()).max() < 20
    assert atoms.get_volume() / len(atoms) == pytest.approx(10.5, rel=0.1)


def wrong_inputs(folder):
    """Return words after ``predict`` and what the message must contain."""
    good, model = folder / "good.traj", folder / "model.h5"
    write(good, structures())
    potential().save(model)
    write(folder / "gold.traj", Atoms("Au"))
    (folder / "empty.xyz").touch()
    (folder / "notes.txt").write_text("nothing of use")
    (folder / "there.xyz").write_text("precious")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "old.png").touch()
    (folder / "empty_folder").mkdir()
    return [
        ((model, f"{folder}/gone.xyz"), r"gone\.xyz: no such file"),
        ((model, f"{folder}/gone*.xyz"), "no file matches"),
        ((model, folder), "folder"),
        ((model, f"{folder}/empty.xyz"), r"empty\.xyz: the file is empty"),
        ((model, f"{folder}/gold.traj"), "gold.traj, frame 0: no functions for element Au"),
        ((model, good, good, "--chunk-atoms", "0"), "at least 1"),
        ((model, good, "--energy-key", "E"), "frame 0: no 'E'"),
        ((model, good, "--length-unit", "foot"), "foot"),
        ((model, good, "-o", good), "is an input"),
        ((model, good, "-o", folder), "it is a folder"),
        ((model, good, "-o", f"{folder}/no/out.xyz"), "there is no folder"),
        ((model, good, "-o", f"{folder}/out.traj"), "ends with .extxyz"),
        ((model, good, "-o", f"{folder}/there.xyz"), "already exists"),
        ((model, good, "--metrics", f"{folder}/there.xyz"), "already exists"),
        ((model, good, "--metrics", f"{folder}/no/metrics"), "there is no folder"),
        ((model, good, "--metrics", folder), "it is a folder"),
        ((model, good, "--plots", f"{folder}/pictures"), "old.png already exists"),
        ((model, good, "--plots", f"{folder}/there.xyz"), "it is not a folder"),
        ((f"{folder}/gone.h5", good), r"gone\.h5"),
        ((f"{folder}/notes.txt", good), r"notes\.txt"),
        ((f"{folder}/empty_folder", good), r"empty_folder"),
        ((good, good), r"good\.traj"),
        ((model, good, "--member", f"{folder}/gone.h5"), r"gone\.h5"),
        ((model, good, "--log", folder), "cannot write the log"),
        ((model,), "INPUT"),
    ]


@pytest.mark.parametrize("number", range(25))
def test_wrong_input_is_one_line_and_status_2(run, tmp_path, number):
    cases = wrong_inputs(tmp_path)
    assert len(cases) == 25
    words, reason = cases[number]
    before = sorted(path.name for path in tmp_path.iterdir())
    status, _, err = run("predict", *words, "--threads", "1")
    assert status == 2
    assert re.fullmatch(rf"fastsf( predict)?: .*({reason}).*\n", err), err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "there.xyz").read_text() == "precious"

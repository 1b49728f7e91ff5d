"""`fastsf train` from end to end: files, continuing after any end, errors of wrong data."""

import json
import re
import signal
import sys
from copy import deepcopy
from functools import cache
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from support.featurizing import command
from support.histories import wait_for_epoch

from fastsf import Committee, Potential
from fastsf.datasets import examples as data
from fastsf.prediction.predict import predict
from fastsf.training.config.files import read_config
from fastsf.training.objective.model import TrainableModel
from fastsf.training.preparation.models import atom_functions
from fastsf.training.run.checkpoint import TrainingCheckpoint
from fastsf.training.run.history import EPOCH, read_history
from fastsf.training.run.loop import SECONDS, column

pytestmark = pytest.mark.usefixtures("compiled")

CONFIG = """
[data]
train = "train.xyz"
validation = {validation}
test = "test.xyz"

[[function]]
type = "G2"
center = "Si"
neighbor = "Si"
eta = [0.1, 0.5]
rs = [0.0, 2.4]
cutoff = 4.0

[[function]]
type = "G5"
center = "Si"
neighbors = [["Si", "Si"]]
eta = 0.1
zeta = [1.0, 2.0]
lambda = -1.0
cutoff = 4.0

[networks]
hidden = [4]

[loss]
use_stress = {stress}
decay = 0.001

[optimizer]
name = "{optimizer}"

[run]
epochs = 6
checkpoint_minutes = 0
threads = 1
"""


@cache
def packaged() -> list[Atoms]:
    return ase.io.read(data.path("silicon"), ":")


def silicon(group: str) -> list[Atoms]:
    return [deepcopy(atoms) for atoms in packaged() if atoms.info["group"] == group]


def write_config(folder: Path, optimizer="levenberg-marquardt", validation="0.25", stress="false") -> Path:
    ase.io.write(folder / "train.xyz", [*silicon("bulk-strained")[:10], *silicon("bulk-volume")[:6]], format="extxyz")
    ase.io.write(folder / "test.xyz", silicon("bulk-strained")[10:14], format="extxyz")
    path = folder / "small.toml"
    path.write_text(CONFIG.format(optimizer=optimizer, validation=validation, stress=stress))
    return path


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path)


@pytest.fixture
def report():
    """Request of a test for the report, most of whose time goes into figures."""


@pytest.fixture(autouse=True)
def without_report(request, monkeypatch):
    if "report" not in request.fixturenames:
        monkeypatch.setattr("fastsf.training.run.report.write_report", lambda *_: [])


def history_of(folder: Path, suffix: str = "") -> dict[str, list[float]]:
    columns = read_history(folder / f"history{suffix}.csv")
    return {name: numbers.tolist() for name, numbers in columns.items() if name != SECONDS}


def assert_same(one: Path, other: Path) -> None:
    """Compare histories, potentials and states, but not the origin in the files."""
    np.testing.assert_equal(history_of(one), history_of(other))
    models = [TrainableModel.from_potential(Potential.load(folder / "model.h5")) for folder in (one, other)]
    np.testing.assert_array_equal(models[0].parameters, models[1].parameters)
    states = [TrainingCheckpoint.read(folder / "checkpoint.npz") for folder in (one, other)]
    np.testing.assert_equal(*(state.optimizer for state in states))


def only_line(complaints: str) -> str:
    assert re.fullmatch(r"fastsf: [^\n]+\n", complaints), complaints
    return complaints


# --- files and messages ---


def test_what_is_written_and_told(run, report, config, tmp_path):
    status, told, complaints = run("train", config)
    assert (status, complaints) == (0, "")
    folder = tmp_path / "small-training"
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint.npz", "history.csv", "model.h5", "plots", "report.html", "report.md",
    ]  # fmt: skip
    assert sorted(path.name for path in (folder / "plots").iterdir()) == [
        "energies.png", "errors.png", "forces-Si.png", "learning.png", "weights.png",
    ]  # fmt: skip
    for text in ("train 12, validation 4, test 4", "shortest Si-Si distance", "6 symmetry functions", "GiB may be kept",
                 "6 epochs done; best epoch", "energy RMSE (meV/atom)", f"wrote {folder / 'model.h5'}"):  # fmt: skip
        assert text in told
    assert history_of(folder)[EPOCH] == [0, 1, 2, 3, 4, 5, 6]
    report = (folder / "report.md").read_text()
    for text in (
        "# Training of a potential for Si",
        "| test |",
        "![",
        "bulk-strained",
        "SHA-256",
        "µs per atom",
        "small.toml",
    ):
        assert text in report
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    assert 'src="plots' not in page


def test_errors_are_those_of_the_predictions(run, config, tmp_path):
    run("train", config)
    folder = tmp_path / "small-training"
    potential = Potential.load(folder / "model.h5")
    metrics = predict([tmp_path / "test.xyz"], potential, threads=1).metrics
    kept = json.loads(potential.metadata["errors (RMSE)"])
    assert kept["test"]["forces"] == pytest.approx(metrics.all_forces().rmse, rel=1e-9)
    history = history_of(folder)
    best = int(np.argmin(history["score"]))
    for part, name in (("train", "training"), ("validation", "validation")):
        for kind in ("energy", "forces"):
            assert kept[part][kind] == pytest.approx(history[column(name, kind)][best], rel=1e-4)  # float32 derivatives
    assert history[column("training", "forces")][-1] < 0.5 * history[column("training", "forces")][0]
    assert f"epoch {best}" in potential.metadata["training"]


def test_stress(run, report, tmp_path):
    assert run("train", write_config(tmp_path, stress="true"), "--epochs", 3)[0] == 0
    history = history_of(tmp_path / "small-training")
    errors = history[column("training", "stress")]
    assert errors[-1] < errors[0]


def test_several_seeds_make_a_committee(run, report, config, tmp_path):
    status, told, _ = run("train", config, "--seeds", 2, "--epochs", 3)
    assert status == 0
    folder = tmp_path / "small-training"
    committee = Committee.load([folder / "model-0.h5", folder / "model-1.h5"])
    assert "test, committee" in told
    assert "±" in told
    assert np.isfinite(committee.evaluate(silicon("bulk-strained")[0]).energy_std)
    assert history_of(folder, "-0") != history_of(folder, "-1")
    assert run("train", config, "-o", tmp_path / "one", "--seed", 1, "--epochs", 3)[0] == 0
    np.testing.assert_equal(history_of(tmp_path / "one"), history_of(folder, "-1"))


def test_options_go_before_the_configuration(run, config, tmp_path):
    words = ("--epochs", 2, "--set", "optimizer.name=adam", "--set", "networks.hidden=[3]")
    assert run("train", config, "-o", tmp_path / "out", *words)[0] == 0
    potential = Potential.load(tmp_path / "out" / "model.h5")
    assert potential.networks["Si"].sizes == (6, 3, 1)
    assert history_of(tmp_path / "out")[EPOCH] == [0, 1, 2]


def test_quiet_and_log(run, config, tmp_path):
    log = tmp_path / "log"
    assert run("train", config, "--quiet", "--log", log, "--epochs", 1) == (0, "", "")
    assert "1 epochs done" in log.read_text()


def test_init_writes_a_configuration_that_trains(run, config, tmp_path):
    path = tmp_path / "train.toml"
    status, told, _ = run("train", "--init", tmp_path / "train.xyz", "-o", path)
    assert status == 0
    assert f"train with: fastsf train {path}" in told
    assert 'train = ["train.xyz"]' in path.read_text()
    status, _, complaints = run("train", "--init", tmp_path / "train.xyz", "-o", path)
    assert status == 2
    assert "there already" in only_line(complaints)
    assert run("train", path, "--epochs", 1, "--set", "networks.hidden=[3]", "--threads", 1)[0] == 0


def test_init_with_pairs(run, config, tmp_path):
    path = tmp_path / "train.toml"
    assert run("train", "--init", tmp_path / "train.xyz", "--pairs", "only", "-o", path)[0] == 0
    found = read_config(path)
    assert atom_functions(found, None) == []
    assert found.pcsf.recipe["name"] == "pairs"
    assert run("train", "--init", tmp_path / "train.xyz", "--pairs", "too", "-o", path, "--overwrite")[0] == 0
    both = read_config(path)
    assert both.recipe["name"] == "even-grid"
    assert both.pcsf == found.pcsf
    assert "--pairs belongs to --init" in only_line(run("train", path, "--pairs", "too")[2])


# --- pair-centred networks ---

PAIRS = """
[functions]
recipe = "none"

[pairs]
hidden = [3]

[[pair_function]]
type = "pair-gaussian"
pair = ["Si", "Si"]
eta = [0.5, 2.0]
rs = [2.4, 3.0]
cutoff = 4.0

[[pair_function]]
type = "pair-G3"
pair = ["Si", "Si"]
neighbor = "Si"
eta = 0.1
cutoff = 3.5

"""


def write_pairs(folder: Path, optimizer: str, alone: bool) -> Path:
    path = write_config(folder, optimizer, stress="true")
    text = path.read_text()
    first, last = text.index("[[function]]"), text.index("[networks]")
    atoms = "" if alone else text[first:last]
    pairs = PAIRS if alone else PAIRS.replace('[functions]\nrecipe = "none"\n', "")
    path.write_text(text[:first] + atoms + pairs + text[last:])
    return path


@pytest.mark.parametrize(
    ("optimizer", "alone"), [("levenberg-marquardt", True), ("kalman", False), ("adam", True), ("l-bfgs", False)]
)
def test_pairs(run, tmp_path, optimizer, alone):
    config, folder = write_pairs(tmp_path, optimizer, alone), tmp_path / "small-training"
    assert run("train", config, "-o", folder, "--epochs", 2)[0] == 0
    status, told, _ = run("train", config, "-o", folder, "--epochs", 4)
    assert status == 0
    assert "Continuing after epoch 2" in told
    whole = tmp_path / "whole"
    assert run("train", config, "-o", whole, "--epochs", 4)[0] == 0
    assert_same(whole, folder)
    assert history_of(folder)["score"][-1] < history_of(folder)["score"][0]
    potential = Potential.load(folder / "model.h5")
    assert list(potential.networks) == ([] if alone else ["Si"])
    assert potential.pairs.networks["Si-Si"].sizes == (5, 3, 1)
    metrics = predict([tmp_path / "test.xyz"], potential, threads=1).metrics
    kept = json.loads(potential.metadata["errors (RMSE)"])
    assert kept["test"]["forces"] == pytest.approx(metrics.all_forces().rmse, rel=1e-9)
    words = ("--epochs", 2, "--set", "pairs.envelope=shift")
    assert "pairs.envelope was fc, is shift" in only_line(run("train", config, "-o", folder, *words)[2])


def test_pairs_are_reported(run, report, tmp_path):
    config = write_pairs(tmp_path, "levenberg-marquardt", False)
    status, told, complaints = run("train", config, "--epochs", 2, "--seeds", 2)
    assert (status, complaints) == (0, "")
    assert "test, committee" in told
    assert "Si-Si" in (tmp_path / "small-training" / "report.md").read_text()


def test_kinds_that_are_not_there(run, tmp_path):
    config = write_pairs(tmp_path, "adam", True)
    config.write_text(
        config.read_text().replace("cutoff = 4.0", "cutoff = 1.0").replace("cutoff = 3.5", "cutoff = 1.0")
    )
    complaint = only_line(run("train", config)[2])
    assert "no structure of the training set has a pair Si-Si closer than 1 Å" in complaint
    words = ("--set", "pairs.recipe=pairs", "--set", "pairs.cutoff=2.0", "--set", "pairs.r_min=0.5")
    config.write_text(
        config.read_text()[: config.read_text().index("[[pair_function]]")] + "[networks]\nhidden = [4]\n"
    )
    assert "no two atoms of the training set are closer than 2 Å" in only_line(run("train", config, *words)[2])


def test_envelopes_that_do_not_go_with_functions(run, tmp_path):
    config = write_pairs(tmp_path, "adam", True)
    distance = '[[pair_function]]\ntype = "pair-distance"\npair = ["Si", "Si"]\n\n[networks]'
    config.write_text(config.read_text().replace("[networks]", distance))
    complaint = only_line(run("train", config, "--set", "pairs.envelope=shift")[2])
    assert 'envelope "shift" cannot be used with the distance itself' in complaint


# --- continuing ---


def test_a_finished_training_is_not_repeated_and_can_go_on(run, config, tmp_path):
    whole = tmp_path / "whole"
    assert run("train", config, "-o", whole)[0] == 0
    folder = tmp_path / "small-training"
    assert run("train", config, "--epochs", 3)[0] == 0
    before = (folder / "history.csv").read_bytes()
    assert "Continuing after epoch 3" in run("train", config, "--epochs", 3)[1]
    assert (folder / "history.csv").read_bytes() == before
    assert run("train", config)[0] == 0
    assert_same(whole, folder)


def test_another_training_is_in_the_way(run, config, tmp_path):
    folder = tmp_path / "small-training"
    assert run("train", config, "--epochs", 1)[0] == 0
    before = (folder / "model.h5").read_bytes()
    status, _, complaints = run("train", config, "--epochs", 1, "--set", "loss.decay=0.5")
    assert status == 2
    assert "holds another training (loss.decay was 0.001, is 0.5); --overwrite" in only_line(complaints)
    with (tmp_path / "train.xyz").open("a") as file:
        file.write("\n")
    assert "files." in only_line(run("train", config, "--epochs", 1)[2])
    assert (folder / "model.h5").read_bytes() == before
    (folder / "checkpoint.npz").write_bytes(b"broken")
    assert "not a whole fastsf-training-checkpoint" in only_line(run("train", config)[2])
    assert run("train", config, "--epochs", 1, "--set", "loss.decay=0.5", "--overwrite")[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("optimizer", ["levenberg-marquardt", "adam", "kalman"])
def test_kill_in_the_middle_changes_nothing(run, tmp_path, optimizer):
    config = write_config(tmp_path, optimizer)
    killed = tmp_path / "killed"
    process = command("train", config, "-o", killed, "--epochs", 4000)
    wait_for_epoch(killed, 3, seconds=30)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = TrainingCheckpoint.read(killed / "checkpoint.npz").progress.epoch
    assert run("train", config, "-o", killed, "--epochs", done + 3)[0] == 0
    whole = tmp_path / "whole"
    assert run("train", config, "-o", whole, "--epochs", done + 3)[0] == 0
    assert_same(whole, killed)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_saves_and_says_how_to_go_on(config, tmp_path):
    folder = tmp_path / "out"
    process = command("train", config, "-o", folder, "--epochs", 100000)
    wait_for_epoch(folder, 2, seconds=30)
    process.send_signal(signal.SIGINT)
    told, complaints = process.communicate()
    assert process.returncode == 130
    assert "finishing this epoch" in told
    assert f"interrupted (saved in {folder}; the same command continues from there)" in only_line(complaints)
    epoch = TrainingCheckpoint.read(folder / "checkpoint.npz").progress.epoch
    assert history_of(folder)[EPOCH] == list(range(epoch + 1))


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
def test_a_full_disk_loses_nothing(run, config, tmp_path):
    folder = tmp_path / "out"
    assert run("train", config, "-o", folder, "--epochs", 3)[0] == 0
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))"
    process = command("train", config, "-o", folder, before=f"import numpy, numba, ase.io, h5py\n{limit}")
    _, complaints = process.communicate()
    assert process.returncode == 2
    assert f"cannot write {folder}" in only_line(complaints)
    assert not list(folder.glob("*.tmp"))
    assert run("train", config, "-o", folder)[0] == 0
    assert run("train", config, "-o", tmp_path / "whole")[0] == 0
    assert_same(tmp_path / "whole", folder)


# --- wrong data ---


def add(path: Path, *structures: Atoms) -> None:
    ase.io.write(path, structures, format="extxyz", append=True)


def gold() -> Atoms:
    atoms = Atoms("Si2", [[0, 0, 0], [0, 0, 2.4]])
    atoms.symbols[1] = "Au"
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0, forces=np.zeros((2, 3)))
    return atoms


def test_nan_label(run, config, tmp_path):
    atoms = silicon("bulk-strained")[0]
    atoms.calc.results["forces"] = np.full((len(atoms), 3), np.nan)
    add(tmp_path / "train.xyz", atoms)
    status, _, complaints = run("train", config)
    assert status == 2
    assert re.search(r"train\.xyz, frame 16: .*(NaN|finite|nan)", only_line(complaints))
    status, told, _ = run("train", config, "--set", "data.on_error=skip", "--epochs", 1)
    assert status == 0
    assert "left out: " in told


@pytest.mark.parametrize("name", ["test", "validation"])
def test_element_that_is_not_trained(run, config, tmp_path, name):
    path = tmp_path / "more.xyz"
    add(path, silicon("bulk-strained")[0], gold())
    status, _, complaints = run("train", config, "--set", f"data.{name}={path}")
    assert status == 2
    assert f"more.xyz, frame 1: Au is in the {name} set, but in no structure of the training set" in only_line(
        complaints
    )


def test_functions_without_an_element_of_the_data(run, config, tmp_path):
    add(tmp_path / "train.xyz", gold())
    status, _, complaints = run("train", config)
    assert status == 2
    assert "Au" in only_line(complaints)


def test_without_validation(run, report, tmp_path):
    status, told, _ = run("train", write_config(tmp_path, validation="0.0"), "--patience", 1)
    assert status == 0
    assert "warning: no structures for validation" in told
    assert "6 epochs done" in told
    assert column("validation", "energy") not in history_of(tmp_path / "small-training")


def test_contradictory_units(run, config, tmp_path):
    frames = ase.io.read(tmp_path / "train.xyz", ":")
    for atoms in frames:
        atoms.calc.results["forces"] = atoms.calc.results["forces"] / 51.422
    ase.io.write(tmp_path / "train.xyz", frames, format="extxyz")
    status, told, complaints = run("train", config)
    assert (status == 2 and "on_serious" in only_line(complaints)) or "suspicious" in told
    assert run("train", config, "--set", "data.on_serious=warn", "--epochs", 1, "--overwrite")[0] == 0


def wrong_words(config: Path, folder: Path):
    (folder / "file").write_text("")
    return [
        ((folder / "gone.toml",), "No such file"),
        ((config, config), "expected one configuration, found 2"),
        ((config, "--set", "epochs=3"), "expected SECTION.KEY=VALUE"),
        ((config, "--set", "run.epochs"), "expected SECTION.KEY=VALUE"),
        ((config, "--epochs", "-1"), "epochs: expected at least 0"),
        ((config, "--epochs", "x"), "invalid int"),
        ((config, "-o", folder / "file"), "cannot make the folder"),
        ((config, "--set", f"data.train={folder}/gone.xyz"), r"gone\.xyz"),
        ((config, "--set", "data.validation=1.5"), "validation"),
        ((config, "--set", "data.validation_groups=nowhere"), "nowhere"),
        ((config, "--set", "data.energy_key=nothing"), "nothing"),
        ((folder,), r"input\.nn"),
        (("--init", folder / "gone.xyz"), r"gone\.xyz"),
    ]


@pytest.mark.parametrize("number", range(13))
def test_wrong_words_are_one_line_and_status_2(run, config, tmp_path, number):
    cases = wrong_words(config, tmp_path)
    assert len(cases) == 13
    words, reason = cases[number]
    before = sorted(path.name for path in tmp_path.iterdir())
    status, _, complaints = run("train", *words)
    assert status == 2
    assert re.fullmatch(rf"fastsf( train)?: .*({reason}).*\n", complaints), complaints
    assert sorted(path.name for path in tmp_path.iterdir()) == before


# --- evaluate ---


def test_evaluate_tells_errors_by_group(run, config, tmp_path):
    assert run("train", config, "--epochs", 2)[0] == 0
    model, metrics = tmp_path / "small-training" / "model.h5", tmp_path / "metrics.json"
    words = ("evaluate", model, tmp_path / "train.xyz", "--threads", 1)
    status, told, _ = run(*words, "--metrics", metrics, "--plots", tmp_path / "plots")
    assert status == 0
    assert re.search(r"in bulk-strained +[\d.]+ .* meV/atom, 10 structures", told)
    assert (tmp_path / "plots" / "errors.png").exists()
    found = predict([tmp_path / "train.xyz"], Potential.load(model), threads=1).metrics
    table = json.loads(metrics.read_text())["errors"]["groups"]
    assert table["bulk-volume"]["forces"]["rmse"] == found.groups["bulk-volume"]["forces"].rmse
    assert run(*words, "--group-key", "method")[1].count("  in ") == 0
    ase.io.write(tmp_path / "bare.xyz", Atoms("Si2", [[0, 0, 0], [0, 0, 2.4]]))
    status, _, complaints = run("evaluate", model, tmp_path / "bare.xyz")
    assert status == 2
    assert "nothing to compare with" in only_line(complaints)

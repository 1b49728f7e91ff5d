"""Loop, history and checkpoints of a training: limits, best parameters, continuing after any end."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support import fake_training
from support.fake_training import IDENTITY, START, FakeOptimizer, make_loop, train
from support.featurizing import PYTHONPATH
from support.histories import wait_for_epoch

from fastsf.errors import FormatError, InputError, StorageError
from fastsf.storage.interruption import Interruption
from fastsf.training.config.sections import TrainingLimits
from fastsf.training.objective.balance import Balance
from fastsf.training.objective.measures import Errors
from fastsf.training.run.checkpoint import TrainingCheckpoint
from fastsf.training.run.history import EPOCH, History, read_history
from fastsf.training.run.loop import SECONDS, TrainingLoop, TrainingProgress, column, score
from fastsf.training.run.run import TrainingFiles, unfinished

NAN = float("nan")


def errors_of(energy: float, forces: float = NAN, stress: float = NAN) -> Errors:
    """Return errors with equal RMSE and MAE."""
    return Errors(energy, energy, forces, forces, stress, stress)


def history_without_clock(folder: Path) -> dict[str, list[float]]:
    columns = read_history(folder / "history.csv")
    return {name: numbers.tolist() for name, numbers in columns.items() if name != SECONDS}


def assert_same(one: Path, other: Path) -> None:
    np.testing.assert_equal(history_without_clock(one), history_without_clock(other))
    first, second = (TrainingCheckpoint.read(folder / "checkpoint.npz") for folder in (one, other))
    states = [{**each.progress.state(), "seconds": 0} for each in (first, second)]
    np.testing.assert_equal(states[0], states[1])
    np.testing.assert_equal(first.optimizer, second.optimizer)
    assert (one / "model.h5").read_bytes() == (other / "model.h5").read_bytes()


# --- the loop ---


def run_loop(loop: TrainingLoop, stopping=lambda: False):
    rows, progress = [], TrainingProgress(START)
    reason = loop.run(progress, rows.append, lambda progress: None, stopping)
    return rows, progress, reason


def test_best_parameters_are_those_with_the_lowest_score_on_the_validation_set():
    loop = make_loop(TrainingLimits(60, patience=60))
    rows, progress, reason = run_loop(loop)
    assert reason == "60 epochs done"
    assert [row[EPOCH] for row in rows] == list(range(61))
    scores = [row["score"] for row in rows]
    assert progress.best_epoch == int(np.argmin(scores)) > 0
    assert (
        progress.best_score == min(scores) == score(loop.validation.errors(progress.best_parameters), np.full(3, 0.5))
    )
    assert rows[7][column("validation", "energy")] >= scores[7] * 0.5 > 0


def test_patience_ends_a_training_with_a_validation_set():
    _, progress, reason = run_loop(make_loop(TrainingLimits(1000, patience=5)))
    assert reason == "no better score on the validation set in 5 epochs"
    assert progress.epoch == progress.best_epoch + 5


def test_without_validation_nothing_ends_early_and_the_training_score_counts():
    rows, progress, reason = run_loop(make_loop(TrainingLimits(80, patience=1), validation=False))
    assert reason == "80 epochs done"
    assert progress.best_epoch == int(np.argmin([row["score"] for row in rows]))
    assert column("validation", "energy") not in rows[0]


def test_time_limit():
    _, progress, reason = run_loop(make_loop(TrainingLimits(1000, minutes=0.2 / 60), pause=0.05))
    assert reason.endswith("minutes over")
    assert 1 <= progress.epoch <= 4


def test_stopping_ends_between_epochs():
    answers = iter([False, False, True])
    _, progress, reason = run_loop(make_loop(TrainingLimits(10)), lambda: next(answers))
    assert (reason, progress.epoch) == ("", 2)


def test_parameters_that_are_not_finite_end_it_and_the_best_stay():
    loop = make_loop(TrainingLimits(50))
    step = loop.optimizer.step
    loop.optimizer.step = lambda p: step(p * (np.nan if loop.optimizer.steps == 4 else 1))
    _, progress, reason = run_loop(loop)
    assert reason == "diverged in epoch 5"
    assert np.isfinite(progress.best_parameters).all()


@pytest.mark.parametrize("values", [{"epochs": -1}, {"minutes": NAN}, {"minutes": -1.0}, {"patience": 0}])
def test_wrong_limits(values):
    with pytest.raises(InputError, match=next(iter(values))):
        TrainingLimits(**values)


def test_score_counts_the_labels_that_there_are():
    sigma = np.array([0.5, 2.0, 1.0])
    assert score(errors_of(1.0), sigma) == 2.0
    assert score(errors_of(1.0, 8.0), sigma) == pytest.approx(np.sqrt(8.0))
    assert np.isnan(score(errors_of(NAN), sigma))


def test_balance_follows_the_errors_down_to_a_limit():
    balance, start = Balance(first=4, every=3, lowest=0.1), np.array([1.0, 2.0, 3.0])
    sigma = np.array([0.5, 0.6, 0.7])
    for epoch in (0, 3, 5, 6):
        assert balance(epoch, sigma, start, errors_of(0.2, 0.3)) is sigma
    for epoch in (4, 7):
        np.testing.assert_array_equal(balance(epoch, sigma, start, errors_of(0.2, 0.01)), [0.2, 0.2, 0.7])
    for wrong in ({"first": -1}, {"every": 0}, {"lowest": 0.0}):
        with pytest.raises(InputError, match="balance"):
            Balance(**wrong)


def test_balance_changes_the_objective():
    loop = make_loop(TrainingLimits(10))
    rows, progress, _ = run_loop(loop)
    name = "sigma of energy (eV/atom)"
    assert [row[name] for row in rows[:4]] == [0.5] * 4
    assert rows[4][name] == rows[3][column("training", "energy")]
    assert loop.training.sigma.energy == progress.sigma[0]


# --- continuing ---


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a training without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    train(folder, 40)
    return folder


@pytest.mark.parametrize(("at", "minutes"), [(1, 1e9), (2, 0.0), (13, 1e9)])
def test_a_stopped_training_goes_on_to_the_same_end(whole, tmp_path, at, minutes):
    answers = iter([False] * at + [True])
    _, reason = train(tmp_path, 40, minutes=minutes, stopping=lambda: next(answers))
    assert reason == ""
    assert history_without_clock(tmp_path)[EPOCH] == list(range(at + 1))
    train(tmp_path, 40)
    assert_same(whole, tmp_path)


def test_a_training_that_ends_before_its_first_step(whole, tmp_path):
    assert train(tmp_path, 0)[1] == "0 epochs done"
    assert history_without_clock(tmp_path)[EPOCH] == [0]
    train(tmp_path, 40)
    assert_same(whole, tmp_path)


def test_more_epochs_go_on_where_a_training_ended(whole, tmp_path):
    train(tmp_path, 25)
    progress, _ = train(tmp_path, 40)
    assert_same(whole, tmp_path)
    assert train(tmp_path, 40)[0].seconds == progress.seconds  # complete: nothing is done
    assert_same(whole, tmp_path)


def start_program(folder: Path, *words) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, fake_training.__file__, str(folder), *map(str, words)],
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_kill_at_any_moment_changes_nothing(whole, tmp_path):
    for epoch in (0, 3, 11, 24):
        process = start_program(tmp_path, 40, 0.01)
        wait_for_epoch(tmp_path, epoch, seconds=20)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert TrainingCheckpoint.read(tmp_path / "checkpoint.npz").progress.epoch < 40
    train(tmp_path, 40)
    assert_same(whole, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_epoch_end_and_saves(whole, tmp_path, number):
    process = start_program(tmp_path, 40, 0.05)
    wait_for_epoch(tmp_path, 2, seconds=20)
    process.send_signal(number)
    told, complaints = process.communicate()
    assert (process.returncode, told, complaints) == (0, "stopping\n", "")
    epoch = TrainingCheckpoint.read(tmp_path / "checkpoint.npz").progress.epoch
    assert history_without_clock(tmp_path)[EPOCH] == list(range(epoch + 1))
    train(tmp_path, 40)
    assert_same(whole, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
@pytest.mark.parametrize("size", [1500, 5000])
def test_a_full_disk_loses_nothing(whole, tmp_path, size):
    train(tmp_path, 10)
    process = start_program(tmp_path, 40, 0.0, size)
    _, complaints = process.communicate()
    assert "StorageError: cannot write" in complaints
    assert TrainingCheckpoint.read(tmp_path / "checkpoint.npz").progress.epoch >= 10
    assert not list(tmp_path.glob("*.tmp"))
    train(tmp_path, 40)
    assert_same(whole, tmp_path)


def test_the_second_signal_stops_at_once():
    told = []
    with pytest.raises(KeyboardInterrupt), Interruption(lambda: told.append("once")) as interruption:
        signal.raise_signal(signal.SIGINT)
        assert (interruption.requested, told) == (True, ["once"])
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_signals_in_another_thread_are_left_alone():
    before = signal.getsignal(signal.SIGINT)

    def work():
        with Interruption(lambda: None):
            assert signal.getsignal(signal.SIGINT) is before

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_another_training_is_not_continued(tmp_path):
    train(tmp_path, 3)
    other = {"config": {"optimizer": {"name": "adam"}, "seed": 3}, "data": ["abc"]}
    with pytest.raises(InputError, match=r"another training \(config.optimizer.name was fake, is adam\); --overwrite"):
        unfinished(TrainingFiles(tmp_path), other)
    (tmp_path / "checkpoint.npz").unlink()
    with pytest.raises(StorageError, match=r"model\.h5 is there already, without a checkpoint"):
        unfinished(TrainingFiles(tmp_path), IDENTITY)
    assert unfinished(TrainingFiles(tmp_path, "-2"), IDENTITY) is None


# --- files ---


def test_checkpoints_come_back_to_the_last_bit(tmp_path):
    state = {
        "matrix": np.random.default_rng(0).normal(size=(3, 4)),
        "empty": np.empty((0, 2), dtype=np.float32),
        "order": np.arange(5),
        "number": 0.1,
        "nan": NAN,
        "large": 2**127 + 1,
        "scalar": np.int64(4),
        "text": "a/b: ü",
    }
    progress = TrainingProgress(np.array([1e-300, -0.0]), 3, 1.5, np.array([2.0, np.nextafter(1, 2)]), 2, 0.25)
    TrainingCheckpoint(IDENTITY, progress, state).write(tmp_path / "c")
    found = TrainingCheckpoint.read(tmp_path / "c")
    assert found.identity == IDENTITY
    np.testing.assert_equal(found.progress.state(), progress.state())
    assert set(found.optimizer) == set(state)
    for name, value in state.items():
        np.testing.assert_equal(found.optimizer[name], value)
    assert found.optimizer["empty"].dtype == np.float32


def test_damaged_checkpoints_are_known(tmp_path):
    path = tmp_path / "checkpoint.npz"
    TrainingCheckpoint(IDENTITY, TrainingProgress(START), {"array": np.arange(1000.0)}).write(path)
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[good.index(np.arange(500.0, 510.0).tobytes())] ^= 1
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    for data in (good[:-100], good[:1000], b"", b"text", bytes(flipped), (tmp_path / "other.npz").read_bytes()):
        path.write_bytes(data)
        with pytest.raises(FormatError, match="checkpoint"):
            TrainingCheckpoint.read(path)
    with pytest.raises(StorageError, match="cannot read"):
        TrainingCheckpoint.read(tmp_path / "gone")


def test_history_keeps_numbers_and_drops_what_a_kill_cut_off(tmp_path):
    path = tmp_path / "history.csv"
    history = History.begin(path, [EPOCH, "a (eV, per atom)", "b"])
    for epoch in range(5):
        history.add({EPOCH: epoch, "a (eV, per atom)": 1 / (epoch + 3), "unknown": 1.0})
    history.close()
    with path.open("a") as file:
        file.write("5,0.33")
    columns = read_history(path)
    assert columns[EPOCH].tolist() == [0, 1, 2, 3, 4]
    assert columns["a (eV, per atom)"].tolist() == [1 / (epoch + 3) for epoch in range(5)]
    assert np.isnan(columns["b"]).all()
    History.resume(path, 2).close()
    assert read_history(path)[EPOCH].tolist() == [0, 1, 2]
    with pytest.raises(FormatError, match="expected rows of the epochs 0 to 3, found 3 rows"):
        History.resume(path, 3)


def test_wrong_histories(tmp_path):
    path = tmp_path / "history.csv"
    for text, reason in (
        ("", "first column"),
        ("a,b\n1,2\n", "first column"),
        ("epoch,b\n0,1\n1,x\n", r"history\.csv:3: expected 2 numbers"),
        ("epoch,b\n0,1,2\n", r"history\.csv:2: expected 2 numbers"),
    ):
        path.write_text(text)
        with pytest.raises(FormatError, match=reason):
            read_history(path)
    with pytest.raises(StorageError):
        read_history(tmp_path / "gone.csv")
    with pytest.raises(StorageError, match="cannot write"):
        History.begin(tmp_path / "no" / "history.csv", [EPOCH])


def test_the_fake_optimiser_restores_itself():
    """Check the fake, on which the tests above rely."""
    one, other = (FakeOptimizer(make_loop(TrainingLimits()).training, seed) for seed in (1, 2))
    parameters = one.step(START).parameters
    other.restore(one.state())
    np.testing.assert_array_equal(one.step(parameters).parameters, other.step(parameters).parameters)

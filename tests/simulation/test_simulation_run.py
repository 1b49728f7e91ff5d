"""Runs in folders: their files, continuing after any interruption, and limits."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import ase.io
import h5py
import numpy as np
import pytest
from ase.units import fs
from support import harmonic
from support.featurizing import PYTHONPATH
from support.harmonic import COLUMNS, Harmonic, simulate

from fastsf.errors import FastsfError, FormatError, InputError, SimulationError, StorageError
from fastsf.simulation.checkpoint import RunCheckpoint
from fastsf.simulation.log import heading, read_log
from fastsf.simulation.settings import RunSettings, TrajectorySettings

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")


def steps_of(folder: Path) -> dict[str, list[int]]:
    """Return the steps in the files of a run."""
    with h5py.File(folder / "trajectory.h5") as file:
        found = {"h5md": file["particles/atoms/position/step"][:].tolist()}
    found["log"] = read_log(folder / "thermo.csv")["step"].astype(int).tolist()
    for name in ("extxyz", "traj"):
        found[name] = [atoms.info["step"] for atoms in ase.io.read(folder / f"trajectory.{name}", ":")]
    return found


def contents(folder: Path):
    """Return everything that two equal runs have in common."""
    state = RunCheckpoint.read(folder / "checkpoint.npz")
    with h5py.File(folder / "trajectory.h5") as file:
        arrays = {}
        file.visititems(lambda name, item: arrays.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    texts = [(folder / name).read_text() for name in ("thermo.csv", "trajectory.extxyz", "final.extxyz")]
    images = ase.io.read(folder / "trajectory.traj", ":")
    frames = [{**atoms.arrays, **atoms.info, **atoms.calc.results} for atoms in images]
    return state.step, state.state, arrays, texts, frames


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a run of 60 steps without interruption."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    simulate(folder, 60)
    return folder


# --- what it writes ---


def test_log_is_a_table_that_others_read(whole):
    log = read_log(whole / "thermo.csv")
    assert list(log) == ["step", "time (fs)", "potential energy (eV)", "temperature (K)", "conserved energy (eV)"]
    assert list(log) == [heading(column) for column in COLUMNS]
    np.testing.assert_array_equal(log["step"], np.arange(0, 61, 3))
    engine = Harmonic()
    engine.advance(9, 3)
    assert [column[3] for column in log.values()] == engine.row()
    plain = np.genfromtxt(whole / "thermo.csv", delimiter=",", names=True)
    np.testing.assert_array_equal(plain["step"], log["step"])


def test_trajectories_hold_the_frames(whole):
    engine, expected = Harmonic(), []
    for _ in range(13):
        expected.append(engine.frame())
        engine.advance(5, 5)
    fives = [*range(0, 61, 5)]
    assert steps_of(whole) == {"log": [*range(0, 61, 3)], "h5md": fives, "extxyz": fives, "traj": fives}
    for name in ("extxyz", "traj"):
        for atoms, frame in zip(ase.io.read(whole / f"trajectory.{name}", ":"), expected, strict=True):
            np.testing.assert_array_equal(atoms.positions, frame.positions)
            np.testing.assert_array_equal(atoms.cell, frame.cell)
            np.testing.assert_allclose(atoms.get_velocities() * fs, frame.velocities, rtol=1e-13)
            np.testing.assert_array_equal(atoms.get_forces(), frame.forces)
            assert atoms.get_potential_energy() == frame.energy
            assert atoms.info["time"] == frame.time
    with h5py.File(whole / "trajectory.h5") as file:
        group = file["particles/atoms"]
        for name, key in (("position", "positions"), ("velocity", "velocities"), ("force", "forces")):
            assert group[f"{name}/value"].dtype == np.float32
            values = np.array([getattr(frame, key) for frame in expected], dtype=np.float32)
            np.testing.assert_array_equal(group[f"{name}/value"], values)
            assert group[f"{name}/step"] == group["position/step"]
        np.testing.assert_array_equal(group["box/edges/value"], [frame.cell for frame in expected])
        np.testing.assert_array_equal(group["species"], expected[0].numbers)
        np.testing.assert_array_equal(file["observables/potential_energy/value"], [frame.energy for frame in expected])
        assert group["velocity/value"].attrs["unit"] == "Angstrom fs-1"
        assert list(file["h5md"].attrs["version"]) == [1, 1]
        assert list(group["box"].attrs["boundary"]) == ["periodic"] * 3


def test_last_atoms(whole):
    engine = Harmonic()
    engine.advance(60, 100)
    atoms = ase.io.read(whole / "final.extxyz")
    np.testing.assert_array_equal(atoms.positions, engine.positions)
    np.testing.assert_allclose(atoms.get_velocities() * fs, engine.velocities, rtol=1e-13)


def test_wrapped_positions_and_double_precision(tmp_path):
    settings = [TrajectorySettings(kind, 10, wrap=True, float64=True) for kind in ("extxyz", "traj", "h5md")]
    simulate(tmp_path, 10, trajectories=tuple(settings))
    with h5py.File(tmp_path / "trajectory.h5") as file:
        positions = file["particles/atoms/position/value"][:]
        assert "velocity" not in file["particles/atoms"]
    assert positions.dtype == np.float64
    assert positions.min() >= 0
    assert positions.max() < 20
    for name in ("extxyz", "traj"):
        frames = ase.io.read(tmp_path / f"trajectory.{name}", ":")
        np.testing.assert_array_equal([atoms.positions for atoms in frames], positions)
        assert "momenta" not in frames[0].arrays


def test_large_frames_are_written_before_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("fastsf.simulation.trajectories._BYTES", 1)
    simulate(tmp_path / "often", 60)
    monkeypatch.undo()
    simulate(tmp_path / "once", 60)
    np.testing.assert_equal(contents(tmp_path / "often"), contents(tmp_path / "once"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extxyz:10", TrajectorySettings("extxyz", 10)),
        ("h5md:1:velocities,forces", TrajectorySettings("h5md", 1, velocities=True, forces=True)),
        ("traj:7:wrap", TrajectorySettings("traj", 7, wrap=True)),
    ],
)
def test_trajectories_by_a_word(text, expected):
    assert TrajectorySettings.parse(text) == expected


@pytest.mark.parametrize("text", ["xyz:10", "extxyz", "extxyz:0", "extxyz:-3", "extxyz:10:speed", "", "h5md:1.5"])
def test_words_that_are_no_trajectory(text):
    with pytest.raises(InputError, match="trajectory: expected"):
        TrajectorySettings.parse(text)


def test_settings_outside_their_range():
    twice = (TrajectorySettings("traj", 1), TrajectorySettings("traj", 2))
    for wrong in ({"steps": -1}, {"log_every": 0}, {"trajectories": twice}, {"drift": 0.0}):
        with pytest.raises(InputError, match="expected"):
            RunSettings(**{"steps": 1, **wrong})


# --- continuing ---


def test_a_finished_run_can_be_made_longer(whole, tmp_path):
    for steps in (1, 17, 17, 42, 60):
        simulate(tmp_path, steps)
        assert RunCheckpoint.read(tmp_path / "checkpoint.npz").step == steps
        assert ase.io.read(tmp_path / "final.extxyz").info["step"] == steps
    np.testing.assert_equal(contents(tmp_path), contents(whole))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert simulate(tmp_path, 20).step == 60
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


@posix
def test_kills_change_nothing(tmp_path):
    folder, rng = tmp_path / "killed", np.random.default_rng(5)
    killed = 0
    for _ in range(4):
        process = start(folder, 100000, 1e-3)
        process.stdout.readline()
        wait_for(folder / "checkpoint.npz")
        time.sleep(float(rng.uniform(0.05, 0.4)))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if (folder / "trajectory.h5").exists():
            h5py.File(folder / "trajectory.h5").close()
    assert killed == 4
    steps = RunCheckpoint.read(folder / "checkpoint.npz").step + 7
    simulate(folder, steps)
    simulate(tmp_path / "whole", steps)
    np.testing.assert_equal(contents(folder), contents(tmp_path / "whole"))
    assert steps_of(folder)["traj"] == [*range(0, steps + 1, 5)]


def test_an_end_before_the_first_step_changes_nothing(whole, tmp_path, monkeypatch):
    """The checkpoint comes before all other files, so that they are never taken for those of another run."""
    for name in ("RunFiles.begin", "Trajectory.begin", "RunFiles.show", "Log.add"):

        def dying(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as context:
            module = {"RunFiles": "files", "Trajectory": "trajectories", "Log": "log"}[name.partition(".")[0]]
            context.setattr(f"fastsf.simulation.{module}.{name}", dying)
            with pytest.raises(KeyboardInterrupt):
                simulate(tmp_path, 60)
    simulate(tmp_path, 60)
    np.testing.assert_equal(contents(tmp_path), contents(whole))


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_save_and_say_how_to_continue(tmp_path, number):
    process = start(tmp_path, 100000, 1e-3)
    process.stdout.readline()
    wait_for(tmp_path / "checkpoint.npz")
    process.send_signal(number)
    printed, complaints = process.communicate()
    assert (process.returncode, complaints) == (130, "")
    assert printed == f"saved in {tmp_path}; the same command continues from there\n"
    done = RunCheckpoint.read(tmp_path / "checkpoint.npz").step
    assert steps_of(tmp_path)["extxyz"] == [*range(0, done + 1, 5)]


@posix
@pytest.mark.parametrize("size", [100, 3000, 6000, 12000])
def test_a_full_disk_loses_nothing(whole, tmp_path, size):
    process = start(tmp_path, 60, 0.0, size)
    _, complaints = process.communicate()
    assert process.returncode == 1
    assert "StorageError: cannot write" in complaints
    assert complaints.count("\n") == 1
    assert not list(tmp_path.glob("*.tmp"))
    if (tmp_path / "trajectory.h5").exists():
        h5py.File(tmp_path / "trajectory.h5").close()
    simulate(tmp_path, 60, overwrite=not (tmp_path / "checkpoint.npz").exists())
    np.testing.assert_equal(contents(tmp_path), contents(whole))


def start(folder: Path, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, harmonic.__file__, str(folder), *map(str, words)],
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.01)


# --- folders that hold something else ---


def copy(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, dirs_exist_ok=True)
    return to


def test_another_run_is_in_the_way(whole, tmp_path):
    folder = copy(whole, tmp_path)
    with pytest.raises(InputError, match=r"holds another run \(seed was 0, is 1\); --overwrite replaces it"):
        simulate(folder, 70, Harmonic(seed=1))
    simulate(folder, 30, Harmonic(seed=1), overwrite=True)
    assert steps_of(folder)["log"] == [*range(0, 31, 3)]


@posix
def test_two_runs_in_one_folder_are_one_too_many(tmp_path):
    process = start(tmp_path, 100000, 1e-3)
    process.stdout.readline()
    wait_for(tmp_path / "thermo.csv")
    for overwrite in (False, True):
        with pytest.raises(StorageError, match="another process is at work in"):
            simulate(tmp_path, 60, overwrite=overwrite)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    simulate(tmp_path, RunCheckpoint.read(tmp_path / "checkpoint.npz").step)


def test_files_without_a_checkpoint_are_in_the_way(whole, tmp_path):
    folder = copy(whole, tmp_path)
    (folder / "checkpoint.npz").unlink()
    with pytest.raises(StorageError, match=r"thermo\.csv is there already, without a checkpoint"):
        simulate(folder, 70)


def test_a_damaged_checkpoint_is_said(whole, tmp_path):
    path = copy(whole, tmp_path) / "checkpoint.npz"
    good = path.read_bytes()
    for data in (good[:-50], good[:200], b"", b"text"):
        path.write_bytes(data)
        with pytest.raises(FormatError, match=r"checkpoint\.npz: not a whole fastsf-simulation-checkpoint"):
            simulate(tmp_path, 70)


@pytest.mark.parametrize("name", ["thermo.csv", "trajectory.extxyz", "trajectory.traj", "trajectory.h5"])
def test_files_that_lost_something_are_said(whole, tmp_path, name):
    path = copy(whole, tmp_path) / name
    path.write_bytes(path.read_bytes()[:-60] if name != "trajectory.h5" else b"no HDF5")
    with pytest.raises(FormatError, match=f"{name}: "):
        simulate(tmp_path, 70)
    path.unlink()
    with pytest.raises(FormatError, match="found no file"):
        simulate(tmp_path, 70)


def test_other_trajectories_may_be_written_when_a_run_continues(tmp_path):
    simulate(tmp_path, 20, trajectories=(TrajectorySettings("traj", 5),))
    simulate(tmp_path, 40, trajectories=(TrajectorySettings("traj", 10), TrajectorySettings("h5md", 10)))
    assert [atoms.info["step"] for atoms in ase.io.read(tmp_path / "trajectory.traj", ":")] == [
        0,
        5,
        10,
        15,
        20,
        30,
        40,
    ]
    with h5py.File(tmp_path / "trajectory.h5") as file:
        assert file["particles/atoms/position/step"][:].tolist() == [30, 40]
    with pytest.raises(FormatError, match="same columns as before"):
        simulate(tmp_path, 50, trajectories=(TrajectorySettings("h5md", 10, velocities=True),))


# --- stops ---


@pytest.mark.parametrize(
    ("bad", "settings", "message"),
    [
        ({"halt": 50}, {}, "stopped at step 50: atom 3 is lost; "),
        ({"leak": 46}, {"drift": 0.2}, "step 48: the conserved energy drifts by 0.5 eV/atom/ps, the limit is 0.2;"),
    ],
)  # fmt: skip
def test_a_stop_leaves_the_state_before_it(whole, tmp_path, bad, settings, message):
    with pytest.raises(SimulationError, match=message):
        simulate(tmp_path, 60, Harmonic(bad=bad), **settings)
    saved = RunCheckpoint.read(tmp_path / "checkpoint.npz").step
    found = ase.io.read(tmp_path / "stopped.extxyz")
    assert saved < 46 <= found.info["step"]
    assert np.isfinite(found.get_forces()).all()
    assert steps_of(tmp_path)["log"][-1] <= found.info["step"]
    simulate(tmp_path, 60)
    np.testing.assert_equal(contents(tmp_path), contents(whole))


def test_an_error_of_the_engine_keeps_what_was_before(whole, tmp_path):
    with pytest.raises(FastsfError, match="a kernel gave up"):
        simulate(tmp_path, 60, Harmonic(bad={"error": 33}))
    assert 20 <= RunCheckpoint.read(tmp_path / "checkpoint.npz").step < 33
    simulate(tmp_path, 60)
    np.testing.assert_equal(contents(tmp_path), contents(whole))


class Watch:
    """An observer that writes the steps it sees into a file, and stops the run at one of them."""

    name, every = "watch", 4

    def __init__(self, folder: Path, stop: int) -> None:
        self.path, self.stop = folder / "watch.txt", stop
        self.paths = (self.path,)

    def begin(self, mark):
        self.steps = [] if mark is None else self.steps_before(mark["count"])

    def steps_before(self, count):
        return [int(word) for word in self.path.read_text().split()[:count]]

    def see(self, frame):
        self.steps.append(frame.step)
        self.path.write_text(" ".join(map(str, self.steps)))
        from fastsf.simulation.engine import Halt

        return Halt("watch", frame.step, "enough") if frame.step == self.stop else None

    def mark(self):
        return {"count": len(self.steps)}

    def sync(self):
        pass

    def close(self):
        pass


def test_a_watch_stops_before_the_trajectories_see_the_atoms(whole, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(SimulationError, match="stopped at step 40: enough"):
        simulate(folder, 60, watches=[Watch(folder, 40)])
    assert steps_of(folder)["traj"][-1] == 35
    simulate(folder, 60, watches=[Watch(folder, 0)])
    assert (folder / "watch.txt").read_text() == " ".join(map(str, range(0, 61, 4)))
    (folder / "watch.txt").unlink()
    np.testing.assert_equal(contents(folder)[1:], contents(whole)[1:])

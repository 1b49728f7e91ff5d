"""`fastsf mc` from end to end: its files, continuing, and errors."""

import re
import signal
import sys
import time
from pathlib import Path

import ase.io
import h5py
import numpy as np
import pytest
from support.featurizing import command
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf.simulation.checkpoint import RunCheckpoint
from fastsf.simulation.log import read_log

pytestmark = pytest.mark.usefixtures("compiled")
MOVES = ("--displace", "0.1", "--displace", "H,S=0.2", "--swap", "H,O", "--volume", "isotropic", "--pressure", 1000)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.h5"
    random_potential().save(path)
    return path


@pytest.fixture
def start(tmp_path):
    path = tmp_path / "start.xyz"
    ase.io.write(path, SYSTEMS["triclinic"](), format="extxyz")
    return path


def mc(run, model, start, *words, steps=1200):
    common = ("--steps", steps, "--log-every", 100, "--threads", 1, "--extrapolation", "ignore")
    trajectories = ("--trajectory", "h5md:200", "--trajectory", "extxyz:300")
    return run("mc", model, start, *common, *trajectories, *words)


def contents(folder: Path):
    """Return everything that two equal runs have in common."""
    found = RunCheckpoint.read(folder / "checkpoint.npz")
    with h5py.File(folder / "trajectory.h5") as file:
        positions = file["particles/atoms/position/value"][()]
    texts = [(folder / name).read_text() for name in ("thermo.csv", "trajectory.extxyz", "final.extxyz")]
    return found.step, found.state, positions, texts


def only_line(complaints: str) -> str:
    assert re.fullmatch(r"fastsf: [^\n]+\n", complaints), complaints
    return complaints


def test_files_and_output(run, model, start, tmp_path):
    status, printed, complaints = mc(run, model, start, *MOVES, "--temperature", "150:200", "--equilibration", 400)
    assert (status, complaints) == (0, "")
    folder = tmp_path / "start-mc"
    for text in ("8 atoms, 1,200 moves (displacement, displacement H S, swap H O, volume), in", "µs/step",
                 "potential energy: ", "displacement H S: ", "% accepted"):  # fmt: skip
        assert text in printed
    log = read_log(folder / "thermo.csv")
    np.testing.assert_array_equal(log["step"], np.arange(0, 1201, 100))
    np.testing.assert_allclose(log["temperature (K)"], np.linspace(150, 200, 13))
    assert log["volume (Å^3)"].std() > 0
    last = ase.io.read(folder / "final.extxyz")
    np.testing.assert_allclose(random_potential().evaluate(last).energy, log["potential energy (eV)"][-1], rtol=1e-12)
    assert len(ase.io.read(folder / "trajectory.extxyz", ":")) == 5


def test_more_steps_and_the_same_in_one_go(run, model, start, tmp_path):
    for steps in (333, 1200):
        assert mc(run, model, start, *MOVES, "-o", tmp_path / "cut", steps=steps)[0] == 0
    assert mc(run, model, start, *MOVES, "-o", tmp_path / "whole")[0] == 0
    for one, other in zip(contents(tmp_path / "cut"), contents(tmp_path / "whole"), strict=True):
        np.testing.assert_equal(one, other)
    status, printed, _ = mc(run, model, start, *MOVES, "-o", tmp_path / "whole")
    assert status == 0 and "1,200 steps are done already" in printed


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_killed(run, model, start, tmp_path):
    words = [*MOVES, "--extrapolation", "ignore", "--threads", 1, "--log-every", 100, "--checkpoint-seconds", 0.01]
    words += ["--steps", 10**9, "--trajectory", "h5md:200", "--trajectory", "extxyz:300", "-o", tmp_path / "killed"]
    process = command("mc", model, start, *words)
    checkpoint, deadline = tmp_path / "killed" / "checkpoint.npz", time.monotonic() + 120
    while not (checkpoint.exists() and RunCheckpoint.read(checkpoint).step > 1000) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    steps = RunCheckpoint.read(checkpoint).step // 100 * 100 + 1000
    for name in ("killed", "whole"):
        assert mc(run, model, start, *MOVES, "-o", tmp_path / name, steps=steps)[0] == 0
    for one, other in zip(contents(tmp_path / "killed"), contents(tmp_path / "whole"), strict=True):
        np.testing.assert_equal(one, other)


def test_another_run_is_refused(run, model, start):
    assert mc(run, model, start, *MOVES)[0] == 0
    status, _, complaints = mc(run, model, start, *MOVES, "--seed", 1, steps=1300)
    assert status == 2 and "seed" in only_line(complaints)


@pytest.mark.parametrize(
    "words, message",
    [
        (("--displace", "far"), "--displace: expected a number, found 'far'"),
        (("--displace", "Au=0.1"), "no atom of Au may move; expected some of H, O, S"),
        (("--displace", "0.9"), "up to 0.49, 0.49 of the skin, found 0.9"),
        (("--displace", "none"), "at least one kind of move"),
        (("--swap", "H"), "--swap: expected two elements"),
        (("--weight", "volume=1"), "--weight: expected NAME=W with a name out of displacement"),
        (
            ("--temperature", "cold"),
            "--temperature: expected one positive number, or two with a colon between; found 'cold'",
        ),
        (
            ("--temperature", "-3"),
            "--temperature: expected one positive number, or two with a colon between; found '-3'",
        ),
        (("--fix", "0", "--volume", "axes"), "volume cannot change with fixed atoms"),
        (("--fix", "12"), "expected numbers of atoms from 0 to 7"),
        (("--trajectory", "traj:100:velocities"), "velocities were asked for"),
        (("--equilibration", "-1"), "equilibration: expected at least 0 moves"),
    ],
)
def test_wrong_options(run, model, start, words, message):
    status, _, complaints = mc(run, model, start, *words)
    assert status == 2 and message in only_line(complaints)


def test_sweeps(run, model, start, tmp_path):
    words = ("--sweeps", 12.5, "--threads", 1, "--extrapolation", "ignore", "--trajectory", "none")
    assert run("mc", model, start, *words)[0] == 0
    assert RunCheckpoint.read(tmp_path / "start-mc" / "checkpoint.npz").step == 100
    status, _, complaints = run("mc", model, start, "--sweeps", -1)
    assert status == 2 and "--sweeps: expected a positive number" in only_line(complaints)

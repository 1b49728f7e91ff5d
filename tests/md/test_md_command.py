"""`fastsf md` from end to end: its files, continuing after any interruption, and errors."""

import re
import signal
import sys
import time
from pathlib import Path

import ase.io
import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms, FixCartesian
from ase.units import fs
from support.featurizing import command
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf.analysis.series import frame_values
from fastsf.md import NVE, Bussi, MolecularDynamics, maxwell_boltzmann
from fastsf.simulation.checkpoint import RunCheckpoint
from fastsf.simulation.log import read_log

pytestmark = pytest.mark.usefixtures("compiled")

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")
ALL = ("--trajectory", "h5md:10:velocities", "--trajectory", "extxyz:20:forces", "--trajectory", "traj:20")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Write the files of two potentials with the same functions; return the first."""
    folder = tmp_path_factory.mktemp("models")
    for seed in (1, 2):
        random_potential(seed).save(folder / f"model-{seed}.h5")
    return folder / "model-1.h5"


@pytest.fixture
def start(tmp_path):
    return write(tmp_path / "start.xyz", SYSTEMS["triclinic"]())


def write(path: Path, atoms: Atoms) -> Path:
    ase.io.write(path, atoms, format="extxyz")
    return path


def md(run, model, start, *words, folder=None, steps=40):
    """Run a short simulation without limits, except those of the test; return status, output and complaints."""
    free = ("--max-temperature", 1e9, "--max-drift", 0, "--extrapolation", "ignore", "--threads", 1)
    output = () if folder is None else ("-o", folder)
    length = () if steps is None else ("--steps", steps)
    return run("md", model, start, *output, *length, "--log-every", 10, *free, *words)


def contents(folder: Path):
    """Return everything that two equal runs have in common."""
    with h5py.File(folder / "trajectory.h5") as file:
        arrays = {}
        file.visititems(lambda name, item: arrays.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    found = RunCheckpoint.read(folder / "checkpoint.npz")
    texts = [(folder / name).read_text() for name in ("thermo.csv", "trajectory.extxyz", "final.extxyz")]
    images = ase.io.read(folder / "trajectory.traj", ":")
    return found.step, found.state, arrays, texts, [{**each.arrays, **each.info} for each in images]


def only_line(complaints: str) -> str:
    assert re.fullmatch(r"fastsf: [^\n]+\n", complaints), complaints
    return complaints


# --- what it does ---


def test_files_and_output(run, model, start, tmp_path):
    status, printed, complaints = md(run, model, start, "--ensemble", "nve", *ALL)
    assert (status, complaints) == (0, "")
    folder = tmp_path / "start-md"
    names = ["checkpoint.npz", "final.extxyz", "thermo.csv", "trajectory.extxyz", "trajectory.h5", "trajectory.traj"]
    assert sorted(path.name for path in folder.iterdir()) == names
    for text in ("velocities: drawn at 300 K", "8 atoms, nve, 40 steps of 0.5 fs, in", "ns/day", "µs/atom/step",
                 "temperature: ", "pressure: ", f"in {folder}: thermo.csv, final.extxyz, trajectory.h5"):  # fmt: skip
        assert text in printed
    atoms = ase.io.read(start)
    maxwell_boltzmann(atoms, 300.0, 0)
    engine = MolecularDynamics(random_potential(), atoms, NVE(), 0.5, threads=1)
    log = read_log(folder / "thermo.csv")
    rows = engine.advance(40, 10).rows
    np.testing.assert_array_equal(np.array(list(log.values())).T[1:], rows)
    last = ase.io.read(folder / "final.extxyz")
    np.testing.assert_array_equal(last.positions, engine.frame().positions)
    np.testing.assert_allclose(last.get_velocities() * fs, engine.frame().velocities, rtol=1e-12)


@pytest.mark.parametrize(
    "words",
    [
        ("--ensemble", "langevin", "--friction", 0.01),
        ("--ensemble", "bussi", "--temperature", "300:600", "--thermostat-time", 50),
        ("--ensemble", "nhc", "--ramp-steps", 20, "--temperature", "300:400"),
        ("--ensemble", "npt", "--pressure", 1000, "--shape", "anisotropic", "--barostat-time", 2000),
    ],
)
def test_ensembles(run, model, start, tmp_path, words):
    status, _, complaints = md(run, model, start, *words)
    assert (status, complaints) == (0, "")
    log = read_log(tmp_path / "start-md" / "thermo.csv")
    assert log["step"].tolist() == [0, 10, 20, 30, 40]
    assert (log["volume (Å^3)"].std() > 0) == ("npt" in words)


def test_an_alias_says_what_it_is(run, model, start, tmp_path):
    status, printed, complaints = md(run, model, start, "--ensemble", "NVT", steps=2)
    assert (status, complaints) == (0, "")
    assert "--ensemble NVT: bussi (stochastic velocity rescaling)\n" in printed
    assert "8 atoms, bussi, 2 steps" in printed


def test_lengths_and_time_steps(run, model, start, tmp_path):
    assert md(run, model, start, "--ps", 0.01, steps=None)[0] == 0
    assert RunCheckpoint.read(tmp_path / "start-md" / "checkpoint.npz").step == 20
    status, printed, _ = md(run, model, start, "--timestep", 4, folder=tmp_path / "long", steps=1)
    assert status == 0
    assert "warning: a time step of 4 fs is long; usual for these elements is 0.5 fs" in printed


def test_velocities_of_the_file(run, model, tmp_path):
    atoms = SYSTEMS["triclinic"]()
    maxwell_boltzmann(atoms, 50.0, seed=3)
    start = tmp_path / "start.traj"
    ase.io.write(start, [SYSTEMS["triclinic"](), atoms])
    status, printed, _ = md(run, model, start, "--trajectory", "none", steps=10)
    assert status == 0
    assert f"velocities: those of {start}" in printed
    engine = MolecularDynamics(random_potential(), atoms, Bussi(300.0), 0.5, threads=1)
    engine.advance(10, 10)
    np.testing.assert_array_equal(ase.io.read(tmp_path / "start-md/final.extxyz").positions, engine.frame().positions)
    assert not (tmp_path / "start-md/trajectory.h5").exists()
    printed = md(run, model, start, "--velocities", 700, folder=tmp_path / "other", steps=1)[1]
    assert "velocities: drawn at 700 K" in printed


def test_fixed_atoms(run, model, start, tmp_path):
    assert md(run, model, start, "--fix", "0-1,S")[0] == 0
    before, after = ase.io.read(start), ase.io.read(tmp_path / "start-md" / "final.extxyz")
    held = (np.arange(8) < 2) | (before.numbers == 16)
    assert ((before.positions == after.positions).all(axis=1) == held).all()


def test_members_are_watched(run, model, start, tmp_path):
    members = ("--member", model.with_name("model-2.h5"), "--check-every", 20, "--disagreement-limit", 1e-9)
    status, printed, _ = md(run, model, start, *members)
    assert status == 0
    assert "warning: step 0: the forces of the committee on atom" in printed
    assert "disagreement in 3 frames" in printed
    folder = tmp_path / "start-md"
    assert len(ase.io.read(folder / "candidates.extxyz", ":")) == 1
    plain = tmp_path / "plain"
    assert md(run, model, start, folder=plain)[0] == 0
    assert (plain / "thermo.csv").read_text() == (folder / "thermo.csv").read_text()
    status, _, complaints = md(run, model, start, *members, "--disagreement", "stop", folder=tmp_path / "stop")
    assert status == 2
    assert "stopped at step 0: the forces of the committee" in only_line(complaints)


def test_quiet_and_log(run, model, start, tmp_path):
    assert md(run, model, start, "--quiet", "--log", tmp_path / "log") == (0, "", "")
    assert "ns/day" in (tmp_path / "log").read_text()


# --- continuing ---


def test_a_finished_run_can_be_made_longer(run, model, start, tmp_path):
    assert md(run, model, start, *ALL, folder=tmp_path / "whole")[0] == 0
    for steps in (7, 23, 23, 40):
        status, printed, _ = md(run, model, start, *ALL, steps=steps)
        assert status == 0
    np.testing.assert_equal(contents(tmp_path / "start-md"), contents(tmp_path / "whole"))
    printed = md(run, model, start, *ALL)[1]
    assert "40 steps are done already; continue with more --steps, or use --overwrite" in printed


@posix
def test_kill_in_the_middle_changes_nothing(run, model, start, tmp_path):
    killed = tmp_path / "killed"
    for _ in range(2):
        process = simulation(model, start, killed)
        wait_for_rows(process, killed, 3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    steps = RunCheckpoint.read(killed / "checkpoint.npz").step + 30
    assert md(run, model, start, *ALL, folder=killed, steps=steps)[0] == 0
    assert md(run, model, start, *ALL, folder=tmp_path / "whole", steps=steps)[0] == 0
    np.testing.assert_equal(contents(killed), contents(tmp_path / "whole"))


@posix
def test_ctrl_c_saves_and_says_how_to_continue(model, start, tmp_path):
    folder = tmp_path / "out"
    process = simulation(model, start, folder)
    wait_for_rows(process, folder, 3)
    process.send_signal(signal.SIGINT)
    printed, complaints = process.communicate()
    assert process.returncode == 130
    assert "finishing these steps" in printed
    assert f"interrupted (saved in {folder}; the same command continues from there)" in only_line(complaints)
    step = RunCheckpoint.read(folder / "checkpoint.npz").step
    assert read_log(folder / "thermo.csv")["step"].tolist() == list(range(0, step + 1, 10))


@posix
def test_a_full_disk_loses_nothing(run, model, start, tmp_path):
    folder = tmp_path / "out"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))"
    process = simulation(model, start, folder, before=f"import numpy, numba, ase.io, h5py\n{limit}")
    _, complaints = process.communicate()
    assert process.returncode == 2
    assert f"cannot write {folder}" in only_line(complaints)
    steps = RunCheckpoint.read(folder / "checkpoint.npz").step + 30
    assert md(run, model, start, *ALL, folder=folder, steps=steps)[0] == 0
    assert md(run, model, start, *ALL, folder=tmp_path / "whole", steps=steps)[0] == 0
    np.testing.assert_equal(contents(folder), contents(tmp_path / "whole"))


def simulation(model, start, folder, before=""):
    free = ("--max-temperature", 1e9, "--max-drift", 0, "--extrapolation", "ignore", "--threads", 1)
    often = ("--log-every", 10, "--checkpoint-seconds", 0.1)
    return command("md", model, start, "-o", folder, "--steps", 10**7, *often, *free, *ALL, before=before)


def wait_for_rows(process, folder: Path, more: int) -> None:
    """Return once a run has written a number of further rows."""

    def rows() -> int:
        return (folder / "thermo.csv").read_text().count("\n") if (folder / "thermo.csv").exists() else 0

    end, before = time.monotonic() + 60, rows()
    while rows() < before + more:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "the simulation does not run"
        time.sleep(0.01)


def test_another_run_is_in_the_way(run, model, start, tmp_path):
    assert md(run, model, start)[0] == 0
    status, _, complaints = md(run, model, start, "--ensemble", "nve")
    assert status == 2
    assert "holds another run (integrator.name was Bussi, is NVE" in only_line(complaints)
    assert "--overwrite replaces it" in complaints
    (tmp_path / "start-md" / "checkpoint.npz").write_bytes(b"broken")
    assert "not a whole fastsf-simulation-checkpoint" in only_line(md(run, model, start)[2])
    assert md(run, model, start, "--ensemble", "nve", "--overwrite")[0] == 0


# --- stops ---


def test_a_stop_says_where_and_why(run, model, start, tmp_path):
    status, _, complaints = md(run, model, start, "--velocities", 3000, "--ensemble", "nve", "--max-temperature", 301)
    assert status == 2
    folder = tmp_path / "start-md"
    complaint = only_line(complaints)
    assert re.search(r"stopped at step \d+: the temperature is \d+ K", complaint), complaint
    assert f"{folder / 'stopped.extxyz'} has the atoms there, and {folder / 'checkpoint.npz'} the state" in complaint
    assert np.isfinite(ase.io.read(folder / "stopped.extxyz").positions).all()


def flying() -> Atoms:
    atoms = Atoms("HO", [[0, 0, 0], [0, 0, 8.0]])
    atoms.set_velocities([[0, 0, -3.0], [0, 0, 3.0]])
    return atoms


@pytest.mark.parametrize(
    ("make", "words", "complaint"),
    [
        (SYSTEMS["triclinic"], ("--ensemble", "npt", "--pressure", 3e6, "--compressibility", 1e-6),
         "the cell is .* Å thick, .* Å at the start; it may change by a factor of 2"),
        (flying, ("--ensemble", "nve", "--timestep", 1),
         r"atom \d \([HO]\) is more than 50 Å outside the extent of the first structure"),
    ],
    ids=["collapsing cell", "lost atom"],
)  # fmt: skip
def test_structures_that_fall_apart(run, model, tmp_path, make, words, complaint):
    start = tmp_path / "start.traj"
    ase.io.write(start, make())
    folder = tmp_path / "start-md"
    for _ in range(2):  # continuing leads to the same end
        status, _, complaints = md(run, model, start, *words, steps=20000)
        assert status == 2
        assert re.search(f"stopped at step [\\d,]+: .*{complaint}", only_line(complaints))
    assert RunCheckpoint.read(folder / "checkpoint.npz").step < ase.io.read(folder / "stopped.extxyz").info["step"]


def test_extrapolations_can_stop(run, model, start):
    status, _, complaints = md(run, model, start, "--velocities", 3000, "--extrapolation", "stop")
    assert status == 2
    assert "outside the range" in only_line(complaints) or "extrapolations" in only_line(complaints)


# --- input that is wrong ---


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--timestep", 1000), "timestep: expected a positive number of fs"),
        (("--timestep", -1), "timestep: expected a positive number of fs"),
        (("--temperature", "hot"), "--temperature: expected one positive number"),
        (("--temperature", "300:400:500"), "--temperature: expected one positive number"),
        (("--velocities", "fast"), "--velocities: expected auto, file or a temperature"),
        (("--trajectory", "xyz:10"), "trajectory: expected a format out of extxyz, traj, h5md"),
        (("--trajectory", "h5md:10:speed"), "the word 'speed'"),
        (("--fix", "0-99"), "expected numbers of atoms from 0 to 7"),
        (("--fix", "Xx"), "found 'Xx'"),
        (("--ensemble", "nve", "--pressure", 1), "--pressure has no meaning for the ensemble nve"),
        (("--ensemble", "npt", "--shape", "round"), "shape: expected"),
        (("--member", "nowhere.h5"), "nowhere.h5"),
        (("--skin", -1), "skin"),
        (("--friction", 0, "--ensemble", "langevin"), "friction"),
    ],
)
def test_wrong_options(run, model, start, words, complaint):
    status, _, complaints = md(run, model, start, *words, steps=1)
    assert status == 2
    assert complaint in only_line(complaints)
    assert not (start.parent / "start-md" / "thermo.csv").exists()


def gold() -> Atoms:
    return Atoms("HAu", [[0, 0, 0], [0, 0, 2.0]])


def lost() -> Atoms:
    return Atoms("HO", [[0, 0, 0], [0, 0, np.nan]])


def flat() -> Atoms:
    return Atoms("HO", [[0, 0, 0], [0, 0, 1.0]], cell=[[3, 0, 0], [6, 0, 0], [0, 0, 3]], pbc=True)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [(gold, "Au"), (lost, "start.xyz, frame 0: position of atom 1 is not finite"), (flat, "no volume")],
)
def test_structures_that_cannot_be_used(run, model, tmp_path, make, complaint):
    start = write(tmp_path / "start.xyz", make())
    status, _, complaints = md(run, model, start)
    assert status == 2
    assert complaint in only_line(complaints)


def test_files_that_are_not_there(run, model, start, tmp_path):
    assert "no such file" in only_line(md(run, tmp_path / "nothing.h5", start)[2])
    assert "No such file" in only_line(md(run, model, tmp_path / "nothing.xyz")[2])
    (tmp_path / "empty.xyz").write_text("")
    assert "empty.xyz" in only_line(md(run, model, tmp_path / "empty.xyz")[2])


def test_warnings_about_unusual_starts(run, model, tmp_path):
    atoms = Atoms("HOHO", [[0, 0, 0], [0, 0, 0.2], [1.5, 1.5, 0], [1.5, 1.5, 1.0]], cell=[3, 3, 9], pbc=True)
    _, printed, _ = md(run, model, write(tmp_path / "start.xyz", atoms), steps=1)
    assert "1 pair of atoms overlaps: H 0 and O 1 are 0.2 Å apart (expected at least 0.485)" in printed
    assert "the cell is 3 Å thick along a, less than the cutoff of 3.75 Å" in printed


# --- from run to run ---


def heavy(atoms: Atoms, fixed: list[int]) -> Atoms:
    """Return atoms with other masses, some of them fixed, with velocities."""
    atoms.set_masses(atoms.get_masses() + np.linspace(0.5, 1.0, len(atoms)))
    maxwell_boltzmann(atoms, 300.0, 1)
    if fixed:
        atoms.set_constraint(FixAtoms(fixed))
    return atoms


@pytest.mark.parametrize("fixed", [[], [0, 2]])
def test_the_next_run_starts_where_the_last_one_ended(run, model, tmp_path, fixed):
    start = write_with_masses(tmp_path / "start.xyz", heavy(SYSTEMS["triclinic"](), fixed))
    words = ("--ensemble", "nve", "--trajectory", "extxyz:10:velocities")
    status, printed, complaints = md(run, model, start, *words, folder=tmp_path / "a")
    assert status == 0, complaints
    assert "masses of the start: " in printed and ("fixed atoms: 2 of" in printed) == bool(fixed)
    assert md(run, model, tmp_path / "a/final.extxyz", *words, folder=tmp_path / "b")[0] == 0
    before, after = (read_log(tmp_path / name / "thermo.csv") for name in "ab")
    for name in ("total energy (eV)", "kinetic energy (eV)", "temperature (K)"):
        assert after[name][0] == pytest.approx(before[name][-1], rel=1e-10, abs=1e-10)
    first, last = (ase.io.read(path) for path in (start, tmp_path / "b/final.extxyz"))
    np.testing.assert_array_equal(last.get_masses(), first.get_masses())
    np.testing.assert_array_equal(last.positions[fixed], first.positions[fixed])
    frame = frame_values(ase.io.read(tmp_path / "b/trajectory.extxyz", 0))
    assert frame["temperature"] == pytest.approx(before["temperature (K)"][-1], rel=1e-9)


def write_with_masses(path: Path, atoms: Atoms) -> Path:
    """Write atoms with their masses, which ASE writes if they are among the arrays."""
    ase.io.write(path, atoms, format="extxyz")
    assert "masses:R:1" in path.read_text()
    return path


def test_constraints_of_the_start(run, model, tmp_path):
    atoms = SYSTEMS["triclinic"]()
    atoms.set_constraint([FixCartesian([0], (True, False, False)), FixAtoms([1])])
    start = tmp_path / "start.traj"
    atoms.write(start)
    line = only_line(md(run, model, start)[2])
    assert "FixCartesian of the atom 0" in line and "--constraints ignore" in line
    status, printed, _ = md(run, model, start, "--constraints", "ignore", folder=tmp_path / "a", steps=1)
    assert status == 0 and "--constraints ignore: constraints left out: FixCartesian of the atom 0" in printed
    assert "fixed atoms: 1 of" in printed
    status, printed, _ = md(run, model, start, "--constraints", "none", folder=tmp_path / "b", steps=1)
    assert status == 0 and "fixed atoms" not in printed

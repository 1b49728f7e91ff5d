"""`fastsf analyze`: its files, parts that are left out, and errors."""

import math
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from fastsf.analysis.report import drift_text
from fastsf.analysis.results import AnalysisSettings, study
from fastsf.analysis.source import Source, read_frames, read_series
from fastsf.analysis.tables import small_tables
from fastsf.cli.main import main
from fastsf.errors import FormatError, InputError, StorageError, StructureError

EVERYTHING = {
    *("means.csv", "coordination.csv", "diffusion.csv", "series.csv", "rdf.csv", "msd.csv", "vacf.csv", "vdos.csv"),
    *("analysis.md", "analysis.html", "series.png", "rdf.png", "msd.png", "vdos.png"),
}
FRAMES, INTERVAL = 120, 5.0


def run_frames(count: int = FRAMES, velocities: bool = True, times: bool = True) -> list[Atoms]:
    """Return frames of atoms that walk at random in a cell."""
    rng = np.random.default_rng(11)
    atoms = Atoms("Ar8Ne4", positions=rng.random((12, 3)) * 8, cell=[8, 8, 8], pbc=True)
    frames = []
    for number in range(count):
        atoms = atoms.copy()
        atoms.positions += rng.normal(scale=0.1, size=(12, 3))
        atoms.wrap()
        if velocities:
            atoms.set_velocities(rng.normal(size=(12, 3)) * 0.01)
        if times:
            atoms.info["time"] = 1000.0 + number * INTERVAL
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0 + 0.01 * rng.normal(), stress=rng.normal(size=6) * 1e-3)
        frames.append(atoms)
    return frames


@pytest.fixture
def trajectory(tmp_path: Path) -> Path:
    path = tmp_path / "run.extxyz"
    write(path, run_frames())
    return path


def analyze(*words: object) -> int:
    return main(["analyze", *map(str, words)])


def columns(path: Path) -> dict[str, np.ndarray]:
    head = path.read_text().splitlines()[0].split(",")
    return dict(zip(head, np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2).T, strict=True))


def test_everything_is_written(trajectory, capsys) -> None:
    assert analyze(trajectory, "--rdf-range", 6) == 0
    folder = trajectory.with_name("run-analysis")
    assert {path.name for path in folder.iterdir()} == EVERYTHING
    text = capsys.readouterr().out
    assert "kinetic temperatures of 3 degrees of freedom for each atom that may move: Ne " in text
    assert "120 of 120 frames, 0.595 ps; 12 atoms, Ar8Ne4" in text and "drift of the total energy" in text
    rdf = columns(folder / "rdf.csv")
    assert rdf["outer border (Å)"][-1] == pytest.approx(6.0) and {"g Ne-Ar", "error g Ne-Ar", "Ar around Ne"} <= set(
        rdf
    )
    assert columns(folder / "msd.csv")["lag (ps)"][1] == pytest.approx(INTERVAL / 1000)
    report = (folder / "analysis.md").read_text()
    assert report.count("![") == 4 and "fastsf analyze" in report


@pytest.mark.parametrize("name", ["run.traj", "run.extxyz.gz", "run.xyz"])
def test_formats_agree(tmp_path, trajectory, name) -> None:
    other = tmp_path / name
    write(other, read(trajectory, ":"))
    settings = AnalysisSettings(interval=INTERVAL)
    first, second = (small_tables(study(Source.of(path), settings)) for path in (trajectory, other))
    assert first == second and len(first) == 3


def test_results_are_not_replaced_unasked(trajectory, tmp_path, capsys) -> None:
    words = trajectory, "-o", tmp_path / "out", "--quiet"
    assert analyze(*words, "--only", "vdos") == 0
    assert analyze(*words) == 2
    assert "--overwrite replaces results" in capsys.readouterr().err
    assert analyze(*words, "--overwrite", "--only", "rdf") == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("coordination.csv", "rdf.csv", "rdf.png", "analysis.md", "analysis.html")
    }


def test_skip_leaves_out_the_start(trajectory) -> None:
    results = study(Source.of(trajectory), AnalysisSettings(skip=0.1))
    assert (results.frames, results.used) == (FRAMES, FRAMES - 20)
    assert results.rdf.frames == len(results.series.time) == FRAMES - 20
    assert results.series.time[0] == 1100.0 and results.length == pytest.approx(0.495)
    with pytest.raises(InputError, match="--skip: expected frames after the first 9 ps, found none"):
        study(Source.of(trajectory), AnalysisSettings(skip=9.0))


def test_what_is_missing_is_said(tmp_path, capsys) -> None:
    write(tmp_path / "run.xyz", run_frames(40, velocities=False, times=False))
    assert analyze(tmp_path / "run.xyz") == 0
    text = capsys.readouterr().out
    assert "left out: mean square displacements and diffusion: expected times in the frames, found none; give" in text
    assert "left out: velocity autocorrelation" in text and "expected velocities (momenta), found none" in text
    assert analyze(tmp_path / "run.xyz", "--overwrite", "--only", "vdos") == 2
    assert "not possible: frame 0: expected velocities (momenta), found none" in capsys.readouterr().err


def test_one_frame(tmp_path) -> None:
    write(tmp_path / "one.xyz", run_frames(1))
    results = study(Source.of(tmp_path / "one.xyz"), AnalysisSettings(interval=1.0))
    assert set(results.left_out) == {"msd", "vdos"} and results.rdf.frames == 1
    assert math.isnan(results.series.means()["temperature"].error)
    assert analyze(tmp_path / "one.xyz", "--quiet") == 0


def test_molecules_have_no_distribution(tmp_path) -> None:
    frames = run_frames(40)
    for atoms in frames:
        atoms.pbc = False
    write(tmp_path / "free.traj", frames)
    results = study(Source.of(tmp_path / "free.traj"), AnalysisSettings(interval=1.0))
    assert "expected three periodic directions, found 0" in results.left_out["rdf"]
    assert results.msd is not None and "pressure" not in results.series.columns


def test_atoms_that_come_and_go(tmp_path) -> None:
    frames = run_frames(40)
    write(tmp_path / "run.xyz", [*frames[:20], frames[20][:-1], *frames[21:]])
    results = study(Source.of(tmp_path / "run.xyz"), AnalysisSettings())
    assert results.left_out["msd"] == "frame 20: expected 12 atoms as in the first frame, found 11"
    assert results.left_out["vdos"] == results.left_out["msd"] and results.rdf.frames == 40
    with pytest.raises(InputError, match="mean square displacements and diffusion: not possible: frame 20"):
        study(Source.of(tmp_path / "run.xyz"), AnalysisSettings(parts=("msd",)))


def test_uneven_times_are_refused(tmp_path) -> None:
    frames = run_frames(60)
    del frames[30]
    write(tmp_path / "run.xyz", frames)
    results = study(Source.of(tmp_path / "run.xyz"), AnalysisSettings())
    assert "found one 10 fs after another (frames 29 and 30" in results.left_out["msd"]


def test_small_memory_thins_the_atoms(trajectory) -> None:
    results = study(Source.of(trajectory), AnalysisSettings(memory=2 * 12 * 6 * FRAMES / 2**30))
    assert any("from 6 of 12 atoms" in text for text in results.remarks)
    assert set(results.msd.diffusion) == {"Ne", "Ar"}


def test_broken_frames(trajectory) -> None:
    whole = trajectory.read_text()
    trajectory.write_text(whole[: len(whole) - 300])
    assert study(Source.of(trajectory), AnalysisSettings()).frames == FRAMES - 1
    lines = whole.splitlines(keepends=True)
    trajectory.write_text("".join(lines[:20] + lines[25:]))
    with pytest.raises(FormatError, match="frame 1"):
        study(Source.of(trajectory), AnalysisSettings())
    frames = run_frames(3)
    frames[1].positions[4, 0] = math.nan
    write(trajectory.with_name("nan.traj"), frames)
    with pytest.raises(StructureError, match=r"nan.traj, frame 1: position of atom 4"):
        study(Source.of(trajectory.with_name("nan.traj")), AnalysisSettings())


# --- folders of runs ---


LOG = "step,time (fs),temperature (K),conserved energy (eV),volume (Å^3),pressure (bar),extrapolations\n"


def log_text(rows: int) -> str:
    rng = np.random.default_rng(3)
    return LOG + "".join(
        f"{10 * k},{5.0 * k},{300 + rng.normal()},{-12.0 + 1e-4 * 5.0 * k / 1000 * 12!r},{512.0},nan,{k % 3}\n"
        for k in range(rows)
    )


def write_h5(path: Path, frames: list[Atoms]) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("particles/atoms")
        group["species"] = frames[0].numbers
        box = group.create_group("box")
        box.attrs["boundary"] = ["periodic"] * 3
        box["edges/value"] = [atoms.cell.array for atoms in frames]
        group["position/value"] = np.array([atoms.positions for atoms in frames], dtype=np.float32)
        group["position/step"] = np.arange(len(frames))
        group["position/time"] = [atoms.info["time"] for atoms in frames]
        group["velocity/value"] = np.array([atoms.get_velocities() * units.fs for atoms in frames], dtype=np.float32)


def test_folder_of_a_run(tmp_path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "thermo.csv").write_text(log_text(200) + "2000,1000.0,30")
    frames = run_frames(50)
    write_h5(folder / "trajectory.h5", frames)
    results = study(Source.of(folder), AnalysisSettings())
    assert list(results.series.columns) == ["temperature", "conserved energy", "volume", "density"]
    assert len(results.series.time) == 200 and results.series.units["temperature"] == "K"
    name, slope, error = results.series.drift(12)
    assert name == "conserved energy" and slope == pytest.approx(1e-4) and error < 1e-10
    write(tmp_path / "same.extxyz", frames)
    same = study(Source.of(tmp_path / "same.extxyz"), AnalysisSettings())
    for symbol, found in results.msd.diffusion.items():
        assert found.value == pytest.approx(same.msd.diffusion[symbol].value, rel=1e-4)
    np.testing.assert_allclose(results.vibrations.density["all"], same.vibrations.density["all"], atol=1e-5)
    assert analyze(folder, "--quiet", "--only", "means") == 0
    assert (tmp_path / "run-analysis" / "means.csv").read_text().count("\n") == 5


def test_log_alone(tmp_path) -> None:
    (tmp_path / "thermo.csv").write_text(log_text(100))
    results = study(Source.of(tmp_path / "thermo.csv"), AnalysisSettings(skip=0.1))
    assert results.first is None and len(results.series.time) == 80
    assert re.match(r"drift of the conserved energy: 1.20e-03 ± \S+ eV/ps", drift_text(results))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no rows"),
        (LOG, "holds no rows"),
        ("a (K),b (K)\n1,x\n", "numbers below named columns"),
        ("a (K)\n1,2\n", "numbers below named columns"),
    ],
)
def test_bad_logs(tmp_path, text, message) -> None:
    (tmp_path / "thermo.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_series(tmp_path / "thermo.csv")


def test_bad_sources(tmp_path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        Source.of(tmp_path / "missing")
    with pytest.raises(FormatError, match=r"expected the folder of a run, with thermo.csv"):
        Source.of(tmp_path)
    (tmp_path / "bad.h5").write_text("no HDF5")
    with pytest.raises(FormatError, match="H5MD layout"):
        list(read_frames(tmp_path / "bad.h5"))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(FormatError, match="H5MD layout"):
        list(read_frames(tmp_path / "other.h5"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "rdf,adf"], "--only: expected parts out of means, rdf, msd, vdos, found 'adf'"),
        (["--interval", "0"], "--interval: expected a positive time"),
        (["--skip", "-1"], "at least 0 ps"),
        (["--fit", "3"], "two lags in ps as A:B"),
        (["--fit", "5:9", "--only", "msd"], "--fit: expected an end below the length of a piece, 0.12 ps"),
        (["--rdf-range", "0", "--only", "rdf"], "range of distances"),
        (["--memory", "0", "--only", "msd"], "more than 0 GiB"),
        (["--pieces", "1", "--only", "msd"], "pieces"),
        (["--longest", "9", "--only", "vdos"], "at most the run"),
    ],
)
def test_wrong_options(trajectory, capsys, words, message) -> None:
    assert analyze(trajectory, *words) == 2
    assert message in capsys.readouterr().err
    assert not trajectory.with_name("run-analysis").exists()

"""The command line: output, exit status, and errors of one line for all wrong input."""

import io
import logging
import os
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from support.featurizing import PYTHONPATH, TOML, descriptor, silicon, structures, water, write_data

import fastsf
from fastsf import Potential
from fastsf.cli import console, demo
from fastsf.cli.compilation import compile as compilation
from fastsf.datasets.read_ahead import ReadingProgress
from fastsf.featurize.reader import FeatureFile
from fastsf.featurize.run import Options, featurize


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data.xyz")


@pytest.fixture
def definition(tmp_path):
    path = tmp_path / "functions.toml"
    path.write_text(TOML)
    return path


# --- featurize ---


def test_featurize_with_functions_of_a_file(run, data, definition, tmp_path):
    output = tmp_path / "out.h5"
    status, out, err = run(
        "featurize", data, "-o", output, "--functions", definition, "--scale", "--derivatives", "--float32"
    )
    assert (status, err) == (0, "")
    assert f"{output}: 12 structures, 66 atoms; energies of 12, forces of 12, stresses of 6" in out
    with FeatureFile(output) as file:
        assert file.labels == descriptor().labels
        assert file.hdf5["features"].dtype == np.float32
        assert {"statistics", "derivatives"} <= set(file.hdf5)
        assert file.hdf5.attrs["command"].startswith("fastsf featurize ")


def test_featurize_with_a_recipe_for_the_elements_of_the_data(run, data, tmp_path):
    output = tmp_path / "out.h5"
    words = ["featurize", data, "-o", output, "--recipe", "gastegger2018-wacsf", "--cutoff", "5"]
    status, out, _ = run(*words, "--threads", "1")
    assert status == 0
    assert "Elements: H, O, Si" in out
    with FeatureFile(output) as file:
        assert file.elements == ("H", "O", "Si")
    status, out, _ = run(*words)
    assert status == 0
    assert "is complete already" in out
    assert "Reading the files for their elements" not in out


def test_patterns_and_keys_and_units(run, tmp_path):
    rng = np.random.default_rng(1)
    atoms = water(rng, labelled=False)
    atoms.info["REF_energy"] = 2.5
    for name in ("b1.xyz", "b2.xyz"):
        write_data(tmp_path / name, [atoms])
    output = tmp_path / "out.h5"
    status, _, err = run(
        *("featurize", tmp_path / "b*.xyz", "-o", output, "--recipe", "gastegger2018-wacsf"),
        *("--elements", "H,O", "--energy-key", "REF_energy", "--cutoff", "4"),
    )
    assert (status, err) == (0, "")
    with FeatureFile(output) as file:
        assert [record.energy for record in file] == [2.5, 2.5]
        assert file.inputs == [str(tmp_path / "b1.xyz"), str(tmp_path / "b2.xyz")]


def test_skipped_structures_are_listed(run, definition, tmp_path):
    rng = np.random.default_rng(1)
    write(tmp_path / "data.traj", [water(rng), Atoms("Au"), silicon(rng)])
    output = tmp_path / "out.h5"
    words = ("featurize", tmp_path / "data.traj", "-o", output, "--functions", definition)
    status, out, _ = run(*words, "--on-error", "skip")
    assert status == 0
    assert "Left out: 1" in out
    assert "data.traj, frame 1: no functions for element Au" in out
    _, out, _ = run("inspect", output)
    assert "data.traj, frame 1: no functions for element Au" in out


def test_error_of_a_structure_comes_with_advice(run, definition, tmp_path):
    rng = np.random.default_rng(1)
    write(tmp_path / "data.traj", [water(rng), silicon(rng), Atoms("Au")])
    output = tmp_path / "out.h5"
    words = (
        "featurize",
        tmp_path / "data.traj",
        "-o",
        output,
        "--functions",
        definition,
        "--chunk-atoms",
        "1",
    )
    status, _, err = run(*words)
    assert status == 2
    assert "frame 2: no functions for element Au" in err
    assert f"--on-error skip leaves such structures out (finished chunks are kept in {output}.parts;" in err
    status, out, _ = run(*words, "--on-error", "skip")
    assert status == 0
    assert "2 structures were computed before" in out


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_name_of_a_file_that_is_not_text(definition, tmp_path):
    data = write_data(tmp_path / "data.xyz")
    odd = os.fsencode(tmp_path) + b"/\xff.xyz"
    data.rename(os.fsdecode(odd))
    output = tmp_path / "out.h5"
    words = [os.fsencode(word) for word in ("featurize", "--functions", definition, "-o", output)]
    for more in ([*words, odd], [*words, odd], [b"inspect", os.fsencode(output)]):
        process = subprocess.run(
            [sys.executable, "-m", "fastsf", *more],
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            capture_output=True,
            check=False,
        )
        assert (process.returncode, process.stderr) == (0, b"")


def test_quiet_prints_nothing_and_the_log_has_it(run, data, definition, tmp_path):
    log = tmp_path / "run.log"
    words = ("featurize", data, "-o", tmp_path / "out.h5", "--functions", definition)
    assert run(*words, "--quiet", "--log", log) == (0, "", "")
    assert "12 structures, 66 atoms" in log.read_text()
    run("featurize", "gone.xyz", "-o", "x.h5", "--functions", definition, "--log", log)
    assert "ERROR gone.xyz" in log.read_text()


def test_running_again_with_other_options_needs_overwrite(run, data, definition, tmp_path):
    words = ("featurize", data, "-o", tmp_path / "out.h5", "--functions", definition)
    assert run(*words)[0] == 0
    status, _, err = run(*words, "--float32")
    assert status == 2
    assert "--overwrite starts again" in err
    assert run(*words, "--float32", "--overwrite")[0] == 0


# --- wrong input ---


def wrong_inputs(folder):
    """Return words after ``featurize``, and a pattern of the error."""
    rng = np.random.default_rng(2)
    good, toml = write_data(folder / "good.xyz"), folder / "good.toml"
    toml.write_text(TOML)
    (folder / "empty.xyz").touch()
    broken = good.read_text().splitlines(keepends=True)
    (folder / "cut.xyz").write_text("".join(broken[:4]))
    (folder / "word.xyz").write_text("".join(broken).replace("O ", "O x", 1))
    nan, flat = water(rng), silicon(rng)
    nan.positions[0] = np.nan
    write(folder / "nan.traj", nan)
    flat.set_cell(np.ones((3, 3)))
    write(folder / "flat.traj", flat)
    write(folder / "gold.traj", Atoms("Au"))
    (folder / "text.toml").write_text("elements = [")
    (folder / "notes.txt").write_text("nothing of use")
    functions, recipe = ("--functions", toml), ("--recipe", "gastegger2018-wacsf", "--elements", "Si,O,H")
    here = str(folder)
    return [
        ((f"{here}/gone.xyz", *functions), r"gone\.xyz: no such file"),
        ((f"{here}/gone*.xyz", *functions), r"no file matches"),
        ((here, *functions), "folder"),
        ((f"{here}/notes.txt", *functions), r"notes\.txt"),
        ((f"{here}/empty.xyz", *functions), r"empty\.xyz: the file is empty"),
        ((f"{here}/cut.xyz", *functions), r"cut\.xyz:1, frame 0: expected 3 atoms"),
        ((f"{here}/word.xyz", *functions), r"word\.xyz:1, frame 0"),
        ((f"{here}/nan.traj", *functions), r"nan\.traj, frame 0: position of atom 0 is not finite"),
        ((f"{here}/flat.traj", *functions), r"flat\.traj, frame 0: .*no volume"),
        ((f"{here}/gold.traj", *functions), r"gold\.traj, frame 0: no functions for element Au"),
        ((good, *functions, "--energy-key", "E"), r"good\.xyz, frame 0: no 'E'"),
        ((good, *recipe, "--cutoff", "0"), "cutoff"),
        ((good, *recipe, "--cutoff", "-3"), "cutoff"),
        ((good, *recipe, "--cutoff", "nan"), "cutoff"),
        ((good, *recipe, "--cutoff", "far"), "--cutoff"),
        ((good, "--recipe", "none", "--elements", "Si"), "unknown recipe 'none'"),
        ((good, "--recipe", "gastegger2018-wacsf", "--elements", "Si,Xx"), "'Xx' is not a chemical symbol"),
        ((good, "--functions", f"{here}/gone.toml"), r"gone\.toml"),
        ((good, "--functions", f"{here}/text.toml"), r"text\.toml"),
        ((good, "--functions", good), r"good\.xyz"),
        ((good, *functions, "--cutoff", "5"), "belong to --recipe"),
        ((good, *functions, "--length-unit", "foot"), "foot"),
        ((good, *functions, "--threads", "0"), "at least 1"),
        ((good, *functions, "--chunk-atoms", "many"), "--chunk-atoms"),
        ((good, *functions, *recipe), "not allowed with"),
        ((good,), "--recipe --functions is required"),
        ((good, *functions, "-o", good), "is an input"),
        ((good, *functions, "-o", here), "it is a folder"),
        ((good, *functions, "-o", f"{here}/no/out.h5"), "there is no folder"),
        ((good, *functions, "-o", "/proc/out.h5"), r"cannot make the working folder /proc/out\.h5\.parts"),
        ((good, *functions, "--log", f"{here}/no/log"), "cannot write the log"),
        ((good, *functions, "--log", here), "cannot write the log"),
    ]


@pytest.mark.parametrize("number", range(32))
def test_wrong_input_is_one_line_and_status_2(run, tmp_path, number):
    cases = wrong_inputs(tmp_path)
    assert len(cases) == 32
    words, reason = cases[number]
    if "/proc/out.h5" in words and sys.platform != "linux":
        pytest.skip("needs /proc")
    before = sorted(path.name for path in tmp_path.iterdir())
    output = () if "-o" in words else ("-o", tmp_path / "out.h5")
    status, _, err = run("featurize", *words, *output)
    assert status == 2
    assert re.fullmatch(rf"fastsf( featurize)?: .*({reason}).*\n", err), err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_no_permission(run, data, definition, tmp_path, monkeypatch):
    """Root may write anywhere, so the refusal of the system is simulated."""
    from pathlib import Path

    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    status, _, err = run("featurize", data, "-o", tmp_path / "out.h5", "--functions", definition)
    assert status == 2
    assert err == f"fastsf: cannot make the working folder {tmp_path}/out.h5.parts: permission denied\n"


def test_no_memory(run, data, definition, tmp_path, monkeypatch):
    def refuse(self, batch, jacobian=False):
        raise MemoryError

    monkeypatch.setattr(fastsf.ACSF, "evaluate_batch", refuse)
    status, _, err = run("featurize", data, "-o", tmp_path / "out.h5", "--functions", definition)
    assert status == 2
    assert err.startswith("fastsf: not enough memory; a smaller --chunk-atoms")


# --- inspect ---


@pytest.fixture
def features(data, tmp_path):
    output = tmp_path / "out.h5"
    featurize([data], output, descriptor(), Options(derivatives=True))
    return output


def test_inspect_shows_the_contents(run, features, data):
    status, out, err = run("inspect", features)
    assert (status, err) == (0, "")
    for text in (
        "structures  12 from 1 file",
        "atoms       66: H 12, O 6, Si 48",
        "columns     7: H 3, O 3, Si 7; float64, dimensionless",
        "energy of 12 structures, eV",
        "stress of 6 structures, eV/Å^3",
        "float64, 1/Å",
        f"by fastsf {fastsf.__version__}",
        str(data),
        "left out    nothing",
        "Si: 7 columns over 48 atoms",
        "G4(Si;Si,Si) eta=0.1 rs=0 lambda=-1 zeta=1 rc=4 cosine",
    ):
        assert text in out


def test_inspect_writes_pictures(run, features, tmp_path):
    status, out, _ = run("inspect", features, "--plots", tmp_path / "pictures")
    assert status == 0
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == [f"{kind}-{symbol}.png" for kind in ("functions", "ranges") for symbol in ("H", "O", "Si")]
    for name in names:
        assert f"wrote {tmp_path / 'pictures' / name}" in out


def test_inspect_other_files(run, data, tmp_path, features):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    truncated = tmp_path / "cut.h5"
    truncated.write_bytes(features.read_bytes()[:5000])
    for path, reason in (
        (data, "expected a feature file"),
        (tmp_path / "other.h5", "expected a file written by fastsf featurize"),
        (truncated, "expected a feature file"),
        (tmp_path / "gone.h5", "no such file"),
        (tmp_path, "found a folder"),
    ):
        status, _, err = run("inspect", path)
        assert status == 2
        assert re.fullmatch(rf"fastsf: .*{reason}.*\n", err)


def test_pictures_that_cannot_be_written(run, features, data):
    status, _, err = run("inspect", features, "--plots", data)
    assert status == 2
    assert err.startswith(f"fastsf: cannot write {data}/functions-H.png: ")


# --- the others ---


def test_demo(run, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "EPOCHS", 2)
    monkeypatch.setattr(demo, "STEPS", 400)
    monkeypatch.setattr(demo, "EQUILIBRATION", 0.0)
    folder = tmp_path / "results"
    status, out, err = run("demo", folder)
    assert (status, err) == (0, "")
    assert str(folder.resolve()) in out
    assert re.search(r"kernels [\d.]+ µs per atom", out)
    for name in ("silicon", "ethanol"):
        with FeatureFile(folder / f"{name}.h5") as file:
            assert len(file) > 100
            assert file.count_labels("forces") == len(file)
        assert len(list((folder / name).glob("*.png"))) == 2 * len(file.labels)
    assert Potential.load(folder / "training" / "model.h5").elements == ("Si",)
    assert "<img" in (folder / "training" / "report.html").read_text()
    assert "400 steps in" in out
    assert (folder / "analysis" / "rdf.png").exists()
    monkeypatch.setattr(demo, "EPOCHS", 0)
    assert run("demo", folder)[0] == 0


def test_demo_where_nothing_can_be_written(run, data):
    status, _, err = run("demo", data / "results")
    assert status == 2
    assert err.startswith("fastsf: cannot make the folder")


def test_compile(run, monkeypatch):
    asked = []
    monkeypatch.setattr(compilation, "compile_kernels", lambda what: asked.append(what) or 12.34)
    status, out, _ = run("compile")
    assert status == 0
    assert "12.3 s; " in out
    assert run("compile", "featurize", "pair-md")[0] == 0
    assert asked == [None, ["featurize", "pair-md"]]
    monkeypatch.setattr(compilation, "cache_folder", lambda: None)
    assert "every process compiles again" in run("compile")[1]


def test_version_and_help(run):
    assert run("--version") == (0, f"fastsf {fastsf.__version__}\n", "")
    status, out, _ = run("--help")
    assert status == 0
    for name in ("featurize", "inspect", "demo", "compile"):
        assert name in out
        assert run(name, "--help")[0] == 0


def test_no_command_and_unknown_command(run):
    for words in ((), ("fly",)):
        status, _, err = run(*words)
        assert status == 2
        assert err.count("\n") == 1


def test_module_and_reader_that_goes_away(features):
    """``python -m fastsf inspect FILE | head -1``"""
    process = subprocess.Popen(
        [sys.executable, "-m", "fastsf", "inspect", str(features)],
        env={**os.environ, "PYTHONPATH": PYTHONPATH, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    _, err = process.communicate()
    assert err == b""


def test_help_loads_neither_hdf5_nor_matplotlib():
    code = "import sys, fastsf.cli.main; sys.exit('h5py' in sys.modules or 'matplotlib' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_bar_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(console, "_DRAW_SECONDS", 0.0)
    with console.Console().progress_bar() as bar:
        bar(ReadingProgress(0, 0, 0, 1000))
        bar(ReadingProgress(10, 80, 500, 1000))
        bar(ReadingProgress(20, 160, 1000, 1000))
    shown = terminal.getvalue()
    assert " 50% |" in shown
    assert "100% |" in shown
    assert "20 structures, 160 atoms, " in shown
    assert "atoms/s" in shown


def test_no_progress_bar_elsewhere(capsys):
    for bar in (console.Console().progress_bar(), console.Console(quiet=True).progress_bar()):
        with bar:
            bar(ReadingProgress(10, 80, 500, 1000))
    assert capsys.readouterr() == ("", "")


def test_progress_goes_to_the_log_now_and_then(monkeypatch, caplog):
    clock = iter([0.0, 0.0, 0.0, 10.0, 10.0, 31.0, 31.0])
    monkeypatch.setattr(console.time, "perf_counter", lambda: next(clock))
    bar = console.ProgressBar(console.Bar(shown=False))
    with caplog.at_level(logging.INFO, "fastsf"):
        for step in (0, 1, 2):
            bar(ReadingProgress(step, 310 * step, 100 * step, 400))
    assert [record.getMessage() for record in caplog.records] == ["2 structures, 620 atoms, 20 atoms/s, 50 % done"]


def test_structures_without_labels(run, definition, tmp_path):
    data = write_data(tmp_path / "data.xyz", structures(2, labelled=False))
    output = tmp_path / "out.h5"
    run("featurize", data, "-o", output, "--functions", definition)
    _, out, _ = run("inspect", output)
    for name in ("energy", "forces", "stress"):
        assert f"no {name}" in out
    assert "derivatives none" in out

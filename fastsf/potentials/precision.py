"""Precisions of evaluations and the kernels of each."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from fastsf.errors import InputError

DOUBLE, MIXED = "double", "mixed"

_PACKAGES = {DOUBLE: "fastsf.kernels", MIXED: "fastsf.kernels.single"}
KERNEL_MODULES = {"acsf": "acsf.values", "acsf_vjp": "acsf.vjp", "energies": "energies.energies"}
"""Modules of the fields of `KernelSet`, below the package of a precision."""


class KernelSet(NamedTuple):
    """Modules of kernels in one precision; networks, forces and neighbours have only one."""

    acsf: ModuleType
    acsf_vjp: ModuleType
    energies: ModuleType


def checked_precision(precision: str) -> str:
    """Return the name of a precision if it is known.

    Parameters
    ----------
    precision : str
        "double": everything in float64. "mixed": quantities of single neighbours and triplets in float32; vectors
        between atoms, sums, symmetry functions, networks, energies, forces and virials in float64.

    Raises
    ------
    InputError
        For any other text.
    """
    if precision not in tuple(_PACKAGES):
        raise InputError(f"precision: expected one of {', '.join(_PACKAGES)}, found {precision!r}")
    return precision


@cache
def kernel_set(precision: str) -> KernelSet:
    """Return the kernels of a precision; they are loaded and compiled at their first use.

    Parameters
    ----------
    precision : str
        As for `checked_precision`.
    """
    package = _PACKAGES[precision]
    return KernelSet(*(import_module(f"{package}.{KERNEL_MODULES[name]}") for name in KernelSet._fields))

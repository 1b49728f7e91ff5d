"""Atoms that do not move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from ase.constraints import FixAtoms

from fastsf.errors import InputError
from fastsf.types import BoolArray

if TYPE_CHECKING:
    from ase import Atoms


def fixed_atoms(atoms: Atoms) -> BoolArray:
    """Which atoms `ase.constraints.FixAtoms` holds.

    Raises
    ------
    InputError
        For other constraints.
    """
    fixed = np.zeros(len(atoms), np.bool_)
    for constraint in atoms.constraints:
        if not isinstance(constraint, FixAtoms):
            raise InputError(
                f"constraints: only ase.constraints.FixAtoms is supported, found {type(constraint).__name__}"
            )
        fixed[constraint.get_indices()] = True
    return fixed


def atoms_mask(fixed: npt.ArrayLike | None, n: int) -> BoolArray:
    """Mask (n,) of atoms that are given as a mask or by indices.

    Raises
    ------
    InputError
        If they are something else, or not there.
    """
    mask = np.zeros(n, np.bool_)
    if fixed is None:
        return mask
    chosen = np.asarray(fixed)
    if chosen.dtype == np.bool_ and chosen.shape == (n,):
        mask |= chosen
        return mask
    if chosen.size and not (chosen.ndim == 1 and np.issubdtype(chosen.dtype, np.integer)):
        raise InputError(f"fixed: expected {n} truth values or indices of atoms, found {chosen.dtype} {chosen.shape}")
    if chosen.size and not (-n <= chosen.min() and chosen.max() < n):
        raise InputError(f"fixed: expected indices of {n} atoms, found {chosen.min()} to {chosen.max()}")
    mask[chosen.astype(np.int64)] = True
    return mask

"""Masks of atoms that do not move."""

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
    """Return the mask (n,) of atoms that `ase.constraints.FixAtoms` fixes.

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
    """Return the mask (n,) of atoms that are given as a mask or by indices.

    Raises
    ------
    InputError
        If they are neither, or an index is out of range.
    """
    mask = np.zeros(n, np.bool_)
    if fixed is None:
        return mask
    chosen = np.asarray(fixed)
    if chosen.dtype == np.bool_ and chosen.shape == (n,):
        mask |= chosen
        return mask
    if chosen.size and not (chosen.ndim == 1 and np.issubdtype(chosen.dtype, np.integer)):
        found = f"an array {chosen.shape} of {chosen.dtype}"
        raise InputError(f"fixed: expected {n} truth values or indices of atoms, found {found}")
    if chosen.size and not (-n <= chosen.min() and chosen.max() < n):
        raise InputError(f"fixed: expected indices of {n} atoms, found {chosen.min()} to {chosen.max()}")
    mask[chosen.astype(np.int64)] = True
    return mask

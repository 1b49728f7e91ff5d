"""Atoms of a start that do not move, and its masses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from ase.constraints import FixAtoms, FixCartesian, FixScaled
from ase.data import atomic_masses

from fastsf.errors import InputError
from fastsf.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from ase import Atoms


_MOST_NAMED = 5


def fixed_atoms(atoms: Atoms) -> BoolArray:
    """Return the mask (n,) of atoms that the constraints fix completely, for example `ase.constraints.FixAtoms`.

    Raises
    ------
    InputError
        For other constraints.
    """
    others = partial_constraints(atoms)
    if others:
        raise InputError(
            f"constraints: expected atoms that are fixed completely (FixAtoms), found {_named(others)}; to leave "
            "these out, give the command --constraints ignore, or replace them in Python with atoms.set_constraint"
        )
    return held_atoms(atoms)


def held_atoms(atoms: Atoms) -> BoolArray:
    """Return the mask (n,) of atoms that the constraints fix completely; other constraints are left out."""
    fixed = np.zeros(len(atoms), np.bool_)
    for constraint in atoms.constraints:
        if _fixes_atoms(constraint):
            fixed[constraint.get_indices()] = True
    return fixed


def partial_constraints(atoms: Atoms) -> list[Any]:
    """Return the constraints that do not fix atoms completely."""
    return [constraint for constraint in atoms.constraints if not _fixes_atoms(constraint)]


def _fixes_atoms(constraint: Any) -> bool:
    if isinstance(constraint, FixCartesian | FixScaled):
        return bool(np.all(constraint.mask))
    return isinstance(constraint, FixAtoms)


def _named(constraints: list[Any]) -> str:
    """Return constraints and their atoms in words."""
    atoms: dict[str, list[int]] = {}
    for constraint in constraints:
        found = np.ravel(constraint.get_indices()).tolist() if hasattr(constraint, "get_indices") else []
        atoms.setdefault(type(constraint).__name__, []).extend(found)
    return ", ".join(name + _numbered(numbers) for name, numbers in atoms.items())


def _numbered(atoms: list[int]) -> str:
    if not atoms:
        return ""
    more = f" and {len(atoms) - _MOST_NAMED:,} more" if len(atoms) > _MOST_NAMED else ""
    return f" of the atom{'s' if len(atoms) > 1 else ''} {', '.join(map(str, atoms[:_MOST_NAMED]))}{more}"


def apply_constraints(atoms: Atoms, choice: str) -> str | None:
    """Keep, reduce or remove the constraints of a start; return a remark about what was left out, if anything.

    Parameters
    ----------
    atoms : ase.Atoms
        The start, which is changed.
    choice : str
        "refuse" keeps them all (engines refuse partial ones); "ignore" keeps atoms that are fixed completely; "none"
        removes all.
    """
    others, fixed = partial_constraints(atoms), held_atoms(atoms)
    if choice == "ignore" and others:
        atoms.set_constraint([FixAtoms(mask=fixed)] if fixed.any() else None)
        return f"constraints left out: {_named(others)}"
    if choice == "none" and atoms.constraints:
        found = _named(atoms.constraints)
        atoms.set_constraint()
        return f"constraints left out: {found}"
    return None


def unusual_masses(atoms: Atoms) -> FloatArray | None:
    """Return the masses (n,) of atoms in amu, None if all are the standard masses of the elements."""
    masses = np.array(atoms.get_masses(), np.float64)
    return None if np.array_equal(masses, atomic_masses[atoms.numbers]) else masses


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

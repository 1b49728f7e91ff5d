"""Isolated atoms: structures of one atom without neighbours, whose energies are those of free atoms."""

from __future__ import annotations

import numpy as np
from ase.geometry import minkowski_reduce

from fastsf.datasets.labelled import LabelledSet
from fastsf.structure import Structure
from fastsf.types import BoolArray

FREE = 6.0
"""Distance without neighbours that makes an atom isolated if no cutoff is known, Å."""


def isolated_atoms(labelled: LabelledSet, cutoff: float = FREE) -> BoolArray:
    """Find structures of one atom without neighbours within a cutoff, (m,) bool.

    Parameters
    ----------
    labelled : LabelledSet
        Structures.
    cutoff : float
        Largest cutoff of the symmetry functions, Å. Images of an atom in a periodic cell are its neighbours.
    """
    return np.array([_is_alone(each, cutoff) for each in labelled.structures], dtype=np.bool_)


def _is_alone(structure: Structure, cutoff: float) -> bool:
    if len(structure) != 1:
        return False
    if not structure.pbc.any():
        return True
    shortest = minkowski_reduce(structure.cell, structure.pbc)[0][structure.pbc]
    return bool(np.linalg.norm(shortest, axis=1).min() >= cutoff)

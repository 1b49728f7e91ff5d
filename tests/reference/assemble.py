"""Symmetry functions of whole structures from those of single centres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from fastsf.symmetry.atoms import Angular, Radial
from reference.acsf import evaluate
from reference.rounding import rounding_scale


class Neighbours(NamedTuple):
    """The neighbours of one centre, p of them."""

    index: np.ndarray
    """(p,): the atom whose image the neighbour is."""
    vectors: np.ndarray
    """(p, 3): from the centre to the neighbour."""
    numbers: np.ndarray
    """(p,): atomic numbers."""


class Features(NamedTuple):
    """Symmetry functions of the n atoms of a structure, s columns, zero where an element has fewer."""

    values: np.ndarray
    """(n, s)."""
    derivatives: np.ndarray
    """(n, n, 3, s): dG of atom a with respect to the position of atom b, images folded onto atoms."""
    scale: np.ndarray
    """(n, s): what an error of one in a single factor would change; see `reference.rounding`."""


def neighbours(atoms: Atoms, cutoff: float) -> list[Neighbours]:
    """Find the neighbours of every atom within `cutoff`, by ASE."""
    i, j, vectors = neighbor_list("ijD", atoms, cutoff)
    numbers = atoms.get_atomic_numbers()
    return [Neighbours(j[i == a], vectors[i == a], numbers[j[i == a]]) for a in range(len(atoms))]


def features(columns: Mapping[str, Sequence[Radial | Angular]], atoms: Atoms) -> Features:
    """Evaluate every function of `columns` (by central element) for every atom."""
    cutoff = max(function.envelope.radius for functions in columns.values() for function in functions)
    n, s = len(atoms), max(len(functions) for functions in columns.values())
    result = Features(np.zeros((n, s)), np.zeros((n, n, 3, s)), np.zeros((n, s)))
    for a, (index, vectors, numbers) in enumerate(neighbours(atoms, cutoff)):
        for c, function in enumerate(columns.get(atoms[a].symbol, ())):
            value, gradient = evaluate(function, vectors, numbers)
            result.values[a, c] = value
            np.add.at(result.derivatives[a, :, :, c], index, gradient)
            result.derivatives[a, a, :, c] -= gradient.sum(axis=0)
            result.scale[a, c] = rounding_scale(function, vectors, numbers)
    return result

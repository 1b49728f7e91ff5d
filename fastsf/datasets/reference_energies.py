"""Energies of the elements that explain most of the total energies."""

from __future__ import annotations

import numpy as np

from fastsf.datasets.labelled import LabelledSet
from fastsf.elements import atomic_number
from fastsf.types import FloatArray


def reference_energies(labelled: LabelledSet) -> dict[str, float]:
    """Energies per atom of each element that fit the energies per atom of the structures best.

    Least squares on the composition. Where the compositions do not tell the elements apart (as in water alone), the
    solution of the smallest norm: the sum is right, and no element takes what another could.

    Parameters
    ----------
    labelled : LabelledSet
        Structures without energy, and without weight, do not count.

    Returns
    -------
    dict of str to float
        eV per atom of every element of the set; 0 for elements of which no energy tells anything.
    """
    shares = compositions(labelled) / labelled.n_atoms[:, None]
    energies = labelled.energies / labelled.n_atoms
    weights = np.where(np.isfinite(energies), np.sqrt(labelled.weights), 0.0)
    used = weights > 0
    if not used.any():
        return dict.fromkeys(labelled.elements, 0.0)
    rows = shares[used] * weights[used, None]
    solution = np.linalg.lstsq(rows, energies[used] * weights[used], rcond=1e-10)[0]
    return dict(zip(labelled.elements, solution.tolist(), strict=True))


def compositions(labelled: LabelledSet) -> FloatArray:
    """Atoms of each element in each structure, (m, elements), in the order of `LabelledSet.elements`."""
    numbers = np.array([atomic_number(symbol) for symbol in labelled.elements])
    counts = [np.count_nonzero(each.numbers[:, None] == numbers, axis=0) for each in labelled.structures]
    return np.array(counts, dtype=np.float64).reshape(len(labelled), len(numbers))


def above_references(labelled: LabelledSet) -> FloatArray:
    """Energies per atom above the reference energies, (m,) eV; NaN where there is no energy."""
    references = np.array(list(reference_energies(labelled).values()))
    result: FloatArray = (labelled.energies - compositions(labelled) @ references) / labelled.n_atoms
    return result

"""Reference energies of elements, which explain most of the total energies."""

from __future__ import annotations

import numpy as np

from fastsf.datasets.labelled import LabelledSet
from fastsf.elements import atomic_number
from fastsf.types import FloatArray


def reference_energies(labelled: LabelledSet) -> dict[str, float]:
    """Fit energies of elements to the energies per atom of the structures.

    Least squares on the composition. If the compositions do not determine the energies of single elements (as in pure
    water), the solution of smallest norm is returned; the sums are right.

    Parameters
    ----------
    labelled : LabelledSet
        Structures; those without energy or weight are ignored.

    Returns
    -------
    dict of str to float
        Energy of each element of the set, eV per atom; 0 for elements without energies.
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
    """Return the number of atoms of each element in each structure, (m, elements), as in `LabelledSet.elements`."""
    numbers = np.array([atomic_number(symbol) for symbol in labelled.elements])
    counts = [np.count_nonzero(each.numbers[:, None] == numbers, axis=0) for each in labelled.structures]
    return np.array(counts, dtype=np.float64).reshape(len(labelled), len(numbers))


def above_references(labelled: LabelledSet) -> FloatArray:
    """Return the energies per atom above the reference energies, (m,) eV; NaN for structures without energy."""
    references = np.array(list(reference_energies(labelled).values()))
    result: FloatArray = (labelled.energies - compositions(labelled) @ references) / labelled.n_atoms
    return result

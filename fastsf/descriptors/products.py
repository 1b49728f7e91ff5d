"""Products with derivatives: checked weights and displacements, changes of pair vectors, gathered gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.kernels.pairs import forces
from fastsf.neighbors.pairs import Pairs
from fastsf.threads import run
from fastsf.types import FloatArray


def checked_array(values: npt.ArrayLike, shape: tuple[int, ...], name: str) -> FloatArray:
    """Return an array of finite numbers as the kernels take it.

    Raises
    ------
    InputError
        If it has another shape, or numbers in it are not finite.
    """
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.shape != shape:
        raise InputError(f"{name}: expected an array of shape {shape}, found {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{name}: expected finite numbers, found {array[~np.isfinite(array)][0]}")
    return array


def moved_vectors(pairs: Pairs, displacements: FloatArray) -> FloatArray:
    """Return the changes (p, 3) of the pair vectors when the atoms move by displacements (n, 3)."""
    return displacements[pairs.neighbor] - np.repeat(displacements, np.diff(pairs.start), axis=0)


def strained_vectors(pairs: Pairs) -> Iterator[FloatArray]:
    """Yield the changes (p, 3) of the pair vectors by the six strains xx, yy, zz, yz, xz, xy.

    A shear is half of itself in either off-diagonal element of the strain tensor.
    """
    for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        changes = np.zeros_like(pairs.vector)
        changes[:, a] += 0.5 * pairs.vector[:, b]
        changes[:, b] += 0.5 * pairs.vector[:, a]
        yield changes


def gathered(pairs: Pairs, g: FloatArray, sums: FloatArray, threads: int | None) -> FloatArray:
    """Return the gradient (n, 3) with respect to the positions, a new array.

    Parameters
    ----------
    pairs : Pairs
        The list.
    g : (p, 3) float64
        Gradient with respect to the pair vectors.
    sums : (n, SUMS) float64
        Its sums over the pairs of each atom, as of `fastsf.kernels.acsf.vjp`.
    threads : int or None
        As for `run`.
    """
    n = len(sums)
    gradient = np.empty((n, 3))
    run(threads, forces.gather_range, (pairs.start, pairs.reverse, g, sums), n, (gradient,), shared_from=100)
    return gradient

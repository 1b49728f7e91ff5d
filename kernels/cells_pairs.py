"""Lists that live on: new vectors for atoms that have moved, and the reverse of each pair."""

import numpy as np
from numba import prange

from fastsf.kernels._jit import njit
from fastsf.kernels.cells import minus_shift
from fastsf.kernels.cells_search import part_of


@njit
def farthest_move(positions, before):
    """Largest squared distance that an atom has moved."""
    farthest = 0.0
    for i in range(len(positions)):
        dx, dy, dz = (
            positions[i, 0] - before[i, 0],
            positions[i, 1] - before[i, 1],
            positions[i, 2] - before[i, 2],
        )
        farthest = max(farthest, dx * dx + dy * dy + dz * dz)
    return farthest


@njit
def move_images(search, positions, cell):
    """Put all images where their atoms are now; returns the wrapped positions (n, 3)."""
    stride, wraps = len(search.points) // 6, search.wraps
    wrapped = np.empty((len(positions), 3))
    for i in range(len(positions)):
        for c in range(3):
            wrapped[i, c] = minus_shift(positions[i, c], wraps[i, 0], wraps[i, 1], wraps[i, 2], cell, c)
    for e in range(len(search.atom)):
        for c in range(3):
            search.points[c * stride + e] = wrapped[search.atom[e], c]
    return wrapped


@njit
def refresh_range(points, wrapped, start, image, begin, end, vector):
    """Vectors of the pairs of the atoms begin to end from where the images are now; `points` as in `Search`."""
    stride = len(points) // 6
    for i in range(begin, end):
        for p in range(start[i], start[i + 1]):
            for c in range(3):
                e = c * stride + image[p]
                vector[p, c] = (points[e] - wrapped[i, c]) + points[3 * stride + e]


@njit(parallel=True)
def refresh_parallel(points, wrapped, start, image, total, parts, vector):
    """`refresh_range` over all atoms, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        begin, end = part_of(total, part, parts), part_of(total, part + 1, parts)
        refresh_range(points, wrapped, start, image, begin, end, vector)


@njit
def reverse_range(start, neighbor, vector, begin, end, reverse):
    """Index of the pair (j, i, -S) of each pair (i, j, S), i < j or i = j, of the atoms begin to end, and back.

    The vector of the reverse is exactly the negative, and no other pair of the same atoms has that vector.
    """
    for i in range(begin, end):
        for p in range(start[i], start[i + 1]):
            j = neighbor[p]
            if j < i:
                continue
            last = -1
            for q in range(start[j], start[j + 1]):
                last = max(last, q if neighbor[q] == i else -1)
            while not _opposite(vector, p, last):
                last -= 1
            reverse[p], reverse[last] = last, p


@njit
def _opposite(vector, p, q):
    return vector[q, 0] == -vector[p, 0] and vector[q, 1] == -vector[p, 1] and vector[q, 2] == -vector[p, 2]


@njit(parallel=True)
def reverse_parallel(start, neighbor, vector, total, parts, reverse):
    """`reverse_range` over all atoms, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        reverse_range(
            start, neighbor, vector, part_of(total, part, parts), part_of(total, part + 1, parts), reverse
        )

"""All pairs of small numbers of atoms and their images: for small cells, faster than sorting into bins."""

import math

import numpy as np

from fastsf.kernels._jit import allocator, kernel, njit
from fastsf.kernels.pairs.cells import invert, minus_shift

_MARGIN = 1e-7
"""Fraction of a cell: far more than the rounding of a fractional coordinate."""


@allocator
def _invert_and_reach(cell, periodic, cutoff):
    """Return the inverse of a cell (3, 3), and how many images the cutoff may reach along each vector (3,)."""
    inverse, reach = np.empty((3, 3)), np.zeros(3)
    invert(cell, inverse)
    for k in range(3):
        if periodic[k]:
            a, b, c = inverse[0, k], inverse[1, k], inverse[2, k]
            reach[k] = math.floor(cutoff * math.sqrt(a * a + b * b + c * c) + 1.0 + _MARGIN)
    return inverse, reach


@njit
def count_images(cell, periodic, cutoff):
    """Count the images of a cell, itself included, that a cutoff may reach; parameters as for `find_pairs`."""
    _, reach = _invert_and_reach(cell, periodic, cutoff)
    return (2.0 * reach[0] + 1.0) * (2.0 * reach[1] + 1.0) * (2.0 * reach[2] + 1.0)


@allocator
def _wrapped(positions, cell, periodic, inverse):
    """Return positions moved into the cell."""
    inside = np.empty((len(positions), 3))
    for i in range(len(positions)):
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        a = math.floor(x * inverse[0, 0] + y * inverse[1, 0] + z * inverse[2, 0]) if periodic[0] else 0
        b = math.floor(x * inverse[0, 1] + y * inverse[1, 1] + z * inverse[2, 1]) if periodic[1] else 0
        c = math.floor(x * inverse[0, 2] + y * inverse[1, 2] + z * inverse[2, 2]) if periodic[2] else 0
        for k in range(3):
            inside[i, k] = minus_shift(positions[i, k], a, b, c, cell, k)
    return inside


@allocator
def _vectors(cell, reach):
    """Return vectors from the cell to its images (q, 3); the second half negates the first, in reverse order."""
    a_most, b_most, c_most = int(reach[0]), int(reach[1]), int(reach[2])
    image, q = np.empty(((2 * a_most + 1) * (2 * b_most + 1) * (2 * c_most + 1), 3)), 0
    for a in range(-a_most, a_most + 1):
        for b in range(-b_most, b_most + 1):
            for c in range(-c_most, c_most + 1):
                for k in range(3):
                    image[q, k] = a * cell[0, k] + b * cell[1, k] + c * cell[2, k]
                q += 1
    return image


@kernel
def _pair_up(reverse, first, second, number):
    """Link the pairs (i, j) that start at `first` with the (j, i) at `second`, which come in reverse order."""
    for m in range(number):
        reverse[first + m], reverse[second + number - 1 - m] = second + number - 1 - m, first + m


@njit
def find_pairs(positions, cell, periodic, cutoff, start, neighbor, vector, reverse):
    """Find pairs closer than a cutoff, and the reverse of each; return their number.

    Parameters
    ----------
    positions : (n, 3) float64
        Å.
    cell : (3, 3) float64
        Å.
    periodic : (3,) bool
        Which of its vectors repeat the atoms.
    cutoff : float
        Å.
    start : (n + 1,) int64
        Pairs of atom i are start[i] to start[i + 1].
    neighbor, reverse : (n * n * images,) int64
        The other atom, and the index of the pair (j, i).
    vector : (n * n * images, 3) float64
        r_j - r_i of that image.
    """
    inverse, reach = _invert_and_reach(cell, periodic, cutoff)
    inside, image = _wrapped(positions, cell, periodic, inverse), _vectors(cell, reach)
    n, total, limit, itself = len(positions), 0, cutoff * cutoff, len(image) // 2
    begin = np.empty((n, n), np.int64)  # first pair of i and j
    start[0] = 0
    for i in range(n):
        for j in range(n):
            begin[i, j] = total
            x, y, z = inside[j, 0] - inside[i, 0], inside[j, 1] - inside[i, 1], inside[j, 2] - inside[i, 2]
            for q in range(len(image)):
                dx, dy, dz = x + image[q, 0], y + image[q, 1], z + image[q, 2]
                if dx * dx + dy * dy + dz * dz < limit and (j != i or q != itself):
                    neighbor[total] = j
                    vector[total, 0], vector[total, 1], vector[total, 2] = dx, dy, dz
                    total += 1
            if j <= i:
                _pair_up(reverse, begin[i, j], begin[j, i], total - begin[i, j])
        start[i + 1] = total
    return total

"""Lists that live on: new vectors for atoms that have moved, and the reverse of each pair."""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.pairs.cells import minus_shift
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, first_lanes, load, select, splat, sum_lanes
from fastsf.kernels.vector.simd_double import equal_lanes, lane_numbers, store_folded, three_lanes


class ImagePositions(NamedTuple):
    """Positions of the atoms and images of a structure, from which the vectors of its pairs follow."""

    cell: np.ndarray  # (3, 3) float64, Å
    wraps: np.ndarray  # (n, 3) int64: in which image of the cell an atom was when the pairs were found
    wrapped: np.ndarray  # (n, 3) float64: where it is now, moved back by that
    image: np.ndarray  # (p,) int32: image of the second atom of a pair
    points: np.ndarray  # (8 images,) float64: as in `cells.Search`


@njit
def farthest_move(positions, before):
    """Return the largest squared distance that an atom has moved."""
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
def move_images(search, wraps, positions, cell, wrapped):
    """Put all images where their atoms are now, and the wrapped positions into `wrapped` (n, 3).

    Only `points` are changed: what is left of the search is that.
    """
    points, atom = search.points, search.atom
    for i in range(len(positions)):
        for c in range(3):
            wrapped[i, c] = minus_shift(positions[i, c], wraps[i, 0], wraps[i, 1], wraps[i, 2], cell, c)
    for e in range(len(atom)):
        for c in range(3):
            points[8 * e + c] = wrapped[atom[e], c]


@kernel
def stretch_images(search, wraps, cell):
    """Update the distances between the images of a cell that has changed; `move_images` does the rest."""
    points, atom, shift = search.points, search.atom, search.shift
    for e in range(len(atom)):
        i = atom[e]
        for c in range(3):
            total = 0.0
            for k in range(3):
                total += (shift[e, k] + wraps[i, k]) * cell[k, c]
            points[8 * e + 4 + c] = total


@njit
def refresh_range(points, wrapped, start, image, begin, end, workers, vector):
    """Write vectors (3 p,) of the pairs of atoms begin to end, from the images (`Search.points`)."""
    if workers != ALONE:
        share_out(workers, (points, wrapped, start, image), begin, end, (vector,))
        return
    for i in range(begin, end):
        center = three_lanes(wrapped[i, 0], wrapped[i, 1], wrapped[i, 2])
        for p in range(start[i], start[i + 1]):
            store_folded(vector, 3 * p, load(points, 8 * image[p]) - center)


@kernel
def move_atom(images, start, neighbor, reverse, atom, position, vector):
    """Move one atom to a position (3,), and write the vectors (p, 3) of its pairs and their reverses."""
    wraps, wrapped, cell, points = images.wraps, images.wrapped, images.cell, images.points
    for c in range(3):
        wrapped[atom, c] = minus_shift(position[c], wraps[atom, 0], wraps[atom, 1], wraps[atom, 2], cell, c)
    for p in range(start[atom], start[atom + 1]):
        j, q, base = neighbor[p], reverse[p], 8 * images.image[p] + 4
        for c in range(3):
            step = (wrapped[j, c] - wrapped[atom, c]) + points[base + c]
            vector[p, c], vector[q, c] = step, -step


@njit
def reverse_range(start, neighbor, vector, begin, end, workers, reverse):
    """Write the index of the pair (j, i, -S) for each pair (i, j, S), i <= j, of the atoms begin to end, and back.

    The vector of the reverse is exactly the negative, and no other pair of the same atoms has that vector.
    `neighbor` must be readable for eight elements more.
    """
    if workers != ALONE:
        share_out(workers, (start, neighbor, vector), begin, end, (reverse,))
        return
    lanes = lane_numbers()
    for i in range(begin, end):
        for p in range(start[i], start[i + 1]):
            j = neighbor[p]
            if j < i:
                continue
            index = splat(0.0)
            for q in range(start[j], start[j + 1], LANES):
                index = select(equal_lanes(neighbor, q, i) & first_lanes(start[j + 1] - q), lanes + q, index)
            q = int(sum_lanes(index))  # exact unless j has several images of i near it
            if not (start[j] <= q < start[j + 1] and neighbor[q] == i and _opposite(vector, p, q)):
                q = start[j]
                while not (neighbor[q] == i and _opposite(vector, p, q)):
                    q += 1
            reverse[p], reverse[q] = q, p


@kernel
def _opposite(vector, p, q):
    return (
        vector[3 * q] == -vector[3 * p]
        and vector[3 * q + 1] == -vector[3 * p + 1]
        and vector[3 * q + 2] == -vector[3 * p + 2]
    )

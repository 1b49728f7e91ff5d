"""Atoms and their periodic images, sorted into bins: the first half of the neighbour search.

A pair is an atom i and an image of an atom j: r_j - r_i + S cell with an integer shift S. The images are
made explicitly, as far as the cutoff reaches beyond the cell, and sorted with the atoms into bins. So the
search (`pairs.search`) has no border to care for, and cells far smaller than the cutoff are no special case.
Many structures are searched at once, each in bins of its own.

The lattice is reduced first (nearly orthogonal vectors), so that a strongly skewed cell needs no more images
than another. Shifts refer to the given cell and to the given positions, wherever those are.
"""

import math
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.sharing import ALONE, share_out

COUNT, REACH, PAD, FIRST = 0, 1, 2, 3
"""Rows of `Bins.cut`: bins in the cell, how many the cutoff reaches, how many images add; first bins."""

INSIDE, ALL = 0, 1
"""Columns of the row FIRST: counting bins inside cells, or all with those of images."""

BINS_PER_IMAGE = 4
"""More bins than this for each atom and image would cost more than they save."""

_MARGIN = 1e-7
"""Fraction of a bin: far more than the rounding of a coordinate in its cell."""

_TOO_FAR = 1e12
"""Bins that no cutoff reaches; keeps integers in range."""


class Lattices(NamedTuple):
    """Cells of structures, and positions of their atoms; atoms of all structures (n) follow each other."""

    first: np.ndarray  # (structures + 1,) int64: first atom of each
    cell: np.ndarray  # (structures, 3, 3) float64, Å
    periodic: np.ndarray  # (structures, 3) bool
    basis: np.ndarray  # (structures, 3, 3) int64: reduced vectors in terms of those of the cell
    inverse: np.ndarray  # (structures, 3, 3) float64: of the reduced cell
    height: np.ndarray  # (structures, 3) float64: distance of faces; without period, the extent of the atoms
    wrapped: np.ndarray  # (n, 3) float64: positions moved into the reduced cell
    wraps: np.ndarray  # (n, 3) int64: in which image of the cell an atom was
    depth: np.ndarray  # (n, 3) float64: distance from the faces at the origin, 0 <= depth <= height


class Bins(NamedTuple):
    """Cuts of cells into bins, and the bins of atoms."""

    cut: np.ndarray  # (structures + 1, 4, 3) int64: COUNT, REACH, PAD along each axis; FIRST also of what follows
    bin: np.ndarray  # (n, 3) int64: bin of an atom along each axis
    lower: np.ndarray  # (n, 3) int64: its images are from so many cells away ...
    upper: np.ndarray  # (n, 3) int64: ... to so many


class Search(NamedTuple):
    """Atoms and images (m) sorted by bins."""

    cut: np.ndarray  # as in `Bins`
    first: np.ndarray  # (bins + 1,) int64: first image of a bin
    atom: np.ndarray  # (m,) int32
    points: np.ndarray  # (8 m,) float64: x, y, z, 0 of the wrapped atom, then x, y, z, 0 from it to the image
    center: np.ndarray  # (3 (m + 8),) float64: x of all images, then y and z, rounded once more
    shift: np.ndarray  # (m, 3) int64: from the given position of the atom to the image, in cell vectors
    moved: np.ndarray  # (m + 1,) int64: how many of the images before have a shift
    most_near: int  # bound for the number of images near a bin
    cutoff: float  # Å
    blur: float  # Å: how much less or more it is where coordinates from near by are rounded to float32
    limit: float  # squared cutoff: pairs below it are found


# --- lattices ---


@kernel
def _reduce(cell, periodic, reduced, basis):
    """Shorten the periodic vectors by each other until none gets shorter."""
    for k in range(3):
        for c in range(3):
            reduced[k, c] = cell[k, c]
            basis[k, c] = 1 if k == c else 0
    changed = True
    while changed:
        changed = False
        for k in range(3):
            for m in range(3):
                if k == m or not periodic[k] or not periodic[m]:
                    continue
                dot = norm_k = norm_m = 0.0
                for c in range(3):
                    dot += reduced[k, c] * reduced[m, c]
                    norm_k += reduced[k, c] * reduced[k, c]
                    norm_m += reduced[m, c] * reduced[m, c]
                times = math.floor(dot / norm_m + 0.5)
                if norm_k - 2 * times * dot + times * times * norm_m < (1 - 1e-9) * norm_k:
                    changed = True
                    for c in range(3):
                        reduced[k, c] -= times * reduced[m, c]
                        basis[k, c] -= int(times) * basis[m, c]


@kernel
def invert(matrix, inverse):
    """Write the inverse of a matrix (3, 3)."""
    volume = 0.0
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        for c in range(3):
            d, e = (c + 1) % 3, (c + 2) % 3
            inverse[c, k] = matrix[a, d] * matrix[b, e] - matrix[a, e] * matrix[b, d]
        if k == 0:
            for c in range(3):
                volume += matrix[0, c] * inverse[c, 0]
    for c in range(3):
        for k in range(3):
            inverse[c, k] /= volume


@kernel
def minus_shift(x, s0, s1, s2, cell, c):
    """Return component c of x - shift @ cell, rounded once: plain arithmetic would lose digits of x far away."""
    if s0 == 0 and s1 == 0 and s2 == 0:
        return x
    total, rest = x, 0.0
    for k in range(3):
        a, b = -float(s0 if k == 0 else s1 if k == 1 else s2), cell[k, c]
        product = a * b
        split = 134217729.0 * a
        a_high = split - (split - a)
        split = 134217729.0 * b
        b_high = split - (split - b)
        a_low, b_low = a - a_high, b - b_high
        rest += ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
        new = total + product
        part = new - total
        rest += (total - (new - part)) + (product - part)
        total = new
    return total + rest


@njit
def reduce_cells(lattices, reduced):
    """Reduce all cells: fills `basis`, `inverse` and `height`; `reduced` (3, 3) is scratch."""
    inverse = lattices.inverse
    for s in range(len(lattices.cell)):
        _reduce(lattices.cell[s], lattices.periodic[s], reduced, lattices.basis[s])
        invert(reduced, inverse[s])
        for k in range(3):
            a, b, c = inverse[s, 0, k], inverse[s, 1, k], inverse[s, 2, k]
            lattices.height[s, k] = 1 / math.sqrt(a * a + b * b + c * c)


@njit
def wrap_range(lattices, positions, begin, end, workers):
    """Wrap the atoms begin ... end - 1: fills `wrapped`, `wraps` and `depth`.

    Along axes without period, `depth` counts from the first atom of the structure.
    """
    if workers != ALONE:
        share_out(workers, (lattices, positions), begin, end, ())
        return
    for s in range(len(lattices.cell)):
        for i in range(max(begin, lattices.first[s]), min(end, lattices.first[s + 1])):
            _wrap(lattices, s, i, positions)


@kernel
def _wrap(lattices, s, i, positions):
    wraps, wrapped, start = lattices.wraps, lattices.wrapped, lattices.first[s]
    wraps[i, 0] = wraps[i, 1] = wraps[i, 2] = 0
    x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
    for k in range(3):
        if lattices.periodic[s, k]:
            steps = math.floor(_along(lattices, s, k, x, y, z))
            for c in range(3):
                wraps[i, c] += steps * lattices.basis[s, k, c]
    for c in range(3):
        x = positions[i, c]
        wrapped[i, c] = minus_shift(x, wraps[i, 0], wraps[i, 1], wraps[i, 2], lattices.cell[s], c)
    for k in range(3):
        if lattices.periodic[s, k]:
            x, y, z = wrapped[i, 0], wrapped[i, 1], wrapped[i, 2]
        else:
            x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
            x, y, z = x - positions[start, 0], y - positions[start, 1], z - positions[start, 2]
        lattices.depth[i, k] = _along(lattices, s, k, x, y, z) * lattices.height[s, k]


@kernel
def _along(lattices, s, k, x, y, z):
    """Return the coordinate of a point along one vector of the reduced cell, in units of its length."""
    inverse = lattices.inverse
    return x * inverse[s, 0, k] + y * inverse[s, 1, k] + z * inverse[s, 2, k]


@njit
def measure_extent(lattices):
    """Count `depth` from the lowest atom along axes without period, and set `height` to the extent."""
    depth = lattices.depth
    for s in range(len(lattices.cell)):
        for k in range(3):
            if lattices.periodic[s, k]:
                continue
            low, high = math.inf, -math.inf
            for i in range(lattices.first[s], lattices.first[s + 1]):
                low, high = min(low, depth[i, k]), max(high, depth[i, k])
            for i in range(lattices.first[s], lattices.first[s + 1]):
                depth[i, k] -= low
            lattices.height[s, k] = max(high - low, 0.0)


# --- bins ---


@kernel
def _cut(cut, k, count, height, periodic, cutoff):
    """Cut one axis into `count` bins."""
    width = height / count
    reach = math.ceil(min(cutoff / width, _TOO_FAR) + _MARGIN) if width > 0 else 0.0
    if not periodic:
        reach = min(reach, count - 1.0)
    cut[COUNT, k], cut[REACH, k] = int(count), int(reach)
    cut[PAD, k] = int(reach) if periodic else 0


@njit
def choose_bins(lattices, cutoff, bins):
    """Cut each cell; fills `Bins.cut`.

    Small bins save useless tests, but the images that are gathered for each serve fewer atoms:
    bins get narrower, first along the last axis, the more atoms the cutoff reaches.
    """
    bins.cut[0, FIRST, INSIDE] = bins.cut[0, FIRST, ALL] = 0
    for s in range(len(lattices.cell)):
        cut, height, periodic = bins.cut[s], lattices.height[s], lattices.periodic[s]
        within = allowed = 1.0 * (lattices.first[s + 1] - lattices.first[s])
        for k in range(3):
            within *= cutoff / max(height[k], cutoff)
            allowed *= 1 + 2 * cutoff / height[k] if periodic[k] else 1.0
        along, across = 1.0 + (within > 8) + (within > 40), 1.0 + (within > 40)
        for k in range(3):
            width = cutoff * (1 + 10 * _MARGIN) / (along if k == 2 else across)
            _cut(cut, k, max(1.0, math.floor(height[k] / width)), height[k], periodic[k], cutoff)
        _limit(cut, height, periodic, cutoff, 64 + BINS_PER_IMAGE * allowed)
        inside = total = 1
        for k in range(3):
            inside *= cut[COUNT, k]
            total *= cut[COUNT, k] + 2 * cut[PAD, k]
        bins.cut[s + 1, FIRST, INSIDE] = cut[FIRST, INSIDE] + inside
        bins.cut[s + 1, FIRST, ALL] = cut[FIRST, ALL] + total


@kernel
def _limit(cut, height, periodic, cutoff, allowed):
    """Make bins wider along the axis with most of them, until there are no more than allowed."""
    while True:
        total, most = 1.0, 0
        for k in range(3):
            total *= cut[COUNT, k] + 2 * cut[PAD, k]
            most = k if cut[COUNT, k] > cut[COUNT, most] else most
        if total <= allowed or cut[COUNT, most] == 1:
            return
        _cut(cut, most, (cut[COUNT, most] + 1.0) // 2, height[most], periodic[most], cutoff)


@njit
def bin_range(lattices, cutoff, bins, begin, end, workers):
    """Find the bins of the atoms begin ... end - 1 and how far their images reach: fills the rest of `Bins`."""
    if workers != ALONE:
        share_out(workers, (lattices, cutoff, bins), begin, end, ())
        return
    cut, bin, lower, upper = bins.cut, bins.bin, bins.lower, bins.upper
    for s in range(len(lattices.cell)):
        for i in range(max(begin, lattices.first[s]), min(end, lattices.first[s + 1])):
            for k in range(3):
                count, pad, height = cut[s, COUNT, k], cut[s, PAD, k], lattices.height[s, k]
                fraction = lattices.depth[i, k] / height if height > 0 else 0.0
                inside = min(max(int(fraction * count), 0), count - 1)
                bin[i, k], lower[i, k], upper[i, k] = inside + pad, 0, 0
                if pad > 0:
                    far = cutoff / height + _MARGIN
                    lower[i, k] = max(math.ceil(-far - fraction), -((inside + pad) // count))
                    upper[i, k] = min(math.floor(1 + far - fraction), (count + pad - 1 - inside) // count)

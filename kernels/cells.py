"""Atoms and their periodic images, sorted into bins: the first half of the neighbour search.

A pair is an atom i and an image of an atom j: r_j - r_i + S cell with an integer shift S. The images are
made explicitly, as far as the cutoff reaches beyond the cell, and sorted with the atoms into bins. So the
search (`cells_search`) has no border to care for, and cells far smaller than the cutoff are no special case.
Many structures are searched at once, each in bins of its own.

The lattice is reduced first (nearly orthogonal vectors), so that a strongly skewed cell needs no more images
than another. Shifts refer to the given cell and to the given positions, wherever those are.
"""

import math
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit

COUNT, REACH, PAD, FIRST = 0, 1, 2, 3
"""Rows of `Bins.cut`: bins in the cell, how many the cutoff reaches, how many images add; first bins."""

INSIDE, ALL = 0, 1
"""Columns of the row FIRST: counting bins inside cells, or all with those of images."""

BINS_PER_IMAGE = 4
"""More bins than this for each atom and image would cost more than they save."""

_MARGIN = 1e-7
"""Of a bin: far more than the rounding of a position's place in its cell."""

_TOO_FAR = 1e12
"""Bins that no cutoff reaches; keeps integers in range."""


class Lattices(NamedTuple):
    """Cells of structures, and where their atoms are; atoms of all structures (n) stand behind each other."""

    first: np.ndarray  # (structures + 1,) int64: first atom of each
    cell: np.ndarray  # (structures, 3, 3) float64, Å
    periodic: np.ndarray  # (structures, 3) bool
    basis: np.ndarray  # (structures, 3, 3) int64: reduced vectors in terms of those of the cell
    inverse: np.ndarray  # (structures, 3, 3) float64: of the reduced cell
    height: np.ndarray  # (structures, 3) float64: distance of faces; without period, the extent of the atoms
    wrapped: np.ndarray  # (n, 3) float64: positions moved into the reduced cell
    wraps: np.ndarray  # (n, 3) int64: in which image of the cell an atom was
    place: np.ndarray  # (n, 3) float64: distance from the faces at the origin, 0 <= place <= height


class Bins(NamedTuple):
    """How cells are cut, and in which bins atoms are."""

    cut: np.ndarray  # (structures + 1, 4, 3) int64: COUNT, REACH, PAD along each axis; FIRST also of what follows
    place: np.ndarray  # (n, 3) int64: bin of an atom along each axis
    lower: np.ndarray  # (n, 3) int64: its images stand from so many cells away ...
    upper: np.ndarray  # (n, 3) int64: ... to so many


class Search(NamedTuple):
    """Atoms and images (m) sorted by bins."""

    cut: np.ndarray  # as in `Bins`
    first: np.ndarray  # (bins + 1,) int64: where the images of a bin start
    atom: np.ndarray  # (m,) int32
    points: np.ndarray  # (8 m,) float64: x, y, z, 0 of the wrapped atom, then x, y, z, 0 from there to the image
    center: np.ndarray  # (3 (m + 8),) float64: x of all images, then y and z, rounded once more
    shift: np.ndarray  # (m, 3) int64: from the given position of the atom to the image, in cell vectors
    moved: np.ndarray  # (m + 1,) int64: how many of the images before have a shift
    room: int  # images near a bin are not more than this
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
    """Inverse of a matrix (3, 3)."""
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
    """Component c of x - shift @ cell, rounded once: far away, plain arithmetic would lose digits of x."""
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
def locate(lattices, positions, reduced, origin):
    """Reduce cells, wrap positions (n, 3): fills all of `Lattices` but its first three arrays.

    `reduced` (3, 3) and `origin` (3,) are room for intermediate results.
    """
    for s in range(len(lattices.cell)):
        _reduce(lattices.cell[s], lattices.periodic[s], reduced, lattices.basis[s])
        invert(reduced, lattices.inverse[s])
        _wrap(lattices, s, positions, reduced, origin)
        _measure(lattices, s, origin)


@kernel
def _wrap(lattices, s, positions, reduced, origin):
    """Wrap the atoms of a structure; in directions without period, places will count from the first one."""
    basis, inverse, wraps = lattices.basis, lattices.inverse, lattices.wraps
    for c in range(3):
        origin[c] = 0.0
    for i in range(lattices.first[s], lattices.first[s + 1]):
        wraps[i, 0] = wraps[i, 1] = wraps[i, 2] = 0
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        for k in range(3):
            f = x * inverse[s, 0, k] + y * inverse[s, 1, k] + z * inverse[s, 2, k]
            if lattices.periodic[s, k]:
                steps = math.floor(f)
                for c in range(3):
                    wraps[i, c] += steps * basis[s, k, c]
            elif i == lattices.first[s]:
                for c in range(3):
                    origin[c] += f * reduced[k, c]
        for c in range(3):
            x = positions[i, c]
            lattices.wrapped[i, c] = minus_shift(x, wraps[i, 0], wraps[i, 1], wraps[i, 2], lattices.cell[s], c)


@kernel
def _measure(lattices, s, origin):
    """Heights of a cell, and places of its atoms."""
    inverse, wrapped, place = lattices.inverse, lattices.wrapped, lattices.place
    for k in range(3):
        a, b, c = inverse[s, 0, k], inverse[s, 1, k], inverse[s, 2, k]
        height = 1 / math.sqrt(a * a + b * b + c * c)
        low, high = math.inf, -math.inf
        for i in range(lattices.first[s], lattices.first[s + 1]):
            f = (wrapped[i, 0] - origin[0]) * a + (wrapped[i, 1] - origin[1]) * b + (wrapped[i, 2] - origin[2]) * c
            place[i, k] = f * height
            low, high = min(low, f * height), max(high, f * height)
        if not lattices.periodic[s, k]:
            height = max(high - low, 0.0)
            for i in range(lattices.first[s], lattices.first[s + 1]):
                place[i, k] -= low
        lattices.height[s, k] = height


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

    Few atoms in a bin mean few useless tests, but also little use of the images that are gathered for it:
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


# --- images ---


@njit
def count_images(lattices, cutoff, bins, first):
    """Find the bins of all atoms and images: fills the rest of `Bins`, and `Search.first` (bins + 1,).

    Returns how many images there may be near a bin, and the largest coordinate.
    """
    largest = 0.0
    cut, place, lower, upper = bins.cut, bins.place, bins.lower, bins.upper
    for h in range(len(first)):
        first[h] = 0
    for s in range(len(lattices.cell)):
        for i in range(lattices.first[s], lattices.first[s + 1]):
            for k in range(3):
                largest = max(largest, abs(lattices.wrapped[i, k]))
                count, pad, height = cut[s, COUNT, k], cut[s, PAD, k], lattices.height[s, k]
                fraction = lattices.place[i, k] / height if height > 0 else 0.0
                inside = min(max(int(fraction * count), 0), count - 1)
                place[i, k], lower[i, k], upper[i, k] = inside + pad, 0, 0
                if pad > 0:
                    far = cutoff / height + _MARGIN
                    lower[i, k] = max(math.ceil(-far - fraction), -((inside + pad) // count))
                    upper[i, k] = min(math.floor(1 + far - fraction), (count + pad - 1 - inside) // count)
            for a in range(lower[i, 0], upper[i, 0] + 1):
                for b in range(lower[i, 1], upper[i, 1] + 1):
                    for c in range(lower[i, 2], upper[i, 2] + 1):
                        first[_bin(bins, s, i, a, b, c) + 1] += 1
    for h in range(len(first) - 1):
        first[h + 1] += first[h]
    room = 0
    for s in range(len(lattices.cell)):
        room = max(room, _most_near(cut, first, s))
    return room, largest


@kernel
def _most_near(cut, first, s):
    """Bound for the images near a bin of a structure: the columns that are reached, each as full as the fullest."""
    most, layers = 0, 2 * cut[s, REACH, 2] + 1
    end = cut[s + 1, FIRST, ALL]
    for h in range(cut[s, FIRST, ALL], end):
        most = max(most, first[min(h + layers, end)] - first[h])
    return min(most * (2 * cut[s, REACH, 0] + 1) * (2 * cut[s, REACH, 1] + 1), first[end] - first[cut[s, FIRST, ALL]])


@kernel
def _bin(bins, s, i, a, b, c):
    """Bin of the image of atom i that is a, b and c cells away."""
    cut, place = bins.cut, bins.place
    columns, layers = cut[s, COUNT, 1] + 2 * cut[s, PAD, 1], cut[s, COUNT, 2] + 2 * cut[s, PAD, 2]
    row = place[i, 0] + a * cut[s, COUNT, 0]
    column = place[i, 1] + b * cut[s, COUNT, 1]
    layer = place[i, 2] + c * cut[s, COUNT, 2]
    return cut[s, FIRST, ALL] + (row * columns + column) * layers + layer


@njit
def sort_images(lattices, bins, search):
    """Put all images in the order of their bins (a counting sort)."""
    first, moved, shift = search.first, search.moved, search.shift
    lower, upper = bins.lower, bins.upper
    for s in range(len(lattices.cell)):
        for i in range(lattices.first[s], lattices.first[s + 1]):
            for a in range(lower[i, 0], upper[i, 0] + 1):
                for b in range(lower[i, 1], upper[i, 1] + 1):
                    for c in range(lower[i, 2], upper[i, 2] + 1):
                        h = _bin(bins, s, i, a, b, c)
                        _put(search, lattices, s, i, a, b, c, first[h])
                        first[h] += 1
    for h in range(len(first) - 1, 0, -1):
        first[h] = first[h - 1]
    first[0] = moved[0] = 0
    for e in range(len(search.atom)):
        moved[e + 1] = moved[e] + (shift[e, 0] != 0 or shift[e, 1] != 0 or shift[e, 2] != 0)


@kernel
def _put(search, lattices, s, i, a, b, c, e):
    """Write one image."""
    points, center, shift, basis = search.points, search.center, search.shift, lattices.basis
    stride = len(center) // 3
    search.atom[e] = i
    x = y = z = 0.0
    for k in range(3):
        steps = a * basis[s, 0, k] + b * basis[s, 1, k] + c * basis[s, 2, k]
        shift[e, k] = steps - lattices.wraps[i, k]
        points[8 * e + k] = lattices.wrapped[i, k]
        if steps != 0:
            x += steps * lattices.cell[s, k, 0]
            y += steps * lattices.cell[s, k, 1]
            z += steps * lattices.cell[s, k, 2]
    points[8 * e + 3], points[8 * e + 7] = 0.0, 0.0
    points[8 * e + 4], points[8 * e + 5], points[8 * e + 6] = x, y, z
    center[e] = points[8 * e] + x
    center[stride + e] = points[8 * e + 1] + y
    center[2 * stride + e] = points[8 * e + 2] + z

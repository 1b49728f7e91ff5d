"""Atoms and their periodic images, sorted into bins: the first half of the neighbour search.

A pair is an atom i and an image of an atom j: r_j - r_i + S cell with an integer shift S. The images are made
explicitly, as far as the cutoff reaches beyond the cell, and sorted with the atoms into bins smaller than the
cutoff, so that the search (`cells_search`) has no border to care for, and cells far smaller than the cutoff are no
special case. Many structures are searched at once, each in bins of its own.

The lattice is reduced first (nearly orthogonal vectors), so that a strongly skewed cell needs no more images than
another. Shifts refer to the given cell and to the given positions, wherever those are.
"""

import math
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import njit
from fastsf.kernels.simd import LANES

COUNT, REACH, PAD = 0, 1, 2
"""Rows of `Search.bins`: bins in the cell, how many the cutoff reaches, and how many are added for images."""

BINS_PER_IMAGE = 4
"""More bins than this for each atom and image would cost more than they save."""

_MARGIN = 1e-7
"""Of a bin: far more than the rounding of a position's place in its cell."""


class Lattices(NamedTuple):
    """Cells of structures, and where their atoms are; atoms of all structures (n) stand behind each other."""

    first: np.ndarray  # (structures + 1,) int64: first atom of each
    cell: np.ndarray  # (structures, 3, 3) float64, Å
    periodic: np.ndarray  # (structures, 3) bool
    basis: np.ndarray  # (structures, 3, 3) int64: reduced vectors in terms of those of the cell
    height: np.ndarray  # (structures, 3) float64: distance of faces; without period, the extent of the atoms
    wrapped: np.ndarray  # (n, 3) float64: positions moved into the reduced cell
    wraps: np.ndarray  # (n, 3) int64: in which image of the cell an atom was
    place: np.ndarray  # (n, 3) float64: distance from the faces at the origin, 0 <= place <= height


class Search(NamedTuple):
    """Atoms and images (m) sorted by bins."""

    bins: np.ndarray  # (structures, 3, 3) int64: COUNT, REACH, PAD along each axis
    home: np.ndarray  # (structures + 1,) int64: first bin of each, counting only those inside cells
    block: np.ndarray  # (structures + 1,) int64: first bin of each, counting all
    first: np.ndarray  # (bins + 1,) int64: where the images of a bin start
    atom: np.ndarray  # (m,) int32
    points: (
        np.ndarray
    )  # (6 (m + 8),) float64: x, y, z of the wrapped atom, then x, y, z from there to the image
    shift: np.ndarray  # (m, 3) int64: from the given position of the atom to the image, in cell vectors
    moved: np.ndarray  # (m + 1,) int64: how many of the images before have a shift
    wraps: np.ndarray  # (n, 3) int64
    limit: float  # squared cutoff: pairs below it are found


# --- lattices ---


@njit
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


@njit
def _invert(matrix, inverse):
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


@njit
def minus_shift(x, s0, s1, s2, cell, c):
    """Component c of x - shift @ cell, rounded once: far away, plain arithmetic would lose digits that x has."""
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
def _locate_one(lattices, s, positions, reduced, inverse, origin):
    """Wrap the atoms of a structure; in directions without period, count from the first atom."""
    first, periodic, basis, wraps = lattices.first, lattices.periodic, lattices.basis, lattices.wraps
    _reduce(lattices.cell[s], periodic[s], reduced, basis[s])
    _invert(reduced, inverse)
    for c in range(3):
        origin[c] = 0.0
    for i in range(first[s], first[s + 1]):
        wraps[i, 0] = wraps[i, 1] = wraps[i, 2] = 0
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        for k in range(3):
            f = x * inverse[0, k] + y * inverse[1, k] + z * inverse[2, k]
            if periodic[s, k]:
                for c in range(3):
                    wraps[i, c] += int(math.floor(f)) * basis[s, k, c]
            elif i == first[s]:
                for c in range(3):
                    origin[c] += f * reduced[k, c]
        for c in range(3):
            x = positions[i, c]
            lattices.wrapped[i, c] = minus_shift(
                x, wraps[i, 0], wraps[i, 1], wraps[i, 2], lattices.cell[s], c
            )


@njit
def _measure_one(lattices, s, inverse, origin):
    """Places of the atoms of a structure, and the heights."""
    begin, end = lattices.first[s], lattices.first[s + 1]
    for k in range(3):
        height = 1 / math.sqrt(inverse[0, k] ** 2 + inverse[1, k] ** 2 + inverse[2, k] ** 2)
        low, high = math.inf, -math.inf
        for i in range(begin, end):
            f = 0.0
            for c in range(3):
                f += (lattices.wrapped[i, c] - origin[c]) * inverse[c, k]
            lattices.place[i, k] = f * height
            low, high = min(low, f * height), max(high, f * height)
        lattices.height[s, k] = height
        if not lattices.periodic[s, k]:
            lattices.height[s, k] = max(high - low, 0.0)
            for i in range(begin, end):
                lattices.place[i, k] -= low


@njit
def locate(first, positions, cell, periodic):
    """Wrap positions into reduced cells; arguments as the fields of `Lattices`."""
    m, n = len(cell), len(positions)
    basis, height = np.empty((m, 3, 3), np.int64), np.empty((m, 3))
    wrapped, wraps, place = np.empty((n, 3)), np.empty((n, 3), np.int64), np.empty((n, 3))
    lattices = Lattices(first, cell, periodic, basis, height, wrapped, wraps, place)
    reduced, inverse, origin = np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    for s in range(m):
        _locate_one(lattices, s, positions, reduced, inverse, origin)
        _measure_one(lattices, s, inverse, origin)
    return lattices


# --- bins ---


@njit
def _cut(bins, k, count, height, periodic, cutoff):
    """Cut one axis into `count` bins."""
    width = height / count
    reach = math.ceil(cutoff / width + _MARGIN) if width > 0 else 0.0
    if not periodic:
        reach = min(reach, count - 1.0)
    bins[COUNT, k], bins[REACH, k] = int(count), int(reach)
    bins[PAD, k] = int(reach) if periodic else 0


@njit
def _cut_all(bins, widths, height, periodic, cutoff, allowed):
    """Cut into bins of at least these widths, and no more bins than allowed."""
    for k in range(3):
        _cut(bins, k, max(1.0, math.floor(height[k] / widths[k])), height[k], periodic[k], cutoff)
    while True:
        total, most = 1.0, 0
        for k in range(3):
            total *= bins[COUNT, k] + 2 * bins[PAD, k]
            most = k if bins[COUNT, k] > bins[COUNT, most] else most
        if total <= allowed or bins[COUNT, most] == 1:
            return
        _cut(bins, most, (bins[COUNT, most] + 1.0) // 2, height[most], periodic[most], cutoff)


@njit
def _cost(bins, atoms):
    """Cycles that the search takes for an atom, roughly."""
    columns, share = 1.0, 1.0
    for k in range(3):
        near = 2.0 * bins[REACH, k] + 1
        if bins[PAD, k] == 0:
            near = min(near, 1.0 * bins[COUNT, k])
        columns *= near if k < 2 else 1.0
        share *= near / bins[COUNT, k]
    vectors = atoms * share / LANES + 0.5
    at_home = atoms / (1.0 * bins[COUNT, 0] * bins[COUNT, 1] * bins[COUNT, 2])
    return 18 * vectors + (16 * vectors + 40 * columns) / max(at_home, 1.0)


@njit
def _choose(bins, trial, widths, height, periodic, cutoff, atoms):
    """Cut so that the search is cheapest, in a number of bins that grows no faster than that of atoms and images."""
    allowed = 64.0 + BINS_PER_IMAGE * atoms
    for k in range(3):
        if periodic[k]:
            allowed *= 1 + 2 * cutoff / height[k]
    lowest = math.inf
    for across in range(1, 4):
        for along in range(1, 4):
            widths[0] = widths[1] = cutoff / across * (1 + 10 * _MARGIN)
            widths[2] = cutoff / along * (1 + 10 * _MARGIN)
            _cut_all(trial, widths, height, periodic, cutoff, allowed)
            cost = _cost(trial, atoms)
            if cost < lowest:
                lowest = cost
                for row in range(3):
                    for k in range(3):
                        bins[row, k] = trial[row, k]


# --- images ---


@njit
def _bins_of_atoms(lattices, bins, block, place, lower, upper, first):
    """Bin of each atom inside its cell, the range of its images along each axis, and how many fall into each bin."""
    for s in range(len(bins)):
        for i in range(lattices.first[s], lattices.first[s + 1]):
            for k in range(3):
                count, pad = bins[s, COUNT, k], bins[s, PAD, k]
                inside = 0
                if count > 1:
                    inside = int(lattices.place[i, k] / lattices.height[s, k] * count)
                inside = min(max(inside, 0), count - 1)
                place[i, k] = inside + pad
                lower[i, k] = -((inside + pad) // count)
                upper[i, k] = (count + pad - 1 - inside) // count
            for a in range(lower[i, 0], upper[i, 0] + 1):
                for b in range(lower[i, 1], upper[i, 1] + 1):
                    for c in range(lower[i, 2], upper[i, 2] + 1):
                        first[block[s] + _bin(bins[s], place, i, a, b, c) + 1] += 1


@njit
def _bin(bins, place, i, a, b, c):
    """Bin of an image of an atom, a, b and c cells away."""
    row = place[i, 0] + a * bins[COUNT, 0]
    column = place[i, 1] + b * bins[COUNT, 1]
    layer = place[i, 2] + c * bins[COUNT, 2]
    columns, layers = bins[COUNT, 1] + 2 * bins[PAD, 1], bins[COUNT, 2] + 2 * bins[PAD, 2]
    return (row * columns + column) * layers + layer


@njit
def _put(search, lattices, s, i, a, b, c, e):
    """Write one image."""
    stride = len(search.points) // 6
    search.atom[e] = i
    for k in range(3):
        search.points[k * stride + e] = lattices.wrapped[i, k]
        search.points[(3 + k) * stride + e] = 0.0
    moved = False
    for k in range(3):
        steps = a * lattices.basis[s, 0, k] + b * lattices.basis[s, 1, k] + c * lattices.basis[s, 2, k]
        search.shift[e, k] = steps - lattices.wraps[i, k]
        moved = moved or search.shift[e, k] != 0
        if steps != 0:
            for component in range(3):
                search.points[(3 + component) * stride + e] += steps * lattices.cell[s, k, component]
    search.moved[e + 1] = 1 if moved else 0


@njit
def prepare(lattices, cutoff, limit):
    """Make all images that the cutoff can reach, and sort them into bins (a counting sort)."""
    m, n = len(lattices.cell), len(lattices.wraps)
    bins, home, block = np.empty((m, 3, 3), np.int64), np.zeros(m + 1, np.int64), np.zeros(m + 1, np.int64)
    trial, widths = np.empty((3, 3), np.int64), np.empty(3)
    for s in range(m):
        atoms = lattices.first[s + 1] - lattices.first[s]
        _choose(bins[s], trial, widths, lattices.height[s], lattices.periodic[s], cutoff, atoms)
        inside, total = 1, 1
        for k in range(3):
            inside *= bins[s, COUNT, k]
            total *= bins[s, COUNT, k] + 2 * bins[s, PAD, k]
        home[s + 1], block[s + 1] = home[s] + inside, block[s] + total
    place, lower, upper = np.empty((n, 3), np.int64), np.empty((n, 3), np.int64), np.empty((n, 3), np.int64)
    first = np.zeros(block[m] + 1, np.int64)
    _bins_of_atoms(lattices, bins, block, place, lower, upper, first)
    for h in range(block[m]):
        first[h + 1] += first[h]
    total = first[block[m]]
    shift, moved = np.empty((total, 3), np.int64), np.zeros(total + 1, np.int64)
    points, atom = np.zeros(6 * (total + LANES)), np.empty(total, np.int32)
    search = Search(bins, home, block, first, atom, points, shift, moved, lattices.wraps, limit)
    for s in range(m):
        for i in range(lattices.first[s], lattices.first[s + 1]):
            for a in range(lower[i, 0], upper[i, 0] + 1):
                for b in range(lower[i, 1], upper[i, 1] + 1):
                    for c in range(lower[i, 2], upper[i, 2] + 1):
                        h = block[s] + _bin(bins[s], place, i, a, b, c)
                        _put(search, lattices, s, i, a, b, c, first[h])
                        first[h] += 1
    for h in range(block[m], 0, -1):
        first[h] = first[h - 1]
    first[0] = 0
    for e in range(total):
        moved[e + 1] += moved[e]
    return search

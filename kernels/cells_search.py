"""Pairs closer than a cutoff among sorted images: the second half of the neighbour search.

The images near a bin are a few runs in memory, one for each column of bins. They are copied behind each other, and
then eight at a time are tested against each atom of the bin. A first pass counts the pairs of each atom, a second
one writes them where the counts say; any division of the bins among threads gives the same result.

D = (r_j - r_i) + S cell in this order: D of the pair seen from j is exactly the negative, and for atoms inside
the cell the value and the distance are those of ASE to the last bit.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from fastsf.kernels._jit import njit
from fastsf.kernels.cells import COUNT, PAD, REACH
from fastsf.kernels.simd import (
    LANES,
    compress,
    count_lanes,
    fill_first,
    first_lanes,
    load,
    splat,
    sqrt,
    store,
    store_compressed_index,
    store_compressed_int,
    store_first,
    store_xyz_first,
)

_FAR = 1e200
"""Beyond every cutoff, Å."""


class PairArrays(NamedTuple):
    """Where pairs are written; an array of size 0 is not wanted."""

    i: np.ndarray  # (p,) int64
    j: np.ndarray  # (p,) int64
    d: np.ndarray  # (p,) float64
    D: np.ndarray  # (3 p,) float64
    S: np.ndarray  # (3 p,) int64
    image: np.ndarray  # (p,) int32: which image in `Search` is the neighbour


class _Near(NamedTuple):
    """Images near a bin, as in `Search`."""

    points: np.ndarray  # (6 size,) float64
    image: np.ndarray  # (size,) int32


class _Found(NamedTuple):
    """Pairs of one atom."""

    points: np.ndarray  # (3 size,) float64
    image: np.ndarray  # (size,) int32


@njit
def _room(size):
    return _Near(np.empty(6 * size), np.empty(size, np.int32))


@njit
def _surroundings(search, s, home, near):
    """Copy the images near a bin.

    Returns them, their number, where in them the atoms of the bin are, how many those are, and whether any has a shift.
    """
    bins = search.bins[s]
    layers = bins[COUNT, 2] + 2 * bins[PAD, 2]
    columns = bins[COUNT, 1] + 2 * bins[PAD, 1]
    rows = bins[COUNT, 0] + 2 * bins[PAD, 0]
    inside = home - search.home[s]
    c = inside % bins[COUNT, 2] + bins[PAD, 2]
    b = inside // bins[COUNT, 2] % bins[COUNT, 1] + bins[PAD, 1]
    a = inside // (bins[COUNT, 2] * bins[COUNT, 1]) + bins[PAD, 0]
    own = search.block[s] + (a * columns + b) * layers + c
    here = search.first[own + 1] - search.first[own]
    total, at, moved = 0, 0, 0
    if here == 0:
        return near, total, at, here, False
    low, high = max(c - bins[REACH, 2], 0), min(c + bins[REACH, 2], layers - 1) + 1
    stride = len(search.points) // 6
    for row in range(max(a - bins[REACH, 0], 0), min(a + bins[REACH, 0], rows - 1) + 1):
        for column in range(max(b - bins[REACH, 1], 0), min(b + bins[REACH, 1], columns - 1) + 1):
            base = search.block[s] + (row * columns + column) * layers
            begin, end = search.first[base + low], search.first[base + high]
            if row == a and column == b:
                at = total + search.first[own] - begin
            moved += search.moved[end] - search.moved[begin]
            if total + end - begin + LANES > len(near.image):
                near = _enlarged(near, total, 2 * (total + end - begin + LANES))
            size = len(near.image)
            for e in range(begin, end, LANES):
                for k in range(6):
                    store(near.points, k * size + total + e - begin, load(search.points, k * stride + e))
                store_compressed_index(e, first_lanes(LANES), near.image, total + e - begin)
            total += end - begin
    store(near.points, total, splat(_FAR))
    return near, total, at, here, moved > 0


@njit
def _enlarged(near, total, size):
    larger = _room(size)
    for k in range(6):
        for t in range(total):
            larger.points[k * size + t] = near.points[k * len(near.image) + t]
    for t in range(total):
        larger.image[t] = near.image[t]
    return larger


@njit
def _vectors_to(near, w, x, y, z):
    size = len(near.image)
    dx = (load(near.points, w) - x) + load(near.points, 3 * size + w)
    dy = (load(near.points, size + w) - y) + load(near.points, 4 * size + w)
    dz = (load(near.points, 2 * size + w) - z) + load(near.points, 5 * size + w)
    return dx, dy, dz


@njit
def _squared(dx, dy, dz):
    return dx * dx + dy * dy + dz * dz


@njit
def _structure_of(search, home):
    s = 0
    while search.home[s + 1] <= home:
        s += 1
    return s


@njit
def count_range(search, begin, end, counts):
    """Number of pairs of each atom in the bins begin to end (only bins inside cells are counted)."""
    near = _room(1024)
    s = _structure_of(search, begin) if begin < end else 0
    for home in range(begin, end):
        while search.home[s + 1] <= home:
            s += 1
        near, total, at, here, _ = _surroundings(search, s, home, near)
        size = len(near.image)
        for u in range(at, at + here):
            x, y, z = near.points[u], near.points[size + u], near.points[2 * size + u]
            count = -1
            for w in range(0, total, LANES):
                dx, dy, dz = _vectors_to(near, w, x, y, z)
                count += count_lanes(_squared(dx, dy, dz) < search.limit)
            counts[search.atom[near.image[u]]] = count


@njit
def fill_range(search, begin, end, start, most, out):
    """Write the pairs of the atoms in the bins begin to end; those of atom i go to start[i] and the following.

    No atom has more than `most` pairs.
    """
    near, found = _room(1024), _Found(np.empty(3 * (most + LANES)), np.empty(most + LANES, np.int32))
    s = _structure_of(search, begin) if begin < end else 0
    for home in range(begin, end):
        while search.home[s + 1] <= home:
            s += 1
        near, total, at, here, moved = _surroundings(search, s, home, near)
        for u in range(at, at + here):
            i = search.atom[near.image[u]]
            p = start[i]
            count = _collect(near, total, search.limit, u, found)
            _write_vectors(found, p, count, out)
            _write_indices(search, found, i, p, count, out)
            if len(out.S):
                if moved:
                    _write_shifts(search, found, i, p, count, out.S)
                else:
                    for t in range(0, 3 * count, LANES):
                        fill_first(out.S, 3 * p + t, 0, 3 * count - t)


@njit
def _collect(near, total, limit, u, found):
    """Pack the neighbours of the atom at u; returns their number."""
    size, room = len(near.image), len(found.image)
    x, y, z = near.points[u], near.points[size + u], near.points[2 * size + u]
    near.points[3 * size + u] = _FAR  # not a neighbour of itself
    count = 0
    for w in range(0, total, LANES):
        dx, dy, dz = _vectors_to(near, w, x, y, z)
        close = _squared(dx, dy, dz) < limit
        store(found.points, count, compress(dx, close))
        store(found.points, room + count, compress(dy, close))
        store(found.points, 2 * room + count, compress(dz, close))
        store_compressed_int(near.image, w, close, found.image, count)
        count += count_lanes(close)
    near.points[3 * size + u] = 0.0
    return count


@njit
def _write_vectors(found, p, count, out):
    room = len(found.image)
    for t in range(0, count, LANES):
        x, y, z = load(found.points, t), load(found.points, room + t), load(found.points, 2 * room + t)
        if len(out.D):
            store_xyz_first(out.D, 3 * (p + t), x, y, z, count - t)
        if len(out.d):
            store_first(out.d, p + t, sqrt(_squared(x, y, z)), count - t)


@njit
def _write_indices(search, found, i, p, count, out):
    if len(out.i):
        for t in range(0, count, LANES):
            fill_first(out.i, p + t, i, count - t)
    if len(out.j):
        for t in range(count):
            out.j[p + t] = search.atom[found.image[t]]
    if len(out.image):
        for t in range(count):
            out.image[p + t] = found.image[t]


@njit
def _write_shifts(search, found, i, p, count, S):
    w0, w1, w2 = search.wraps[i, 0], search.wraps[i, 1], search.wraps[i, 2]
    for t in range(count):
        e = found.image[t]
        S[3 * (p + t)] = search.shift[e, 0] + w0
        S[3 * (p + t) + 1] = search.shift[e, 1] + w1
        S[3 * (p + t) + 2] = search.shift[e, 2] + w2


@njit
def part_of(total, part, parts):
    """Beginning of a part of `total` things; the end is the beginning of the next."""
    return part * total // parts


@njit(parallel=True)
def count_parallel(search, total, parts, counts):
    """`count_range` over all bins, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        count_range(search, part_of(total, part, parts), part_of(total, part + 1, parts), counts)


@njit(parallel=True)
def fill_parallel(search, total, parts, start, most, out):
    """`fill_range` over all bins, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        fill_range(search, part_of(total, part, parts), part_of(total, part + 1, parts), start, most, out)


@njit
def accumulate(counts, start):
    """Where the pairs of each atom begin, (n + 1,); returns the largest count."""
    most = 0
    start[0] = 0
    for i in range(len(counts)):
        most = max(most, counts[i])
        start[i + 1] = start[i] + counts[i]
    return most

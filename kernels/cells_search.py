"""Pairs closer than a cutoff among sorted images: the second half of the neighbour search.

The images near a bin are a few runs in memory, one for each column of bins. They are copied behind each
other, and then eight at a time are tested against each atom of the bin. A first pass counts the pairs of each
atom, a second one writes them where the counts say; any division of the bins among threads gives the same.

D = (r_j - r_i) + S cell in this order: seen from j, D is exactly the negative. The rounded distance decides,
as in ASE, so that perfect crystals with a shell at the cutoff agree.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from fastsf.kernels._jit import njit
from fastsf.kernels.cells import ALL, COUNT, FIRST, INSIDE, PAD, REACH
from fastsf.kernels.simd import (
    LANES,
    compress,
    count_lanes,
    fill_first,
    first_lanes,
    load,
    prefetch_for_writing,
    splat,
    sqrt,
    store,
    store_compressed_index,
    store_compressed_int,
    store_first,
    store_xyz_first,
)

_FAR = 1e150
"""Beyond every cutoff, Å; its square is still finite."""

_ROOM = 1000
"""Images near a bin that there is room for at first; rows 4096 bytes apart would be in each other's way."""


class PairArrays(NamedTuple):
    """Where pairs are written; an array of size 0 is not wanted."""

    i: np.ndarray  # (p,) int64
    j: np.ndarray  # (p,) int64
    d: np.ndarray  # (p,) float64
    D: np.ndarray  # (3 p,) float64
    S: np.ndarray  # (3 p,) int64
    image: np.ndarray  # (p,) int32: which image in `Search` is the neighbour


@njit
def _most_columns(cut):
    most = 1
    for s in range(len(cut) - 1):
        most = max(most, (2 * cut[s, REACH, 0] + 1) * (2 * cut[s, REACH, 1] + 1))
    return most


@njit
def _find_runs(cut, first, s, home, runs):
    """Where the images near a bin are: runs[k] = begin, end of each column of bins that has any.

    Returns the number of runs and of images, and where among them the atoms of the bin are, and how many.
    """
    rows, columns = cut[s, COUNT, 0] + 2 * cut[s, PAD, 0], cut[s, COUNT, 1] + 2 * cut[s, PAD, 1]
    layers = cut[s, COUNT, 2] + 2 * cut[s, PAD, 2]
    inside, block = home - cut[s, FIRST, INSIDE], cut[s, FIRST, ALL]
    c = inside % cut[s, COUNT, 2] + cut[s, PAD, 2]
    b = inside // cut[s, COUNT, 2] % cut[s, COUNT, 1] + cut[s, PAD, 1]
    a = inside // (cut[s, COUNT, 2] * cut[s, COUNT, 1]) + cut[s, PAD, 0]
    own = block + (a * columns + b) * layers + c
    here = first[own + 1] - first[own]
    found, total, at = 0, 0, 0
    if here == 0:
        return found, total, at, here
    low, high = max(c - cut[s, REACH, 2], 0), min(c + cut[s, REACH, 2], layers - 1) + 1
    for row in range(max(a - cut[s, REACH, 0], 0), min(a + cut[s, REACH, 0], rows - 1) + 1):
        for column in range(max(b - cut[s, REACH, 1], 0), min(b + cut[s, REACH, 1], columns - 1) + 1):
            base = block + (row * columns + column) * layers
            begin, end = first[base + low], first[base + high]
            if row == a and column == b:
                at = total + first[own] - begin
            runs[found, 0], runs[found, 1] = begin, end
            found += end > begin
            total += end - begin
    return found, total, at, here


@njit
def _copy_runs(points, runs, found, near):
    """Copy images behind each other, and put something far away behind them."""
    stride, size = len(points) // 6, len(near) // 6
    total = 0
    for run in range(found):
        begin, end = runs[run, 0], runs[run, 1]
        for e in range(begin, end, LANES):
            for k in range(6):
                store(near, k * size + total + e - begin, load(points, k * stride + e))
        total += end - begin
    for k in range(6):
        store(near, k * size + total, splat(_FAR if k == 0 else 0.0))


@njit
def _list_images(runs, found, image):
    """Which images `_copy_runs` has copied; returns the end of the list."""
    total = 0
    for run in range(found):
        begin, end = runs[run, 0], runs[run, 1]
        for e in range(begin, end, LANES):
            store_compressed_index(e, first_lanes(LANES), image, total + e - begin)
        total += end - begin
    return total


@njit
def _any_moved(moved, runs, found):
    total = 0
    for run in range(found):
        total += moved[runs[run, 1]] - moved[runs[run, 0]]
    return total > 0


@njit
def _vectors_to(near, w, x, y, z):
    size = len(near) // 6
    dx = (load(near, w) - x) + load(near, 3 * size + w)
    dy = (load(near, size + w) - y) + load(near, 4 * size + w)
    dz = (load(near, 2 * size + w) - z) + load(near, 5 * size + w)
    return dx, dy, dz


@njit
def _squared(dx, dy, dz):
    return dx * dx + dy * dy + dz * dz


@njit
def _count_near(near, total, limit, u):
    """Images closer to that at u than the limit, not counting itself."""
    size = len(near) // 6
    x, y, z = near[u], near[size + u], near[2 * size + u]
    count = -1
    for w in range(0, total, LANES):
        dx, dy, dz = _vectors_to(near, w, x, y, z)
        count += count_lanes(_squared(dx, dy, dz) < limit)
    return count


@njit
def search_range(search, begin, end, start, most, out, counts):
    """Search the bins begin to end (only bins inside cells are counted).

    Where `counts` (n,) is given, count the pairs of each atom; where it is empty, write them: those of atom i
    go to start[i] and the following. No atom has more than `most` pairs.
    """
    cut, first, atom, points = search.cut, search.first, search.atom, search.points
    shift, moved = search.shift, search.moved
    out_i, out_j, out_d, out_D, out_S, out_image = out.i, out.j, out.d, out.D, out.S, out.image
    runs, near, image = (
        np.empty((_most_columns(cut), 2), np.int64),
        np.empty(6 * _ROOM),
        np.empty(_ROOM, np.int32),
    )
    packed, index = np.empty(3 * (most + LANES)), np.empty(most + LANES, np.int32)
    s = 0
    for home in range(begin, end):
        while cut[s + 1, FIRST, INSIDE] <= home:
            s += 1
        found, total, at, here = _find_runs(cut, first, s, home, runs)
        if here == 0:
            continue
        if 6 * (total + LANES) > len(near):
            near, image = np.empty(6 * (2 * total + _ROOM)), np.empty(2 * total + _ROOM, np.int32)
        _copy_runs(points, runs, found, near)
        _list_images(runs, found, image)
        for u in range(at, at + here):
            i = atom[image[u]]
            if len(counts):
                counts[i] = _count_near(near, total, search.limit, u)
                continue
            p, end_of_i = start[i], start[i + 1]
            _prefetch(out_i, p, end_of_i)
            _prefetch(out_j, p, end_of_i)
            _prefetch(out_d, p, end_of_i)
            _prefetch(out_D, 3 * p, 3 * end_of_i)
            _prefetch(out_S, 3 * p, 3 * end_of_i)
            count = _collect(near, image, total, search.limit, u, packed, index)
            _write_vectors(packed, p, count, out_D, out_d)
            _write_indices(atom, index, i, p, count, out_i, out_j, out_image)
            if len(out_S):
                _write_shifts(shift, image[u], index, p, count, _any_moved(moved, runs, found), out_S)


@njit
def _prefetch(array, begin, end):
    """Fetch the lines of array[begin:end] while the pairs are being found."""
    if len(array):
        for q in range(begin, end, LANES):
            prefetch_for_writing(array, q)


@njit
def _collect(near, image, total, limit, u, packed, index):
    """Pack the vectors to the neighbours of the atom at u, and their images; returns how many there are."""
    size, room = len(near) // 6, len(packed) // 3
    x, y, z = near[u], near[size + u], near[2 * size + u]
    near[3 * size + u] = _FAR  # not a neighbour of itself
    count = 0
    for w in range(0, total, LANES):
        dx, dy, dz = _vectors_to(near, w, x, y, z)
        close = _squared(dx, dy, dz) < limit
        store(packed, count, compress(dx, close))
        store(packed, room + count, compress(dy, close))
        store(packed, 2 * room + count, compress(dz, close))
        store_compressed_int(image, w, close, index, count)
        count += count_lanes(close)
    near[3 * size + u] = 0.0
    return count


@njit
def _write_vectors(packed, p, count, D, d):
    room = len(packed) // 3
    for t in range(0, count, LANES):
        x, y, z = load(packed, t), load(packed, room + t), load(packed, 2 * room + t)
        if len(D):
            store_xyz_first(D, 3 * (p + t), x, y, z, count - t)
        if len(d):
            store_first(d, p + t, sqrt(_squared(x, y, z)), count - t)


@njit
def _write_indices(atom, index, i, p, count, out_i, out_j, out_image):
    if len(out_i):
        for t in range(0, count, LANES):
            fill_first(out_i, p + t, i, count - t)
    if len(out_j):
        for t in range(count):
            out_j[p + t] = atom[index[t]]
    if len(out_image):
        for t in range(count):
            out_image[p + t] = index[t]


@njit
def _write_shifts(shift, own, index, p, count, any_moved, S):
    if any_moved:
        w0, w1, w2 = shift[own, 0], shift[own, 1], shift[own, 2]
        for t in range(count):
            e = index[t]
            S[3 * (p + t)] = shift[e, 0] - w0
            S[3 * (p + t) + 1] = shift[e, 1] - w1
            S[3 * (p + t) + 2] = shift[e, 2] - w2
    else:
        for t in range(0, 3 * count, LANES):
            fill_first(S, 3 * p + t, 0, 3 * count - t)


@njit
def part_of(total, part, parts):
    """Beginning of a part of `total` things; the end is the beginning of the next."""
    return part * total // parts


@njit(parallel=True)
def search_parallel(search, parts, start, most, out, counts):
    """`search_range` over all bins, in `parts` blocks shared among the threads."""
    total = search.cut[-1, FIRST, INSIDE]
    for part in prange(parts):
        begin, end = part_of(total, part, parts), part_of(total, part + 1, parts)
        search_range(search, begin, end, start, most, out, counts)


@njit
def accumulate(counts, start):
    """Where the pairs of each atom begin, (n + 1,); returns the largest count."""
    most = 0
    start[0] = 0
    for i in range(len(counts)):
        most = max(most, counts[i])
        start[i + 1] = start[i] + counts[i]
    return most

"""Pairs closer than a cutoff among sorted images: the second half of the neighbour search.

The images near a bin are several runs in memory, one for each column of bins. Their coordinates from a point near by
are copied one after the other in float32, and then sixteen at a time are tested against each atom of the bin. Where
rounding could decide, float64 decides. A first pass counts the pairs of each atom, a second one writes them where
the counts say; any division of the bins among threads gives the same.

D = (r_j - r_i) + S cell in this order: seen from j, D is exactly the negative. The rounded distance decides,
as in ASE, so that perfect crystals with a shell at the cutoff agree.
"""

import math
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.pairs.cells import ALL, COUNT, FIRST, INSIDE, PAD, REACH
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, load, sqrt
from fastsf.kernels.vector.simd_double import (
    close_bits,
    count_bits,
    fill_first,
    fill_ints,
    prefetch_for_writing,
    squared_folded,
    store_chosen,
    store_first,
    store_folded,
    store_narrow,
    three_lanes,
)

_WIDE = 16
"""Images that are tested at once."""

_ROUNDING = 1e-6
"""Relative error of a coordinate: more than float32 and the sum of squares can be wrong."""


class PairArrays(NamedTuple):
    """Arrays of pairs; those of size 0 are not written."""

    i: np.ndarray  # (p,) int64
    j: np.ndarray  # (p,) int64
    d: np.ndarray  # (p,) float64
    D: np.ndarray  # (3 p,) float64
    S: np.ndarray  # (3 p,) int64
    image: np.ndarray  # (p,) int32: which image in `Search` is the neighbour


@kernel
def _gather(search, s, home, near, image):
    """Copy the coordinates of the images near a bin, x, y and z in one third of `near` each, and list the images.

    Returns their number, where among them the atoms of the bin are and how many, and whether any image has a shift.
    """
    cut, first, center = search.cut, search.first, search.center
    stride, size = len(center) // 3, len(near) // 3
    rows, columns = cut[s, COUNT, 0] + 2 * cut[s, PAD, 0], cut[s, COUNT, 1] + 2 * cut[s, PAD, 1]
    layers = cut[s, COUNT, 2] + 2 * cut[s, PAD, 2]
    inside, block = home - cut[s, FIRST, INSIDE], cut[s, FIRST, ALL]
    c = inside % cut[s, COUNT, 2] + cut[s, PAD, 2]
    b = inside // cut[s, COUNT, 2] % cut[s, COUNT, 1] + cut[s, PAD, 1]
    a = inside // (cut[s, COUNT, 2] * cut[s, COUNT, 1]) + cut[s, PAD, 0]
    own = block + (a * columns + b) * layers + c
    origin = first[own]
    home_count = first[own + 1] - origin
    total, home_first, moved = 0, 0, 0
    if home_count == 0:
        return total, home_first, home_count, False
    x, y, z = center[origin], center[stride + origin], center[2 * stride + origin]
    low, high = max(c - cut[s, REACH, 2], 0), min(c + cut[s, REACH, 2], layers - 1) + 1
    for row in range(max(a - cut[s, REACH, 0], 0), min(a + cut[s, REACH, 0], rows - 1) + 1):
        for column in range(max(b - cut[s, REACH, 1], 0), min(b + cut[s, REACH, 1], columns - 1) + 1):
            base = block + (row * columns + column) * layers
            begin, end = first[base + low], first[base + high]
            if row == a and column == b:
                home_first = total + origin - begin
            for e in range(begin, end, LANES):
                to = total + e - begin
                store_narrow(near, to, load(center, e) - x)
                store_narrow(near, size + to, load(center, stride + e) - y)
                store_narrow(near, 2 * size + to, load(center, 2 * stride + e) - z)
            for e in range(begin, end):
                image[total + e - begin] = e
            moved += search.moved[end] - search.moved[begin]
            total += end - begin
    for e in range(total, total + _WIDE):
        near[e] = math.nan
    return total, home_first, home_count, moved > 0


@kernel
def _count(near, total, x, y, z, low, high):
    """Return the number of images certainly inside the cutoff in float32, and whether others may be."""
    size = len(near) // 3
    count, others = 0, 0
    for w in range(0, total, _WIDE):
        surely = close_bits(near, size, w, x, y, z, low)
        count += count_bits(surely)
        others |= surely ^ close_bits(near, size, w, x, y, z, high)
    return count, others != 0


@kernel
def _choose(near, image, total, x, y, z, high, index):
    """List the images that may be close enough; returns their number."""
    size, count = len(near) // 3, 0
    for w in range(0, total, _WIDE):
        close = close_bits(near, size, w, x, y, z, high)
        store_chosen(image, w, close, index, count)
        count += count_bits(close)
    return count


@kernel
def _keep_close(points, own, limit, index, count):
    """Shorten the list to images that are closer to the image `own` than the limit; returns the new length."""
    kept = 0
    for t in range(count):
        e = index[t]
        dx = (points[8 * e] - points[8 * own]) + points[8 * e + 4]
        dy = (points[8 * e + 1] - points[8 * own + 1]) + points[8 * e + 5]
        dz = (points[8 * e + 2] - points[8 * own + 2]) + points[8 * e + 6]
        index[kept] = e
        kept += dx * dx + dy * dy + dz * dz < limit
    return kept


@njit
def search_range(search, begin, end, workers, start, blank, out, counts):
    """Search the bins begin to end (only bins inside cells are counted).

    Where `counts` (n,) is given, count the pairs of each atom; where it is empty, write them: those of atom i
    go to start[i] and the following. If `blank`, the array for shifts is zero already.
    """
    if workers != ALONE:
        share_out(workers, (search,), begin, end, (start, blank, out, counts))
        return
    size = (search.most_near // _WIDE + 2) * _WIDE
    near, image, index = np.empty(3 * size, np.float32), np.empty(size, np.int32), np.empty(size, np.int32)
    s = 0
    for home in range(begin, end):
        while search.cut[s + 1, FIRST, INSIDE] <= home:
            s += 1
        total, home_first, home_count, any_moved = _gather(search, s, home, near, image)
        for u in range(home_first, home_first + home_count):
            own = image[u]
            i = search.atom[own]
            x, y, z = near[u], near[size + u], near[2 * size + u]
            blur = search.blur + _ROUNDING * (abs(x) + abs(y) + abs(z))
            low, high = max(search.cutoff - blur, 0.0) ** 2, (search.cutoff + blur) ** 2
            near[u] = math.nan  # not a neighbour of itself
            if len(counts):
                count, unsure = _count(near, total, x, y, z, low, high)
                if unsure:
                    count = _choose(near, image, total, x, y, z, high, index)
                    count = _keep_close(search.points, own, search.limit, index, count)
                counts[i] = count
            else:
                _prefetch(out.i, start[i], start[i + 1])
                _prefetch(out.j, start[i], start[i + 1])
                _prefetch(out.d, start[i], start[i + 1])
                _prefetch(out.D, 3 * start[i], 3 * start[i + 1])
                if any_moved or not blank:
                    _prefetch(out.S, 3 * start[i], 3 * start[i + 1])
                count = _choose(near, image, total, x, y, z, high, index)
                if count != start[i + 1] - start[i]:
                    count = _keep_close(search.points, own, search.limit, index, count)
                _write_vectors(search.points, own, index, count, start[i], out.D, out.d)
                _write_indices(search.atom, index, i, count, start[i], out.i, out.j, out.image)
                if any_moved:
                    _write_shifts(search.shift, own, index, count, start[i], out.S)
                elif not blank:
                    for q in range(3 * start[i], 3 * start[i + 1] if len(out.S) else 0):
                        out.S[q] = 0
            near[u] = x


@kernel
def _prefetch(array, begin, end):
    """Prefetch the cache lines of array[begin:end] while the pairs are being found."""
    if len(array):
        for q in range(begin, end, LANES):
            prefetch_for_writing(array, q)


@kernel
def _write_vectors(points, own, index, count, p, D, d):
    center = three_lanes(points[8 * own], points[8 * own + 1], points[8 * own + 2])
    if len(D):
        for t in range(count):
            store_folded(D, 3 * (p + t), load(points, 8 * index[t]) - center)
    if len(d):
        fill_ints(index, count, own)
        for t in range(0, count, LANES):
            store_first(d, p + t, sqrt(squared_folded(points, index, t, center)), count - t)


@kernel
def _write_indices(atom, index, i, count, p, out_i, out_j, out_image):
    if len(out_i):
        for t in range(0, count, LANES):
            fill_first(out_i, p + t, i, count - t)
    if len(out_j):
        for t in range(count):
            out_j[p + t] = atom[index[t]]
    if len(out_image):
        for t in range(count):
            out_image[p + t] = index[t]


@kernel
def _write_shifts(shift, own, index, count, p, S):
    if len(S):
        w0, w1, w2 = shift[own, 0], shift[own, 1], shift[own, 2]
        for t in range(count):
            e = index[t]
            S[3 * (p + t)] = shift[e, 0] - w0
            S[3 * (p + t) + 1] = shift[e, 1] - w1
            S[3 * (p + t) + 2] = shift[e, 2] - w2


@njit
def accumulate(counts, start):
    """Write the first pair of each atom, (n + 1,)."""
    start[0] = 0
    for i in range(len(counts)):
        start[i + 1] = start[i] + counts[i]

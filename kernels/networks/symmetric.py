"""A symmetric matrix times eight vectors at once, reading one of its triangles once.

Each element is used twice when it is loaded: for its own row, and mirrored for that of its column. What would be
bound by memory for one vector costs little more for eight.
"""

from fastsf.kernels._jit import inline, kernel, njit
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, fma, load, load_one, splat, store

ROWS = 8
"""Rows of the matrix that go through the vectors together."""


@kernel
def _diagonal(matrix, size, row, columns, out):
    for r in range(row, row + ROWS):
        for i in range(r, row + ROWS):
            element = load_one(matrix, r * size + i)
            store(out, r * LANES, fma(element, load(columns, i * LANES), load(out, r * LANES)))
            if i != r:
                store(out, i * LANES, fma(element, load(columns, r * LANES), load(out, i * LANES)))


@inline
def _use(element, x, own, p, mirrored):
    """Add an element to the sum of its row, and to that of its column."""
    return fma(element, x, own), fma(element, p, mirrored)


@inline
def _load_four(array, base):
    return load(array, base), load(array, base + LANES), load(array, base + 2 * LANES), load(array, base + 3 * LANES)


@inline
def _store_four(array, base, a, b, c, d):
    store(array, base, a)
    store(array, base + LANES, b)
    store(array, base + 2 * LANES, c)
    store(array, base + 3 * LANES, d)


@kernel
def _rows(matrix, size, row, columns, out):
    """Add `ROWS` rows from the diagonal on, and their mirror images."""
    _diagonal(matrix, size, row, columns, out)
    base, m = row * LANES, row * size + row + ROWS
    p0, p1, p2, p3 = _load_four(columns, base)
    p4, p5, p6, p7 = _load_four(columns, base + 4 * LANES)
    s0, s1, s2, s3 = _load_four(out, base)
    s4, s5, s6, s7 = _load_four(out, base + 4 * LANES)
    for i in range((row + ROWS) * LANES, size * LANES, LANES):
        x, y, z = load(columns, i), load(out, i), splat(0.0)
        s0, y = _use(load_one(matrix, m), x, s0, p0, y)
        s1, z = _use(load_one(matrix, m + size), x, s1, p1, z)
        s2, y = _use(load_one(matrix, m + 2 * size), x, s2, p2, y)
        s3, z = _use(load_one(matrix, m + 3 * size), x, s3, p3, z)
        s4, y = _use(load_one(matrix, m + 4 * size), x, s4, p4, y)
        s5, z = _use(load_one(matrix, m + 5 * size), x, s5, p5, z)
        s6, y = _use(load_one(matrix, m + 6 * size), x, s6, p6, y)
        s7, z = _use(load_one(matrix, m + 7 * size), x, s7, p7, z)
        store(out, i, y + z)
        m += 1
    _store_four(out, base, s0, s1, s2, s3)
    _store_four(out, base + 4 * LANES, s4, s5, s6, s7)


@njit
def times_range(matrix, bounds, columns, begin, end, workers, out):
    """Add the rows of the parts begin ... end - 1 of matrix times columns to out.

    matrix (size * size,) has its upper triangle filled, row by row, where size is a multiple of `ROWS`; part k are the
    rows bounds[k] ... bounds[k + 1] - 1, multiples of `ROWS` too; columns (size * LANES,) has eight numbers per row,
    and out (parts, size * LANES) a sum for each part.
    """
    if workers != ALONE:
        share_out(workers, (matrix, bounds, columns), begin, end, (out,))
        return
    size = len(columns) // LANES
    for k in range(begin, end):
        for row in range(bounds[k], bounds[k + 1], ROWS):
            _rows(matrix, size, row, columns, out[k])

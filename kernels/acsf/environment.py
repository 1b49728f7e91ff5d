"""One centre's surroundings inside one shell, laid out for vectors.

Neighbours are sorted by element in segments padded to whole vectors; a padding lane has radial factors of zero,
1/r = 0 and a squared distance beyond every cutoff, so that it drops out by itself. A vector of neighbours is a block:
its quantities follow each other in one array, so that loops need one address for all of them.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, inline, kernel
from fastsf.kernels.acsf.tables import ALL

from .. import REAL
from ..vector.simd import LANES, fma, load, load_one, select, sqrt, store, store_one
from ..vector.vmath import integer_power
from .cutoffs import envelope
from .radial import gaussian_slope, radial_factor

FAR = 1e30
"""Squared distance of padding lanes."""

_LAYERS = 32
"""Layers of equal width in r^2 of a shell of several sections; its neighbours are sorted by layers."""

# Offsets of the quantities of a block of neighbours.
X, Y, Z, R_SQUARED, R_INVERSE, R, ENVELOPE, ENVELOPE_SLOPE, LOG_SLOPE = range(0, 9 * LANES, LANES)
# r - r_i, r^2, 1/r, r, envelope of the current section, its derivative f', f' / (f r)
_FIELDS = 9
_BYTES = np.dtype(REAL).itemsize


class Environment(NamedTuple):
    """Scratch of one thread: the neighbours of the current centre in the current shell."""

    first: np.ndarray  # (elements + 1,) int64: first lane of the segment of an element
    count: np.ndarray  # (elements,) int64: neighbours of an element
    layer: np.ndarray  # (elements * layers,) int64: lane of the next neighbour of an element and layer
    pair: np.ndarray  # (m,) int64: index of the pair, -1 in padding lanes
    atom: np.ndarray  # (m,) int32: neighbour
    inside: np.ndarray  # (m,) int64: pairs in the range of the shell, in the order of the list
    key: np.ndarray  # (m,) int64: element and layer of each of them
    near: np.ndarray  # (9 * m,) blocks of the quantities above
    gaussian: np.ndarray  # (m,) of the last row that is no power of another's
    factor: np.ndarray  # (slots * m,) F(r) of each row, weighted
    factor_slope: np.ndarray  # (slots * m,) F'(r) / r


@inline
def near_block(k):
    """Return the offset in `near` of the block that starts with neighbour k (a multiple of `LANES`)."""
    return k * _FIELDS


@inline
def near_lane(k):
    """Return the offset in `near` of the first quantity of neighbour k; the others follow at the distances above."""
    return k * _FIELDS - (k & (LANES - 1)) * (_FIELDS - 1)


@allocator
def aligned(size):
    """Return an uninitialised array that starts at a cache line, so that no vector straddles two."""
    raw = np.empty(size + LANES, REAL)
    skip = (-(raw.ctypes.data // _BYTES)) & (LANES - 1)
    return raw[skip : skip + size]


@allocator
def make_environment(tables, neighbors):
    """Return scratch for every centre and shell."""
    return environment_of(tables, padded_size(neighbors.start, len(tables.weights)))


@allocator
def environment_of(tables, size):
    """Return scratch for centres with at most `size` padded neighbours."""
    elements = len(tables.weights)
    rows = max(tables.slots, 1) * size
    return Environment(
        np.zeros(elements + 1, np.int64),
        np.zeros(elements, np.int64),
        np.zeros(elements * _LAYERS, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int32),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        aligned(_FIELDS * size),
        aligned(size),
        aligned(rows),
        aligned(rows),
    )


@kernel
def padded_size(start, elements):
    """Return the lanes that the centre with most neighbours needs, with padding: a multiple of `LANES`."""
    most = 0
    for i in range(len(start) - 1):
        most = max(most, start[i + 1] - start[i])
    return (most + LANES - 1) // LANES * LANES + elements * LANES


@kernel
def gather(env, shell, neighbors, center):
    """Take the neighbours inside the range of a shell, by element and layer; return the number of lanes."""
    near = env.near
    layers = _LAYERS if shell.section_last - shell.section_first > 1 else 1
    found = _find_inside(env, shell, layers, neighbors, center)
    _sort(env, layers)
    for q in range(found):
        p, key = load_one(env.inside, q), load_one(env.key, q)
        k = load_one(env.layer, key)
        store_one(env.layer, key, k + 1)
        env.pair[k], env.atom[k] = p, load_one(neighbors.neighbor, p)
        base = near_lane(k)
        store_one(near, base + X, neighbors.vector[p, 0])
        store_one(near, base + Y, neighbors.vector[p, 1])
        store_one(near, base + Z, neighbors.vector[p, 2])
        store_one(near, base + R_SQUARED, _squared_length(neighbors.vector, p))
    return env.first[-1]


@kernel
def _sort(env, layers):
    """Replace counts of elements and layers by their first lanes; fill in the padding."""
    near, first, layer = env.near, env.first, env.layer
    first[0] = 0
    for e in range(len(env.count)):
        end = first[e]
        for h in range(e * layers, (e + 1) * layers):
            begin, end = end, end + load_one(layer, h)
            store_one(layer, h, begin)
        env.count[e] = end - first[e]
        first[e + 1] = first[e] + (env.count[e] + LANES - 1) // LANES * LANES
        for k in range(end, first[e + 1]):
            env.pair[k] = -1
            base = near_lane(k)
            near[base + X] = near[base + Y] = near[base + Z] = 0.0
            near[base + R_SQUARED] = FAR


@kernel
def _find_inside(env, shell, layers, neighbors, center):
    """List the pairs inside the range of a shell, and count them by element and layer; return their number.

    There is no branch that the CPU could mispredict.
    """
    per_square = layers / (shell.r_max * shell.r_max)
    layer = env.layer
    layer[:] = 0
    r_max2 = shell.r_max * shell.r_max
    r_min2 = shell.r_min * shell.r_min if shell.r_min > 0.0 else -1.0
    found = 0
    for p in range(neighbors.start[center], neighbors.start[center + 1]):
        r2 = _squared_length(neighbors.vector, p)
        inside = (r2 > r_min2) & (r2 < r_max2)
        e = load_one(neighbors.species, load_one(neighbors.neighbor, p))
        key = e * layers + int(min(layers - 0.5, r2 * per_square))  # in this order NaN falls into the last layer
        store_one(env.inside, found, p)
        store_one(env.key, found, key)
        store_one(layer, key, load_one(layer, key) + inside)
        found += inside
    return found


@kernel
def count_inside(env, shell, neighbors, center):
    """Count the neighbours inside the range of a shell by element, without gathering them."""
    _find_inside(env, shell, 1, neighbors, center)
    for e in range(len(env.count)):
        env.count[e] = load_one(env.layer, e)


@kernel
def _squared_length(vector, p):
    x, y, z = vector[p, 0], vector[p, 1], vector[p, 2]
    return x * x + y * y + z * z


@kernel
def _fill_distances(near, lanes):
    for base in range(0, near_block(lanes), near_block(LANES)):
        r2 = load(near, base + R_SQUARED)
        real = r2 < FAR
        r = sqrt(select(real, r2, 1.0))
        store(near, base + R, select(real, r, 0.0))
        store(near, base + R_INVERSE, select(real & (r2 > 0.0), 1.0 / r, 0.0))


@kernel
def _fill_envelope(near, section, lanes, slopes):
    """Write the envelope of a section and its slope for all gathered neighbours."""
    for base in range(0, near_block(lanes), near_block(LANES)):
        r = load(near, base + R)
        inside = (r > section.r_min) & (r < section.r_max) & (load(near, base + R_SQUARED) < FAR)
        f, slope = envelope(section.core, section.form, section.center, section.inverse_width, r)
        f, slope = select(inside, f, 0.0), select(inside, slope, 0.0)
        store(near, base + ENVELOPE, f)
        if slopes:
            store(near, base + ENVELOPE_SLOPE, slope)
            store(near, base + LOG_SLOPE, select(f > 0.0, slope * load(near, base + R_INVERSE) / f, 0.0))


@inline
def _radial_factor(env, row, k, r):
    """Return a radial factor and its derivative, as a power of the last Gaussian where that is possible."""
    if row.multiple > 0:
        g = integer_power(load(env.gaussian, k), row.multiple)
        return g, gaussian_slope(row.parameter, row.shift, r, g)
    g, g_slope = radial_factor(row.factor, row.parameter, row.shift, r)
    store(env.gaussian, k, g)
    return g, g_slope


@kernel
def _fill_row(env, row, weights, size, slopes):
    """Write F(r) and F'(r)/r of one row, for the neighbours of its element."""
    start = row.slot * size
    for e in range(len(env.count)):
        if row.element != ALL and row.element != e:
            continue
        weight = weights[e] if row.weighted else 1.0
        for k in range(env.first[e], env.first[e + 1], LANES):
            base = near_block(k)
            f = load(env.near, base + ENVELOPE)
            g, g_slope = _radial_factor(env, row, k, load(env.near, base + R))
            store(env.factor, start + k, f * g * weight)
            if slopes:
                slope = fma(load(env.near, base + ENVELOPE_SLOPE), g, f * g_slope) * load(env.near, base + R_INVERSE)
                store(env.factor_slope, start + k, slope * weight)


@kernel
def lanes_of(env):
    """Return the number of lanes of an environment."""
    return len(env.pair)


@kernel
def prepare(env, shell, tables, neighbors, center, slopes):
    """Gather the neighbours of a centre and fill all rows of a shell; return the number of lanes.

    With `slopes`, derivatives are filled in too.
    """
    lanes = gather(env, shell, neighbors, center)
    fill_shell(env, shell, tables, lanes, slopes)
    return lanes


@kernel
def fill_shell(env, shell, tables, lanes, slopes):
    """Write distances and all rows of a shell for the neighbours in the lanes."""
    size = lanes_of(env)
    _fill_distances(env.near, lanes)
    for s in range(shell.section_first, shell.section_last):
        section = tables.sections[s]
        _fill_envelope(env.near, section, lanes, slopes)
        for q in range(section.row_first, section.row_last):
            _fill_row(env, tables.rows[q], tables.weights, size, slopes)


@kernel
def segment(env, element):
    """Return (first lane, number of lanes with padding) of an element, or of all neighbours."""
    if element == ALL:
        return 0, env.first[-1]
    return env.first[element], env.first[element + 1] - env.first[element]


@inline
def coordinate(env, k, field):
    """Return one quantity of one neighbour."""
    return load_one(env.near, near_lane(k) + field)

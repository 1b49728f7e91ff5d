"""One centre's surroundings inside one shell, laid out for vectors.

Neighbours stand sorted by element in segments padded to whole vectors; a padding lane has radial factors of zero,
1/r = 0 and a squared distance beyond every cutoff, so that it drops out by itself.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.cutoffs import envelope
from fastsf.kernels.radial import radial_factor
from fastsf.kernels.simd import LANES, fma, load, select, sqrt, store
from fastsf.kernels.tables import ALL

FAR = 1e300
"""Squared distance that stands in padding lanes."""


class Environment(NamedTuple):
    """Scratch of one thread: the neighbours of the current centre in the current shell."""

    first: np.ndarray  # (elements + 1,) int64: where the segment of an element starts
    count: np.ndarray  # (elements,) int64: neighbours of an element
    pair: np.ndarray  # (m,) int64: index of the pair, -1 in padding lanes
    atom: np.ndarray  # (m,) int32: neighbour
    x: np.ndarray  # (m,) float64
    y: np.ndarray
    z: np.ndarray
    r: np.ndarray
    r_squared: np.ndarray
    r_inverse: np.ndarray
    envelope: np.ndarray
    envelope_slope: np.ndarray  # d envelope / dr
    log_slope: np.ndarray  # envelope' / (envelope r)
    factor: np.ndarray  # (slots * m,) F(r) of each row, weighted
    factor_slope: np.ndarray  # (slots * m,) F'(r) / r


@njit
def aligned(size):
    """Uninitialised float64 array that starts at a cache line, so that no vector straddles two."""
    raw = np.empty(size + LANES)
    skip = (-(raw.ctypes.data >> 3)) & (LANES - 1)
    return raw[skip : skip + size]


@njit
def make_environment(tables, neighbors):
    """Scratch that suffices for every centre and shell."""
    elements = len(tables.weights)
    size = padded_size(neighbors.start, elements)
    rows = max(tables.slots, 1) * size
    return Environment(
        np.zeros(elements + 1, np.int64),
        np.zeros(elements, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int32),
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(rows),
        aligned(rows),
    )


@kernel
def padded_size(start, elements):
    """Lanes that the centre with most neighbours needs, padding included."""
    most = 0
    for i in range(len(start) - 1):
        most = max(most, start[i + 1] - start[i])
    return most + elements * LANES


@kernel
def gather(env, shell, neighbors, center):
    """Take the neighbours inside the range of a shell, sorted by element; returns the number of lanes."""
    elements = len(env.count)
    begin, end = neighbors.start[center], neighbors.start[center + 1]
    r_max2 = shell.r_max * shell.r_max
    r_min2 = shell.r_min * shell.r_min if shell.r_min > 0.0 else -1.0
    env.count[:] = 0
    for p in range(begin, end):
        r2 = _squared_length(neighbors.vector, p)
        if r_min2 < r2 < r_max2:
            env.count[neighbors.species[neighbors.neighbor[p]]] += 1
    env.first[0] = 0
    for e in range(elements):
        env.first[e + 1] = env.first[e] + (env.count[e] + LANES - 1) // LANES * LANES
        for k in range(env.first[e] + env.count[e], env.first[e + 1]):
            env.pair[k] = -1
            env.x[k] = env.y[k] = env.z[k] = 0.0
            env.r_squared[k] = FAR
        env.count[e] = 0
    for p in range(begin, end):
        r2 = _squared_length(neighbors.vector, p)
        if r_min2 < r2 < r_max2:
            atom = neighbors.neighbor[p]
            e = neighbors.species[atom]
            k = env.first[e] + env.count[e]
            env.count[e] += 1
            env.pair[k], env.atom[k] = p, atom
            env.x[k] = neighbors.vector[p, 0]
            env.y[k] = neighbors.vector[p, 1]
            env.z[k] = neighbors.vector[p, 2]
            env.r_squared[k] = r2
    return env.first[elements]


@kernel
def _squared_length(vector, p):
    x, y, z = vector[p, 0], vector[p, 1], vector[p, 2]
    return x * x + y * y + z * z


@kernel
def fill_envelope(env, shell, lanes, slopes):
    """Distances, envelope and its slope of all gathered neighbours."""
    for k in range(0, lanes, LANES):
        r2 = load(env.r_squared, k)
        real = r2 < FAR
        r = sqrt(select(real, r2, 1.0))
        inverse = select(real & (r2 > 0.0), 1.0 / r, 0.0)
        f, slope = envelope(shell.core, shell.form, shell.center, shell.inverse_width, r)
        f, slope = select(real, f, 0.0), select(real, slope, 0.0)
        store(env.r, k, select(real, r, 0.0))
        store(env.r_inverse, k, inverse)
        store(env.envelope, k, f)
        if slopes:
            store(env.envelope_slope, k, slope)
            store(env.log_slope, k, select(f > 0.0, slope * inverse / f, 0.0))


@kernel
def fill_row(env, row, weights, size, slopes):
    """F(r) and F'(r)/r of one row, for the neighbours of its element."""
    for e in range(len(env.count)):
        if row.element != ALL and row.element != e:
            continue
        weight = weights[e] if row.weighted else 1.0
        for k in range(env.first[e], env.first[e + 1], LANES):
            f = load(env.envelope, k)
            g, g_slope = radial_factor(row.factor, row.parameter, row.shift, load(env.r, k))
            store(env.factor, row.slot * size + k, f * g * weight)
            if slopes:
                slope = fma(load(env.envelope_slope, k), g, f * g_slope) * load(env.r_inverse, k)
                store(env.factor_slope, row.slot * size + k, slope * weight)


@kernel
def prepare(env, shell, tables, neighbors, center, slopes):
    """Everything about the single neighbours of a centre that the functions of a shell need; returns the lanes.

    `slopes` tells whether derivatives are wanted too.
    """
    lanes, size = gather(env, shell, neighbors, center), len(env.x)
    fill_envelope(env, shell, lanes, slopes)
    for q in range(shell.row_first, shell.row_last):
        fill_row(env, tables.rows[q], tables.weights, size, slopes)
    return lanes


@kernel
def segment(env, element):
    """(first lane, number of lanes with padding) of an element, or of all neighbours."""
    if element == ALL:
        return 0, env.first[-1]
    return env.first[element], env.first[element + 1] - env.first[element]

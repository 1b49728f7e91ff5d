"""Change of atom-centred symmetry functions along given changes of the pair vectors (forward mode)."""

from typing import NamedTuple

import numpy as np
from numba import prange

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.angular import angle_factor
from fastsf.kernels.environment import aligned, make_environment, prepare, segment
from fastsf.kernels.simd import LANES, bits_mask, fma, load, pack, splat, store, sum_lanes
from fastsf.kernels.triplets import STRIDE, make_triplets, next_triplets


class Tangent(NamedTuple):
    """Scratch: changes v of the pair vectors of one centre, and what follows for a chunk of triplets."""

    x: np.ndarray  # (m,)
    y: np.ndarray
    z: np.ndarray
    along: np.ndarray  # (m,) r . v
    cosine: np.ndarray  # (STRIDE,) change of the cosine
    envelope: np.ndarray  # change of ln(product of the envelopes)
    square: np.ndarray  # half the change of the sum of squared distances
    distance: np.ndarray  # change of the sum of distances
    along_first: np.ndarray  # (STRIDE,) r_ij . v_ij
    along_second: np.ndarray  # r_ik . v_ik
    cross: np.ndarray  # r_ij . v_ik + r_ik . v_ij


@njit
def make_tangent(size):
    """Scratch for centres with at most `size` padded neighbours."""
    return Tangent(
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(size),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
    )


@kernel
def _gather_tangent(env, tangent, vectors, lanes):
    for k in range(lanes):
        p = env.pair[k]
        tangent.x[k] = vectors[p, 0] if p >= 0 else 0.0
        tangent.y[k] = vectors[p, 1] if p >= 0 else 0.0
        tangent.z[k] = vectors[p, 2] if p >= 0 else 0.0
        tangent.along[k] = env.x[k] * tangent.x[k] + env.y[k] * tangent.y[k] + env.z[k] * tangent.z[k]


@kernel
def _jvp_of_radials(tables, shell, env, tangent, out):
    for q in range(shell.radial_first, shell.radial_last):
        radial = tables.radials[q]
        first, lanes = segment(env, radial.element)
        total = splat(0.0)
        for k in range(first, first + lanes, LANES):
            total = fma(load(env.factor_slope, radial.slot * len(env.x) + k), load(tangent.along, k), total)
        out[radial.column] = sum_lanes(total)


@kernel
def _pack_changes(env, tangent, chunk, blocks):
    """Bring the scalar products of the neighbours' changes to where the chunk keeps its triplets."""
    for block in range(blocks):
        j, k, place = chunk.first[block], chunk.second[block], chunk.place[block]
        mask = bits_mask(chunk.mask[block])
        cross = load(tangent.x, k) * env.x[j] + load(env.x, k) * tangent.x[j]
        cross = cross + load(tangent.y, k) * env.y[j] + load(env.y, k) * tangent.y[j]
        cross = cross + load(tangent.z, k) * env.z[j] + load(env.z, k) * tangent.z[j]
        store(tangent.along_first, place, splat(tangent.along[j]))
        store(tangent.along_second, place, pack(load(tangent.along, k), mask))
        store(tangent.cross, place, pack(cross, mask))


@kernel
def _resolve_changes(tangent, chunk, group, lanes):
    """Changes of the angle and of the three distances."""
    for b in range(0, lanes, LANES):
        inverse_j, inverse_k = load(chunk.inverse_first, b), load(chunk.inverse_second, b)
        along_j, along_k = load(tangent.along_first, b), load(tangent.along_second, b)
        cross = load(tangent.cross, b)
        distance_j, distance_k = along_j * inverse_j, along_k * inverse_k
        turn = distance_k * inverse_k + distance_j * inverse_j
        store(tangent.cosine, b, cross * (inverse_k * inverse_j) - load(chunk.cosine, b) * turn)
        envelope = load(chunk.log_slope_second, b) * along_k + load(chunk.log_slope_first, b) * along_j
        square, distance = along_k + along_j, distance_k + distance_j
        if group.narrow:
            far = square - cross
            envelope = fma(load(chunk.far_log_slope, b), far, envelope)
            distance = fma(load(chunk.far_inverse, b), far, distance)
            square = square + far
        store(tangent.envelope, b, envelope)
        store(tangent.square, b, square)
        store(tangent.distance, b, distance)


@kernel
def _clear_tail(tangent, lanes):
    """Make harmless the lanes behind the last triplet, whose products are zero."""
    zero = splat(0.0)
    for b in range(max(lanes - 2 * LANES, 0), lanes, LANES):
        store(tangent.along_first, b, zero)
        store(tangent.along_second, b, zero)
        store(tangent.cross, b, zero)


@kernel
def _sum_term(tangent, chunk, channel, term, index, lanes):
    eta, shift = -2.0 * channel.eta, 2.0 * channel.eta * channel.shift
    total = splat(0.0)
    for b in range(0, lanes, LANES):
        value, slope = angle_factor(term, load(chunk.cosine, b))
        change = fma(load(tangent.square, b), eta, load(tangent.envelope, b))
        change = fma(load(tangent.distance, b), shift, change)
        change = fma(value, change, slope * load(tangent.cosine, b))
        total = fma(change, load(chunk.product, index * STRIDE + b), total)
    return sum_lanes(total)


@kernel
def _jvp_of_group(tables, shell, group, env, tangent, chunk, at, out):
    at[:] = 0
    while True:
        blocks, lanes = next_triplets(env, chunk, shell, tables, group, at, True)
        if blocks == 0:
            break
        _clear_tail(tangent, lanes)
        _pack_changes(env, tangent, chunk, blocks)
        _resolve_changes(tangent, chunk, group, lanes)
        for c in range(group.channel_first, group.channel_last):
            channel = tables.channels[c]
            for t in range(channel.term_first, channel.term_last):
                term = tables.terms[t]
                out[term.column] += _sum_term(tangent, chunk, channel, term, c - group.channel_first, lanes)


@njit
def jvp_range(tables, neighbors, centers, begin, end, vectors, out):
    """sum_p dG/dr_p . vectors[p] of centers[begin:end] into the rows of out, which must be zero."""
    env, chunk = make_environment(tables, neighbors), make_triplets(tables)
    tangent = make_tangent(len(env.x))
    at = np.zeros(2, np.int64)
    for row in range(begin, end):
        element = neighbors.species[centers[row]]
        for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
            shell = tables.shells[s]
            lanes = prepare(env, shell, tables, neighbors, centers[row], True)
            if lanes > 0:
                _gather_tangent(env, tangent, vectors, lanes)
                _jvp_of_radials(tables, shell, env, tangent, out[row])
                for g in range(shell.group_first, shell.group_last):
                    _jvp_of_group(tables, shell, tables.groups[g], env, tangent, chunk, at, out[row])


@njit(parallel=True)
def jvp(tables, neighbors, centers, parts, vectors, out):
    """`jvp_range` over all centres, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        begin, end = part * len(centers) // parts, (part + 1) * len(centers) // parts
        jvp_range(tables, neighbors, centers, begin, end, vectors, out)

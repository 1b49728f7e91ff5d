"""Change of atom-centred symmetry functions along given changes of the pair vectors (forward mode)."""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, kernel, njit
from fastsf.kernels.acsf.angular import angle_factor
from fastsf.kernels.acsf.center_gradients import gradient_block, gradient_lane
from fastsf.kernels.acsf.environment import (
    X,
    Y,
    Z,
    aligned,
    coordinate,
    lanes_of,
    make_environment,
    near_block,
    near_lane,
    prepare,
    segment,
)
from fastsf.kernels.acsf.triplets import (
    ANGLE,
    COSINE,
    FAR_INVERSE,
    FAR_LOG_SLOPE,
    INVERSE_FIRST,
    INVERSE_SECOND,
    INVERSE_SINE,
    LOG_SLOPE_FIRST,
    LOG_SLOPE_SECOND,
    STRIDE,
    block_first,
    block_mask,
    block_offset,
    block_second,
    get_chunk,
    make_chunks,
    next_triplets,
    pack_slopes,
    product_offset,
    rewind,
)
from fastsf.kernels.acsf.wide import change_wide, make_wide
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, bits_mask, fma, load, load_one, pack, splat, store, sum_lanes

VX, VY, VZ, ALONG = range(0, 4 * LANES, LANES)  # like gradients: the change v of r, and r . v

# Arrays over the triplets of a chunk.
TURN = 0  # change of the cosine
ENVELOPE = STRIDE  # change of ln(product of the envelopes)
SQUARE = 2 * STRIDE  # half the change of the sum of squared distances
DISTANCE = 3 * STRIDE  # change of the sum of distances
ALONG_FIRST = 4 * STRIDE  # r_ij . v_ij
ALONG_SECOND = 5 * STRIDE  # r_ik . v_ik
CROSS = 6 * STRIDE  # r_ij . v_ik + r_ik . v_ij


class Tangent(NamedTuple):
    """Scratch: changes of the pair vectors of one centre, and of a chunk of triplets."""

    near: np.ndarray  # (4 * m,) float64
    lanes: np.ndarray  # (7 * STRIDE,) float64


@allocator
def make_tangent(size):
    """Return scratch for centres with at most `size` padded neighbours."""
    return Tangent(aligned(gradient_block(size)), aligned(7 * STRIDE))


@kernel
def gather_tangent(env, tangent, vectors, lanes):
    """Take the changes of the pair vectors of a centre."""
    for k in range(lanes):
        p, base, k_base = env.pair[k], gradient_lane(k), near_lane(k)
        along = 0.0
        for c in range(3):
            v = vectors[p, c] if p >= 0 else 0.0
            tangent.near[base + VX + c * LANES] = v
            along += env.near[k_base + X + c * LANES] * v
        tangent.near[base + ALONG] = along


@kernel
def _jvp_of_radials(tables, shell, env, tangent, out):
    for q in range(shell.radial_first, shell.radial_last):
        radial = tables.radials[q]
        first, lanes = segment(env, radial.element)
        total, row = splat(0.0), radial.slot * lanes_of(env)
        for k in range(first, first + lanes, LANES):
            total = fma(load(env.factor_slope, row + k), load(tangent.near, gradient_block(k) + ALONG), total)
        out[radial.column] = sum_lanes(total)


@kernel
def pack_changes(env, tangent, chunk, blocks):
    """Copy scalar products of the changes of neighbours to the triplets of a chunk."""
    info, near, changes, array = chunk.blocks, env.near, tangent.near, tangent.lanes
    for block in range(blocks):
        packed = load_one(info, block)
        j, k, offset = block_first(packed), block_second(packed), block_offset(packed)
        mask, k_base, moved, j_base = bits_mask(block_mask(packed)), near_block(k), gradient_block(k), gradient_lane(j)
        cross = load(changes, moved + VX) * coordinate(env, j, X) + load(near, k_base + X) * load_one(
            changes, j_base + VX
        )
        cross = fma(load(changes, moved + VY), coordinate(env, j, Y), cross)
        cross = fma(load(near, k_base + Y), load_one(changes, j_base + VY), cross)
        cross = fma(load(changes, moved + VZ), coordinate(env, j, Z), cross)
        cross = fma(load(near, k_base + Z), load_one(changes, j_base + VZ), cross)
        store(array, ALONG_FIRST + offset, splat(load_one(changes, j_base + ALONG)))
        store(array, ALONG_SECOND + offset, pack(load(changes, moved + ALONG), mask))
        store(array, CROSS + offset, pack(cross, mask))


@kernel
def resolve_changes(array, chunk, group, lanes):
    """Work out changes of the angle at the centre and of the three distances."""
    triplets, scratch = chunk.lanes, chunk.scratch
    for b in range(0, lanes, LANES):
        inverse_j, inverse_k = load(scratch, INVERSE_FIRST + b), load(scratch, INVERSE_SECOND + b)
        along_j, along_k = load(array, ALONG_FIRST + b), load(array, ALONG_SECOND + b)
        cross = load(array, CROSS + b)
        distance_j, distance_k = along_j * inverse_j, along_k * inverse_k
        turn = distance_k * inverse_k + distance_j * inverse_j
        store(array, TURN + b, cross * (inverse_k * inverse_j) - load(triplets, COSINE + b) * turn)
        envelope = load(scratch, LOG_SLOPE_SECOND + b) * along_k + load(scratch, LOG_SLOPE_FIRST + b) * along_j
        square, distance = along_k + along_j, distance_k + distance_j
        far = square - cross
        envelope = fma(load(triplets, FAR_LOG_SLOPE + b), far, envelope)
        if group.shifted:
            distance = fma(load(triplets, FAR_INVERSE + b), far, distance)
        square = square + far
        store(array, ENVELOPE + b, envelope)
        store(array, SQUARE + b, square)
        store(array, DISTANCE + b, distance)


@kernel
def clear_changes(array, lanes):
    """Set to zero the lanes after the last triplet, whose products are zero."""
    zero = splat(0.0)
    for b in range(max(lanes - 2 * LANES, 0), lanes, LANES):
        store(array, ALONG_FIRST + b, zero)
        store(array, ALONG_SECOND + b, zero)
        store(array, CROSS + b, zero)


@kernel
def change_of_function(array, triplets, scratch, channel, term, start, lanes):
    """Return the change of a function for a chunk; `start` is the offset of the products of its channel."""
    eta, shift = channel.eta_slope, channel.shift_slope
    total = splat(0.0)
    for b in range(0, lanes, LANES):
        theta, inverse_sine = load(scratch, ANGLE + b), load(scratch, INVERSE_SINE + b)
        value, slope = angle_factor(term, load(triplets, COSINE + b), theta, inverse_sine)
        change = fma(load(array, SQUARE + b), eta, load(array, ENVELOPE + b))
        change = fma(load(array, DISTANCE + b), shift, change)
        change = fma(value, change, slope * load(array, TURN + b))
        total = fma(change, load(triplets, start + b), total)
    return sum_lanes(total)


@kernel
def _jvp_of_group(tables, shell, group, env, tangent, chunks, cursor, out):
    chunk, section = get_chunk(chunks, 0), tables.sections[shell.section_first]
    rewind(cursor)
    while True:
        blocks, lanes = next_triplets(env, chunk, section, tables.channels, group, cursor, True)
        if blocks == 0:
            break
        pack_slopes(env, chunk, blocks)
        clear_changes(tangent.lanes, lanes)
        pack_changes(env, tangent, chunk, blocks)
        resolve_changes(tangent.lanes, chunk, group, lanes)
        for c in range(group.channel_first, group.channel_last):
            channel, start = tables.channels[c], product_offset(c - group.channel_first)
            for t in range(channel.term_first, channel.term_last):
                term = tables.terms[t]
                out[term.column] += change_of_function(
                    tangent.lanes, chunk.lanes, chunk.scratch, channel, term, start, lanes
                )


@njit
def jvp_range(tables, neighbors, centers, begin, end, workers, vectors, out):
    """Add sum_p dG/dr_p . vectors[p] of centers[begin:end] to the rows of out, which must be zero."""
    if workers != ALONE:
        share_out(workers, (tables, neighbors, centers), begin, end, (vectors, out))
        return
    env, chunks = make_environment(tables, neighbors), make_chunks(tables, 1)
    tangent = make_tangent(lanes_of(env))
    cursor, wide = np.zeros(2, np.int64), make_wide(tables, lanes_of(env))
    for row in range(begin, end):
        element = neighbors.species[centers[row]]
        for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
            shell = tables.shells[s]
            lanes = prepare(env, shell, tables, neighbors, centers[row], True)
            if lanes > 0:
                gather_tangent(env, tangent, vectors, lanes)
                _jvp_of_radials(tables, shell, env, tangent, out[row])
                for g in range(shell.group_first, shell.group_last):
                    _jvp_of_group(tables, shell, tables.groups[g], env, tangent, chunks, cursor, out[row])
                for g in range(shell.wide_first, shell.wide_last):
                    change_wide(env, tables, tables.wide[g], wide, tangent.near, out[row])

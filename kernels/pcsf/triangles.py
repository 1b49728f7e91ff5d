"""Triangles of pairs: for a pair (i, j), all k that are close to both, seen from the atom i that owns it.

They are the triplets of narrow atom-centred functions, j being the first of them; only the angle may be another one,
and sums belong to the pair.
"""

from fastsf.kernels._jit import inline, kernel
from fastsf.kernels.acsf.angular import angle_factor
from fastsf.kernels.acsf.center_gradients import along_pair, turn_and_stretch
from fastsf.kernels.acsf.environment import R_INVERSE, R_SQUARED, X, Y, Z, near_block, near_lane, segment
from fastsf.kernels.acsf.triplets import (
    ACROSS,
    ALONG_FIRST,
    ALONG_SECOND,
    ANGLE,
    CHUNK,
    COSINE,
    DISTANCE,
    DISTANCE_INVERSE,
    FAR_INVERSE,
    FAR_LOG_SLOPE,
    INVERSE_FIRST,
    INVERSE_SECOND,
    INVERSE_SINE,
    LOG_SLOPE_FIRST,
    LOG_SLOPE_SECOND,
    block_of,
    clear_tail,
    fill_angles,
    fill_triplets,
)
from fastsf.kernels.acsf.vjp import sum_channels
from fastsf.kernels.vector.simd import (
    LANES,
    any_lane,
    first_lanes,
    fma,
    from_lane,
    load,
    load_one,
    mask_bits,
    maximum,
    minimum,
    pack,
    packed_lanes,
    splat,
    store,
    store_one,
    sum_lanes,
)

from .tables import AT_OWNER, AT_PARTNER, AT_THIRD

_NUMERATOR = ALONG_FIRST
"""Offset in scratch of cosines before they are divided by r_jk; gradients need them later."""


@kernel
def owned_row(env, rows, j):
    """Return the row of the pair to neighbour j if the centre owns it, else -1."""
    p = load_one(env.pair, j)
    row = rows.row[p]
    return row if row >= 0 and rows.pair[row] == p else -1


@kernel
def next_triangles(env, chunk, section, channels, group, j, k):
    """Fill a chunk with the triangles of neighbour j and the neighbours k, ... of the group's second element.

    Return the number of blocks and lanes, and the k to continue with, -1 at the end.
    """
    blocks, packed, k = collect_triangles(env, chunk, section, group, j, k)
    if blocks == 0:
        return 0, 0, k
    lanes = fill_triplets(env, chunk, section, channels, group, blocks, packed, True)
    if group.apex != AT_OWNER:
        _divide_cosines(chunk.lanes, chunk.scratch, lanes)
    if group.windowed:
        fill_angles(chunk, lanes)
    return blocks, lanes, k


@kernel
def collect_triangles(env, chunk, section, group, j, k):
    """Pack cosines (at i: whole; else without 1 / r_jk) and squared distances of j and k."""
    first, lanes = segment(env, group.second_element)
    near, array, scratch, info = env.near, chunk.lanes, chunk.scratch, chunk.blocks
    j_base = near_lane(j)
    x, y, z = load_one(near, j_base + X), load_one(near, j_base + Y), load_one(near, j_base + Z)
    square, inverse = load_one(near, j_base + R_SQUARED), load_one(near, j_base + R_INVERSE)
    r_max2 = section.r_max * section.r_max
    r_min2 = section.r_min * section.r_min if section.r_min > 0.0 else -1.0
    blocks, packed = 0, 0
    while k < first + lanes and blocks < CHUNK:
        k_base = near_block(k)
        dot = fma(load(near, k_base + Y), y, fma(load(near, k_base + Z), z, load(near, k_base + X) * x))
        squares, inverses = load(near, k_base + R_SQUARED), load(near, k_base + R_INVERSE)
        distance2 = fma(dot, -2.0, squares + square)
        valid = (distance2 < r_max2) & (distance2 > r_min2) & (first_lanes(j - k) | from_lane(j + 1 - k))
        if group.apex == AT_OWNER:
            store(array, COSINE + packed, pack(dot * (inverses * inverse), valid))
        elif group.apex == AT_PARTNER:
            store(scratch, _NUMERATOR + packed, pack((square - dot) * inverse, valid))
        else:
            store(scratch, _NUMERATOR + packed, pack((squares - dot) * inverses, valid))
        store(scratch, DISTANCE + packed, pack(distance2, valid))
        store_one(info, blocks, block_of(j, k, packed, mask_bits(valid)))
        blocks += any_lane(valid)
        packed += packed_lanes(valid)
        k += LANES
    clear_tail(array, COSINE + packed)
    clear_tail(scratch, _NUMERATOR + packed)
    clear_tail(scratch, DISTANCE + packed)
    return blocks, packed, k if k < first + lanes else -1


@kernel
def _divide_cosines(array, scratch, lanes):
    for b in range(0, lanes, LANES):
        cosine = load(scratch, _NUMERATOR + b) * load(scratch, DISTANCE_INVERSE + b)
        store(array, COSINE + b, minimum(maximum(cosine, -1.0), 1.0))


@kernel
def resolve_triangles(channels, terms, group, chunk, polynomials, weights, lanes):
    """Write the coefficients of the pair vectors for a chunk: `acsf.vjp.resolve_chunk` for any apex."""
    for b in range(0, lanes, LANES):
        sums = sum_channels(channels, terms, group, chunk, polynomials, weights, b)
        _resolve(chunk.lanes, chunk.scratch, b, group, *sums)


@kernel
def resolve_function(channel, term, start, group, chunk, lanes):
    """Do the same for one function of a chunk; return its sum. `start` is the offset of the products of its channel."""
    array, scratch, total = chunk.lanes, chunk.scratch, splat(0.0)
    for b in range(0, lanes, LANES):
        theta, inverse_sine = load(scratch, ANGLE + b), load(scratch, INVERSE_SINE + b)
        value, slope = angle_factor(term, load(array, COSINE + b), theta, inverse_sine)
        product = load(array, start + b)
        value = value * product
        sums = value, value * channel.eta_slope, value * channel.shift_slope, slope * product
        _resolve(array, scratch, b, group, *sums)
        total = total + value
    return sum_lanes(total)


@inline
def _resolve(array, scratch, b, group, value, eta_value, shift_value, slope):
    """Do `center_gradients.resolve` for any apex.

    With the sides a = r_ij, b = r_ik and c = r_jk and the vectors of the first two, at k cos = (b^2 - a.b) / (b c), and

        dcos = (2 b.db - da.b - a.db) / (b c) - cos (b.db / b^2 + (a - b).(da - db) / c^2)

    and at j the same with a and b exchanged.
    """
    inverse_j, inverse_k = load(scratch, INVERSE_FIRST + b), load(scratch, INVERSE_SECOND + b)
    cosine, log_slope, inverse = load(array, COSINE + b), load(array, FAR_LOG_SLOPE + b), load(array, FAR_INVERSE + b)
    far_inverse = load(scratch, DISTANCE_INVERSE + b)
    at_owner = slope if group.apex == AT_OWNER else splat(0.0)
    turn, stretch, across = turn_and_stretch(
        value, eta_value, shift_value, at_owner, cosine, log_slope, inverse, inverse_j, inverse_k, group.shifted
    )
    turn_j, turn_k, extra_j, extra_k = turn, turn, splat(0.0), splat(0.0)
    if group.apex != AT_OWNER:
        side = inverse_k if group.apex == AT_THIRD else inverse_j
        straight, opposite = slope * side * far_inverse, slope * cosine * far_inverse * far_inverse
        stretch, across = stretch - opposite, across + (opposite - straight)
        if group.apex == AT_THIRD:
            turn_k, extra_k = slope * cosine, straight + straight
        else:
            turn_j, extra_j = slope * cosine, straight + straight
    first, second = load(scratch, LOG_SLOPE_FIRST + b), load(scratch, LOG_SLOPE_SECOND + b)
    store(scratch, ALONG_FIRST + b, along_pair(value, shift_value, turn_j, stretch + extra_j, first, inverse_j))
    store(scratch, ALONG_SECOND + b, along_pair(value, shift_value, turn_k, stretch + extra_k, second, inverse_k))
    store(scratch, ACROSS + b, across)

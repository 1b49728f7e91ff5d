"""Triplets (j, centre, k) of one group of functions, in chunks of dense vectors.

A block is one neighbour j with a vector of eight k. Many of its lanes hold no triplet (r_jk beyond the cutoff,
padding, k <= j): only the others are packed, one block behind the other, so that everything expensive runs over full
vectors. The blocks remember their masks, so that gradients find the way back to the lanes of k (`spread`).
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.cutoffs import envelope
from fastsf.kernels.environment import FAR, aligned, segment
from fastsf.kernels.radial import gaussian
from fastsf.kernels.simd import (
    LANES,
    any_lane,
    bits_mask,
    fma,
    from_lane,
    inverse_sqrt,
    load,
    mask_bits,
    maximum,
    minimum,
    pack,
    packed_lanes,
    select,
    splat,
    store,
)
from fastsf.kernels.vmath import integer_power

CHUNK = 128
"""Blocks that are worked on together; their arrays fit the first-level cache."""

_TINY = 1e-280  # Å^2: below it, two neighbours stand on the same spot

STRIDE = (CHUNK + 2) * LANES
"""Lanes of an array over a chunk: all blocks full, and two vectors that may be written beyond them."""


class Triplets(NamedTuple):
    """Scratch of one thread: the current chunk of triplets."""

    first: np.ndarray  # (CHUNK,) int64: slot of neighbour j of a block
    second: np.ndarray  # (CHUNK,) int64: slot of the first of its eight neighbours k
    mask: np.ndarray  # (CHUNK,) int64: bits of the lanes that hold triplets
    place: np.ndarray  # (CHUNK,) int64: where these lanes stand in the arrays below
    cosine: np.ndarray  # (STRIDE,) of the angle at the centre
    far: np.ndarray  # distance of j and k; its square at first
    far_envelope: np.ndarray  # envelope of that distance
    far_log_slope: np.ndarray  # envelope' / (envelope r) of that distance
    far_inverse: np.ndarray  # 1 / distance
    inverse_first: np.ndarray  # 1 / r_ij
    inverse_second: np.ndarray  # 1 / r_ik
    log_slope_first: np.ndarray  # envelope' / (envelope r) of r_ij
    log_slope_second: np.ndarray  # and of r_ik
    gaussian: np.ndarray  # (channels * STRIDE,) exp(-eta (r_jk - shift)^2)
    product: np.ndarray  # (channels * STRIDE,) F(r_ij) F(r_ik) [F(r_jk)]; 0 in lanes without a triplet


@njit
def make_triplets(tables):
    """Scratch that suffices for every group."""
    channels = 1
    for group in tables.groups:
        channels = max(channels, group.channel_last - group.channel_first)
    return Triplets(
        np.empty(CHUNK, np.int64),
        np.empty(CHUNK, np.int64),
        np.empty(CHUNK, np.int64),
        np.empty(CHUNK, np.int64),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(channels * STRIDE),
        aligned(channels * STRIDE),
    )


@kernel
def next_triplets(env, chunk, shell, tables, group, at, slopes):
    """Fill a chunk with the next triplets of a group.

    `at` (2,) holds the place to go on from: the neighbour j, and the offset of its next vector of k.
    `slopes` tells whether derivatives are wanted too. Returns the number of blocks, 0 at the end, and of lanes
    (rounded up to pairs of vectors).
    """
    blocks, packed = _collect(env, chunk, shell, group, at)
    for c in range(group.channel_first, group.channel_last):
        _pack_products(env, chunk, tables.channels[c].slot, c - group.channel_first, blocks, packed)
    if slopes:
        _pack_slopes(env, chunk, blocks, packed)
    lanes = (packed + 2 * LANES - 1) // (2 * LANES) * (2 * LANES)
    _clamp(chunk.cosine, lanes)
    if group.narrow:
        _fill_far(chunk, shell, lanes, slopes)
        for c in range(group.channel_first, group.channel_last):
            _multiply_far(chunk, tables.channels[c], c - group.channel_first, lanes)
    return blocks, lanes


@kernel
def _clamp(cosine, lanes):
    for b in range(0, lanes, LANES):
        store(cosine, b, minimum(maximum(load(cosine, b), -1.0), 1.0))


@kernel
def _collect(env, chunk, shell, group, at):
    """Find the next triplets; pack their cosines and squared distances of j and k."""
    j_first, j_lanes = segment(env, group.first_element)
    k_first, k_lanes = segment(env, group.second_element)
    same = group.first_element == group.second_element
    j_lanes -= same  # the last one has no partner behind it
    if k_lanes == 0:
        j_lanes = 0
    r_max2 = shell.r_max * shell.r_max if group.narrow else FAR
    r_min2 = shell.r_min * shell.r_min if group.narrow and shell.r_min > 0.0 else -1.0
    blocks, lanes, j, k = 0, 0, at[0], at[1]
    while j < j_lanes and blocks < CHUNK:  # one loop, with nothing in it that a branch predictor could miss
        slot, there = j_first + j, k_first + k
        dot = fma(load(env.z, there), env.z[slot], load(env.x, there) * env.x[slot])
        dot = fma(load(env.y, there), env.y[slot], dot)
        distance2 = fma(dot, -2.0, load(env.r_squared, there) + env.r_squared[slot])
        valid = distance2 < r_max2  # not so in padding lanes, which are FAR away
        if r_min2 > 0.0:
            valid = valid & (distance2 > r_min2)
        if same:
            valid = valid & from_lane(j + 1 - k)
        store(chunk.cosine, lanes, pack(dot * (load(env.r_inverse, there) * env.r_inverse[slot]), valid))
        store(chunk.far, lanes, pack(distance2, valid))
        chunk.first[blocks], chunk.second[blocks] = slot, there
        chunk.mask[blocks], chunk.place[blocks] = mask_bits(valid), lanes
        blocks += any_lane(valid)
        lanes += packed_lanes(valid)
        k += LANES
        row_ends = k >= k_lanes
        j += row_ends
        start = (j + 1) // LANES * LANES if same else 0
        k = start if row_ends else k
    at[0], at[1] = j, k
    _clear_tail(chunk.cosine, 0, lanes)
    _clear_tail(chunk.far, 0, lanes)
    return blocks, lanes


@kernel
def _clear_tail(array, start, lanes):
    """Make harmless what stands behind the last triplet, in the two vectors that loops may touch."""
    store(array, start + lanes, splat(0.0))
    store(array, start + lanes + LANES, splat(0.0))


@kernel
def _pack_products(env, chunk, slot, index, blocks, lanes):
    """F(r_ij) F(r_ik) of one channel."""
    row, start = slot * len(env.x), index * STRIDE
    for b in range(blocks):
        product = load(env.factor, row + chunk.second[b]) * env.factor[row + chunk.first[b]]
        store(chunk.product, start + chunk.place[b], pack(product, bits_mask(chunk.mask[b])))
    _clear_tail(chunk.product, start, lanes)


@kernel
def _pack_slopes(env, chunk, blocks, lanes):
    """What derivatives need of the distances r_ij and r_ik."""
    for b in range(blocks):
        j, k, place = chunk.first[b], chunk.second[b], chunk.place[b]
        mask = bits_mask(chunk.mask[b])
        store(chunk.inverse_first, place, splat(env.r_inverse[j]))
        store(chunk.log_slope_first, place, splat(env.log_slope[j]))
        store(chunk.inverse_second, place, pack(load(env.r_inverse, k), mask))
        store(chunk.log_slope_second, place, pack(load(env.log_slope, k), mask))
    _clear_tail(chunk.inverse_first, 0, lanes)
    _clear_tail(chunk.inverse_second, 0, lanes)
    _clear_tail(chunk.log_slope_first, 0, lanes)
    _clear_tail(chunk.log_slope_second, 0, lanes)


@kernel
def _fill_far(chunk, shell, lanes, slopes):
    """Envelope of the distance r_jk."""
    for b in range(0, lanes, LANES):
        r2 = maximum(load(chunk.far, b), _TINY)
        inverse = inverse_sqrt(r2)
        r = r2 * inverse
        f, slope = envelope(shell.core, shell.form, shell.center, shell.inverse_width, r)
        store(chunk.far, b, r)
        store(chunk.far_envelope, b, f)
        if slopes:
            inverse = select(r2 > _TINY, inverse, 0.0)
            store(chunk.far_inverse, b, inverse)
            store(chunk.far_log_slope, b, select(f > 0.0, slope * inverse / f, 0.0))


@kernel
def _multiply_far(chunk, channel, index, lanes):
    """Multiply by F(r_jk); where eta is a multiple of an earlier channel's, its Gaussian is a power of that one's."""
    at, source = index * STRIDE, channel.source * STRIDE
    for b in range(0, lanes, LANES):
        if channel.multiple > 0:
            g = integer_power(load(chunk.gaussian, source + b), channel.multiple)
        else:
            g = gaussian(channel.eta, channel.shift, load(chunk.far, b))
        store(chunk.gaussian, at + b, g)
        store(chunk.product, at + b, load(chunk.product, at + b) * (load(chunk.far_envelope, b) * g))

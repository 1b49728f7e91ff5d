"""Triplets (j, centre, k) of one group of narrow functions (with r_jk), in chunks of dense vectors.

A block is one neighbour j with a vector of k. Many of its lanes hold no triplet (r_jk beyond the cutoff,
padding, k <= j): only the others are packed, block after block, so that everything expensive runs over full
vectors. The blocks remember their masks, so that gradients find the way back to the lanes of k.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, inline, kernel
from fastsf.kernels.acsf.tables import ALL

from .. import REAL
from ..vector.simd import (
    LANES,
    any_lane,
    bits_mask,
    fma,
    from_lane,
    inverse_sqrt,
    load,
    load_one,
    mask_bits,
    maximum,
    minimum,
    pack,
    packed_lanes,
    reciprocal,
    select,
    splat,
    store,
    store_one,
)
from .angular import angle
from .cutoffs import envelope
from .environment import LOG_SLOPE, R_INVERSE, R_SQUARED, X, Y, Z, lanes_of, near_block, near_lane, segment
from .radial import gaussian

CHUNK = 60
"""Blocks that are worked on together; their arrays fit the first-level cache."""

_TINY = 1e-30  # Å^2: below it, two neighbours have the same position

STRIDE = (CHUNK + 2) * LANES
"""Lanes of an array over a chunk: all blocks full, and two vectors that may be written beyond them.

In bytes it is 128 short of a multiple of 4096. CPUs take a load for dependent on an earlier store if the last twelve
bits of the addresses agree: so the loads of a loop must not come shortly after one of its stores in this measure.
They do not where the array that is stored comes after those that are loaded in the orders below.
"""

# Arrays over the triplets of a chunk that a later backward pass needs: offsets in `lanes`.
COSINE = 0  # of the angle at the centre
FAR_LOG_SLOPE = STRIDE  # envelope' / (envelope r) of r_jk
FAR_INVERSE = 2 * STRIDE  # 1 / r_jk, in groups with shifts
PRODUCTS = 3 * STRIDE  # one array for each channel: F(r_ij) F(r_ik) F(r_jk); 0 in lanes without a triplet

# Arrays that are used at once: offsets in `scratch`.
DISTANCE = 0  # r_jk; its square at first
DISTANCE_INVERSE = STRIDE  # 1 / r_jk
FAR_ENVELOPE = 2 * STRIDE  # envelope of r_jk
INVERSE_FIRST = 3 * STRIDE  # 1 / r_ij
INVERSE_SECOND = 4 * STRIDE  # 1 / r_ik
LOG_SLOPE_FIRST = 5 * STRIDE  # envelope' / (envelope r) of r_ij
LOG_SLOPE_SECOND = 6 * STRIDE  # and of r_ik
ALONG_FIRST = 7 * STRIDE  # coefficients of gradients (`center_gradients`)
ALONG_SECOND = 8 * STRIDE
ACROSS = 9 * STRIDE
ANGLE = 10 * STRIDE  # in groups with windows (`fill_angles`)
INVERSE_SINE = 11 * STRIDE
GAUSSIANS = 12 * STRIDE  # one array for each channel: exp(-eta (r_jk - shift)^2)

_BYTES = np.dtype(REAL).itemsize
_PAGE = 4096 // _BYTES  # numbers in as many bytes
_SCRATCH_START = 40 * LANES  # start of scratch in its page: as if it followed twelve arrays of `lanes`

# A block as one number: neighbour j, first of its neighbours k, offset of its triplets in the arrays above, and
# mask of the lanes that hold triplets, in 20, 17, 10 and 16 bits or more.
_MASK_BITS, _OFFSET_BITS, _SECOND_BITS = LANES, 10, 17


@inline
def block_of(j, k, offset, mask):
    """Return a block as one number; k is a multiple of `LANES`."""
    return (((j << _SECOND_BITS | k // LANES) << _OFFSET_BITS | offset) << _MASK_BITS) | mask


@inline
def block_mask(block):
    """Return the bits of the lanes that hold triplets."""
    return block & ((1 << _MASK_BITS) - 1)


@inline
def block_offset(block):
    """Return the offset of these lanes, packed, in the arrays of a chunk."""
    return (block >> _MASK_BITS) & ((1 << _OFFSET_BITS) - 1)


@inline
def block_second(block):
    """Return the first of the neighbours k."""
    return ((block >> (_MASK_BITS + _OFFSET_BITS)) & ((1 << _SECOND_BITS) - 1)) * LANES


@inline
def block_first(block):
    """Return neighbour j."""
    return block >> (_MASK_BITS + _OFFSET_BITS + _SECOND_BITS)


class Triplets(NamedTuple):
    """One chunk of triplets."""

    blocks: np.ndarray  # (CHUNK,) int64
    lanes: np.ndarray  # ((3 + channels) * STRIDE,) REAL
    scratch: np.ndarray  # ((12 + channels) * STRIDE,) REAL


class Chunks(NamedTuple):
    """Memory of one thread for some chunks of triplets, which share their scratch."""

    blocks: np.ndarray  # (chunks, CHUNK) int64
    lanes: np.ndarray  # (chunks, at least (3 + channels) * STRIDE) REAL
    scratch: np.ndarray


@kernel
def most_channels(tables):
    """Return the number of channels of the group that has most, at least 1."""
    most = 1
    for group in tables.groups:
        most = max(most, group.channel_last - group.channel_first)
    return most


@allocator
def make_chunks(tables, number):
    """Return memory for chunks of any group."""
    channels = most_channels(tables)
    width = (PRODUCTS + channels * STRIDE + _PAGE - 1) // _PAGE * _PAGE
    scratch = GAUSSIANS + channels * STRIDE
    raw = np.empty(number * width + _SCRATCH_START + scratch + _PAGE, REAL)
    first = (-(raw.ctypes.data // _BYTES)) & (_PAGE - 1)
    last = first + number * width
    return Chunks(
        np.empty((number, CHUNK), np.int64),
        raw[first:last].reshape((number, width)),
        raw[last + _SCRATCH_START : last + _SCRATCH_START + scratch],
    )


@kernel
def get_chunk(chunks, index):
    """Return one of the chunks."""
    return Triplets(chunks.blocks[index], chunks.lanes[index], chunks.scratch)


@kernel
def product_offset(index):
    """Return the offset in `lanes` of the products of a channel of the group."""
    return PRODUCTS + index * STRIDE


@kernel
def rewind(cursor):
    """Let `next_triplets` start with the first triplets."""
    cursor[0], cursor[1] = 0, -1


@kernel
def next_triplets(env, chunk, section, channels, group, cursor, slopes):
    """Fill a chunk with the next triplets of a group, whose shell has one section.

    `cursor` (2,) says where to continue: the neighbour j, and its next vector of k, or -1 for its first one.
    With `slopes`, derivatives are filled in too, except those of `pack_slopes`. Return the number
    of blocks, 0 at the end, and of lanes (rounded up to pairs of vectors).
    """
    blocks, packed = _collect(env, chunk, section, group, cursor)
    if blocks == 0:
        return 0, 0
    lanes = fill_triplets(env, chunk, section, channels, group, blocks, packed, slopes)
    if group.windowed:
        fill_angles(chunk, lanes)
    return blocks, lanes


@kernel
def fill_triplets(env, chunk, section, channels, group, blocks, packed, slopes):
    """Write distances r_jk and products F(r_ij) F(r_ik) F(r_jk) of the collected triplets; return the lanes."""
    for c in range(group.channel_first, group.channel_last):
        start = product_offset(c - group.channel_first)
        _pack_products(env, chunk, channels[c].slot * lanes_of(env), start, blocks)
        clear_tail(chunk.lanes, start + packed)
    lanes = (packed + 2 * LANES - 1) // (2 * LANES) * (2 * LANES)
    _fill_far(chunk.lanes, chunk.scratch, section, lanes, slopes, group.shifted)
    for c in range(group.channel_first, group.channel_last):
        _multiply_far(chunk.lanes, chunk.scratch, channels[c], c - group.channel_first, lanes)
    return lanes


@kernel
def fill_angles(chunk, lanes):
    """Write the angles, for groups with windows."""
    for b in range(0, lanes, LANES):
        theta, inverse_sine = angle(load(chunk.lanes, COSINE + b))
        store(chunk.scratch, ANGLE + b, theta)
        store(chunk.scratch, INVERSE_SINE + b, inverse_sine)


@kernel
def _collect(env, chunk, section, group, cursor):
    """Find the next triplets; pack their cosines and squared distances of j and k."""
    j_element, k_element = group.first_element, group.second_element
    same = j_element == k_element
    j_first, j_lanes = segment(env, j_element)
    k_first, k_lanes = segment(env, k_element)
    j_count = j_lanes if j_element == ALL else env.count[j_element]
    j_last = j_first + j_count - same  # the last one has no partner after it
    k_last = k_first + k_lanes
    if k_lanes == 0:
        j_last = j_first
    r_max2 = section.r_max * section.r_max
    r_min2 = section.r_min * section.r_min if section.r_min > 0.0 else -1.0
    near, array, scratch, info = env.near, chunk.lanes, chunk.scratch, chunk.blocks
    blocks, lanes, j, k = 0, 0, j_first + cursor[0], cursor[1]
    while j < j_last and blocks < CHUNK:
        j_base = near_lane(j)
        x, y, z = load_one(near, j_base + X), load_one(near, j_base + Y), load_one(near, j_base + Z)
        square, inverse = load_one(near, j_base + R_SQUARED), load_one(near, j_base + R_INVERSE)
        if k < 0:
            k = j_first + (j + 1 - j_first) // LANES * LANES if same else k_first
        stop = min(k_last, k + (CHUNK - blocks) * LANES)
        while k < stop:
            k_base = near_block(k)
            dot = fma(load(near, k_base + Y), y, fma(load(near, k_base + Z), z, load(near, k_base + X) * x))
            distance2 = fma(dot, -2.0, load(near, k_base + R_SQUARED) + square)
            valid = distance2 < r_max2  # not so in padding lanes, which are FAR away
            if r_min2 > 0.0:
                valid = valid & (distance2 > r_min2)
            if same:
                valid = valid & from_lane(j + 1 - k)
            store(array, COSINE + lanes, pack(dot * (load(near, k_base + R_INVERSE) * inverse), valid))
            store(scratch, DISTANCE + lanes, pack(distance2, valid))
            store_one(info, blocks, block_of(j, k, lanes, mask_bits(valid)))
            blocks += any_lane(valid)
            lanes += packed_lanes(valid)
            k += LANES
        if k >= k_last:
            j, k = j + 1, -1
    cursor[0], cursor[1] = j - j_first, k
    clear_tail(array, COSINE + lanes)
    clear_tail(scratch, DISTANCE + lanes)
    return blocks, lanes


@kernel
def clear_tail(array, end):
    """Set to zero the two vectors after the last triplet, which loops may touch."""
    store(array, end, splat(0.0))
    store(array, end + LANES, splat(0.0))


@kernel
def _pack_products(env, chunk, row, start, blocks):
    """Write F(r_ij) F(r_ik) of one channel, whose factors begin at `row`."""
    factor, array, info = env.factor, chunk.lanes, chunk.blocks
    for b in range(blocks):
        block = load_one(info, b)
        product = load(factor, row + block_second(block)) * load_one(factor, row + block_first(block))
        store(array, start + block_offset(block), pack(product, bits_mask(block_mask(block))))


@kernel
def pack_slopes(env, chunk, blocks):
    """Write 1/r and log slopes of the distances r_ij and r_ik, for the triplets of a chunk."""
    near, scratch, info = env.near, chunk.scratch, chunk.blocks
    end = 0
    for b in range(blocks):
        block = load_one(info, b)
        j_base, k_base = near_lane(block_first(block)), near_block(block_second(block))
        offset, mask = block_offset(block), bits_mask(block_mask(block))
        store(scratch, INVERSE_FIRST + offset, splat(load_one(near, j_base + R_INVERSE)))
        store(scratch, INVERSE_SECOND + offset, pack(load(near, k_base + R_INVERSE), mask))
        store(scratch, LOG_SLOPE_FIRST + offset, splat(load_one(near, j_base + LOG_SLOPE)))
        store(scratch, LOG_SLOPE_SECOND + offset, pack(load(near, k_base + LOG_SLOPE), mask))
        end = offset + packed_lanes(mask)
    for field in range(INVERSE_FIRST, LOG_SLOPE_SECOND + STRIDE, STRIDE):
        clear_tail(scratch, field + end)


@kernel
def _fill_far(array, scratch, section, lanes, slopes, shifted):
    """Write the distance r_jk and its envelope, and limit cosines to at most 1.

    There is one loop for each step, so that the CPU has many vectors under way at once.
    """
    for b in range(0, lanes, LANES):
        store(array, COSINE + b, minimum(maximum(load(array, COSINE + b), -1.0), 1.0))
        r2 = maximum(load(scratch, DISTANCE + b), _TINY)
        inverse = inverse_sqrt(r2)
        store(scratch, DISTANCE + b, r2 * inverse)
        if slopes:
            store(scratch, DISTANCE_INVERSE + b, select(r2 > _TINY, inverse, 0.0))
    core, form, center, inverse_width = section.core, section.form, section.center, section.inverse_width
    for b in range(0, lanes, LANES):
        f, slope = envelope(core, form, center, inverse_width, load(scratch, DISTANCE + b))
        store(scratch, FAR_ENVELOPE + b, f)
        if slopes:
            store(array, FAR_LOG_SLOPE + b, slope)
    if slopes:
        for b in range(0, lanes, LANES):
            f, slope = load(scratch, FAR_ENVELOPE + b), load(array, FAR_LOG_SLOPE + b)
            inverse = load(scratch, DISTANCE_INVERSE + b)
            store(array, FAR_LOG_SLOPE + b, select(f > 0.0, slope * inverse * reciprocal(f), 0.0))
            if shifted:
                store(array, FAR_INVERSE + b, inverse)


@kernel
def _multiply_far(array, scratch, channel, index, lanes):
    """Multiply by F(r_jk); where eta is a multiple of an earlier channel's, its Gaussian is a power of that one's."""
    product, own = product_offset(index), GAUSSIANS + index * STRIDE
    if channel.multiple > 0:
        _raise(scratch, GAUSSIANS + channel.source * STRIDE, own, channel.multiple, lanes)
    else:
        eta, shift = channel.eta, channel.shift
        for b in range(0, lanes, LANES):
            store(scratch, own + b, gaussian(eta, shift, load(scratch, DISTANCE + b)))
    for b in range(0, lanes, LANES):
        factor = load(scratch, FAR_ENVELOPE + b) * load(scratch, own + b)
        store(array, product + b, load(array, product + b) * factor)


@kernel
def _raise(scratch, source, own, exponent, lanes):
    """Write powers of an array by squaring, with one more multiplication for each bit of the exponent."""
    bit, current = 1, source
    while 2 * bit <= exponent:
        bit *= 2
    if bit == 1:
        for b in range(0, lanes, LANES):
            store(scratch, own + b, load(scratch, source + b))
    while bit > 1:
        bit >>= 1
        if exponent & bit:
            for b in range(0, lanes, LANES):
                g = load(scratch, current + b)
                store(scratch, own + b, g * g * load(scratch, source + b))
        else:
            for b in range(0, lanes, LANES):
                g = load(scratch, current + b)
                store(scratch, own + b, g * g)
        current = own

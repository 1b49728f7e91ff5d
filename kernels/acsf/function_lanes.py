"""Gradients of the narrow functions of a group, eight functions at once: a lane is a function, not a neighbour.

What a triplet adds to the gradients of its two pairs is then a row of eight numbers, to be added to a row of each
pair: no sums over lanes, and the masks of the blocks are looked at once for all functions. Up to the angle factors,
lanes are triplets. From there on, tiles of eight triplets times eight functions are transposed.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, inline, kernel
from fastsf.kernels.acsf.angular import angle_factor
from fastsf.kernels.acsf.center_gradients import ALONG, GX, GY, GZ, add_to_block, along_pair, turn_and_stretch
from fastsf.kernels.acsf.environment import LOG_SLOPE, R_INVERSE, X, Y, Z, aligned, lanes_of, near_lane, segment
from fastsf.kernels.acsf.tables import group_terms
from fastsf.kernels.acsf.triplets import (
    ANGLE,
    CHUNK,
    COSINE,
    FAR_INVERSE,
    FAR_LOG_SLOPE,
    INVERSE_SINE,
    STRIDE,
    block_first,
    block_mask,
    block_offset,
    block_second,
    product_offset,
)
from fastsf.kernels.vector.simd import LANES, PACKS, fma, load, load_one, splat, store, store_one
from fastsf.kernels.vector.simd_double import count_bits, list_lanes, transpose

# Numbers that follow the gradients of eight functions with respect to a pair vector, (ALONG, GX, GY, GZ) by lane.
_X, _Y, _Z, _INVERSE, _LOG_SLOPE = range(4 * LANES, 4 * LANES + 5)
_FIELDS = 5 * LANES

# A tile: values of eight functions for eight triplets; from _SLOPES on, derivatives with respect to the cosine.
_SLOPES = LANES * LANES
_TILE = 2 * _SLOPES

_TURNED_SLOPES = LANES * STRIDE  # offset of slopes in the transposed tiles of a chunk

# Constants of eight functions, by lane.
_ETA_SLOPE, _SHIFT_SLOPE, _TOTAL = range(0, 3 * LANES, LANES)


class Functions(NamedTuple):
    """Scratch of one thread: functions in batches of eight, and their gradients from a chunk of triplets."""

    pairs: np.ndarray  # (batches * neighbours * 40,) float64
    constants: np.ndarray  # (batches * 24,) float64: derivatives of ln F, and the sum of the function
    column: np.ndarray  # (batches * 8,) int32
    product: np.ndarray  # (batches * 8,) int64: offset of the products of its channel
    tiles: np.ndarray  # (2 * 128,) float64: two tiles, lanes are triplets
    turned: np.ndarray  # (2 * 8 * STRIDE,) float64: values and slopes by triplet, lanes are functions
    second: np.ndarray  # (STRIDE,) int64: neighbours k of the triplets
    offset: np.ndarray  # (STRIDE,) int64: their lanes in the chunk, if these are not consecutive
    first: np.ndarray  # (CHUNK,) int64: neighbour j of a row of triplets
    end: np.ndarray  # (CHUNK,) int64: where the row ends


@kernel
def batches_of(terms):
    """Return the number of vectors for so many functions."""
    return (terms + LANES - 1) // LANES


@kernel
def _most_batches(tables):
    most = 1
    for group in tables.groups:
        first, last = group_terms(tables, group)
        most = max(most, batches_of(last - first))
    return most


@allocator
def make_functions(tables, size):
    """Return scratch for any group and centres with at most `size` padded neighbours."""
    batches = _most_batches(tables)
    return Functions(
        aligned(batches * size * _FIELDS),
        aligned(batches * 3 * LANES),
        np.empty(batches * LANES, np.int32),
        np.empty(batches * LANES, np.int64),
        aligned(2 * _TILE),
        aligned(2 * LANES * STRIDE),
        np.empty(STRIDE, np.int64),
        np.empty(STRIDE, np.int64),
        np.empty(CHUNK, np.int64),
        np.empty(CHUNK, np.int64),
    )


@inline
def _constant_offset(lane):
    """Return the offset of the first constant of a function."""
    return lane + lane // LANES * 2 * LANES


@inline
def pair_offset(env, batch, k):
    """Return the offset of the gradients with respect to pair k."""
    return (batch * lanes_of(env) + k) * _FIELDS


@kernel
def start_group(tables, group, env, functions):
    """Look up the functions of a group, and set gradients to zero."""
    constants = functions.constants
    first, last = group_terms(tables, group)
    constants[: batches_of(last - first) * 3 * LANES] = 0.0
    for c in range(group.channel_first, group.channel_last):
        channel = tables.channels[c]
        for t in range(channel.term_first, channel.term_last):
            lane = t - first
            base = _constant_offset(lane)
            constants[base + _ETA_SLOPE], constants[base + _SHIFT_SLOPE] = channel.eta_slope, channel.shift_slope
            functions.column[lane] = tables.terms[t].column
            functions.product[lane] = product_offset(c - group.channel_first)
    for batch in range(batches_of(last - first)):
        _start_pairs(env, group.first_element, batch, functions.pairs)
        if group.second_element != group.first_element:
            _start_pairs(env, group.second_element, batch, functions.pairs)


@kernel
def _start_pairs(env, element, batch, pairs):
    """Set gradients to zero, and copy quantities of the neighbours of an element beside them: one address for both."""
    first, lanes = segment(env, element)
    near = env.near
    for k in range(first, first + lanes):
        base, k_base = pair_offset(env, batch, k), near_lane(k)
        for field in (ALONG, GX, GY, GZ):
            store(pairs, base + field, splat(0.0))
        store_one(pairs, base + _X, load_one(near, k_base + X))
        store_one(pairs, base + _Y, load_one(near, k_base + Y))
        store_one(pairs, base + _Z, load_one(near, k_base + Z))
        store_one(pairs, base + _INVERSE, load_one(near, k_base + R_INVERSE))
        store_one(pairs, base + _LOG_SLOPE, load_one(near, k_base + LOG_SLOPE))


@kernel
def list_triplets(chunk, functions, blocks):
    """List the neighbours of all triplets of a chunk, row by row; return the number of rows."""
    last, row, listed = -1, -1, 0
    for b in range(blocks):
        block = load_one(chunk.blocks, b)
        j, mask = block_first(block), block_mask(block)
        row += j != last  # not a branch, which the CPU could not predict
        last = j
        store_one(functions.first, row, j)
        list_lanes(functions.second, listed, block_second(block), mask)
        if not PACKS:
            list_lanes(functions.offset, listed, block_offset(block), mask)
        listed += count_bits(mask)
        store_one(functions.end, row, listed)
    return row + 1


@kernel
def add_chunk(tables, group, env, chunk, functions, lanes, rows):
    """Add the triplets of a chunk to all functions of a group."""
    first, last = group_terms(tables, group)
    for batch in range(batches_of(last - first)):
        start = first + batch * LANES
        _fill_tiles(tables.terms, start, min(last, start + LANES), batch, chunk, functions, lanes)
        _add_rows(env, group, batch, chunk, functions, rows)


@kernel
def _fill_tiles(terms, first, last, batch, chunk, functions, lanes):
    """Write values of up to eight functions and their derivatives with respect to the cosine, for a chunk."""
    array, scratch, tiles = chunk.lanes, chunk.scratch, functions.tiles
    for base in range(0, 2 * _TILE, LANES):
        store(tiles, base, splat(0.0))
    for pair in range(0, lanes, 2 * LANES):
        for t in range(first, last):
            term, row = terms[t], (t - first) * LANES
            start = load_one(functions.product, batch * LANES + t - first)
            for half in range(2):
                b, base = pair + half * LANES, row + half * _TILE
                theta, inverse_sine = load(scratch, ANGLE + b), load(scratch, INVERSE_SINE + b)
                value, slope = angle_factor(term, load(array, COSINE + b), theta, inverse_sine)
                product = load(array, start + b)
                store(tiles, base, value * product)
                store(tiles, base + _SLOPES, slope * product)
        for half in range(2):
            b, base = pair + half * LANES, half * _TILE
            transpose(tiles, base, functions.turned, b * LANES)
            transpose(tiles, base + _SLOPES, functions.turned, _TURNED_SLOPES + b * LANES)


@kernel
def _add_rows(env, group, batch, chunk, functions, rows):
    """Add the triplets of a chunk to the gradients of their pairs; sums for j are kept in registers along a row."""
    array, turned, pairs, constants = chunk.lanes, functions.turned, functions.pairs, functions.constants
    shifted, own = group.shifted != 0, batch * 3 * LANES
    eta, shift = load(constants, own + _ETA_SLOPE), load(constants, own + _SHIFT_SLOPE)
    total = load(constants, own + _TOTAL)
    begin = 0
    for row in range(rows):
        j, end = pair_offset(env, batch, load_one(functions.first, row)), load_one(functions.end, row)
        x, y, z, inverse_j = _vector(pairs, j)
        values, turns, stretches = splat(0.0), splat(0.0), splat(0.0)
        gx, gy, gz = splat(0.0), splat(0.0), splat(0.0)
        for number in range(begin, end):
            t = number if PACKS else load_one(functions.offset, number)
            k = pair_offset(env, batch, load_one(functions.second, number))
            value, slope = load(turned, t * LANES), load(turned, _TURNED_SLOPES + t * LANES)
            cosine, far_log_slope = load_one(array, COSINE + t), load_one(array, FAR_LOG_SLOPE + t)
            x_k, y_k, z_k, inverse_k = _vector(pairs, k)
            far_inverse, shift_value = load_one(array, FAR_INVERSE + t), value * shift
            turn, stretch, across = turn_and_stretch(
                value,
                value * eta,
                shift_value,
                slope,
                cosine,
                far_log_slope,
                far_inverse,
                inverse_j,
                inverse_k,
                shifted,
            )
            values, turns, stretches = values + value, turns + turn, stretches + stretch
            gx, gy, gz = fma(across, x_k, gx), fma(across, y_k, gy), fma(across, z_k, gz)
            along = along_pair(value, shift_value, turn, stretch, load_one(pairs, k + _LOG_SLOPE), inverse_k)
            store(pairs, k + ALONG, load(pairs, k + ALONG) + along)
            store(pairs, k + GX, fma(across, x, load(pairs, k + GX)))
            store(pairs, k + GY, fma(across, y, load(pairs, k + GY)))
            store(pairs, k + GZ, fma(across, z, load(pairs, k + GZ)))
        begin, total = end, total + values
        along = along_pair(values, values * shift, turns, stretches, load_one(pairs, j + _LOG_SLOPE), inverse_j)
        add_to_block(pairs, j, along, gx, gy, gz)
    store(constants, own + _TOTAL, total)


@inline
def _vector(pairs, base):
    """Return the vector of a pair and 1/r."""
    x, y, z = load_one(pairs, base + _X), load_one(pairs, base + _Y), load_one(pairs, base + _Z)
    return x, y, z, load_one(pairs, base + _INVERSE)


@kernel
def add_totals(tables, group, functions, out):
    """Add the values of the functions of a group."""
    first, last = group_terms(tables, group)
    for lane in range(last - first):
        out[functions.column[lane]] += functions.constants[_constant_offset(lane) + _TOTAL]


@inline
def gradient_components(env, batch, functions, k):
    """Return (x, y, z) of the gradients of eight functions with respect to the vector of pair k."""
    pairs, base = functions.pairs, pair_offset(env, batch, k)
    x, y, z, _ = _vector(pairs, base)
    along = load(pairs, base + ALONG)
    gx = fma(along, x, load(pairs, base + GX))
    gy = fma(along, y, load(pairs, base + GY))
    gz = fma(along, z, load(pairs, base + GZ))
    return gx, gy, gz

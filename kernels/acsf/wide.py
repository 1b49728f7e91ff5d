"""Wide angular functions (without r_jk) whose angle factors are no polynomials that moments can represent.

G = sum_{j<k} A(cos) F(r_j) F(r_k), for channels F of any envelopes and several different A. For each neighbour j the
angle factors of all k are worked out once; what remains for each function is a product with the row of its channel.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, inline, kernel
from fastsf.kernels.acsf.tables import group_terms

from .. import REAL
from ..vector.simd import (
    LANES,
    any_lane,
    fma,
    from_lane,
    load,
    load_one,
    maximum,
    minimum,
    select,
    splat,
    store,
    sum_lanes,
)
from .angular import Angle, angle, angle_factor, angle_term
from .center_gradients import add_to_block, add_to_first, gradient_block, gradient_lane, gradient_size
from .cutoffs import Core
from .environment import R_INVERSE, X, Y, Z, aligned, coordinate, lanes_of, near_block, segment

# Arrays over the neighbours k of one j, by their order in the scratch; two for each angle factor follow.
_COSINE, _ANGLE, _INVERSE_SINE, _SLOPE, _ALONG, _FACTORS = range(6)


class WideScratch(NamedTuple):
    """Memory of one thread for any wide group."""

    rows: np.ndarray  # ((5 + 2 * angles) * m,) REAL: the arrays above
    ends: np.ndarray  # (channels,) int64: one after the last neighbour k that a channel of the group reaches
    offsets: np.ndarray  # (terms,) int64: offset of the angle factor of each term of the group
    weights: np.ndarray  # (scalars, terms) their weights
    sums: np.ndarray  # (terms * LANES,) REAL: their values, lane by lane


@allocator
def make_wide(tables, size, scalars=1):
    """Return scratch for centres with at most `size` padded neighbours, and gradients of so many scalars at once."""
    angles, channels, terms = 0, 0, 0
    for group in tables.wide:
        angles = max(angles, group.angle_last - group.angle_first)
        channels = max(channels, group.channel_last - group.channel_first)
        first, last = group_terms(tables, group)
        terms = max(terms, last - first)
    return WideScratch(
        aligned((_FACTORS + 2 * angles) * size),
        np.empty(channels, np.int64),
        np.empty(terms, np.int64),
        np.empty((scalars, terms), REAL),
        aligned(terms * LANES),
    )


@kernel
def _look_up(env, tables, group, scratch):
    """Fill in the ends of the channels and the offsets of the terms; return the first term, and one after the last."""
    size, (first, lanes) = lanes_of(env), segment(env, group.second_element)
    for c in range(group.channel_first, group.channel_last):
        row, end = tables.channels[c].slot * size, first + lanes
        while end > first and not _reaches(load(env.factor, row + end - LANES)):
            end -= LANES
        scratch.ends[c - group.channel_first] = end
    term_first, term_last = group_terms(tables, group)
    for t in range(term_first, term_last):
        scratch.offsets[t - term_first] = _value_offset(tables.terms[t].angle, size)
    return term_first, term_last


@inline
def _reaches(factor):
    return any_lane((factor > 0.0) | (factor < 0.0))


@kernel
def _value_offset(index, size):
    """Return the offset of the values of an angle factor; its derivatives with respect to the cosine follow."""
    return (_FACTORS + 2 * index) * size


@kernel
def _row(env, tables, group, scratch, j):
    """Return the first neighbour k of a row, and the end of the row: that of the longest channel that reaches j."""
    first, _ = segment(env, group.second_element)
    if group.first_element == group.second_element:
        first += (j + 1 - first) // LANES * LANES
    end = first
    for c in range(group.channel_first, group.channel_last):
        if load_one(env.factor, tables.channels[c].slot * lanes_of(env) + j) != 0.0:
            end = max(end, scratch.ends[c - group.channel_first])
    return first, end


@inline
def _fill_factor(array, base, size, term, first, end, slopes):
    for k in range(first, end, LANES):
        theta, inverse_sine = load(array, _ANGLE * size + k), load(array, _INVERSE_SINE * size + k)
        value, slope = angle_factor(term, load(array, _COSINE * size + k), theta, inverse_sine)
        store(array, base + k, value)
        if slopes:
            store(array, base + size + k, slope)


@kernel
def _fill_row(env, tables, group, array, j, first, end, slopes):
    """Write the angle factors of all k of a row; zero for k <= j where both are of the same element."""
    size, near = lanes_of(env), env.near
    inverse = coordinate(env, j, R_INVERSE)
    x, y, z = coordinate(env, j, X) * inverse, coordinate(env, j, Y) * inverse, coordinate(env, j, Z) * inverse
    for k in range(first, end, LANES):
        base = near_block(k)
        c = fma(load(near, base + Z), z, fma(load(near, base + Y), y, load(near, base + X) * x)) * load(
            near, base + R_INVERSE
        )
        store(array, _COSINE * size + k, minimum(maximum(c, -1.0), 1.0))
    if group.windowed:
        for k in range(first, end, LANES):
            theta, inverse_sine = angle(load(array, _COSINE * size + k))
            store(array, _ANGLE * size + k, theta)
            store(array, _INVERSE_SINE * size + k, inverse_sine)
    same = group.first_element == group.second_element
    for a in range(group.angle_last - group.angle_first):
        term, base = tables.angles[group.angle_first + a], _value_offset(a, size)
        if term.kind == Angle.WINDOW and term.core == Core.POLY2:  # a branch at each vector takes a third more time
            _fill_factor(array, base, size, angle_term(term, Angle.WINDOW, Core.POLY2), first, end, slopes)
        else:
            _fill_factor(array, base, size, angle_term(term, term.kind, term.core), first, end, slopes)
        if same:
            later = from_lane(j + 1 - first)
            store(array, base + first, select(later, load(array, base + first), 0.0))
            if slopes:
                store(array, base + size + first, select(later, load(array, base + size + first), 0.0))


@kernel
def _sum_row(env, tables, group, scratch, term_first, j, first):
    """Add one row to the functions of a group, lane by lane."""
    array, factor, sums, offsets = scratch.rows, env.factor, scratch.sums, scratch.offsets
    for c in range(group.channel_first, group.channel_last):
        channel, end = tables.channels[c], scratch.ends[c - group.channel_first]
        row = channel.slot * lanes_of(env)
        own = load_one(factor, row + j)
        if own == 0.0:
            continue
        for t in range(channel.term_first - term_first, channel.term_last - term_first):
            offset, total = load_one(offsets, t), splat(0.0)
            for k in range(first, end, LANES):
                total = fma(load(array, offset + k), load(factor, row + k), total)
            store(sums, t * LANES, fma(total, own, load(sums, t * LANES)))


@kernel
def _add_sums(tables, scratch, term_first, term_last, out):
    for t in range(term_first, term_last):
        out[tables.terms[t].column] += sum_lanes(load(scratch.sums, (t - term_first) * LANES))


@kernel
def _clear(array, first, end):
    for base in range(first, end, LANES):
        store(array, base, splat(0.0))


@kernel
def sum_wide(env, tables, group, scratch, out):
    """Add the values of the functions of a group."""
    term_first, term_last = _look_up(env, tables, group, scratch)
    _clear(scratch.sums, 0, (term_last - term_first) * LANES)
    j_first, j_lanes = segment(env, group.first_element)
    for j in range(j_first, j_first + j_lanes):
        first, end = _row(env, tables, group, scratch, j)
        if first < end:
            _fill_row(env, tables, group, scratch.rows, j, first, end, False)
            _sum_row(env, tables, group, scratch, term_first, j, first)
    _add_sums(tables, scratch, term_first, term_last, out)


@kernel
def _clear_slopes(env, array, first, end):
    size = lanes_of(env)
    _clear(array, _SLOPE * size + first, _SLOPE * size + end)
    _clear(array, _ALONG * size + first, _ALONG * size + end)


@kernel
def _add_channel(env, scratch, weights, row, j, first, end, term_first, term_last):
    """Add the slopes of some functions of a channel to those of the pairs (j, k) and of the k.

    The channel's factors begin at `row`; terms are counted from the group's first one. Return the part along r_j,
    lane by lane.
    """
    array, factor, factor_slope = scratch.rows, env.factor, env.factor_slope
    offsets, size = scratch.offsets, lanes_of(env)
    slope_offset, along_offset = _SLOPE * size, _ALONG * size
    own, own_slope, along_j = load_one(factor, row + j), load_one(factor_slope, row + j), splat(0.0)
    for k in range(first, end, LANES):
        a, a_slope = splat(0.0), splat(0.0)
        for t in range(term_first, term_last):
            base, weight = load_one(offsets, t) + k, load_one(weights, t)
            a = fma(load(array, base), weight, a)
            a_slope = fma(load(array, base + size), weight, a_slope)
        other = load(factor, row + k)
        along_j = fma(a, other, along_j)
        store(array, slope_offset + k, fma(a_slope * own, other, load(array, slope_offset + k)))
        store(array, along_offset + k, fma(a * own, load(factor_slope, row + k), load(array, along_offset + k)))
    return along_j * own_slope


@kernel
def _add_row(env, array, along, gradient, start, j, first, end):
    """Add the gradient of one row to the gradient that begins at `start`."""
    size, near = lanes_of(env), env.near
    inverse_j = coordinate(env, j, R_INVERSE)
    x, y, z = coordinate(env, j, X), coordinate(env, j, Y), coordinate(env, j, Z)
    gx, gy, gz = splat(0.0), splat(0.0), splat(0.0)
    for k in range(first, end, LANES):
        base, slope = near_block(k), load(array, _SLOPE * size + k)
        inverse_k = load(near, base + R_INVERSE)
        across = slope * (inverse_k * inverse_j)
        turn = slope * load(array, _COSINE * size + k)
        along = fma(turn * -inverse_j, inverse_j, along)
        gx = fma(across, load(near, base + X), gx)
        gy = fma(across, load(near, base + Y), gy)
        gz = fma(across, load(near, base + Z), gz)
        along_k = fma(turn * inverse_k, -inverse_k, load(array, _ALONG * size + k))
        add_to_block(gradient, start + gradient_block(k), along_k, across * x, across * y, across * z)
    add_to_first(gradient, start, j, along, gx, gy, gz)


@inline
def _add_weighted(env, tables, group, scratch, weights, term_first, gradient, start, j, first, end):
    """Add the gradient of a weighted sum of functions of one row to the gradient that begins at `start`."""
    _clear_slopes(env, scratch.rows, first, end)
    along = splat(0.0)
    for c in range(group.channel_first, group.channel_last):
        channel, reach = tables.channels[c], scratch.ends[c - group.channel_first]
        row = channel.slot * lanes_of(env)
        if load_one(env.factor, row + j) != 0.0:
            span = channel.term_first - term_first, channel.term_last - term_first
            along = along + _add_channel(env, scratch, weights, row, j, first, reach, *span)
    _add_row(env, scratch.rows, along, gradient, start, j, first, end)


@kernel
def add_wide(env, tables, group, scratch, weights, gradient):
    """Add the gradients of sum_s weights_ms G_s of a group, for several scalars m side by side."""
    term_first, term_last = _look_up(env, tables, group, scratch)
    for m in range(len(weights)):
        for t in range(term_first, term_last):
            scratch.weights[m, t - term_first] = weights[m, tables.terms[t].column]
    j_first, j_lanes = segment(env, group.first_element)
    for j in range(j_first, j_first + j_lanes):
        first, end = _row(env, tables, group, scratch, j)
        if first == end:
            continue
        _fill_row(env, tables, group, scratch.rows, j, first, end, True)
        for m in range(len(weights)):
            own = scratch.weights[m]
            _add_weighted(env, tables, group, scratch, own, term_first, gradient, m * gradient_size(env), j, first, end)


@kernel
def add_wide_functions(env, tables, group, scratch, gradient, out):
    """Add the values of the functions of a group to `out`, and their gradients side by side."""
    term_first, term_last = _look_up(env, tables, group, scratch)
    weights = scratch.weights[0]
    weights[:] = 1.0
    _clear(scratch.sums, 0, (term_last - term_first) * LANES)
    j_first, j_lanes = segment(env, group.first_element)
    for j in range(j_first, j_first + j_lanes):
        first, end = _row(env, tables, group, scratch, j)
        if first == end:
            continue
        _fill_row(env, tables, group, scratch.rows, j, first, end, True)
        _sum_row(env, tables, group, scratch, term_first, j, first)
        for c in range(group.channel_first, group.channel_last):
            channel, reach = tables.channels[c], scratch.ends[c - group.channel_first]
            row = channel.slot * lanes_of(env)
            if load_one(env.factor, row + j) == 0.0:
                continue
            for t in range(channel.term_first - term_first, channel.term_last - term_first):
                _clear_slopes(env, scratch.rows, first, reach)
                along = _add_channel(env, scratch, weights, row, j, first, reach, t, t + 1)
                _add_row(env, scratch.rows, along, gradient, t * gradient_size(env), j, first, reach)
    _add_sums(tables, scratch, term_first, term_last, out)


@kernel
def change_wide(env, tables, group, scratch, changes, out):
    """Add the changes of the functions of a group.

    `changes` holds the changes v of the pair vectors r in blocks like those of gradients: v_x, v_y, v_z, r . v.
    """
    size, array = lanes_of(env), scratch.rows
    _look_up(env, tables, group, scratch)
    j_first, j_lanes = segment(env, group.first_element)
    for j in range(j_first, j_first + j_lanes):
        first, end = _row(env, tables, group, scratch, j)
        if first == end:
            continue
        _fill_row(env, tables, group, array, j, first, end, True)
        for c in range(group.channel_first, group.channel_last):
            channel, reach = tables.channels[c], scratch.ends[c - group.channel_first]
            if load_one(env.factor, channel.slot * size + j) == 0.0:
                continue
            for t in range(channel.term_first, channel.term_last):
                term, row = tables.terms[t], channel.slot * size
                out[term.column] += _change_row(
                    env, array, changes, _value_offset(term.angle, size), row, j, first, reach
                )


@kernel
def _change_row(env, array, changes, offset, row, j, first, end):
    """Return the change of the terms of one j in a function."""
    size, near = lanes_of(env), env.near
    own, own_slope = load_one(env.factor, row + j), load_one(env.factor_slope, row + j)
    inverse_j = coordinate(env, j, R_INVERSE)
    x, y, z = coordinate(env, j, X), coordinate(env, j, Y), coordinate(env, j, Z)
    j_base = gradient_lane(j)
    vx, vy = load_one(changes, j_base), load_one(changes, j_base + LANES)
    vz, along_j = load_one(changes, j_base + 2 * LANES), load_one(changes, j_base + 3 * LANES)
    total = splat(0.0)
    for k in range(first, end, LANES):
        k_base, moved = near_block(k), gradient_block(k)
        inverse_k, along_k = load(near, k_base + R_INVERSE), load(changes, moved + 3 * LANES)
        cross = load(changes, moved) * x + load(near, k_base + X) * vx
        cross = cross + load(changes, moved + LANES) * y + load(near, k_base + Y) * vy
        cross = cross + load(changes, moved + 2 * LANES) * z + load(near, k_base + Z) * vz
        bend = along_k * inverse_k * inverse_k + along_j * inverse_j * inverse_j
        turn = cross * (inverse_k * inverse_j) - load(array, _COSINE * size + k) * bend
        other = load(env.factor, row + k)
        radial = fma(load(env.factor_slope, row + k) * along_k, own, other * (own_slope * along_j))
        total = fma(load(array, offset + k), radial, total)
        total = fma(load(array, offset + size + k) * turn, other * own, total)
    return sum_lanes(total)

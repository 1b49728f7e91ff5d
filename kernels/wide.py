"""Wide angular functions (without r_jk) whose angle factors are no polynomials that moments could stand for.

G = sum_{j<k} A(cos) F(r_j) F(r_k), for channels F of any envelopes and a few different A. For each neighbour j the
angle factors of all k are worked out once; what remains for each function is a product with the row of its channel.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, kernel
from fastsf.kernels.angular import angle, angle_factor
from fastsf.kernels.environment import (
    R_INVERSE,
    X,
    Y,
    Z,
    aligned,
    block_at,
    coordinate,
    lanes_of,
    segment,
)
from fastsf.kernels.pair_gradients import add_to_block, add_to_first, gradient_block, gradient_lane
from fastsf.kernels.simd import (
    LANES,
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
from fastsf.kernels.tables import group_terms

# Arrays over the neighbours k of one j, by their order in the scratch; two for each angle factor stand behind them.
_COSINE, _ANGLE, _INVERSE_SINE, _FACTORS = range(4)


class WideScratch(NamedTuple):
    """Memory of one thread for any wide group."""

    rows: np.ndarray  # ((3 + 2 * angles) * m,) float64: the arrays above
    places: np.ndarray  # (terms,) int64: where the angle factor of each term of the group stands
    weights: np.ndarray  # (terms,) float64: their weights


@allocator
def make_wide(tables, size):
    """Scratch for centres with at most `size` padded neighbours."""
    angles, terms = 0, 0
    for group in tables.wide:
        angles = max(angles, group.angle_last - group.angle_first)
        first, last = group_terms(tables, group)
        terms = max(terms, last - first)
    return WideScratch(aligned((_FACTORS + 2 * angles) * size), np.empty(terms, np.int64), np.empty(terms))


@kernel
def _look_up(env, tables, group, scratch):
    """Fill in the places of the terms; returns the first term, and the one behind the last."""
    first, last = group_terms(tables, group)
    for t in range(first, last):
        scratch.places[t - first] = _value_at(tables.terms[t].angle, lanes_of(env))
    return first, last


@kernel
def _value_at(index, size):
    """Where the values of an angle factor stand; its derivatives with respect to the cosine follow."""
    return (_FACTORS + 2 * index) * size


@kernel
def _row(env, group, j):
    """First neighbour k of a row and the end of the row; empty where j is padding."""
    first, lanes = segment(env, group.second_element)
    end = first + lanes
    if env.pair[j] < 0:
        return end, end
    if group.first_element == group.second_element:
        first += (j + 1 - first) // LANES * LANES
    return first, end


@kernel
def _fill_row(env, tables, group, array, j, first, end, slopes):
    """Angle factors of all k of a row; zero for k <= j where both are of the same element."""
    size, near = lanes_of(env), env.near
    inverse = coordinate(env, j, R_INVERSE)
    x, y, z = coordinate(env, j, X) * inverse, coordinate(env, j, Y) * inverse, coordinate(env, j, Z) * inverse
    for k in range(first, end, LANES):
        at = block_at(k)
        c = fma(load(near, at + Z), z, fma(load(near, at + Y), y, load(near, at + X) * x)) * load(near, at + R_INVERSE)
        store(array, _COSINE * size + k, minimum(maximum(c, -1.0), 1.0))
    if group.windowed:
        for k in range(first, end, LANES):
            theta, inverse_sine = angle(load(array, _COSINE * size + k))
            store(array, _ANGLE * size + k, theta)
            store(array, _INVERSE_SINE * size + k, inverse_sine)
    same = group.first_element == group.second_element
    for a in range(group.angle_last - group.angle_first):
        term, at = tables.angles[group.angle_first + a], _value_at(a, size)
        for k in range(first, end, LANES):
            theta, inverse_sine = load(array, _ANGLE * size + k), load(array, _INVERSE_SINE * size + k)
            value, slope = angle_factor(term, load(array, _COSINE * size + k), theta, inverse_sine)
            store(array, at + k, value)
            if slopes:
                store(array, at + size + k, slope)
        if same and first < end:
            behind = from_lane(j + 1 - first)
            store(array, at + first, select(behind, load(array, at + first), 0.0))
            if slopes:
                store(array, at + size + first, select(behind, load(array, at + size + first), 0.0))


@kernel
def _sum_row(factor, array, at, row, first, end):
    total = splat(0.0)
    for k in range(first, end, LANES):
        total = fma(load(array, at + k), load(factor, row + k), total)
    return sum_lanes(total)


@kernel
def _sum_functions(env, tables, group, scratch, term_first, j, first, end, out):
    """Add what one row gives to the functions of a group."""
    size = lanes_of(env)
    for c in range(group.channel_first, group.channel_last):
        channel = tables.channels[c]
        row = channel.slot * size
        own = load_one(env.factor, row + j)
        if own == 0.0:
            continue
        for t in range(channel.term_first, channel.term_last):
            place = scratch.places[t - term_first]
            out[tables.terms[t].column] += own * _sum_row(env.factor, scratch.rows, place, row, first, end)


@kernel
def sum_wide(env, tables, group, scratch, out):
    """Add the values of the functions of a group."""
    term_first, _ = _look_up(env, tables, group, scratch)
    j_first, j_lanes = segment(env, group.first_element)
    for j in range(j_first, j_first + j_lanes):
        first, end = _row(env, group, j)
        if first < end:
            _fill_row(env, tables, group, scratch.rows, j, first, end, False)
            _sum_functions(env, tables, group, scratch, term_first, j, first, end, out)


@kernel
def _add_row(env, channels, scratch, term_first, gradient, start, j, first, end, channel_span, term_span):
    """Add the gradient of sum_t weights_t G_t of one row, for the scalar that stands at `start`.

    Of the channels and terms (counted from the group's first one) those from the first to the last (not included) of
    their spans are taken.
    """
    size, near, factor, factor_slope = lanes_of(env), env.near, env.factor, env.factor_slope
    array, places, weights = scratch.rows, scratch.places, scratch.weights
    inverse_j = coordinate(env, j, R_INVERSE)
    x, y, z = coordinate(env, j, X), coordinate(env, j, Y), coordinate(env, j, Z)
    along, gx, gy, gz = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for k in range(first, end, LANES):
        slope, along_j, along_k = splat(0.0), splat(0.0), splat(0.0)
        for c in range(channel_span[0], channel_span[1]):
            channel = channels[c]
            row = channel.slot * size
            own, own_slope = load_one(factor, row + j), load_one(factor_slope, row + j)
            if own == 0.0:
                continue
            a, a_slope = splat(0.0), splat(0.0)
            begin = max(channel.term_first - term_first, term_span[0])
            for t in range(begin, min(channel.term_last - term_first, term_span[1])):
                at, weight = load_one(places, t) + k, load_one(weights, t)
                a = fma(load(array, at), weight, a)
                a_slope = fma(load(array, at + size), weight, a_slope)
            other = load(factor, row + k)
            slope = fma(a_slope * own, other, slope)
            along_k = fma(a * own, load(factor_slope, row + k), along_k)
            along_j = fma(a * own_slope, other, along_j)
        at = block_at(k)
        inverse_k = load(near, at + R_INVERSE)
        across = slope * (inverse_k * inverse_j)
        turn = slope * load(array, _COSINE * size + k)
        along = along + fma(turn * -inverse_j, inverse_j, along_j)
        gx = fma(across, load(near, at + X), gx)
        gy = fma(across, load(near, at + Y), gy)
        gz = fma(across, load(near, at + Z), gz)
        along_k = fma(turn * inverse_k, -inverse_k, along_k)
        add_to_block(gradient, start + gradient_block(k), along_k, across * x, across * y, across * z)
    add_to_first(gradient, start, j, along, gx, gy, gz)


@kernel
def add_wide(env, tables, group, scratch, weights, gradient):
    """Add the gradient of sum_s weights_s G_s of a group."""
    term_first, term_last = _look_up(env, tables, group, scratch)
    for t in range(term_first, term_last):
        scratch.weights[t - term_first] = weights[tables.terms[t].column]
    channel_span, term_span = (group.channel_first, group.channel_last), (0, term_last - term_first)
    j_first, j_lanes = segment(env, group.first_element)
    for j in range(j_first, j_first + j_lanes):
        first, end = _row(env, group, j)
        if first < end:
            _fill_row(env, tables, group, scratch.rows, j, first, end, True)
            _add_row(env, tables.channels, scratch, term_first, gradient, 0, j, first, end, channel_span, term_span)


@kernel
def add_wide_functions(env, tables, group, scratch, gradient, room, out):
    """Add the values of the functions of a group to `out`, and their gradients side by side, `room` apart."""
    term_first, _ = _look_up(env, tables, group, scratch)
    scratch.weights[:] = 1.0
    j_first, j_lanes = segment(env, group.first_element)
    for j in range(j_first, j_first + j_lanes):
        first, end = _row(env, group, j)
        if first == end:
            continue
        _fill_row(env, tables, group, scratch.rows, j, first, end, True)
        _sum_functions(env, tables, group, scratch, term_first, j, first, end, out)
        for c in range(group.channel_first, group.channel_last):
            channel = tables.channels[c]
            for t in range(channel.term_first - term_first, channel.term_last - term_first):
                spans = (c, c + 1), (t, t + 1)
                _add_row(env, tables.channels, scratch, term_first, gradient, t * room, j, first, end, *spans)


@kernel
def change_wide(env, tables, group, scratch, changes, out):
    """Add the changes of the functions of a group.

    `changes` holds the changes v of the pair vectors r in blocks like those of gradients: v_x, v_y, v_z, r . v.
    """
    size, array = lanes_of(env), scratch.rows
    j_first, j_lanes = segment(env, group.first_element)
    for j in range(j_first, j_first + j_lanes):
        first, end = _row(env, group, j)
        if first == end:
            continue
        _fill_row(env, tables, group, array, j, first, end, True)
        for c in range(group.channel_first, group.channel_last):
            channel = tables.channels[c]
            if load_one(env.factor, channel.slot * size + j) == 0.0:
                continue
            for t in range(channel.term_first, channel.term_last):
                term, row = tables.terms[t], channel.slot * size
                out[term.column] += _change_row(env, array, changes, _value_at(term.angle, size), row, j, first, end)


@kernel
def _change_row(env, array, changes, place, row, j, first, end):
    """Change of what one j adds to a function."""
    size, near = lanes_of(env), env.near
    own, own_slope = load_one(env.factor, row + j), load_one(env.factor_slope, row + j)
    inverse_j = coordinate(env, j, R_INVERSE)
    x, y, z = coordinate(env, j, X), coordinate(env, j, Y), coordinate(env, j, Z)
    own_at = gradient_lane(j)
    vx, vy = load_one(changes, own_at), load_one(changes, own_at + LANES)
    vz, along_j = load_one(changes, own_at + 2 * LANES), load_one(changes, own_at + 3 * LANES)
    total = splat(0.0)
    for k in range(first, end, LANES):
        there, moved = block_at(k), gradient_block(k)
        inverse_k, along_k = load(near, there + R_INVERSE), load(changes, moved + 3 * LANES)
        cross = load(changes, moved) * x + load(near, there + X) * vx
        cross = cross + load(changes, moved + LANES) * y + load(near, there + Y) * vy
        cross = cross + load(changes, moved + 2 * LANES) * z + load(near, there + Z) * vz
        bend = along_k * inverse_k * inverse_k + along_j * inverse_j * inverse_j
        turn = cross * (inverse_k * inverse_j) - load(array, _COSINE * size + k) * bend
        other = load(env.factor, row + k)
        radial = fma(load(env.factor_slope, row + k) * along_k, own, other * (own_slope * along_j))
        total = fma(load(array, place + k), radial, total)
        total = fma(load(array, place + size + k) * turn, other * own, total)
    return sum_lanes(total)

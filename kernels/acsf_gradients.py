"""Derivatives of atom-centred symmetry functions with respect to the pair vectors of their centre.

vjp        g_p = sum_s w_s dG_s/dr_p: the gradient of any scalar of G; forces and virials follow from it (`forces`)
jacobian   dG_s/dr_p for every function s and every pair p that it can see
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.acsf import sum_radials
from fastsf.kernels.angular import angle_factor
from fastsf.kernels.environment import aligned, gather, make_environment, prepare, segment
from fastsf.kernels.moments import (
    add_moment_gradients,
    fill_moments,
    make_moments,
    term_value,
    through_moments,
)
from fastsf.kernels.simd import LANES, fma, load, splat, store, store_xyz, sum_lanes, sum_lanes_of_four, unpack
from fastsf.kernels.tables import ALL
from fastsf.kernels.triplets import STRIDE, make_triplets, next_triplets


class Gradient(NamedTuple):
    """Scratch of the derivative loops: of the pairs of one centre, and of a chunk of triplets."""

    along: np.ndarray  # (columns * m,) coefficient of the pair's own vector
    x: np.ndarray  # (columns * m,) the rest of the gradient
    y: np.ndarray
    z: np.ndarray
    value: np.ndarray  # (STRIDE,) sum of w A F F F over the functions of a group
    eta_value: np.ndarray  # the same times -2 eta
    shift_value: np.ndarray  # the same times 2 eta shift
    slope: np.ndarray  # sum of w dA/dcos F F F
    along_first: np.ndarray  # (STRIDE,) coefficient of r_j in the gradient of pair j
    along_second: np.ndarray  # of r_k in the gradient of pair k
    across: np.ndarray  # of r_k in the gradient of pair j, and the other way round
    rest: np.ndarray  # (24,) interleaved components of the last, incomplete vector


@njit
def make_gradient(size, columns):
    """Scratch for gradients of `columns` scalars at a time."""
    return Gradient(
        aligned(size * columns),
        aligned(size * columns),
        aligned(size * columns),
        aligned(size * columns),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(STRIDE),
        aligned(3 * LANES),
    )


@kernel
def _clear(gradient, lanes, columns, size):
    zero = splat(0.0)
    for c in range(columns):
        for k in range(c * size, c * size + lanes, LANES):
            store(gradient.along, k, zero)
            store(gradient.x, k, zero)
            store(gradient.y, k, zero)
            store(gradient.z, k, zero)


@kernel
def _add_radial(env, gradient, slot, element, weight):
    """Add weight * dG/dr_p of a radial function: F'(r)/r along the pair's own vector."""
    first, lanes = segment(env, element)
    for k in range(first, first + lanes, LANES):
        slope = load(env.factor_slope, slot * len(env.x) + k)
        store(gradient.along, k, fma(slope, weight, load(gradient.along, k)))


@kernel
def _add_term(gradient, chunk, channel, term, index, weight, lanes, fresh):
    """Add weight * (A, dA/dcos) F F F of one function to the sums over the functions of a chunk, or start them."""
    eta, shift, at = channel.eta * -2.0, channel.eta * channel.shift * 2.0, index * STRIDE
    for b in range(0, lanes, LANES):
        product = load(chunk.product, at + b) * weight
        a, slope = angle_factor(term, load(chunk.cosine, b))
        value, slope = a * product, slope * product
        eta_value, shift_value = value * eta, value * shift
        if not fresh:
            value = load(gradient.value, b) + value
            eta_value = load(gradient.eta_value, b) + eta_value
            shift_value = load(gradient.shift_value, b) + shift_value
            slope = load(gradient.slope, b) + slope
        store(gradient.value, b, value)
        store(gradient.eta_value, b, eta_value)
        store(gradient.shift_value, b, shift_value)
        store(gradient.slope, b, slope)


@kernel
def _resolve(gradient, chunk, group, lanes):
    """Coefficients of r_j and r_k in the gradients of the pairs j and k, in place of the sums.

    With T = A(cos) F(r_j) F(r_k) F(r_jk) and F'/F = envelope'/envelope - 2 eta (r - shift)::

        dT/dr_j = (along_j + along_jk) r_j + (across - along_jk) r_k
        along_j = T F'/(F r_j) - dT/dcos cos / r_j^2,   across = dT/dcos / (r_j r_k)
    """
    for b in range(0, lanes, LANES):
        value, shift_value = load(gradient.value, b), load(gradient.shift_value, b)
        eta_value, slope = load(gradient.eta_value, b), load(gradient.slope, b)
        inverse_j, inverse_k = load(chunk.inverse_first, b), load(chunk.inverse_second, b)
        turn = slope * load(chunk.cosine, b)
        along_j = fma(value, load(chunk.log_slope_first, b), fma(-turn, inverse_j, shift_value) * inverse_j)
        along_k = fma(value, load(chunk.log_slope_second, b), fma(-turn, inverse_k, shift_value) * inverse_k)
        both = eta_value
        across = slope * (inverse_k * inverse_j)
        if group.narrow:
            far = fma(shift_value, load(chunk.far_inverse, b), eta_value)
            far = fma(value, load(chunk.far_log_slope, b), far)
            both, across = both + far, across - far
        store(gradient.along_first, b, along_j + both)
        store(gradient.along_second, b, along_k + both)
        store(gradient.across, b, across)


@kernel
def _spread(env, gradient, chunk, blocks, at):
    """Add the coefficients of a chunk to the gradients of its pairs, for the scalar stored from `at` on."""
    last, x, y, z = -1, 0.0, 0.0, 0.0
    along, gx, gy, gz = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for block in range(blocks):
        j, k = chunk.first[block], chunk.second[block]
        if j != last:
            if last >= 0:
                _add_to_first(gradient, at + last, along, gx, gy, gz)
            along, gx, gy, gz = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
            last, x, y, z = j, env.x[j], env.y[j], env.z[j]
        place, mask = chunk.place[block], chunk.mask[block]
        across = unpack(gradient.across, place, mask)
        along = along + unpack(gradient.along_first, place, mask)
        gx = fma(across, load(env.x, k), gx)
        gy = fma(across, load(env.y, k), gy)
        gz = fma(across, load(env.z, k), gz)
        along_k = unpack(gradient.along_second, place, mask)
        store(gradient.along, at + k, load(gradient.along, at + k) + along_k)
        store(gradient.x, at + k, fma(across, x, load(gradient.x, at + k)))
        store(gradient.y, at + k, fma(across, y, load(gradient.y, at + k)))
        store(gradient.z, at + k, fma(across, z, load(gradient.z, at + k)))
    if last >= 0:
        _add_to_first(gradient, at + last, along, gx, gy, gz)


@kernel
def _add_to_first(gradient, slot, along, gx, gy, gz):
    sums = sum_lanes_of_four(along, gx, gy, gz)
    gradient.along[slot] += sums[0]
    gradient.x[slot] += sums[1]
    gradient.y[slot] += sums[2]
    gradient.z[slot] += sums[3]


@kernel
def _vjp_through_moments(tables, group, env, moments, gradient, weights):
    for c in range(group.channel_first, group.channel_last):
        channel = tables.channels[c]
        fill_moments(env, moments, group, channel)
        moments.coefficients[:] = 0.0
        for t in range(channel.term_first, channel.term_last):
            for d in range(group.degree + 1):
                moments.coefficients[d] += weights[tables.terms[t].column] * tables.legendre[t, d]
        add_moment_gradients(env, moments, gradient, group, channel, moments.coefficients, 0)


@kernel
def _vjp_of_shell(tables, shell, env, chunk, moments, gradient, at, weights):
    for q in range(shell.radial_first, shell.radial_last):
        radial = tables.radials[q]
        _add_radial(env, gradient, radial.slot, radial.element, weights[radial.column])
    for g in range(shell.group_first, shell.group_last):
        group = tables.groups[g]
        if through_moments(env, group, tables, True):
            _vjp_through_moments(tables, group, env, moments, gradient, weights)
            continue
        at[:] = 0
        while True:
            blocks, lanes = next_triplets(env, chunk, shell, tables, group, at, True)
            if blocks == 0:
                break
            fresh = True
            for c in range(group.channel_first, group.channel_last):
                channel = tables.channels[c]
                for t in range(channel.term_first, channel.term_last):
                    term = tables.terms[t]
                    index, weight = c - group.channel_first, weights[term.column]
                    _add_term(gradient, chunk, channel, term, index, weight, lanes, fresh)
                    fresh = False
            _resolve(gradient, chunk, group, lanes)
            _spread(env, gradient, chunk, blocks, 0)


@kernel
def _scatter(env, gradient, lanes, out):
    for k in range(lanes):
        p = env.pair[k]
        if p >= 0:
            out[p, 0] += gradient.along[k] * env.x[k] + gradient.x[k]
            out[p, 1] += gradient.along[k] * env.y[k] + gradient.y[k]
            out[p, 2] += gradient.along[k] * env.z[k] + gradient.z[k]


@njit
def vjp_range(tables, neighbors, centers, begin, end, weights, out):
    """Add sum_s weights[row, s] dG_s/dr_p of centers[begin:end] to out (p, 3)."""
    env, chunk, moments = make_environment(tables, neighbors), make_triplets(tables), make_moments()
    gradient = make_gradient(len(env.x), 1)
    at = np.zeros(2, np.int64)
    for row in range(begin, end):
        element = neighbors.species[centers[row]]
        for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
            shell = tables.shells[s]
            lanes = prepare(env, shell, tables, neighbors, centers[row], True)
            if lanes > 0:
                _clear(gradient, lanes, 1, len(env.x))
                _vjp_of_shell(tables, shell, env, chunk, moments, gradient, at, weights[row])
                _scatter(env, gradient, lanes, out)


@njit(parallel=True)
def vjp(tables, neighbors, centers, parts, weights, out):
    """`vjp_range` over all centres, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        begin, end = part * len(centers) // parts, (part + 1) * len(centers) // parts
        vjp_range(tables, neighbors, centers, begin, end, weights, out)


# --- the derivatives of every function ---


class Jacobian(NamedTuple):
    """dG_s/dr_p of all centres, one entry for each function s and pair p that it can see."""

    start: np.ndarray  # (centres + 1,) int64: entries of a centre
    column: np.ndarray  # (entries,) int32: function s
    atom: np.ndarray  # (entries,) int32: neighbour of the pair p
    data: np.ndarray  # (entries * 3,) float64


@kernel
def _visible(env, element):
    """Number of gathered neighbours that a function of this neighbour element sees."""
    return env.count.sum() if element == ALL else env.count[element]


@kernel
def _visible_to_group(env, group):
    seen = _visible(env, group.first_element)
    if group.second_element != group.first_element:
        seen += _visible(env, group.second_element)
    return seen


@kernel
def _group_terms(tables, group):
    first = tables.channels[group.channel_first].term_first
    return first, tables.channels[group.channel_last - 1].term_last


@njit
def count_range(tables, neighbors, centers, begin, end, entries):
    """Number of Jacobian entries of centers[begin:end]."""
    env = make_environment(tables, neighbors)
    for row in range(begin, end):
        element = neighbors.species[centers[row]]
        total = 0
        for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
            shell = tables.shells[s]
            gather(env, shell, neighbors, centers[row])
            for q in range(shell.radial_first, shell.radial_last):
                total += _visible(env, tables.radials[q].element)
            for g in range(shell.group_first, shell.group_last):
                first, last = _group_terms(tables, tables.groups[g])
                total += (last - first) * _visible_to_group(env, tables.groups[g])
        entries[row] = total


@njit(parallel=True)
def count(tables, neighbors, centers, parts, entries):
    """`count_range` over all centres, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        begin, end = part * len(centers) // parts, (part + 1) * len(centers) // parts
        count_range(tables, neighbors, centers, begin, end, entries)


@kernel
def _write(env, gradient, element, at, column, jacobian, entry):
    """Append the gradient of one function for the neighbours of one element; returns the next free entry."""
    first, lanes = segment(env, element)
    for k in range(first, first + lanes, LANES):
        along = load(gradient.along, at + k)
        gx = fma(along, load(env.x, k), load(gradient.x, at + k))
        gy = fma(along, load(env.y, k), load(gradient.y, at + k))
        gz = fma(along, load(env.z, k), load(gradient.z, at + k))
        if env.pair[k + LANES - 1] >= 0:  # padding is at the end: a whole vector of neighbours
            store_xyz(jacobian.data, 3 * entry, gx, gy, gz)
            for lane in range(LANES):
                jacobian.column[entry + lane] = column
                jacobian.atom[entry + lane] = env.atom[k + lane]
            entry += LANES
            continue
        store_xyz(gradient.rest, 0, gx, gy, gz)
        for lane in range(LANES):
            if env.pair[k + lane] >= 0:
                jacobian.column[entry] = column
                jacobian.atom[entry] = env.atom[k + lane]
                for c in range(3):
                    jacobian.data[3 * entry + c] = gradient.rest[3 * lane + c]
                entry += 1
    return entry


@kernel
def _jacobian_of_radials(tables, shell, env, gradient, jacobian, entry, lanes):
    for q in range(shell.radial_first, shell.radial_last):
        radial = tables.radials[q]
        _clear(gradient, lanes, 1, len(env.x))
        _add_radial(env, gradient, radial.slot, radial.element, 1.0)
        entry = _write(env, gradient, radial.element, 0, radial.column, jacobian, entry)
    return entry


@kernel
def _gradients_through_moments(tables, group, env, moments, gradient, out):
    first, _ = _group_terms(tables, group)
    for c in range(group.channel_first, group.channel_last):
        channel = tables.channels[c]
        own = fill_moments(env, moments, group, channel)
        for t in range(channel.term_first, channel.term_last):
            out[tables.terms[t].column] += term_value(moments, group, tables.legendre[t], own)
            add_moment_gradients(env, moments, gradient, group, channel, tables.legendre[t], (t - first) * len(env.x))


@kernel
def _gradients_of_group(tables, shell, group, env, chunk, moments, gradient, at, out):
    """Values of the functions of a group, and their gradients side by side in the scratch."""
    if through_moments(env, group, tables, True):
        _gradients_through_moments(tables, group, env, moments, gradient, out)
        return
    first, _ = _group_terms(tables, group)
    at[:] = 0
    while True:
        blocks, lanes = next_triplets(env, chunk, shell, tables, group, at, True)
        if blocks == 0:
            break
        for c in range(group.channel_first, group.channel_last):
            channel = tables.channels[c]
            for t in range(channel.term_first, channel.term_last):
                term = tables.terms[t]
                _add_term(gradient, chunk, channel, term, c - group.channel_first, 1.0, lanes, True)
                _resolve(gradient, chunk, group, lanes)
                _spread(env, gradient, chunk, blocks, (t - first) * len(env.x))
                out[term.column] += _sum_chunk(gradient, lanes)


@kernel
def _jacobian_of_group(tables, group, env, gradient, jacobian, entry):
    first, last = _group_terms(tables, group)
    for t in range(first, last):
        at, column = (t - first) * len(env.x), tables.terms[t].column
        entry = _write(env, gradient, group.first_element, at, column, jacobian, entry)
        if group.second_element != group.first_element:
            entry = _write(env, gradient, group.second_element, at, column, jacobian, entry)
    return entry


@kernel
def _sum_chunk(gradient, lanes):
    total = splat(0.0)
    for b in range(0, lanes, LANES):
        total = total + load(gradient.value, b)
    return sum_lanes(total)


@kernel
def most_terms(tables):
    """Largest number of functions in one group."""
    most = 1
    for group in tables.groups:
        first, last = _group_terms(tables, group)
        most = max(most, last - first)
    return most


@njit
def jacobian_range(tables, neighbors, centers, begin, end, jacobian, out):
    """Values into out (zero before) and derivatives into the entries of centers[begin:end]."""
    env, chunk, moments = make_environment(tables, neighbors), make_triplets(tables), make_moments()
    gradient = make_gradient(len(env.x), most_terms(tables))
    at = np.zeros(2, np.int64)
    for row in range(begin, end):
        element = neighbors.species[centers[row]]
        entry = jacobian.start[row]
        for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
            shell = tables.shells[s]
            lanes = prepare(env, shell, tables, neighbors, centers[row], True)
            if lanes == 0:
                continue
            sum_radials(tables, shell, env, out[row])
            entry = _jacobian_of_radials(tables, shell, env, gradient, jacobian, entry, lanes)
            for g in range(shell.group_first, shell.group_last):
                group = tables.groups[g]
                first, last = _group_terms(tables, group)
                _clear(gradient, lanes, last - first, len(env.x))
                _gradients_of_group(tables, shell, group, env, chunk, moments, gradient, at, out[row])
                entry = _jacobian_of_group(tables, group, env, gradient, jacobian, entry)


@njit(parallel=True)
def jacobian(tables, neighbors, centers, parts, target, out):
    """`jacobian_range` over all centres, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        begin, end = part * len(centers) // parts, (part + 1) * len(centers) // parts
        jacobian_range(tables, neighbors, centers, begin, end, target, out)

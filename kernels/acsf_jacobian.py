"""Derivatives dG_s/dr_p of every function s with respect to every pair p that it can see."""

from typing import NamedTuple

import numpy as np
from numba import prange

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.acsf import sum_radials
from fastsf.kernels.angular import angle_factor
from fastsf.kernels.environment import X, Y, Z, aligned, block_at, gather, lanes_of, make_environment, prepare
from fastsf.kernels.moments import add_moment_gradients, fill_moments, make_moments, term_value, through_moments
from fastsf.kernels.pair_gradients import clear, components, resolve, room, spread
from fastsf.kernels.simd import LANES, copy_ints, fill_ints, load, splat, store_xyz, sum_lanes
from fastsf.kernels.tables import ALL, group_terms
from fastsf.kernels.triplets import (
    ANGLE,
    COSINE,
    INVERSE_SINE,
    get_chunk,
    make_chunks,
    next_triplets,
    pack_slopes,
    product_at,
    rewind,
)
from fastsf.kernels.wide import add_wide_functions, make_wide


class Jacobian(NamedTuple):
    """dG_s/dr_p of all centres, one entry for each function s and pair p that it can see."""

    start: np.ndarray  # (centres + 1,) int64: entries of a centre
    column: np.ndarray  # (entries,) int32: function s
    atom: np.ndarray  # (entries,) int32: neighbour of the pair p
    data: np.ndarray  # (entries * 3,) float64


# --- how many entries there will be ---


@kernel
def _visible(env, element):
    """Number of gathered neighbours that a function of this neighbour element sees."""
    return env.count.sum() if element == ALL else env.count[element]


@kernel
def _entries_of_group(tables, group, env):
    seen = _visible(env, group.first_element)
    if group.second_element != group.first_element:
        seen += _visible(env, group.second_element)
    first, last = group_terms(tables, group)
    return (last - first) * seen


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
                total += _entries_of_group(tables, tables.groups[g], env)
            for g in range(shell.wide_first, shell.wide_last):
                total += _entries_of_group(tables, tables.wide[g], env)
        entries[row] = total


@njit(parallel=True)
def count(tables, neighbors, centers, parts, entries):
    """`count_range` over all centres, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        begin, end = part * len(centers) // parts, (part + 1) * len(centers) // parts
        count_range(tables, neighbors, centers, begin, end, entries)


# --- writing them ---


@kernel
def _put(env, k, lanes, gx, gy, gz, column, jacobian, entry, limit, rest):
    """Append the derivatives of one function for a block of neighbours; returns the next free entry.

    Whole vectors are written while there is room before `limit`, where the next centre's entries start: what stands
    behind the last neighbour is written over by what follows.
    """
    if entry + LANES <= limit:
        store_xyz(jacobian.data, 3 * entry, gx, gy, gz)
        fill_ints(jacobian.column, entry, column)
        copy_ints(env.atom, k, jacobian.atom, entry)
        return entry + lanes
    store_xyz(rest, 0, gx, gy, gz)
    for lane in range(lanes):
        jacobian.column[entry + lane] = column
        jacobian.atom[entry + lane] = env.atom[k + lane]
        for c in range(3):
            jacobian.data[3 * (entry + lane) + c] = rest[3 * lane + c]
    return entry + lanes


@kernel
def _elements(env, element):
    """(first, last + 1) of the neighbour elements that `element` stands for."""
    return (0, len(env.count)) if element == ALL else (element, element + 1)


@kernel
def _write(env, gradient, element, start, column, jacobian, entry, limit, rest):
    """Append the gradient that stands at `start`."""
    first, last = _elements(env, element)
    for e in range(first, last):
        end = env.first[e] + env.count[e]
        for k in range(env.first[e], end, LANES):
            gx, gy, gz = components(env, gradient, start, k)
            entry = _put(env, k, min(LANES, end - k), gx, gy, gz, column, jacobian, entry, limit, rest)
    return entry


@kernel
def _write_radial(env, radial, jacobian, entry, limit, rest):
    """Append the derivatives F'(r)/r r_p of a radial function."""
    first, last = _elements(env, radial.element)
    row, column = radial.slot * lanes_of(env), radial.column
    for e in range(first, last):
        end = env.first[e] + env.count[e]
        for k in range(env.first[e], end, LANES):
            there, slope = block_at(k), load(env.factor_slope, row + k)
            gx, gy = load(env.near, there + X) * slope, load(env.near, there + Y) * slope
            gz = load(env.near, there + Z) * slope
            entry = _put(env, k, min(LANES, end - k), gx, gy, gz, column, jacobian, entry, limit, rest)
    return entry


@kernel
def _write_group(tables, group, env, gradient, jacobian, entry, limit, rest):
    first, last = group_terms(tables, group)
    for t in range(first, last):
        start, column = (t - first) * room(env), tables.terms[t].column
        entry = _write(env, gradient, group.first_element, start, column, jacobian, entry, limit, rest)
        if group.second_element != group.first_element:
            entry = _write(env, gradient, group.second_element, start, column, jacobian, entry, limit, rest)
    return entry


# --- the gradients of the functions of a group, side by side ---


@kernel
def _through_moments(tables, group, env, moments, gradient, out):
    first, _ = group_terms(tables, group)
    for c in range(group.channel_first, group.channel_last):
        channel = tables.channels[c]
        own = fill_moments(env, moments, group, channel)
        for t in range(channel.term_first, channel.term_last):
            out[tables.terms[t].column] += term_value(moments, group, tables.legendre[t], own)
            add_moment_gradients(env, moments, gradient, group, channel, tables.legendre[t], (t - first) * room(env))


@kernel
def _resolve_term(array, scratch, group, channel, term, start, lanes):
    """Coefficients of the pair vectors in the gradient of one function, for a chunk; returns its value."""
    eta, shift = channel.eta_slope, channel.shift_slope
    total = splat(0.0)
    for b in range(0, lanes, LANES):
        theta, inverse_sine = load(scratch, ANGLE + b), load(scratch, INVERSE_SINE + b)
        a, slope = angle_factor(term, load(array, COSINE + b), theta, inverse_sine)
        product = load(array, start + b)
        value = a * product
        total = total + value
        resolve(array, scratch, b, group, value, value * eta, value * shift, slope * product)
    return sum_lanes(total)


@kernel
def _fill_group(tables, shell, group, env, chunks, gradient, at, out):
    chunk, section = get_chunk(chunks, 0), tables.sections[shell.section_first]
    rewind(at)
    first, _ = group_terms(tables, group)
    while True:
        blocks, lanes = next_triplets(env, chunk, section, tables.channels, group, at, True)
        if blocks == 0:
            break
        pack_slopes(env, chunk, blocks)
        for c in range(group.channel_first, group.channel_last):
            channel, start = tables.channels[c], product_at(c - group.channel_first)
            for t in range(channel.term_first, channel.term_last):
                term = tables.terms[t]
                out[term.column] += _resolve_term(chunk.lanes, chunk.scratch, group, channel, term, start, lanes)
                spread(env, gradient, (t - first) * room(env), chunk, blocks)


@kernel
def _fill_wide_group(tables, group, env, moments, wide, gradient, out):
    if through_moments(env, group, tables, True):
        _through_moments(tables, group, env, moments, gradient, out)
    else:
        add_wide_functions(env, tables, group, wide, gradient, out)


@kernel
def _clear_group(tables, group, env, gradient, lanes):
    first, last = group_terms(tables, group)
    for t in range(last - first):
        clear(gradient, t * room(env), lanes)


@kernel
def _most_terms(tables):
    """Largest number of functions in one group."""
    most = 1
    for group in tables.groups:
        first, last = group_terms(tables, group)
        most = max(most, last - first)
    for wide in tables.wide:
        first, last = group_terms(tables, wide)
        most = max(most, last - first)
    return most


@njit
def jacobian_range(tables, neighbors, centers, begin, end, jacobian, out):
    """Values into out (zero before) and derivatives into the entries of centers[begin:end]."""
    env, chunks, moments = make_environment(tables, neighbors), make_chunks(tables, 1), make_moments()
    gradient, rest = aligned(room(env) * _most_terms(tables)), aligned(3 * LANES)
    at, wide = np.zeros(2, np.int64), make_wide(tables, lanes_of(env))
    for row in range(begin, end):
        element = neighbors.species[centers[row]]
        entry, limit = jacobian.start[row], jacobian.start[row + 1]
        for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
            shell = tables.shells[s]
            lanes = prepare(env, shell, tables, neighbors, centers[row], True)
            if lanes == 0:
                continue
            sum_radials(tables, shell, env, out[row])
            for q in range(shell.radial_first, shell.radial_last):
                entry = _write_radial(env, tables.radials[q], jacobian, entry, limit, rest)
            for g in range(shell.group_first, shell.group_last):
                group = tables.groups[g]
                _clear_group(tables, group, env, gradient, lanes)
                _fill_group(tables, shell, group, env, chunks, gradient, at, out[row])
                entry = _write_group(tables, group, env, gradient, jacobian, entry, limit, rest)
            for g in range(shell.wide_first, shell.wide_last):
                wide_group = tables.wide[g]
                _clear_group(tables, wide_group, env, gradient, lanes)
                _fill_wide_group(tables, wide_group, env, moments, wide, gradient, out[row])
                entry = _write_group(tables, wide_group, env, gradient, jacobian, entry, limit, rest)


@njit(parallel=True)
def jacobian(tables, neighbors, centers, parts, target, out):
    """`jacobian_range` over all centres, in `parts` blocks shared among the threads."""
    for part in prange(parts):
        begin, end = part * len(centers) // parts, (part + 1) * len(centers) // parts
        jacobian_range(tables, neighbors, centers, begin, end, target, out)

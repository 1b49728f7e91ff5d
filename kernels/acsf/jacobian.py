"""Derivatives dG_s/dr_p of every function s with respect to every pair p that it can see."""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.acsf.center_gradients import clear, gradient_size
from fastsf.kernels.acsf.center_sums import components
from fastsf.kernels.acsf.environment import (
    X,
    Y,
    Z,
    aligned,
    count_inside,
    lanes_of,
    make_environment,
    near_block,
    prepare,
)
from fastsf.kernels.acsf.function_lanes import (
    add_chunk,
    add_totals,
    batches_of,
    gradient_components,
    list_triplets,
    make_functions,
    start_group,
)
from fastsf.kernels.acsf.moments import add_moment_gradients, fill_moments, make_moments, term_value, through_moments
from fastsf.kernels.acsf.tables import ALL, group_terms
from fastsf.kernels.acsf.triplets import get_chunk, make_chunks, next_triplets, rewind
from fastsf.kernels.acsf.values import sum_radials
from fastsf.kernels.acsf.wide import add_wide_functions, make_wide
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, load
from fastsf.kernels.vector.simd_double import copy_ints, fill_ints, prefetch_for_writing, store_xyz

_AHEAD = 24
"""Entries between prefetching and writing: memory that is asked for so early costs far less time."""


class Jacobian(NamedTuple):
    """dG_s/dr_p of all centres, one entry for each function s and pair p that it can see."""

    start: np.ndarray  # (centres + 1,) int64: entries of a centre
    column: np.ndarray  # (entries,) int32: function s
    atom: np.ndarray  # (entries,) int32: neighbour of the pair p
    data: np.ndarray  # (entries * 3,) float64


# --- number of entries ---


@kernel
def _visible(env, element):
    """Return the number of counted neighbours that a function of this neighbour element sees."""
    return env.count.sum() if element == ALL else env.count[element]


@kernel
def _entries_of_group(tables, group, env):
    seen = _visible(env, group.first_element)
    if group.second_element != group.first_element:
        seen += _visible(env, group.second_element)
    first, last = group_terms(tables, group)
    return (last - first) * seen


@njit
def count_range(tables, neighbors, centers, begin, end, workers, entries):
    """Count the Jacobian entries of centers[begin:end] into `entries`."""
    if workers != ALONE:
        share_out(workers, (tables, neighbors, centers), begin, end, (entries,))
        return
    env = make_environment(tables, neighbors)
    for row in range(begin, end):
        element = neighbors.species[centers[row]]
        total = 0
        for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
            shell = tables.shells[s]
            count_inside(env, shell, neighbors, centers[row])
            for q in range(shell.radial_first, shell.radial_last):
                total += _visible(env, tables.radials[q].element)
            for g in range(shell.group_first, shell.group_last):
                total += _entries_of_group(tables, tables.groups[g], env)
            for g in range(shell.wide_first, shell.wide_last):
                total += _entries_of_group(tables, tables.wide[g], env)
        entries[row] = total


# --- writing them ---


@kernel
def _put(jacobian, entry, count, limit, columns, column_offset, atoms, atom_offset, gx, gy, gz, rest):
    """Append up to eight entries, with columns and atoms from two arrays; return the index of the next one.

    Whole vectors are written up to `limit`, where the entries of the next centre start: lanes after
    the last entry are overwritten by the entries that follow.
    """
    ahead = entry + _AHEAD
    for line in range(3):
        prefetch_for_writing(jacobian.data, 3 * ahead + line * LANES)
    prefetch_for_writing(jacobian.column, ahead)
    prefetch_for_writing(jacobian.atom, ahead)
    if entry + LANES <= limit:
        store_xyz(jacobian.data, 3 * entry, gx, gy, gz)
        copy_ints(columns, column_offset, jacobian.column, entry)
        copy_ints(atoms, atom_offset, jacobian.atom, entry)
        return entry + count
    store_xyz(rest, 0, gx, gy, gz)
    for lane in range(count):
        jacobian.column[entry + lane] = columns[column_offset + lane]
        jacobian.atom[entry + lane] = atoms[atom_offset + lane]
        for c in range(3):
            jacobian.data[3 * (entry + lane) + c] = rest[3 * lane + c]
    return entry + count


@kernel
def _elements(env, element):
    """Return (first, last + 1) of the neighbour elements that `element` means."""
    return (0, len(env.count)) if element == ALL else (element, element + 1)


@kernel
def _write(env, gradient, element, start, jacobian, entry, limit, constant, rest):
    """Append the gradient that begins at `start`."""
    first, last = _elements(env, element)
    for e in range(first, last):
        end = env.first[e] + env.count[e]
        for k in range(env.first[e], end, LANES):
            gx, gy, gz = components(env, gradient, start, k)
            count = min(LANES, end - k)
            entry = _put(jacobian, entry, count, limit, constant, 0, env.atom, k, gx, gy, gz, rest)
    return entry


@kernel
def _write_radial(env, radial, jacobian, entry, limit, constant, rest):
    """Append the derivatives F'(r)/r r_p of a radial function."""
    first, last = _elements(env, radial.element)
    row = radial.slot * lanes_of(env)
    fill_ints(constant, 0, radial.column)
    for e in range(first, last):
        end = env.first[e] + env.count[e]
        for k in range(env.first[e], end, LANES):
            k_base, slope, count = near_block(k), load(env.factor_slope, row + k), min(LANES, end - k)
            gx, gy = load(env.near, k_base + X) * slope, load(env.near, k_base + Y) * slope
            gz = load(env.near, k_base + Z) * slope
            entry = _put(jacobian, entry, count, limit, constant, 0, env.atom, k, gx, gy, gz, rest)
    return entry


@kernel
def _write_wide_group(tables, group, env, gradient, jacobian, entry, limit, constant, rest):
    first, last = group_terms(tables, group)
    for t in range(first, last):
        start = (t - first) * gradient_size(env)
        fill_ints(constant, 0, tables.terms[t].column)
        entry = _write(env, gradient, group.first_element, start, jacobian, entry, limit, constant, rest)
        if group.second_element != group.first_element:
            entry = _write(env, gradient, group.second_element, start, jacobian, entry, limit, constant, rest)
    return entry


@kernel
def _write_functions(env, functions, terms, element, jacobian, entry, limit, constant, rest):
    """Append the derivatives of narrow functions, neighbour by neighbour."""
    first, last = _elements(env, element)
    for e in range(first, last):
        for k in range(env.first[e], env.first[e] + env.count[e]):
            fill_ints(constant, 0, env.atom[k])
            for batch in range(batches_of(terms)):
                gx, gy, gz = gradient_components(env, batch, functions, k)
                first_lane = batch * LANES
                count = min(LANES, terms - first_lane)
                entry = _put(jacobian, entry, count, limit, functions.column, first_lane, constant, 0, gx, gy, gz, rest)
    return entry


@kernel
def _write_group(tables, group, env, functions, jacobian, entry, limit, constant, rest):
    first, last = group_terms(tables, group)
    terms = last - first
    entry = _write_functions(env, functions, terms, group.first_element, jacobian, entry, limit, constant, rest)
    if group.second_element != group.first_element:
        entry = _write_functions(env, functions, terms, group.second_element, jacobian, entry, limit, constant, rest)
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
            start = (t - first) * gradient_size(env)
            add_moment_gradients(env, moments, gradient, group, channel, tables.legendre[t], start)


@kernel
def _fill_group(tables, shell, group, env, chunks, functions, cursor, out):
    chunk, section = get_chunk(chunks, 0), tables.sections[shell.section_first]
    start_group(tables, group, env, functions)
    rewind(cursor)
    while True:
        blocks, lanes = next_triplets(env, chunk, section, tables.channels, group, cursor, True)
        if blocks == 0:
            break
        add_chunk(tables, group, env, chunk, functions, lanes, list_triplets(chunk, functions, blocks))
    add_totals(tables, group, functions, out)


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
        clear(gradient, t * gradient_size(env), lanes)


@kernel
def _most_terms(tables):
    """Return the largest number of functions in one wide group."""
    most = 1
    for wide in tables.wide:
        first, last = group_terms(tables, wide)
        most = max(most, last - first)
    return most


@njit
def jacobian_range(tables, neighbors, centers, begin, end, workers, jacobian, out):
    """Write values of centers[begin:end] into out (zero before), and derivatives into their entries."""
    if workers != ALONE:
        share_out(workers, (tables, neighbors, centers), begin, end, (jacobian, out))
        return
    env, chunks, moments = make_environment(tables, neighbors), make_chunks(tables, 1), make_moments()
    functions, gradient = make_functions(tables, lanes_of(env)), aligned(gradient_size(env) * _most_terms(tables))
    constant, rest = np.empty(LANES, np.int32), aligned(3 * LANES)
    cursor, wide = np.zeros(2, np.int64), make_wide(tables, lanes_of(env))
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
                entry = _write_radial(env, tables.radials[q], jacobian, entry, limit, constant, rest)
            for g in range(shell.group_first, shell.group_last):
                group = tables.groups[g]
                _fill_group(tables, shell, group, env, chunks, functions, cursor, out[row])
                entry = _write_group(tables, group, env, functions, jacobian, entry, limit, constant, rest)
            for g in range(shell.wide_first, shell.wide_last):
                wide_group = tables.wide[g]
                _clear_group(tables, wide_group, env, gradient, lanes)
                _fill_wide_group(tables, wide_group, env, moments, wide, gradient, out[row])
                entry = _write_wide_group(tables, wide_group, env, gradient, jacobian, entry, limit, constant, rest)

"""Derivatives of every pair-centred function with respect to all atoms that it sees.

The derivatives of a row are those of its other atoms; that with respect to the atom that owns the pair is minus their
sum. Sums over neighbours come with derivatives of their own (`acsf.jacobian`), which are multiplied and copied.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, kernel, njit
from fastsf.kernels.acsf.center_gradients import ALONG, GX, gradient_lane, gradient_size, spread
from fastsf.kernels.acsf.environment import (
    R_INVERSE,
    X,
    aligned,
    coordinate,
    environment_of,
    near_lane,
    padded_size,
    prepare,
)
from fastsf.kernels.acsf.tables import group_terms
from fastsf.kernels.acsf.triplets import block_mask, block_second, get_chunk, make_chunks, pack_slopes, product_offset
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, load_one, store_one
from fastsf.kernels.vector.simd_double import count_bits, list_lanes

from .distances import distance_values, last_of_kind, make_rows_environment, prepare_rows
from .tables import NO_FACTOR, NO_SLOT, sum_column
from .triangles import collect_triangles, next_triangles, owned_row, resolve_function


class SumJacobian(NamedTuple):
    """Derivatives of the sums over neighbours (n, t) of all atoms."""

    begin: np.ndarray  # (n, t) int64: first entry
    end: np.ndarray  # (n, t) int64: one after the last
    atom: np.ndarray  # (entries,) int32
    data: np.ndarray  # (entries, 3) float64


class PCSFJacobian(NamedTuple):
    """Derivatives of the rows, one entry for each function and atom that it sees."""

    next: np.ndarray  # (m,) int64: index of the next entry of a row
    column: np.ndarray  # (entries,) int32
    atom: np.ndarray  # (entries,) int32
    data: np.ndarray  # (entries, 3) float64


class Triangles(NamedTuple):
    """Scratch: gradients of the functions of a group for one pair, zero between pairs, and its third atoms."""

    gradient: np.ndarray  # (functions * gradient_size,) float64
    third: np.ndarray  # (lanes,) int64


@njit
def find_columns(start, column, begin, end):
    """Write the first entry of each column (contiguous in a row), and one after the last, into (n, t); zero before."""
    for i in range(len(start) - 1):
        for entry in range(start[i], start[i + 1]):
            c = column[entry]
            if end[i, c] == 0:
                begin[i, c] = entry
            end[i, c] = entry + 1


# --- number of entries ---


@kernel
def _entries_of_sums(tables, neighbors, rows, row, center, sums):
    """Return the number of entries of the functions of a row except those of triangles."""
    kind, j, total = rows.kind[row], neighbors.neighbor[rows.pair[row]], 0
    own, other = neighbors.species[center], neighbors.species[j]
    for t in range(tables.term_first[kind], tables.term_first[kind + 1]):
        total += 1
        if tables.terms[t].slot != NO_SLOT:
            slot = tables.slots[tables.slot_first[kind] + tables.terms[t].slot]
            c, d = sum_column(slot, own, other), sum_column(slot, other, own)
            total += sums.end[center, c] - sums.begin[center, c] + sums.end[j, d] - sums.begin[j, d]
    return total


@kernel
def _count_group(tables, rows, env, section, chunks, group, entries):
    chunk = get_chunk(chunks, 0)
    first, last = group_terms(tables, group)
    begin = env.first[group.first_element]
    for j in range(begin, begin + env.count[group.first_element]):
        row, k, found = owned_row(env, rows, j), env.first[group.second_element], 0
        while row >= 0 and k >= 0:
            blocks, _, k = collect_triangles(env, chunk, section, group, j, k)
            for b in range(blocks):
                found += count_bits(block_mask(load_one(chunk.blocks, b)))
        if found > 0:
            entries[row] += (found + 1) * (last - first)


@njit
def pcsf_count_range(functions, neighbors, rows, sums, begin, end, workers, entries):
    """Count the entries (m,) of the rows that the atoms begin ... end - 1 own; zero before."""
    if workers != ALONE:
        share_out(workers, (functions, neighbors, rows, sums), begin, end, (entries,))
        return
    tables, _, triangles = functions
    env = environment_of(triangles, padded_size(neighbors.start, len(triangles.weights)))
    chunks = make_chunks(triangles, 1)
    for i in range(begin, end):
        for row in range(rows.first[i], rows.first[i + 1]):
            entries[row] += _entries_of_sums(tables, neighbors, rows, row, i, sums)
        element = neighbors.species[i]
        for s in range(triangles.shell_first[element], triangles.shell_first[element + 1]):
            shell = triangles.shells[s]
            if rows.first[i] < rows.first[i + 1] and prepare(env, shell, triangles, neighbors, i, False) > 0:
                section = triangles.sections[shell.section_first]
                for g in range(shell.group_first, shell.group_last):
                    _count_group(triangles, rows, env, section, chunks, triangles.groups[g], entries)


# --- writing them ---


@kernel
def _copy_scaled(sums, center, column, factor, jacobian, entry, term):
    """Append the derivatives of a sum over neighbours, times a factor; return the index of the next one."""
    for source in range(sums.begin[center, column], sums.end[center, column]):
        jacobian.column[entry], jacobian.atom[entry] = term.column, sums.atom[source]
        for x in range(3):
            jacobian.data[entry, x] = factor * sums.data[source, x]
        entry += 1
    return entry


@kernel
def _write_sums(env, brackets, tables, neighbors, rows, sums, center, row, k, jacobian):
    """Append the entries of the functions of a row except those of triangles; it is the k-th of those in `env`."""
    p, kind, size, entry = rows.pair[row], rows.kind[row], len(env.pair), jacobian.next[row]
    j = neighbors.neighbor[p]
    own, other = neighbors.species[center], neighbors.species[j]
    for t in range(tables.term_first[kind], tables.term_first[kind + 1]):
        term, pair_entry = tables.terms[t], entry
        base = term.factor * size + k
        along = coordinate(env, k, R_INVERSE) if term.factor == NO_FACTOR else load_one(env.factor_slope, base)
        entry += 1
        of_partner = entry
        if term.slot != NO_SLOT:
            slot, factor = tables.slots[tables.slot_first[kind] + term.slot], load_one(env.factor, base)
            along *= brackets[term.slot * size + k]
            along -= factor * slot.partners * load_one(env.factor_slope, slot.factor * size + k)
            entry = _copy_scaled(sums, center, sum_column(slot, own, other), factor, jacobian, entry, term)
            of_partner = entry
            entry = _copy_scaled(sums, j, sum_column(slot, other, own), factor, jacobian, entry, term)
        jacobian.column[pair_entry], jacobian.atom[pair_entry] = term.column, j
        for x in range(3):
            total = along * neighbors.vector[p, x]
            for source in range(of_partner, entry):
                total -= jacobian.data[source, x]
            jacobian.data[pair_entry, x] = total
    jacobian.next[row] = entry


@kernel
def _most_functions(tables):
    most = 1
    for group in tables.groups:
        first, last = group_terms(tables, group)
        most = max(most, last - first)
    return most


@allocator
def _make_triangles(tables, env):
    gradient = aligned(_most_functions(tables) * gradient_size(env))
    gradient[:] = 0.0
    return Triangles(gradient, np.empty(len(env.pair) + LANES, np.int64))


@kernel
def _take(env, gradient, start, k, jacobian, entry, column):
    """Append the gradient of neighbour k in the gradient at `start`, and set it to zero."""
    base, k_base = start + gradient_lane(k), near_lane(k)
    along = load_one(gradient, base + ALONG)
    store_one(gradient, base + ALONG, 0.0)
    jacobian.column[entry], jacobian.atom[entry] = column, env.atom[k]
    for x in range(3):
        own = load_one(gradient, base + GX + x * LANES)
        store_one(gradient, base + GX + x * LANES, 0.0)
        jacobian.data[entry, x] = own + along * load_one(env.near, k_base + X + x * LANES)


@kernel
def _add_functions(tables, group, env, chunk, blocks, lanes, gradient, out):
    """Add the triangles of a chunk to the functions of a group and their gradients."""
    area = 0
    for c in range(group.channel_first, group.channel_last):
        channel, start = tables.channels[c], product_offset(c - group.channel_first)
        for t in range(channel.term_first, channel.term_last):
            term = tables.terms[t]
            out[term.column] += resolve_function(channel, term, start, group, chunk, lanes)
            spread(env, gradient, area, chunk, blocks)
            area += gradient_size(env)


@kernel
def _list_third(chunk, blocks, third, found):
    """List the third atoms of a chunk; return their number so far."""
    for b in range(blocks):
        block = load_one(chunk.blocks, b)
        list_lanes(third, found, block_second(block), block_mask(block))
        found += count_bits(block_mask(block))
    return found


@kernel
def _write_group(tables, rows, env, section, chunks, group, triangles, jacobian, out):
    chunk = get_chunk(chunks, 0)
    first, last = group_terms(tables, group)
    begin = env.first[group.first_element]
    for j in range(begin, begin + env.count[group.first_element]):
        row, k, found = owned_row(env, rows, j), env.first[group.second_element], 0
        while row >= 0 and k >= 0:
            blocks, lanes, k = next_triangles(env, chunk, section, tables.channels, group, j, k)
            if blocks > 0:
                pack_slopes(env, chunk, blocks)
                found = _list_third(chunk, blocks, triangles.third, found)
                _add_functions(tables, group, env, chunk, blocks, lanes, triangles.gradient, out[row])
        if found > 0:
            for t in range(first, last):
                start, column, entry = (t - first) * gradient_size(env), tables.terms[t].column, jacobian.next[row]
                _take(env, triangles.gradient, start, j, jacobian, entry, column)
                for n in range(found):
                    _take(env, triangles.gradient, start, triangles.third[n], jacobian, entry + 1 + n, column)
                jacobian.next[row] = entry + 1 + found


@njit
def pcsf_jacobian_range(functions, neighbors, rows, values, sums, begin, end, workers, jacobian, out):
    """Write values and derivatives of the pairs that the atoms begin ... end - 1 own.

    Parameters
    ----------
    functions, neighbors, rows, values
        As for `pcsf_values_range`, which calls the last one `sums`.
    sums : SumJacobian
        Derivatives of these sums.
    jacobian : PCSFJacobian
    out : (m, s) float64
        Values; zero before.
    """
    if workers != ALONE:
        share_out(workers, (functions, neighbors, rows, values, sums), begin, end, (jacobian, out))
        return
    tables, distances, triangles = functions
    own, brackets = make_rows_environment(tables, distances, rows)
    env = environment_of(triangles, padded_size(neighbors.start, len(triangles.weights)))
    chunks, scratch = make_chunks(triangles, 1), _make_triangles(triangles, env)
    for i in range(begin, end):
        row, last = rows.first[i], rows.first[i + 1]
        element = neighbors.species[i]
        while row < last:
            stop = last_of_kind(rows, row, last)
            prepare_rows(own, brackets, tables, distances, neighbors, rows, i, values, row, stop, True)
            distance_values(own, brackets, tables, rows, row, stop, out)
            for k in range(stop - row):
                _write_sums(own, brackets, tables, neighbors, rows, sums, i, row + k, k, jacobian)
            row = stop
        for s in range(triangles.shell_first[element], triangles.shell_first[element + 1]):
            shell = triangles.shells[s]
            if rows.first[i] < last and prepare(env, shell, triangles, neighbors, i, True) > 0:
                section = triangles.sections[shell.section_first]
                for g in range(shell.group_first, shell.group_last):
                    group = triangles.groups[g]
                    _write_group(triangles, rows, env, section, chunks, group, scratch, jacobian, out)

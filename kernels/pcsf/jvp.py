"""Change of pair-centred symmetry functions along given changes of the pair vectors (forward mode)."""

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.acsf.environment import R_INVERSE, coordinate, environment_of, lanes_of, padded_size, prepare
from fastsf.kernels.acsf.jvp import (
    ALONG_FIRST,
    ALONG_SECOND,
    CROSS,
    TURN,
    change_of_function,
    clear_changes,
    gather_tangent,
    make_tangent,
    pack_changes,
    resolve_changes,
)
from fastsf.kernels.acsf.triplets import (
    COSINE,
    DISTANCE_INVERSE,
    INVERSE_FIRST,
    INVERSE_SECOND,
    get_chunk,
    make_chunks,
    pack_slopes,
    product_offset,
)
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, load, load_one, store

from .distances import last_of_kind, make_rows_environment, prepare_rows
from .tables import AT_OWNER, AT_THIRD, NO_FACTOR, NO_SLOT, sum_column
from .triangles import next_triangles, owned_row


@kernel
def _change_rows(env, brackets, tables, neighbors, rows, center, row, k, changes, vectors, out):
    """Write the change of the functions of a row except those of triangles; it is the k-th of those in `env`."""
    p, kind, size = rows.pair[row], rows.kind[row], lanes_of(env)
    j = neighbors.neighbor[p]
    own, other = neighbors.species[center], neighbors.species[j]
    along = 0.0
    for x in range(3):
        along += neighbors.vector[p, x] * vectors[p, x]
    for t in range(tables.term_first[kind], tables.term_first[kind + 1]):
        term = tables.terms[t]
        base = term.factor * size + k
        slope = coordinate(env, k, R_INVERSE) if term.factor == NO_FACTOR else load_one(env.factor_slope, base)
        change = slope * along
        if term.slot != NO_SLOT:
            slot = tables.slots[tables.slot_first[kind] + term.slot]
            around = changes[center, sum_column(slot, own, other)] + changes[j, sum_column(slot, other, own)]
            around -= slot.partners * load_one(env.factor_slope, slot.factor * size + k) * along
            change = change * brackets[term.slot * size + k] + load_one(env.factor, base) * around
        out[row, term.column] = change


@kernel
def _turn_elsewhere(array, chunk, apex, lanes):
    """Replace changes of the cosine at the centre by those at k or at j (see `triangles`)."""
    triplets, scratch = chunk.lanes, chunk.scratch
    for b in range(0, lanes, LANES):
        along_j, along_k, cross = load(array, ALONG_FIRST + b), load(array, ALONG_SECOND + b), load(array, CROSS + b)
        inverse, along = load(scratch, INVERSE_FIRST + b), along_j
        if apex == AT_THIRD:
            inverse, along = load(scratch, INVERSE_SECOND + b), along_k
        far_inverse = load(scratch, DISTANCE_INVERSE + b)
        straight = (along + along - cross) * (inverse * far_inverse)
        turn = along * (inverse * inverse) + (along_j + along_k - cross) * (far_inverse * far_inverse)
        store(array, TURN + b, straight - load(triplets, COSINE + b) * turn)


@kernel
def _change_group(tables, rows, env, section, chunks, group, tangent, out):
    chunk = get_chunk(chunks, 0)
    first = env.first[group.first_element]
    for j in range(first, first + env.count[group.first_element]):
        row, k = owned_row(env, rows, j), env.first[group.second_element]
        while row >= 0 and k >= 0:
            blocks, lanes, k = next_triangles(env, chunk, section, tables.channels, group, j, k)
            if blocks > 0:
                pack_slopes(env, chunk, blocks)
                clear_changes(tangent.lanes, lanes)
                pack_changes(env, tangent, chunk, blocks)
                resolve_changes(tangent.lanes, chunk, group, lanes)
                if group.apex != AT_OWNER:
                    _turn_elsewhere(tangent.lanes, chunk, group.apex, lanes)
                _sum_changes(tables, group, chunk, tangent, lanes, out[row])


@kernel
def _sum_changes(tables, group, chunk, tangent, lanes, out):
    for c in range(group.channel_first, group.channel_last):
        channel, start = tables.channels[c], product_offset(c - group.channel_first)
        for t in range(channel.term_first, channel.term_last):
            term = tables.terms[t]
            out[term.column] += change_of_function(
                tangent.lanes, chunk.lanes, chunk.scratch, channel, term, start, lanes
            )


@njit
def pcsf_jvp_range(functions, neighbors, rows, sums, changes, vectors, begin, end, workers, out):
    """Write the change of the rows that the atoms begin ... end - 1 own.

    Parameters
    ----------
    functions, neighbors, rows, sums
        As for `pcsf_values_range`.
    changes : (n, t) float64
        Changes of the sums.
    vectors : (p, 3) float64
        Changes of the pair vectors.
    out : (m, s) float64
        Zero before.
    """
    if workers != ALONE:
        share_out(workers, (functions, neighbors, rows, sums, changes, vectors), begin, end, (out,))
        return
    tables, distances, triangles = functions
    own, brackets = make_rows_environment(tables, distances, rows)
    env = environment_of(triangles, padded_size(neighbors.start, len(triangles.weights)))
    chunks, tangent = make_chunks(triangles, 1), make_tangent(lanes_of(env))
    for i in range(begin, end):
        row, last = rows.first[i], rows.first[i + 1]
        while row < last:
            stop = last_of_kind(rows, row, last)
            prepare_rows(own, brackets, tables, distances, neighbors, rows, i, sums, row, stop, True)
            for k in range(stop - row):
                _change_rows(own, brackets, tables, neighbors, rows, i, row + k, k, changes, vectors, out)
            row = stop
        element = neighbors.species[i]
        for s in range(triangles.shell_first[element], triangles.shell_first[element + 1]):
            shell = triangles.shells[s]
            lanes = prepare(env, shell, triangles, neighbors, i, True) if rows.first[i] < last else 0
            if lanes > 0:
                gather_tangent(env, tangent, vectors, lanes)
                section = triangles.sections[shell.section_first]
                for g in range(shell.group_first, shell.group_last):
                    _change_group(triangles, rows, env, section, chunks, triangles.groups[g], tangent, out)

"""Gradient of a scalar of pair-centred symmetry functions with respect to the pair vectors (reverse mode).

What a pair gives to the vectors of its owner is added here; what it gives to the sums over neighbours of both
atoms is handed on: `rows.collect_range` adds that up, and `acsf.vjp` continues from the sums to the vectors.
"""

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.acsf.center_gradients import clear, gradient_size, spread
from fastsf.kernels.acsf.center_sums import make_rest, scatter
from fastsf.kernels.acsf.environment import aligned, environment_of, padded_size, prepare
from fastsf.kernels.acsf.tables import GRADIENT, VIRIAL
from fastsf.kernels.acsf.triplets import get_chunk, make_chunks, pack_slopes
from fastsf.kernels.acsf.vjp import fill_polynomials, make_polynomials
from fastsf.kernels.sharing import ALONE, share_out

from .distances import distance_gradient, last_of_kind, make_rows_environment, prepare_rows
from .triangles import next_triangles, owned_row, resolve_triangles


@kernel
def _add_group(tables, rows, env, section, chunks, group, weights, polynomials, gradient):
    """Add the gradient of a group of triangle functions for all pairs of a centre."""
    chunk = get_chunk(chunks, 0)
    first = env.first[group.first_element]
    for j in range(first, first + env.count[group.first_element]):
        row, k = owned_row(env, rows, j), env.first[group.second_element]
        if row >= 0:
            fill_polynomials(tables, group, weights[row], polynomials)
        while row >= 0 and k >= 0:
            blocks, lanes, k = next_triangles(env, chunk, section, tables.channels, group, j, k)
            if blocks > 0:
                pack_slopes(env, chunk, blocks)
                resolve_triangles(tables.channels, tables.terms, group, chunk, polynomials, weights[row], lanes)
                spread(env, gradient, 0, chunk, blocks)


@kernel
def _add_triangles(tables, neighbors, rows, center, env, chunks, weights, polynomials, gradient, rest, out, sums):
    element = neighbors.species[center]
    for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
        shell = tables.shells[s]
        lanes = prepare(env, shell, tables, neighbors, center, True)
        if lanes > 0:
            clear(gradient, 0, lanes)
            section = tables.sections[shell.section_first]
            for g in range(shell.group_first, shell.group_last):
                _add_group(tables, rows, env, section, chunks, tables.groups[g], weights, polynomials, gradient)
            scatter(env, gradient, 0, lanes, rest, out, sums)


@kernel
def _add_along(vector, p, along, out, sums):
    """Add the gradient along * r_p of one pair, as `scatter` does."""
    for a in range(3):
        g = along * vector[p, a]
        out[p, a] += g
        sums[GRADIENT + a] += g
        for b in range(3):
            sums[VIRIAL + 3 * b + a] += vector[p, b] * g


@njit
def pcsf_vjp_range(functions, neighbors, rows, sums, weights, along, begin, end, workers, push, out, center_sums):
    """Add the gradient of sum_rows (weights . G + something of the distance) to that of the pair vectors.

    Parameters
    ----------
    functions, neighbors, rows, sums
        As for `pcsf_values_range`.
    weights : (m, s) float64
        Derivatives of the scalar with respect to the functions.
    along : (m,) float64
        Its derivative with respect to the distance beside that, divided by the distance.
    push : (m, slots) float64
        Derivatives with respect to the sums over neighbours of both atoms.
    out : (p, 3) float64
        Gradient, added to.
    center_sums : (n, SUMS) float64
        sum_p g_p and sum_p r_p (x) g_p of each atom, added to.
    """
    if workers != ALONE:
        given = functions, neighbors, rows, sums, weights, along
        share_out(workers, given, begin, end, (push, out, center_sums))
        return
    tables, distances, triangles = functions
    own, brackets = make_rows_environment(tables, distances, rows)
    env = environment_of(triangles, padded_size(neighbors.start, len(triangles.weights)))
    chunks, polynomials = make_chunks(triangles, 1), make_polynomials(triangles, 1)[0]
    gradient, rest = aligned(gradient_size(env)), make_rest()
    for i in range(begin, end):
        row, last = rows.first[i], rows.first[i + 1]
        if row < last:
            state = env, chunks, weights, polynomials, gradient, rest
            _add_triangles(triangles, neighbors, rows, i, *state, out, center_sums[i])
        while row < last:
            stop = last_of_kind(rows, row, last)
            prepare_rows(own, brackets, tables, distances, neighbors, rows, i, sums, row, stop, True)
            for k in range(stop - row):
                r = row + k
                total = along[r] + distance_gradient(own, brackets, tables, rows, k, r, weights[r], push[r])
                _add_along(neighbors.vector, rows.pair[r], total, out, center_sums[i])
            row = stop

"""Values of pair-centred symmetry functions.

Each atom works on the pairs that it owns. Of the other atom of a pair it needs the sums over neighbours, which are
done before (`acsf` with the radial functions); all triangles of a pair are found among the owner's own neighbours.
"""

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.acsf.environment import environment_of, padded_size, prepare
from fastsf.kernels.acsf.triplets import get_chunk, make_chunks
from fastsf.kernels.acsf.values import sum_chunk
from fastsf.kernels.sharing import ALONE, share_out

from .distances import distance_values, last_of_kind, make_rows_environment, prepare_rows
from .triangles import next_triangles, owned_row


@kernel
def _add_group(tables, rows, env, section, chunks, group, out):
    """Add the values of a group of triangle functions for all pairs of a centre."""
    chunk = get_chunk(chunks, 0)
    first = env.first[group.first_element]
    for j in range(first, first + env.count[group.first_element]):
        row, k = owned_row(env, rows, j), env.first[group.second_element]
        while row >= 0 and k >= 0:
            blocks, lanes, k = next_triangles(env, chunk, section, tables.channels, group, j, k)
            if blocks > 0:
                sum_chunk(tables.channels, tables.terms, group, chunk, lanes, out[row])


@kernel
def _add_triangles(tables, neighbors, rows, center, env, chunks, out):
    element = neighbors.species[center]
    for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
        shell = tables.shells[s]
        if prepare(env, shell, tables, neighbors, center, False) > 0:
            section = tables.sections[shell.section_first]
            for g in range(shell.group_first, shell.group_last):
                _add_group(tables, rows, env, section, chunks, tables.groups[g], out)


@njit
def pcsf_values_range(functions, neighbors, rows, sums, begin, end, workers, out):
    """Write the values of the pairs that the atoms begin ... end - 1 own.

    Parameters
    ----------
    functions : PCSFFunctions
    neighbors : Neighbors
    rows : PCSFRows
    sums : (n, t) float64
        Sums over the neighbours of each atom.
    out : (m, s) float64
        Rows of functions; zero before.
    """
    if workers != ALONE:
        share_out(workers, (functions, neighbors, rows, sums), begin, end, (out,))
        return
    tables, distances, triangles = functions
    own, brackets = make_rows_environment(tables, distances, rows)
    env = environment_of(triangles, padded_size(neighbors.start, len(triangles.weights)))
    chunks = make_chunks(triangles, 1)
    for i in range(begin, end):
        row, last = rows.first[i], rows.first[i + 1]
        if row < last:
            _add_triangles(triangles, neighbors, rows, i, env, chunks, out)
        while row < last:
            stop = last_of_kind(rows, row, last)
            prepare_rows(own, brackets, tables, distances, neighbors, rows, i, sums, row, stop, False)
            distance_values(own, brackets, tables, rows, row, stop, out)
            row = stop

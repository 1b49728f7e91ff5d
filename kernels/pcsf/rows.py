"""Pairs of a list that count, each once, and sums over them for their atoms."""

import math

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.sharing import ALONE, share_out

from .tables import sum_column


@kernel
def _owns(i, j, p, reverse):
    """Return true if atom i owns the pair p to atom j; each atom owns half of its pairs, in any order of the list."""
    if i == j:
        return p < reverse[p]
    return (i < j) != ((i + j) % 2 == 1)


@kernel
def _is_row(tables, neighbors, reverse, skin, i, p, element):
    """Return true if pair p of atom i is a row with a partner of that element."""
    j = neighbors.neighbor[p]
    if neighbors.species[j] != element or not _owns(i, j, p, reverse):
        return False
    limit = tables.cutoff[tables.kind[neighbors.species[i], element]]
    x, y, z = neighbors.vector[p, 0], neighbors.vector[p, 1], neighbors.vector[p, 2]
    return limit > 0.0 and math.sqrt(x * x + y * y + z * z) < limit + skin


@njit
def count_rows(tables, neighbors, reverse, skin, first):
    """Write the first row of each atom into `first` (n + 1,); pairs may be longer than their cutoff by the skin."""
    first[0] = 0
    for i in range(len(first) - 1):
        found = 0
        for p in range(neighbors.start[i], neighbors.start[i + 1]):
            found += _is_row(tables, neighbors, reverse, skin, i, p, neighbors.species[neighbors.neighbor[p]])
        first[i + 1] = first[i] + found


@njit
def fill_rows(tables, neighbors, reverse, skin, rows):
    """Fill the rows of all atoms, after `count_rows`."""
    rows.row[:] = -1
    for i in range(len(rows.first) - 1):
        row = rows.first[i]
        for element in range(len(tables.kind)):
            for p in range(neighbors.start[i], neighbors.start[i + 1]):
                if _is_row(tables, neighbors, reverse, skin, i, p, element):
                    rows.pair[row], rows.kind[row] = p, tables.kind[neighbors.species[i], element]
                    rows.row[p] = rows.row[reverse[p]] = row
                    row += 1


@njit
def collect_range(tables, neighbors, rows, push, begin, end, workers, out):
    """Add up what the rows of each atom give to the derivatives with respect to its sums over neighbours.

    Parameters
    ----------
    tables, neighbors, rows
        `PCSFTables`, `Neighbors`, `PCSFRows`.
    push : (m, slots) float64
        Derivative of a scalar with respect to the sum of both ends of each row.
    out : (n, 1, t) float64
        Derivative with respect to the sums over neighbours of each atom; zero before.
    """
    if workers != ALONE:
        share_out(workers, (tables, neighbors, rows, push), begin, end, (out,))
        return
    for i in range(begin, end):
        species = neighbors.species[i]
        for p in range(neighbors.start[i], neighbors.start[i + 1]):
            row = rows.row[p]
            if row < 0:
                continue
            other, first = neighbors.species[neighbors.neighbor[p]], tables.slot_first[rows.kind[row]]
            for m in range(tables.slot_first[rows.kind[row] + 1] - first):
                out[i, 0, sum_column(tables.slots[first + m], species, other)] += push[row, m]

"""Energies of pairs from the outputs of their networks: cutoff functions, and shares of atoms."""

import math

from fastsf.kernels._jit import njit
from fastsf.kernels.acsf.cutoffs import envelope
from fastsf.kernels.acsf.environment import aligned
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, load_one, splat, store


@njit
def finish_rows_range(tables, neighbors, rows, ends, smooth, begin, end, workers, energies, slopes, outside, along):
    """Turn the outputs of networks into the energies of the rows begin ... end - 1.

    Rows longer than the cutoff of their kind have none. With `smooth`, energies are multiplied by the cutoff function
    of their kind.

    Parameters
    ----------
    tables, neighbors, rows
        `PCSFTables`, `Neighbors`, `PCSFRows`.
    ends : (kinds,) SECTION
        The cutoff functions.
    smooth : int64
        1 if they multiply energies.
    energies : (m,) float64
        eV.
    slopes : (m, s) float64
        Their derivatives with respect to the functions; may have no columns.
    outside : (m,) int64
        Functions outside the range of the training set.
    along : (m,) float64
        Derivative of the energy with respect to the distance at constant functions, divided by the distance.
    """
    if workers != ALONE:
        share_out(workers, (tables, neighbors, rows, ends, smooth), begin, end, (energies, slopes, outside, along))
        return
    scratch = aligned(2 * LANES)
    for row in range(begin, end):
        p, kind = rows.pair[row], rows.kind[row]
        x, y, z = neighbors.vector[p, 0], neighbors.vector[p, 1], neighbors.vector[p, 2]
        r, factor, slope = math.sqrt(x * x + y * y + z * z), 1.0, 0.0
        along[row] = 0.0
        if r >= tables.cutoff[kind]:
            factor, outside[row] = 0.0, 0
        elif smooth:
            section = ends[kind]
            f, df = envelope(section.core, section.form, section.center, section.inverse_width, splat(r))
            store(scratch, 0, f)
            store(scratch, LANES, df)
            factor, slope = load_one(scratch, 0), load_one(scratch, LANES)
            if r > 0.0:
                along[row] = energies[row] * slope / r
        if factor != 1.0:
            energies[row] *= factor
            for s in range(slopes.shape[1]):
                slopes[row, s] *= factor


@njit
def share_range(neighbors, rows, energies, outside, begin, end, workers, atom_energies, atom_outside):
    """Add half the energy of each pair to either atom (n,), and its count of values outside to the one that owns it."""
    if workers != ALONE:
        share_out(workers, (neighbors, rows, energies, outside), begin, end, (atom_energies, atom_outside))
        return
    for i in range(begin, end):
        for p in range(neighbors.start[i], neighbors.start[i + 1]):
            if rows.row[p] >= 0:
                atom_energies[i] += 0.5 * energies[rows.row[p]]
        for row in range(rows.first[i], rows.first[i + 1]):
            atom_outside[i] += outside[row]

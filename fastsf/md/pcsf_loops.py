"""Pair-centred energies for the compiled steps, renewed with the neighbour list."""

from __future__ import annotations

import numpy as np

from fastsf.kernels.acsf import values as acsf
from fastsf.kernels.acsf import vjp as acsf_vjp
from fastsf.kernels.acsf.tables import Neighbors
from fastsf.kernels.dynamics.md import PCSFLoops
from fastsf.kernels.networks import feedforward
from fastsf.kernels.pcsf import energies as pcsf_energies
from fastsf.kernels.pcsf import rows as pcsf_rows
from fastsf.kernels.pcsf import values as pcsf_values
from fastsf.kernels.pcsf import vjp as pcsf_vjp
from fastsf.kernels.pcsf.tables import PCSFRows
from fastsf.kernels.pointers import make_loop
from fastsf.potentials.pcsf_term import PCSFModel
from fastsf.threads import workers_of
from fastsf.types import FloatArray, IntArray


def make_pcsf_loops(
    model: PCSFModel,
    rows: PCSFRows,
    neighbors: Neighbors,
    filled: tuple[FloatArray, IntArray, FloatArray, FloatArray],
    threads: int,
    before: PCSFLoops | None,
) -> PCSFLoops:
    """Return the loops that add pair-centred energies and their gradients.

    Parameters
    ----------
    model : PCSFModel
        Pair-centred term of the potential.
    rows : PCSFRows
        Pairs with an energy.
    neighbors : Neighbors
        Neighbour list.
    filled : (n,) float64, (n,) int64, (p, 3) float64, (n, SUMS) float64
        Arrays to which the loops add: energies and extrapolations of atoms, gradients of the pair vectors, and their
        sums.
    threads : int
        Number of threads of the loops.
    before : PCSFLoops or None
        Loops of the previous neighbour list.
    """
    each, outside, g, sums = filled
    packed, n = model.descriptor.packed, len(each)
    m, s, workers = len(rows.kind), model.descriptor.n_features, workers_of(threads)
    summed, functions, collected = np.zeros((n, packed.n_sums)), np.zeros((m, s)), np.zeros((n, 1, packed.n_sums))
    energies, slopes, beyond, along = np.empty(m), np.empty((m, s)), np.empty(m, np.int64), np.empty(m)
    push = np.empty((m, packed.tables.most_slots))
    over_atoms, over_rows = (0, n, workers), (0, m, workers)
    of_sums = packed.sums, neighbors, np.arange(n), *over_atoms
    listed = packed.functions, neighbors, rows
    ends = packed.tables, neighbors, rows, model.ends, int(model.smooth)
    loops = (
        (acsf.values_range, (*of_sums, summed)),
        (pcsf_values.pcsf_values_range, (*listed, summed, *over_atoms, functions)),
        (feedforward.predict_range, (model.networks, functions, rows.kind, *over_rows, energies, slopes, beyond)),
        (pcsf_energies.finish_rows_range, (*ends, *over_rows, energies, slopes, beyond, along)),
        (pcsf_energies.share_range, (neighbors, rows, energies, beyond, *over_atoms, each, outside)),
        (pcsf_vjp.pcsf_vjp_range, (*listed, summed, slopes, along, *over_atoms, push, g, sums)),
        (pcsf_rows.collect_range, (packed.tables, neighbors, rows, push, *over_atoms, collected)),
        (acsf_vjp.vjp_range, (*of_sums, collected, g[None], sums[None])),
    )
    made = (make_loop(*loop, None if before is None else before[k]) for k, loop in enumerate(loops))
    return PCSFLoops._make((*made, summed, functions, collected))

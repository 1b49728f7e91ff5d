"""Pair-centred energies for the compiled steps, renewed with the neighbour list."""

from __future__ import annotations

import numpy as np

from fastsf.kernels.acsf import values as acsf
from fastsf.kernels.acsf import vjp as acsf_vjp
from fastsf.kernels.acsf.tables import Neighbors
from fastsf.kernels.dynamics.md import PairLoops
from fastsf.kernels.networks import networks
from fastsf.kernels.pcsf import energies as pair_energies
from fastsf.kernels.pcsf import rows as pair_rows
from fastsf.kernels.pcsf import values as pair_values
from fastsf.kernels.pcsf import vjp as pair_vjp
from fastsf.kernels.pcsf.tables import Rows
from fastsf.kernels.pointers import make_loop
from fastsf.potentials.pcsf_term import PCSFModel
from fastsf.threads import crew_of
from fastsf.types import FloatArray, IntArray


def make_pair_loops(
    model: PCSFModel,
    rows: Rows,
    neighbors: Neighbors,
    filled: tuple[FloatArray, IntArray, FloatArray, FloatArray],
    threads: int,
    before: PairLoops | None,
) -> PairLoops:
    """Return the loops that add pair-centred energies and their gradients.

    Parameters
    ----------
    model : PCSFModel
        Pair-centred term of the potential.
    rows : Rows
        Pairs with an energy.
    neighbors : Neighbors
        Neighbour list.
    filled : (n,) float64, (n,) int64, (p, 3) float64, (n, 12) float64
        Arrays to which the loops add: energies and extrapolations of atoms, gradients of the pair vectors, and their
        sums.
    threads : int
        Number of threads of the loops.
    before : PairLoops or None
        Loops of the previous neighbour list.
    """
    each, outside, g, sums = filled
    packed, n = model.descriptor.packed, len(each)
    m, s, crew = len(rows.kind), model.descriptor.n_features, crew_of(threads)
    summed, functions, collected = np.zeros((n, packed.n_sums)), np.zeros((m, s)), np.zeros((n, 1, packed.n_sums))
    energies, slopes, beyond, along = np.empty(m), np.empty((m, s)), np.empty(m, np.int64), np.empty(m)
    push = np.empty((m, packed.tables.most_slots))
    of_sums, over_atoms, over_rows = (packed.sums, neighbors, np.arange(n), 0, n, crew), (0, n, crew), (0, m, crew)
    listed = packed.tables, packed.distances, packed.triangles, neighbors, rows
    ends = packed.tables, neighbors, rows, model.ends, int(model.smooth)
    loops = (
        (acsf.values_range, (*of_sums, summed)),
        (pair_values.pair_values_range, (*listed, summed, *over_atoms, functions)),
        (networks.predict_range, (model.networks, functions, rows.kind, *over_rows, energies, slopes, beyond)),
        (pair_energies.finish_rows_range, (*ends, *over_rows, energies, slopes, beyond, along)),
        (pair_energies.share_range, (neighbors, rows, energies, beyond, *over_atoms, each, outside)),
        (pair_vjp.pair_vjp_range, (*listed, summed, slopes, along, *over_atoms, push, g, sums)),
        (pair_rows.collect_range, (packed.tables, neighbors, rows, push, *over_atoms, collected)),
        (acsf_vjp.vjp_range, (*of_sums, collected, g[None], sums[None])),
    )
    made = (make_loop(*loop, None if before is None else before[k]) for k, loop in enumerate(loops))
    return PairLoops._make((*made, summed, functions, collected))

"""What the compiled steps need of a term of pairs, renewed with the list of pairs; beside `fastsf.pair_energies`."""

from __future__ import annotations

import numpy as np

from fastsf.kernels import acsf, acsf_vjp, networks, pair_energies, pair_rows, pair_values, pair_vjp
from fastsf.kernels.md import PairLoops
from fastsf.kernels.pointers import make_loop
from fastsf.kernels.tables import Neighbors
from fastsf.neighbors import Pairs
from fastsf.pair_rows import PairRows
from fastsf.pair_term import PairModel
from fastsf.structure import FloatArray, IntArray

_SUMS = acsf.values_range, acsf.values
_VALUES = pair_values.pair_values_range, pair_values.pair_values
_NETWORKS = networks.predict_range, networks.predict
_FINISH = pair_energies.finish_rows_range, pair_energies.finish_rows
_SHARE = pair_energies.share_range, pair_energies.share
_CHAIN = pair_vjp.pair_vjp_range, pair_vjp.pair_vjp
_COLLECT = pair_rows.collect_range, pair_rows.collect
_BACK = acsf_vjp.vjp_range, acsf_vjp.vjp


def make_pair_loops(
    model: PairModel,
    pairs: Pairs,
    neighbors: Neighbors,
    filled: tuple[FloatArray, IntArray, FloatArray, FloatArray],
    threads: int,
    before: PairLoops | None,
) -> PairLoops:
    """Choose the pairs that count, and make the loops that add their energies and gradients.

    Parameters
    ----------
    model : PairModel
        The term of pairs.
    pairs, neighbors
        The list of pairs, found just now.
    filled : (n,) float64, (n,) int64, (p, 3) float64, (n, 12) float64
        Energies and extrapolations of atoms; gradients of the vectors of pairs, and their sums: what is added to.
    threads : int
        Of the loops.
    before : PairLoops or None
        Those of the list before.
    """
    each, outside, g, sums = filled
    packed, n = model.descriptor.packed, len(each)
    rows = PairRows.of(packed.tables, pairs, neighbors.species).kernel_rows
    m, s, every = len(rows.kind), model.descriptor.n_features, np.arange(n)
    summed, functions, collected = np.zeros((n, packed.n_sums)), np.zeros((m, s)), np.zeros((n, 1, packed.n_sums))
    energies, slopes, beyond, along = np.empty(m), np.empty((m, s)), np.empty(m, np.int64), np.empty(m)
    push = np.empty((m, packed.tables.most_slots))
    tables = packed.tables, packed.distances, packed.triangles
    ends = packed.tables, neighbors, rows, model.ends, int(model.smooth)
    loops = (
        (_SUMS, (packed.sums, neighbors, every), n, (summed,)),
        (_VALUES, (*tables, neighbors, rows, summed), n, (functions,)),
        (_NETWORKS, (model.networks, functions, rows.kind), m, (energies, slopes, beyond)),
        (_FINISH, ends, m, (energies, slopes, beyond, along)),
        (_SHARE, (neighbors, rows, energies, beyond), n, (each, outside)),
        (_CHAIN, (*tables, neighbors, rows, summed, slopes, along), n, (push, g, sums)),
        (_COLLECT, (packed.tables, neighbors, rows, push), n, (collected,)),
        (_BACK, (packed.sums, neighbors, every), n, (collected, g[None], sums[None])),
    )
    made = [
        make_loop(kernels, threads, arguments, size, results, None if before is None else before[k])
        for k, (kernels, arguments, size, results) in enumerate(loops)
    ]
    return PairLoops._make((*made, summed, functions, collected))

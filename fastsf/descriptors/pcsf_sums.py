"""Pair-centred functions over a list of pairs, and gradients of scalars of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.jacobian import SparseJacobian, empty_entries, sparse_jacobian
from fastsf.descriptors.pcsf_packing import PackedPCSF
from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.kernels.acsf import jvp as acsf_jvp
from fastsf.kernels.acsf import values as acsf
from fastsf.kernels.acsf import vjp as acsf_vjp
from fastsf.kernels.acsf.tables import Neighbors
from fastsf.kernels.pcsf import jacobian as pcsf_jacobian
from fastsf.kernels.pcsf import jvp as pcsf_jvp
from fastsf.kernels.pcsf import rows as pcsf_rows
from fastsf.kernels.pcsf import values as pcsf_values
from fastsf.kernels.pcsf import vjp as pcsf_vjp
from fastsf.neighbors.pairs import Pairs
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray


class PCSFSums:
    """Values of pair-centred functions, and gradients of scalars of them.

    Parameters
    ----------
    packed : PackedPCSF
        The functions (`PCSF.packed`).
    n_features : int
        Columns.
    pairs : Pairs
        List of pairs, at least up to the longest cutoff.
    species : (n,) int64
        Element index of each atom.
    threads : int, optional
        As for `PCSF`.

    Attributes
    ----------
    rows : PairRows
        The pairs. With a skin, some are longer than the cutoff of their kind; their values are
        zero, and derivatives with respect to those must be zero.
    """

    def __init__(
        self, packed: PackedPCSF, n_features: int, pairs: Pairs, species: IntArray, threads: int | None = None
    ) -> None:
        self._packed, self.pairs, self._species, self._threads = packed, pairs, species, threads
        self.n_features = n_features
        self.rows = PairRows.of(packed.tables, pairs, species)
        self._sums = np.zeros((len(species), packed.n_sums))
        self._functions = packed.functions

    def rebuild(self) -> None:
        """Choose the rows again, after a new search of pairs."""
        self.rows = PairRows.of(self._packed.tables, self.pairs, self._species)

    @property
    def neighbors(self) -> Neighbors:
        """List of pairs as the kernels take it."""
        return Neighbors(self.pairs.start, self.pairs.neighbor, self.pairs.vector, self._species)

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """(m,) bool: rows that are not longer than the cutoff of their kind."""
        return np.asarray(self.rows.distance < self._packed.tables.cutoff[self.rows.kind])

    @property
    def first(self) -> IntArray:
        """(n + 1,) int64: rows of atom i are first[i] to first[i + 1]."""
        return self.rows.first

    def values(self) -> FloatArray:
        """Return the values (m, n_features), a new array."""
        self.sum_neighbors()
        out = np.zeros((len(self.rows), self.n_features))
        given = (self._functions, self.neighbors, self.rows.kernel_rows, self._sums)
        run(self._threads, pcsf_values.pcsf_values_range, given, len(self._species), (out,))
        return out

    def sum_neighbors(self) -> None:
        """Compute the sums over the neighbours of each atom, which derivatives need."""
        if self._packed.n_sums:
            self._sums.fill(0.0)
            n = len(self._species)
            run(self._threads, acsf.values_range, (self._packed.sums, self.neighbors, np.arange(n)), n, (self._sums,))

    def change(self, vectors: FloatArray, out: FloatArray) -> None:
        """Add the change of the values along a change of the pair vectors, after `values` or `sum_neighbors`.

        Parameters
        ----------
        vectors : (p, 3) float64
            Change of the vectors of all pairs.
        out : (m, n_features) float64
            Changes, added to.
        """
        n, packed, neighbors = len(self._species), self._packed, self.neighbors
        sums = np.zeros_like(self._sums)
        if packed.n_sums:
            run(self._threads, acsf_jvp.jvp_range, (packed.sums, neighbors, np.arange(n)), n, (vectors, sums))
        given = (self._functions, neighbors, self.rows.kernel_rows, self._sums, sums, vectors)
        run(self._threads, pcsf_jvp.pcsf_jvp_range, given, n, (out,))

    def jacobian(self) -> tuple[SparseJacobian, FloatArray]:
        """Return the derivatives, with the atoms that own the rows as centres, and the values."""
        n, m, packed, neighbors = len(self._species), len(self.rows), self._packed, self.neighbors
        own, values = self._jacobian_of_sums()
        begin, end = np.zeros((2, n, packed.n_sums), dtype=np.int64)
        pcsf_jacobian.find_columns(own.start, own.column, begin, end)
        sums = pcsf_jacobian.SumJacobian(begin, end, own.atom, own.data)
        entries = np.zeros(m, dtype=np.int64)
        counted = (self._functions, neighbors, self.rows.kernel_rows, sums)
        run(self._threads, pcsf_jacobian.pcsf_count_range, counted, n, (entries,))
        start, column, atom, flat = empty_entries(entries)
        data, out = flat.reshape(-1, 3), np.zeros((m, self.n_features))
        target = pcsf_jacobian.PCSFJacobian(start[:-1].copy(), column, atom, data)
        given = (self._functions, neighbors, self.rows.kernel_rows, values, sums)
        run(self._threads, pcsf_jacobian.pcsf_jacobian_range, given, n, (target, out))
        return SparseJacobian(start, column, atom, data, self.rows.i), out

    def _jacobian_of_sums(self) -> tuple[SparseJacobian, FloatArray]:
        """Return the derivatives of the sums over neighbours, and the sums; functions without sums have none."""
        every = np.arange(len(self._species))
        if self._packed.n_sums:
            return sparse_jacobian(self._packed.sums, self.neighbors, every, self._packed.n_sums, self._threads)
        start, column, atom, flat = empty_entries(np.zeros_like(every))
        return SparseJacobian(start, column, atom, flat.reshape(-1, 3), every), self._sums

    def gradient(self, weights: FloatArray, g: FloatArray, sums: FloatArray) -> None:
        """Add the gradient of sum(weights * values); as `chain`, of a scalar that depends on nothing else."""
        self.chain(weights, np.zeros(len(weights)), g, sums)

    def chain(self, weights: FloatArray, along: FloatArray, g: FloatArray, sums: FloatArray) -> None:
        """Add the gradient of a scalar with respect to the pair vectors, after `values` or `sum_neighbors`.

        Parameters
        ----------
        weights : (m, n_features) float64
            Derivatives of the scalar with respect to the values.
        along : (m,) float64
            Derivative of the scalar with respect to the pair's own distance r at fixed values,
            divided by r.
        g : (p, 3) float64
            Gradient, added to.
        sums : (n, SUMS) float64
            sum_p g_p (3) and sum_p r_p (x) g_p (9) of each atom, added to.
        """
        n, packed, neighbors, rows = len(self._species), self._packed, self.neighbors, self.rows.kernel_rows
        push = np.empty((len(self.rows), packed.tables.most_slots))
        given = (self._functions, neighbors, rows, self._sums, weights, along)
        run(self._threads, pcsf_vjp.pcsf_vjp_range, given, n, (push, g, sums))
        if packed.n_sums:
            back = np.zeros((n, 1, packed.n_sums))
            arguments = (packed.tables, neighbors, rows, push)
            run(self._threads, pcsf_rows.collect_range, arguments, n, (back,))
            atoms = (packed.sums, neighbors, np.arange(n))
            run(self._threads, acsf_vjp.vjp_range, atoms, n, (back, g[None], sums[None]))

"""Derivatives of symmetry functions in sparse form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from fastsf.kernels.acsf import jacobian as acsf_jacobian
from fastsf.kernels.acsf.tables import Neighbors, Tables
from fastsf.neighbors import memory as recycling
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray

Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True)
class SparseJacobian:
    """Derivatives of all features of some centres; an entry for each feature and neighbour.

    Periodic images of an atom are entries of their own, from which virials follow. The derivative
    with respect to the centre's position is minus the sum over the entries of a feature. For
    pair-centred functions, rows are pairs and the centre of each is the atom that owns it; an atom
    near both ends has an entry for each of them.

    Parameters
    ----------
    start : (n_centers + 1,) int64
        Entries start[c] ... start[c + 1] - 1 belong to centre c.
    column : (m,) int32
        Feature.
    atom : (m,) int32
        Neighbour, as the row of its atom in the structure or batch.
    data : (m, 3) float64
        Derivative of the feature with respect to the neighbour's position, 1/Å for these
        dimensionless features.
    centers : (n_centers,) int64
        Atom of each centre.
    """

    start: IntArray
    column: Int32Array
    atom: Int32Array
    data: FloatArray
    centers: IntArray

    def __len__(self) -> int:
        return len(self.data)

    @property
    def center(self) -> IntArray:
        """(m,) int64: centre (row of the features) of each entry."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def dense(self, n_atoms: int, n_features: int) -> FloatArray:
        """Return a dense array (n_centers, n_atoms, 3, n_features) with images folded onto atoms, centre included.

        Parameters
        ----------
        n_atoms, n_features : int
            Size of the structure and number of features.
        """
        center, rows = self.center, np.arange(len(self.centers))
        out = np.zeros((len(rows), n_atoms, n_features, 3))
        np.add.at(out, (center, self.atom, self.column), self.data)
        np.add.at(out, (center, self.centers[center], self.column), -self.data)
        return np.ascontiguousarray(out.transpose(0, 1, 3, 2))

    def to_scipy(self, n_atoms: int, n_features: int) -> Any:
        """Return a matrix (n_centers * n_features, 3 * n_atoms) in scipy's CSR format, centres included.

        Row c * n_features + s is feature s of centre c, column 3 * a + x component x of atom a.
        """
        row = np.repeat(self.center * n_features + self.column, 3)
        xyz = np.arange(3)
        neighbor = (3 * self.atom.astype(np.int64)[:, None] + xyz).ravel()
        own = (3 * self.centers[self.center][:, None] + xyz).ravel()
        values = self.data.ravel()
        shape = (len(self.centers) * n_features, 3 * n_atoms)
        entries = (np.concatenate([values, -values]), (np.tile(row, 2), np.concatenate([neighbor, own])))
        return sparse.coo_array(entries, shape=shape).tocsr()


def sparse_jacobian(
    tables: Tables, neighbors: Neighbors, centers: IntArray, n_features: int, threads: int | None
) -> tuple[SparseJacobian, FloatArray]:
    """Return derivatives and values of atom-centred functions, for some atoms of a list of pairs."""
    n, arguments = len(centers), (tables, neighbors, centers)
    entries = np.zeros(n, dtype=np.int64)
    run(threads, acsf_jacobian.count_range, arguments, n, (entries,))
    start, column, atom, data = empty_entries(entries)
    target = acsf_jacobian.Jacobian(start, column, atom, data)
    values = np.zeros((n, n_features))
    run(threads, acsf_jacobian.jacobian_range, arguments, n, (target, values))
    return SparseJacobian(start, column, atom, data.reshape(-1, 3), centers), values


def empty_entries(entries: IntArray) -> tuple[IntArray, Int32Array, Int32Array, FloatArray]:
    """Return uninitialised arrays for these numbers of entries of each row: start, column, atom, flat data."""
    start = np.concatenate([[0], np.cumsum(entries)])
    total = int(start[-1])
    column, atom = (recycling.empty((total + 1) // 2, np.int32)[:total] for _ in range(2))
    return start, column, atom, recycling.empty(3 * total, np.float64)

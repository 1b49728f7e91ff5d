"""Error covariance of a Kalman filter: a large symmetric matrix that changes a little in every update.

Reading and writing the matrix costs most of an update. So only one triangle is read, once for eight columns. Changes of
low rank are kept beside the matrix until enough of them can be added as one product of matrices.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

from fastsf.kernels.networks import symmetric
from fastsf.kernels.vector.simd import LANES
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray

_PENDING = 64
"""Largest number of columns beside the matrix."""

_PARTS = 8
"""Number of parts of the matrix that are multiplied separately; sums depend on it, so threads do not change it."""


class Covariance:
    """Symmetric matrix P = s (B - U U^T) + q 1, kept as B, columns U and numbers s and q.

    Parameters
    ----------
    size : int
        Number of rows and columns.
    start : float
        Diagonal at the start; the rest is zero.
    threads : int
        Number of threads.
    """

    def __init__(self, size: int, start: float, threads: int = 1) -> None:
        self._size, self._threads = size, threads
        padded = -(-size // symmetric.ROWS) * symmetric.ROWS
        self._matrix = np.zeros((padded, padded), order="F")  # the order that the BLAS uses
        self._matrix[np.diag_indices(size)] = start
        self._columns = np.zeros((padded, _PENDING), order="F")
        self._used, self._scale, self._shift = 0, 1.0, 0.0
        self._bounds = _equal_triangles(padded)

    @property
    def matrix(self) -> FloatArray:
        """Lower triangle of P (size, size) after the last `settle`, with zeros above; it can be set."""
        return np.tril(self._matrix[: self._size, : self._size])

    @matrix.setter
    def matrix(self, values: FloatArray) -> None:
        self._matrix[: self._size, : self._size] = values

    def times(self, columns: FloatArray) -> FloatArray:
        """Return P times columns (size, m), a new array."""
        pending = self._columns[: self._size, : self._used]
        product = self._scale * self._settled_times(columns)
        product -= pending @ (self._scale * (pending.T @ columns))
        product += self._shift * columns
        return product

    def _settled_times(self, columns: FloatArray) -> FloatArray:
        padded, count = len(self._matrix), columns.shape[1]
        if count == 1:
            vector = np.zeros(padded)
            vector[: self._size] = columns[:, 0]
            return np.asarray(blas.dsymv(1.0, self._matrix, vector, lower=1)[: self._size, None])
        product = np.empty((self._size, count))
        for first in range(0, count, LANES):
            part = columns[:, first : first + LANES]
            block, sums = np.zeros((padded, LANES)), np.zeros((_PARTS, padded * LANES))
            block[: self._size, : part.shape[1]] = part
            arguments = (self._matrix.T.reshape(-1), self._bounds, block.reshape(-1))
            run(self._threads, symmetric.times_range, arguments, _PARTS, (sums,))
            whole = sums.sum(axis=0).reshape(padded, LANES)
            product[:, first : first + LANES] = whole[: self._size, : part.shape[1]]
        return product

    def subtract(self, columns: FloatArray) -> None:
        """Subtract V V^T with columns V (size, m)."""
        for first in range(0, columns.shape[1], _PENDING):
            part = columns[:, first : first + _PENDING]
            if self._used + part.shape[1] > _PENDING:
                self.settle()
            self._columns[: self._size, self._used : self._used + part.shape[1]] = part / np.sqrt(self._scale)
            self._used += part.shape[1]

    def multiply(self, factor: float) -> None:
        """Multiply P by a factor."""
        self._scale *= factor
        self._shift *= factor

    def add_diagonal(self, value: float) -> None:
        """Add a value to the diagonal."""
        self._shift += value

    def settle(self) -> None:
        """Combine everything into one matrix."""
        pending = self._columns[:, : self._used]
        blas.dsyrk(-self._scale, pending, beta=self._scale, c=self._matrix, overwrite_c=1, lower=1)
        self._matrix[np.diag_indices_from(self._matrix)] += self._shift
        self._used, self._scale, self._shift = 0, 1.0, 0.0


def _equal_triangles(size: int) -> IntArray:
    """Return bounds of parts of the rows with about equally large triangles, multiples of `symmetric.ROWS`."""
    share = 1 - np.sqrt(1 - np.arange(_PARTS + 1) / _PARTS)
    return (np.round(share * size / symmetric.ROWS) * symmetric.ROWS).astype(np.int64)

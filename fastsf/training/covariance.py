"""The error covariance of a Kalman filter: a large symmetric matrix that changes a little in every update.

Reading and writing it is what an update costs. So only one triangle of it is read, and changes, which are of low rank,
are kept beside it until enough of them can be added as one product of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import blas

from fastsf.structure import FloatArray

_PENDING = 64
"""Columns that are kept beside the matrix."""

_FEW = 6
"""Up to so many columns are multiplied one by one, which takes less time than the product of matrices."""


class Covariance:
    """Symmetric matrix P = s (B - U U^T) + q 1, of which B, the columns U and the numbers s and q are kept.

    Parameters
    ----------
    size : int
        Rows and columns.
    start : float
        Its diagonal at the start; the rest is zero.
    """

    def __init__(self, size: int, start: float) -> None:
        self.matrix = np.diag(np.full(size, start)).T  # Fortran's order: the BLAS takes it as it is
        self._columns = np.empty((size, _PENDING), order="F")
        self._used, self._scale, self._shift = 0, 1.0, 0.0

    def times(self, columns: FloatArray) -> FloatArray:
        """P times columns (size, m), a new array."""
        n = columns.shape[1]
        if n <= _FEW:
            product: Any = np.empty(columns.shape, order="F")
            for k in range(n):
                product[:, k] = blas.dsymv(self._scale, self.matrix, columns[:, k], lower=1)
        else:
            product = blas.dsymm(self._scale, self.matrix, columns, lower=1)
        pending = self._columns[:, : self._used]
        product -= pending @ (self._scale * (pending.T @ columns))
        product += self._shift * columns
        return np.asarray(product)

    def subtract(self, columns: FloatArray) -> None:
        """P -= V V^T with columns V (size, m)."""
        for first in range(0, columns.shape[1], _PENDING):
            part = columns[:, first : first + _PENDING]
            if self._used + part.shape[1] > _PENDING:
                self.settle()
            self._columns[:, self._used : self._used + part.shape[1]] = part / np.sqrt(self._scale)
            self._used += part.shape[1]

    def multiply(self, factor: float) -> None:
        """P *= factor."""
        self._scale *= factor
        self._shift *= factor

    def add_diagonal(self, value: float) -> None:
        """P += value 1."""
        self._shift += value

    def settle(self) -> None:
        """Bring everything into `matrix`, whose lower triangle is P then; the upper one has no meaning."""
        pending = self._columns[:, : self._used]
        blas.dsyrk(-self._scale, pending, beta=self._scale, c=self.matrix, overwrite_c=1, lower=1)
        self.matrix[np.diag_indices_from(self.matrix)] += self._shift
        self._used, self._scale, self._shift = 0, 1.0, 0.0

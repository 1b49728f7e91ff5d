"""Minimum, maximum, mean and standard deviation of columns, from data that come in pieces.

Every piece is summarised on its own (mean first, then squares of the deviations). The summaries are
merged with the update of Chan, Golub and LeVeque (1979). So nothing cancels when the mean is large
against the spread, and the result depends only on the pieces and their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsf.types import FloatArray


@dataclass(frozen=True)
class ColumnStatistics:
    """Summary of the columns of a table, row by row.

    Parameters
    ----------
    count : int
        Number of rows.
    minimum, maximum, mean : (s,) float64
        Per column; NaN as long as there are no rows.
    squares : (s,) float64
        Sum of the squared deviations from the mean.
    """

    count: int
    minimum: FloatArray
    maximum: FloatArray
    mean: FloatArray
    squares: FloatArray

    @classmethod
    def empty(cls, n_columns: int) -> ColumnStatistics:
        """Return the summary of no rows."""
        nan = np.full(n_columns, np.nan)
        return cls(0, nan, nan.copy(), nan.copy(), np.zeros(n_columns))

    @classmethod
    def of(cls, rows: npt.ArrayLike) -> ColumnStatistics:
        """Summarise a table.

        Parameters
        ----------
        rows : (n, s) array_like
            Any number of rows, 0 included.
        """
        table = np.asarray(rows, dtype=np.float64)
        count = len(table)
        if count == 0:
            return cls.empty(table.shape[1])
        guess = table.mean(axis=0)
        deviation = table - guess
        rest = deviation.sum(axis=0)  # what rounding left in the mean
        squares = np.einsum("ns,ns->s", deviation, deviation) - rest * rest / count
        minimum, maximum = table.min(axis=0), table.max(axis=0)
        mean = np.clip(guess + rest / count, minimum, maximum)
        return cls(count, minimum, maximum, mean, np.maximum(squares, 0.0))

    def merge(self, other: ColumnStatistics) -> ColumnStatistics:
        """Return the summary of the rows of both."""
        if other.count == 0:
            return self
        if self.count == 0:
            return other
        count = self.count + other.count
        step = other.mean - self.mean
        minimum = np.minimum(self.minimum, other.minimum)
        maximum = np.maximum(self.maximum, other.maximum)
        mean = np.clip(self.mean + step * (other.count / count), minimum, maximum)
        squares = self.squares + other.squares + step * step * (self.count * other.count / count)
        return ColumnStatistics(count, minimum, maximum, mean, squares)

    @property
    def sigma(self) -> FloatArray:
        """Standard deviation per column with n - 1 in the denominator, (s,); NaN for fewer than two rows."""
        if self.count < 2:
            return np.full(len(self.mean), np.nan)
        deviation: FloatArray = np.sqrt(self.squares / (self.count - 1))
        return deviation


def by_group(
    features: FloatArray, groups: npt.NDArray[np.integer], widths: Mapping[int, int]
) -> dict[int, ColumnStatistics]:
    """Summarise the feature columns of every element or kind of pairs.

    Parameters
    ----------
    features : (n, s) float64
        One row per atom or pair; rows of elements or kinds with fewer columns are padded on the
        right.
    groups : (n,) int
        Number of the element or kind of every row.
    widths : mapping of int to int
        How many columns each of them has.

    Returns
    -------
    dict of int to ColumnStatistics
        One entry for every key of `widths`.
    """
    return {group: ColumnStatistics.of(features[groups == group][:, :width]) for group, width in widths.items()}

"""Scaling of symmetry functions before they enter a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.statistics import ColumnStatistics
from fastsf.errors import InputError
from fastsf.types import BoolArray, FloatArray

Mode: TypeAlias = Literal["none", "scale", "center", "scale_center", "scale_sigma"]

RANGE_SLACK = 1000 * float(np.finfo(np.float64).eps)
"""Distance from the range of the training set up to which a value counts as inside, as in n2p2."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Scaling of the columns of one element, X = lowest + (G - center) * factor.

    ============== ========================================================
    mode           X
    ============== ========================================================
    none           G
    scale          lowest + (highest - lowest) (G - min) / (max - min)
    center         G - mean
    scale_center   lowest + (highest - lowest) (G - mean) / (max - min)
    scale_sigma    lowest + (highest - lowest) (G - mean) / sigma
    ============== ========================================================

    A column that did not vary in the training set has max = min or sigma = 0, and the formulas divide by zero. Such a
    column gets the factor 0: X is always `lowest`, and it adds no force; see `zero_range`.

    Parameters
    ----------
    mode : str
        One of the modes above.
    lowest, highest : float
        Range to scale to; not used by "none" and "center".
    minimum, maximum, mean, sigma : (s,) float64
        Statistics of the columns over the atoms of the element in the training set, sigma with n - 1.

    Raises
    ------
    InputError
        For an unknown mode, statistics of different lengths, numbers that are not finite, or a minimum above its
        maximum.
    """

    mode: Mode
    lowest: float
    highest: float
    minimum: FloatArray
    maximum: FloatArray
    mean: FloatArray
    sigma: FloatArray

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise InputError(f"scaling: expected one of {', '.join(get_args(Mode))}, found {self.mode!r}")
        if not (np.isfinite(self.lowest) and np.isfinite(self.highest)):
            raise InputError(f"range to scale to: expected finite numbers, found {self.lowest} to {self.highest}")
        for name in ("minimum", "maximum", "mean", "sigma"):
            column = np.array(getattr(self, name), dtype=np.float64)
            column.flags.writeable = False
            object.__setattr__(self, name, column)
            if column.ndim != 1 or len(column) != len(self.minimum):
                raise InputError(f"{name}: expected {len(self.minimum)} numbers, found an array of {column.shape}")
        self._check_numbers()

    def _check_numbers(self) -> None:
        needed = ["minimum", "maximum", "mean"] + (["sigma"] if self.mode == "scale_sigma" else [])
        for name in needed:
            bad = np.flatnonzero(~np.isfinite(getattr(self, name)))
            if len(bad):
                raise InputError(
                    f"{name} of column {bad[0] + 1}: expected a finite number, found {getattr(self, name)[bad[0]]}"
                )
        bad = np.flatnonzero(self.minimum > self.maximum)
        if len(bad):
            k = int(bad[0])
            raise InputError(f"column {k + 1}: the minimum {self.minimum[k]} is above the maximum {self.maximum[k]}")

    @classmethod
    def from_values(cls, values: npt.ArrayLike, mode: Mode, lowest: float = 0.0, highest: float = 1.0) -> Scaling:
        """Return the scaling by the statistics of a training set.

        Parameters
        ----------
        values : (n, s) array_like
            Symmetry functions of all atoms of the element.
        mode, lowest, highest
            As in the constructor.

        Raises
        ------
        InputError
            If there is no atom, or a value is not finite.
        """
        return cls.from_statistics(ColumnStatistics.of(values), mode, lowest, highest)

    @classmethod
    def from_statistics(
        cls, statistics: ColumnStatistics, mode: Mode, lowest: float = 0.0, highest: float = 1.0
    ) -> Scaling:
        """Return the scaling by given statistics; parameters and errors as for `from_values`."""
        if statistics.count == 0:
            raise InputError("expected values of at least one atom for a scaling, found none")
        sigma = statistics.sigma if statistics.count > 1 else np.zeros_like(statistics.mean)
        return cls(mode, lowest, highest, statistics.minimum, statistics.maximum, statistics.mean, sigma)

    def __len__(self) -> int:
        return len(self.minimum)

    @property
    def zero_range(self) -> BoolArray:
        """Columns that the mode would divide by zero, (s,) bool; their X is constant."""
        return ~np.isfinite(self._factor())

    def _factor(self) -> FloatArray:
        if self.mode in ("none", "center"):
            return np.ones(len(self))
        width = self.sigma if self.mode == "scale_sigma" else self.maximum - self.minimum
        with np.errstate(divide="ignore", over="ignore"):
            return np.where(width > 0, (self.highest - self.lowest) / np.abs(width), np.inf)

    def affine(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return center, factor and lowest of X = lowest + (G - center) * factor, each (s,) float64."""
        zero = np.zeros(len(self))
        factor = self._factor()
        center = zero if self.mode == "none" else self.minimum if self.mode == "scale" else self.mean
        lowest = zero if self.mode in ("none", "center") else np.full(len(self), float(self.lowest))
        return center.copy(), np.where(np.isfinite(factor), factor, 0.0), lowest

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        """Return the inputs of the network for symmetry functions.

        Parameters
        ----------
        values : (n, s) array_like
            Symmetry functions of atoms of the element.

        Returns
        -------
        (n, s) float64

        Raises
        ------
        InputError
            If the number of columns is not that of the scaling.
        """
        table = np.asarray(values, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != len(self):
            raise InputError(f"expected an array of shape (n, {len(self)}), found {table.shape}")
        center, factor, lowest = self.affine()
        scaled: FloatArray = lowest + (table - center) * factor
        return scaled

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Return the smallest and largest values that count as inside, each (s,): min and max with a slack."""
        return self.minimum - RANGE_SLACK, self.maximum + RANGE_SLACK

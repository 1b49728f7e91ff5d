"""Symmetry functions outside the range of the training set: where a potential guesses.

The kernels count them for every atom as they go. Which ones they are is worked out here, when somebody wants to
know; what is done about them during a simulation stands in `fastsf.extrapolation_policy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastsf.elements import chemical_symbol
from fastsf.structure import FloatArray, IntArray

if TYPE_CHECKING:
    from fastsf.descriptor import ACSF
    from fastsf.scaling import Scaling

_MOST_LINES = 20


@dataclass(frozen=True, eq=False)
class Extrapolations:
    """All values of a structure that lie outside the range of the training set, m in number.

    Parameters
    ----------
    atom : (m,) int64
        Index of the atom.
    column : (m,) int64
        Index of the symmetry function among those of the atom's element.
    value, minimum, maximum : (m,) float64
        The value, and the range of that column in the training set.
    distance : (m,) float64
        How far outside, in units of the width of the range; infinite where the column never changed in training.
    number : (m,) int64
        Atomic number of the atom.
    descriptor : ACSF
        Whose functions they are.
    """

    atom: IntArray
    column: IntArray
    value: FloatArray
    minimum: FloatArray
    maximum: FloatArray
    distance: FloatArray
    number: IntArray
    descriptor: ACSF

    def __len__(self) -> int:
        return len(self.atom)

    def label(self, index: int) -> str:
        """Name of the function of one of the values."""
        functions = self.descriptor.columns[chemical_symbol(int(self.number[index]))]
        return functions[int(self.column[index])].label

    def lines(self) -> Iterator[str]:
        """Each value in words, the farthest first."""
        for k in np.argsort(-self.distance, kind="stable"):
            symbol = chemical_symbol(int(self.number[k]))
            yield (
                f"atom {self.atom[k]} ({symbol}), function {self.column[k]} {self.label(int(k))}: {self.value[k]:.6g} "
                f"is outside {self.minimum[k]:.6g} .. {self.maximum[k]:.6g} ({_far(self.distance[k])})"
            )

    def summary(self) -> str:
        """Count by element and function, the farthest first."""
        tally = Tally(self.descriptor)
        tally.add(self)
        return tally.summary()


class Tally:
    """Extrapolations of many structures, counted for each element and function.

    Parameters
    ----------
    descriptor : ACSF
        Whose functions they are.
    """

    def __init__(self, descriptor: ACSF) -> None:
        self._labels = descriptor.labels
        self._elements: dict[int, _Columns] = {}

    def add(self, found: Extrapolations) -> None:
        """Count some more."""
        for number in np.unique(found.number).tolist():
            mine = np.flatnonzero(found.number == number)
            if number not in self._elements:
                self._elements[number] = _Columns.of(len(self._labels[chemical_symbol(number)]))
            self._elements[number].add(found, mine)

    def __len__(self) -> int:
        return sum(int(columns.count.sum()) for columns in self._elements.values())

    def table(self) -> list[dict[str, Any]]:
        """One entry for each element and function, in plain types, the farthest first."""
        rows = []
        for number, columns in sorted(self._elements.items()):
            symbol = chemical_symbol(number)
            for k in np.flatnonzero(columns.count).tolist():
                numbers = {name: array[k].item() for name, array in vars(columns).items()}
                rows.append({"element": symbol, "column": k, "function": self._labels[symbol][k], **numbers})
        return sorted(rows, key=lambda row: -row["farthest"])

    def summary(self) -> str:
        """Count by element and function in words, the farthest first."""
        rows = self.table()
        if not rows:
            return "no values outside the range of the training set"
        lines = [f"values outside the range of the training set: {len(self):,}"]
        for row in rows[:_MOST_LINES]:
            lines.append(
                f"  {row['element']:2} function {row['column']:3d}: {row['count']:,} times, from {row['smallest']:.6g} "
                f"to {row['largest']:.6g}, trained {row['minimum']:.6g} .. {row['maximum']:.6g} "
                f"({_far(row['farthest'])})  {row['function']}"
            )
        if len(rows) > _MOST_LINES:
            lines.append(f"  ... and of {len(rows) - _MOST_LINES:,} more functions")
        return "\n".join(lines)


@dataclass
class _Columns:
    """Extrapolations of all functions of one element; arrays (columns,)."""

    count: IntArray
    farthest: FloatArray
    smallest: FloatArray
    largest: FloatArray
    minimum: FloatArray
    maximum: FloatArray

    @classmethod
    def of(cls, columns: int) -> _Columns:
        filled = [np.full(columns, value) for value in (0.0, np.inf, -np.inf, np.nan, np.nan)]
        return cls(np.zeros(columns, dtype=np.int64), *filled)

    def add(self, found: Extrapolations, mine: IntArray) -> None:
        column, value = found.column[mine], found.value[mine]
        self.count += np.bincount(column, minlength=len(self.count))
        np.maximum.at(self.farthest, column, found.distance[mine])
        np.minimum.at(self.smallest, column, value)
        np.maximum.at(self.largest, column, value)
        self.minimum[column], self.maximum[column] = found.minimum[mine], found.maximum[mine]


def find(
    values: FloatArray, numbers: npt.ArrayLike, descriptor: ACSF, scalings: Mapping[str, Scaling]
) -> Extrapolations:
    """Find the values of a structure that lie outside the range of the training set.

    Parameters
    ----------
    values : (n, s) float64
        Symmetry functions of all atoms, not scaled.
    numbers : (n,) int64
        Atomic numbers.
    descriptor : ACSF
        Where they come from.
    scalings : mapping of str to Scaling
        `minimum` and `maximum` of the columns of each element.

    Returns
    -------
    Extrapolations
        Sorted by atom and column; the bounds are those of `Scaling.bounds`.
    """
    species = np.asarray(numbers, dtype=np.int64)
    parts = [np.empty((5, 0))]
    for number in np.unique(species).tolist():
        scaling, rows = scalings[chemical_symbol(number)], np.flatnonzero(species == number)
        lower, upper = scaling.bounds()
        own = values[rows, : len(lower)]
        row, column = np.nonzero((own < lower) | (own > upper))
        limits = scaling.minimum[column], scaling.maximum[column]
        parts.append(np.stack([rows[row], column, own[row, column], *limits]))
    found = np.concatenate(parts, axis=1)
    atom, column, value, low, high = found[:, np.lexsort((found[1], found[0]))]
    with np.errstate(divide="ignore"):
        distance = np.maximum(low - value, value - high) / (high - low)
    places = atom.astype(np.int64), column.astype(np.int64)
    return Extrapolations(*places, value, low, high, distance, species[places[0]], descriptor)


def _far(distance: float) -> str:
    return "never changed in training" if np.isinf(distance) else f"by {100 * distance:.3g} % of the range"

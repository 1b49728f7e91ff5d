"""Extrapolations: symmetry functions outside the range of the training set.

The kernels count them for every atom. This module finds out on request which functions they are. How simulations react
to them is in `fastsf.potentials.policy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.elements import chemical_symbol
from fastsf.errors import counted
from fastsf.potentials.pcsf_term import PCSFModel
from fastsf.potentials.pcsf_values import PCSFValues
from fastsf.potentials.scaling import Scaling
from fastsf.types import FloatArray, IntArray

MOST_FUNCTIONS = 5
"""Functions that a summary lists unless it is asked for more."""


@dataclass(frozen=True, eq=False)
class Extrapolations:
    """Values of a structure outside the range of the training set, m in number.

    Parameters
    ----------
    atom : (m,) int64
        Index of the atom, or of the first atom of a pair.
    partner : (m,) int64
        Index of the other atom of a pair; -1 for atom-centred functions.
    column : (m,) int64
        Index of the symmetry function among those of the element or kind of pairs.
    value, minimum, maximum : (m,) float64
        The value, and the range of that column in the training set.
    distance : (m,) float64
        Distance from the range in units of its width; infinite for columns that never changed in training.
    name : (m,) array of str
        Element of the atom, or kind of the pair.
    labels : mapping of str to list of str
        Names of the functions of each element and kind of pairs.
    """

    atom: IntArray
    partner: IntArray
    column: IntArray
    value: FloatArray
    minimum: FloatArray
    maximum: FloatArray
    distance: FloatArray
    name: npt.NDArray[Any]
    labels: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.atom)

    def label(self, index: int) -> str:
        """Return the name of the function of a value."""
        return self.labels[str(self.name[index])][int(self.column[index])]

    def lines(self) -> Iterator[str]:
        """Yield a line of text for each value, the farthest first."""
        for k in np.argsort(-self.distance, kind="stable"):
            owner = f"atom {self.atom[k]}" if self.partner[k] < 0 else f"pair {self.atom[k]}-{self.partner[k]}"
            yield (
                f"{owner} ({self.name[k]}), function {self.column[k]} {self.label(int(k))}: {self.value[k]:.6g} "
                f"is outside {self.minimum[k]:.6g} .. {self.maximum[k]:.6g} ({_far(self.distance[k])})"
            )

    def summary(self, most: int | None = MOST_FUNCTIONS) -> str:
        """Return the counts by element or kind of pairs and function as text; as `Tally.summary`."""
        tally = Tally()
        tally.add(self)
        return tally.summary(most)


class Tally:
    """Counts of the extrapolations of many structures, for each element or kind of pairs and each function."""

    def __init__(self) -> None:
        self._labels: dict[str, Sequence[str]] = {}
        self._names: dict[str, _Columns] = {}

    def add(self, found: Extrapolations) -> None:
        """Count more extrapolations."""
        for name in np.unique(found.name).tolist():
            mine = np.flatnonzero(found.name == name)
            if name not in self._names:
                self._labels[name] = found.labels[name]
                self._names[name] = _Columns.of(len(found.labels[name]))
            self._names[name].add(found, mine)

    def __len__(self) -> int:
        return sum(int(columns.count.sum()) for columns in self._names.values())

    def table(self) -> list[dict[str, Any]]:
        """Return one entry for each element or kind of pairs and function in plain types, the farthest first."""
        rows = []
        for name, columns in sorted(self._names.items()):
            for k in np.flatnonzero(columns.count).tolist():
                numbers = {field: array[k].item() for field, array in vars(columns).items()}
                rows.append({"element": name, "column": k, "function": self._labels[name][k], **numbers})
        return sorted(rows, key=lambda row: -row["farthest"])

    def summary(self, most: int | None = MOST_FUNCTIONS) -> str:
        """Return the counts by element or kind of pairs and function as text, the farthest first.

        Parameters
        ----------
        most : int or None
            Functions that are listed; None lists all.
        """
        rows = self.table()
        if not rows:
            return "no values outside the range of the training set"
        lines = [f"{len(self):,} values outside the range of the training set, of {counted(len(rows), 'function')}"]
        for row in rows[:most]:
            lines.append(
                f"  {row['element']:2} function {row['column']:3d}: {counted(row['count'], 'value')} from "
                f"{row['smallest']:.6g} to {row['largest']:.6g}, trained {row['minimum']:.6g} to {row['maximum']:.6g} "
                f"({_far(row['farthest'])})  {row['function']}"
            )
        if most is not None and len(rows) > most:
            lines.append(f"  ... and {counted(len(rows) - most, 'function')} more")
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
    values: FloatArray, numbers: npt.ArrayLike, labels: Mapping[str, Sequence[str]], scalings: Mapping[str, Scaling]
) -> Extrapolations:
    """Find the values of a structure outside the range of the training set.

    Parameters
    ----------
    values : (n, s) float64
        Symmetry functions of all atoms, not scaled.
    numbers : (n,) int64
        Atomic numbers.
    labels : mapping of str to list of str
        Names of the functions of each element.
    scalings : mapping of str to Scaling
        `minimum` and `maximum` of the columns of each element.

    Returns
    -------
    Extrapolations
        Sorted by atom and column; the bounds are those of `Scaling.bounds`.
    """
    species = np.asarray(numbers, dtype=np.int64)
    names = np.array([chemical_symbol(number) for number in species.tolist()], dtype="<U2")
    return _search(values, names, np.arange(len(species)), np.full(len(species), -1), labels, scalings)


def find_pairs(pairs: PCSFValues, model: PCSFModel) -> Extrapolations:
    """Find the values of pair-centred functions outside the range of the training set; see `find`."""
    inside = pairs.inside
    names = np.array(model.descriptor.kinds)[pairs.kind[inside]]
    rows = pairs.values[inside], names, pairs.i[inside], pairs.j[inside]
    return _search(*rows, model.descriptor.labels, model.scalings)


def join(parts: Sequence[Extrapolations]) -> Extrapolations:
    """Join the extrapolations of atoms and of pairs."""
    fields = ("atom", "partner", "column", "value", "minimum", "maximum", "distance", "name")
    arrays = {field: np.concatenate([getattr(part, field) for part in parts]) for field in fields}
    labels = {name: names for part in parts for name, names in part.labels.items()}
    return Extrapolations(**arrays, labels=labels)


def _search(
    values: FloatArray,
    names: npt.NDArray[Any],
    atoms: IntArray,
    partners: IntArray,
    labels: Mapping[str, Sequence[str]],
    scalings: Mapping[str, Scaling],
) -> Extrapolations:
    """Find the values (m, s) of rows outside the range of the scaling of their element or kind."""
    parts = [np.empty((5, 0))]
    for name in np.unique(names).tolist():
        if name not in scalings:  # an element without atom-centred functions
            continue
        scaling, rows = scalings[name], np.flatnonzero(names == name)
        lower, upper = scaling.bounds()
        own = values[rows, : len(lower)]
        row, column = np.nonzero((own < lower) | (own > upper))
        limits = scaling.minimum[column], scaling.maximum[column]
        parts.append(np.stack([rows[row], column, own[row, column], *limits]))
    found = np.concatenate(parts, axis=1)
    row_of, column, value, low, high = found[:, np.lexsort((found[1], found[0]))]
    with np.errstate(divide="ignore"):
        distance = np.maximum(low - value, value - high) / (high - low)
    row = row_of.astype(np.int64)
    indices = atoms[row], partners[row], column.astype(np.int64)
    return Extrapolations(*indices, value, low, high, distance, names[row], labels)


def _far(distance: float) -> str:
    return "never changed in training" if np.isinf(distance) else f"by {100 * distance:.3g} % of the range"

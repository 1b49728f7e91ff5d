"""Pairs of a list for which pair-centred functions are computed, each once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fastsf.kernels.acsf.tables import Neighbors
from fastsf.kernels.pcsf import rows as pcsf_rows
from fastsf.kernels.pcsf.tables import PCSFRows, PCSFTables
from fastsf.neighbors.pairs import Pairs
from fastsf.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PairRows:
    """Unordered pairs, sorted by the atom i that owns them, their kind and the list of pairs.

    Half of the pairs of i and j belong to each of them. The list of pairs must outlive this object.

    Parameters
    ----------
    pairs : Pairs
        The list of pairs.
    kernel_rows : PCSFRows
        The rows as the kernels take them.
    i, j : (m,) int64
        The atoms; j in the image `shift`.
    """

    pairs: Pairs = field(repr=False)
    kernel_rows: PCSFRows = field(repr=False)
    i: IntArray
    j: IntArray

    @classmethod
    def of(cls, tables: PCSFTables, pairs: Pairs, species: IntArray) -> PairRows:
        """Choose the rows of a list: pairs no farther than the cutoff of their kind and the list's skin."""
        neighbors = Neighbors(pairs.start, pairs.neighbor, pairs.vector, species)
        first, reverse = np.zeros(len(species) + 1, dtype=np.int64), pairs.reverse
        pcsf_rows.count_rows(tables, neighbors, reverse, pairs.skin, first)
        m = int(first[-1])
        rows = PCSFRows(first, np.empty(m, np.int64), np.empty(m, np.int64), np.empty(len(pairs), np.int64))
        pcsf_rows.fill_rows(tables, neighbors, reverse, pairs.skin, rows)
        i = np.repeat(np.arange(len(species)), np.diff(first))
        return cls(pairs, rows, i, pairs.neighbor[rows.pair])

    def chosen(self, keep: BoolArray) -> PairRows:
        """Return some of the rows (m,) bool."""
        rows, before = self.kernel_rows, np.concatenate([[0], np.cumsum(keep)])
        index = np.append(np.where(keep, before[:-1], -1), -1)  # the last one for pairs that have no row
        kernel_rows = PCSFRows(before[rows.first], rows.pair[keep], rows.kind[keep], index[rows.row])
        return PairRows(self.pairs, kernel_rows, self.i[keep], self.j[keep])

    def __len__(self) -> int:
        return len(self.i)

    @property
    def first(self) -> IntArray:
        """(n + 1,) int64: rows of atom i are first[i] to first[i + 1]."""
        return self.kernel_rows.first

    @property
    def pair(self) -> IntArray:
        """(m,) int64: index in the list of pairs."""
        return self.kernel_rows.pair

    @property
    def kind(self) -> IntArray:
        """(m,) int64: index of the kind of pairs."""
        return self.kernel_rows.kind

    @property
    def shift(self) -> IntArray:
        """(m, 3) int64: cell vectors from the given position of j to its image."""
        return self.pairs.shift[self.pair]

    @property
    def vector(self) -> FloatArray:
        """(m, 3) float64: r_j - r_i of that image, Å."""
        return self.pairs.vector[self.pair]

    @property
    def distance(self) -> FloatArray:
        """(m,) float64, Å."""
        distance: FloatArray = np.sqrt((self.vector**2).sum(axis=1))
        return distance

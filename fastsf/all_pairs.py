"""Neighbours in small molecules, where preparing a search costs more than looking at every pair."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastsf.kernels.all_pairs import find_pairs
from fastsf.neighbors import Pairs
from fastsf.structure import IntArray, Structure

MOST_ATOMS = 64
"""Measured: up to here it takes a seventh of the time of a search."""


class AllPairs(Pairs):
    """`Pairs` of a few atoms that nothing repeats; every update finds them anew, whatever the skin.

    Make one with `build`, of a structure that `fits`. What it holds depends on nothing but where the atoms are now.
    """

    @staticmethod
    def fits(structure: Structure) -> bool:
        """Whether the structure is small enough, and not periodic."""
        return len(structure) <= MOST_ATOMS and True not in structure.pbc.tolist()

    def update(self, positions: npt.ArrayLike, cell: npt.ArrayLike | None = None) -> bool:
        """Find the pairs of moved atoms; parameters and result as of `Pairs.update`."""
        self._rebuild(self._before_and_after(positions, cell)[1])
        return True

    @property
    def shift(self) -> IntArray:
        """Zeros (p, 3), as there are no cell vectors to count."""
        return np.zeros((len(self), 3), dtype=np.int64)

    def _rebuild(self, structure: Structure) -> None:
        if self._structure is None:
            n = len(structure)
            most = n * max(n - 1, 0)
            self._cursor, self.start = np.empty(n, np.int64), np.empty(n + 1, np.int64)
            self._room = np.empty(most, np.int64), np.empty((most, 3)), np.empty(most, np.int64)
        self._structure = structure
        neighbor, vector, reverse = self._room
        total = find_pairs(structure.positions, self.cutoff, self._cursor, self.start, neighbor, vector, reverse)
        self.neighbor, self.vector, self._reverse = neighbor[:total], vector[:total], reverse[:total]

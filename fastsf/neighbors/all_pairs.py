"""Neighbours in small molecules and cells, where testing every pair is cheaper than a search."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.kernels.pairs.all_pairs import count_images, find_pairs
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure
from fastsf.types import IntArray

MOST_ATOMS = 64
"""Most atoms: for so many, testing every pair was measured to take a seventh of the time of a search."""

MOST_TESTS = 10_000
"""Most pairs of atoms and images in periodic structures: testing so many was measured to be faster than a search."""

_MOST_EVER = 2**31


class AllPairs(Pairs):
    """`Pairs` of a few atoms with few images; every update finds them again, whatever the skin is.

    Make one with `build`, from a structure that `fits`. The pairs depend on the current positions
    only.
    """

    @staticmethod
    def fits(structure: Structure, cutoff: float) -> bool:
        """Return True if there are few enough atoms, and images within the cutoff (Å)."""
        n = len(structure)
        return n <= MOST_ATOMS and (_is_free(structure) or n * n * _images(structure, cutoff) <= MOST_TESTS)

    def update(self, positions: npt.ArrayLike, cell: npt.ArrayLike | None = None) -> bool:
        """Find the pairs of moved atoms; parameters and result are those of `Pairs.update`."""
        self._rebuild(self._before_and_after(positions, cell)[1])
        return True

    @property
    def shift(self) -> IntArray:
        """Cell vectors from the given position of j to its image: (p, 3) int64. A new array each time."""
        first = np.repeat(np.arange(len(self._positions)), np.diff(self.start))
        given = self._positions[self.neighbor] - self._positions[first]
        shift: IntArray = np.rint((self.vector - given) @ np.linalg.inv(self._cell)).astype(np.int64)
        return shift

    def _rebuild(self, structure: Structure) -> None:
        n, images = len(structure), 1 if _is_free(structure) else _images(structure, self.cutoff)
        if self._structure is None or n * n * images > len(self._buffer[0]):
            self._resize(n, images)
        self._structure, self._positions, self._cell = structure, structure.positions, structure.cell
        neighbor, vector, reverse = self._buffer
        lattice = structure.cell, structure.pbc
        total = find_pairs(structure.positions, *lattice, self.cutoff, self.start, neighbor, vector, reverse)
        self.neighbor, self.vector, self._reverse = neighbor[:total], vector[:total], reverse[:total]

    def _resize(self, atoms: int, images: float) -> None:
        if atoms * atoms * images > _MOST_EVER:
            raise InputError(f"expected a shorter cutoff, found {self.cutoff} Å, which reaches {images:.0f} cells")
        most = int(atoms * atoms * images)
        self.start = np.empty(atoms + 1, np.int64)
        self._buffer = np.empty(most, np.int64), np.empty((most, 3)), np.empty(most, np.int64)


def _is_free(structure: Structure) -> bool:
    return True not in structure.pbc.tolist()


def _images(structure: Structure, cutoff: float) -> float:
    return float(count_images(structure.cell, structure.pbc, cutoff))

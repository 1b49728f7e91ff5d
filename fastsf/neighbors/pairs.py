"""Pairs of neighbours for everything inside fastsf, kept up to date while the atoms move.

A pair (i, j, S) stands for atom j, shifted by S whole cell vectors, as seen from atom i: D = r_j -
r_i + S cell, shorter than the cutoff. A list has every pair twice, as (i, j, S) and (j, i, -S). The
atoms need not be inside the cell. An atom is its own neighbour only through a periodic image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.kernels.pairs import lists as cells_pairs
from fastsf.neighbors import search as pair_search
from fastsf.structure import Structure
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms

_ENDLESS = 1e100
"""Å; squares of shorter lengths are in the range of floats."""


class Images(NamedTuple):
    """Atoms and their images, as `fastsf.kernels.pairs.lists` moves them; n atoms, p pairs."""

    search: Any  # `fastsf.kernels.pairs.cells.Search`
    wraps: IntArray  # (n, 3)
    wrapped: FloatArray  # (n, 3)
    image: IntArray  # (p,) int32: that of the other atom of each pair


class Pairs:
    """Neighbours of every atom, kept up to date while the atoms move.

    Make one with `build` or `concatenate`. Arrays are views of buffers that later updates write
    into.

    Attributes
    ----------
    start : (n + 1,) int64
        Pairs of atom i are start[i] to start[i + 1].
    neighbor : (p,) int64
        The other atom j.
    vector : (p, 3) float64
        r_j - r_i of that image, Å.
    cutoff : float
        Å; pairs up to cutoff + skin may be in the list.
    skin : float
        Å.
    """

    start: IntArray
    neighbor: IntArray
    vector: FloatArray

    def __init__(self, cutoff: float, skin: float = 0.0, threads: int | None = None) -> None:
        self.cutoff = checked_radius(cutoff)
        self.skin = float(skin)
        if not (math.isfinite(self.skin) and self.skin >= 0):
            raise InputError(f"skin: expected at least 0 Å, found {skin}")
        self.threads = checked_threads(threads)
        self._buffers = pair_search.Buffers()
        self._reverse: IntArray | None = None
        self._structure: Structure | None = None

    @classmethod
    def build(cls, structure: Atoms | Structure, cutoff: float, skin: float = 0.0, threads: int | None = None) -> Pairs:
        """Find the pairs of a structure.

        Parameters
        ----------
        structure : Structure or ase.Atoms
            The structure.
        cutoff : float
            Å.
        skin : float, optional
            Distance beyond the cutoff up to which pairs are kept, Å. They are found again when an
            atom has moved by more than half of it.
        threads : int, optional
            By default as many as numba uses. With 1, several Python threads may call the method at
            once.

        Raises
        ------
        InputError
            For a cutoff that is not positive or a skin that is negative.
        StructureError
            For structures that cannot be used.
        """
        pairs = cls(cutoff, skin, threads)
        pairs._rebuild(Structure.from_atoms(structure))
        return pairs

    @classmethod
    def concatenate(cls, structures: Sequence[Structure], cutoff: float, threads: int | None = None) -> Pairs:
        """Find the pairs of many structures, as one list; atoms are counted through all structures.

        Parameters
        ----------
        structures : sequence of Structure
            Any number of structures, whose atoms follow each other.
        cutoff : float
            Å.
        threads : int, optional
            As for `build`.

        Returns
        -------
        Pairs
            A list that cannot be updated.
        """
        pairs = cls(cutoff, 0.0, threads)
        pairs._search(structures)
        return pairs

    def update(self, positions: npt.ArrayLike, cell: npt.ArrayLike | None = None) -> bool:
        """Update the vectors of moved atoms, and search again if an atom has moved by more than half the skin.

        Parameters
        ----------
        positions : (n, 3) array
            Positions of the same atoms in Å, without jumps by cell vectors.
        cell : (3, 3) array, optional
            A new cell; unless it is equal to the old one, pairs are found again.

        Returns
        -------
        bool
            True if the pairs were found again; indices of pairs then have a new meaning.
        """
        old, new = self._before_and_after(positions, cell)
        same_cell = cell is None or np.array_equal(new.cell, old.cell)
        if not same_cell or cells_pairs.farthest_move(new.positions, old.positions) > (self.skin / 2) ** 2:
            self._rebuild(new)
            return True
        self._refresh(new.positions, old.cell)
        return False

    def _before_and_after(self, positions: npt.ArrayLike, cell: npt.ArrayLike | None) -> tuple[Structure, Structure]:
        old = self._structure
        if old is None:
            raise InputError("pairs of several structures cannot be updated")
        if cell is None:
            return old, old.moved_to(positions)
        return old, Structure.from_arrays(positions, cell, old.pbc, old.numbers)

    @property
    def reverse(self) -> IntArray:
        """Index of the pair (j, i, -S) for each pair (i, j, S): (p,) int64. Found at the first access."""
        if self._reverse is None:
            self._reverse = self._buffers.get("reverse", len(self.neighbor), np.int64)
            arrays = (self.start, self._buffers.padded("neighbor"), self.vector.reshape(-1))
            run(self.threads, cells_pairs.reverse_range, arrays, len(self.start) - 1, (self._reverse,))
        return self._reverse

    @property
    def shift(self) -> IntArray:
        """Cell vectors from the given position of j to its image: (p, 3) int64. A new array at each access."""
        if not len(self):
            return np.empty((0, 3), dtype=np.int64)
        wraps = np.repeat(self._prepared.lattices.wraps, np.diff(self.start), axis=0)
        return np.asarray(self._prepared.search.shift[self._image] + wraps, dtype=np.int64)

    @property
    def images(self) -> Images:
        """Images of the atoms, for kernels that follow moving atoms."""
        lattices, search = self._prepared
        return Images(search, lattices.wraps, lattices.wrapped, self._image)

    def __len__(self) -> int:
        return len(self.neighbor)

    def rebuild(self, structure: Structure) -> None:
        """Find the pairs of a structure in place of the present ones."""
        self._rebuild(structure)

    def _rebuild(self, structure: Structure) -> None:
        self._structure = structure
        self._search([structure])

    def _search(self, structures: Sequence[Structure]) -> None:
        buffers = self._buffers
        self._reverse = None
        self.start = buffers.get("start", sum(len(structure) for structure in structures) + 1, np.int64)
        if structures:
            self._prepared = pair_search.prepare(structures, self.cutoff + self.skin, buffers, self.threads)
            pair_search.count(self._prepared, self.start, buffers, self.threads)
        else:
            self.start[0] = 0
        total = int(self.start[-1])
        self.neighbor = buffers.get("neighbor", total, np.int64)
        self.vector = buffers.rows("vector", total, np.float64)
        self._image = buffers.get("image", total, np.int32)
        arrays = {"j": self.neighbor, "D": self.vector, "image": self._image}
        if structures:
            pair_search.fill(self._prepared, self.start, arrays, self.threads)

    def _refresh(self, positions: FloatArray, cell: FloatArray) -> None:
        lattices, search = self._prepared
        cells_pairs.move_images(search, lattices.wraps, positions, cell, lattices.wrapped)
        arrays = (search.points, lattices.wrapped, self.start, self._image)
        run(self.threads, cells_pairs.refresh_range, arrays, len(positions), (self.vector.reshape(-1),))


def checked_threads(threads: int | None) -> int | None:
    """Return a number of threads.

    Raises
    ------
    InputError
        If it is less than one.
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads: expected at least 1, found {threads}")
    return threads


def checked_radius(cutoff: Any) -> float:
    """Return a cutoff in Å.

    Raises
    ------
    InputError
        If it is not a positive, finite number.
    """
    try:
        radius = float(cutoff)
    except (TypeError, ValueError):
        radius = math.nan
    if not 0 < radius < _ENDLESS:
        raise InputError(f"cutoff: expected a positive, finite number of Å, found {cutoff!r}")
    return radius

"""Sites of a simulation: their neighbour list, kept while single atoms move, and their energies."""

from __future__ import annotations

import numpy as np

from fastsf.kernels.acsf.tables import Neighbors
from fastsf.kernels.dynamics.monte_carlo import Listed
from fastsf.kernels.energies import chosen_energies
from fastsf.kernels.pairs.lists import ImagePositions
from fastsf.neighbors.pairs import Pairs
from fastsf.potentials.result import Model
from fastsf.structure import Structure
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray


class Sites:
    """The sites of atoms with their neighbour list.

    Parameters
    ----------
    model : Model
        The potential.
    structure : Structure
        First structure.
    species : (n,) int64
        Element index of each site; kept, not copied.
    skin : float
        Skin in Å; the list is valid until a site is farther than half of it from its origin.
    threads : int or None
        As in `fastsf.threads.run`.

    Attributes
    ----------
    origin : (n, 3) float64
        Positions in Å for which the list was made.
    cell : (3, 3) float64
        Cell in Å.
    neighbors : Neighbors
        Neighbour list; views of buffers.
    listed : Listed
        Further arguments of the moves.
    """

    def __init__(
        self, model: Model, structure: Structure, species: IntArray, skin: float, threads: int | None = None
    ) -> None:
        self._model, self._species, self._threads = model, species, threads
        self._pbc, self._numbers = structure.pbc, structure.numbers
        self._pairs = Pairs.build(structure, model.descriptor.cutoff, skin, threads)
        self._take(structure)

    def find(self, positions: FloatArray, cell: FloatArray) -> None:
        """Make a new list for sites at the positions (n, 3) in the cell (3, 3)."""
        structure = Structure(positions.copy(), cell.copy(), self._pbc, self._numbers)
        self._pairs.rebuild(structure)
        self._take(structure)

    def follow(self, positions: FloatArray) -> None:
        """Move all sites to the positions (n, 3), within half of the skin of their origins."""
        self._pairs.update(positions)

    def _take(self, structure: Structure) -> None:
        pairs, tables = self._pairs, self._model.descriptor.tables
        self.origin, self.cell = structure.positions, structure.cell
        self.neighbors = Neighbors(pairs.start, pairs.neighbor, pairs.vector, self._species)
        lanes = chosen_energies.lanes_needed(tables, self.neighbors)
        squares = (pairs.skin / 2) ** 2, pairs.cutoff**2
        kept = pairs.images
        images = ImagePositions(self.cell, kept.wraps, kept.wrapped, kept.image, kept.search.points)
        self.listed = Listed(pairs.reverse, images, self.origin, *squares, lanes)

    def energies(self) -> tuple[FloatArray, IntArray]:
        """Return the energies (n,) in eV, and the number of functions of each site outside the training range."""
        n = len(self._species)
        energies, outside = np.empty(n), np.empty(n, np.int64)
        model, lanes = self._model, self.listed.lanes
        arguments = (model.descriptor.tables, model.networks, self.neighbors, np.arange(n), lanes)
        run(self._threads, chosen_energies.energies_range, arguments, n, (energies, outside))
        return energies, outside

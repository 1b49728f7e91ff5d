"""The arguments of the compiled steps that depend on the potential and the neighbour list."""

from __future__ import annotations

import numpy as np

from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.kernels.acsf.tables import SUMS, Neighbors
from fastsf.kernels.dynamics import md as kernels
from fastsf.kernels.pairs import forces
from fastsf.kernels.pairs import lists as cells_pairs
from fastsf.kernels.pointers import Loop, make_loop
from fastsf.md.pcsf_loops import make_pcsf_loops
from fastsf.neighbors.pairs import Images, Pairs
from fastsf.potentials.precision import kernel_set
from fastsf.potentials.result import Model
from fastsf.structure import Structure
from fastsf.threads import threads_for, workers_of
from fastsf.types import FloatArray

_MANY = 100
"""Number of atoms from which the cheap loops also use threads."""


class Workspace:
    """The neighbour list of a structure and memory for its forces.

    Parameters
    ----------
    model : Model
        The potential.
    structure : Structure
        First structure; elements and periodicity do not change.
    skin : float
        Distance in Å by which the list exceeds the cutoff.
    threads : int, optional
        Number of threads; by default all.
    gradient : (n, 3) float64
        Array into which forces are written.

    Attributes
    ----------
    lists : kernels.Lists
        Neighbour list.
    forces : kernels.Forces
        Memory for the forces, and the loops that fill it.
    positions, cell : (n, 3) and (3, 3) float64
        Positions and cell of the neighbour list, Å.

    Raises
    ------
    StructureError
        For elements that the potential does not know.
    InputError
        For a skin or a number of threads outside its range.
    """

    def __init__(
        self, model: Model, structure: Structure, skin: float, threads: int | None, gradient: FloatArray
    ) -> None:
        n = len(structure)
        self._model, self._species = model, model.descriptor.species_of(structure.numbers)
        self._pairs = Pairs(model.cutoff, skin, threads)
        self._values = np.zeros((n, model.descriptor.n_features))
        self._each, self._outside, self._sums = np.empty(n), np.empty(n, np.int64), np.empty((n, SUMS))
        self._pair_gradient, self._gradient, self._change = np.empty((0, 3)), gradient, np.empty((3, 3))
        self.threads = threads_for(threads, n)
        self._loops: tuple[Loop | None, Loop | None, Loop | None] = None, None, None
        self._of_pairs: kernels.PCSFLoops | None = None
        self.find_pairs(structure)

    def find_pairs(self, structure: Structure) -> None:
        """Make a new neighbour list.

        Parameters
        ----------
        structure : Structure
            The same atoms at other positions.
        """
        self.positions, self.cell = structure.positions, structure.cell
        pairs = self._pairs
        pairs.rebuild(structure)
        if len(self._pair_gradient) < len(pairs):
            self._pair_gradient = np.empty((len(pairs) + len(pairs) // 4, 3))
        images, inverse = pairs.images, np.linalg.inv(structure.cell)
        self.lists = kernels.Lists(
            images.search,
            images.wraps,
            images.wrapped,
            structure.positions,
            inverse,
            self._change,
            pairs.cutoff,
            pairs.skin,
        )
        self.forces = self._forces(images)

    def _forces(self, images: Images) -> kernels.Forces:
        pairs, n, model = self._pairs, len(self._values), self._model
        neighbors = Neighbors(pairs.start, pairs.neighbor, pairs.vector, self._species)
        points = images.search.points, images.wrapped, pairs.start, images.image
        atoms = self._values, self._each, self._outside
        gathered = pairs.start, pairs.reverse, self._pair_gradient, self._sums
        cheap, costly = (0, n, workers_of(self.threads if n >= _MANY else 1)), (0, n, workers_of(self.threads))
        evaluation = (model.descriptor.tables, model.networks, neighbors, *costly, *atoms, *gathered[2:])
        loops = (
            (cells_pairs.refresh_range, (*points, *cheap, pairs.vector.reshape(-1))),
            (kernel_set(model.precision).energies.energies_range, evaluation),
            (forces.gather_range, (*gathered, *cheap, self._gradient)),
        )
        vectors, energies, gather = (make_loop(*loop, before) for loop, before in zip(loops, self._loops, strict=True))
        self._loops = vectors, energies, gather
        if model.pairs is not None:
            filled = self._each, self._outside, self._pair_gradient, self._sums
            rows = PairRows.of(model.pairs.descriptor.packed.tables, pairs, self._species).kernel_rows
            self._of_pairs = make_pcsf_loops(model.pairs, rows, neighbors, filled, self.threads, self._of_pairs)
        return kernels.Forces(vectors, energies, self._of_pairs, gather, *atoms, self._sums)

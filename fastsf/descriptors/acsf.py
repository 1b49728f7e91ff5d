"""The descriptor of atoms: atom-centred symmetry functions of structures, and their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from fastsf.descriptors import packing
from fastsf.descriptors.base import Descriptor, Rows, is_single, numbers_of, structures_of
from fastsf.descriptors.jacobian import SparseJacobian, sparse_jacobian
from fastsf.errors import InputError, StructureError
from fastsf.kernels.acsf import jvp as acsf_jvp
from fastsf.kernels.acsf import values as acsf
from fastsf.kernels.acsf import vjp as acsf_vjp
from fastsf.kernels.acsf.tables import Neighbors, Tables
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure
from fastsf.symmetry import recipes
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.definition import ATOM_CENTERED, Catalogue
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms

Centers: TypeAlias = Sequence[int] | npt.NDArray[Any] | None


class ACSF(Descriptor):
    """Atom-centred symmetry functions of a fixed list of functions.

    Rows of the results are centres, columns features: the functions of the centre's element in
    their order. Elements with fewer functions than others have zeros in the last columns.

    Parameters
    ----------
    functions : sequence of Radial or Angular
        See `fastsf.symmetry.atoms`; the order within one central element is the order of its
        columns.
    elements : sequence of str, optional
        Elements that structures may contain; by default those that the functions name.
    threads : int, optional
        Threads of the kernels; by default all that numba has. With 1, nothing runs in parallel, and
        the descriptor may be used from several Python threads at once.

    Attributes
    ----------
    tables : Tables
        The functions as the kernels take them.

    Raises
    ------
    InputError
        If there are no functions, an element is unknown or a function names one that is not among
        `elements`.
    """

    centered_on: ClassVar[Rows] = "atoms"
    catalogue: ClassVar[Catalogue[SymmetryFunction]] = ATOM_CENTERED
    _noun: ClassVar[str] = "symmetry functions"
    _make = staticmethod(recipes.make)

    @classmethod
    def without_functions(cls, elements: Sequence[str], *, threads: int | None = None) -> ACSF:
        """Return the descriptor of potentials that have terms of pairs alone: no columns, and a cutoff of 0."""
        descriptor = cls.__new__(cls)
        descriptor._set((), elements, threads)
        return descriptor

    def _owners(self) -> Sequence[str]:
        return self.elements

    def _pack(self) -> None:
        self.cutoff = max((function.envelope.radius for function in self.functions), default=0.0)
        self.tables = packing.pack(self.elements, self.columns)

    def _sums(self, structures: Sequence[Structure], centers: IntArray | None = None) -> _AtomSums:
        numbers = numbers_of(structures)
        pairs = Pairs.concatenate(structures, self.cutoff, threads=self.threads)
        species, chosen = self.species_of(numbers), np.arange(len(numbers)) if centers is None else centers
        for element in np.unique(species[chosen]):
            if not self.columns[self.elements[element]]:
                raise StructureError(f"no functions for central element {self.elements[element]}")
        return _AtomSums(self.tables, self.n_features, pairs, species, chosen, self.threads)

    @overload
    def create(self, atoms: Atoms | Structure, centers: Centers = None) -> FloatArray: ...

    @overload
    def create(
        self, atoms: Sequence[Atoms | Structure], centers: Sequence[Centers] | None = None
    ) -> list[FloatArray]: ...

    def create(self, atoms: Any, centers: Any = None) -> FloatArray | list[FloatArray]:
        """Return the values of the symmetry functions.

        Parameters
        ----------
        atoms : ase.Atoms or sequence of ase.Atoms
            Structures; several are evaluated together.
        centers : sequence of int, optional
            Indices of the central atoms; by default all. For several structures, a sequence of such
            sequences.

        Returns
        -------
        (n_centers, n_features) float64, or a list of such arrays

        Raises
        ------
        StructureError
            For elements without functions, positions that are not finite, periodic cells without
            volume.
        """
        if centers is None:
            values: FloatArray | list[FloatArray] = super().create(atoms)
            return values
        if not is_single(atoms):
            return [self.create(one, chosen) for one, chosen in zip(structures_of(atoms), centers, strict=True)]
        structure = Structure.from_atoms(atoms)
        return self._sums([structure], _checked_centers(centers, len(structure))).values()

    def derivatives(  # type: ignore[override]
        self, atoms: Atoms | Structure, centers: Centers = None, sparse: bool = False
    ) -> tuple[FloatArray | SparseJacobian, FloatArray]:
        """Return the derivatives of the values with respect to the positions of all atoms, and the values.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        centers : sequence of int, optional
            Indices of the central atoms; by default all.
        sparse : bool
            Return a `SparseJacobian` in place of the dense array.

        Returns
        -------
        derivatives : (n_centers, n_atoms, 3, n_features) float64 or SparseJacobian
            As DScribe orders it: centre, atom that is moved, component, feature. 1/Å.
        values : (n_centers, n_features) float64
        """
        structure = Structure.from_atoms(atoms)
        sums = self._sums([structure], _checked_centers(centers, len(structure)))
        return self._derivatives(sums, len(structure), sparse)


@dataclass(frozen=True, eq=False)
class _AtomSums:
    """Functions of some atoms of a list of pairs; see `fastsf.descriptors.base.RowSums`."""

    tables: Tables
    n_features: int
    pairs: Pairs
    species: IntArray
    centers: IntArray
    threads: int | None
    rows: None = None

    @property
    def first(self) -> IntArray:
        return np.arange(len(self.species) + 1)

    def values(self) -> FloatArray:
        out = np.zeros((len(self.centers), self.n_features))
        self._run(acsf.values_range, out)
        return out

    def jacobian(self) -> tuple[SparseJacobian, FloatArray]:
        return sparse_jacobian(self.tables, self._neighbors, self.centers, self.n_features, self.threads)

    def sum_neighbors(self) -> None:
        """Do nothing: each row is a sum of its own."""

    def change(self, vectors: FloatArray, out: FloatArray) -> None:
        self._run(acsf_jvp.jvp_range, vectors, out)

    def gradient(self, weights: FloatArray, g: FloatArray, sums: FloatArray) -> None:
        self._run(acsf_vjp.vjp_range, weights[:, None], g[None], sums[None])

    @property
    def _neighbors(self) -> Neighbors:
        return Neighbors(self.pairs.start, self.pairs.neighbor, self.pairs.vector, self.species)

    def _run(self, loop: Any, *results: FloatArray) -> None:
        run(self.threads, loop, (self.tables, self._neighbors, self.centers), len(self.centers), results)


def _checked_centers(centers: Centers, n_atoms: int) -> IntArray:
    if centers is None:
        return np.arange(n_atoms)
    chosen = np.asarray(centers)
    if chosen.size == 0:
        return np.empty(0, dtype=np.int64)
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer):
        raise InputError(f"centers: expected a list of atom indices, found {centers!r}")
    if chosen.min() < -n_atoms or chosen.max() >= n_atoms:
        raise InputError(f"centers: indices must be below {n_atoms}, found {int(chosen.max())}")
    return np.ascontiguousarray(np.where(chosen < 0, chosen + n_atoms, chosen), dtype=np.int64)

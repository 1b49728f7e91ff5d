"""The part of descriptors that atom- and pair-centred functions share: checks, construction and evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, overload

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.jacobian import SparseJacobian
from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.descriptors.products import checked_array, gathered, moved_vectors, strained_vectors
from fastsf.elements import atomic_number, chemical_symbol
from fastsf.errors import FormatError, InputError, StructureError
from fastsf.io.definition import is_definition, read_definition
from fastsf.io.n2p2.functions import read_functions
from fastsf.kernels.acsf.tables import SUMS, VIRIAL
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure
from fastsf.symmetry.definition import Catalogue
from fastsf.symmetry.entries import checked_elements
from fastsf.symmetry.sets import elements_of, families_in_words, joined_labels
from fastsf.types import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms
    from typing_extensions import Self

Rows = Literal["atoms", "pairs"]


class Batch(NamedTuple):
    """Result of `Descriptor.evaluate_batch`."""

    values: FloatArray
    """(m, n_features): values."""
    derivatives: SparseJacobian | None
    """Derivatives, if wanted; their rows are those of the values."""
    pairs: Any = None
    """`PairRows` that the rows belong to; None where rows are atoms."""


class RowSums(Protocol):
    """Functions of some rows (atoms or pairs), evaluated over one list of pairs."""

    @property
    def pairs(self) -> Pairs:
        """List of pairs."""

    @property
    def rows(self) -> PairRows | None:
        """Pairs that the rows belong to; None where rows are atoms."""

    @property
    def first(self) -> IntArray:
        """(n + 1,) int64: rows of atom i are first[i] to first[i + 1]."""

    def values(self) -> FloatArray:
        """Return the values (m, n_features)."""

    def jacobian(self) -> tuple[SparseJacobian, FloatArray]:
        """Return the derivatives and the values."""

    def sum_neighbors(self) -> None:
        """Work out the part of the values that `change` and `gradient` need."""

    def change(self, vectors: FloatArray, out: FloatArray) -> None:
        """Add the change of the values (m, n_features) along a change of the pair vectors (p, 3) to `out`."""

    def gradient(self, weights: FloatArray, g: FloatArray, sums: FloatArray) -> None:
        """Add the gradient of sum(weights * values) with respect to the pair vectors to `g` (p, 3).

        `sums` (n, 12) takes sum_p g_p (3) and sum_p r_p (x) g_p (9) of each atom.
        """


class Descriptor(ABC):
    """Symmetry functions of a fixed list of functions; `ACSF` or `PCSF`.

    Parameters
    ----------
    functions : sequence of symmetry functions
        The order within one element or kind of pairs is the order of its columns.
    elements : sequence of str, optional
        Elements that structures may contain; by default those that the functions name.
    threads : int, optional
        Threads of the kernels; by default all that numba has. With 1, nothing runs in parallel, and
        the descriptor may be used from several Python threads at once.

    Attributes
    ----------
    centered_on : "atoms" or "pairs"
        Owners of the rows of the values.
    elements : tuple of str
        Elements that structures may contain.
    columns : dict of str to tuple of functions
        Functions of each element or kind of pairs.
    cutoff : float
        Å; the farthest that any function reaches.
    n_features : int
        Columns.

    Raises
    ------
    InputError
        If there are no functions, an element is unknown or a function names one that is not among
        `elements`.
    """

    centered_on: ClassVar[Rows]
    catalogue: ClassVar[Catalogue[Any]]
    _noun: ClassVar[str]
    cutoff: float

    def __init__(
        self, functions: Sequence[Any], *, elements: Sequence[str] | None = None, threads: int | None = None
    ) -> None:
        if not functions:
            raise InputError("a descriptor needs at least one symmetry function")
        self._set(functions, elements, threads)

    def _set(self, functions: Sequence[Any], elements: Sequence[str] | None, threads: int | None) -> None:
        self.functions: tuple[Any, ...] = tuple(functions)
        named = elements_of(self.functions)
        self.elements = tuple(named if elements is None else checked_elements(elements))
        strangers = [symbol for symbol in named if symbol not in self.elements]
        if strangers:
            raise InputError(f"functions name {', '.join(strangers)}, but elements are {', '.join(self.elements)}")
        if threads is not None and threads < 1:
            raise InputError(f"threads must be at least 1, found {threads}")
        self.threads = threads
        self.columns = {name: tuple(f for f in self.functions if f.owner == name) for name in self._owners()}
        self.n_features = max(len(columns) for columns in self.columns.values())
        self._index = np.full(128, -1, dtype=np.int64)
        self._index[[atomic_number(symbol) for symbol in self.elements]] = np.arange(len(self.elements))
        self._pack()

    @abstractmethod
    def _owners(self) -> Sequence[str]:
        """Return the elements or kinds of pairs that can have columns."""

    @abstractmethod
    def _pack(self) -> None:
        """Set the cutoff, and the functions as the kernels take them."""

    @abstractmethod
    def _sums(self, structures: Sequence[Structure]) -> RowSums:
        """Find the pairs of some structures."""

    # --- construction ---

    @staticmethod
    @abstractmethod
    def _make(name: str, elements: Sequence[str], /, cutoff: float | None = None, **options: Any) -> list[Any]:
        """Make the functions of a recipe."""

    @classmethod
    def from_recipe(
        cls,
        name: str,
        elements: Sequence[str],
        cutoff: float | None = None,
        *,
        threads: int | None = None,
        **options: Any,
    ) -> Self:
        """Return the descriptor of a recipe; `fastsf.symmetry.recipes` has names, options and sources."""
        return cls(cls._make(name, elements, cutoff, **options), elements=elements, threads=threads)

    @classmethod
    def from_file(cls, path: str | Path, length_unit: str = "Angstrom", *, threads: int | None = None) -> Self:
        """Return the descriptor of a TOML or YAML file, or of a RuNNer/n2p2 ``input.nn`` (any other name).

        Parameters
        ----------
        path : path-like
            The file. Columns of an ``input.nn`` are in n2p2's order, that of ``scaling.data``.
        length_unit : str
            Unit of length of an ``input.nn``, by ASE's names. TOML and YAML files name their own.
        threads : int, optional
            As in the constructor.

        Raises
        ------
        FormatError, StorageError
            If the file cannot be read, with the line, or has no such functions.
        """
        atoms = cls.centered_on == "atoms"
        functions: Sequence[Any] = ()
        elements: list[str] = []
        if is_definition(path):
            elements, of_atoms, of_pairs = read_definition(path)
            functions = of_atoms if atoms else of_pairs
        elif atoms:
            elements, functions = read_functions(path, length_unit)
        if not functions:
            other = "PCSF.from_file reads those of pairs" if atoms else "ACSF.from_file reads those of atoms"
            raise FormatError(f"there are no functions of {cls.centered_on}; {other}", path)
        return cls(functions, elements=elements, threads=threads)

    @classmethod
    def from_dict(cls, document: dict[str, Any], *, threads: int | None = None) -> Self:
        """Rebuild a descriptor from `to_dict`."""
        elements, functions = cls.catalogue.from_document(document)
        return cls(functions, elements=elements, threads=threads)

    def to_dict(self) -> dict[str, Any]:
        """Return the definition in plain types, fit for JSON."""
        return self.catalogue.to_document(self.functions, self.elements)

    # --- description ---

    @property
    def labels(self) -> dict[str, list[str]]:
        """Names of the columns of each element or kind of pairs."""
        return {name: [function.label for function in functions] for name, functions in self.columns.items()}

    def get_feature_names_out(self) -> npt.NDArray[Any]:
        """Return the names of the columns; where elements or kinds share a column, " | " joins their names."""
        return joined_labels(self.labels, self.n_features)

    def describe(self) -> str:
        """Return a summary in words: families, numbers of functions, cutoffs."""
        head = f"{len(self.functions)} {self._noun}, largest cutoff {self.cutoff:g} Å"
        return "\n".join([head, *families_in_words(self.columns)])

    def __repr__(self) -> str:
        elements = ", ".join(self.elements)
        return f"<{type(self).__name__}: {elements}, {self.n_features} features, cutoff {self.cutoff:g} Å>"

    def species_of(self, numbers: IntArray) -> IntArray:
        """Return the index of each atom's element among `elements`.

        Parameters
        ----------
        numbers : (n,) int64
            Atomic numbers.

        Raises
        ------
        StructureError
            For other elements.
        """
        species: IntArray = self._index.take(numbers, mode="clip")
        if species.min(initial=0) < 0:
            symbol = chemical_symbol(int(numbers[species < 0][0]))
            raise StructureError(f"no functions for element {symbol}; known are {', '.join(self.elements)}")
        return species

    # --- values ---

    @overload
    def create(self, atoms: Atoms | Structure) -> FloatArray: ...

    @overload
    def create(self, atoms: Sequence[Atoms | Structure]) -> list[FloatArray]: ...

    def create(self, atoms: Any) -> FloatArray | list[FloatArray]:
        """Return the values of the symmetry functions.

        Parameters
        ----------
        atoms : ase.Atoms or sequence of ase.Atoms
            Structures; several are evaluated together.

        Returns
        -------
        (m, n_features) float64, or a list of such arrays
            One row for each atom or pair.

        Raises
        ------
        StructureError
            For unknown elements, positions that are not finite, periodic cells without volume.
        """
        if is_single(atoms):
            return self._sums([Structure.from_atoms(atoms)]).values()
        structures = structures_of(atoms)
        if not structures:
            return []
        sums = self._sums(structures)
        ends = np.cumsum([len(structure) for structure in structures])
        return np.split(sums.values(), sums.first[ends][:-1])

    def evaluate_batch(self, structures: Sequence[Structure], jacobian: bool = False) -> Batch:
        """Return the values, and sparse derivatives if wanted, of all rows of several structures at once.

        Returns
        -------
        Batch
            Rows in the order of the structures and their atoms; atoms are counted through the
            structures.
        """
        sums = self._sums(structures)
        if jacobian:
            derivatives, values = sums.jacobian()
            return Batch(values, derivatives, sums.rows)
        return Batch(sums.values(), None, sums.rows)

    # --- derivatives ---

    def derivatives(
        self, atoms: Atoms | Structure, sparse: bool = False
    ) -> tuple[FloatArray | SparseJacobian, FloatArray]:
        """Return the derivatives of the values with respect to the positions of all atoms, and the values.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        sparse : bool
            Return a `SparseJacobian` in place of the dense array.

        Returns
        -------
        derivatives : (m, n_atoms, 3, n_features) float64 or SparseJacobian
            As DScribe orders it: row, atom that is moved, component, feature. 1/Å (the distance of
            a pair: none).
        values : (m, n_features) float64
        """
        structure = Structure.from_atoms(atoms)
        return self._derivatives(self._sums([structure]), len(structure), sparse)

    def _derivatives(self, sums: RowSums, n_atoms: int, sparse: bool) -> tuple[FloatArray | SparseJacobian, FloatArray]:
        jacobian, values = sums.jacobian()
        return jacobian if sparse else jacobian.dense(n_atoms, self.n_features), values

    def vjp(self, atoms: Atoms | Structure, weights: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the gradient of sum(weights * create(atoms)) without building the derivatives (reverse mode).

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        weights : (m, n_features) array
            Derivative of the scalar with respect to each value.

        Returns
        -------
        gradient : (n_atoms, 3) float64
            With respect to the positions; forces are its negative.
        virial : (3, 3) float64
            sum over pairs of r (x) dE/dr, the derivative with respect to a strain of the whole
            system.
        """
        sums = self._sums([Structure.from_atoms(atoms)])
        w = checked_array(weights, (int(sums.first[-1]), self.n_features), "weights")
        sums.sum_neighbors()
        g, center_sums = np.zeros_like(sums.pairs.vector), np.zeros((len(sums.first) - 1, SUMS))
        sums.gradient(w, g, center_sums)
        return gathered(sums.pairs, g, center_sums, self.threads), center_sums[:, VIRIAL:].sum(axis=0).reshape(3, 3)

    def jvp(self, atoms: Atoms | Structure, displacements: npt.ArrayLike) -> FloatArray:
        """Return the change of the values along displacements of the atoms (forward mode).

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        displacements : (n_atoms, 3) array
            Direction in which the atoms move.

        Returns
        -------
        (m, n_features) float64
        """
        structure = Structure.from_atoms(atoms)
        v = checked_array(displacements, (len(structure), 3), "displacements")
        sums = self._sums([structure])
        change: FloatArray = self._changes(sums, [moved_vectors(sums.pairs, v)], 1)[0]
        return change

    def strain_derivatives(self, structures: Sequence[Structure]) -> FloatArray:
        """Return the derivatives of the values with respect to a strain of the structures.

        Parameters
        ----------
        structures : sequence of Structure
            Any number of structures.

        Returns
        -------
        (m, 6, n_features) float64
            Rows as those of `evaluate_batch`. Strains in Voigt order xx, yy, zz, yz, xz, xy; as in
            ASE's stress, (1/V) dE/dstrain, a shear is half of itself in either off-diagonal element
            of the strain tensor.
        """
        sums = self._sums(structures)
        return np.ascontiguousarray(self._changes(sums, strained_vectors(sums.pairs), 6).transpose(1, 0, 2))

    def _changes(self, sums: RowSums, vectors: Iterable[FloatArray], count: int) -> FloatArray:
        """Return the changes (count, m, n_features) of the values along changes of the pair vectors."""
        out = np.zeros((count, int(sums.first[-1]), self.n_features))
        sums.sum_neighbors()
        for target, change in zip(out, vectors, strict=True):
            sums.change(change, target)
        return out


def numbers_of(structures: Iterable[Structure]) -> IntArray:
    """Return the atomic numbers of all atoms of some structures, one after another."""
    return np.concatenate([np.empty(0, np.int64), *(structure.numbers for structure in structures)])


def is_single(atoms: Any) -> bool:
    """Return True for one structure, False for anything else."""
    return isinstance(atoms, Structure) or hasattr(atoms, "get_positions")


def structures_of(atoms: Any) -> list[Structure]:
    """Check several structures.

    Raises
    ------
    InputError
        If there are not several.
    StructureError
        If one cannot be used.
    """
    if not isinstance(atoms, Iterable):
        raise InputError(f"expected an ase.Atoms object or several of them, found {type(atoms).__name__}")
    return [Structure.from_atoms(one) for one in atoms]

"""The descriptor: symmetry functions of structures, and their derivatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from fastsf.descriptors import packing
from fastsf.descriptors.jacobian import SparseJacobian, sparse_jacobian
from fastsf.descriptors.products import checked_array, gathered, moved_vectors, strained_vectors
from fastsf.elements import atomic_number, chemical_symbol
from fastsf.errors import FormatError, InputError, StructureError
from fastsf.kernels.acsf import jvp as acsf_jvp
from fastsf.kernels.acsf import values as acsf
from fastsf.kernels.acsf import vjp as acsf_vjp
from fastsf.kernels.acsf.tables import Neighbors, Tables
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure
from fastsf.symmetry import recipes
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.definition import ATOM_CENTERED
from fastsf.symmetry.entries import checked_elements
from fastsf.symmetry.sets import elements_of, families_in_words, joined_labels
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms

Centers: TypeAlias = Sequence[int] | npt.NDArray[Any] | None


class ACSF:
    """Atom-centred symmetry functions of a fixed list of functions.

    Rows of the results are centres, columns features: the functions of the centre's element in their order. Elements
    with fewer functions than others have zeros in the last columns.

    Parameters
    ----------
    functions : sequence of Radial or Angular
        See `fastsf.symmetry.atoms`; the order within one central element is the order of its columns.
    elements : sequence of str, optional
        Elements that structures may contain; those that the functions name, by default.
    threads : int, optional
        Threads of the kernels; all that numba has, by default. With 1, nothing is run in parallel, and the
        descriptor may be used from several Python threads at once.

    Raises
    ------
    InputError
        If there are no functions, an element is unknown or a function names one that is not among `elements`.
    """

    centered_on: ClassVar[Literal["atoms", "pairs"]] = "atoms"

    def __init__(
        self,
        functions: Sequence[SymmetryFunction],
        *,
        elements: Sequence[str] | None = None,
        threads: int | None = None,
    ) -> None:
        if not functions:
            raise InputError("a descriptor needs at least one symmetry function")
        self._set(functions, elements, threads)

    def _set(self, functions: Sequence[SymmetryFunction], elements: Sequence[str] | None, threads: int | None) -> None:
        self.functions = tuple(functions)
        named = elements_of(self.functions)
        self.elements = tuple(named if elements is None else checked_elements(elements))
        strangers = [symbol for symbol in named if symbol not in self.elements]
        if strangers:
            raise InputError(f"functions name {', '.join(strangers)}, but elements are {', '.join(self.elements)}")
        if threads is not None and threads < 1:
            raise InputError(f"threads must be at least 1, found {threads}")
        self.threads = threads
        self.columns = {
            symbol: tuple(function for function in self.functions if function.center == symbol)
            for symbol in self.elements
        }
        self.cutoff = max((function.envelope.radius for function in self.functions), default=0.0)
        self.n_features = max(len(columns) for columns in self.columns.values())
        self._tables = packing.pack(self.elements, self.columns)
        self._index = np.full(128, -1, dtype=np.int64)
        self._index[[atomic_number(symbol) for symbol in self.elements]] = np.arange(len(self.elements))

    # --- construction ---

    @classmethod
    def without_functions(cls, elements: Sequence[str], *, threads: int | None = None) -> ACSF:
        """Descriptor of potentials that have terms of pairs alone: no columns, and a cutoff of 0."""
        descriptor = cls.__new__(cls)
        descriptor._set((), elements, threads)
        return descriptor

    @classmethod
    def from_recipe(
        cls,
        name: str,
        elements: Sequence[str],
        cutoff: float | None = None,
        *,
        threads: int | None = None,
        **options: Any,
    ) -> ACSF:
        """Functions of a published grid; see `fastsf.symmetry.recipes` for names, options and sources."""
        return cls(recipes.make(name, elements, cutoff, **options), elements=elements, threads=threads)

    @classmethod
    def from_file(cls, path: str | Path, length_unit: str = "Angstrom", *, threads: int | None = None) -> ACSF:
        """Functions of a TOML or YAML file, or of a RuNNer/n2p2 ``input.nn`` (any other name).

        Parameters
        ----------
        path : path-like
            The file. Columns of an ``input.nn`` are in n2p2's order, that of ``scaling.data``.
        length_unit : str
            Unit of length of an ``input.nn``, by ASE's names. TOML and YAML files tell their own.
        threads : int, optional
            As in the constructor.

        Raises
        ------
        FormatError, StorageError
            If the file cannot be read, with the line.
        """
        from fastsf.io.definition import read_definition  # a higher floor: formats are not needed elsewhere here
        from fastsf.io.n2p2.functions import read_functions

        if Path(path).suffix.lower() in (".toml", ".yaml", ".yml"):
            elements, functions, _ = read_definition(path)
            if not functions:
                raise FormatError("there are no atom-centred functions; PCSF.from_file reads those of pairs", path)
        else:
            elements, functions = read_functions(path, length_unit)
        return cls(functions, elements=elements, threads=threads)

    @classmethod
    def from_dict(cls, document: dict[str, Any], *, threads: int | None = None) -> ACSF:
        """Rebuild a descriptor from `to_dict`."""
        elements, functions = ATOM_CENTERED.from_document(document)
        return cls(functions, elements=elements, threads=threads)

    def to_dict(self) -> dict[str, Any]:
        """Definition in plain types, fit for JSON."""
        return ATOM_CENTERED.to_document(self.functions, self.elements)

    # --- what it is ---

    @property
    def labels(self) -> dict[str, list[str]]:
        """Names of the columns of each central element."""
        return {symbol: [function.label for function in functions] for symbol, functions in self.columns.items()}

    def describe(self) -> str:
        """Summary in words: elements, families, numbers of functions, cutoffs."""
        head = f"{len(self.functions)} symmetry functions, largest cutoff {self.cutoff:g} Å"
        return "\n".join([head, *families_in_words(self.columns)])

    def __repr__(self) -> str:
        return f"<ACSF: {', '.join(self.elements)}, {self.n_features} features, cutoff {self.cutoff:g} Å>"

    # --- for the kernels ---

    @property
    def tables(self) -> Tables:
        """The functions as the kernels take them."""
        return self._tables

    def species_of(self, numbers: IntArray) -> IntArray:
        """Index of each atom's element among `elements`.

        Parameters
        ----------
        numbers : (n,) int64
            Atomic numbers.

        Raises
        ------
        StructureError
            For elements without functions.
        """
        species: IntArray = self._index.take(numbers, mode="clip")
        if species.min(initial=0) < 0:
            symbol = chemical_symbol(int(numbers[species < 0][0]))
            raise StructureError(f"no functions for element {symbol}; known are {', '.join(self.elements)}")
        return species

    # --- values ---

    @overload
    def create(self, atoms: Atoms | Structure, centers: Centers = None) -> FloatArray: ...

    @overload
    def create(
        self, atoms: Sequence[Atoms | Structure], centers: Sequence[Centers] | None = None
    ) -> list[FloatArray]: ...

    def create(self, atoms: Any, centers: Any = None) -> FloatArray | list[FloatArray]:
        """Values of the symmetry functions.

        Parameters
        ----------
        atoms : ase.Atoms or sequence of ase.Atoms
            Structures; several are worked on together.
        centers : sequence of int, optional
            Indices of the central atoms; all by default. For several structures, a sequence of such sequences.

        Returns
        -------
        (n_centers, n_features) float64, or a list of such arrays

        Raises
        ------
        StructureError
            For elements without functions, positions that are not finite, periodic cells without volume.
        """
        if _is_single(atoms):
            structure = Structure.from_atoms(atoms)
            pairs = Pairs.build(structure, self.cutoff, threads=self.threads)
            return self._values(pairs, structure.numbers, _checked_centers(centers, len(structure)))
        if not isinstance(atoms, Iterable):
            raise InputError(f"expected an ase.Atoms object or several of them, found {type(atoms).__name__}")
        structures = [Structure.from_atoms(one) for one in atoms]
        if centers is not None:
            return [self.create(one, chosen) for one, chosen in zip(structures, centers, strict=True)]
        values, _ = self.evaluate_batch(structures)
        return np.split(values, np.cumsum([len(one) for one in structures])[:-1]) if structures else []

    def evaluate_batch(
        self, structures: Sequence[Structure], jacobian: bool = False
    ) -> tuple[FloatArray, SparseJacobian | None]:
        """Values, and sparse derivatives if wanted, of all atoms of several structures at once.

        Returns
        -------
        values : (n, n_features) float64
            Rows in the order of the structures and their atoms.
        derivatives : SparseJacobian or None
            Atoms are rows of `values`.
        """
        pairs = Pairs.concatenate(structures, self.cutoff, threads=self.threads)
        numbers = [structure.numbers for structure in structures]
        joined = np.concatenate(numbers) if numbers else np.empty(0, dtype=np.int64)
        every = np.arange(len(joined))
        if jacobian:
            derivatives, values = self._jacobian(pairs, joined, every)
            return values, derivatives
        return self._values(pairs, joined, every), None

    def _values(self, pairs: Pairs, numbers: IntArray, centers: IntArray) -> FloatArray:
        neighbors = self._neighbors(pairs, numbers, centers)
        out = np.zeros((len(centers), self.n_features))
        run(self.threads, acsf.values_range, (self._tables, neighbors, centers), len(centers), (out,))
        return out

    def _neighbors(self, pairs: Pairs, numbers: IntArray, centers: IntArray) -> Neighbors:
        species = self.species_of(numbers)
        for element in np.unique(species[centers]):
            if not self.columns[self.elements[element]]:
                raise StructureError(f"no functions for central element {self.elements[element]}")
        return Neighbors(pairs.start, pairs.neighbor, pairs.vector, species)

    # --- derivatives ---

    def derivatives(
        self, atoms: Atoms | Structure, centers: Centers = None, sparse: bool = False
    ) -> tuple[FloatArray | SparseJacobian, FloatArray]:
        """Derivatives of the values with respect to the positions of all atoms, and the values.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        centers : sequence of int, optional
            Indices of the central atoms; all by default.
        sparse : bool
            Return a `SparseJacobian` in place of the dense array.

        Returns
        -------
        derivatives : (n_centers, n_atoms, 3, n_features) float64 or SparseJacobian
            As DScribe orders it: centre, atom that is moved, component, feature. 1/Å.
        values : (n_centers, n_features) float64
        """
        structure = Structure.from_atoms(atoms)
        pairs = Pairs.build(structure, self.cutoff, threads=self.threads)
        chosen = _checked_centers(centers, len(structure))
        jacobian, values = self._jacobian(pairs, structure.numbers, chosen)
        return jacobian if sparse else jacobian.dense(len(structure), self.n_features), values

    def _jacobian(self, pairs: Pairs, numbers: IntArray, centers: IntArray) -> tuple[SparseJacobian, FloatArray]:
        neighbors = self._neighbors(pairs, numbers, centers)
        return sparse_jacobian(self._tables, neighbors, centers, self.n_features, self.threads)

    def vjp(self, atoms: Atoms | Structure, weights: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Gradient of the scalar sum(weights * create(atoms)) without building the derivatives (reverse mode).

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        weights : (n_atoms, n_features) array
            Derivative of the scalar with respect to each value.

        Returns
        -------
        gradient : (n_atoms, 3) float64
            With respect to the positions; forces are its negative.
        virial : (3, 3) float64
            sum over pairs of r (x) dE/dr, the derivative with respect to a strain of the whole system.
        """
        structure = Structure.from_atoms(atoms)
        n = len(structure)
        w = checked_array(weights, (n, self.n_features), "weights")
        pairs = Pairs.build(structure, self.cutoff, threads=self.threads)
        neighbors = self._neighbors(pairs, structure.numbers, np.arange(n))
        g, sums = np.zeros_like(pairs.vector), np.zeros((n, 12))
        arguments = (self._tables, neighbors, np.arange(n))
        run(self.threads, acsf_vjp.vjp_range, arguments, n, (w[:, None], g[None], sums[None]))
        return gathered(pairs, g, sums, self.threads), sums[:, 3:].sum(axis=0).reshape(3, 3)

    def jvp(self, atoms: Atoms | Structure, displacements: npt.ArrayLike) -> FloatArray:
        """Change of the values along displacements of the atoms (forward mode).

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        displacements : (n_atoms, 3) array
            Direction in which the atoms move.

        Returns
        -------
        (n_atoms, n_features) float64
        """
        structure = Structure.from_atoms(atoms)
        n = len(structure)
        v = checked_array(displacements, (n, 3), "displacements")
        pairs = Pairs.build(structure, self.cutoff, threads=self.threads)
        neighbors = self._neighbors(pairs, structure.numbers, np.arange(n))
        changes = moved_vectors(pairs, v)
        out = np.zeros((n, self.n_features))
        arguments = (self._tables, neighbors, np.arange(n))
        run(self.threads, acsf_jvp.jvp_range, arguments, n, (changes, out))
        return out

    def strain_derivatives(self, structures: Sequence[Structure]) -> FloatArray:
        """Derivatives of the values with respect to a strain of the structures.

        Parameters
        ----------
        structures : sequence of Structure
            Any number of structures.

        Returns
        -------
        (n, 6, n_features) float64
            Atoms of all structures behind each other. Strains in Voigt order xx, yy, zz, yz, xz, xy; as in ASE's
            stress, (1/V) dE/dstrain, a shear is half of itself in either off-diagonal element of the strain tensor.
        """
        pairs = Pairs.concatenate(structures, self.cutoff, threads=self.threads)
        numbers = np.concatenate([structure.numbers for structure in structures])
        every, n = np.arange(len(numbers)), len(numbers)
        arguments = (self._tables, self._neighbors(pairs, numbers, every), every)
        out = np.zeros((6, n, self.n_features))
        for target, changes in zip(out, strained_vectors(pairs), strict=True):
            run(self.threads, acsf_jvp.jvp_range, arguments, n, (changes, target))
        return np.ascontiguousarray(out.transpose(1, 0, 2))

    # --- as scikit-learn spells it ---

    def fit(self, X: Any, y: Any = None) -> ACSF:
        """Do nothing: the functions are given, not learnt."""
        return self

    def transform(self, X: Iterable[Atoms | Structure]) -> FloatArray:
        """Values of all atoms of all structures, one below the other."""
        values, _ = self.evaluate_batch([Structure.from_atoms(atoms) for atoms in X])
        return values

    def fit_transform(self, X: Iterable[Atoms | Structure], y: Any = None) -> FloatArray:
        """`transform`."""
        return self.transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of the columns; where elements share a column, their names are joined by " | "."""
        return joined_labels(self.labels, self.n_features)


def _is_single(atoms: Any) -> bool:
    return isinstance(atoms, Structure) or hasattr(atoms, "get_positions")


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

"""The descriptor of pairs: pair-centred symmetry functions of structures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.jacobian import SparseJacobian
from fastsf.descriptors.pcsf_packing import cutoff_of, pack_pairs
from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.descriptors.pcsf_sums import PairSums
from fastsf.descriptors.products import checked_array, gathered, moved_vectors, strained_vectors
from fastsf.elements import atomic_number, chemical_symbol
from fastsf.errors import FormatError, InputError, StructureError
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure
from fastsf.symmetry.definition import PAIR_CENTERED
from fastsf.symmetry.entries import checked_elements
from fastsf.symmetry.pcsf import PairFunction, kinds_of
from fastsf.symmetry.pcsf_recipes import make_pairs
from fastsf.symmetry.sets import elements_of, families_in_words, joined_labels
from fastsf.types import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms


class PCSF:
    """Pair-centred symmetry functions of a fixed list of functions (J. Chem. Phys. 136, 194111 (2012)).

    Rows of the results are unordered pairs of atoms, each once, that are closer than the cutoff of their kind; columns
    are the functions of that kind in their order. Kinds with fewer functions than others have zeros in the last
    columns.

    Parameters
    ----------
    functions : sequence of PairRadial, PairEnvironment or PairAngular
        See `fastsf.symmetry.pcsf`; the order within one kind of pairs is the order of its columns.
    elements : sequence of str, optional
        Elements that structures may contain; those that the functions name, by default.
    threads : int, optional
        As for `ACSF`.

    Attributes
    ----------
    kinds : tuple of str
        All kinds of pairs of the elements, as "H-O".
    columns : dict of str to tuple of functions
        Functions of each kind; pairs of a kind without functions have no rows.
    cutoffs : dict of str to float
        Å, of each kind: the farthest that any of its functions reaches; 0 without functions.
    cutoff : float
        Å; the longest of them.
    n_features : int
        Columns.

    Raises
    ------
    InputError
        If there are no functions, an element is unknown, a function names one that is not among `elements`, or the
        functions of a kind have no end.
    """

    centered_on: ClassVar[Literal["atoms", "pairs"]] = "pairs"

    def __init__(
        self,
        functions: Sequence[PairFunction],
        *,
        elements: Sequence[str] | None = None,
        threads: int | None = None,
    ) -> None:
        self.functions = tuple(functions)
        if not self.functions:
            raise InputError("a descriptor needs at least one symmetry function")
        named = elements_of(self.functions)
        self.elements = tuple(named if elements is None else checked_elements(elements))
        strangers = [symbol for symbol in named if symbol not in self.elements]
        if strangers:
            raise InputError(f"functions name {', '.join(strangers)}, but elements are {', '.join(self.elements)}")
        if threads is not None and threads < 1:
            raise InputError(f"threads must be at least 1, found {threads}")
        self.threads = threads
        self.kinds = kinds_of(self.elements)
        self.columns = {kind: tuple(f for f in self.functions if f.kind == kind) for kind in self.kinds}
        self.cutoffs = {kind: cutoff_of(columns) for kind, columns in self.columns.items()}
        for kind, columns in self.columns.items():
            if columns and not self.cutoffs[kind]:
                raise InputError(f"pairs {kind}: the distance alone has no end; add a function with a cutoff")
        self.cutoff = max(self.cutoffs.values())
        self.n_features = max(len(columns) for columns in self.columns.values())
        self.packed = pack_pairs(self.elements, self.columns)
        self._index = np.full(128, -1, dtype=np.int64)
        self._index[[atomic_number(symbol) for symbol in self.elements]] = np.arange(len(self.elements))

    # --- construction ---

    @classmethod
    def from_recipe(
        cls,
        name: str,
        elements: Sequence[str],
        cutoff: float | None = None,
        *,
        threads: int | None = None,
        **options: Any,
    ) -> PCSF:
        """Functions of a recipe; see `fastsf.symmetry.pcsf_recipes` for names and options."""
        return cls(make_pairs(name, elements, cutoff, **options), elements=elements, threads=threads)

    @classmethod
    def from_file(cls, path: str | Path, *, threads: int | None = None) -> PCSF:
        """Pair-centred functions of a TOML or YAML file.

        Raises
        ------
        FormatError, StorageError
            If the file cannot be read, with the line, or has none.
        """
        from fastsf.io.definition import read_definition  # a higher floor: formats are not needed elsewhere here

        elements, _, functions = read_definition(path)
        if not functions:
            raise FormatError("there are no pair-centred functions; ACSF.from_file reads those of atoms", path)
        return cls(functions, elements=elements, threads=threads)

    @classmethod
    def from_dict(cls, document: dict[str, Any], *, threads: int | None = None) -> PCSF:
        """Rebuild a descriptor from `to_dict`."""
        elements, functions = PAIR_CENTERED.from_document(document)
        return cls(functions, elements=elements, threads=threads)

    def to_dict(self) -> dict[str, Any]:
        """Definition in plain types, fit for JSON."""
        return PAIR_CENTERED.to_document(self.functions, self.elements)

    # --- what it is ---

    @property
    def labels(self) -> dict[str, list[str]]:
        """Names of the columns of each kind of pairs."""
        return {kind: [function.label for function in functions] for kind, functions in self.columns.items()}

    def get_feature_names_out(self) -> npt.NDArray[Any]:
        """Names of the columns; where kinds share a column, their names are joined by " | "."""
        return joined_labels(self.labels, self.n_features)

    def describe(self) -> str:
        """Summary in words: kinds of pairs, families, numbers of functions, cutoffs."""
        head = f"{len(self.functions)} pair-centred functions, largest cutoff {self.cutoff:g} Å"
        return "\n".join([head, *families_in_words(self.columns)])

    def __repr__(self) -> str:
        return f"<PCSF: {', '.join(self.elements)}, {self.n_features} features, cutoff {self.cutoff:g} Å>"

    def species_of(self, numbers: IntArray) -> IntArray:
        """Index of each atom's element (n,) among `elements`, from atomic numbers (n,).

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

    def rows(self, atoms: Atoms | Structure) -> PairRows:
        """Tell which pairs the rows of the results are.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.

        Raises
        ------
        StructureError
            As `create`.
        """
        return self._sums([Structure.from_atoms(atoms)]).rows

    @overload
    def create(self, atoms: Atoms | Structure) -> FloatArray: ...

    @overload
    def create(self, atoms: Sequence[Atoms | Structure]) -> list[FloatArray]: ...

    def create(self, atoms: Any) -> FloatArray | list[FloatArray]:
        """Values of the symmetry functions.

        Parameters
        ----------
        atoms : ase.Atoms or sequence of ase.Atoms
            Structures.

        Returns
        -------
        (n_pairs, n_features) float64, or a list of such arrays

        Raises
        ------
        StructureError
            For unknown elements, positions that are not finite, periodic cells without volume.
        """
        if isinstance(atoms, Structure) or hasattr(atoms, "get_positions"):
            return self._sums([Structure.from_atoms(atoms)]).values()
        if not isinstance(atoms, Iterable):
            raise InputError(f"expected an ase.Atoms object or several of them, found {type(atoms).__name__}")
        structures = [Structure.from_atoms(one) for one in atoms]
        sums = self._sums(structures)
        ends = np.cumsum([len(structure) for structure in structures])
        return np.split(sums.values(), sums.rows.first[ends][:-1]) if structures else []

    def evaluate_batch(
        self, structures: Sequence[Structure], jacobian: bool = False
    ) -> tuple[FloatArray, SparseJacobian | None, PairRows]:
        """Values, and sparse derivatives if wanted, of all pairs of several structures at once.

        Returns
        -------
        values : (n_pairs, n_features) float64
            Rows in the order of the structures and the atoms that own the pairs.
        derivatives : SparseJacobian or None
            Rows are those of `values`; atoms are counted through the structures.
        rows : PairRows
            Which pairs the rows are; atoms are counted through the structures.
        """
        sums = self._sums(structures)
        if jacobian:
            derivatives, values = sums.jacobian()
            return values, derivatives, sums.rows
        return sums.values(), None, sums.rows

    def _sums(self, structures: Sequence[Structure]) -> PairSums:
        numbers = np.concatenate([np.empty(0, np.int64), *(structure.numbers for structure in structures)])
        pairs = Pairs.concatenate(structures, self.cutoff, threads=self.threads)
        return PairSums(self.packed, self.n_features, pairs, self.species_of(numbers), self.threads)

    # --- derivatives ---

    def derivatives(
        self, atoms: Atoms | Structure, sparse: bool = False
    ) -> tuple[FloatArray | SparseJacobian, FloatArray]:
        """Derivatives of the values with respect to the positions of all atoms, and the values.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        sparse : bool
            Return a `SparseJacobian` in place of the dense array.

        Returns
        -------
        derivatives : (n_pairs, n_atoms, 3, n_features) float64 or SparseJacobian
            Pair, atom that is moved, component, feature. 1/Å (the distance itself: none).
        values : (n_pairs, n_features) float64
        """
        structure = Structure.from_atoms(atoms)
        jacobian, values = self._sums([structure]).jacobian()
        return jacobian if sparse else jacobian.dense(len(structure), self.n_features), values

    def vjp(self, atoms: Atoms | Structure, weights: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Gradient of the scalar sum(weights * create(atoms)) without building the derivatives (reverse mode).

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        weights : (n_pairs, n_features) array
            Derivative of the scalar with respect to each value.

        Returns
        -------
        gradient : (n_atoms, 3) float64
            With respect to the positions; forces are its negative.
        virial : (3, 3) float64
            sum over pairs of r (x) dE/dr, the derivative with respect to a strain of the whole system.
        """
        structure = Structure.from_atoms(atoms)
        sums = self._sums([structure])
        w = checked_array(weights, (len(sums.rows), self.n_features), "weights")
        sums.sum_neighbors()
        pairs, n = sums.rows.pairs, len(structure)
        g, center_sums = np.zeros_like(pairs.vector), np.zeros((n, 12))
        sums.chain(w, np.zeros(len(w)), g, center_sums)
        return gathered(pairs, g, center_sums, self.threads), center_sums[:, 3:].sum(axis=0).reshape(3, 3)

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
        (n_pairs, n_features) float64
        """
        structure = Structure.from_atoms(atoms)
        v = checked_array(displacements, (len(structure), 3), "displacements")
        sums = self._sums([structure])
        sums.sum_neighbors()
        change: FloatArray = sums.changes([moved_vectors(sums.rows.pairs, v)])[0]
        return change

    def strain_derivatives(self, structures: Sequence[Structure]) -> FloatArray:
        """Derivatives of the values with respect to a strain of the structures.

        Parameters
        ----------
        structures : sequence of Structure
            Any number of structures.

        Returns
        -------
        (n_pairs, 6, n_features) float64
            Rows as those of `evaluate_batch`; strains as for `ACSF.strain_derivatives`.
        """
        sums = self._sums(structures)
        sums.sum_neighbors()
        return np.ascontiguousarray(sums.changes(list(strained_vectors(sums.rows.pairs))).transpose(1, 0, 2))

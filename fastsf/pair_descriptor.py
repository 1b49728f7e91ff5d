"""The descriptor of pairs: pair-centred symmetry functions of structures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from fastsf.definition import checked_elements
from fastsf.elements import atomic_number, chemical_symbol
from fastsf.errors import InputError, StructureError
from fastsf.kernels import forces
from fastsf.neighbors import Pairs
from fastsf.pair_packing import cutoff_of, pack_pairs
from fastsf.pair_rows import PairRows
from fastsf.pair_sums import PairSums
from fastsf.pair_symmetry import PairFunction, PairRadial, kinds_of
from fastsf.structure import FloatArray, IntArray, Structure
from fastsf.threads import run

if TYPE_CHECKING:
    from ase import Atoms


def elements_of(functions: Iterable[PairFunction]) -> list[str]:
    """Every element that functions name, sorted by atomic number."""
    symbols: set[str] = set()
    for function in functions:
        symbols.update(function.elements)
        if not isinstance(function, PairRadial):
            symbols.add(function.neighbor)
    return sorted(symbols, key=atomic_number)


class PCSF:
    """Pair-centred symmetry functions of a fixed list of functions (J. Chem. Phys. 136, 194111 (2012)).

    Rows of the results are unordered pairs of atoms, each once, that are closer than the cutoff of their kind; columns
    are the functions of that kind in their order. Kinds with fewer functions than others have zeros in the last
    columns.

    Parameters
    ----------
    functions : sequence of PairRadial, PairEnvironment or PairAngular
        See `fastsf.pair_symmetry`; the order within one kind of pairs is the order of its columns.
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

    # --- what it is ---

    @property
    def labels(self) -> dict[str, list[str]]:
        """Names of the columns of each kind of pairs."""
        return {kind: [function.label for function in functions] for kind, functions in self.columns.items()}

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

    def _sums(self, structures: Sequence[Structure]) -> PairSums:
        numbers = np.concatenate([np.empty(0, np.int64), *(structure.numbers for structure in structures)])
        pairs = Pairs.concatenate(structures, self.cutoff, threads=self.threads)
        return PairSums(self.packed, self.n_features, pairs, self.species_of(numbers), self.threads)

    # --- derivatives ---

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
        values = sums.values()
        w = np.ascontiguousarray(weights, dtype=np.float64)
        if w.shape != values.shape or not np.isfinite(w).all():
            raise InputError(f"weights: expected finite numbers of shape {values.shape}, found shape {w.shape}")
        pairs, n = sums.rows.pairs, len(structure)
        g, center_sums, gradient = np.zeros_like(pairs.vector), np.zeros((n, 12)), np.empty((n, 3))
        sums.chain(w, np.zeros(len(w)), g, center_sums)
        own_pairs = (pairs.start, pairs.reverse, g, center_sums)
        run(self.threads, forces.gather_range, forces.gather, own_pairs, n, (gradient,))
        return gradient, center_sums[:, 3:].sum(axis=0).reshape(3, 3)

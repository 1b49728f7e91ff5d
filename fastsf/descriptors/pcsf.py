"""The descriptor of pairs: pair-centred symmetry functions of structures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from fastsf.descriptors.base import Descriptor, Rows, numbers_of
from fastsf.descriptors.pcsf_packing import cutoff_of, pack_pcsf
from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.descriptors.pcsf_sums import PCSFSums
from fastsf.errors import InputError
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure
from fastsf.symmetry.definition import PAIR_CENTERED, Catalogue
from fastsf.symmetry.pcsf import PCSFunction, kinds_of
from fastsf.symmetry.pcsf_recipes import make_pcsf

if TYPE_CHECKING:
    from ase import Atoms


class PCSF(Descriptor):
    """Pair-centred symmetry functions of a fixed list of functions (J. Chem. Phys. 136, 194111 (2012)).

    Rows of the results are unordered pairs of atoms, each once, that are closer than the cutoff of
    their kind; columns are the functions of that kind in their order. Kinds with fewer functions
    than others have zeros in the last columns.

    Parameters
    ----------
    functions : sequence of PairRadial, PairEnvironment or PairAngular
        See `fastsf.symmetry.pcsf`; the order within one kind of pairs is the order of its columns.
    elements : sequence of str, optional
        Elements that structures may contain; by default those that the functions name.
    threads : int, optional
        As for `ACSF`.

    Attributes
    ----------
    kinds : tuple of str
        All kinds of pairs of the elements, as "H-O".
    columns : dict of str to tuple of functions
        Functions of each kind; pairs of a kind without functions have no rows.
    cutoffs : dict of str to float
        Å, of each kind: the largest radius of its functions; 0 without functions.
    packed : PackedPCSF
        The functions as the kernels take them.

    Raises
    ------
    InputError
        If there are no functions, an element is unknown, a function names one that is not among
        `elements`, or the functions of a kind do not end.
    """

    centered_on: ClassVar[Rows] = "pairs"
    catalogue: ClassVar[Catalogue[PCSFunction]] = PAIR_CENTERED
    _noun: ClassVar[str] = "pair-centred functions"
    _make = staticmethod(make_pcsf)

    def _owners(self) -> Sequence[str]:
        self.kinds = kinds_of(self.elements)
        return self.kinds

    def _pack(self) -> None:
        self.cutoffs = {kind: cutoff_of(columns) for kind, columns in self.columns.items()}
        for kind, columns in self.columns.items():
            if columns and not self.cutoffs[kind]:
                raise InputError(f"pairs {kind}: the distance alone has no cutoff; add a function with a cutoff")
        self.cutoff = max(self.cutoffs.values())
        self.packed = pack_pcsf(self.elements, self.columns)

    def rows(self, atoms: Atoms | Structure) -> PairRows:
        """Return the pairs to which the rows of the results belong.

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

    def _sums(self, structures: Sequence[Structure]) -> PCSFSums:
        pairs = Pairs.concatenate(structures, self.cutoff, threads=self.threads)
        return PCSFSums(self.packed, self.n_features, pairs, self.species_of(numbers_of(structures)), self.threads)

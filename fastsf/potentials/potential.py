"""High-dimensional neural network potentials: symmetry functions and one network per element and kind of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fastsf.descriptors.acsf import ACSF
from fastsf.errors import InputError
from fastsf.potentials.evaluation import Evaluator, Model, Result
from fastsf.potentials.files.export import export_folder
from fastsf.potentials.files.folder import read_potential_folder
from fastsf.potentials.files.model_file import read_model, write_model
from fastsf.potentials.metadata import describe_metadata
from fastsf.potentials.network import Network
from fastsf.potentials.network_packing import pack_networks
from fastsf.potentials.parts import PotentialParts
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.precision import DOUBLE, checked_precision
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure

if TYPE_CHECKING:
    from ase import Atoms

OWN_UNITS = ("Angstrom", "eV")
"""Units inside fastsf and in its model files."""


class Potential:
    """Potential: sum of energies of atoms from networks of their elements, and optionally of energies of pairs.

    The energy of an atom i of element a is ``energy_scale * networks[a](scalings[a](G_i)) + offsets[a]``. Atoms
    of elements without functions have the offset as energy.

    Parameters
    ----------
    descriptor : ACSF or None
        Atom-centred symmetry functions; None if there are only energies of pairs.
    networks : mapping of symbol to Network
        One for every element with functions; it has as many inputs as the element has functions.
    scalings : mapping of symbol to Scaling
        One for every element with functions.
    energy_scale : float
        eV per unit of the output of the networks.
    offsets : mapping of symbol to float, optional
        Energy that is added for each atom of an element, eV; default: 0.
    length_scale : float
        Units of length of the training per Å. It changes no result and is kept for other programs.
    metadata : mapping of str to str, optional
        Origin of the potential: any texts.
    precision : "double" or "mixed"
        Precision of evaluations. "mixed" computes neighbours and triplets in float32; it is 1.2 to 1.5 times as fast,
        and forces differ by about 1e-5 of their size (docs/potentials.md). The precision is not saved. Energies of
        pairs are always in double precision.
    pairs : PairTerm, optional
        Energies of pairs of the same elements.

    Raises
    ------
    InputError
        If elements or numbers of functions do not match, or a number is not finite.
    """

    def __init__(
        self,
        descriptor: ACSF | None,
        networks: Mapping[str, Network],
        scalings: Mapping[str, Scaling],
        *,
        energy_scale: float = 1.0,
        offsets: Mapping[str, float] | None = None,
        length_scale: float = 1.0,
        metadata: Mapping[str, str] | None = None,
        precision: str = DOUBLE,
        pairs: PairTerm | None = None,
    ) -> None:
        self.descriptor = _atom_descriptor(descriptor, pairs)
        self.elements, self.pairs = self.descriptor.elements, pairs
        self.networks, self.scalings = dict(networks), dict(scalings)
        self.offsets = {symbol: float((offsets or {}).get(symbol, 0.0)) for symbol in self.elements}
        self.energy_scale, self.length_scale = float(energy_scale), float(length_scale)
        self.metadata = dict(metadata or {})
        self._check(offsets or {})
        self.model = self._packed(checked_precision(precision))

    def _packed(self, precision: str) -> Model:
        descriptor = self.descriptor
        without = [symbol for symbol, functions in descriptor.columns.items() if not functions]
        shared = self.elements, self.networks, self.scalings, self.energy_scale, self.offsets
        packed = pack_networks(*shared, descriptor.n_features, without)
        pairs = None if self.pairs is None else self.pairs.packed(self.energy_scale)
        return Model(descriptor, packed, self.scalings, precision, pairs)

    def _check(self, offsets: Mapping[str, float]) -> None:
        for name, mapping in (("networks", self.networks), ("scalings", self.scalings), ("offsets", offsets)):
            strangers = sorted(set(mapping) - set(self.elements))
            if strangers:
                known = ", ".join(self.elements)
                raise InputError(
                    f"{name}: expected the elements {known}, which have functions; found {', '.join(strangers)}"
                )
        for name, value in (("energy_scale", self.energy_scale), ("length_scale", self.length_scale)):
            if not 0 < value < float("inf"):
                raise InputError(f"{name}: expected a positive number, found {value}")
        for symbol, value in self.offsets.items():
            if not abs(value) < float("inf"):
                raise InputError(f"offset of {symbol}: expected a finite number, found {value}")
        for symbol in self.elements:
            columns, scaling = len(self.descriptor.columns[symbol]), self.scalings.get(symbol)
            if scaling is not None and len(scaling) != columns:
                raise InputError(
                    f"element {symbol}: expected a scaling of {columns} columns, one per function; found {len(scaling)}"
                )

    # --- files ---

    @classmethod
    def load(
        cls,
        path: str | Path,
        length_unit: str | None = None,
        energy_unit: str | None = None,
        *,
        threads: int | None = None,
        precision: str = DOUBLE,
    ) -> Potential:
        """Read a potential: a folder of RuNNer or n2p2, or a file written by `save`.

        Parameters
        ----------
        path : path-like
            Folder with ``input.nn``, ``scaling.data`` and ``weights.*.data``; or a file.
        length_unit, energy_unit : str, optional
            Units of a folder by the names of ASE, as "Bohr" and "Hartree": those of its training. Default: the units
            that `export_n2p2` wrote into the folder, otherwise Å and eV. Files written by `save` have their units.
        threads : int, optional
            Threads of the kernels; default: all.
        precision : "double" or "mixed"
            Precision of evaluations, as in the constructor.

        Raises
        ------
        StorageError
            If a file cannot be read.
        FormatError
            If a file is not as expected, or of a kind of potential that is not supported.
        InputError
            For unknown units, units that differ from those in a file, and an unknown precision.
        """
        checked_precision(precision)
        if Path(path).is_dir():
            parts = read_potential_folder(path, length_unit, energy_unit)
        elif (length_unit or OWN_UNITS[0], energy_unit or OWN_UNITS[1]) != OWN_UNITS:
            raise InputError(f"{path}: units are for folders of RuNNer and n2p2 only; a model file has its own")
        else:
            parts = read_model(path)
        return cls.from_parts(parts, threads=threads, precision=precision)

    @classmethod
    def from_parts(cls, parts: PotentialParts, *, threads: int | None = None, precision: str = DOUBLE) -> Potential:
        """Return the potential with the contents of a file."""
        return cls(
            ACSF(parts.functions, elements=parts.elements, threads=threads)
            if parts.functions
            else ACSF.without_functions(parts.elements, threads=threads),
            parts.networks,
            parts.scalings,
            energy_scale=parts.energy_scale,
            offsets=parts.offsets,
            length_scale=parts.length_scale,
            metadata=parts.metadata,
            precision=precision,
            pairs=parts.pairs,
        )

    @property
    def parts(self) -> PotentialParts:
        """Contents of the potential, for writers of files; functions element by element."""
        functions = [function for symbol in self.elements for function in self.descriptor.columns[symbol]]
        return PotentialParts(
            self.elements,
            functions,
            self.networks,
            self.scalings,
            self.energy_scale,
            self.offsets,
            self.length_scale,
            self.metadata,
            self.pairs,
        )

    def save(self, path: str | Path) -> None:
        """Write the potential into one file (HDF5), which `load` reads back to the last bit.

        Parameters
        ----------
        path : path-like
            The file. An existing file is replaced only when the new one is complete.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        write_model(path, self.parts)

    def export_n2p2(
        self,
        folder: str | Path,
        length_unit: str = OWN_UNITS[0],
        energy_unit: str = OWN_UNITS[1],
        *,
        overwrite: bool = False,
    ) -> None:
        """Write a folder that n2p2, LAMMPS (ML-HDNNP), CP2K and CabanaMD read.

        Parameters
        ----------
        folder : path-like
            The folder; made if it does not exist.
        length_unit, energy_unit : str
            Units to write, by the names of ASE; the files have them only in a comment.
        overwrite : bool
            Replace existing files of a potential.

        Raises
        ------
        InputError
            If functions, networks or scalings cannot be expressed in these files.
        StorageError
            If a file exists or cannot be written.
        """
        export_folder(folder, self.parts, length_unit, energy_unit, overwrite=overwrite)

    # --- evaluation and description ---

    def evaluator(
        self,
        structure: Atoms | Structure,
        skin: float = 0.0,
        threads: int | None = None,
        precision: str | None = None,
    ) -> Evaluator:
        """Return an evaluator of a structure whose atoms move; see `Evaluator`. Default: precision of the potential."""
        return Evaluator(
            self.model.in_precision(precision),
            Structure.from_atoms(structure),
            skin,
            threads or self.descriptor.threads,
        )

    def evaluate(self, atoms: Atoms | Structure, forces: bool = True) -> Result:
        """Return energy, forces and stress of a structure, and quantities of its atoms.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure; not changed.
        forces : bool
            Compute forces, virials and the stress too; energies alone are faster.

        Raises
        ------
        StructureError
            For elements that the potential does not have and structures that cannot be used.
        """
        return self.evaluator(atoms).evaluate(forces=forces)

    def describe(self) -> str:
        """Return a summary as text: functions, networks, scaling, energies."""
        alone = "only energies of pairs; a single atom has its offset as energy"
        lines = [self.descriptor.describe() if self.descriptor.functions else alone]
        for symbol in self.elements:
            words = f"  {symbol:2} "
            if symbol in self.networks:
                words += f"{_in_words(self.networks[symbol], self.scalings[symbol])}, "
            lines.append(f"{words}offset {self.offsets[symbol]:.10g} eV")
        if self.pairs is not None:
            lines += [self.pairs.descriptor.describe(), f"  envelope of pair energies: {self.pairs.envelope}"]
            for kind in self.pairs.kinds:
                lines.append(f"  {kind} {_in_words(self.pairs.networks[kind], self.pairs.scalings[kind])}")
        lines.append(f"  one unit of the networks is {self.energy_scale:.10g} eV")
        lines += [f"  {line}" for line in describe_metadata(self.metadata)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        pairs = "" if self.pairs is None else f", {self.pairs.descriptor.n_features} of pairs"
        return f"<Potential: {', '.join(self.elements)}, {self.descriptor.n_features} features{pairs}>"


def _atom_descriptor(descriptor: ACSF | None, pairs: PairTerm | None) -> ACSF:
    if pairs is None:
        if descriptor is None or not descriptor.functions:
            raise InputError("expected atom-centred functions or energies of pairs, found neither")
        return descriptor
    if descriptor is None:
        return ACSF.without_functions(pairs.descriptor.elements, threads=pairs.descriptor.threads)
    if pairs.descriptor.elements != descriptor.elements:
        known, other = ", ".join(descriptor.elements), ", ".join(pairs.descriptor.elements)
        raise InputError(
            f"expected the same elements, found atom-centred functions for {known} and pair-centred ones for {other}"
        )
    return descriptor


def _in_words(network: Network, scaling: Scaling) -> str:
    layers, kinds = "-".join(str(size) for size in network.sizes), ", ".join(network.activations)
    return f"network {layers} ({kinds}), {len(network.parameters):,} parameters, scaling {scaling.mode}"

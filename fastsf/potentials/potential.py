"""High-dimensional neural network potentials: symmetry functions, and one network per element and kind of pairs."""

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
"""Units of everything inside fastsf and of its model files."""


class Potential:
    """Sum of the energies of atoms, each from the network of its element, and if wanted of those of pairs.

    The energy of an atom i of element a is ``energy_scale * networks[a](scalings[a](G_i)) + offsets[a]``; that of an
    atom whose element has no functions is its offset.

    Parameters
    ----------
    descriptor : ACSF or None
        The atom-centred symmetry functions; None if there are energies of pairs alone.
    networks : mapping of symbol to Network
        One for every element that has functions, with as many inputs as it has functions.
    scalings : mapping of symbol to Scaling
        One for each of these.
    energy_scale : float
        eV per unit of the networks' output.
    offsets : mapping of symbol to float, optional
        Added to the energy of each atom of an element, eV; 0 by default.
    length_scale : float
        Units of length of the training per Å; changes no result, and is kept for programs that know it.
    metadata : mapping of str to str, optional
        Where the potential comes from: any texts.
    precision : "double" or "mixed"
        In which it is evaluated. "mixed" works on neighbours and triplets in float32, 1.2 to 1.5 times as fast, with
        forces that differ by some 1e-5 of their size (docs/potentials.md); it is no part of what is saved. Energies of
        pairs stay in double precision.
    pairs : PairTerm, optional
        Energies of pairs, of the same elements.

    Raises
    ------
    InputError
        If elements or numbers of functions do not fit together, or a number is not finite.
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
                raise InputError(f"{name} for {', '.join(strangers)}, but the functions are for {known}")
        for name, value in (("energy_scale", self.energy_scale), ("length_scale", self.length_scale)):
            if not 0 < value < float("inf"):
                raise InputError(f"{name}: expected a positive number, found {value}")
        for symbol, value in self.offsets.items():
            if not abs(value) < float("inf"):
                raise InputError(f"offset of {symbol}: expected a finite number, found {value}")
        for symbol in self.elements:
            columns, scaling = len(self.descriptor.columns[symbol]), self.scalings.get(symbol)
            if scaling is not None and len(scaling) != columns:
                raise InputError(f"element {symbol}: {columns} functions, but a scaling of {len(scaling)} columns")

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
            Units of a folder by ASE's names, as "Bohr" and "Hartree": what the potential was trained in. Å and eV
            by default, unless the folder was written by `export_n2p2`, which notes them. Files written by `save`
            know their units.
        threads : int, optional
            As for `ACSF`.
        precision : "double" or "mixed"
            In which it is evaluated, as in the constructor.

        Raises
        ------
        StorageError
            If a file cannot be read.
        FormatError
            If a file does not hold what it should, or a kind of potential that is not supported.
        InputError
            For unknown units, units that contradict those that a file knows, and an unknown precision.
        """
        checked_precision(precision)
        if Path(path).is_dir():
            parts = read_potential_folder(path, length_unit, energy_unit)
        elif (length_unit or OWN_UNITS[0], energy_unit or OWN_UNITS[1]) != OWN_UNITS:
            raise InputError(f"{path}: units belong to folders of RuNNer and n2p2; a model file knows its own")
        else:
            parts = read_model(path)
        return cls.from_parts(parts, threads=threads, precision=precision)

    @classmethod
    def from_parts(cls, parts: PotentialParts, *, threads: int | None = None, precision: str = DOUBLE) -> Potential:
        """Put together what a file holds."""
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
        """What files hold of the potential; functions element by element."""
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
        """Write everything into one file (HDF5: arrays and texts) that `load` reads back to the last bit.

        Parameters
        ----------
        path : path-like
            The file; replaced if it is there, and only once it is whole.

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
            Made if it is not there.
        length_unit, energy_unit : str
            Units to write, by ASE's names; the files do not tell them but in a comment.
        overwrite : bool
            Replace the files of a potential that is there.

        Raises
        ------
        InputError
            If functions, networks or scalings have no counterpart in these files.
        StorageError
            If a file cannot be written, or is there already.
        """
        export_folder(folder, self.parts, length_unit, energy_unit, overwrite=overwrite)

    # --- what it says ---

    def evaluator(
        self,
        structure: Atoms | Structure,
        skin: float = 0.0,
        threads: int | None = None,
        precision: str | None = None,
    ) -> Evaluator:
        """Evaluator of a structure whose atoms will move; see there. The precision is the potential's by default."""
        return Evaluator(
            self.model.in_precision(precision),
            Structure.from_atoms(structure),
            skin,
            threads or self.descriptor.threads,
        )

    def evaluate(self, atoms: Atoms | Structure, forces: bool = True) -> Result:
        """Energy, forces, stress, and what belongs to single atoms.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure; not changed.
        forces : bool
            Whether forces, virials and the stress are wanted; energies alone are faster.

        Raises
        ------
        StructureError
            For elements that the potential does not know and structures that cannot be used.
        """
        return self.evaluator(atoms).evaluate(forces=forces)

    def describe(self) -> str:
        """Summary in words: functions, networks, scaling, energies."""
        alone = "energies of pairs alone; an atom by itself has its offset"
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
            raise InputError("a potential needs atom-centred functions or energies of pairs")
        return descriptor
    if descriptor is None:
        return ACSF.without_functions(pairs.descriptor.elements, threads=pairs.descriptor.threads)
    if pairs.descriptor.elements != descriptor.elements:
        known, other = ", ".join(descriptor.elements), ", ".join(pairs.descriptor.elements)
        raise InputError(f"atom-centred functions are for {known}, pair-centred ones for {other}")
    return descriptor


def _in_words(network: Network, scaling: Scaling) -> str:
    layers, kinds = "-".join(str(size) for size in network.sizes), ", ".join(network.activations)
    return f"network {layers} ({kinds}), {len(network.parameters):,} parameters, scaling {scaling.mode}"

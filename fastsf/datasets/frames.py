"""Reading of checked structures from files, in chunks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastsf.datasets.inputs import Input
from fastsf.elements import atomic_number, chemical_symbol
from fastsf.errors import FormatError, InputError, StructureError, counted
from fastsf.io.labels import NO_LABEL, FoundLabels, available_keys, charges_of, find_labels, flat_info
from fastsf.io.structures import iread_structures
from fastsf.io.text import ReadPosition
from fastsf.structure import Structure
from fastsf.types import FloatArray

if TYPE_CHECKING:
    from ase import Atoms

OnError = Literal["stop", "skip"]
_ELEMENTS = 256


@dataclass(frozen=True)
class Reading:
    """Options of reading structures.

    Parameters
    ----------
    length_unit, energy_unit : str
        Units of files that do not contain them: input.data, and dumps and data files of LAMMPS.
    energy_key, forces_key, stress_key : str, optional
        Names of the labels in the files; default: the usual ones.
    on_error : "stop" or "skip"
        Treatment of structures that cannot be used.
    need_labels : bool
        Refuse structures without any label.
    file_format : str, optional
        Format of the files in place of recognition, as for `iread_structures`.
    types : tuple of str
        Elements of the types 1, 2, ... of files of LAMMPS.
    strict_labels : bool
        Refuse structures with a label that cannot be used, as with `need_labels`. Otherwise such labels are left out,
        unless they are named.
    """

    length_unit: str = "Angstrom"
    energy_unit: str = "eV"
    energy_key: str | None = None
    forces_key: str | None = None
    stress_key: str | None = None
    on_error: OnError = "stop"
    need_labels: bool = False
    file_format: str | None = None
    types: tuple[str, ...] = ()
    strict_labels: bool = False


@dataclass(frozen=True)
class FrameIndex:
    """Position of a structure: index of the input file and index in that file, from 0."""

    file: int = 0
    frame: int = 0


@dataclass(frozen=True)
class Frame:
    """Structure of a file that can be computed.

    Parameters
    ----------
    index : FrameIndex
        Position in the files.
    structure : Structure
        Atoms and cell.
    cell : (3, 3) float64
        Lattice vectors as in the file, Å; zeros for missing ones.
    labels : dict
        Those of "energy" (eV), "forces" (eV/Å) and "stress" (eV/Å^3) that the file has.
    info : dict
        `info` of ASE, with the key-value pairs of a database row.
    charges : (n,) float64 or None
        Charges of the atoms.
    found : FoundLabels
        Labels with the keys under which they were found.
    """

    index: FrameIndex
    structure: Structure
    cell: FloatArray
    labels: dict[str, Any]
    info: dict[str, Any]
    charges: FloatArray | None = None
    found: FoundLabels = field(default_factory=FoundLabels)


@dataclass(frozen=True)
class Skipped:
    """Omitted structure with the reason, which names file and frame; frame -1 means a whole file."""

    index: FrameIndex
    reason: str


@dataclass
class Chunk:
    """Consecutive structures, with the position of the next one and the number of bytes read up to there."""

    frames: list[Frame] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    after: FrameIndex = FrameIndex()
    bytes_read: int = 0
    atoms: int = 0

    def leave_out(self, frame: Frame, path: str, error: InputError) -> None:
        """Move a structure to the omitted ones."""
        self.frames.remove(frame)
        self.atoms -= len(frame.structure)
        self.skipped.append(Skipped(frame.index, located(error, path, frame.index.frame)))


def located(error: InputError, path: str, frame: int) -> str:
    """Return the message of an error, preceded by file and frame unless it has them."""
    return str(error) if isinstance(error, FormatError) else f"{path}, frame {frame}: {error}"


class FrameReader:
    """Reader of checked structures of several files, from any frame on.

    Parameters
    ----------
    inputs : sequence of Input
        The files.
    elements : collection of str or None
        Elements that structures may contain; None: all.
    reading : Reading
        Options of reading.
    """

    def __init__(self, inputs: Sequence[Input], elements: Collection[str] | None, reading: Reading) -> None:
        self.inputs = inputs
        self.elements = elements
        self.reading = reading
        self._known = np.full(_ELEMENTS, elements is None)
        self._known[[atomic_number(symbol) for symbol in elements or ()]] = True
        self._missing: dict[str, InputError] = {}
        self._found: set[str] = set()
        self._position = ReadPosition()

    def __call__(self, start: FrameIndex) -> Iterator[Frame | Skipped]:
        """Read the structures from a position on.

        Raises
        ------
        StorageError
            If a file cannot be read.
        InputError
            For a structure that cannot be used, with file and frame, unless those are skipped.
        """
        for file in range(start.file, len(self.inputs)):
            yield from self._read_file(file, start.frame if file == start.file else 0)

    def chunks(self, start: FrameIndex, n_atoms: int) -> Iterator[Chunk]:
        """Read the structures from a position on in chunks of at least so many atoms.

        A chunk depends only on its start.
        """
        chunk = Chunk()
        for item in self(start):
            if isinstance(item, Frame):
                chunk.frames.append(item)
                chunk.atoms += len(item.structure)
            else:
                chunk.skipped.append(item)
            if chunk.atoms >= n_atoms:
                chunk.after = FrameIndex(item.index.file, item.index.frame + 1)
                chunk.bytes_read = self._bytes_read(item.index.file)
                yield chunk
                chunk = Chunk()
        if chunk.frames or chunk.skipped:
            chunk.after = FrameIndex(len(self.inputs), 0)
            chunk.bytes_read = self.bytes_total
            yield chunk

    @property
    def bytes_total(self) -> int:
        """Size of all files, bytes."""
        return sum(each.size for each in self.inputs)

    def check_keys(self) -> None:
        """Check that some structure up to now has each named label.

        Raises
        ------
        InputError
            If none has; lists the available keys.
        """
        for name, error in self._missing.items():
            if name not in self._found:
                raise error

    def _read_file(self, file: int, start: int) -> Iterator[Frame | Skipped]:
        path, reading = self.inputs[file].path, self.reading
        index = FrameIndex(file, -1)
        self._position = ReadPosition()
        try:
            # A file that waits for garbage collection after an error would be reported as unclosed.
            found_here = iread_structures(
                [path],
                length_unit=reading.length_unit,
                energy_unit=reading.energy_unit,
                form=reading.file_format,
                types=reading.types,
                skip=start,
                position=self._position,
            )
            with closing(found_here) as items:
                for _, number, found in items:
                    index = FrameIndex(file, number)
                    yield self._checked(index, found)
        except FormatError as error:
            if reading.on_error == "stop":
                raise
            yield Skipped(index, str(error))

    def _checked(self, index: FrameIndex, found: Atoms | FormatError) -> Frame | Skipped:
        path = self.inputs[index.file].path
        try:
            if isinstance(found, FormatError):
                raise found
            structure = Structure.from_atoms(found)
            self._check_elements(structure)
            labels, charges = self._labels(found, path, index.frame), charges_of(found)
        except InputError as error:
            if self.reading.on_error == "skip":
                return Skipped(index, located(error, path, index.frame))
            if isinstance(error, FormatError):
                raise
            raise StructureError(located(error, path, index.frame)) from error
        cell = np.array(found.cell, dtype=np.float64)
        return Frame(index, structure, cell, labels.values, flat_info(found), charges, labels)

    def _check_elements(self, structure: Structure) -> None:
        if len(structure) == 0:
            raise StructureError("expected at least one atom, found none")
        known_here = self._known[np.minimum(structure.numbers, _ELEMENTS - 1)]
        strangers = structure.numbers[~known_here]
        if len(strangers):
            symbol, known = chemical_symbol(int(strangers[0])), ", ".join(self.elements or ())
            raise StructureError(f"no functions for element {symbol}; there are functions for {known}")

    def _labels(self, atoms: Atoms, path: str, frame: int) -> FoundLabels:
        """Return the labels of a structure; a named key may be missing in some structures."""
        reading = self.reading
        keys = {"energy": reading.energy_key, "forces": reading.forces_key, "stress": reading.stress_key}
        found = find_labels(atoms, keys, strict=reading.need_labels or reading.strict_labels)
        self._found.update(found.values)
        for name, key in keys.items():
            if key not in (None, NO_LABEL) and name not in found.values and name not in self._missing:
                error = InputError(f"no {key!r} in this structure; available keys: {available_keys(atoms)}")
                self._missing[name] = InputError(located(error, path, frame))
        if reading.need_labels and not found.values:
            raise StructureError(
                f"no energy, forces or stress in this structure; available keys: {available_keys(atoms)}"
            )
        return found

    def _bytes_read(self, file: int) -> int:
        return sum(each.size for each in self.inputs[:file]) + self._position.bytes


def check_any(structures: int, skipped: Sequence[str]) -> None:
    """Check that some structure could be used.

    Raises
    ------
    InputError
        If there was none; names the first that was left out.
    """
    if not structures:
        raise InputError(f"no structure can be used: {counted(len(skipped), 'structure')} left out, first {skipped[0]}")


def find_elements(paths: Sequence[str], reading: Reading) -> list[str]:
    """Return the elements of all structures, sorted by atomic number.

    Raises
    ------
    StorageError, InputError
        As for `FrameReader`, and if no structure can be used.
    """
    reader = FrameReader([Input.of(path) for path in paths], None, reading)
    numbers: set[int] = set()
    for item in reader(FrameIndex()):
        if isinstance(item, Frame):
            numbers.update(np.unique(item.structure.numbers).tolist())
    if not numbers:
        raise InputError("no structure of the input files can be used")
    return [chemical_symbol(number) for number in sorted(numbers)]

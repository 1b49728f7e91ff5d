"""From input files to checked structures in chunks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastsf.datasets.inputs import Input
from fastsf.elements import atomic_number, chemical_symbol
from fastsf.errors import FormatError, InputError, StructureError, counted
from fastsf.io.labels import available_keys, charges_of, flat_info, labels_of
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
    """How to read the inputs.

    Parameters
    ----------
    length_unit, energy_unit : str
        Units of input.data files, which do not tell them.
    energy_key, forces_key, stress_key : str, optional
        Names under which the labels stand; by default wherever they usually are.
    on_error : "stop" or "skip"
        What to do about structures that cannot be used.
    need_labels : bool
        Whether a structure without any label cannot be used.
    """

    length_unit: str = "Angstrom"
    energy_unit: str = "eV"
    energy_key: str | None = None
    forces_key: str | None = None
    stress_key: str | None = None
    on_error: OnError = "stop"
    need_labels: bool = False


@dataclass(frozen=True)
class FrameIndex:
    """Where the next structure to read is: a row of the inputs and a zero-based number in that file."""

    file: int = 0
    frame: int = 0


@dataclass(frozen=True)
class Frame:
    """A structure that can be computed, its labels (eV, Å: those it has of energy, forces, stress), info, and charges.

    `info` is ASE's, with the key-value pairs of a database row; charges are (n,), if there are any.
    """

    index: FrameIndex
    structure: Structure
    cell: FloatArray
    labels: dict[str, Any]
    info: dict[str, Any]
    charges: FloatArray | None = None


@dataclass(frozen=True)
class Skipped:
    """A structure that was left out, and why (with file and frame); frame -1 stands for a whole file."""

    index: FrameIndex
    reason: str


@dataclass
class Chunk:
    """Consecutive structures, where to read on, and how many bytes of the inputs are behind."""

    frames: list[Frame] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    after: FrameIndex = FrameIndex()
    bytes_read: int = 0
    atoms: int = 0

    def leave_out(self, frame: Frame, path: str, error: InputError) -> None:
        """Move a structure to those that are skipped."""
        self.frames.remove(frame)
        self.atoms -= len(frame.structure)
        self.skipped.append(Skipped(frame.index, located(error, path, frame.index.frame)))


def located(error: InputError, path: str, frame: int) -> str:
    """Return the message of an error with file and frame in front, unless it has them."""
    return str(error) if isinstance(error, FormatError) else f"{path}, frame {frame}: {error}"


class FrameReader:
    """Checked structures of several files, from any frame on.

    Parameters
    ----------
    inputs : sequence of Input
        The files.
    elements : collection of str or None
        Elements that structures may contain; None: any.
    reading : Reading
        How to read them.
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
        """Read on from a frame.

        Raises
        ------
        StorageError
            If a file cannot be read.
        InputError
            For a structure that cannot be used, with file and frame, unless those are to be skipped.
        """
        for file in range(start.file, len(self.inputs)):
            yield from self._read_file(file, start.frame if file == start.file else 0)

    def chunks(self, start: FrameIndex, n_atoms: int) -> Iterator[Chunk]:
        """Read on from a frame in chunks of at least so many atoms; a chunk depends on its start only."""
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
        """Complain about label keys that no structure read so far has.

        Raises
        ------
        InputError
            With the keys that were there.
        """
        for name, error in self._missing.items():
            if name not in self._found:
                raise error

    def _read_file(self, file: int, start: int) -> Iterator[Frame | Skipped]:
        path, reading = self.inputs[file].path, self.reading
        index = FrameIndex(file, -1)
        self._position = ReadPosition()
        units = {"length_unit": reading.length_unit, "energy_unit": reading.energy_unit}
        try:
            items = iread_structures([path], **units, skip=start, position=self._position)
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
        return Frame(index, structure, np.array(found.cell, dtype=np.float64), labels, flat_info(found), charges)

    def _check_elements(self, structure: Structure) -> None:
        if len(structure) == 0:
            raise StructureError("the structure has no atoms")
        known_here = self._known[np.minimum(structure.numbers, _ELEMENTS - 1)]
        strangers = structure.numbers[~known_here]
        if len(strangers):
            symbol, known = chemical_symbol(int(strangers[0])), ", ".join(self.elements or ())
            raise StructureError(f"no functions for element {symbol}; there are functions for {known}")

    def _labels(self, atoms: Atoms, path: str, frame: int) -> dict[str, Any]:
        """Return the labels that are there; a named key may be missing in some structures."""
        reading = self.reading
        keys = {"energy": reading.energy_key, "forces": reading.forces_key, "stress": reading.stress_key}
        found = labels_of(atoms)
        for name, key in keys.items():
            if key is not None:
                found.pop(name, None)
                try:
                    found[name] = labels_of(atoms, **{f"{name}_key": key})[name]
                    self._found.add(name)
                except StructureError:
                    raise
                except InputError as error:
                    self._missing.setdefault(name, InputError(located(error, path, frame)))
        if reading.need_labels and not found:
            raise StructureError(f"no energy, forces or stress in this structure; there is, in {available_keys(atoms)}")
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
    """Read all structures for their elements; sorted by atomic number.

    Raises
    ------
    StorageError, InputError
        As `FrameReader`; also if no structure can be used.
    """
    reader = FrameReader([Input.of(path) for path in paths], None, reading)
    numbers: set[int] = set()
    for item in reader(FrameIndex()):
        if isinstance(item, Frame):
            numbers.update(np.unique(item.structure.numbers).tolist())
    if not numbers:
        raise InputError("no structure of the inputs can be used")
    return [chemical_symbol(number) for number in sorted(numbers)]

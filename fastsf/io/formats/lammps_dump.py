"""Dumps of LAMMPS (``dump custom``, ``dump atom``), frame by frame. They hold forces, and no energies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_masses

from fastsf.elements import named_element
from fastsf.errors import FormatError, InputError
from fastsf.io.formats.lammps import AtomType, LammpsOptions, advice, elements_of_types
from fastsf.io.text import ReadPosition, numbered_lines, parse_float, parse_int
from fastsf.types import FloatArray

_FIRST = ("TIMESTEP", "TIME", "UNITS")
"""Headings with which a frame may begin."""

_POSITIONS = ("x y z", "xu yu zu", "xs ys zs", "xsu ysu zsu")
"""Columns of positions in the order of preference; the last two are fractions of the box."""


@dataclass
class DumpFrame:
    """Lines of a frame by heading, each with its number; and the units that the file has named."""

    line: int
    headings: dict[str, tuple[int, str]] = field(default_factory=dict)
    lines: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    units: str | None = None


def iter_dump_frames(path: Path, position: ReadPosition | None = None) -> Iterator[DumpFrame]:
    """Separate a dump into frames.

    Raises
    ------
    StorageError, FormatError
        As for `numbered_lines`.
    """
    frame, name, named_units = DumpFrame(1), "", None
    for number, text in numbered_lines(path, position):
        if text.startswith("ITEM:"):
            words = text[5:].split(maxsplit=1) or [""]
            name, rest = next(
                ((each, text[5:].strip()[len(each) :]) for each in _NAMES if text[5:].strip().startswith(each)),
                (words[0], " ".join(words[1:])),
            )
            if name in _FIRST and "ATOMS" in frame.headings:
                yield frame
                frame = DumpFrame(number, units=named_units)
            frame.headings[name] = number, rest.strip()
            frame.lines[name] = []
        elif text.strip() and name:
            frame.lines[name].append((number, text))
            if name == "UNITS":
                frame.units = named_units = text.strip()
    if frame.headings:
        yield frame


_NAMES = ("TIMESTEP", "TIME", "UNITS", "NUMBER OF ATOMS", "BOX BOUNDS", "ATOMS")


def parse_dump_frame(frame: DumpFrame, path: Path, number: int, options: LammpsOptions) -> Atoms:
    """Build the structure of a frame, with its atoms sorted by id.

    Raises
    ------
    FormatError
        If the frame is broken, or the elements of its atoms are unknown.
    """
    try:
        return _Parser(frame, path, options).atoms()
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(str(error), path, frame.headings.get("ATOMS", (frame.line, ""))[0], number) from error


class _Parser:
    """Parser of one frame."""

    def __init__(self, frame: DumpFrame, path: Path, options: LammpsOptions) -> None:
        self.frame, self.path, self.options = frame, path, options
        for name in ("NUMBER OF ATOMS", "BOX BOUNDS", "ATOMS"):
            if name not in frame.headings:
                raise InputError(f"expected ITEM: {name} in the frame, found none")
        self.columns = frame.headings["ATOMS"][1].split()
        (line, text), *_ = frame.lines["NUMBER OF ATOMS"] or [(frame.line, "")]
        self.count = parse_int(text.strip(), path, line, "the number of atoms")
        self.rows = frame.lines["ATOMS"]
        if len(self.rows) != self.count:
            raise InputError(f"expected {self.count} atoms, found {len(self.rows)} until the end of the frame")
        self.words = [text.split() for _, text in self.rows]
        for (line, _), words in zip(self.rows, self.words, strict=True):
            if len(words) != len(self.columns):
                message = f"expected {len(self.columns)} values ({' '.join(self.columns)}), found {len(words)}"
                raise FormatError(message, path, line)

    def atoms(self) -> Atoms:
        style = self.options.style(self.frame.units)
        cell, origin, periodic = self.box()
        kinds = self.elements()
        positions = self.positions(cell, origin) * style.length
        atoms = Atoms([each.number for each in kinds], positions=positions, cell=cell * style.length, pbc=periodic)
        if any(each.mass for each in kinds):
            atoms.set_masses([each.mass or float(atomic_masses[each.number]) for each in kinds])
        velocities, forces, charges = self.table("vx vy vz"), self.table("fx fy fz"), self.table("q")
        if velocities is not None:
            atoms.set_velocities(velocities * style.velocity)
        if charges is not None:
            atoms.set_initial_charges(charges[:, 0])
        order = np.argsort(self.integers("id"), kind="stable") if "id" in self.columns else np.arange(self.count)
        sorted_atoms: Atoms = atoms[order]
        if forces is not None:
            forces = forces[order] * (style.energy / style.length)
            sorted_atoms.calc = SinglePointCalculator(sorted_atoms, forces=forces)
        self.times(sorted_atoms, style.time)
        return sorted_atoms

    def times(self, atoms: Atoms, unit: float) -> None:
        for name, key, factor in (("TIMESTEP", "step", 0.0), ("TIME", "time", unit)):
            for line, text in self.frame.lines.get(name, [])[:1]:
                value = parse_float(text.strip(), self.path, line, name.lower())
                atoms.info[key] = value * factor if factor else int(value)

    def box(self) -> tuple[FloatArray, FloatArray, list[bool]]:
        """Return the lattice vectors as rows, the origin, and the periodic directions."""
        line, heading = self.frame.headings["BOX BOUNDS"]
        words, rows = heading.split(), self.frame.lines["BOX BOUNDS"]
        tilted, general = words[:3] == ["xy", "xz", "yz"], words[:2] == ["abc", "origin"]
        bounds = words[3 if tilted else 2 if general else 0 :]
        if len(bounds) != 3 or any(not set(word) <= set("pfsm") for word in bounds):
            raise FormatError(f"expected the periodicity of the box, as pp pp ff, found {heading!r}", self.path, line)
        width = 4 if general else 3 if tilted else 2
        if len(rows) != 3 or any(len(text.split()) != width for _, text in rows):
            raise FormatError(f"expected three lines of {width} numbers for the box", self.path, line)
        values = np.array([[parse_float(word, self.path, at, "the box") for word in text.split()] for at, text in rows])
        periodic = [word[0] == "p" for word in bounds]
        if general:
            return values[:, :3], values[:, 3], periodic
        xy, xz, yz = values[:, 2] if tilted else np.zeros(3)
        low, high = values[:, 0], values[:, 1]
        shifts = (0.0, xy, xz, xy + xz)
        low = low - [min(shifts), min(0.0, yz), 0.0]
        high = high - [max(shifts), max(0.0, yz), 0.0]
        return np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) * (high - low) + _tilts(xy, xz, yz), low, periodic

    def positions(self, cell: FloatArray, origin: FloatArray) -> FloatArray:
        for names in _POSITIONS:
            found = self.table(names)
            if found is not None:
                return origin + found @ cell if "s" in names else found
        raise InputError(f"expected columns x y z, xu yu zu or xs ys zs, found {' '.join(self.columns)}")

    def elements(self) -> list[AtomType]:
        """Return the element of each atom: by the user, or by columns element, typelabel or mass."""
        types = self.integers("type").tolist() if "type" in self.columns else []
        present, given = sorted(set(types)), self.options.types
        name = next((each for each in ("element", "typelabel") if each in self.columns), None)
        if name is not None and not (given and types):
            names = [words[self.columns.index(name)] for words in self.words]
            if name == "element" and set(names) == {"C"} and len(present) > 1:
                raise InputError(
                    f"the column element is C for {len(present)} types, as if dump_modify element were missing; "
                    + advice(present)
                )
            return [AtomType(*self.named(word, line)) for word, (line, _) in zip(names, self.rows, strict=True)]
        if not types:
            raise InputError(f"expected a column element or type, found {' '.join(self.columns)}")
        masses = self.table("mass")
        by_type = dict(zip(types, masses[:, 0].tolist(), strict=True)) if masses is not None else None
        table = elements_of_types(present, given, masses=by_type)
        return [table[each] for each in types]

    def named(self, word: str, line: int) -> tuple[int, float | None]:
        try:
            return named_element(word)
        except InputError as error:
            raise FormatError(str(error), self.path, line) from error

    def integers(self, name: str) -> npt.NDArray[np.int64]:
        k = self.columns.index(name)
        pairs = zip(self.words, self.rows, strict=True)
        return np.array([parse_int(words[k], self.path, line, name) for words, (line, _) in pairs], dtype=np.int64)

    def table(self, names: str) -> FloatArray | None:
        """Return some columns, or None if the dump does not have them all."""
        wanted = names.split()
        if not set(wanted) <= set(self.columns):
            return None
        at = [self.columns.index(name) for name in wanted]
        return np.array(
            [
                [parse_float(words[k], self.path, line, name) for k, name in zip(at, wanted, strict=True)]
                for words, (line, _) in zip(self.words, self.rows, strict=True)
            ]
        ).reshape(self.count, len(wanted))


def _tilts(xy: float, xz: float, yz: float) -> FloatArray:
    return np.array([[0.0, 0.0, 0.0], [xy, 0.0, 0.0], [xz, yz, 0.0]])

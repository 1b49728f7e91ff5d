"""Data files of LAMMPS (``read_data``, ``write_data``): one structure without labels.

Data files do not name the periodicity. It is that of a remark ``boundary p p f`` in the first line, which the files of
fastsf have; otherwise the structure is periodic in all directions, which is the default of LAMMPS.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_masses

from fastsf.errors import FormatError, InputError
from fastsf.io.formats.lammps import AtomType, LammpsOptions, elements_of_types
from fastsf.io.remarks import remark
from fastsf.io.text import numbered_lines, parse_float, parse_int
from fastsf.types import FloatArray

Row = tuple[int, list[str]]
"""Line number and words."""

_LAYOUTS = {
    "atomic": (1, None, 2),
    "charge": (1, 2, 3),
    "molecular": (2, None, 3),
    "bond": (2, None, 3),
    "angle": (2, None, 3),
    "full": (2, 3, 4),
}
"""Columns of the type, of the charge and of x, by the atom style."""

_SECTION = re.compile(r"[A-Z][A-Za-z]*(?: [A-Za-z/]+)*")
_UNITS = re.compile(r"\bunits(?:\s*=\s*(\w+)|\s+(metal|real|electron|lj|si|cgs|micro|nano)\b)")
_BOUNDARY = re.compile(r"\bboundary\s+([pfsm]{1,2})\s+([pfsm]{1,2})\s+([pfsm]{1,2})\b")
_EDGES = ("xlo xhi", "ylo yhi", "zlo zhi")


def read_lammps_data(path: Path, options: LammpsOptions) -> Atoms:
    """Read the structure, with its atoms sorted by id.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is broken, its atom style is not known, or the elements of its types are unknown.
    """
    file = _DataFile(path)
    try:
        return file.atoms(options)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(str(error), path, file.line) from error


class _DataFile:
    """Header and sections of a data file."""

    def __init__(self, path: Path) -> None:
        self.path, self.line, self.title = path, 1, ""
        self.header: dict[str, tuple[int, list[str]]] = {}
        self.sections: dict[str, list[Row]] = {}
        self.style: str | None = None
        rows: list[Row] | None = None
        for number, text in numbered_lines(path):
            if number == 1:
                self.title = text
                continue
            content, _, comment = text.partition("#")
            words = content.split()
            if not words:
                continue
            if _SECTION.fullmatch(" ".join(words)):
                rows = self.sections.setdefault(" ".join(words), [])
                if words == ["Atoms"]:
                    self.line, self.style = number, next(iter(comment.split()), None)
            elif rows is not None:
                rows.append((number, [*words, *([f"# {comment.strip()}"] if comment.strip() else [])]))
            else:
                self._add_header(number, words)

    def _add_header(self, number: int, words: list[str]) -> None:
        values = [word for word in words if word[0] in "+-.0123456789"]
        self.header[" ".join(words[len(values) :])] = number, values

    def atoms(self, options: LammpsOptions) -> Atoms:
        named = _UNITS.search(self.title)
        style = options.style((named[1] or named[2]) if named else None)
        rows = [(line, [word for word in words if word[0] != "#"]) for line, words in self.sections.get("Atoms", [])]
        count = self.count()
        if len(rows) != count:
            raise InputError(f"expected {count} atoms in the section Atoms, found {len(rows)}")
        labels = self.labels()
        kind, charge, first = self.layout(rows)
        ids = [parse_int(words[0], self.path, line, "the id of an atom") for line, words in rows]
        types = [self.type_of(words[kind], line, labels) for line, words in rows]
        table = elements_of_types(sorted(set(types)), options.types, labels, self.masses(labels))
        kinds: list[AtomType] = [table[each] for each in types]
        positions = self.numbers(rows, range(first, first + 3)) * style.length
        cell = self.cell() * style.length
        atoms = Atoms([each.number for each in kinds], positions=positions, cell=cell, pbc=self.periodic())
        if any(each.mass for each in kinds):
            atoms.set_masses([each.mass or float(atomic_masses[each.number]) for each in kinds])
        if charge is not None:
            atoms.set_initial_charges(self.numbers(rows, [charge])[:, 0])
        velocities = self.velocities(ids)
        if velocities is not None:
            atoms.set_velocities(velocities * style.velocity)
        found: Atoms = atoms[np.argsort(ids, kind="stable")]
        return found

    def count(self) -> int:
        if "atoms" not in self.header or len(self.header["atoms"][1]) != 1:
            raise InputError("expected a line with the number of atoms, as '2 atoms'")
        line, words = self.header["atoms"]
        return parse_int(words[0], self.path, line, "the number of atoms")

    def layout(self, rows: list[Row]) -> tuple[int, int | None, int]:
        """Return the columns of the type, of the charge and of x."""
        known = ", ".join(_LAYOUTS)
        widths = sorted({len(words) for _, words in rows})
        if self.style is not None and self.style not in _LAYOUTS:
            raise InputError(f"atom style: expected {known}, found {self.style!r}")
        if len(widths) == 1 and self.style is not None:
            kind, charge, first = _LAYOUTS[self.style]
            if widths[0] in (first + 3, first + 6):
                return kind, charge, first
            expected = f"{first + 3} or {first + 6} values for the atom style {self.style}"
            raise FormatError(f"expected {expected}, found {widths[0]}", self.path, rows[0][0])
        if widths in ([5], [8]):
            return _LAYOUTS["atomic"]
        if widths in ([7], [10]):
            return _LAYOUTS["full"]
        if widths in ([6], [9]):
            whole = [all(_whole(words[k]) for _, words in rows) for k in (1, 2)]
            if not whole[1]:
                return _LAYOUTS["charge"]
        raise InputError(
            f"the atom style is not clear; name it in the line of the section, as 'Atoms # full' (known: {known})"
        )

    def labels(self) -> dict[int, str]:
        rows = self.sections.get("Atom Type Labels", [])
        return {parse_int(words[0], self.path, line, "a type"): words[1] for line, words in rows if len(words) > 1}

    def type_of(self, word: str, line: int, labels: dict[int, str]) -> int:
        by_label = {label: each for each, label in labels.items()}
        return by_label[word] if word in by_label else parse_int(word, self.path, line, "the type of an atom")

    def masses(self, labels: dict[int, str]) -> dict[int, float]:
        found = {}
        for line, words in self.sections.get("Masses", []):
            if len(words) < 2:
                raise FormatError("expected a type and its mass", self.path, line)
            found[self.type_of(words[0], line, labels)] = parse_float(words[1], self.path, line, "a mass")
        return found

    def cell(self) -> FloatArray:
        if {"avec", "bvec", "cvec"} <= self.header.keys():
            return np.array([self.values(name, 3) for name in ("avec", "bvec", "cvec")])
        edges = [self.values(name, 2) for name in _EDGES]
        cell = np.diag([high - low for low, high in edges])
        if "xy xz yz" in self.header:
            cell[1, 0], cell[2, 0], cell[2, 1] = self.values("xy xz yz", 3)
        return cell

    def values(self, name: str, count: int) -> list[float]:
        line, words = self.header.get(name, (self.line, []))
        if len(words) != count:
            raise FormatError(f"expected {count} numbers and {name}, found {len(words)}", self.path, line)
        return [parse_float(word, self.path, line, name) for word in words]

    def periodic(self) -> list[bool]:
        found = _BOUNDARY.search(self.title)
        if found is None:
            remark(f"{self.path}: read as periodic in all directions; data files of LAMMPS do not name the boundary")
            return [True] * 3
        return [word[0] == "p" for word in found.groups()]

    def velocities(self, ids: list[int]) -> FloatArray | None:
        rows = self.sections.get("Velocities", [])
        if not rows:
            return None
        own = [parse_int(words[0], self.path, line, "the id of an atom") for line, words in rows]
        if sorted(own) != sorted(ids):
            raise FormatError("expected a velocity of every atom", self.path, rows[0][0])
        values = dict(zip(own, self.numbers(rows, range(1, 4)), strict=True))
        return np.array([values[each] for each in ids])

    def numbers(self, rows: list[Row], columns: range | list[int]) -> FloatArray:
        found = []
        for line, words in rows:
            if len(words) <= max(columns):
                raise FormatError(f"expected {max(columns) + 1} values, found {len(words)}", self.path, line)
            found.append([parse_float(words[k], self.path, line, "an atom") for k in columns])
        return np.array(found).reshape(len(rows), len(columns))


def _whole(word: str) -> bool:
    return word.lstrip("+-").isdecimal()

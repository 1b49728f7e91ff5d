"""Recognition of formats: by content where it is clear, otherwise by name as ASE does."""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from pathlib import Path

from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat, ioformats

from fastsf.errors import FormatError, InputError, StorageError
from fastsf.io.text import COMPRESSED, open_binary, open_text, reading_errors

ALIASES = {
    "xyz": "extxyz",
    "ipi": "ipi-xyz",
    "runner": "input.data",
    "runnerdata": "input.data",
    "n2p2": "input.data",
    "lammps-dump-text": "lammps-dump",
    "outcar": "vasp-out",
    "vasprun": "vasp-xml",
    "poscar": "vasp",
}
"""Other names of formats, also those of readers of ASE that are not used."""

OWN = ("input.data", "extxyz", "ipi-xyz", "lammps-dump", "lammps-data")
"""Formats with a reader of fastsf; ASE reads all others."""

UNITS_NEEDED = ("input.data", "lammps-dump", "lammps-data")
"""Formats whose files do not contain their units."""

_LINES, _COLUMNS = 60, 2000
"""Part of a file that is looked at: lines, and characters of a line."""

_ATOMS = re.compile(r"\s*\d+\s+atoms\s*(#.*)?", re.ASCII)
_TYPES = re.compile(r"\s*\d+\s+atom\s+types\s*(#.*)?", re.ASCII)
_COUNT = re.compile(r"\s*\d+\s*", re.ASCII)
_CELL_OF_IPI = re.compile(r"#\s*CELL[\[({](abcABC|H|GENH)[\])}]", re.IGNORECASE)
_LAMMPS_XYZ = re.compile(r"\s*Atoms\. Timestep", re.ASCII)


def file_format(path: Path, given: str | None = None) -> str:
    """Return the format of a file: one of `OWN`, or its name in ASE.

    Parameters
    ----------
    path : Path
        The file.
    given : str, optional
        Format by the user, in place of recognition.

    Raises
    ------
    StorageError
        If the file is missing, is a folder, or may not be read.
    FormatError
        If it is empty or ASE does not know its format.
    InputError
        If the given format is not known.
    """
    known = None if given is None else format_name(given)
    _check_file(path)
    if known is not None:
        return known
    found = _by_content(path)
    if found is not None:
        return found
    name = path.name.removesuffix(path.suffix) if path.suffix in COMPRESSED else path.name
    if name.endswith("input.data"):
        return "input.data"
    if name.lower().endswith((".xyz", ".extxyz")):
        return "extxyz"
    with reading_errors(path):
        try:
            by_ase: str = filetype(str(path))
            get_ioformat(by_ase)
        except UnknownFileTypeError as error:
            raise _unknown(path) from error
    if by_ase in ("runner", "runnerdata"):  # by its name alone, as it has no block
        raise _unknown(path)
    return ALIASES.get(by_ase, by_ase)


def format_name(given: str) -> str:
    """Return the format that a name of a user means.

    Raises
    ------
    InputError
        If there is no such format.
    """
    word = given.lower()
    word = ALIASES.get(word, word)
    if word not in OWN and word not in ioformats:
        raise InputError(
            f"format of the inputs: expected {', '.join(OWN)}, vasp-out, vasp-xml or another name of a format of ASE, "
            f"found {given!r}"
        )
    return word


def _unknown(path: Path) -> FormatError:
    return FormatError("the format of this file is not known; --format NAME sets it", path)


def _check_file(path: Path) -> None:
    with reading_errors(path):
        mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "neither a file nor a folder"
        raise StorageError(f"{path}: expected a file of structures, found {kind}")
    with reading_errors(path), open_binary(path) as file:
        empty = not file.read(1)
    if empty:
        raise FormatError("the file is empty", path)


def _by_content(path: Path) -> str | None:
    """Return the format that the first lines of a file show, or None."""
    lines = _first_lines(path)
    if any("\0" in line for line in lines):
        return None
    for line in lines:
        words = line.split(maxsplit=1)
        if words and words[0][0] not in "#!":
            if words[0].lower() == "begin" and (len(words) == 1 or words[1].startswith(("set=", "#", "!"))):
                return "input.data"
            break
    if lines and lines[0].startswith("ITEM:"):
        return "lammps-dump"
    if any(map(_ATOMS.fullmatch, lines)) and (
        any(map(_TYPES.fullmatch, lines)) or any("xlo xhi" in line for line in lines)
    ):
        return "lammps-data"
    if len(lines) > 1 and _COUNT.fullmatch(lines[0]):
        if _CELL_OF_IPI.search(lines[1]):
            return "ipi-xyz"
        if "Properties=" in lines[1] or "Lattice=" in lines[1] or _LAMMPS_XYZ.match(lines[1]):
            return "extxyz"
    return None


def _first_lines(path: Path) -> list[str]:
    """Return the first lines, or those before damage, which the reader of the format reports."""
    found: list[str] = []
    with suppress(FormatError), reading_errors(path), open_text(path) as file:
        while len(found) < _LINES and (line := file.readline(_COLUMNS)):
            found.append(line.rstrip("\r\n"))
    return found

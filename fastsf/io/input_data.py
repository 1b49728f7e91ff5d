"""Structures of RuNNer and n2p2 (input.data): blocks from ``begin`` to ``end``, read one at a time.

A block holds lines of these kinds, in any order::

    comment <text>
    lattice <x> <y> <z>                                      three times, the vectors a, b, c, or not at all
    atom <x> <y> <z> <element> <charge> <unused> <fx> <fy> <fz>
    energy <total energy>
    charge <total charge>

A structure with lattice lines is periodic in all directions. The file does not contain its units.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from fastsf.elements import atomic_number
from fastsf.errors import FormatError, InputError
from fastsf.io.text import ReadPosition, numbered_lines, parse_float
from fastsf.types import FloatArray
from fastsf.units import energy_factor, length_factor

Block = list[tuple[int, str]]
"""Lines of a structure without the end line: number and text."""


def iread_input_data(path: str | Path, length_unit: str = "Angstrom", energy_unit: str = "eV") -> Iterator[Atoms]:
    """Read the structures of a file one by one, with one in memory.

    Parameters
    ----------
    path : path-like
        The file; may be compressed (.gz, .bz2, .xz).
    length_unit, energy_unit : str
        Units of the file by the names of ASE, as "Bohr" and "Hartree".

    Yields
    ------
    ase.Atoms
        Structure in Å and eV, with positions as in the file (n2p2 wraps them into the cell). Its calculator has
        `energy` (if given), `forces` and `charges` (if any differs from zero); `info` has `comment`, `set` ("train" or
        "test") and the total `charge`, if given. Zero forces may mean unknown ones.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        At the first error; names file, line and frame.
    InputError
        If a unit is unknown.
    """
    path = Path(path)
    length, energy = length_factor(length_unit), energy_factor(energy_unit)
    frame = -1
    for frame, block in enumerate(iter_blocks(path)):
        yield read_block(block, path, frame, length, energy)
    if frame < 0:
        raise FormatError("the file holds no structure", path)


def iter_blocks(path: Path, position: ReadPosition | None = None) -> Iterator[Block | FormatError]:
    """Separate a file into blocks; anything outside a complete block is an error in the sequence.

    Raises
    ------
    StorageError, FormatError
        As for `numbered_lines`.
    """
    block: Block | None = None
    stray = False
    frame = 0
    for number, text in numbered_lines(path, position):
        keyword = _keyword(text)
        if not keyword or keyword[0] in "#!":
            continue
        if keyword == "begin":
            if block is not None:
                yield FormatError("expected 'end' before the next 'begin'", path, number, frame)
                frame += 1
            block, stray = [(number, text)], False
        elif block is None:
            if not stray:
                yield FormatError(f"expected 'begin', found {keyword!r}", path, number, frame)
                frame += 1
            stray = True
        elif keyword == "end":
            yield block
            frame += 1
            block = None
        else:
            block.append((number, text))
    if block is not None:
        yield FormatError("the file ends before the 'end' of this structure", path, block[0][0], frame)


def _keyword(text: str) -> str:
    return (text.split(maxsplit=1) or [""])[0]


def read_block(block: Block | FormatError, path: Path, frame: int, length: float, energy: float) -> Atoms:
    """Build the structure of one block.

    Parameters
    ----------
    block : list of (int, str)
        Result of `iter_blocks`; an error is raised.
    path, frame
        File and index of the structure, for messages.
    length, energy : float
        Å and eV per unit of the file.

    Raises
    ------
    FormatError
        If the block is not valid.
    """
    if isinstance(block, FormatError):
        raise block
    lines = _sorted_out(block, path, frame)
    values = _numbers(lines["atom"], (1, 2, 3, 5, 7, 8, 9), path)
    atoms = Atoms(_atomic_numbers(lines["atom"], path, frame), positions=values[:, :3] * length)
    if lines["lattice"]:
        atoms.set_cell(_numbers(lines["lattice"], (1, 2, 3), path) * length)
        atoms.set_pbc(True)
    results: dict[str, FloatArray | float] = {"forces": values[:, 4:] * (energy / length)}
    if values[:, 3].any():
        results["charges"] = values[:, 3].copy()
    if lines["energy"]:
        results["energy"] = _numbers(lines["energy"], (1,), path).item() * energy
    atoms.calc = SinglePointCalculator(atoms, **results)
    atoms.info.update(_info(block[0], lines, path, frame))
    return atoms


_WORDS = {"comment": 1, "lattice": 4, "atom": 10, "energy": 2, "charge": 2}
"""Keywords of a block, with the fewest words on their lines."""


def _sorted_out(block: Block, path: Path, frame: int) -> dict[str, Block]:
    """Return the lines of a block by keyword; check their numbers."""
    lines: dict[str, Block] = {keyword: [] for keyword in _WORDS}
    for number, text in block[1:]:
        keyword = _keyword(text)
        fewest = _WORDS.get(keyword)
        if fewest is None:
            expected = ", ".join((*_WORDS, "end"))
            raise FormatError(f"expected one of {expected}, found {keyword!r}", path, number, frame)
        found = len(text.split())
        if found < fewest:
            message = f"{keyword}: expected {fewest - 1} values, found {found - 1}"
            raise FormatError(message, path, number, frame)
        lines[keyword].append((number, text))
    for keyword in ("energy", "charge"):
        if len(lines[keyword]) > 1:
            raise FormatError(
                f"{keyword}: expected one line in a structure, found {len(lines[keyword])}",
                path,
                lines[keyword][1][0],
                frame,
            )
    if not lines["atom"]:
        raise FormatError("expected at least one atom, found none", path, block[0][0], frame)
    if len(lines["lattice"]) not in (0, 3):
        message = f"expected 3 lattice lines or none, found {len(lines['lattice'])}"
        raise FormatError(message, path, block[0][0], frame)
    return lines


def _info(begin: tuple[int, str], lines: dict[str, Block], path: Path, frame: int) -> dict[str, str | float]:
    info: dict[str, str | float] = {}
    for word in begin[1].split()[1:]:
        if word not in ("set=train", "set=test"):
            message = f"begin: expected set=train, set=test or nothing, found {word!r}"
            raise FormatError(message, path, begin[0], frame)
        info["set"] = word.removeprefix("set=")
    if lines["comment"]:
        info["comment"] = "\n".join(text.strip()[len("comment") :].strip() for _, text in lines["comment"])
    if lines["charge"]:
        info["charge"] = _numbers(lines["charge"], (1,), path).item()
    return info


def _numbers(lines: Block, columns: tuple[int, ...], path: Path) -> FloatArray:
    """Return some columns as numbers, (lines, columns)."""
    shape = (len(lines), len(columns))
    flat: list[float] = []
    try:
        for _, text in lines:
            words = text.split()
            flat += [float(words[column]) for column in columns]
    except ValueError:
        flat = []
    # float() accepts texts that are not numbers here, as 1_000 and digits of other scripts.
    if flat and np.isfinite(flat).all() and all("_" not in text and text.isascii() for _, text in lines):
        return np.array(flat).reshape(shape)
    # Slower, but finds the line with the error and accepts exponents of Fortran.
    flat = []
    for number, text in lines:
        words = text.split()
        flat += [parse_float(words[column], path, number, words[0]) for column in columns]
    return np.array(flat).reshape(shape)


def _atomic_numbers(lines: Block, path: Path, frame: int) -> list[int]:
    known: dict[str, int] = {}
    found: list[int] = []
    for number, text in lines:
        symbol = text.split(maxsplit=5)[4]
        if symbol not in known:
            try:
                known[symbol] = atomic_number(symbol)
            except InputError as error:
                raise FormatError(str(error), path, number, frame) from error
        found.append(known[symbol])
    return found

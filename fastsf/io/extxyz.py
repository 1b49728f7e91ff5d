"""Frames of (extended) XYZ files, separated one by one and parsed by ASE.

The reader of ASE scans the whole file before the first frame, seeks in it (slow if compressed), stops at the first
blank line and fails at the first broken frame. This module reads a file once from start to end, with one frame in
memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from ase import Atoms
from ase.io.extxyz import read_xyz

from fastsf.errors import FormatError, InputError
from fastsf.io.extxyz_columns import read_regular_frame
from fastsf.io.extxyz_comment import normalized, numbers_or_text
from fastsf.io.text import ReadPosition, numbered_lines

FrameText = tuple[int, str]
"""Line number of the number of atoms, and the text of the frame from there on."""

_PLAIN_COLUMNS = 4
"""Element and position."""

_COUNT = re.compile(r"\s*\d{1,12}\s*", re.ASCII)


def iter_frames(path: Path, position: ReadPosition | None = None) -> Iterator[FrameText | FormatError]:
    """Separate a file into frames; broken frames are errors in the sequence.

    After an error, reading continues at the next line with only one whole number, which no line of an atom is.

    Raises
    ------
    StorageError, FormatError
        As for `numbered_lines`.
    """
    lines = numbered_lines(path, position)
    header = next(lines, None)
    frame = 0
    while header is not None:
        number, text = header
        if not text.strip():
            header = next(lines, None)
            continue
        if _COUNT.fullmatch(text):
            found, header = _cut(header, lines, path, frame)
            yield found
        else:
            message = f"expected the number of atoms of a frame, found {text.strip()[:60]!r}"
            yield FormatError(message, path, number, frame)
            header = next((line for line in lines if _COUNT.fullmatch(line[1])), None)
        frame += 1


def _cut(
    header: tuple[int, str], lines: Iterator[tuple[int, str]], path: Path, frame: int
) -> tuple[FrameText | FormatError, tuple[int, str] | None]:
    """Take a frame from `lines`; return it, or an error, and the next line."""
    number, text = header
    n_atoms = int(text)
    parts = [text]
    comment = next(lines, None)
    if comment is None:
        return FormatError("the file ends after the number of atoms", path, number, frame), None
    parts.append(comment[1])
    for found, line in enumerate(lines):
        if found >= n_atoms and not line[1].lstrip().startswith("VEC"):  # cell vectors of some plain XYZ files
            return (number, "".join(parts)), line
        if _COUNT.fullmatch(line[1]):
            return _short(n_atoms, found, path, number, frame), line
        parts.append(line[1])
    if len(parts) < n_atoms + 2:
        return _short(n_atoms, len(parts) - 2, path, number, frame), None
    return (number, "".join(parts)), None


def _short(n_atoms: int, found: int, path: Path, line: int, frame: int) -> FormatError:
    return FormatError(f"expected {n_atoms} atoms, found the end of the frame after {found}", path, line, frame)


def parse_frame(frame: FrameText | FormatError, path: Path, number: int) -> Atoms:
    """Parse one frame, by ASE unless it is a regular table; an error in its place is raised.

    Raises
    ------
    FormatError
        If it cannot be parsed.
    """
    if isinstance(frame, FormatError):
        raise frame
    line, text = frame
    try:
        spelled, tensors = _spelled(text)
    except InputError as error:
        raise FormatError(str(error), path, line + 1, number) from error
    try:
        regular = read_regular_frame(spelled)
        atoms: Atoms = next(read_xyz(StringIO(spelled), 0)) if regular is None else regular
    except MemoryError:
        raise
    except Exception as error:  # the parser of ASE raises errors of many kinds
        message = f"not a frame of an XYZ file: {type(error).__name__}: {error}"
        raise FormatError(message, path, line, number) from error
    atoms.info.update({key: numbers_or_text(value) for key, value in tensors.items()})
    return atoms


def _spelled(text: str) -> tuple[str, dict[str, str]]:
    """Return a frame with the usual spelling of its comment, and tensors that the readers do not know.

    Columns after the positions that the comment does not describe get a name, as "columns_5_7".
    """
    count, _, rest = text.partition("\n")
    comment, _, body = rest.partition("\n")
    found = normalized(comment)
    line = found.text
    if not found.has_columns:
        width = len(body.partition("\n")[0].split())
        if width > _PLAIN_COLUMNS and _is_table(body, width, int(count)):
            name = f"columns_{_PLAIN_COLUMNS + 1}_{width}"
            line = f"{line} Properties=species:S:1:pos:R:3:{name}:R:{width - _PLAIN_COLUMNS}"
    return f"{count}\n{line}\n{body}", found.tensors


def _is_table(body: str, width: int, n_atoms: int) -> bool:
    """Return whether all rows have so many words, and only numbers after the first."""
    words = body.split()
    if len(words) != n_atoms * width:
        return False
    del words[::width]
    try:
        list(map(float, words))
    except ValueError:
        return False
    return True

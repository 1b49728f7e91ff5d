"""Text files, compressed or not, read line by line; numbers whose errors name file and line."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, TextIO, cast

from fastsf.errors import FormatError, StorageError

COMPRESSED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
"""Functions that open compressed files, by the ending of the name."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)


class ReadPosition:
    """Position in a file that is being read, in bytes on disk; readers that know it update it."""

    def __init__(self) -> None:
        self._tell: Callable[[], int] = int
        self._last = 0

    def follow(self, tell: Callable[[], int]) -> None:
        """Take the position from a function that returns it, as `tell` of an open file."""
        self._tell = tell

    @property
    def bytes(self) -> int:
        """Bytes that have been read; 0 if the reader does not know."""
        with suppress(ValueError, OSError):  # the file has been closed
            self._last = self._tell()
        return self._last


@contextmanager
def open_text(path: Path, position: ReadPosition | None = None) -> Iterator[TextIO]:
    """Open a text file for reading, decompressed if its name ends in .gz, .bz2 or .xz.

    Bytes that are not UTF-8 (mostly names in comments) are replaced. Line ends of all systems are accepted, and so is
    the byte order mark that some editors write at the start.

    Parameters
    ----------
    path : Path
    position : ReadPosition, optional
        Follows this file while it is open.
    """
    opener = COMPRESSED.get(path.suffix)
    with path.open("rb") as file:
        if position is not None:
            position.follow(file.tell)
        with TextIOWrapper(opener(file) if opener else file, encoding="utf-8-sig", errors="replace") as text:
            yield text


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading bytes, decompressed if its name ends in .gz, .bz2 or .xz."""
    return cast("IO[bytes]", COMPRESSED.get(path.suffix, open)(path, "rb"))


@contextmanager
def compressing(path: Path, file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Write into an open file, compressed if a name ends in .gz, .bz2 or .xz."""
    opener = COMPRESSED.get(path.suffix.lower())
    if opener is None:
        yield file
    else:
        with cast("IO[bytes]", opener(file, "wb")) as stream:
            yield stream


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Turn errors of the operating system and of decompression into errors that name the file.

    Raises
    ------
    StorageError
        If the file cannot be opened or read.
    FormatError
        If the compressed data are damaged.
    """
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise FormatError(f"the compressed file is damaged or cut off: {error}", path) from error
    except OSError as error:
        if error.errno is None:  # bz2 reports damaged data in this way
            raise FormatError(f"the compressed file is damaged or cut off: {error}", path) from error
        raise StorageError(f"{path}: {error.strerror}") from error


def numbered_lines(path: str | Path, position: ReadPosition | None = None) -> Iterator[tuple[int, str]]:
    """Read the lines of a text file with their one-based numbers; holds one line in memory.

    Raises
    ------
    StorageError, FormatError
        As for `reading_errors`.
    """
    path = Path(path)
    with reading_errors(path), open_text(path, position) as file:
        yield from enumerate(file, start=1)


def parse_float(token: str, path: str | Path, line: int, what: str) -> float:
    """Read a finite number; exponents of Fortran (1.0D-3) are accepted.

    Raises
    ------
    FormatError
        If it is anything else, as nan, inf or 1_000.
    """
    if _NUMBER.fullmatch(token):
        value = float(token.replace("D", "e").replace("d", "e"))
        if math.isfinite(value):
            return value
    raise FormatError(f"expected a number for {what}, found {token!r}", path, line)


def parse_int(token: str, path: str | Path, line: int, what: str) -> int:
    """Read a whole number.

    Raises
    ------
    FormatError
        If it is anything else, as 2.0.
    """
    if _INTEGER.fullmatch(token):
        return int(token)
    raise FormatError(f"expected a whole number for {what}, found {token!r}", path, line)


def check_whole(words: Sequence[str], last_line: str, path: str | Path, line: int) -> None:
    """Check that a table of numbers does not end within a number.

    Parameters
    ----------
    words : sequence of str
        Last number of each line.
    last_line : str
        Line of the last one, with its line end.
    path, line
        File and line of the last number.

    Raises
    ------
    FormatError
        If the file ends without a line end and its last number has fewer digits than all others.
    """
    if len(words) < 3 or last_line.endswith("\n"):
        return
    *others, last = (len(word.partition(".")[2]) for word in words)
    if len(set(others)) == 1 and last < others[0]:
        raise FormatError(f"the file is probably cut off in its last number, {words[-1]!r}", path, line)

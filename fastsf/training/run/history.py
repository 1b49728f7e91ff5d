"""History of a training: a CSV file that gets a row of numbers in every epoch."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from fastsf.errors import FormatError
from fastsf.storage.atomic import storage_errors, write_atomically
from fastsf.types import FloatArray

EPOCH = "epoch"


class History:
    """History that is being written; every row goes to the operating system immediately.

    Parameters
    ----------
    path : Path
        File of the history.
    columns : sequence of str
        Names of the columns with units, `EPOCH` first.
    """

    def __init__(self, path: Path, columns: Sequence[str], file: TextIO) -> None:
        self.path, self.columns, self._file = path, list(columns), file

    @classmethod
    def begin(cls, path: Path, columns: Sequence[str]) -> History:
        """Begin a history; an existing file is replaced.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        write_atomically(path, lambda file: file.write(_line(columns).encode()))
        return cls(path, columns, _open(path))

    @classmethod
    def resume(cls, path: Path, epoch: int) -> History:
        """Continue after the row of an epoch; later rows, as of a killed run, are dropped.

        Raises
        ------
        StorageError
            If the file cannot be read or written.
        FormatError
            If the row of that epoch is missing.
        """
        lines = _whole_lines(path)
        columns = _columns(lines, path)
        kept = lines[: epoch + 2]
        if len(kept) < epoch + 2 or not kept[-1].startswith(f"{epoch},"):
            raise FormatError(f"expected rows of the epochs 0 to {epoch}, found {max(len(lines) - 1, 0)} rows", path)
        write_atomically(path, lambda file: file.write("".join(kept).encode()))
        return cls(path, columns, _open(path))

    def add(self, row: Mapping[str, float]) -> None:
        """Write a row; missing values are NaN, and names without a column are ignored.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        with storage_errors(f"cannot write {self.path}"):
            self._file.write(_line([_number(row.get(name, math.nan)) for name in self.columns]))
            self._file.flush()

    def sync(self) -> None:
        """Return once all rows are on the disk.

        Raises
        ------
        StorageError
            If they cannot be written.
        """
        with storage_errors(f"cannot write {self.path}"):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        with storage_errors(f"cannot write {self.path}"):
            self._file.close()


def read_history(path: str | Path) -> dict[str, FloatArray]:
    """Read the columns of a history.

    Parameters
    ----------
    path : path-like
        Written by `History`.

    Returns
    -------
    dict of str to (epochs,) float64

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is not a history.
    """
    path = Path(path)
    lines = _whole_lines(path)
    columns = _columns(lines, path)
    rows = []
    for number, words in enumerate(csv.reader(lines[1:]), start=2):
        try:
            if len(words) != len(columns):
                raise ValueError(f"{len(words)} words")
            rows.append([float(word) for word in words])
        except ValueError as error:
            raise FormatError(f"expected {len(columns)} numbers, found {error}", path, number) from error
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))
    return {name: table[:, k] for k, name in enumerate(columns)}


def _whole_lines(path: Path) -> list[str]:
    """Return the lines of the file, except an incomplete last one."""
    with storage_errors(f"cannot read {path}"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n")]


def _columns(lines: Sequence[str], path: Path) -> list[str]:
    columns = next(csv.reader(lines), [])
    if not columns or columns[0] != EPOCH:
        raise FormatError(f"expected the history of a training, whose first column is {EPOCH!r}", path, 1)
    return columns


def _line(words: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(words)
    return text.getvalue()


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))


def _open(path: Path) -> TextIO:
    with storage_errors(f"cannot write {path}"):
        return path.open("a", encoding="utf-8", newline="")

"""The log of a run: the columns of the engine, as a CSV file that grows with the run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.errors import FormatError
from fastsf.simulation.engine import Column
from fastsf.storage.atomic import storage_errors
from fastsf.storage.growing import GrowingFile
from fastsf.types import FloatArray


class Log:
    """A CSV table whose first line names columns and units; rows are handed to the system at once.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of Column
        The first one holds whole numbers.
    mark : dict, optional
        Mark to continue from, a result of `mark`; by default an existing file is replaced.

    Raises
    ------
    StorageError
        If the file cannot be written.
    FormatError
        If it is not the one that was marked.
    """

    def __init__(self, path: Path, columns: Sequence[Column], mark: dict[str, Any] | None = None) -> None:
        self._file = GrowingFile(path, None if mark is None else mark["length"])
        if mark is None:
            self._file.add((",".join(map(heading, columns)) + "\n").encode())

    def add(self, rows: FloatArray) -> None:
        """Write rows (k, columns); every number can be read back to the last bit.

        Raises
        ------
        StorageError
            If they cannot be written; then none of them is.
        """
        if len(rows):
            lines = [",".join([str(int(first)), *map(repr, others)]) + "\n" for first, *others in rows.tolist()]
            self._file.add("".join(lines).encode())

    def mark(self) -> dict[str, Any]:
        """Return the mark of the log: its length, in JSON's types."""
        return {"length": self._file.length}

    def sync(self) -> None:
        """Return once all rows are on the disk.

        Raises
        ------
        StorageError
            If they cannot be written.
        """
        self._file.sync()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def heading(column: Column) -> str:
    """Return the heading of a column: its name, with the unit in brackets."""
    return f"{column.name} ({column.unit})" if column.unit else column.name


def read_log(path: str | Path) -> dict[str, FloatArray]:
    """Read the columns of a log.

    Parameters
    ----------
    path : path-like
        File written by a run, which may still continue.

    Returns
    -------
    dict of str to (rows,) float64
        Columns by their headings, for example "temperature (K)".

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is not a log.
    """
    path = Path(path)
    try:
        with storage_errors(f"cannot read {path}"):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        headings = next(csv.reader(lines), [])
        whole = [line for line in lines[1:] if line.endswith("\n")]
        table = np.loadtxt(whole, delimiter=",", ndmin=2) if whole else np.empty((0, len(headings)))
        return dict(zip(headings, table.T, strict=True))
    except ValueError as error:
        raise FormatError(f"expected the log of a run, numbers below named columns: {error}", path) from error

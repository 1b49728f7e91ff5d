"""Files that only grow, and can be cut to an earlier length."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from fastsf.errors import FormatError
from fastsf.storage.atomic import storage_errors


class GrowingFile:
    """A file to which complete pieces are added; each is handed to the system at once.

    Parameters
    ----------
    path : Path
        The file.
    length : int, optional
        Number of bytes to keep; by default an existing file is replaced.

    Attributes
    ----------
    length : int
        Number of bytes of complete pieces.

    Raises
    ------
    StorageError
        If the file cannot be written.
    FormatError
        If it has fewer bytes.
    """

    def __init__(self, path: Path, length: int | None = None) -> None:
        self.path, self.length = path, length or 0
        with storage_errors(f"cannot write {path}"):
            if length is not None:
                cut(path, length)
            self._file = path.open("wb" if length is None else "r+b", buffering=0)
            self._file.seek(self.length)

    def add(self, data: bytes) -> None:
        """Write a piece completely or not at all.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        with storage_errors(f"cannot write {self.path}"):
            try:
                left = memoryview(data)
                while left:
                    left = left[self._file.write(left) :]
            except OSError:
                with contextlib.suppress(OSError):
                    self._file.truncate(self.length)
                    self._file.seek(self.length)
                raise
        self.length += len(data)

    def sync(self) -> None:
        """Return once everything is on the disk.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        with storage_errors(f"cannot write {self.path}"):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        with storage_errors(f"cannot write {self.path}"):
            self._file.close()


def cut(path: Path, length: int) -> None:
    """Cut a file to an earlier length.

    Raises
    ------
    StorageError
        If it cannot be written.
    FormatError
        If it is shorter or does not exist.
    """
    found = path.stat().st_size if path.exists() else None
    if found is None or found < length:
        what = "no file" if found is None else f"{found:,} bytes"
        raise FormatError(f"expected at least {length:,} bytes, as when the checkpoint was written; found {what}", path)
    with storage_errors(f"cannot write {path}"):
        os.truncate(path, length)

"""A file that HDF5 can always close, also on a full disk."""

from __future__ import annotations

import io
import os
from typing import Any


class SteadyFile(io.RawIOBase):
    """A file for HDF5 that keeps the first error of the system for `check`, and ignores further data.

    HDF5 cannot close a file that it cannot write, and crashes later.

    Parameters
    ----------
    file : io.FileIO
        Open for reading and writing, without a buffer.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error, if any.

        Raises
        ------
        OSError
            As the system gave it.
        """
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write all of the data."""
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view) and self._error is None:
            try:
                done += self._file.write(view[done:]) or 0
            except OSError as error:
                self._error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the length of the file."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def readinto(self, data: Any) -> int:
        """Fill a buffer, with zeros for data that could not be written."""
        view = memoryview(data).cast("B")
        count = self._file.readinto(view) or 0
        if self._error is not None:
            view[count:] = bytes(len(view) - count)
            count = len(view)
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

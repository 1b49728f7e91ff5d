"""Changes of a file that are made completely or not at all, for formats that cannot do so themselves."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.storage.atomic import storage_errors
from fastsf.storage.states import State, read_states, write_states

_KIND, _VERSION = "fastsf-undo", 1


class Transaction(io.RawIOBase):
    """The view of a file while a program changes it; the file itself changes only with `commit`.

    A commit has three steps. New data are added after the end of the file. The bytes that will be overwritten are
    saved in a second file. Then they are overwritten. After a kill at any time, `recover` undoes the last step. The
    file never becomes shorter.

    Parameters
    ----------
    path : Path
        File, which must exist.

    Raises
    ------
    StorageError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(f"cannot read {path}"):
            recover(path)
            self._file = path.open("rb", buffering=0)
        self._old = self._size = os.fstat(self._file.fileno()).st_size
        self._position = 0
        self._writes: list[tuple[int, bytes]] = []

    # --- the view of the program ---

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, data: Any) -> int:
        """Fill a buffer, with zeros for bytes that were not written yet."""
        view = memoryview(data).cast("B")
        first, last = self._position, min(self._position + len(view), self._size)
        if last <= first:
            return 0
        self._file.seek(first)
        known = self._file.readinto(view[: last - first]) or 0
        view[known : last - first] = bytes(last - first - known)
        for start, written in self._writes:
            low, high = max(first, start), min(last, start + len(written))
            if low < high:
                view[low - first : high - first] = written[low - start : high - start]
        self._position = last
        return last - first

    def write(self, data: Any) -> int:
        """Note data."""
        written = bytes(memoryview(data).cast("B"))
        self._writes.append((self._position, written))
        self._position += len(written)
        self._size = max(self._size, self._position)
        return len(written)

    def truncate(self, size: int | None = None) -> int:
        """Make the file longer."""
        self._size = max(self._old, self._position if size is None else size)
        return self._size

    # --- changes of the file ---

    def commit(self) -> None:
        """Make the changes.

        Raises
        ------
        StorageError
            If that is not possible; the file is then unchanged.
        """
        with storage_errors(f"cannot write {self.path}"), self.path.open("r+b", buffering=0) as file:
            try:
                self._write(file, self._old, self._size)
                file.truncate(self._size)
                os.fsync(file.fileno())
                self._save_old()
            except BaseException:
                with contextlib.suppress(OSError):
                    file.truncate(self._old)
                raise
            self._write(file, 0, self._old)
            os.fsync(file.fileno())
            _journal(self.path).unlink()

    def close(self) -> None:
        """Drop everything that was not committed."""
        self._file.close()
        super().close()

    def _write(self, file: io.FileIO, first: int, last: int) -> None:
        """Write the noted data between two positions."""
        for start, written in self._writes:
            low, high = max(first, start), min(last, start + len(written))
            if low < high:
                left = memoryview(written)[low - start : high - start]
                file.seek(low)
                while left:
                    left = left[file.write(left) :]

    def _save_old(self) -> None:
        starts, lengths, parts = [], [], []
        for start, written in self._writes:
            if start < self._old:
                self._file.seek(start)
                part = self._file.read(min(len(written), self._old - start))
                starts.append(start)
                lengths.append(len(part))
                parts.append(part)
        state: State = {
            "starts": np.array(starts, dtype=np.int64),
            "lengths": np.array(lengths, dtype=np.int64),
            "bytes": np.frombuffer(b"".join(parts), dtype=np.uint8),
        }
        write_states(_journal(self.path), _KIND, _VERSION, {"size": self._old}, {"old": state})


def recover(path: Path) -> None:
    """Undo a change during which a program was killed.

    Raises
    ------
    StorageError
        If the file cannot be read or written.
    FormatError
        If the saved bytes are damaged.
    """
    journal = _journal(path)
    if not journal.exists():
        return
    found = read_states(journal, _KIND, _VERSION)
    old = found["old"]
    ends = np.cumsum(old["lengths"])
    with storage_errors(f"cannot write {path}"):
        with path.open("r+b") as file:
            for start, length, end in zip(old["starts"].tolist(), old["lengths"].tolist(), ends.tolist(), strict=True):
                file.seek(start)
                file.write(old["bytes"][end - length : end].tobytes())
            file.truncate(found["size"])
            file.flush()
            os.fsync(file.fileno())
        journal.unlink()


def remove(path: Path) -> None:
    """Remove a file and the bytes saved of it.

    Raises
    ------
    StorageError
        If that is not possible.
    """
    with storage_errors(f"cannot remove {path}"):
        _journal(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _journal(path: Path) -> Path:
    return path.with_name(path.name + ".undo")

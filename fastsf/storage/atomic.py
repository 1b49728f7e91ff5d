"""Files that are written completely or not at all, and errors of the system in words."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from fastsf.errors import StorageError


@contextlib.contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn the operating system's errors into a `StorageError` that says what was being done.

    Raises
    ------
    StorageError
        In place of any OSError inside the block.
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{what}: {reason[:1].lower()}{reason[1:]}") from error


def make_folder(folder: Path) -> Path:
    """Make a folder and those above it, unless it exists; return it.

    Raises
    ------
    StorageError
        If it cannot be made.
    """
    with storage_errors(f"cannot make the folder {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock a folder against other processes that use this function, if the system can; a kill releases it.

    Raises
    ------
    StorageError
        If another process has locked it.
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(f"another process is at work in {folder}; wait for it, or end it") from None
        except OSError:  # file systems without locks
            pass
        yield
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Write renames inside a folder to the disk, if the system can (Windows cannot)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_atomically(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a file completely or not at all.

    Parameters
    ----------
    path : Path
        File; replaced if it exists.
    write : callable
        Gets the open binary file.

    Raises
    ------
    StorageError
        If space or permission is missing. The temporary file is removed, also if `write` fails.
    """
    temporary = path.with_name(path.name + ".tmp")
    with storage_errors(f"cannot write {path}"):
        try:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8; parameters and errors as `write_atomically`."""
    write_atomically(path, lambda file: file.write(text.encode()))

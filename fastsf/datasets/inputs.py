"""The files that a command reads and writes, checked before the work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastsf.errors import InputError, StorageError


@dataclass(frozen=True)
class Input:
    """A file to read, and what tells whether it has changed.

    Parameters
    ----------
    path : str
        As given by the user.
    size : int
        Bytes.
    mtime_ns : int
        Time of the last change.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str | Path) -> Input:
        """Look at a file.

        Raises
        ------
        StorageError
            If it is not there, is a folder or cannot be read.
        """
        file = Path(path)
        if file.exists() and not file.is_file():
            kind = "a folder" if file.is_dir() else "something else"
            raise StorageError(f"{path}: expected a regular file, found {kind}")
        try:
            with file.open("rb"):
                status = file.stat()
        except OSError as error:
            reason = "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror).lower()
            raise StorageError(f"{path}: {reason}") from error
        return cls(str(path), status.st_size, status.st_mtime_ns)


def checked_inputs(inputs: Sequence[str | Path]) -> list[Input]:
    """Look at all files.

    Raises
    ------
    StorageError
        If one cannot be read.
    InputError
        If there are none, or one is given twice.
    """
    if not inputs:
        raise InputError("no input files")
    seen: dict[Path, str] = {}
    for path in map(str, inputs):
        same = seen.setdefault(Path(path).resolve(), path)
        if same is not path:
            raise InputError(f"{path} is given twice" + (f", also as {same}" if same != path else ""))
    return [Input.of(path) for path in inputs]


def checked_output(output: str | Path, inputs: Sequence[Input]) -> Path:
    """Check that a file can be written: no folder, in a folder, and no input.

    Raises
    ------
    StorageError
        If it is a folder or there is none to write it in.
    InputError
        If it is an input.
    """
    target = Path(output)
    if target.is_dir():
        raise StorageError(f"cannot write {target}: it is a folder")
    if not target.parent.is_dir():
        raise StorageError(f"cannot write {target}: there is no folder {target.parent}")
    if target.resolve() in [Path(each.path).resolve() for each in inputs]:
        raise InputError(f"{target} is an input; the output needs another name")
    return target

"""Checks of input and output files before the work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastsf.errors import InputError, StorageError


@dataclass(frozen=True)
class Input:
    """Input file with its size and time, which show whether it has changed.

    Parameters
    ----------
    path : str
        Path as given by the user.
    size : int
        Size in bytes.
    mtime_ns : int
        Time of the last change, ns.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str | Path) -> Input:
        """Return an existing file.

        Raises
        ------
        StorageError
            If it does not exist, is a folder or cannot be read.
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
    """Return existing files.

    Raises
    ------
    StorageError
        If one cannot be read.
    InputError
        If no file is given, or one is given twice.
    """
    if not inputs:
        raise InputError("expected at least one input file, found none")
    seen: dict[Path, str] = {}
    for path in map(str, inputs):
        same = seen.setdefault(Path(path).resolve(), path)
        if same is not path:
            raise InputError(f"{path} is given twice" + (f", also as {same}" if same != path else ""))
    return [Input.of(path) for path in inputs]


def checked_output(output: str | Path, inputs: Sequence[Input]) -> Path:
    """Check that a file can be written; return its path.

    Raises
    ------
    StorageError
        If it is a folder, or its folder does not exist.
    InputError
        If it is an input file.
    """
    target = Path(output)
    if target.is_dir():
        raise StorageError(f"cannot write {target}: it is a folder")
    if not target.parent.is_dir():
        raise StorageError(f"cannot write {target}: there is no folder {target.parent}")
    if target.resolve() in [Path(each.path).resolve() for each in inputs]:
        raise InputError(f"{target} is an input file; choose another name for the output")
    return target

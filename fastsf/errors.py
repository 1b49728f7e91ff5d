"""Exceptions of fastsf.

::

    FastsfError
      InputError (also ValueError)     a value, option or definition is wrong
        StructureError                 a structure cannot be used: NaN, no volume, unknown element
        FormatError                    a file cannot be read; names file and line or frame
      StorageError (also OSError)      reading or writing failed: no space, no permission
      ExtrapolationError               a structure is too far from the training set of a potential
      SimulationError                  a simulation has left the range of physics: atoms flew apart, energy was lost

The command line prints these as one line and exits with status 2; anything else that escapes is a
bug.
"""

from __future__ import annotations

from pathlib import Path


class FastsfError(Exception):
    """Base class of all errors of fastsf."""


class InputError(FastsfError, ValueError):
    """Error of a value, an option or a definition; the message names what was expected and what was found."""


class StructureError(InputError):
    """Error of a structure: NaN positions, a periodic cell without volume, an unknown element."""


class FormatError(InputError):
    """Error of the contents of a file.

    Parameters
    ----------
    message : str
        Message: what was expected and what was found.
    path : path-like, optional
        The file.
    line : int, optional
        One-based line number in the file.
    frame : int, optional
        Zero-based number of the structure in the file.
    """

    def __init__(
        self, message: str, path: str | Path | None = None, line: int | None = None, frame: int | None = None
    ) -> None:
        location = "" if path is None else str(path)
        if line is not None:
            location += f":{line}"
        if frame is not None:
            location += f", frame {frame}"
        super().__init__(f"{location}: {message}" if location else message)
        self.path = path
        self.line = line
        self.frame = frame


class StorageError(FastsfError, OSError):
    """Error of reading or writing a file: no such file, no space left, no permission."""


class ExtrapolationError(FastsfError):
    """Error of a structure outside the training set of a potential, if the user asked to stop there."""


class SimulationError(FastsfError):
    """Error of a simulation that has left the range of physics: atoms flew apart, energy was lost."""


class FastsfWarning(UserWarning):
    """Warning of an input that is read in one of several possible ways; the command line prints it as one line."""


class ExtrapolationWarning(UserWarning):
    """Warning of a structure outside the training set of a potential, whose results are guesses."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, as "1 file" and "2,000 files"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

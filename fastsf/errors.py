"""The exceptions that fastsf raises on purpose.

::

    FastsfError
      InputError (also ValueError)     a value, option or definition is wrong
        StructureError                 a structure cannot be used: NaN, no volume, unknown element
        FormatError                    a file cannot be read; names file and line or frame
      StorageError (also OSError)      reading or writing failed: no space, no permission
      ExtrapolationError               a structure is too far from the training set of a potential
      SimulationError                  a simulation came where it makes no physical sense to go on

The command line prints these as one line and exits with status 2; anything else that escapes is a bug.
"""

from __future__ import annotations

from pathlib import Path


class FastsfError(Exception):
    """Base class of every error that fastsf raises on purpose."""


class InputError(FastsfError, ValueError):
    """A value, an option or a definition is wrong; says what was expected and what was found."""


class StructureError(InputError):
    """A structure cannot be used: NaN positions, a periodic cell without volume, an unknown element."""


class FormatError(InputError):
    """A file does not hold what was expected of it.

    Parameters
    ----------
    message : str
        What was expected and what was found.
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
        place = "" if path is None else str(path)
        if line is not None:
            place += f":{line}"
        if frame is not None:
            place += f", frame {frame}"
        super().__init__(f"{place}: {message}" if place else message)
        self.path = path
        self.line = line
        self.frame = frame


class StorageError(FastsfError, OSError):
    """Reading or writing a file failed: no such file, no space left, no permission."""


class ExtrapolationError(FastsfError):
    """A structure is outside the training set of a potential, and the user wanted to stop there."""


class SimulationError(FastsfError):
    """A simulation came where it makes no physical sense to go on: atoms flew apart, energy was lost."""


class ExtrapolationWarning(UserWarning):
    """A structure is outside the training set of a potential, whose numbers are guesses there."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, as "1 file" and "2,000 files"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

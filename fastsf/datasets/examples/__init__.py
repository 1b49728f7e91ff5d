"""The data sets that come with the package: where their files are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastsf.errors import InputError

_SUFFIX = ".extxyz.gz"


def names() -> tuple[str, ...]:
    """Names of the packaged data sets, in alphabetical order."""
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in _folder().glob(f"*{_SUFFIX}")))


def path(name: str) -> Path:
    """File of a packaged data set, for `ase.io.read` or the command line.

    Parameters
    ----------
    name : str
        One of `names`; each is described in README.md beside this file.

    Returns
    -------
    pathlib.Path
        A gzip-compressed extended XYZ file, lengths in Å and energies in eV.

    Raises
    ------
    InputError
        If there is no data set of that name.
    """
    known = names()
    if name not in known:
        raise InputError(f"no data set is called {name!r}: expected one of {', '.join(known) or '(none packaged)'}")
    return _folder() / f"{name}{_SUFFIX}"


def _folder() -> Path:
    return Path(str(files(__name__)))

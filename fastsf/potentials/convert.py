"""Conversion of potentials between formats."""

from __future__ import annotations

from pathlib import Path

from fastsf.errors import InputError, StorageError
from fastsf.potentials.potential import Potential

KINDS = ("fastsf", "n2p2")


def convert(
    potential: Potential,
    output: str | Path,
    kind: str,
    length_unit: str = "Angstrom",
    energy_unit: str = "eV",
    *,
    overwrite: bool = False,
) -> None:
    """Write a potential as a model file of fastsf or a folder of n2p2.

    Parameters
    ----------
    potential : Potential
        The potential.
    output : path-like
        The file or folder.
    kind : "fastsf" or "n2p2"
        Format to write.
    length_unit, energy_unit : str
        Units of a folder; a model file is always in Å and eV.
    overwrite : bool
        Replace existing files.

    Raises
    ------
    StorageError
        If the output exists or cannot be written.
    InputError
        If the potential cannot be expressed in that format, or units are given for a model file.
    """
    target = Path(output)
    if kind not in KINDS:
        raise InputError(f"kind: expected one of {', '.join(KINDS)}, found {kind!r}")
    if not target.parent.is_dir():
        raise StorageError(f"cannot write {target}: there is no folder {target.parent}")
    if kind == "n2p2":
        potential.export_n2p2(target, length_unit, energy_unit, overwrite=overwrite)
        return
    if (length_unit, energy_unit) != ("Angstrom", "eV"):
        raise InputError("units to write are for folders only; a model file is in Å and eV")
    if target.is_dir():
        raise StorageError(f"cannot write {target}: it is a folder")
    if target.exists() and not overwrite:
        raise StorageError(f"{target} already exists; --overwrite (overwrite=True) replaces it")
    potential.save(target)

"""From one format of potentials to another."""

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
        What to write.
    output : path-like
        The file or folder.
    kind : "fastsf" or "n2p2"
        Which of them.
    length_unit, energy_unit : str
        Units of the folder; a model file is in Å and eV.
    overwrite : bool
        Replace what is there.

    Raises
    ------
    StorageError
        If the output is there already or cannot be written.
    InputError
        If the potential has no counterpart in that format, or units are given for a model file.
    """
    target = Path(output)
    if kind not in KINDS:
        raise InputError(f"unknown kind {kind!r}, expected one of {', '.join(KINDS)}")
    if not target.parent.is_dir():
        raise StorageError(f"cannot write {target}: there is no folder {target.parent}")
    if kind == "n2p2":
        potential.export_n2p2(target, length_unit, energy_unit, overwrite=overwrite)
        return
    if (length_unit, energy_unit) != ("Angstrom", "eV"):
        raise InputError("the units to write are for folders; a model file is in Å and eV")
    if target.is_dir():
        raise StorageError(f"cannot write {target}: it is a folder")
    if target.exists() and not overwrite:
        raise StorageError(f"{target} is there already; --overwrite (overwrite=True) replaces it")
    potential.save(target)

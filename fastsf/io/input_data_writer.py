"""Writer of input.data; numbers are written so that readers recover every bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from ase import Atoms

from fastsf.elements import chemical_symbol
from fastsf.errors import InputError, StructureError
from fastsf.io.text import compressing
from fastsf.storage.atomic import write_atomically
from fastsf.structure import Structure
from fastsf.types import FloatArray
from fastsf.units import energy_factor, length_factor


def write_input_data(
    path: str | Path,
    structures: Iterable[Atoms],
    length_unit: str = "Angstrom",
    energy_unit: str = "eV",
) -> None:
    """Write structures as an input.data file.

    Parameters
    ----------
    path : path-like
        File to write, compressed if the name ends in .gz, .bz2 or .xz; an existing one is replaced.
    structures : iterable of ase.Atoms
        Structures in Å and eV, used one by one. Energy, forces and charges are results of the attached calculator
        (charges otherwise the initial ones); `comment`, `set` and `charge` come from `info`. The format requires
        forces: unknown ones are written as zeros.
    length_unit, energy_unit : str
        Units to write.

    Raises
    ------
    InputError
        If a unit is unknown, or a structure cannot be used or is periodic in only some directions.
    StorageError
        If the file cannot be written; then nothing is changed.
    """
    length, energy = length_factor(length_unit), energy_factor(energy_unit)
    path = Path(path)

    def write(file: IO[bytes]) -> None:
        with compressing(path, file) as stream:
            for frame, atoms in enumerate(structures):
                stream.write(_block(atoms, frame, length, energy).encode())

    write_atomically(path, write)


def _block(atoms: Atoms, frame: int, length: float, energy: float) -> str:
    results = {"charges": atoms.get_initial_charges(), **getattr(atoms.calc, "results", {})}
    try:
        return format_block(Structure.from_atoms(atoms), results, atoms.info, length, energy)
    except StructureError as error:
        raise InputError(f"structure {frame}: {error}") from error


def format_block(
    structure: Structure, labels: Mapping[str, Any], info: Mapping[str, Any], length: float, energy: float
) -> str:
    """Write one structure.

    Parameters
    ----------
    structure : Structure
        Periodic in all directions or in none.
    labels : mapping
        Any of `energy` (eV), `forces` ((n, 3), eV/Å) and `charges` ((n,)); missing forces and charges become zeros.
    info : mapping
        Any of `comment` (str), `set` ("train" or "test") and the total `charge`.
    length, energy : float
        Å and eV per unit of the file.

    Returns
    -------
    str
        The block from ``begin`` to ``end``, with a line end.

    Raises
    ------
    StructureError
        If the structure is periodic in only some directions, or its set is unknown.
    """
    if structure.pbc.any() and not structure.pbc.all():
        raise StructureError("input.data: expected periodicity in all directions or in none, found some")
    subset = info.get("set")
    if subset not in (None, "train", "test"):
        raise StructureError(f"input.data: expected set=train or set=test, found {subset!r}")
    lines = ["begin" if subset is None else f"begin set={subset}"]
    lines += [f"comment {text}" for text in str(info.get("comment", "")).splitlines()]
    if structure.pbc.all():
        lines += [f"lattice {_join(vector)}" for vector in structure.cell / length]
    lines += _atom_lines(structure, labels, length, energy)
    if "energy" in labels:
        lines.append(f"energy {float(labels['energy']) / energy!r}")
    lines += [f"charge {float(info.get('charge', 0.0))!r}", "end", ""]
    return "\n".join(lines)


def _atom_lines(structure: Structure, labels: Mapping[str, Any], length: float, energy: float) -> list[str]:
    n = len(structure)
    symbols = [chemical_symbol(number) for number in structure.numbers.tolist()]
    charges = np.asarray(labels.get("charges", np.zeros(n)), dtype=np.float64).tolist()
    forces = np.asarray(labels.get("forces", np.zeros((n, 3)))) * (length / energy)
    return [
        f"atom {_join(position)} {symbol} {charge!r} 0.0 {_join(force)}"
        for symbol, position, charge, force in zip(symbols, structure.positions / length, charges, forces, strict=True)
    ]


def _join(vector: FloatArray) -> str:
    return " ".join(map(repr, vector.tolist()))

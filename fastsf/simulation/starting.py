"""The first structure of a simulation: reading it, warnings about it, atoms to fix."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.data import atomic_masses, covalent_radii

from fastsf.elements import chemical_symbol
from fastsf.errors import FormatError, InputError, StructureError
from fastsf.io.structures import iread_structures
from fastsf.neighbors.neighbor_list import neighbor_list
from fastsf.potentials.result import Model
from fastsf.simulation.fixed import fixed_atoms, unusual_masses
from fastsf.structure import Structure, volume
from fastsf.symmetry.pcsf import kinds_of

_OVERLAP = 0.5
"""Distance below which atoms overlap, in sums of covalent radii."""

_MOST_NAMED = 5
"""Number of pairs and masses that messages list."""


def read_start(
    path: str | Path,
    length_unit: str = "Angstrom",
    energy_unit: str = "eV",
    form: str | None = None,
    types: Sequence[str] = (),
) -> Atoms:
    """Read the last structure of a file.

    Parameters
    ----------
    path : path-like
        File that ASE reads, or input.data.
    length_unit, energy_unit : str
        Units of a file that does not contain them, as input.data.
    form, types
        Format in place of recognition, and elements of types, as for `iread_structures`.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is broken.
    StructureError
        If its last structure cannot be used.
    """
    items = iread_structures(path, length_unit=length_unit, energy_unit=energy_unit, form=form, types=types)
    last = deque(items, maxlen=1)
    if not last:
        raise FormatError("expected a structure, found none", path)
    _, number, found = last[0]
    if isinstance(found, FormatError):
        raise found
    try:
        Structure.from_atoms(found)
        if not len(found):
            raise StructureError("expected atoms, found none")
    except StructureError as error:
        raise StructureError(f"{path}, frame {number}: {error}") from error
    return found


def remarks(atoms: Atoms, model: Model) -> Iterator[str]:
    """Yield warnings about a first structure: overlapping atoms, a thin cell, pairs without functions.

    Parameters
    ----------
    atoms : ase.Atoms
    model : Model
        Model of the potential.
    """
    structure, cutoff = Structure.from_atoms(atoms), model.cutoff
    own = covalent_radii[structure.numbers]
    i, j, d = neighbor_list("ijd", structure, 2 * _OVERLAP * float(own.max()), threads=1)
    near = np.flatnonzero((d < _OVERLAP * (own[i] + own[j])) & (i <= j))
    near = near[np.argsort(d[near], kind="stable")]
    if len(near):
        names = [f"{chemical_symbol(int(number))} {k}" for k, number in enumerate(structure.numbers)]
        words = [
            f"{names[i[k]]} and {names[j[k]]} are {d[k]:.3g} Å apart (expected at least "
            f"{_OVERLAP * (own[i[k]] + own[j[k]]):.3g})"
            for k in near[:_MOST_NAMED]
        ]
        more = f", and {len(near) - _MOST_NAMED:,} more" if len(near) > _MOST_NAMED else ""
        yield (
            f"{len(near):,} {'pairs of atoms overlap' if len(near) > 1 else 'pair of atoms overlaps'}: "
            f"{', '.join(words)}{more}; the limit is half of the sum of the covalent radii; the first steps may be "
            "violent: check the units of the start, move these atoms apart, or relax the structure first"
        )
    for axis, repeats in enumerate(structure.pbc.tolist()):
        others = np.delete(structure.cell, axis, axis=0)
        height = volume(structure.cell) / float(np.linalg.norm(np.cross(*others)))
        if repeats and height < cutoff:
            yield (
                f"the cell is {height:.3g} Å thick along {'abc'[axis]}, less than the cutoff of {cutoff:g} Å: atoms "
                "interact with their own images, which move as they do"
            )

    unknown = _pairs_without_energy(structure, model)
    if unknown:
        yield f"pairs {', '.join(unknown)} have no functions: in this potential of pairs they have no energy at all"


def _pairs_without_energy(structure: Structure, model: Model) -> list[str]:
    """Return kinds of pairs that the structure may have and that have no energy, for a potential of pairs alone."""
    if model.pairs is None or model.descriptor.functions:
        return []
    numbers, counts = np.unique(structure.numbers, return_counts=True)
    symbols = [chemical_symbol(int(number)) for number in numbers]
    alone = {f"{a}-{a}" for a, count in zip(symbols, counts, strict=True) if count == 1 and not structure.pbc.any()}
    columns = model.pairs.descriptor.columns
    return [kind for kind in kinds_of(symbols) if not columns.get(kind, True) and kind not in alone]


def notes(atoms: Atoms) -> Iterator[str]:
    """Yield what a start says of its atoms: those that are fixed, and masses that are not the standard ones.

    Raises
    ------
    InputError
        For constraints other than fixed atoms.
    """
    fixed = int(fixed_atoms(atoms).sum())
    if fixed:
        yield f"fixed atoms: {fixed:,} of {len(atoms):,}"
    masses = unusual_masses(atoms)
    if masses is not None:
        other = np.flatnonzero(masses != atomic_masses[atoms.numbers])
        found = Counter((chemical_symbol(int(atoms.numbers[k])), float(masses[k])) for k in other)
        words = [f"{symbol} {mass:g} ({count:,} atoms)" for (symbol, mass), count in found.most_common(_MOST_NAMED)]
        more = f" and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""
        yield f"masses of the start: {', '.join(words)}{more}"


def hold(atoms: Atoms, text: str) -> None:
    """Fix atoms in addition to those that are fixed already; `text` and errors as in `selected_atoms`."""
    held = selected_atoms(text, atoms)
    if held:
        atoms.set_constraint([*atoms.constraints, FixAtoms(held)])


def selected_atoms(text: str, atoms: Atoms) -> list[int]:
    """Read a selection of atoms.

    Parameters
    ----------
    text : str
        Numbers from 0, ranges and elements, for example "0-15,20,Au".
    atoms : ase.Atoms
        Structure from which to select.

    Raises
    ------
    InputError
        If it cannot be read, or selects no atom.
    """
    chosen: set[int] = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = word.partition("-")
        if first.isdecimal() and (last.isdecimal() or not dash):
            found = list(range(int(first), int(last or first) + 1))
        else:
            found = [k for k, symbol in enumerate(atoms.symbols) if symbol == word]
        if not found or max(found) >= len(atoms):
            raise InputError(
                f"expected numbers of atoms from 0 to {len(atoms) - 1}, ranges, or elements of the structure; "
                f"found {word!r}"
            )
        chosen.update(found)
    return sorted(chosen)

"""Cutoffs of folders that look like lengths in another unit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastsf.errors import FastsfWarning
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.units import LENGTH_UNITS, length_factor

_USUAL = (4.0, 8.5)
"""Range of cutoffs of published potentials, Å."""
_PLAUSIBLE = (3.0, 9.5)


def cutoff_notes(name: str, functions: Sequence[SymmetryFunction], length_unit: str) -> Iterator[str]:
    """Find a largest cutoff that looks like one in another unit.

    Parameters
    ----------
    name : str
        Name of the file.
    functions : sequence of Radial or Angular
        Functions in the unit of the file.
    length_unit : str
        Unit in which the file is read.

    Yields
    ------
    str
        At most one sentence.
    """
    radius = max(function.envelope.radius for function in functions)
    in_angstrom = radius * length_factor(length_unit)
    if _PLAUSIBLE[0] <= in_angstrom <= _PLAUSIBLE[1]:
        return
    size = "far too small" if in_angstrom < _PLAUSIBLE[0] else "unusually large"
    others = [
        f"{radius * factor:.2f} Å if it is in {unit}"
        for unit, factor in LENGTH_UNITS.items()
        if factor != length_factor(length_unit) and _USUAL[0] <= radius * factor <= _USUAL[1]
    ]
    text = f"{name}: the largest cutoff, {radius:g} {length_unit} = {in_angstrom:.2f} Å, is {size}"
    yield text + (f"; it would be {' or '.join(dict.fromkeys(others))}: is the unit of length right?" if others else "")


def warn_of_unit(
    path: Path, functions: Sequence[SymmetryFunction], length_unit: str, written: str | None = None
) -> None:
    """Warn if the largest cutoff looks like one in another unit than `length_unit`, unless the file says its unit."""
    if written is not None:
        return
    for note in cutoff_notes(str(path), functions, length_unit):
        advice = "--length-unit and --energy-unit (length_unit, energy_unit) give the units of the folder"
        warnings.warn(f"{note}; {advice}", FastsfWarning, stacklevel=3)

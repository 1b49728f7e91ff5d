"""Units of other programs' files, by the names of ASE; fastsf works in Å and eV."""

from __future__ import annotations

from ase import units

from fastsf.errors import InputError

LENGTH_UNITS: dict[str, float] = {
    "Angstrom": 1.0,
    "Ang": 1.0,
    "Bohr": float(units.Bohr),
    "nm": float(units.nm),
}
"""Lengths in Å."""

ENERGY_UNITS: dict[str, float] = {
    "eV": 1.0,
    "Hartree": float(units.Hartree),
    "Ha": float(units.Hartree),
    "Rydberg": float(units.Rydberg),
    "Ry": float(units.Rydberg),
    "kJ/mol": float(units.kJ / units.mol),
    "kcal/mol": float(units.kcal / units.mol),
}
"""Energies in eV."""


def length_factor(unit: str) -> float:
    """Return the length of one `unit` in Å.

    Parameters
    ----------
    unit : str
        One of `LENGTH_UNITS` in upper or lower case.

    Raises
    ------
    InputError
        If the unit is not known.
    """
    return _factor("length", unit, LENGTH_UNITS)


def energy_factor(unit: str) -> float:
    """Return the energy of one `unit` in eV.

    Parameters
    ----------
    unit : str
        One of `ENERGY_UNITS` in upper or lower case.

    Raises
    ------
    InputError
        If the unit is not known.
    """
    return _factor("energy", unit, ENERGY_UNITS)


def _factor(quantity: str, unit: str, known: dict[str, float]) -> float:
    if isinstance(unit, str):
        for name, value in known.items():
            if name.casefold() == unit.casefold():
                return value
    raise InputError(f"unknown {quantity} unit {unit!r}, expected one of {', '.join(known)}")

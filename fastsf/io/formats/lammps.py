"""Units and types of LAMMPS, which its dumps and data files share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ase import units

from fastsf.elements import element_of_mass, named_element
from fastsf.errors import InputError


class UnitStyle(NamedTuple):
    """Units of a style of LAMMPS: Å, eV, fs and the velocity in units of ASE."""

    length: float
    energy: float
    time: float
    velocity: float


STYLES = {
    "metal": UnitStyle(1.0, 1.0, 1000.0, 1 / (1000 * units.fs)),
    "real": UnitStyle(1.0, float(units.kcal / units.mol), 1.0, 1 / units.fs),
    "electron": UnitStyle(float(units.Bohr), float(units.Hartree), 1.0, units.Bohr / (1.03275 * units.fs)),
}
"""Styles of units that files may have."""


@dataclass(frozen=True)
class LammpsOptions:
    """Choices for files of LAMMPS.

    Parameters
    ----------
    length, energy : float
        Units by the user, in Å and eV, for files that do not name theirs.
    types : sequence of str
        Elements of the types 1, 2, ...
    """

    length: float = 1.0
    energy: float = 1.0
    types: Sequence[str] = ()

    def style(self, name: str | None) -> UnitStyle:
        """Return the units that a file names, otherwise those of the user.

        Raises
        ------
        InputError
            If the units are none of `STYLES`.
        """
        if name is not None:
            if name not in STYLES:
                raise InputError(f"units of LAMMPS: expected {' or '.join(STYLES)}, found {name!r}")
            return STYLES[name]
        for style in STYLES.values():
            if (self.length, self.energy) == style[:2]:
                return style
        raise InputError(
            "units of a file of LAMMPS: expected Angstrom and eV (metal), Angstrom and kcal/mol (real) or "
            "Bohr and Hartree (electron) for --length-unit and --energy-unit"
        )


class AtomType(NamedTuple):
    """Element of a type: atomic number, and the mass in u if it is not the standard one."""

    number: int
    mass: float | None


def elements_of_types(
    present: Sequence[int],
    given: Sequence[str],
    labels: Mapping[int, str] | None = None,
    masses: Mapping[int, float] | None = None,
) -> dict[int, AtomType]:
    """Return the element of each type.

    Parameters
    ----------
    present : sequence of int
        Types of the atoms.
    given : sequence of str
        Elements of the types 1, 2, ... by the user, which come first.
    labels, masses : mapping of int to str and float, optional
        Names and masses in u of types in the file.

    Raises
    ------
    InputError
        If the element of a type is unknown; names the option that gives it.
    """
    found = {}
    for each in present:
        label, mass = (labels or {}).get(each), (masses or {}).get(each)
        if given:
            if not 1 <= each <= len(given):
                raise InputError(f"--types: expected an element for type {each}, found {len(given)}: {','.join(given)}")
            number, isotope = named_element(given[each - 1])
        else:
            try:
                if label is not None:
                    number, isotope = named_element(label)
                elif mass is not None:
                    number, isotope = element_of_mass(mass)
                else:
                    raise InputError("the file does not name the elements of types")
            except InputError as error:
                raise InputError(f"type {each} of the atoms: {error}; {advice(present)}") from error
        found[each] = AtomType(number, _unusual(number, mass) or isotope)
    return found


def advice(present: Sequence[int]) -> str:
    """Return how to give the elements of types."""
    most = max(present)
    example = ",".join(["O", "H", "C", "N"][:most]) if most <= 4 else "O,H,..."
    return f"give the element of each type from 1 to {most}, as --types {example}"


def _unusual(number: int, mass: float | None) -> float | None:
    """Return a mass that is not that of the element."""
    if mass is None:
        return None
    try:
        usual = element_of_mass(mass) == (number, None)
    except InputError:
        usual = False
    return None if usual else mass

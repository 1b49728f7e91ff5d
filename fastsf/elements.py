"""Chemical symbols, names of atoms, masses and atomic numbers, by the tables of ASE."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols

from fastsf.errors import InputError

ISOTOPES = {"D": (1, 2.014), "T": (1, 3.016)}
"""Atomic number and mass (u) of symbols of isotopes."""

MASS_TOLERANCE = 0.1
"""Largest difference from the standard mass of an element, u."""

_DUMMIES = {"X", "XX", "DU", "BQ", "LP", "EP", "GH", "VA", "VC", "M", "MW"}
"""Names of points that are no atoms: ghost atoms, lone pairs, massless charges, Wannier centres, vacancies."""

_NAME = re.compile(r"([A-Z][A-Za-z]{0,3})([\d+\-_.'*].*)?", re.ASCII)


def atomic_number(symbol: str) -> int:
    """Return the atomic number of a chemical symbol.

    Raises
    ------
    InputError
        If the symbol is not that of an element.
    """
    number = atomic_numbers.get(symbol, 0)
    if number < 1:
        raise InputError(f"{symbol!r} is not a chemical symbol")
    return int(number)


def chemical_symbol(number: int) -> str:
    """Return the chemical symbol of an atomic number.

    Raises
    ------
    InputError
        If no element has that number.
    """
    if not 0 < number < len(chemical_symbols):
        raise InputError(f"no element has the atomic number {number}")
    return str(chemical_symbols[number])


@lru_cache(maxsize=4096)
def named_element(word: str) -> tuple[int, float | None]:
    """Return the element that a word of a file means.

    Parameters
    ----------
    word : str
        Symbol in any case, atomic number, D or T, or a name that begins with a symbol (OW, HW1, Fe2+, Cu_pv).

    Returns
    -------
    (int, float or None)
        Atomic number, and the mass of an isotope in u.

    Raises
    ------
    InputError
        If the word means no element, or it may mean several.
    """
    if word.isascii() and word.isdecimal() and 0 < int(word) < len(chemical_symbols):
        return int(word), None
    number = atomic_numbers.get(word.capitalize(), 0)
    if number:
        return int(number), None
    if word in ISOTOPES:
        return ISOTOPES[word]
    match = _NAME.fullmatch(word)
    letters = match[1] if match else ""
    if not letters or letters.upper() in _DUMMIES:
        kind = "a dummy atom" if letters else "a chemical symbol"
        raise InputError(
            f"expected an element, found {word!r}"
            + (f", the name of {kind}; remove such lines" if letters else "; write its symbol, as H or O")
        )
    if letters in ISOTOPES and letters != word:
        return ISOTOPES[letters]
    found = _candidates(letters)
    if len(found) != 1:
        meaning = f", which may mean {' or '.join(found)}" if found else ""
        raise InputError(f"expected an element, found {word!r}{meaning}; write its symbol, as {(*found, 'H')[0]}")
    return int(atomic_numbers[found[0]]), None


def _candidates(letters: str) -> list[str]:
    """Return the elements with whose symbols the letters of a name begin."""
    if len(letters) == 1 or letters[1].islower():  # written as a symbol, which it must then be
        return [letters] if letters in atomic_numbers else []
    two, one = letters[:2].capitalize(), letters[0]
    return [symbol for symbol in (two, one) if symbol in atomic_numbers]


def element_of_mass(mass: float) -> tuple[int, float | None]:
    """Return the element with a standard mass near a mass in u, or hydrogen with that of D or T.

    Raises
    ------
    InputError
        If no element has such a mass, or several have.
    """
    near = [int(k) for k in np.flatnonzero(np.abs(atomic_masses - mass) <= MASS_TOLERANCE) if k]
    isotopes = [each for each in ISOTOPES.values() if abs(each[1] - mass) <= MASS_TOLERANCE]
    if len(near) + len(isotopes) != 1:
        meaning = f", which {' and '.join(chemical_symbols[k] for k in near)} have nearly" if near else ""
        raise InputError(f"expected the standard mass of an element, found {mass:g}{meaning}")
    return (near[0], None) if near else isotopes[0]

"""Chemical symbols and atomic numbers, by the tables of ASE."""

from __future__ import annotations

from ase.data import atomic_numbers, chemical_symbols

from fastsf.errors import InputError


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

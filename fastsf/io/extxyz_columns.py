"""Fast parser of regular frames of extended XYZ files: element symbols first, then columns of real numbers.

Results are those of the reader of ASE, in at most half of the time. Other frames (other types of columns, nested
quotes, rows of different lengths) are left to ASE, which also reports errors.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import all_properties
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers
from ase.io import extxyz

_WORD = r"[^\s='\"{}\[\]\\]+"
_QUOTED = r"\"([^'\"{}\[\]\\]+)\""
_PAIR = re.compile(rf"({_WORD})(?:=(?:{_QUOTED}|({_WORD})))?(?:\s+|$)")
_VALUES = re.compile(r"[^\s,]+")
_BOOLEANS = {
    **dict.fromkeys(("T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("F", "false", "False", "FALSE"), False),
}
_OTHER_ARRAYS = {"numbers", "charges", "initial_charges", "move_mask"}
_LETTERS = frozenset("abcdefghjklmopqrstuvwxyzABCDEFGHJKLMOPQRSTUVWXYZ")
"""No number begins with one of these; "nan" and "inf" are numbers to ASE."""
_RESULTS = frozenset(all_properties)
_TOTALS = frozenset(extxyz.per_config_properties)
_ase_comment: Any = extxyz.key_val_str_to_dict
_calculator: Any = SinglePointCalculator
_VOIGT = [0, 4, 8, 5, 2, 1]


def read_regular_frame(text: str) -> Atoms | None:
    """Parse a frame.

    Parameters
    ----------
    text : str
        All lines of the frame: number of atoms, comment, atoms.

    Returns
    -------
    ase.Atoms or None
        As from `ase.io.read`; None if the frame is not regular.
    """
    try:
        count, comment, body = text.split("\n", 2)
        info = read_comment(comment)
        columns = _columns(info.pop("Properties", "species:S:1:pos:R:3"))
        words = body.split()
        if columns is None or not words or len(words) != int(count) * columns[1]:
            return None
        names, width = columns
        numbers = [atomic_numbers[symbol.capitalize()] for symbol in words[::width]]
        del words[::width]
        table = np.array(list(map(float, words))).reshape(len(numbers), width - 1)
        return _atoms(numbers, {name: table[:, span] for name, span in names.items()}, info)
    except (ValueError, KeyError, TypeError):
        return None


def read_comment(line: str) -> dict[str, Any]:
    """Parse the keys and values of a comment line, as `ase.io.extxyz.key_val_str_to_dict` does."""
    found: dict[str, Any] = {}
    text, start = line.strip(), 0
    while start < len(text):
        pair = _PAIR.match(text, start)
        if pair is None:
            return dict(_ase_comment(text))
        key, quoted, word = pair.groups()
        found[key] = _value(key, quoted if quoted is not None else word if word is not None else "T")
        start = pair.end()
    return found


def _value(key: str, text: str) -> Any:
    """Return the value of a key: numbers, booleans, or the text itself."""
    if key.lower() in extxyz.UNPROCESSED_KEYS:
        return text
    words = _VALUES.findall(text)
    numbers = _numbers(words)
    if key in extxyz.SPECIAL_3_3_KEYS:
        if numbers is None or numbers.shape != (9,):
            raise ValueError(f"{key}: expected nine numbers")
        return numbers.reshape((3, 3), order="F")
    if numbers is not None:
        return numbers[0] if len(numbers) == 1 else numbers
    if all(word in _BOOLEANS for word in words):
        return _BOOLEANS[words[0]] if len(words) == 1 else [_BOOLEANS[word] for word in words]
    return text


def _numbers(words: list[str]) -> npt.NDArray[Any] | None:
    if words and words[0][0] in _LETTERS:
        return None
    for kind in (int, float):
        try:
            return np.array(words, dtype=kind)
        except (ValueError, OverflowError):
            continue
    return None


@lru_cache(maxsize=64)
def _columns(properties: str) -> tuple[dict[str, Any], int] | None:
    """Return the columns of each array, without the first (symbols), and the number of columns."""
    fields = properties.split(":")
    names, kinds, sizes = fields[::3], fields[1::3], [int(size) for size in fields[2::3]]
    regular = names[0] == "species" and kinds[0] == "S" and sizes[0] == 1 and set(kinds[1:]) == {"R"}
    found: dict[str, Any] = {}
    first = 0
    for name, size in zip(names[1:], sizes[1:], strict=True):
        own = extxyz.REV_PROPERTY_NAME_MAP.get(name, name)
        regular &= own not in _OTHER_ARRAYS and own not in found and size > 0
        found[own] = slice(first, first + size) if size > 1 else first
        first += size
    return (found, first + 1) if regular and found.get("positions") == slice(0, 3) else None


def _atoms(numbers: list[int], arrays: dict[str, Any], info: dict[str, Any]) -> Atoms | None:
    cell = info.pop("Lattice", None)
    pbc = info.pop("pbc", None if cell is None else True)
    results = {name: arrays.pop(name) for name in _RESULTS.intersection(arrays)}
    results |= {name: info.pop(name) for name in _TOTALS.intersection(info)}
    stress = results.get("stress")
    if stress is not None:
        if np.shape(stress) != (3, 3):
            return None
        results["stress"] = stress.ravel()[_VOIGT]
    lattice = None if cell is None else cell.T
    atoms: Any = Atoms(numbers=np.array(numbers), positions=arrays.pop("positions"), cell=lattice, pbc=pbc, info=info)
    for name, array in arrays.items():
        atoms.new_array(name, array)
    if results:
        atoms.calc = _calculator(atoms, **results)
    return cast(Atoms, atoms)

"""Writer of frames of extended XYZ files; numbers are written so that readers recover every bit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.elements import chemical_symbol

_BARE = re.compile(r"[^\s=\"'{}\[\],\\]+")
_VOIGT = [0, 5, 4, 5, 1, 3, 4, 3, 2]


def format_frame(
    numbers: npt.NDArray[np.int64],
    positions: npt.NDArray[np.float64],
    cell: npt.NDArray[np.float64],
    pbc: npt.NDArray[np.bool_],
    info: Mapping[str, Any],
    columns: Mapping[str, npt.NDArray[Any]],
) -> str:
    """Write one structure as a frame of an extended XYZ file.

    Parameters
    ----------
    numbers : (n,) int64
        Atomic numbers.
    positions : (n, 3) float64
        Å.
    cell : (3, 3) float64
        Rows are the lattice vectors, Å; zeros mean none.
    pbc : (3,) bool
        Periodic directions.
    info : mapping of str to str, bool, number or array
        Values of the whole structure. Six numbers whose name is ``stress`` or ends in ``_stress`` are xx, yy, zz, yz,
        xz, xy and are written as a full matrix, as readers expect.
    columns : mapping of str to (n,) or (n, c) array
        Real numbers, whole numbers or truth values of the atoms.

    Returns
    -------
    str
        The frame, with a line end after the last line.
    """
    properties = ["species:S:1:pos:R:3"]
    fields = [[chemical_symbol(int(number)) for number in numbers], *_words(positions)]
    for name, column in columns.items():
        kind = "L" if column.dtype == np.bool_ else "I" if np.issubdtype(column.dtype, np.integer) else "R"
        properties.append(f"{name}:{kind}:{column.size // max(len(column), 1)}")
        fields += _words(column)
    words = [] if not cell.any() else [f'Lattice="{_row(cell)}"']
    words.append(f"Properties={':'.join(properties)}")
    words += [f"{_word(key)}={_value(key, value)}" for key, value in info.items()]
    words.append(f'pbc="{_row(pbc)}"')
    lines = [str(len(numbers)), " ".join(words), *map(" ".join, zip(*fields, strict=True))]
    return "\n".join(lines) + "\n"


def _words(column: npt.NDArray[Any]) -> list[list[str]]:
    table = column.reshape(len(column), -1)
    return [list(map(_scalar, table[:, k].tolist())) for k in range(table.shape[1])]


def _row(values: npt.NDArray[Any]) -> str:
    return " ".join(map(_scalar, np.ravel(values).tolist()))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    return _word(value) if isinstance(value, str) else repr(value)


def _value(key: str, value: Any) -> str:
    array = np.asarray(value)
    if array.shape == (6,) and (key == "stress" or key.endswith("_stress")):
        array = array[_VOIGT]
    if array.ndim == 0:
        return _scalar(array.item())
    return f'"{_row(array)}"'


def _word(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", " ")
    return f'"{escaped}"'

"""Spellings of the comment line of extended XYZ files, made those that the readers understand.

Readers know ``Properties``, ``Lattice`` and ``pbc`` in one spelling only. What is spelled otherwise would silently be
lost: labels, the cell, or molecules that become periodic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from fastsf.errors import InputError

_PAIR = re.compile(
    r"""(?P<key>[^\s=,'"{}\[\]()]+)(?P<sign>\s*=\s*)
    (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|[^\s"']*)""",
    re.VERBOSE,
)
_EXTENDED = re.compile(r"(?<!\S)(properties|lattice)\s*=", re.IGNORECASE)
_SPELLED = {"properties": "Properties", "lattice": "Lattice", "pbc": "pbc"}
_TENSORS = ("stress", "virial")
_TRANSPOSED = ((1, 3), (2, 6), (5, 7))
_BOOLEANS = {**dict.fromkeys(("t", "true", "1"), "T"), **dict.fromkeys(("f", "false", "0"), "F")}
_BRACKETS = str.maketrans(",;[](){}\"'", "          ")


class CommentLine(NamedTuple):
    """Comment line in the spelling of the readers.

    Parameters
    ----------
    text : str
        The line.
    tensors : dict of str to str
        Values of stresses and virials that are not symmetric matrices, which the line does not have any more.
    has_columns : bool
        Whether the line describes the columns.
    """

    text: str
    tensors: dict[str, str]
    has_columns: bool


def normalized(line: str) -> CommentLine:
    """Return a comment line with the usual spelling of its keys and of the periodic directions.

    Raises
    ------
    InputError
        If the periodic directions are not one or three booleans.
    """
    if "=" not in line:
        return CommentLine(line, {}, False)
    extended = _EXTENDED.search(line) is not None
    tensors: dict[str, str] = {}
    parts, start, known = [], 0, {""}
    for key, value, whole, pair in _pairs(line, extended):
        parts += [line[start : pair[0]], _spelled(key, value, whole, tensors)]
        start = pair[1]
        known.add(key.lower())
    return CommentLine("".join([*parts, line[start:]]), tensors, "properties" in known)


def _pairs(line: str, extended: bool) -> Iterator[tuple[str, str, str, tuple[int, int]]]:
    """Yield key, value, text and place of the pairs; in a line of another kind, blanks around "=" mean no pair."""
    for match in _PAIR.finditer(line):
        key, sign, value = match.group("key", "sign", "value")
        if sign == "=" or (extended and value):
            yield key, value, f"{key}={value}", match.span()


def _spelled(key: str, value: str, pair: str, tensors: dict[str, str]) -> str:
    name = key.lower()
    if name == "pbc":
        return f'pbc="{periodic_directions(value, key)}"'
    if name in _SPELLED:
        return f"{_SPELLED[name]}={value}"
    if name in _TENSORS and key == name:
        bare = value.translate(_BRACKETS).strip()
        if value[:1] not in "\"'{" or not _is_symmetric(bare):
            tensors[key] = bare
            return ""
    return pair


def _is_symmetric(text: str) -> bool:
    """Return whether a text is a symmetric matrix of nine numbers; readers keep half of it."""
    numbers = numbers_or_text(text)
    return (
        len(numbers) == 9
        and not isinstance(numbers, str)
        and all(math.isclose(numbers[k], numbers[m], rel_tol=1e-5, abs_tol=1e-8) for k, m in _TRANSPOSED)
    )


def periodic_directions(value: str, key: str = "pbc") -> str:
    """Return the periodic directions as "T T F".

    Raises
    ------
    InputError
        If they are not one or three booleans.
    """
    words = value.translate(_BRACKETS).lower().split()
    if len(words) == 1 and len(words[0]) == 3 and set(words[0]) <= set("tf01"):
        words = list(words[0])
    if len(words) not in (1, 3) or not set(words) <= set(_BOOLEANS):
        bare = value.strip("\"'")
        raise InputError(
            f'{key}: expected one or three booleans, as pbc="T T F", found {bare!r}; '
            "T is for each lattice vector along which the structure repeats, F for the others"
        )
    found = [_BOOLEANS[word] for word in words]
    return " ".join(found * 3 if len(found) == 1 else found)


def numbers_or_text(text: str) -> list[float] | str:
    """Return the numbers of a text, or the text itself if it has other words."""
    try:
        return [float(word) for word in text.split()] or text
    except ValueError:
        return text

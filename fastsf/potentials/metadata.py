"""Metadata of a potential as lines of text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from textwrap import shorten
from typing import Any

ERROR_UNITS = {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å^3"}
"""Units of errors of the labels."""

_WIDTH = 150
"""Characters of a text that are shown."""


def describe_metadata(metadata: Mapping[str, str]) -> Iterator[str]:
    """Describe where a potential comes from.

    Texts are shown as they are. Texts in JSON, which trainings write, become tables (numbers), lists of names and
    values (one level), or lists of names (more levels).

    Parameters
    ----------
    metadata : mapping of str to str
        As of `fastsf.Potential`.

    Yields
    ------
    str
        One line.
    """
    for name, text in metadata.items():
        value = _parsed(text)
        if _is_table(value):
            yield from _table(name, value)
        elif any(isinstance(entry, Mapping) for entry in value.values()):
            yield f"{name}: sections {', '.join(value)}"
        else:
            words = ", ".join(f"{key} {entry}" for key, entry in value.items()) if value else text
            yield f"{name}: {shorten(words, _WIDTH, placeholder=' ...')}"


def _parsed(text: str) -> Mapping[str, Any]:
    """Return the object that a text holds in JSON, or an empty one."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _is_table(value: Mapping[str, Any]) -> bool:
    rows = value.values()
    return bool(value) and all(
        isinstance(row, Mapping) and all(isinstance(entry, int | float) for entry in row.values()) for row in rows
    )


def _table(name: str, rows: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    units = [f" ({ERROR_UNITS[column]})" if column in ERROR_UNITS else "" for column in columns]
    lines = [[name, *(column + unit for column, unit in zip(columns, units, strict=True))]]
    for title, row in rows.items():
        lines.append([f"  {title}", *(f"{row[column]:.4g}" if column in row else "" for column in columns)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *numbers in lines:
        cells = (cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()

"""Choices of the command line that decide which other keys a section has: optimisers, sources of functions, parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastsf.io.toml_file import TomlFile
from fastsf.training.optimizers.registry import OPTIMIZERS

Overrides = Mapping[str, tuple[Any, str]]
"""Values that replace those of a file, by names such as "run.epochs", each with its option of the command line."""

_SOURCES = {"functions": ("function", ()), "pairs": ("pair_function", ("envelope", "hidden"))}
"""Sections of functions: their tables, and the keys that do not belong to a source of functions."""

_SHARED = ("elements", "length_unit")
_PARTS = ("validation", "test")


def override(file: TomlFile, overrides: Overrides) -> tuple[str, ...]:
    """Replace values of a file. Another choice begins with its defaults: settings of the earlier one are dropped.

    Parameters
    ----------
    file : TomlFile
        File whose document is changed.
    overrides : mapping of str to (value, str)
        Values and their options.

    Returns
    -------
    tuple of str
        Remarks about what was dropped.

    Raises
    ------
    InputError
        As `TomlFile.override`.
    """
    dropped: list[str] = []
    for name, (value, option) in overrides.items():
        keys = [each for each in _superseded(file.document, name, value) if ".".join(each) not in overrides]
        words = [text for section, key in keys for text in _drop(file, section, key)]
        if words:
            dropped.append(f"{option} drops {', '.join(words)} of {file.path.name}")
    for name, (value, option) in overrides.items():
        file.override(name, value, option)
    return tuple(dropped)


def _superseded(document: Mapping[str, Any], name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield sections and keys that do not go with another value; the section is empty for tables of functions."""
    section, _, key = name.partition(".")
    table = document.get(section, {})
    if not isinstance(table, Mapping):
        return
    if section == "optimizer" and key == "name" and value != table.get("name", next(iter(OPTIMIZERS))):
        yield from ((section, each) for each in table if each != "name")
    elif section in _SOURCES and key in ("recipe", "file") and value != table.get(key):
        tables, others = _SOURCES[section]
        yield from ((section, each) for each in table if each not in others and each != key)
        if tables in document:
            yield "", tables
            remaining = [each for each, _ in _SOURCES.values() if each in document and each != tables]
            yield from (("", each) for each in _SHARED if each in document and not remaining)
    elif section == "data":
        for part in _PARTS:
            other = {part: f"{part}_groups", f"{part}_groups": part}.get(key)
            if other is not None and table.get(other):
                yield section, other


def _drop(file: TomlFile, section: str, key: str) -> list[str]:
    """Remove a key; return it and its value as text, nothing if it was gone."""
    table = file.document[section] if section else file.document
    if key not in table:
        return []
    value = table.pop(key)
    return [f"{key} = {value}" if section else f"[[{key}]]" if isinstance(value, list) and key not in _SHARED else key]

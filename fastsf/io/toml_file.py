"""TOML files with errors that name the line, and their tables as dataclasses."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from fastsf.errors import FormatError, InputError
from fastsf.io.text import open_text, reading_errors

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")
_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_.\- ]+?)\s*\]")
_LIST_HEADER = re.compile(r"\s*\[\[\s*([A-Za-z0-9_.\- ]+?)\s*\]\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*=")
_NAMES = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}


def parse_toml(text: str, path: str | Path) -> dict[str, Any]:
    """Parse TOML.

    Raises
    ------
    FormatError
        If it is not valid; names file and line.
    """
    try:
        return cast(dict[str, Any], tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise FormatError(f"not TOML: {error}", path, int(found[1]) if found else None) from error


class TomlFile:
    """TOML file with the lines of its keys.

    Parameters
    ----------
    path : path-like
        File, for errors.
    text : str
        Contents of the file.

    Attributes
    ----------
    document : dict
        Tables and values.
    headers : dict of str to list of int
        Lines of the headers ``[[name]]``.

    Raises
    ------
    FormatError
        If it is not TOML.
    """

    def __init__(self, path: str | Path, text: str) -> None:
        self.path = Path(path)
        self.document = parse_toml(text, path)
        self._lines, self.headers = _find_lines(text)
        self._options: dict[tuple[str, ...], str] = {}

    @classmethod
    def read(cls, path: str | Path) -> TomlFile:
        """Read a file.

        Raises
        ------
        StorageError
            If it cannot be read.
        FormatError
            If it is not TOML.
        """
        with reading_errors(Path(path)), open_text(Path(path)) as file:
            return cls(path, file.read())

    def override(self, name: str, value: Any, option: str) -> None:
        """Replace a value of the file; errors about it name the option.

        Parameters
        ----------
        name : str
            Name, as "run.epochs".
        value
            Value of a type of TOML.
        option : str
            Option as the user wrote it.

        Raises
        ------
        InputError
            If the name is not that of a value in a table.
        """
        keys = tuple(name.split("."))
        table = self.document
        for each in keys[:-1]:
            table = table.setdefault(each, {})
            if not isinstance(table, dict):
                raise InputError(f"{option}: {each} is not a table")
        table[keys[-1]] = value
        self._options[keys] = option

    def error(self, message: str, *keys: str) -> FormatError:
        """Return an error that names the line of a key, otherwise that of its table."""
        if keys in self._options:
            return FormatError(f"{self._options[keys]}: {message}")
        lines = (self.line(*keys[:count]) for count in range(len(keys), 0, -1))
        return FormatError(message, self.path, next((line for line in lines if line is not None), None))

    def line(self, *keys: str) -> int | None:
        """Return the line of a table or of a key in one, or None."""
        return self._lines.get(keys)

    def table(self, name: str, kind: type[T], ignored: Sequence[str] = ()) -> T:
        """Read a table as a dataclass.

        Parameters
        ----------
        name : str
            Name of the table; values of a missing table are the defaults.
        kind : type
            Dataclass whose fields are annotated with bool, int, float, str, `Literal`, ``X | None``, unions,
            ``tuple[X, ...]`` (a list, or one X) and ``dict[str, X]``.
        ignored : sequence of str
            Keys to ignore.

        Raises
        ------
        FormatError
            For unknown and missing keys and for values of another type.
        """
        found = self.document.get(name, {})
        if not isinstance(found, Mapping):
            raise self.error(f"{name}: expected a table [{name}], found {found!r}", name)
        hints, values = get_type_hints(kind), {}
        known = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
        for key, value in found.items():
            if key in ignored:
                continue
            if key not in known:
                raise self.error(f"unknown key {key!r} in [{name}], expected one of {', '.join(known)}", name, key)
            try:
                values[key] = fitted(value, hints[key])
            except InputError as error:
                raise self.error(f"{key}: {error}", name, key) from error
        for key, each in known.items():
            if key not in values and each.default is MISSING and each.default_factory is MISSING:
                raise self.error(f"[{name}] needs the key {key!r}", name)
        try:
            return kind(**values)
        except InputError as error:
            raise self.error(f"[{name}] {error}", name) from error


def fitted(value: Any, hint: Any) -> Any:
    """Return a value as the type of an annotation.

    Raises
    ------
    InputError
        If it has another type.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _fitted_union(value, arguments)
    if origin is Literal:
        if value in arguments:
            return value
    elif origin is tuple:
        items = value if isinstance(value, list) else [value]
        return tuple(fitted(item, arguments[0]) for item in items)
    elif origin is dict:
        if isinstance(value, dict):
            return {name: fitted(item, arguments[1]) for name, item in value.items()}
    elif hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    elif type(value) is hint:
        return value
    raise InputError(f"expected {_words(hint)}, found {value!r}")


def _fitted_union(value: Any, kinds: Sequence[Any]) -> Any:
    for kind in kinds:
        try:
            return fitted(value, kind)
        except InputError:
            continue
    raise InputError(f"expected {_any_of(kinds)}, found {value!r}")


def _any_of(kinds: Sequence[Any]) -> str:
    return " or ".join(_words(each) for each in kinds if each is not type(None))


def _words(hint: Any) -> str:
    """Return the description of an annotation."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _any_of(arguments)
    if origin is Literal:
        return "one of " + ", ".join(map(repr, arguments))
    if origin is tuple:
        return f"a list, each item {_words(arguments[0])}"
    if origin is dict:
        return f"a table, each value {_words(arguments[1])}"
    return _NAMES[hint]


def _find_lines(text: str) -> tuple[dict[tuple[str, ...], int], dict[str, list[int]]]:
    """Return the lines of tables and of their keys, and of the headers of lists of tables."""
    lines: dict[tuple[str, ...], int] = {}
    headers: dict[str, list[int]] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _LIST_HEADER.match(line):
            headers.setdefault(found[1], []).append(number)
            table = (found[1], str(len(headers[found[1]])))
        elif found := _HEADER.match(line):
            table = tuple(word.strip() for word in found[1].split("."))
            lines.setdefault(table, number)
        elif found := _KEY.match(line):
            lines.setdefault((*table, found[1]), number)
    return lines, headers

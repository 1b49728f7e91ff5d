"""Definitions of symmetry functions in TOML and YAML files.

A file holds either tables of functions or the name of a recipe::

    length_unit = "Angstrom"        # unit of every length in the functions; by default Angstrom
    elements = ["H", "O"]           # by default all elements that the functions name

    [[function]]                    # as in fastsf.symmetry.definition; a list stands for a grid
    type = "G2"
    center = ["H", "O"]
    neighbor = ["H", "O"]
    eta = [0.01, 0.1, 1.0]
    cutoff = 6.35
    cutoff_type = "tanh3"

or::

    elements = ["H", "O"]

    [recipe]
    name = "imbalzano2018"
    cutoff = 6.0                    # and other options of the recipe

Pair-centred functions are tables ``[[pair_function]]`` or the recipe ``[pair_recipe]``
(fastsf.symmetry.pcsf_recipes); a file may have either or both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fastsf.errors import FormatError, InputError
from fastsf.io.text import open_text, reading_errors
from fastsf.io.toml_file import TomlFile
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.definition import ATOM_CENTERED, PAIR_CENTERED
from fastsf.symmetry.entries import checked_elements
from fastsf.symmetry.pcsf import PCSFunction
from fastsf.symmetry.pcsf_recipes import make_pcsf
from fastsf.symmetry.recipes import make
from fastsf.symmetry.sets import elements_of, scale_lengths
from fastsf.units import length_factor

KEYS = ("length_unit", "elements", "recipe", "function", "pair_recipe", "pair_function")

F = TypeVar("F", bound=SymmetryFunction | PCSFunction)
Lines = Mapping[str, Sequence[int]]


class Definition(NamedTuple):
    """Elements and functions of a file.

    Parameters
    ----------
    elements : list of str
        Sorted by atomic number.
    functions : list of Radial or Angular
        Atom-centred functions in the order of the file, in Å.
    pcsf_functions : list of PairRadial, PairEnvironment or PairAngular
        Pair-centred functions in the order of the file, in Å.
    """

    elements: list[str]
    functions: list[SymmetryFunction]
    pcsf_functions: list[PCSFunction]


def is_definition(path: str | Path) -> bool:
    """Return True if a file is TOML or YAML by its name; any other name is that of an input.nn."""
    return Path(path).suffix.lower() in (".toml", ".yaml", ".yml")


def read_definition(path: str | Path) -> Definition:
    """Read the elements and the symmetry functions of a TOML or YAML file.

    Parameters
    ----------
    path : path-like
        The file; TOML unless its name ends in .yaml or .yml.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is not a TOML or YAML file, or does not hold a definition; names the file and, if it
        is known, the line.
    InputError
        If PyYAML is needed and not installed.
    """
    path = Path(path)
    with reading_errors(path), open_text(path) as stream:
        text = stream.read()
    if path.suffix in (".yaml", ".yml"):
        return interpret_definition(_load_yaml(text, path), path)
    file = TomlFile(path, text)
    lines = {**file.headers, **{key: [file.line(key) or 0] for key in ("recipe", "pair_recipe")}}
    return interpret_definition(file.document, path, lines)


def _load_yaml(text: str, path: Path) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise InputError(f'{path}: reading YAML needs PyYAML: python -m pip install "fastsf[yaml]"') from error
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise FormatError(f"not YAML: {reason}", path, mark.line + 1 if mark else None) from error


def interpret_definition(document: Any, path: Path, lines: Lines | None = None) -> Definition:
    """Make the functions of a file's plain form.

    Parameters
    ----------
    document : mapping
        Plain form of the file.
    path : Path
        The file, for errors.
    lines : mapping of str to sequences of int, optional
        First lines of the tables of functions and recipes; 0 if that is not known.

    Raises
    ------
    FormatError
        As for `read_definition`.
    """
    if not isinstance(document, Mapping):
        raise FormatError(f"expected the keys {', '.join(KEYS)}", path)
    for key in document:
        if key not in KEYS:
            raise FormatError(f"unknown key {key!r}, expected one of {', '.join(KEYS)}", path)
    reader = _Reader(document, path, lines or {})
    functions: list[SymmetryFunction] = reader.functions("", make, ATOM_CENTERED.expand)
    pcsf_functions: list[PCSFunction] = reader.functions("pair_", make_pcsf, PAIR_CENTERED.expand)
    return Definition(reader.named or elements_of([*functions, *pcsf_functions]), functions, pcsf_functions)


class _Reader:
    """Reader of tables of functions and recipes; errors name the file and the line."""

    def __init__(self, document: Mapping[str, Any], path: Path, lines: Lines) -> None:
        self.document, self.path, self.lines = document, path, lines
        if not any(f"{prefix}{key}" in document for prefix in ("", "pair_") for key in ("recipe", "function")):
            raise FormatError(
                "expected either a table [recipe] or tables [[function]], or [pair_recipe] or [[pair_function]]", path
            )
        try:
            self.factor = length_factor(document.get("length_unit", "Angstrom"))
            self.named = checked_elements(document["elements"]) if "elements" in document else None
        except InputError as error:
            raise FormatError(str(error), path) from error

    def functions(
        self, prefix: str, make: Callable[..., list[F]], expand: Callable[[Mapping[str, Any]], list[F]]
    ) -> list[F]:
        """Return the functions whose keys begin with `prefix`."""
        recipe, function = f"{prefix}recipe", f"{prefix}function"
        if recipe in self.document and function in self.document:
            raise FormatError(f"expected either a table [{recipe}] or tables [[{function}]]", self.path)
        if recipe in self.document:
            return self._from_recipe(recipe, make)
        return self._from_tables(function, expand) if function in self.document else []

    def _line(self, key: str, number: int) -> int | None:
        known = self.lines.get(key, ())
        return (known[number] or None) if number < len(known) else None

    def _from_tables(self, key: str, expand: Callable[[Mapping[str, Any]], list[F]]) -> list[F]:
        entries = self.document[key]
        if not isinstance(entries, list) or not entries:
            raise FormatError(f"{key}: expected tables [[{key}]], at least one", self.path)
        functions: list[F] = []
        for number, entry in enumerate(entries):
            try:
                made = [scale_lengths(function, self.factor) for function in expand(entry)]
                self._check_known(made)
            except InputError as error:
                line = self._line(key, number) if len(self.lines.get(key, ())) == len(entries) else None
                raise FormatError(f"{key} {number + 1}: {error}", self.path, line) from error
            functions += made
        return functions

    def _check_known(self, functions: Iterable[SymmetryFunction | PCSFunction]) -> None:
        unknown = [symbol for symbol in elements_of(functions) if self.named is not None and symbol not in self.named]
        if unknown:
            raise InputError(f"{unknown[0]} is not among the elements {' '.join(self.named or ())}")

    def _from_recipe(self, key: str, make: Callable[..., list[F]]) -> list[F]:
        table, line = self.document[key], self._line(key, 0)
        if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
            raise FormatError(f"{key}: expected a table with the 'name' of a recipe", self.path, line)
        if not all(isinstance(name, str) for name in table):
            raise FormatError(f"{key}: expected texts as keys", self.path, line)
        if self.named is None:
            raise FormatError("a recipe needs the key 'elements'", self.path)
        options = {name: value for name, value in table.items() if name != "name"}
        try:
            if self.factor != 1.0:
                raise InputError("length_unit: lengths in a recipe are in Angstrom")
            return make(table["name"], self.named, **options)
        except InputError as error:
            raise FormatError(f"{key}: {error}", self.path, line) from error

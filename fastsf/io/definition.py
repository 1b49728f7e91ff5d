"""Definitions of symmetry functions in TOML and YAML files.

A file holds either tables of functions or the name of a recipe::

    length_unit = "Angstrom"        # unit of every length in the functions; Angstrom if left out
    elements = ["H", "O"]           # if left out: all elements that the functions name

    [[function]]                    # as in fastsf.definition; a list stands for a grid
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
    cutoff = 6.0                    # and the recipe's other options
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastsf import recipes
from fastsf.definition import expand
from fastsf.entries import checked_elements
from fastsf.errors import FormatError, InputError
from fastsf.function_sets import elements_of, scale_lengths
from fastsf.io.text import open_text, reading_errors
from fastsf.io.toml_file import TomlFile
from fastsf.symmetry import SymmetryFunction
from fastsf.units import length_factor

KEYS = ("length_unit", "elements", "recipe", "function")


def read_definition(path: str | Path) -> tuple[list[str], list[SymmetryFunction]]:
    """Read the elements and the symmetry functions of a TOML or YAML file.

    Parameters
    ----------
    path : path-like
        The file; TOML unless its name ends in .yaml or .yml.

    Returns
    -------
    elements : list of str
        Sorted by atomic number.
    functions : list of Radial or Angular
        In the order of the file, in Å.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is not a TOML or YAML file, or holds something else than a definition; names the file and,
        where it can be told, the line.
    InputError
        If PyYAML is needed and not installed.
    """
    path = Path(path)
    with reading_errors(path), open_text(path) as stream:
        text = stream.read()
    if path.suffix in (".yaml", ".yml"):
        return interpret_definition(_load_yaml(text, path), path)
    file = TomlFile(path, text)
    return interpret_definition(file.document, path, file.headers.get("function", ()), file.line("recipe"))


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


def interpret_definition(
    document: Any, path: Path, function_lines: Sequence[int] = (), recipe_line: int | None = None
) -> tuple[list[str], list[SymmetryFunction]]:
    """Make the functions of what a file holds.

    Parameters
    ----------
    document : mapping
        Plain form of the file.
    path : Path
        The file; for errors, as the lines.
    function_lines : sequence of int
        Where the tables of functions begin.
    recipe_line : int, optional
        Where the table of the recipe begins.

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
    if ("recipe" in document) == ("function" in document):
        raise FormatError("expected either a table [recipe] or tables [[function]]", path)
    if "recipe" in document:
        return _from_recipe(document, path, recipe_line)
    try:
        factor = length_factor(document.get("length_unit", "Angstrom"))
        named = checked_elements(document["elements"]) if "elements" in document else None
    except InputError as error:
        raise FormatError(str(error), path) from error
    entries = document["function"]
    if not isinstance(entries, list) or not entries:
        raise FormatError("function: expected tables [[function]], at least one", path)
    functions: list[SymmetryFunction] = []
    for number, entry in enumerate(entries):
        line = function_lines[number] if len(function_lines) == len(entries) else None
        try:
            functions += [scale_lengths(function, factor) for function in expand(entry)]
            _check_known(elements_of(functions), named)
        except InputError as error:
            raise FormatError(f"function {number + 1}: {error}", path, line) from error
    return named or elements_of(functions), functions


def _check_known(used: list[str], named: list[str] | None) -> None:
    unknown = [symbol for symbol in used if named is not None and symbol not in named]
    if unknown:
        raise InputError(f"{unknown[0]} is not among the elements {' '.join(named or ())}")


def _from_recipe(document: Mapping[str, Any], path: Path, line: int | None) -> tuple[list[str], list[SymmetryFunction]]:
    table = document["recipe"]
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        raise FormatError("recipe: expected a table with the 'name' of a recipe", path, line)
    if not all(isinstance(key, str) for key in table):
        raise FormatError("recipe: expected texts as keys", path, line)
    if "elements" not in document:
        raise FormatError("a recipe needs the key 'elements'", path)
    options = {key: value for key, value in table.items() if key != "name"}
    try:
        if length_factor(document.get("length_unit", "Angstrom")) != 1.0:
            raise InputError("length_unit: lengths in a recipe are in Angstrom")
        elements = checked_elements(document["elements"])
        return elements, recipes.make(table["name"], elements, **options)
    except InputError as error:
        raise FormatError(f"recipe: {error}", path, line) from error

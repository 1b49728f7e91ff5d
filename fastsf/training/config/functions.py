"""Symmetry functions in configurations of trainings: sections [functions] and [pairs], tables, files and recipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.pcsf import PCSF
from fastsf.errors import FormatError, InputError
from fastsf.io.definition import interpret_definition
from fastsf.io.toml_file import TomlFile
from fastsf.symmetry import recipes
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.pcsf_recipes import make_pcsf
from fastsf.training.config.sections import NO_RECIPE, PCSFSection

_PROBES = (["H", "O"], ["Cu", "S"])
"""Sets of elements, one of which every recipe knows."""

_TABLES = ("function", "pair_function")
_SHARED = ("elements", "length_unit")
INLINE = (*_TABLES, *_SHARED)
"""Keys of definitions that are allowed in a configuration."""

F = TypeVar("F")
Chosen = tuple[list[F] | None, dict[str, Any] | None]
"""Functions or the recipe for them."""


@dataclass(frozen=True)
class _FunctionFile:
    """Section [functions] with a file, and the unit of length for files without one."""

    file: str
    length_unit: str = "Angstrom"


@dataclass(frozen=True)
class _PCSFFile:
    """Section [pairs] with a file."""

    file: str


@dataclass(frozen=True)
class _Source:
    """Source of atom- or of pair-centred functions.

    Parameters
    ----------
    section : str
        Section of the configuration.
    table : str
        Name of the tables of functions.
    kind : str
        Attribute of a `Definition` that holds the functions.
    file : type
        Class with the keys of the section if functions are in a file.
    read, make : callable
        Functions that read a file and apply a recipe.
    others : tuple of str
        Other keys of the section.
    """

    section: str
    table: str
    kind: str
    file: type[_FunctionFile] | type[_PCSFFile]
    read: Callable[..., ACSF | PCSF]
    make: Callable[..., Sequence[Any]]
    others: tuple[str, ...] = ()


_ACSF = _Source("functions", "function", "functions", _FunctionFile, ACSF.from_file, recipes.make)
_PCSF = _Source(
    "pairs", "pair_function", "pcsf_functions", _PCSFFile, PCSF.from_file, make_pcsf, ("envelope", "hidden")
)


def check_inline(file: TomlFile) -> None:
    """Raise FormatError for keys of definitions without functions."""
    alone = [key for key in _SHARED if key in file.document]
    if alone and not any(name in file.document for name in _TABLES):
        raise file.error(f"{alone[0]} belongs to tables [[function]], and there are none", *alone)


def atom_functions(file: TomlFile) -> Chosen[SymmetryFunction]:
    """Return the atom-centred functions of a configuration."""
    if file.document.get("functions") == {"recipe": NO_RECIPE}:
        return None, {"name": NO_RECIPE}
    return _functions(file, _ACSF)


def pcsf_section(file: TomlFile) -> PCSFSection | None:
    """Return the section [pairs], None if there is neither the section nor a table of pair-centred functions."""
    table = file.document.get("pairs")
    if table is None and _PCSF.table not in file.document:
        return None
    ignored = [key for key in table if key not in _PCSF.others] if isinstance(table, Mapping) else ()
    functions, recipe = _functions(file, _PCSF)
    return replace(file.table("pairs", PCSFSection, ignored), functions=functions, recipe=recipe)


def _functions(file: TomlFile, source: _Source) -> Chosen[Any]:
    """Return the functions of the file or of another one, or the recipe for them."""
    name, section = source.table, file.document.get(source.section, {})
    if not isinstance(section, Mapping):
        raise file.error(f"expected a table [{source.section}], found {section!r}", source.section)
    table = {key: value for key, value in section.items() if key not in source.others}
    if name not in file.document:
        return _named_functions(file, source, table)
    if table:
        raise file.error(f"[{source.section}] and [[{name}]] exclude each other", source.section)
    inline = {key: file.document[key] for key in (name, *_SHARED) if key in file.document}
    return getattr(interpret_definition(inline, file.path, file.headers), source.kind), None


def _named_functions(file: TomlFile, source: _Source, table: Mapping[str, Any]) -> Chosen[Any]:
    section = source.section
    if table and ("file" in table) == ("recipe" in table):
        raise file.error(f"[{section}] needs either the key 'file' or the key 'recipe'", section)
    if "recipe" in table:
        recipe = {"name": table["recipe"], **{key: value for key, value in table.items() if key != "recipe"}}
        _try(recipe, file, source)
        return None, recipe
    if not table:
        return None, None
    options = asdict(file.table(section, source.file, source.others))
    try:
        descriptor = source.read(file.path.parent / options.pop("file"), **options)
    except FormatError:
        raise
    except InputError as error:
        raise file.error(f"file: {error}", section, "file") from error
    return [function for functions in descriptor.columns.values() for function in functions], None


def _try(recipe: Mapping[str, Any], file: TomlFile, source: _Source) -> None:
    """Raise FormatError for a recipe that fails for all elements, before the data are read."""
    options = {key: value for key, value in recipe.items() if key != "name"}
    problems = []
    for elements in _PROBES:
        try:
            source.make(recipe["name"], elements, **options)
            return
        except InputError as error:
            problems.append(error)
    key = next((name for name in options if str(problems[0]).startswith(name)), "recipe")
    raise file.error(str(problems[0]), source.section, key) from problems[0]

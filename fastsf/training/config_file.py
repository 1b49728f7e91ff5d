"""Reading configurations of trainings: TOML files, and folders of n2p2 and RuNNer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from fastsf import recipes
from fastsf.descriptor import ACSF
from fastsf.errors import FormatError, InputError
from fastsf.io.definition import interpret_definition
from fastsf.io.toml_file import TomlFile, parse_toml
from fastsf.symmetry import SymmetryFunction
from fastsf.training.config import Config, Data, Loss, Networks, RunOptions
from fastsf.training.n2p2_folder import TrainingFolder
from fastsf.training.optimizers import OPTIMIZERS

_PROBES = (["H", "O"], ["Cu", "S"])
"""Elements of which every recipe has one."""

SECTIONS = ("data", "functions", "networks", "loss", "optimizer", "run")
_INLINE = ("function", "elements", "length_unit")
"""Keys of a definition that may stand in a configuration."""

Overrides = Mapping[str, tuple[Any, str]]
"""Values in place of a file's by names as "run.epochs", and the option that each comes from."""


def read_config(path: str | Path, overrides: Overrides | None = None) -> Config:
    """Read a configuration.

    Parameters
    ----------
    path : path-like
        TOML file.
    overrides : mapping of str to (value, str), optional
        Values in place of the file's, as "run.epochs"; and the option that each comes from.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is not TOML, or for an unknown key and a value that does not fit; names file and line.
    """
    file = TomlFile.read(path)
    _override(file, overrides)
    return interpret_config(file)


def read_folder(
    path: str | Path,
    length_unit: str | None = None,
    energy_unit: str | None = None,
    overrides: Overrides | None = None,
) -> Config:
    """Make a configuration of a folder with input.nn and input.data.

    What n2p2 calls test structures, which it looks at after every epoch, are for validation here.

    Parameters
    ----------
    path : path-like
        The folder.
    length_unit, energy_unit : str, optional
        Its units, as for `TrainingFolder.read`.
    overrides : mapping of str to (value, str), optional
        As for `read_config`.

    Raises
    ------
    StorageError
        If a file cannot be read.
    FormatError
        If input.nn does not hold what it should, and for values in `overrides` that do not fit.
    """
    folder = TrainingFolder.read(path, length_unit, energy_unit)
    file = TomlFile(Path(path) / "input.nn", "")
    units = {"length_unit": folder.length_unit, "energy_unit": folder.energy_unit}
    epochs, seed = folder.training.epochs, folder.training.seed
    file.document |= {
        "data": {"train": "input.data", "validation": folder.training.test_fraction, "seed": seed, **units},
        "loss": {"decay": 0.0},
        "optimizer": {"name": folder.training.optimizer, **asdict(folder.settings)},
        "run": {"epochs": epochs, "patience": max(epochs, 1), "seed": seed, "minutes": float("inf")},
    }
    _override(file, overrides)
    for name in ("networks", "functions"):
        if name in file.document:
            raise file.error(f"[{name}] cannot be changed: input.nn tells it", name, *file.document[name])
    return replace(interpret_config(file), folder=folder)


def _override(file: TomlFile, overrides: Overrides | None) -> None:
    for name, (value, option) in (overrides or {}).items():
        file.override(name, value, option)


def interpret_config(file: TomlFile) -> Config:
    """Make a configuration of a file; see `read_config`."""
    for key in file.document:
        if key not in (*SECTIONS, *_INLINE):
            raise file.error(f"unknown section {key!r}, expected one of {', '.join((*SECTIONS, *_INLINE))}", key)
    name, settings = _optimizer(file)
    functions, recipe = _functions(file)
    return Config(
        _located(file, file.table("data", Data)),
        file.table("networks", Networks),
        file.table("loss", Loss),
        file.table("run", RunOptions),
        name,
        settings,
        functions=functions,
        recipe=recipe,
    )


def _located(file: TomlFile, data: Data) -> Data:
    """Let relative paths begin at the configuration's folder."""

    def moved(names: float | tuple[str, ...]) -> Any:
        return tuple(str(file.path.parent / name) for name in names) if isinstance(names, tuple) else names

    parts = {name: moved(getattr(data, name)) for name in ("train", "validation", "test")}
    return Data(**{**{each.name: getattr(data, each.name) for each in fields(Data)}, **parts})


def _optimizer(file: TomlFile) -> tuple[str, Any]:
    table = file.document.get("optimizer", {})
    name = table.get("name", next(iter(OPTIMIZERS))) if isinstance(table, Mapping) else None
    if isinstance(table, Mapping) and name not in OPTIMIZERS:
        raise file.error(f"name: expected one of {', '.join(OPTIMIZERS)}, found {name!r}", "optimizer", "name")
    return str(name), file.table("optimizer", OPTIMIZERS[str(name)].settings if name else Data, ignored=("name",))


def _functions(file: TomlFile) -> tuple[list[SymmetryFunction] | None, dict[str, Any] | None]:
    """Functions that stand in the file or in another one, or the recipe for them."""
    inline = {key: file.document[key] for key in _INLINE if key in file.document}
    table = file.document.get("functions", {})
    if "function" in inline:
        if table:
            raise file.error("[functions] and [[function]] exclude each other", "functions")
        return interpret_definition(inline, file.path, file.headers).functions, None
    if inline:
        raise file.error(f"{next(iter(inline))} belongs to tables [[function]], and there are none", *inline)
    return _named_functions(file, table)


def _named_functions(file: TomlFile, table: Any) -> tuple[list[SymmetryFunction] | None, dict[str, Any] | None]:
    if not isinstance(table, Mapping) or (table and ("file" in table) == ("recipe" in table)):
        raise file.error("[functions] needs either the key 'file' or the key 'recipe'", "functions")
    if "recipe" in table:
        recipe = {"name": table["recipe"], **{key: value for key, value in table.items() if key != "recipe"}}
        _try(recipe, file)
        return None, recipe
    if not table:
        return None, None
    named = file.table("functions", _FunctionFile)
    try:
        acsf = ACSF.from_file(file.path.parent / named.file, named.length_unit)
    except FormatError:
        raise
    except InputError as error:
        raise file.error(f"file: {error}", "functions", "file") from error
    return [function for symbol in acsf.elements for function in acsf.columns[symbol]], None


def _try(recipe: Mapping[str, Any], file: TomlFile) -> None:
    """Complain now about what is wrong with a recipe whatever the elements of the data are."""
    options = {key: value for key, value in recipe.items() if key != "name"}
    problems = []
    for elements in _PROBES:
        try:
            recipes.make(recipe["name"], elements, **options)
            return
        except InputError as error:
            problems.append(error)
    key = next((name for name in options if str(problems[0]).startswith(name)), "recipe")
    raise file.error(str(problems[0]), "functions", key) from problems[0]


@dataclass(frozen=True)
class _FunctionFile:
    """Section [functions] with a file."""

    file: str
    length_unit: str = "Angstrom"


def overrides_of(run: Mapping[str, Any], assignments: Sequence[str]) -> Overrides:
    """Values that options of the command line give.

    Parameters
    ----------
    run : mapping of str to value or None
        Options that stand for values of [run], by their names; None if they were not given.
    assignments : sequence of str
        Texts as "loss.decay=0.1", from the option ``--set``.

    Raises
    ------
    InputError
        For a text that is none.
    """
    found = {f"run.{name}": (value, f"--{name}") for name, value in run.items() if value is not None}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or "." not in name:
            raise InputError(f"--set {text}: expected SECTION.KEY=VALUE, as run.epochs=20")
        found[name.strip()] = (_value(value.strip()), f"--set {text}")
    return found


def _value(text: str) -> Any:
    """A value as TOML writes it, or else a text."""
    try:
        return parse_toml(f"value = {text}", "")["value"]
    except FormatError:
        return text

"""The configuration of a training: one TOML file, every value of which has a default but the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from fastsf import recipes
from fastsf.definition import to_document
from fastsf.descriptor import ACSF
from fastsf.errors import FormatError, InputError
from fastsf.frames import OnError, Reading
from fastsf.io.definition import interpret_definition
from fastsf.io.toml_file import TomlFile
from fastsf.scaling import Mode
from fastsf.symmetry import SymmetryFunction
from fastsf.training.initialization import METHODS
from fastsf.training.labelled import LabelledSet
from fastsf.training.loop import Limits
from fastsf.training.optimizers import OPTIMIZERS
from fastsf.training.suggest import suggest

SECTIONS = ("data", "functions", "networks", "loss", "optimizer", "run")
READING_KEYS = ("length_unit", "energy_unit", "energy_key", "forces_key", "stress_key", "on_error")
"""Keys of [data] that tell how files are read."""
_INLINE = ("function", "elements", "length_unit")
"""Keys of a definition that may stand in a configuration."""


@dataclass(frozen=True)
class Data:
    """Section [data]: structures with labels, and what they are for.

    Parameters
    ----------
    train : tuple of str
        Files and patterns; relative to the folder of the configuration.
    validation, test : float or tuple of str
        A fraction of `train`, from each group its share, or files.
    validation_groups, test_groups : tuple of str
        Groups of `train` that are for these in place of a fraction.
    seed : int
        Of the draw.
    length_unit, energy_unit, energy_key, forces_key, stress_key, on_error
        As for `fastsf.frames.Reading`.
    group_key, weight_key : str, optional
        Names under which the group and the weight of a structure stand.
    on_serious : "stop" or "warn"
        What to do about data with which training makes no sense.
    group_weights : dict of str to float
        Factors of the weights of structures.
    """

    train: tuple[str, ...]
    validation: float | tuple[str, ...] = 0.1
    test: float | tuple[str, ...] = ()
    validation_groups: tuple[str, ...] = ()
    test_groups: tuple[str, ...] = ()
    seed: int = 0
    length_unit: str = "Angstrom"
    energy_unit: str = "eV"
    energy_key: str | None = None
    forces_key: str | None = None
    stress_key: str | None = None
    group_key: str | None = None
    weight_key: str | None = None
    on_error: OnError = "stop"
    on_serious: Literal["stop", "warn"] = "stop"
    group_weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.train:
            raise InputError("train: expected at least one file")
        for name in ("validation", "test"):
            if getattr(self, f"{name}_groups") and isinstance(getattr(self, name), tuple) and getattr(self, name):
                raise InputError(f"{name} and {name}_groups exclude each other")

    @property
    def reading(self) -> Reading:
        """How files are read."""
        return Reading(**{name: getattr(self, name) for name in READING_KEYS})


@dataclass(frozen=True)
class Networks:
    """Section [networks]: one network per element, all of the same shape.

    Parameters
    ----------
    hidden : tuple of int
        Nodes of the hidden layers.
    activation : str
        Of the hidden layers; the output is linear.
    initialization, bounds, bias_spread
        As for `initial_network`.
    scaling : str
        Of the symmetry functions, as for `Scaling`.
    """

    hidden: tuple[int, ...] = (20, 20)
    activation: str = "tanh"
    initialization: str = "lecun_normal"
    bounds: tuple[float, ...] = (-1.0, 1.0)
    bias_spread: float = 0.5
    scaling: Mode = "scale_sigma"

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.hidden):
            raise InputError(f"hidden: expected positive numbers, found {list(self.hidden)}")
        if self.initialization not in METHODS:
            raise InputError(f"initialization: expected one of {', '.join(METHODS)}, found {self.initialization!r}")
        if len(self.bounds) != 2:
            raise InputError(f"bounds: expected two numbers, found {list(self.bounds)}")


@dataclass(frozen=True)
class Loss:
    """Section [loss]: errors that count as one, and the decay of weights.

    Parameters
    ----------
    energy, forces, stress : float or "auto"
        Sigmas, in eV per atom, eV/Å and eV/Å^3.
    use_stress : bool
        Whether stresses are trained on.
    balance : bool
        Let the sigmas follow the errors that are left.
    decay : float
        Factor of the squares of the weights. As errors are counted in sigmas, weights are expected to be about
        decay^(-1/2) large.
    """

    energy: float | Literal["auto"] = "auto"
    forces: float | Literal["auto"] = "auto"
    stress: float | Literal["auto"] = "auto"
    use_stress: bool = False
    balance: bool = False
    decay: float = 10.0

    def __post_init__(self) -> None:
        for name in ("energy", "forces", "stress"):
            if getattr(self, name) != "auto" and not 0 < getattr(self, name) < float("inf"):
                raise InputError(f'{name}: expected a positive number or "auto", found {getattr(self, name)}')
        if not 0 <= self.decay < float("inf"):
            raise InputError(f"decay: expected 0 or more, found {self.decay}")


@dataclass(frozen=True)
class RunOptions:
    """Section [run]: how long, how often, and with what.

    Parameters
    ----------
    epochs, minutes, patience
        As for `Limits`.
    seed : int
        Of the first training.
    seeds : int
        How many trainings, each with a seed of its own: a committee.
    checkpoint_minutes : float
        From one checkpoint to the next.
    threads : int, optional
        All by default.
    memory : float
        GiB for what is computed once and kept.
    precision : "float32" or "float64"
        Of the derivatives of the symmetry functions that are kept.
    """

    epochs: int = 100
    minutes: float = 15.0
    patience: int = 20
    seed: int = 0
    seeds: int = 1
    checkpoint_minutes: float = 1.0
    threads: int | None = None
    memory: float = 4.0
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        self.limits  # noqa: B018  checks them
        for name, least in (("seed", 0), ("seeds", 1), ("checkpoint_minutes", 0.0), ("memory", 0.0)):
            if not getattr(self, name) >= least:
                raise InputError(f"{name}: expected at least {least}, found {getattr(self, name)}")
        if self.threads is not None and self.threads < 1:
            raise InputError(f"threads: expected at least 1, found {self.threads}")

    @property
    def limits(self) -> Limits:
        """When a training ends."""
        return Limits(self.epochs, self.minutes, self.patience)


@dataclass(frozen=True)
class Config:
    """Everything that a training needs to be told.

    Parameters
    ----------
    data : Data
    networks : Networks
    loss : Loss
    run : RunOptions
    optimizer : str
        Key of `OPTIMIZERS`.
    settings : object
        Its settings.
    functions : list of Radial or Angular, optional
        Symmetry functions.
    recipe : dict, optional
        A recipe ("name") and its options, in place of functions; without either, what suits the data.
    """

    data: Data
    networks: Networks
    loss: Loss
    run: RunOptions
    optimizer: str
    settings: Any
    functions: list[SymmetryFunction] | None = None
    recipe: dict[str, Any] | None = None

    def functions_for(self, labelled: LabelledSet) -> list[SymmetryFunction]:
        """Symmetry functions for a training set.

        Raises
        ------
        InputError
            If the recipe does not have them.
        """
        if self.functions is not None:
            return self.functions
        options = dict(suggest(labelled).recipe if self.recipe is None else self.recipe)
        return recipes.make(options.pop("name"), labelled.elements, **options)

    def table(self) -> dict[str, Any]:
        """Everything in JSON's types."""
        document: dict[str, Any] = {name: asdict(getattr(self, name)) for name in ("data", "networks", "loss", "run")}
        document["optimizer"] = {"name": self.optimizer, **asdict(self.settings)}
        document["recipe"] = self.recipe
        document["functions"] = None if self.functions is None else to_document(self.functions, [])["functions"]
        return dict(json.loads(json.dumps(document)))


def read_config(path: str | Path, overrides: Mapping[str, tuple[Any, str]] | None = None) -> Config:
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
    for name, (value, option) in (overrides or {}).items():
        file.override(name, value, option)
    return interpret_config(file)


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
        functions,
        recipe,
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
        return interpret_definition(inline, file.path, file.headers.get("function", ()))[1], None
    if inline:
        raise file.error(f"{next(iter(inline))} belongs to tables [[function]], and there are none", *inline)
    return _named_functions(file, table)


def _named_functions(file: TomlFile, table: Any) -> tuple[list[SymmetryFunction] | None, dict[str, Any] | None]:
    if not isinstance(table, Mapping) or ("file" in table) == ("recipe" in table) != (not table):
        raise file.error("[functions] needs either the key 'file' or the key 'recipe'", "functions")
    if "recipe" in table:
        return None, {"name": table["recipe"], **{key: value for key, value in table.items() if key != "recipe"}}
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


@dataclass(frozen=True)
class _FunctionFile:
    """Section [functions] with a file."""

    file: str
    length_unit: str = "Angstrom"

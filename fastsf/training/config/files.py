"""Reading configurations of trainings: TOML files, and folders of n2p2 and RuNNer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastsf.errors import FormatError, InputError
from fastsf.io.toml_file import TomlFile, parse_toml
from fastsf.training.config.choices import Overrides, override
from fastsf.training.config.config import Config
from fastsf.training.config.functions import INLINE, atom_functions, check_inline, pcsf_section
from fastsf.training.config.n2p2_folder import TrainingFolder
from fastsf.training.config.sections import NO_RECIPE, DataSection, LossSection, NetworksSection, RunSection
from fastsf.training.optimizers.registry import OPTIMIZERS

SECTIONS = ("data", "functions", "pairs", "networks", "loss", "optimizer", "run")


def read_config(path: str | Path, overrides: Overrides | None = None) -> Config:
    """Read a configuration.

    Parameters
    ----------
    path : path-like
        TOML file.
    overrides : mapping of str to (value, str), optional
        Values that replace those of the file, by names such as "run.epochs", each with its option of the command line.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is not TOML, for unknown keys and for unsuitable values; names file and line.
    """
    file = TomlFile.read(path)
    remarks = override(file, overrides or {})
    return replace(interpret_config(file), remarks=remarks)


def read_folder(
    path: str | Path,
    length_unit: str | None = None,
    energy_unit: str | None = None,
    overrides: Overrides | None = None,
) -> Config:
    """Make a configuration of a folder with input.nn and input.data.

    The test structures of n2p2, which it evaluates after every epoch, are the validation set here.

    Parameters
    ----------
    path : path-like
        The folder.
    length_unit, energy_unit : str, optional
        Units of the folder, as for `TrainingFolder.read`.
    overrides : mapping of str to (value, str), optional
        As for `read_config`.

    Raises
    ------
    StorageError
        If a file cannot be read.
    FormatError
        If input.nn cannot be used, and for unsuitable values in `overrides`.
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
    remarks = override(file, overrides or {})
    for name in ("networks", "functions", "pairs"):
        if name in file.document:
            raise file.error(f"[{name}] cannot be changed: input.nn defines it", name, *file.document[name])
    return replace(interpret_config(file), folder=folder, remarks=remarks)


def interpret_config(file: TomlFile) -> Config:
    """Make a configuration of a file; see `read_config`."""
    for key in file.document:
        if key not in (*SECTIONS, *INLINE):
            raise file.error(f"unknown section {key!r}, expected one of {', '.join((*SECTIONS, *INLINE))}", key)
    name, settings = _optimizer(file)
    check_inline(file)
    functions, recipe = atom_functions(file)
    pcsf = pcsf_section(file)
    if recipe == {"name": NO_RECIPE} and pcsf is None:
        raise file.error(f'recipe "{NO_RECIPE}" leaves no functions without a section [pairs]', "functions", "recipe")
    return Config(
        _located(file, file.table("data", DataSection)),
        file.table("networks", NetworksSection),
        file.table("loss", LossSection),
        file.table("run", RunSection),
        name,
        settings,
        functions=functions,
        recipe=recipe,
        pcsf=pcsf,
    )


def _located(file: TomlFile, data: DataSection) -> DataSection:
    """Return the section with paths relative to the folder of the configuration."""

    def moved(names: float | tuple[str, ...]) -> Any:
        return tuple(str(file.path.parent / name) for name in names) if isinstance(names, tuple) else names

    return replace(data, **{name: moved(getattr(data, name)) for name in ("train", "validation", "test")})


def _optimizer(file: TomlFile) -> tuple[str, Any]:
    table, name = file.document.get("optimizer", {}), next(iter(OPTIMIZERS))
    if isinstance(table, Mapping):
        name = table.get("name", name)
        if name not in tuple(OPTIMIZERS):
            raise file.error(f"name: expected one of {', '.join(OPTIMIZERS)}, found {name!r}", "optimizer", "name")
    return name, file.table("optimizer", OPTIMIZERS[name].settings_type, ignored=("name",))


def overrides_of(run: Mapping[str, Any], assignments: Sequence[str]) -> Overrides:
    """Return the values of options of the command line.

    Parameters
    ----------
    run : mapping of str to value or None
        Options for values of [run] by their names, None for those not given.
    assignments : sequence of str
        Texts such as "loss.decay=0.1", from the option ``--set``.

    Raises
    ------
    InputError
        For a text of another form.
    """
    found = {f"run.{name}": (value, f"--{name}") for name, value in run.items() if value is not None}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or "." not in name:
            raise InputError(f"--set {text}: expected SECTION.KEY=VALUE, such as run.epochs=20")
        found[name.strip()] = (_value(value.strip()), f"--set {text}")
    return found


def _value(text: str) -> Any:
    """Return a value as TOML writes it, or else a text."""
    try:
        return parse_toml(f"value = {text}", "")["value"]
    except FormatError:
        return text

"""``fastsf train --init``: a configuration that suits data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from fastsf.cli.console import Console
from fastsf.datasets.checks.outliers import find_outliers
from fastsf.datasets.frames import Reading
from fastsf.datasets.labelled import read_labelled
from fastsf.datasets.reference_energies import find_references
from fastsf.errors import StorageError
from fastsf.storage.atomic import write_atomically
from fastsf.training.config.sections import NO_RECIPE, READING_KEYS
from fastsf.training.config.suggest import suggest
from fastsf.training.config.template import config_text


def init(
    inputs: Sequence[str],
    output: Path,
    console: Console,
    *,
    reading: Reading | None = None,
    set_key: str | None = None,
    pairs: Literal["too", "only"] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a configuration that suits data.

    Parameters
    ----------
    inputs : sequence of str
        Files and patterns.
    output : Path
        TOML file to write.
    console : Console
        Console for messages.
    reading : Reading, optional
        Options for reading the files.
    set_key : str, optional
        Key of the subset of a structure.
    pairs : "too" or "only", optional
        Pair-centred networks, beside atom-centred ones or alone.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    StorageError, InputError
        As `read_labelled`; if the file exists, or cannot be written.
    """
    if output.exists() and not overwrite:
        raise StorageError(f"{output} is there already; --overwrite replaces it")
    reading = reading or Reading()
    labelled = read_labelled(inputs, reading, set_key=set_key)
    console.say(f"{len(labelled):,} structures, {labelled.n_atoms.sum():,} atoms of {', '.join(labelled.elements)}")
    console.say(labelled.account.text())
    console.say(find_references(labelled).text())
    console.say(find_outliers(labelled).text())
    chosen = {name: getattr(reading, name) for name in READING_KEYS}
    changed = {name: value for name, value in chosen.items() if value != getattr(Reading(), name)}
    if set_key is not None:
        changed["set_key"] = set_key
    found = suggest(labelled)
    paths = [_seen_from(output.parent, path) for path in inputs]
    choices = {
        "data": {"train": paths, **changed},
        "functions": {"recipe": NO_RECIPE} if pairs == "only" else _section(found.recipe),
        "networks": {"hidden": found.hidden},
    }
    if pairs is not None:
        choices["pairs"] = _section(found.pcsf_recipe)
    text = config_text(choices, found.reasons)
    write_atomically(output, lambda file: file.write(text.encode()))
    console.say(f"wrote {output}; train with: fastsf train {output}")


def _section(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"recipe" if key == "name" else key: value for key, value in recipe.items()}


def _seen_from(folder: Path, path: str) -> str:
    """Return a path relative to a folder if it is inside, else the absolute path."""
    relative = os.path.relpath(path, folder)
    return os.path.abspath(path) if relative.startswith("..") else relative  # noqa: PTH100  path may be a pattern

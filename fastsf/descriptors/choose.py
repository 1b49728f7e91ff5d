"""Descriptors of either sort, from a stored definition, a recipe or a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.base import Descriptor, Rows
from fastsf.descriptors.pcsf import PCSF
from fastsf.errors import InputError
from fastsf.io.definition import is_definition, read_definition
from fastsf.symmetry.pcsf_recipes import PCSF_RECIPES
from fastsf.symmetry.recipes import RECIPES


def possible_elements(descriptor: Descriptor) -> list[str]:
    """Return the elements that structures may contain: where rows are atoms, those that have functions."""
    if descriptor.centered_on == "pairs":
        return list(descriptor.elements)
    return [symbol for symbol, functions in descriptor.columns.items() if functions]


def descriptor_from_dict(document: dict[str, Any]) -> ACSF | PCSF:
    """Rebuild a descriptor from its plain form.

    Raises
    ------
    InputError
        If it is none.
    """
    return (PCSF if document.get("format") == PCSF.catalogue.format else ACSF).from_dict(document)


def descriptor_from_recipe(
    name: str, elements: Sequence[str], cutoff: float | None = None, *, threads: int | None = None
) -> ACSF | PCSF:
    """Return the descriptor of a recipe of `fastsf.symmetry.recipes` or `fastsf.symmetry.pcsf_recipes`.

    Raises
    ------
    InputError
        If there is no such recipe, or it does not take these elements or this cutoff.
    """
    if name not in RECIPES and name not in PCSF_RECIPES:
        known = f"{', '.join(RECIPES)}, or of pairs: {', '.join(PCSF_RECIPES)}"
        raise InputError(f"unknown recipe {name!r}, expected one of {known}")
    return (PCSF if name in PCSF_RECIPES else ACSF).from_recipe(name, elements, cutoff, threads=threads)


def descriptor_from_file(
    path: str | Path,
    length_unit: str = "Angstrom",
    *,
    centered_on: Rows | None = None,
    threads: int | None = None,
) -> ACSF | PCSF:
    """Return the descriptor of a file.

    Parameters
    ----------
    path : path-like
        TOML, YAML or (any other name) ``input.nn``.
    length_unit : str
        Unit of length of an ``input.nn``.
    centered_on : "atoms" or "pairs", optional
        Functions to choose from a file that has both.
    threads : int, optional
        As for `ACSF`.

    Raises
    ------
    FormatError, StorageError
        If the file cannot be read, or has no such functions.
    InputError
        If it has both and `centered_on` is not given.
    """
    chosen = centered_on or _rows_in(path)
    return (PCSF if chosen == "pairs" else ACSF).from_file(path, length_unit, threads=threads)


def _rows_in(path: str | Path) -> Rows:
    if not is_definition(path):
        return "atoms"
    _, of_atoms, of_pairs = read_definition(path)
    if of_atoms and of_pairs:
        raise InputError(
            f"{path} has functions of atoms and of pairs, and a feature file holds those of one: "
            "choose by --rows atoms or --rows pairs, and run twice for both"
        )
    return "atoms" if of_atoms else "pairs"

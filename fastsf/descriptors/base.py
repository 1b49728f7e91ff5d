"""Descriptors of atoms and of pairs alike: what they have in common, and how to make the one that is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.jacobian import SparseJacobian
from fastsf.descriptors.pcsf import PCSF
from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.errors import FormatError, InputError
from fastsf.io.definition import read_definition
from fastsf.structure import Structure
from fastsf.symmetry.definition import PAIR_CENTERED
from fastsf.symmetry.pcsf_recipes import PAIR_RECIPES
from fastsf.symmetry.recipes import RECIPES
from fastsf.types import FloatArray

Centers = Literal["atoms", "pairs"]


class Descriptor(Protocol):
    """What `ACSF` and `PCSF` have in common.

    Attributes
    ----------
    centered_on : "atoms" or "pairs"
        What the rows of the values belong to.
    elements : tuple of str
        Those that structures may contain.
    n_features : int
        Columns.
    """

    centered_on: ClassVar[Centers]
    elements: tuple[str, ...]
    n_features: int

    @property
    def columns(self) -> Mapping[str, Sequence[Any]]:
        """Functions of each element or kind of pairs."""

    @property
    def labels(self) -> dict[str, list[str]]:
        """Names of the functions of each of them."""

    def describe(self) -> str:
        """Summary in words."""

    def to_dict(self) -> dict[str, Any]:
        """Definition in plain types, from which `descriptor_from_dict` rebuilds it."""

    def evaluate_batch(self, structures: Sequence[Structure], jacobian: bool = False) -> tuple[Any, ...]:
        """Fields of a `Batch`."""


class Batch(NamedTuple):
    """What `evaluate_batch` of a descriptor gives: values, derivatives if wanted, and which pairs the rows are."""

    values: FloatArray
    derivatives: SparseJacobian | None
    pairs: PairRows | None = None


def possible_elements(descriptor: Descriptor) -> list[str]:
    """Elements that structures may contain: where rows are atoms, those that have functions."""
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
    return (PCSF if document.get("format") == PAIR_CENTERED.format else ACSF).from_dict(document)


def descriptor_from_recipe(
    name: str, elements: Sequence[str], cutoff: float | None = None, *, threads: int | None = None
) -> ACSF | PCSF:
    """Functions of a recipe of `fastsf.symmetry.recipes` or `fastsf.symmetry.pcsf_recipes`.

    Raises
    ------
    InputError
        If there is no such recipe, or it does not take these elements or this cutoff.
    """
    if name not in RECIPES and name not in PAIR_RECIPES:
        known = f"{', '.join(RECIPES)}, or of pairs: {', '.join(PAIR_RECIPES)}"
        raise InputError(f"unknown recipe {name!r}, expected one of {known}")
    return (PCSF if name in PAIR_RECIPES else ACSF).from_recipe(name, elements, cutoff, threads=threads)


def descriptor_from_file(
    path: str | Path,
    length_unit: str = "Angstrom",
    *,
    centered_on: Centers | None = None,
    threads: int | None = None,
) -> ACSF | PCSF:
    """Functions of a file.

    Parameters
    ----------
    path : path-like
        TOML, YAML or (any other name) ``input.nn``.
    length_unit : str
        Of an ``input.nn``.
    centered_on : "atoms" or "pairs", optional
        Which of a file that has both.
    threads : int, optional
        As for `ACSF`.

    Raises
    ------
    FormatError, StorageError
        If the file cannot be read, or has no such functions.
    InputError
        If it has both and `centered_on` is not given.
    """
    there: dict[str, bool] = {"atoms": True, "pairs": False}
    if Path(path).suffix.lower() in (".toml", ".yaml", ".yml"):
        _, functions, pair_functions = read_definition(path)
        there = {"atoms": bool(functions), "pairs": bool(pair_functions)}
    if centered_on is None and all(there.values()):
        raise InputError(
            f"{path} has functions of atoms and of pairs, and a feature file holds those of one: "
            "choose by --rows atoms or --rows pairs, and run twice for both"
        )
    chosen = centered_on or ("atoms" if there["atoms"] else "pairs")
    if not there[chosen]:
        raise FormatError(f"there are no functions of {chosen}", path)
    if chosen == "pairs":
        return PCSF.from_file(path, threads=threads)
    return ACSF.from_file(path, length_unit, threads=threads)

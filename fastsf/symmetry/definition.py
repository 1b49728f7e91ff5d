"""Symmetry functions as plain dictionaries: numbers, texts and lists only, as JSON, TOML and YAML hold them.

One dictionary is one function::

    {"type": "G2", "center": "O", "neighbor": "H", "eta": 1.1, "rs": 0.5, "cutoff": 6.35}
    {"type": "G4", "center": "O", "neighbors": ["H", "H"], "eta": 0.2, "zeta": 4, "lambda": -1, "cutoff": 6}
    {"type": "compact5", "center": "O", "neighbors": "*", "left": 0, "right": 5, "angle": [30, 150]}
    {"type": "pair-gaussian", "pair": ["H", "O"], "eta": 4.0, "rs": 1.0, "cutoff": 6}
    {"type": "pair-G3", "pair": ["H", "O"], "neighbor": "O", "eta": 0.1, "pair_eta": 0.1, "cutoff": 6}
    {"type": "pair-G4", "pair": ["O", "O"], "neighbor": "H", "eta": 0.1, "zeta": 4, "lambda": -1, "cutoff": 6}
    {"type": "pair-distance", "pair": ["O", "O"]}

The types and their keys are the records of `fastsf.symmetry.kinds.KINDS`. Lengths are in Å, angles
in degrees. The neighbour ``"*"`` of atom-centred functions means all neighbours, weighted by their
atomic numbers. The types `radial`, `narrow` and `wide` take all keys of their form, for
combinations without a name.

Pair-centred functions take either a cutoff function or the edges of a compact bump (`left`,
`right`, `shape`, `asymmetric`). In pair-G3, `pair_eta` and `pair_rs` are equal to `eta` and `rs` if
they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Generic, TypeVar

from fastsf.errors import InputError
from fastsf.symmetry.atoms import Angular, Radial, SymmetryFunction
from fastsf.symmetry.entries import (
    angle_to_dict,
    checked_elements,
    checked_type,
    combinations,
    envelope_to_dict,
    number,
    read_angle,
    read_envelope,
    read_pair,
    text,
)
from fastsf.symmetry.kinds import KINDS, PARAMETERS, FunctionKind, SymmetryFunctionBase, kind_of, parameters_of
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial, PCSFunction

F = TypeVar("F", bound=SymmetryFunctionBase)

FORMS: dict[str, tuple[type, dict[str, Any]]] = {
    "radial": (Radial, {}),
    "narrow": (Angular, {"narrow": True}),
    "wide": (Angular, {"narrow": False}),
    "pcsf-radial": (PairRadial, {}),
    "pcsf-environment": (PairEnvironment, {}),
    "pcsf-angular": (PairAngular, {}),
}
"""Class of each form, and the values that its form fixes."""

PAIR_KEYS = ("pair", "neighbors")
GRID_KEYS = ("center", "pair", "neighbor", "neighbors", "cutoff", *PARAMETERS, "zeta", "lambda")
"""Keys that may hold a list in `Catalogue.expand`; the last one runs fastest. Those of `PAIR_KEYS` hold two symbols."""


@dataclass(frozen=True)
class Catalogue(Generic[F]):
    """Types of functions that one descriptor can have, read from and written as dictionaries.

    Parameters
    ----------
    format : str
        Name of the format of whole descriptors.
    version : int
        Version of the format that is written and read.
    noun : str
        Name of such a descriptor in errors.
    forms : tuple of str
        Forms of its functions.
    weighted : bool
        True if ``"*"`` stands for all neighbours.
    """

    format: str
    version: int
    noun: str
    forms: tuple[str, ...]
    weighted: bool

    @cached_property
    def kinds(self) -> dict[str, FunctionKind]:
        """Types of functions by their names."""
        return {kind.name: kind for kind in KINDS if kind.form in self.forms}

    def to_dict(self, function: F) -> dict[str, Any]:
        """Return the plain form of one function, from which `from_dict` makes an equal function.

        Returns
        -------
        dict
            Texts, numbers, booleans and lists only. Zero shifts and plateaus are left out.
        """
        kind = kind_of(function)
        entry: dict[str, Any] = {"type": kind.name}
        for key, value in _atoms_of(function):
            entry[key] = list(value) if isinstance(value, tuple) else "*" if value is None else value
        values = parameters_of(function)
        for name, value in values.items():
            fallback = PARAMETERS[name].fallback
            implied = fallback is not None and (values[fallback] != 0 or fallback in kind.required)
            if value or name in kind.required or (implied and name in kind.optional):
                entry[name] = float(value)
        if hasattr(function, "angle"):
            entry |= angle_to_dict(function.angle)
        if hasattr(function, "apex"):
            entry["apex"] = function.apex
        return entry if function.envelope is None else entry | envelope_to_dict(function.envelope)

    def from_dict(self, entry: Mapping[str, Any]) -> F:
        """Build one function from its plain form.

        Raises
        ------
        InputError
            For a missing or unknown key (with the keys that are allowed) and for a value that does
            not fit.
        """
        kind = self.kinds[checked_type(entry, self.kinds)]
        form, fixed = FORMS[kind.form]
        names = [field.name for field in fields(form) if field.name not in fixed]
        function: F = form(**fixed, **{name: self._value(kind, name, entry) for name in names})
        return function

    def _value(self, kind: FunctionKind, name: str, entry: Mapping[str, Any]) -> Any:
        """Return the value of one field of a function."""
        if name in PARAMETERS:
            fallback = PARAMETERS[name].fallback
            return number(entry, name, number(entry, fallback, 0.0) if fallback else 0.0)
        if name == "envelope":
            return read_envelope(entry) if {"cutoff", "left"} & set(kind.keys) else None
        if name == "angle":
            return read_angle(entry)
        if name == "apex":
            return text(entry, "apex", "heavier")
        if self.weighted and name in ("neighbor", "neighbors") and entry[name] == "*":
            return None
        if name == "elements":
            return read_pair(entry, "pair")
        return read_pair(entry, "neighbors", " or '*'") if name == "neighbors" else text(entry, name)

    def expand(self, entry: Mapping[str, Any]) -> list[F]:
        """Build the functions of a plain form in which lists stand for grids.

        Parameters
        ----------
        entry : mapping
            Like that of `from_dict`, where every key of `GRID_KEYS` may also hold a list: the
            functions are all combinations. A key of `PAIR_KEYS` then holds a list of pairs.

        Raises
        ------
        InputError
            As `from_dict`, and for an empty list.
        """
        checked_type(entry, self.kinds)
        return [self.from_dict(one) for one in combinations(entry, GRID_KEYS, PAIR_KEYS)]

    def to_document(self, functions: Iterable[F], elements: Iterable[str]) -> dict[str, Any]:
        """Return the plain form of a whole descriptor, to be stored with its results."""
        return {
            "format": self.format,
            "version": self.version,
            "elements": list(elements),
            "functions": [self.to_dict(function) for function in functions],
        }

    def from_document(self, document: Any) -> tuple[list[str], list[F]]:
        """Return the elements and functions of a plain form made by `to_document`.

        Raises
        ------
        InputError
            If it is not such a document, is of another version, or holds a function that does not
            fit.
        """
        if not isinstance(document, Mapping) or document.get("format") != self.format:
            raise InputError(f"not a {self.noun}: expected 'format' to be {self.format!r}")
        if document.get("version") != self.version:
            raise InputError(f"{self.noun}: expected version {self.version}, found {document.get('version')!r}")
        entries = document.get("functions")
        if not isinstance(entries, list):
            raise InputError(f"{self.noun}: expected a list under 'functions'")
        functions = []
        for index, entry in enumerate(entries, start=1):
            try:
                functions.append(self.from_dict(entry))
            except InputError as error:
                raise InputError(f"function {index}: {error}") from error
        return checked_elements(document.get("elements")), functions


def _atoms_of(function: Any) -> Iterable[tuple[str, Any]]:
    """Yield the keys of the atoms that a function is about, with the values of its fields."""
    keys = {"center": "center", "elements": "pair", "neighbor": "neighbor", "neighbors": "neighbors"}
    for field in fields(function):
        if field.name in keys:
            yield keys[field.name], getattr(function, field.name)


ATOM_CENTERED: Catalogue[SymmetryFunction] = Catalogue(
    "fastsf-acsf", 1, "definition of symmetry functions", ("radial", "narrow", "wide"), weighted=True
)
PAIR_CENTERED: Catalogue[PCSFunction] = Catalogue(
    "fastsf-pcsf",
    1,
    "definition of pair-centred functions",
    ("pcsf-radial", "pcsf-environment", "pcsf-angular"),
    weighted=False,
)

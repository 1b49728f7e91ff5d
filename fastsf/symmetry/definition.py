"""Symmetry functions as plain dictionaries: numbers, texts and lists only, as JSON, TOML and YAML hold them.

One dictionary is one function::

    {"type": "G2", "center": "O", "neighbor": "H", "eta": 1.1, "rs": 0.5, "cutoff": 6.35}
    {"type": "G4", "center": "O", "neighbors": ["H", "H"], "eta": 0.2, "zeta": 4, "lambda": -1, "cutoff": 6}
    {"type": "compact5", "center": "O", "neighbors": "*", "left": 0, "right": 5, "angle": [30, 150]}

The neighbour ``"*"`` stands for all neighbours, weighted by their atomic numbers. Lengths are in Å, angles in
degrees. The types `radial`, `narrow` and `wide` take all keys of their kind, for combinations without a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastsf.symmetry.atoms import Angular, Radial, SymmetryFunction
from fastsf.symmetry.entries import (
    ANGLE,
    COMPACT,
    CUTOFF,
    ENVELOPE,
    Document,
    KeysOf,
    angle_to_dict,
    checked_type,
    combinations,
    envelope_to_dict,
    number,
    read_angle,
    read_envelope,
    read_pair,
    text,
)
from fastsf.symmetry.factors import Compact, Window

DOCUMENT = Document("fastsf-acsf", 1, "definition of symmetry functions")


def _keys(required: tuple[str, ...], optional: tuple[str, ...]) -> KeysOf:
    return KeysOf(("center", *required), optional)


TYPES = {
    "G1": _keys(("neighbor", "cutoff"), CUTOFF),
    "G2": _keys(("neighbor", "eta", "cutoff"), ("rs", *CUTOFF)),
    "G3": _keys(("neighbor", "kappa", "cutoff"), ("rs", *CUTOFF)),
    "G4": _keys(("neighbors", "eta", "zeta", "lambda", "cutoff"), ("rs", *CUTOFF)),
    "G5": _keys(("neighbors", "eta", "zeta", "lambda", "cutoff"), ("rs", *CUTOFF)),
    "compact": _keys(("neighbor", "left", "right"), COMPACT),
    "compact4": _keys(("neighbors", "left", "right", "angle"), (*COMPACT, "angle_shape")),
    "compact5": _keys(("neighbors", "left", "right", "angle"), (*COMPACT, "angle_shape")),
    "radial": _keys(("neighbor",), ("eta", "rs", "kappa", *ENVELOPE)),
    "narrow": _keys(("neighbors",), ("eta", "rs", *ENVELOPE, *ANGLE)),
    "wide": _keys(("neighbors",), ("eta", "rs", *ENVELOPE, *ANGLE)),
}
"""Keys of each type of function."""

GRID_KEYS = ("center", "neighbor", "neighbors", "cutoff", "eta", "rs", "kappa", "zeta", "lambda")
"""Keys that may hold a list in `expand`; the last one runs fastest."""


def function_to_dict(function: SymmetryFunction) -> dict[str, Any]:
    """Plain form of one function; `function_from_dict` gives an equal function back.

    Parameters
    ----------
    function : Radial or Angular
        Any symmetry function.

    Returns
    -------
    dict
        Texts, numbers, booleans and lists only. Zero shifts and plateaus are left out.
    """
    if isinstance(function, Radial):
        entry: dict[str, Any] = {"type": _radial_type(function), "center": function.center}
        entry["neighbor"] = "*" if function.neighbor is None else function.neighbor
        needed = TYPES[entry["type"]].required
        parameters = {"eta": function.eta, "rs": function.rs, "kappa": function.kappa}
    else:
        entry = {"type": _angular_type(function), "center": function.center}
        entry["neighbors"] = "*" if function.neighbors is None else list(function.neighbors)
        needed = TYPES[entry["type"]].required
        parameters = {"eta": function.eta, "rs": function.rs}
    entry |= {key: float(value) for key, value in parameters.items() if value or key in needed}
    if isinstance(function, Angular):
        entry |= angle_to_dict(function.angle)
    return entry | envelope_to_dict(function.envelope)


def function_from_dict(entry: Mapping[str, Any]) -> SymmetryFunction:
    """Build one function from its plain form.

    Raises
    ------
    InputError
        For a missing or unknown key (with the keys that are allowed) and for a value that does not fit.
    """
    name = checked_type(entry, TYPES)
    center = text(entry, "center")
    envelope = read_envelope(entry)
    eta, rs = number(entry, "eta", 0.0), number(entry, "rs", 0.0)
    if "neighbor" in TYPES[name].required:
        neighbor = text(entry, "neighbor")
        return Radial(center, None if neighbor == "*" else neighbor, envelope, eta, rs, number(entry, "kappa", 0.0))
    narrow = name in ("G4", "compact4", "narrow")
    pair = None if entry["neighbors"] == "*" else read_pair(entry, "neighbors", " or '*'")
    return Angular(center, pair, envelope, read_angle(entry), eta, rs, narrow)


def expand(entry: Mapping[str, Any]) -> list[SymmetryFunction]:
    """Build the functions of a plain form in which lists stand for grids.

    Parameters
    ----------
    entry : mapping
        As for `function_from_dict`, where every key of `GRID_KEYS` may also hold a list: the functions are
        all combinations. `neighbors` then holds a list of pairs.

    Raises
    ------
    InputError
        As `function_from_dict`, and for an empty list.
    """
    checked_type(entry, TYPES)
    return [function_from_dict(one) for one in combinations(entry, GRID_KEYS, pairs="neighbors")]


def to_document(functions: Iterable[SymmetryFunction], elements: Iterable[str]) -> dict[str, Any]:
    """Plain form of a whole descriptor, to be stored with what was computed by it."""
    return DOCUMENT.write(elements, map(function_to_dict, functions))


def from_document(document: Mapping[str, Any]) -> tuple[list[str], list[SymmetryFunction]]:
    """Elements and functions of a plain form made by `to_document`.

    Raises
    ------
    InputError
        If it is not such a document, is of a later version, or holds a function that does not fit.
    """
    return DOCUMENT.read(document, function_from_dict)


def _radial_type(function: Radial) -> str:
    if isinstance(function.envelope, Compact):
        return "radial" if function.eta or function.rs or function.kappa else "compact"
    if function.kappa:
        return "G3"
    return "G2" if function.eta or function.rs else "G1"


def _angular_type(function: Angular) -> str:
    compact, window = isinstance(function.envelope, Compact), isinstance(function.angle, Window)
    if not compact and not window:
        return "G4" if function.narrow else "G5"
    if compact and window and not function.eta and not function.rs:
        return "compact4" if function.narrow else "compact5"
    return "narrow" if function.narrow else "wide"

"""Symmetry functions as plain dictionaries: numbers, texts and lists only, as JSON, TOML and YAML hold them.

One dictionary is one function::

    {"type": "G2", "center": "O", "neighbor": "H", "eta": 1.1, "rs": 0.5, "cutoff": 6.35}
    {"type": "G4", "center": "O", "neighbors": ["H", "H"], "eta": 0.2, "zeta": 4, "lambda": -1, "cutoff": 6}
    {"type": "compact5", "center": "O", "neighbors": "*", "left": 0, "right": 5, "angle": [30, 150]}

The neighbour ``"*"`` stands for all neighbours, weighted by their atomic numbers. Lengths are in Å, angles in
degrees. The types `radial`, `narrow` and `wide` take all keys of their kind, for combinations without a name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.symmetry import Angular, Compact, Cutoff, Envelope, Power, Radial, SymmetryFunction, Window

FORMAT = "fastsf-acsf"
VERSION = 1

_CUTOFF = ("cutoff_type", "alpha")
_COMPACT = ("shape", "asymmetric")
_ENVELOPE = ("cutoff", *_CUTOFF, "left", "right", *_COMPACT)
_ANGLE = ("zeta", "lambda", "angle", "angle_shape")


@dataclass(frozen=True)
class _Type:
    """Which keys a type needs besides `center`, and which it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


TYPES = {
    "G1": _Type(("neighbor", "cutoff"), _CUTOFF),
    "G2": _Type(("neighbor", "eta", "cutoff"), ("rs", *_CUTOFF)),
    "G3": _Type(("neighbor", "kappa", "cutoff"), ("rs", *_CUTOFF)),
    "G4": _Type(("neighbors", "eta", "zeta", "lambda", "cutoff"), ("rs", *_CUTOFF)),
    "G5": _Type(("neighbors", "eta", "zeta", "lambda", "cutoff"), ("rs", *_CUTOFF)),
    "compact": _Type(("neighbor", "left", "right"), _COMPACT),
    "compact4": _Type(("neighbors", "left", "right", "angle"), (*_COMPACT, "angle_shape")),
    "compact5": _Type(("neighbors", "left", "right", "angle"), (*_COMPACT, "angle_shape")),
    "radial": _Type(("neighbor",), ("eta", "rs", "kappa", *_ENVELOPE)),
    "narrow": _Type(("neighbors",), ("eta", "rs", *_ENVELOPE, *_ANGLE)),
    "wide": _Type(("neighbors",), ("eta", "rs", *_ENVELOPE, *_ANGLE)),
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
        entry |= _angle_to_dict(function)
    return entry | _envelope_to_dict(function.envelope)


def function_from_dict(entry: Mapping[str, Any]) -> SymmetryFunction:
    """Build one function from its plain form.

    Raises
    ------
    InputError
        For a missing or unknown key (with the keys that are allowed) and for a value that does not fit.
    """
    name = _checked_type(entry)
    center = _text(entry, "center")
    envelope = _envelope(entry)
    eta, rs = _number(entry, "eta", 0.0), _number(entry, "rs", 0.0)
    if "neighbor" in TYPES[name].required:
        neighbor = _text(entry, "neighbor")
        return Radial(center, None if neighbor == "*" else neighbor, envelope, eta, rs, _number(entry, "kappa", 0.0))
    narrow = name in ("G4", "compact4", "narrow")
    return Angular(center, _pair(entry["neighbors"]), envelope, _angle(entry), eta, rs, narrow)


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
    _checked_type(entry)
    axes = [key for key in GRID_KEYS if _is_grid(key, entry.get(key))]
    for key in axes:
        if not entry[key]:
            raise InputError(f"{key}: the list is empty")
    combinations = itertools.product(*(entry[key] for key in axes))
    return [function_from_dict({**entry, **dict(zip(axes, values, strict=True))}) for values in combinations]


def to_document(functions: Iterable[SymmetryFunction], elements: Iterable[str]) -> dict[str, Any]:
    """Plain form of a whole descriptor, to be stored with what was computed by it."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "elements": list(elements),
        "functions": [function_to_dict(function) for function in functions],
    }


def from_document(document: Mapping[str, Any]) -> tuple[list[str], list[SymmetryFunction]]:
    """Elements and functions of a plain form made by `to_document`.

    Raises
    ------
    InputError
        If it is not such a document, is of a later version, or holds a function that does not fit.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise InputError(f"not a definition of symmetry functions: expected 'format' to be {FORMAT!r}")
    if document.get("version") != VERSION:
        raise InputError(
            f"definition of symmetry functions: expected version {VERSION}, found {document.get('version')!r}"
        )
    entries = document.get("functions")
    if not isinstance(entries, list):
        raise InputError("definition of symmetry functions: expected a list under 'functions'")
    functions = []
    for number, entry in enumerate(entries, start=1):
        try:
            functions.append(function_from_dict(entry))
        except InputError as error:
            raise InputError(f"function {number}: {error}") from error
    return checked_elements(document.get("elements")), functions


def checked_elements(elements: Any) -> list[str]:
    """Chemical symbols sorted by atomic number.

    Raises
    ------
    InputError
        If it is not a list of different chemical symbols, or empty.
    """
    if isinstance(elements, str) or not isinstance(elements, Iterable):
        raise InputError(f"elements: expected a list of chemical symbols, found {elements!r}")
    symbols = list(elements)
    for symbol in symbols:
        if not isinstance(symbol, str):
            raise InputError(f"elements: expected chemical symbols, found {symbol!r}")
        atomic_number(symbol)
    if not symbols or len(set(symbols)) < len(symbols):
        raise InputError(f"elements: expected at least one, each once, found {symbols}")
    return sorted(symbols, key=atomic_number)


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


def _envelope_to_dict(envelope: Envelope) -> dict[str, Any]:
    if isinstance(envelope, Compact):
        entry: dict[str, Any] = {"left": float(envelope.left), "right": float(envelope.right)}
        entry["shape"] = envelope.kind
        return entry | ({"asymmetric": True} if envelope.asymmetric else {})
    entry = {"cutoff": float(envelope.radius), "cutoff_type": envelope.kind}
    return entry | ({"alpha": float(envelope.alpha)} if envelope.alpha else {})


def _angle_to_dict(function: Angular) -> dict[str, Any]:
    angle = function.angle
    if isinstance(angle, Power):
        return {"zeta": float(angle.zeta), "lambda": float(angle.lam)}
    return {"angle": [float(angle.left), float(angle.right)], "angle_shape": angle.kind}


def _checked_type(entry: Mapping[str, Any]) -> str:
    if not isinstance(entry, Mapping):
        raise InputError(f"expected a table of keys and values, found {entry!r}")
    name = entry.get("type")
    if not isinstance(name, str) or name not in TYPES:
        found = f"found {name!r}" if "type" in entry else "but there is no 'type'"
        raise InputError(f"type: expected one of {', '.join(TYPES)}, {found}")
    required = ("center", *TYPES[name].required)
    allowed = (*required, *TYPES[name].optional)
    for key in entry:
        if key != "type" and key not in allowed:
            raise InputError(f"unknown key {key!r}, {name} takes {', '.join(allowed)}")
    for key in required:
        if key not in entry:
            raise InputError(f"{name} needs the key {key!r}")
    return name


def _envelope(entry: Mapping[str, Any]) -> Envelope:
    by_cutoff = [key for key in ("cutoff", *_CUTOFF) if key in entry]
    by_edges = [key for key in ("left", "right", *_COMPACT) if key in entry]
    if by_cutoff and by_edges:
        raise InputError(f"{by_cutoff[0]!r} and {by_edges[0]!r} exclude each other")
    if by_edges:
        asymmetric = entry.get("asymmetric", False)
        if not isinstance(asymmetric, bool):
            raise InputError(f"asymmetric: expected true or false, found {asymmetric!r}")
        return Compact(_number(entry, "left"), _number(entry, "right"), _text(entry, "shape", "poly2"), asymmetric)
    return Cutoff(_number(entry, "cutoff"), _text(entry, "cutoff_type", "cosine"), _number(entry, "alpha", 0.0))


def _angle(entry: Mapping[str, Any]) -> Power | Window:
    by_power = [key for key in ("zeta", "lambda") if key in entry]
    by_window = [key for key in ("angle", "angle_shape") if key in entry]
    if by_power and by_window:
        raise InputError(f"{by_power[0]!r} and {by_window[0]!r} exclude each other")
    if by_power:
        return Power(_number(entry, "zeta"), _number(entry, "lambda"))
    edges = entry.get("angle")
    if not isinstance(edges, list | tuple) or len(edges) != 2:
        raise InputError(f"angle: expected two edges in degrees, found {edges!r}")
    left, right = (_number({"angle": edge}, "angle") for edge in edges)
    return Window(left, right, _text(entry, "angle_shape", _text(entry, "shape", "poly2")))


def _pair(neighbors: Any) -> tuple[str, str] | None:
    if neighbors == "*":
        return None
    if (
        not isinstance(neighbors, list | tuple)
        or len(neighbors) != 2
        or not all(isinstance(symbol, str) for symbol in neighbors)
    ):
        raise InputError(f"neighbors: expected two chemical symbols or '*', found {neighbors!r}")
    return neighbors[0], neighbors[1]


def _is_grid(key: str, value: Any) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return key != "neighbors" or not all(isinstance(item, str) for item in value) or not value


def _text(entry: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise InputError(f"{key}: expected a text, found {value!r}")
    return value


def _number(entry: Mapping[str, Any], key: str, default: float | None = None) -> float:
    value = entry.get(key, default)
    if value is None:
        raise InputError(f"the key {key!r} is missing")
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{key}: expected a number, found {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{key}: {value!r} is too large") from None

"""Values of plain dictionaries: checked readers and writers of elements, factors, texts and numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.symmetry.factors import Compact, Cutoff, Envelope, Power, Window
from fastsf.symmetry.kinds import COMPACT_KEYS, CUTOFF_KEYS, FunctionKind


def checked_elements(elements: Any) -> list[str]:
    """Return chemical symbols sorted by atomic number.

    Raises
    ------
    InputError
        If `elements` is not a list of different chemical symbols, or is empty.
    """
    if isinstance(elements, str) or not isinstance(elements, Iterable):
        raise InputError(f"elements: expected a list of chemical symbols, found {elements!r}")
    symbols = list(elements)
    for symbol in symbols:
        if not isinstance(symbol, str):
            raise InputError(f"elements: expected chemical symbols, found {symbol!r}")
        atomic_number(symbol)
    if not symbols or len(set(symbols)) < len(symbols):
        raise InputError(f"elements: expected at least one element, each once; found {' '.join(symbols) or 'none'}")
    return sorted(symbols, key=atomic_number)


def checked_type(entry: Any, kinds: Mapping[str, FunctionKind]) -> str:
    """Check that the keys of a plain form are those of its type, and return the type.

    Raises
    ------
    InputError
        For an unknown type, and for missing or unknown keys.
    """
    if not isinstance(entry, Mapping):
        raise InputError(f"expected a table of keys and values, found {entry!r}")
    name = entry.get("type")
    if not isinstance(name, str) or name not in kinds:
        found = f"found {name!r}" if "type" in entry else "but there is no 'type'"
        raise InputError(f"type: expected one of {', '.join(kinds)}, {found}")
    required, allowed = kinds[name].required, kinds[name].keys
    for key in entry:
        if key != "type" and key not in allowed:
            raise InputError(f"unknown key {key!r}, {name} takes {', '.join(allowed)}")
    for key in required:
        if key not in entry:
            raise InputError(f"{name} needs the key {key!r}")
    return name


def combinations(entry: Mapping[str, Any], keys: Iterable[str], pairs: Iterable[str]) -> list[dict[str, Any]]:
    """Return the plain forms for which one with lists stands.

    Parameters
    ----------
    entry : mapping
        Plain form with lists.
    keys : iterable of str
        Keys whose lists mean several functions; the last one runs fastest.
    pairs : iterable of str
        Those keys of which two symbols are one value, and a list of such lists means several.

    Raises
    ------
    InputError
        For an empty list.
    """
    axes = [key for key in keys if _is_grid(entry.get(key), key in pairs)]
    for key in axes:
        if not entry[key]:
            raise InputError(f"{key}: the list is empty")
    grid = itertools.product(*(entry[key] for key in axes))
    return [{**entry, **dict(zip(axes, values, strict=True))} for values in grid]


def _is_grid(value: Any, is_pair: bool) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return not is_pair or not all(isinstance(item, str) for item in value) or not value


def envelope_to_dict(envelope: Envelope) -> dict[str, Any]:
    """Return the keys of an envelope."""
    if isinstance(envelope, Compact):
        entry: dict[str, Any] = {"left": float(envelope.left), "right": float(envelope.right)}
        entry["shape"] = envelope.kind
        return entry | ({"asymmetric": True} if envelope.asymmetric else {})
    entry = {"cutoff": float(envelope.radius), "cutoff_type": envelope.kind}
    return entry | ({"alpha": float(envelope.alpha)} if envelope.alpha else {})


def angle_to_dict(angle: Power | Window) -> dict[str, Any]:
    """Return the keys of a factor of the angle."""
    if isinstance(angle, Power):
        return {"zeta": float(angle.zeta), "lambda": float(angle.lam)}
    return {"angle": [float(angle.left), float(angle.right)], "angle_shape": angle.kind}


def read_envelope(entry: Mapping[str, Any]) -> Envelope:
    """Read the envelope of a plain form."""
    by_cutoff = [key for key in ("cutoff", *CUTOFF_KEYS) if key in entry]
    by_edges = [key for key in ("left", "right", *COMPACT_KEYS) if key in entry]
    if by_cutoff and by_edges:
        raise InputError(f"{by_cutoff[0]!r} and {by_edges[0]!r} exclude each other")
    if by_edges:
        asymmetric = entry.get("asymmetric", False)
        if not isinstance(asymmetric, bool):
            raise InputError(f"asymmetric: expected true or false, found {asymmetric!r}")
        return Compact(number(entry, "left"), number(entry, "right"), text(entry, "shape", "poly2"), asymmetric)
    return Cutoff(number(entry, "cutoff"), text(entry, "cutoff_type", "cosine"), number(entry, "alpha", 0.0))


def read_angle(entry: Mapping[str, Any]) -> Power | Window:
    """Read the factor of the angle of a plain form."""
    by_power = [key for key in ("zeta", "lambda") if key in entry]
    by_window = [key for key in ("angle", "angle_shape") if key in entry]
    if by_power and by_window:
        raise InputError(f"{by_power[0]!r} and {by_window[0]!r} exclude each other")
    if by_power:
        return Power(number(entry, "zeta"), number(entry, "lambda"))
    edges = entry.get("angle")
    if not isinstance(edges, list | tuple) or len(edges) != 2:
        raise InputError(f"angle: expected two edges in degrees, found {edges!r}")
    left, right = (number({"angle": edge}, "angle") for edge in edges)
    return Window(left, right, text(entry, "angle_shape", text(entry, "shape", "poly2")))


def read_pair(entry: Mapping[str, Any], key: str, alternative: str = "") -> tuple[str, str]:
    """Return a value that must be two chemical symbols; errors add `alternative`."""
    value = entry[key]
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(isinstance(symbol, str) for symbol in value):
        raise InputError(f"{key}: expected two chemical symbols{alternative}, found {value!r}")
    return value[0], value[1]


def text(entry: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """Return a value that must be a text."""
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise InputError(f"{key}: expected a text, found {value!r}")
    return value


def number(entry: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """Return a value that must be a number; required if there is no default."""
    value = entry.get(key, default)
    if value is None:
        raise InputError(f"the key {key!r} is missing")
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{key}: expected a number, found {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{key}: {value!r} is too large") from None

"""Pair-centred symmetry functions as plain dictionaries, in the manner of `fastsf.symmetry.definition`.

One dictionary is one function::

    {"type": "pair-gaussian", "pair": ["H", "O"], "eta": 4.0, "rs": 1.0, "cutoff": 6}
    {"type": "pair-G3", "pair": ["H", "O"], "neighbor": "O", "eta": 0.1, "pair_eta": 0.1, "cutoff": 6}
    {"type": "pair-G4", "pair": ["O", "O"], "neighbor": "H", "eta": 0.1, "zeta": 4, "lambda": -1, "cutoff": 6}
    {"type": "pair-distance", "pair": ["O", "O"]}

Lengths are in Å, angles in degrees. In place of a cutoff function every type but the last takes the edges of a compact
bump (`left`, `right`, `shape`, `asymmetric`), and pair-G4 a window of the angle (`angle`, `angle_shape`) in place of
`zeta` and `lambda`. In pair-G3, `pair_eta` and `pair_rs` are the `eta` and `rs` if they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastsf.symmetry.entries import (
    ANGLE,
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
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairFunction, PairRadial

DOCUMENT = Document("fastsf-pcsf", 1, "definition of pair functions")

TYPES = {
    "pair-distance": KeysOf(("pair",)),
    "pair-G1": KeysOf(("pair",), ENVELOPE),
    "pair-gaussian": KeysOf(("pair", "eta"), ("rs", *ENVELOPE)),
    "pair-G2": KeysOf(("pair", "neighbor"), ENVELOPE),
    "pair-G3": KeysOf(("pair", "neighbor", "eta"), ("rs", "pair_eta", "pair_rs", *ENVELOPE)),
    "pair-G4": KeysOf(("pair", "neighbor", "eta"), ("rs", "apex", *ENVELOPE, *ANGLE)),
}
"""Keys of each type of function."""

GRID_KEYS = ("pair", "neighbor", "cutoff", "pair_eta", "pair_rs", "eta", "rs", "zeta", "lambda")
"""Keys that may hold a list in `expand_pairs`; the last one runs fastest."""


def pair_function_to_dict(function: PairFunction) -> dict[str, Any]:
    """Plain form of one function; `pair_function_from_dict` gives an equal function back.

    Parameters
    ----------
    function : PairRadial, PairEnvironment or PairAngular
        Any pair-centred function.

    Returns
    -------
    dict
        Texts, numbers and lists only. Zero shifts and plateaus are left out.
    """
    entry: dict[str, Any] = {"type": _type(function), "pair": list(function.elements)}
    if isinstance(function, PairEnvironment | PairAngular):
        entry["neighbor"] = function.neighbor
    entry |= {key: float(value) for key, value in _parameters(function).items()}
    if isinstance(function, PairAngular):
        entry |= {**angle_to_dict(function.angle), "apex": function.apex}
    return entry if function.envelope is None else entry | envelope_to_dict(function.envelope)


def _type(function: PairFunction) -> str:
    if isinstance(function, PairAngular):
        return "pair-G4"
    plain = not any(_exponents_and_shifts(function).values())
    if isinstance(function, PairEnvironment):
        return "pair-G2" if plain else "pair-G3"
    return "pair-distance" if function.envelope is None else "pair-G1" if plain else "pair-gaussian"


def _exponents_and_shifts(function: PairFunction) -> dict[str, float]:
    values = {"eta": function.eta, "rs": function.rs}
    if isinstance(function, PairEnvironment):
        values |= {"pair_eta": function.pair_eta, "pair_rs": function.pair_rs}
    return values


def _parameters(function: PairFunction) -> dict[str, float]:
    """Those that the plain form has."""
    values = _exponents_and_shifts(function)
    needed = {"eta", "pair_eta"} if _type(function) in ("pair-gaussian", "pair-G3", "pair-G4") else set()
    if function.rs:
        needed.add("pair_rs")
    return {key: value for key, value in values.items() if value or key in needed}


def pair_function_from_dict(entry: Mapping[str, Any]) -> PairFunction:
    """Build one function from its plain form.

    Raises
    ------
    InputError
        For a missing or unknown key (with the keys that are allowed) and for a value that does not fit.
    """
    name = checked_type(entry, TYPES)
    pair = read_pair(entry, "pair")
    if name == "pair-distance":
        return PairRadial(pair, None)
    envelope = read_envelope(entry)
    eta, rs = number(entry, "eta", 0.0), number(entry, "rs", 0.0)
    if "neighbor" not in TYPES[name].required:
        return PairRadial(pair, envelope, eta, rs)
    neighbor = text(entry, "neighbor")
    if name == "pair-G4":
        return PairAngular(pair, neighbor, envelope, read_angle(entry), eta, rs, text(entry, "apex", "heavier"))
    own = number(entry, "pair_eta", eta), number(entry, "pair_rs", rs)
    return PairEnvironment(pair, neighbor, envelope, eta, rs, *own)


def expand_pairs(entry: Mapping[str, Any]) -> list[PairFunction]:
    """Build the functions of a plain form in which lists stand for grids.

    Parameters
    ----------
    entry : mapping
        As for `pair_function_from_dict`, where every key of `GRID_KEYS` may also hold a list: the functions are all
        combinations. `pair` then holds a list of pairs.

    Raises
    ------
    InputError
        As `pair_function_from_dict`, and for an empty list.
    """
    checked_type(entry, TYPES)
    return [pair_function_from_dict(one) for one in combinations(entry, GRID_KEYS, pairs="pair")]


def pairs_to_document(functions: Iterable[PairFunction], elements: Iterable[str]) -> dict[str, Any]:
    """Plain form of a whole descriptor, to be stored with what was computed by it."""
    return DOCUMENT.write(elements, map(pair_function_to_dict, functions))


def pairs_from_document(document: Mapping[str, Any]) -> tuple[list[str], list[PairFunction]]:
    """Elements and functions of a plain form made by `pairs_to_document`.

    Raises
    ------
    InputError
        If it is not such a document, is of a later version, or holds a function that does not fit.
    """
    return DOCUMENT.read(document, pair_function_from_dict)

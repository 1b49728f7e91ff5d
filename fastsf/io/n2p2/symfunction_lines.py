"""One line of input.nn that defines a symmetry function, read and written.

The arguments after the keyword, by type (ec: central element, e1 e2: neighbours)::

     2  ec 2 e1 eta rs rc                          20  ec 20 e1 left right subtype
     3  ec 3 e1 e2 eta lambda zeta rc [rs]         21  ec 21 e1 e2 left right angle-left angle-right subtype
     9  ec 9, as 3                                 22  ec 22, as 21
    12  ec 12 eta rs rc                            23  ec 23 left right subtype
    13  ec 13 eta rs lambda zeta rc                24  ec 24 left right angle-left angle-right subtype
                                                   25  ec 25, as 24

Lines of RuNNer may stand for several functions: `element_symfunction_short` leaves out e1 and e2, which means one
function for each neighbour or pair of neighbours; `global_symfunction_short` leaves out ec too.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from typing import Any

from fastsf.errors import FastsfWarning, InputError
from fastsf.io.n2p2.keywords import KeywordLine
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.definition import ATOM_CENTERED
from fastsf.symmetry.factors import CUTOFFS, Compact
from fastsf.symmetry.kinds import PARAMETERS, FunctionKind, RunnerType, line_values, runner_type

SUBTYPES = {core.subtype: name for name, core in CUTOFFS.items() if core.subtype}
"""Kinds of bumps by the last word on lines of types 20 to 25; an 'a' after p1 to p4 means asymmetric."""

_NOUNS = {
    "cutoff": "the cutoff radius",
    "left": "the left edge",
    "right": "the right edge",
    "angle_left": "the left angle",
    "angle_right": "the right angle",
}


def _known_types() -> dict[str, tuple[FunctionKind, RunnerType]]:
    """Return the types of lines by number, each with the kind of functions that takes all of its arguments."""
    found = {}
    for kind in ATOM_CENTERED.kinds.values():
        for known in kind.runner:
            if all(name in kind.keys for name in known.arguments if name in PARAMETERS):
                found[str(known.number)] = kind, known
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


TYPES = _known_types()
"""Types of lines by the word that names them."""


def expand_line(line: KeywordLine, known: Sequence[str]) -> list[KeywordLine]:
    """Return the lines of single functions that a line stands for; other elements are those that the file announces.

    Raises
    ------
    FormatError
        If the element or the type of such a line is unknown.
    """
    if line.keyword == "symfunction_short":
        return [line]
    of_element = line.keyword == "element_symfunction_short"
    if len(line.args) < 1 + of_element:
        expected = "an element and a type" if of_element else "a type"
        raise line.error(f"expected {expected}, found {' '.join(line.args) or 'nothing'}")
    centers = [line.args[0]] if of_element else list(known)
    kind, layout = _type_of(line, int(of_element))
    most = 1 + of_element + len(layout.arguments)
    line.count(most - layout.optional, most)
    parameters = line.args[1 + of_element :]
    return [
        replace(line, args=(center, str(layout.number), *neighbors, *parameters))
        for center in centers
        for neighbors in combinations_with_replacement(known, _neighbors(kind, layout))
    ]


def _type_of(line: KeywordLine, index: int) -> tuple[FunctionKind, RunnerType]:
    if line.args[index] not in TYPES:
        raise line.error(f"unknown type {line.args[index]!r}, expected one of {', '.join(TYPES)}")
    return TYPES[line.args[index]]


def parse_line(line: KeywordLine, known: Sequence[str], cutoff: tuple[str, float]) -> SymmetryFunction:
    """Read a line into a function that counts lengths in the file's unit.

    Parameters
    ----------
    line : KeywordLine
        A symfunction_short line.
    known : sequence of str
        Elements that the file announces.
    cutoff : (str, float)
        FunctionKind and inner plateau of the cutoffs of the file.

    Raises
    ------
    FormatError
        If anything on the line is not what it should be.
    """
    if len(line.args) < 2:
        raise line.error(f"expected a central element and a type, found {' '.join(line.args) or 'nothing'}")
    kind, layout = _type_of(line, 1)
    first = 2 + _neighbors(kind, layout)
    for symbol in (line.args[0], *line.args[2:first]):
        if symbol not in known:
            raise line.error(f"expected one of the elements {' '.join(known)}, found {symbol!r}")
    most = first + len(layout.arguments)
    line.count(most - layout.optional, most)
    entry: dict[str, Any] = {"type": kind.name, "center": line.args[0]}
    species = list(line.args[2:first])
    if kind.form == "radial":
        entry["neighbor"] = species[0] if species else "*"
    else:
        entry["neighbors"] = species or "*"
    for index, name in enumerate(layout.arguments[: len(line.args) - first], start=first):
        entry |= _shape(line, index) if name == "subtype" else {name: line.number(index, _NOUNS.get(name, name))}
    if "cutoff" in entry:
        entry |= {"cutoff_type": cutoff[0], "alpha": cutoff[1]}
    if "angle_left" in entry:
        entry["angle"] = [entry.pop("angle_left"), entry.pop("angle_right")]
    if kind.form != "radial":
        _warn_negative_shift(line, entry.get("rs", 0.0))
    try:
        return ATOM_CENTERED.from_dict(entry)
    except InputError as error:
        raise line.error(str(error)) from error


def _neighbors(kind: FunctionKind, layout: RunnerType) -> int:
    return 0 if layout.weighted else 1 if kind.form == "radial" else 2


def _shape(line: KeywordLine, index: int) -> dict[str, Any]:
    word = line.args[index]
    kind = SUBTYPES.get(word.removesuffix("a"))
    if kind is None or word == "ea":
        raise line.error(f"unknown subtype {word!r}, expected e, p1 to p4 or p1a to p4a")
    return {"shape": kind, "asymmetric": word.endswith("a")}


def _warn_negative_shift(line: KeywordLine, rs: float) -> None:
    if rs < 0:
        warnings.warn(
            f"{line.path}:{line.line}: the negative shift rs = {rs} is used as it is; n2p2 takes 0 instead "
            "in angular functions, unless its symmetry function groups are switched off",
            FastsfWarning,
            stacklevel=2,
        )


def needs_cutoff(line: KeywordLine) -> bool:
    """Return True if a line is of a type that the file's cutoff applies to."""
    return len(line.args) > 1 and line.args[1] in TYPES and "cutoff" in TYPES[line.args[1]][1].arguments


def format_line(function: SymmetryFunction) -> str:
    """Write a function, with the numbers that it holds, as a line.

    Raises
    ------
    InputError
        If there is no such line in these files.
    """
    layout = runner_type(function)
    if layout is None:
        raise InputError(f"no function of RuNNer or n2p2 has the form of {function.label}")
    values = line_values(function)
    numbers = [repr(float(values[name])) for name in layout.arguments if name != "subtype"]
    words = ["symfunction_short", function.center, str(layout.number), *(function.neighbor_elements or ()), *numbers]
    if isinstance(function.envelope, Compact):
        words.append(_subtype(function, function.envelope))
    return " ".join(words)


def _subtype(function: SymmetryFunction, envelope: Compact) -> str:
    if envelope.asymmetric and envelope.kind == "exp":
        raise InputError(f"n2p2 has no asymmetric exp shape, but this function has: {function.label}")
    if getattr(getattr(function, "angle", None), "kind", envelope.kind) != envelope.kind:
        raise InputError(
            f"n2p2 has one shape for distances and angles of a function, but these differ: {function.label}"
        )
    return f"{CUTOFFS[envelope.kind].subtype}{'a' if envelope.asymmetric else ''}"

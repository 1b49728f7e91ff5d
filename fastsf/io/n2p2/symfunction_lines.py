"""One line of input.nn that defines a symmetry function, read and written.

The arguments after the keyword, by type (ec: central element, e1 e2: neighbours)::

     2  ec 2 e1 eta rs rc                          20  ec 20 e1 left right subtype
     3  ec 3 e1 e2 eta lambda zeta rc [rs]         21  ec 21 e1 e2 left right angle-left angle-right subtype
     9  ec 9, as 3                                 22  ec 22, as 21
    12  ec 12 eta rs rc                            23  ec 23 left right subtype
    13  ec 13 eta rs lambda zeta rc                24  ec 24 left right angle-left angle-right subtype
                                                   25  ec 25, as 24
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

from fastsf.errors import FormatError, InputError
from fastsf.io.n2p2.keywords import KeywordLine
from fastsf.symmetry.atoms import Angular, Radial, SymmetryFunction
from fastsf.symmetry.factors import CUTOFFS, Compact, Cutoff, Power, Window
from fastsf.symmetry.sets import runner_type

SUBTYPES = {core.subtype: name for name, core in CUTOFFS.items() if core.subtype}
"""Kinds of bumps by the last word on lines of types 20 to 25; an 'a' after p1 to p4 means asymmetric."""


def parse_line(line: KeywordLine, known: Sequence[str], cutoff: tuple[str, float]) -> SymmetryFunction:
    """Read a line into a function that counts lengths in the file's unit.

    Parameters
    ----------
    line : KeywordLine
        A symfunction_short line.
    known : sequence of str
        The elements that the file announces.
    cutoff : (str, float)
        Kind and inner plateau of the cutoffs of the file.

    Raises
    ------
    FormatError
        If anything on the line is not what it should be.
    """
    if len(line.args) < 2:
        raise line.error(f"expected a central element and a type, found {' '.join(line.args) or 'nothing'}")
    reader = _READERS.get(line.args[1])
    if reader is None:
        raise line.error(f"unknown type {line.args[1]!r}, expected one of {', '.join(_READERS)}")
    for symbol in (line.args[0], *line.args[2 : 2 + _NEIGHBORS.get(line.args[1], 0)]):
        if symbol not in known:
            raise line.error(f"expected one of the elements {' '.join(known)}, found {symbol!r}")
    try:
        return reader(line, cutoff)
    except FormatError:
        raise
    except InputError as error:
        raise line.error(str(error)) from error


def _cutoff(line: KeywordLine, index: int, cutoff: tuple[str, float]) -> Cutoff:
    return Cutoff(line.number(index, "the cutoff radius"), *cutoff)


def _radial(line: KeywordLine, cutoff: tuple[str, float]) -> Radial:
    line.count(6)
    eta, rs = line.number(3, "eta"), line.number(4, "rs")
    return Radial(line.args[0], line.args[2], _cutoff(line, 5, cutoff), eta, rs)


def _weighted_radial(line: KeywordLine, cutoff: tuple[str, float]) -> Radial:
    line.count(5)
    eta, rs = line.number(2, "eta"), line.number(3, "rs")
    return Radial(line.args[0], None, _cutoff(line, 4, cutoff), eta, rs)


def _angular(line: KeywordLine, cutoff: tuple[str, float]) -> Angular:
    line.count(8, 9)
    angle = Power(lam=line.number(5, "lambda"), zeta=line.number(6, "zeta"))
    rs = line.number(8, "rs") if len(line.args) > 8 else 0.0
    _warn_negative_shift(line, rs)
    pair = (line.args[2], line.args[3])
    envelope = _cutoff(line, 7, cutoff)
    return Angular(line.args[0], pair, envelope, angle, line.number(4, "eta"), rs, line.args[1] == "3")


def _weighted_angular(line: KeywordLine, cutoff: tuple[str, float]) -> Angular:
    line.count(7)
    eta, rs = line.number(2, "eta"), line.number(3, "rs")
    angle = Power(lam=line.number(4, "lambda"), zeta=line.number(5, "zeta"))
    _warn_negative_shift(line, rs)
    return Angular(line.args[0], None, _cutoff(line, 6, cutoff), angle, eta, rs, narrow=True)


def _compact_radial(line: KeywordLine, _: tuple[str, float]) -> Radial:
    weighted = line.args[1] == "23"
    line.count(5 if weighted else 6)
    return Radial(line.args[0], None if weighted else line.args[2], _compact(line, 2 if weighted else 3))


def _compact_angular(line: KeywordLine, _: tuple[str, float]) -> Angular:
    weighted = line.args[1] in ("24", "25")
    line.count(7 if weighted else 9)
    start = 2 if weighted else 4
    envelope = _compact(line, start)
    left, right = line.number(start + 2, "the left angle"), line.number(start + 3, "the right angle")
    pair = None if weighted else (line.args[2], line.args[3])
    window = Window(left, right, envelope.kind)
    return Angular(line.args[0], pair, envelope, window, narrow=line.args[1] in ("21", "24"))


def _compact(line: KeywordLine, start: int) -> Compact:
    text = line.args[-1]
    asymmetric = text.endswith("a")
    kind = SUBTYPES.get(text.removesuffix("a"))
    if kind is None or text == "ea":
        raise line.error(f"unknown subtype {text!r}, expected e, p1 to p4 or p1a to p4a")
    left, right = line.number(start, "the left edge"), line.number(start + 1, "the right edge")
    return Compact(left, right, kind, asymmetric)


def _warn_negative_shift(line: KeywordLine, rs: float) -> None:
    if rs < 0:
        warnings.warn(
            f"{line.path}:{line.line}: the negative shift rs = {rs} is used as it is; n2p2 takes 0 instead "
            "in angular functions, unless its symmetry function groups are switched off",
            UserWarning,
            stacklevel=2,
        )


_Reader = Callable[[KeywordLine, tuple[str, float]], SymmetryFunction]
_READERS: dict[str, _Reader] = {
    "2": _radial,
    "3": _angular,
    "9": _angular,
    "12": _weighted_radial,
    "13": _weighted_angular,
    "20": _compact_radial,
    "21": _compact_angular,
    "22": _compact_angular,
    "23": _compact_radial,
    "24": _compact_angular,
    "25": _compact_angular,
}
_NEIGHBORS = {"2": 1, "3": 2, "9": 2, "20": 1, "21": 2, "22": 2}


def needs_cutoff(line: KeywordLine) -> bool:
    """Whether a line is of a type that the file's cutoff applies to."""
    return len(line.args) > 1 and line.args[1] in ("2", "3", "9", "12", "13")


def format_line(function: SymmetryFunction) -> str:
    """Write a function, with the numbers that it holds, as a line.

    Raises
    ------
    InputError
        If there is no such line in these files.
    """
    number = runner_type(function)
    if number is None:
        raise InputError(f"no function of RuNNer or n2p2 has the form of {function.label}")
    species: tuple[str, ...]
    if isinstance(function, Radial):
        species = () if function.neighbor is None else (function.neighbor,)
    else:
        species = function.neighbors or ()
    numbers = " ".join(repr(float(value)) for value in _numbers(function, number))
    words = ["symfunction_short", function.center, str(number), *species, numbers]
    if isinstance(function.envelope, Compact):
        words.append(_subtype(function, function.envelope))
    return " ".join(words)


def _numbers(function: SymmetryFunction, number: int) -> list[float]:
    envelope = function.envelope
    if isinstance(envelope, Compact):
        edges = [envelope.left, envelope.right]
        if isinstance(function, Angular) and isinstance(function.angle, Window):
            edges += [function.angle.left, function.angle.right]
        return edges
    if isinstance(function, Angular) and isinstance(function.angle, Power):
        lam, zeta = function.angle.lam, function.angle.zeta
        if number == 13:
            return [function.eta, function.rs, lam, zeta, envelope.radius]
        return [function.eta, lam, zeta, envelope.radius, function.rs]
    return [function.eta, function.rs, envelope.radius]


def _subtype(function: SymmetryFunction, envelope: Compact) -> str:
    text = CUTOFFS[envelope.kind].subtype or ""
    if envelope.asymmetric and envelope.kind == "exp":
        raise InputError(f"n2p2 has no asymmetric exp shape, but this function has: {function.label}")
    if isinstance(function, Angular) and isinstance(function.angle, Window) and function.angle.kind != envelope.kind:
        raise InputError(
            f"n2p2 has one shape for distances and angles of a function, but these differ: {function.label}"
        )
    return text + ("a" if envelope.asymmetric else "")

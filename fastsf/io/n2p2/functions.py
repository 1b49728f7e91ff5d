"""Symmetry functions of the settings file of RuNNer and n2p2 (input.nn)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from fastsf.errors import FastsfWarning, FormatError, InputError, StorageError
from fastsf.io.n2p2.keywords import KeywordLine, Keywords, read_keywords
from fastsf.io.n2p2.runner2 import is_runner2, runner2_functions
from fastsf.io.n2p2.symfunction_lines import expand_line, format_line, needs_cutoff, parse_line
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.entries import checked_elements
from fastsf.symmetry.factors import CUTOFFS, Cutoff
from fastsf.symmetry.sets import column_order, elements_of, scale_lengths
from fastsf.units import length_factor

CUTOFF_TYPES = {core.number: name for name, core in CUTOFFS.items()}
"""Names of cutoff functions by the number of `cutoff_type`."""

_DEFAULT_CUTOFF = "cosine"
_FUNCTION_KEYWORDS = ("symfunction_short", "element_symfunction_short", "global_symfunction_short")
_WITHOUT_PLATEAU = 2, 3
"""Cutoff types that jump at the inner cutoff in RuNNer; n2p2 ignores it."""


def read_functions(path: str | Path, length_unit: str = "Angstrom") -> tuple[list[str], list[SymmetryFunction]]:
    """Read the elements and the symmetry functions of an input.nn.

    Parameters
    ----------
    path : path-like
        The settings file; keywords that do not concern symmetry functions are ignored.
    length_unit : str
        Unit of the lengths in the file, which does not name it: "Angstrom", "Bohr", ...

    Returns
    -------
    elements : list of str
        Sorted by atomic number.
    functions : list of Radial or Angular
        Element by element in the order in which n2p2 numbers them, in Å.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If a line is not what it should be; names file and line.
    InputError
        If the unit is unknown.

    Warns
    -----
    UserWarning
        If n2p2 deviates from the formula by default (rs < 0 in angular functions), and if
        `cutoff_type` is missing but needed.
    """
    factor = length_factor(length_unit)
    keywords = read_keywords(path)
    return elements(keywords), functions(keywords, factor)


def elements(keywords: Keywords) -> list[str]:
    """Return the elements of a settings file, sorted by atomic number.

    Raises
    ------
    FormatError
        If they are missing, or their number differs from `number_of_elements`.
    """
    entry = keywords.get("elements")
    if entry is None:
        raise FormatError("the keyword 'elements' is missing", keywords.path)
    try:
        symbols = checked_elements(entry.args)
    except InputError as error:
        raise entry.error(str(error)) from error
    number = keywords.get("number_of_elements")
    if number is not None:
        number.count(1)
        if number.integer(0, "the number of elements") != len(symbols):
            raise number.error(f"expected {number.args[0]} elements, found {' '.join(symbols)}")
    return symbols


def functions(keywords: Keywords, factor: float) -> list[SymmetryFunction]:
    """Return the symmetry functions of a settings file in n2p2's order.

    Parameters
    ----------
    keywords : Keywords
        The file.
    factor : float
        Å per unit of length of the file.

    Raises
    ------
    FormatError
        If a line is not what it should be, or there is none.
    """
    known = elements(keywords)
    if is_runner2(keywords):
        read = runner2_functions(keywords, known)
    else:
        lines = [
            expanded
            for line in keywords.entries
            if line.keyword in _FUNCTION_KEYWORDS
            for expanded in expand_line(line, known)
        ]
        if not lines:
            raise FormatError("no symmetry function: expected symfunction_short lines", keywords.path)
        cutoff = _cutoff_kind(keywords, lines)
        read = [parse_line(line, known, cutoff) for line in lines]
    # Sorted by the numbers of the file: conversion could make two of them equal.
    return [scale_lengths(function, factor) for function in sorted(read, key=column_order)]


def _cutoff_kind(keywords: Keywords, lines: Sequence[KeywordLine]) -> tuple[str, float]:
    entry = keywords.get("cutoff_type")
    if entry is None:
        needing = [line for line in lines if needs_cutoff(line)]
        if needing:
            warnings.warn(
                f"{keywords.path}: cutoff_type is missing, but line {needing[0].line} needs it; "
                f"the {_DEFAULT_CUTOFF} cutoff ({CUTOFFS[_DEFAULT_CUTOFF].number}, RuNNer's default) is used",
                FastsfWarning,
                stacklevel=2,
            )
        return _DEFAULT_CUTOFF, _alpha(keywords, CUTOFFS[_DEFAULT_CUTOFF].number)
    entry.count(1, 2)
    number = entry.integer(0, "the cutoff type")
    if number not in CUTOFF_TYPES:
        raise entry.error(f"expected a cutoff type from 0 to {max(CUTOFF_TYPES)}, found {number}")
    kind = CUTOFF_TYPES[number]
    alpha = _alpha(keywords, number)
    return kind, alpha if CUTOFFS[kind].plateau else 0.0


def _alpha(keywords: Keywords, number: int) -> float:
    """Return the inner cutoff: the second word of n2p2's `cutoff_type`, or RuNNer's `cutoff_alpha`."""
    of_n2p2, of_runner = keywords.get("cutoff_type"), keywords.get("cutoff_alpha")
    given = []
    if of_n2p2 is not None and len(of_n2p2.args) > 1:
        given.append((of_n2p2, of_n2p2.number(1, "the inner cutoff alpha")))
    if of_runner is not None:
        of_runner.count(1)
        given.append((of_runner, of_runner.number(0, "the inner cutoff alpha")))
    for entry, alpha in given:
        if not 0 <= alpha < 1:
            raise entry.error(f"expected an inner cutoff alpha in [0, 1), found {alpha}")
        if alpha != given[0][1]:
            raise entry.error(f"expected the inner cutoff of cutoff_type, {given[0][1]:g}, found {alpha:g}")
    alpha = given[0][1] if given else 0.0
    if of_runner is not None and alpha and number in _WITHOUT_PLATEAU:
        raise of_runner.error(
            f"expected no inner cutoff with cutoff_type {number}: RuNNer's cutoff function jumps there, "
            "which is not supported"
        )
    return alpha


def write_functions(
    path: str | Path,
    functions: Iterable[SymmetryFunction],
    elements: Sequence[str] | None = None,
    length_unit: str = "Angstrom",
) -> None:
    """Write symmetry functions as the part of an input.nn that defines them.

    Parameters
    ----------
    path : path-like
        File to write; an existing one is replaced.
    functions : iterable of Radial or Angular
        In any order: n2p2 and `read_functions` sort them.
    elements : sequence of str, optional
        Elements of the potential; by default those that the functions name.
    length_unit : str
        Unit to write lengths in. In Å the file reads back to equal functions, in other units to
        rounding.

    Raises
    ------
    InputError
        If a function has no counterpart in such files, or the cutoff kinds differ: a file has one
        for all.
    StorageError
        If the file cannot be written.
    """
    lines = function_lines(functions, elements, length_unit)
    try:
        Path(path).write_text("\n".join([*lines, ""]), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def function_lines(
    functions: Iterable[SymmetryFunction], elements: Sequence[str] | None = None, length_unit: str = "Angstrom"
) -> list[str]:
    """Return the lines of an input.nn that define symmetry functions; see `write_functions`."""
    written = sorted(functions, key=column_order)
    named = elements_of(written)
    symbols = checked_elements(named if elements is None else elements)
    if not set(named) <= set(symbols):
        raise InputError(f"functions name the elements {' '.join(named)}, expected {' '.join(symbols)} only")
    factor = length_factor(length_unit)
    lines = [format_line(scale_lengths(function, 1 / factor)) for function in written]
    number, alpha = _common_cutoff(written)
    return [
        f"# Symmetry functions in {length_unit} and degrees",
        f"number_of_elements {len(symbols)}",
        f"elements {' '.join(symbols)}",
        f"cutoff_type {number}" + (f" {alpha!r}" if alpha else ""),
        *lines,
    ]


def _common_cutoff(functions: Iterable[SymmetryFunction]) -> tuple[int, float]:
    cutoffs = {
        (function.envelope.kind, float(function.envelope.alpha)): function
        for function in functions
        if isinstance(function.envelope, Cutoff)
    }
    if len(cutoffs) > 1:
        first, second, *_ = cutoffs.values()
        raise InputError(
            "input.nn has one cutoff type and inner cutoff for all functions, but these differ: "
            f"{first.label}; {second.label}"
        )
    kind, alpha = next(iter(cutoffs), (_DEFAULT_CUTOFF, 0.0))
    return CUTOFFS[kind].number, alpha

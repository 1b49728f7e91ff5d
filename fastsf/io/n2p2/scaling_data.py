"""Statistics of symmetry functions in the files of RuNNer and n2p2 (scaling.data).

One line for each function, element by element in the order of the columns::

    element  function  minimum  maximum  mean  [sigma]

Both numbers count from 1. Old files have no sigma, and n2p2 writes nan for an element with one
atom. Files of RuNNer may end with lines of two numbers (a range of energies), which are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from fastsf.errors import FormatError
from fastsf.io.n2p2.keywords import split_words
from fastsf.io.text import check_whole, numbered_lines, parse_float, parse_int
from fastsf.types import FloatArray

_NAMES = ("the minimum", "the maximum", "the mean", "sigma")
_RANGE_OF_ENERGIES = 2
_NAN = re.compile(r"[+-]?nan(?:\(.*\))?", re.IGNORECASE)
"""Spellings of a number that is undefined, in C and Fortran."""


def read_scaling_data(path: str | Path, counts: Mapping[str, int]) -> dict[str, FloatArray]:
    """Read the statistics of all functions.

    Parameters
    ----------
    path : path-like
        The file.
    counts : mapping of str to int
        Number of functions of each element, elements in the order of the file.

    Returns
    -------
    dict of str to (s, 4) float64
        Minimum, maximum, mean and sigma (NaN where the file has none or says nan) of each
        function of an element.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If a line is wrong, or there are fewer or more lines than functions.
    """
    path = Path(path)
    expected = _expected(counts)
    found: dict[str, list[list[float]]] = {symbol: [] for symbol in counts}
    last_words: list[str] = []
    width = trailing = line = 0
    text = ""
    for line, text in numbered_lines(path):
        words = split_words(text)
        if not words:
            continue
        if len(words) == _RANGE_OF_ENERGIES:
            trailing = trailing or line
            continue
        if trailing:
            raise FormatError(f"expected 5 or 6 numbers, found {_RANGE_OF_ENERGIES}", path, trailing)
        function_number = next(expected, None)
        if function_number is None:
            raise FormatError(f"expected {len(last_words)} functions as in input.nn, found more", path, line)
        width = width or len(words)
        _check_number(words, width, function_number, path, line)
        found[function_number[0]].append(_statistics(words, path, line))
        last_words.append(words[-1])
    missing = next(expected, None)
    if missing is not None:
        symbol, element, function = missing
        raise FormatError(
            f"expected {sum(counts.values())} functions as in input.nn, found {len(last_words)}: "
            f"the first missing is number {function} of {symbol} (element {element})",
            path,
        )
    if not trailing:
        check_whole(last_words, text, path, line)
    return {symbol: np.array(rows).reshape(-1, 4) for symbol, rows in found.items()}


def _expected(counts: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    for element, (symbol, count) in enumerate(counts.items(), start=1):
        for function in range(1, count + 1):
            yield symbol, element, function


def _check_number(words: list[str], width: int, expected: tuple[str, int, int], path: Path, line: int) -> None:
    if len(words) not in (5, 6) or len(words) != width:
        numbers = width if width in (5, 6) else "5 or 6"
        raise FormatError(f"expected {numbers} numbers, found {len(words)}", path, line)
    symbol, element, function = expected
    found = tuple(parse_int(word, path, line, "the element and the function") for word in words[:2])
    if found != (element, function):
        raise FormatError(
            f"expected element {element} ({symbol}), function {function}; found element {found[0]}, "
            f"function {found[1]}",
            path,
            line,
        )


def _statistics(words: list[str], path: Path, line: int) -> list[float]:
    undefined = len(words) > 5 and _NAN.fullmatch(words[5])
    known = words[2:5] if undefined else words[2:]
    numbers = [parse_float(word, path, line, what) for word, what in zip(known, _NAMES, strict=False)]
    minimum, maximum, *rest = numbers
    if minimum > maximum:
        raise FormatError(f"expected a minimum up to the maximum, found {minimum} and {maximum}", path, line)
    if len(rest) == 1:
        return [*numbers, float("nan")]
    if rest[1] < 0:
        raise FormatError(f"expected a sigma of at least 0, found {rest[1]}", path, line)
    return numbers


def format_scaling_data(statistics: Mapping[str, FloatArray]) -> str:
    """Return the text of a file with these statistics.

    Parameters
    ----------
    statistics : mapping of str to (s, 4) float64
        As `read_scaling_data` returns them; a column of unknown sigmas (NaN) is omitted.
    """
    columns = 4 if any(np.isfinite(rows[:, 3]).any() for rows in statistics.values()) else 3
    lines = [
        "# Statistics of the symmetry functions over the training set (dimensionless)",
        f"# {'element':>7} {'function':>8} {'minimum':>24} {'maximum':>24} {'mean':>24} {'sigma':>24}",
    ]
    for element, rows in enumerate(statistics.values(), start=1):
        for function, row in enumerate(rows, start=1):
            numbers = " ".join(f"{value:24.16E}" for value in row[:columns])
            lines.append(f"{element:9d} {function:8d} {numbers}")
    return "\n".join([*lines, ""])

"""Weights and biases of a network in the files of RuNNer and n2p2 (weights.ZZZ.data, ZZZ the atomic number).

One number to a line: for each layer the weights from its first input to all of its nodes, from the
second one, ..., then its biases. Only the first column counts. In the files of RuNNer and n2p2,
further columns describe the number (kind, running number, layer and node at both ends). The running
number shows lost lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from fastsf.elements import atomic_number
from fastsf.errors import FormatError
from fastsf.io.n2p2.keywords import split_words
from fastsf.io.text import check_whole, numbered_lines, parse_float
from fastsf.types import FloatArray

_RUNNING_NUMBER = 2
_KINDS = ("a", "b")


def weights_name(symbol: str) -> str:
    """Return the name of the file of an element: weights.008.data for O."""
    return f"weights.{atomic_number(symbol):03d}.data"


def count_parameters(sizes: Sequence[int]) -> int:
    """Return the number of weights and biases of a network with layers of these sizes, inputs first."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))


def read_weights(path: str | Path, sizes: Sequence[int]) -> FloatArray:
    """Read the parameters of a network.

    Parameters
    ----------
    path : path-like
        The file.
    sizes : sequence of int
        Nodes of each layer, inputs first.

    Returns
    -------
    (P,) float64
        In the order of the file, that of `fastsf.potentials.network.Network.parameters`.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If a line does not start with a finite number, running numbers have a gap, or there are
        fewer or more numbers than the layers need.
    """
    path = Path(path)
    first_words: list[str] = []
    numbers: list[float] = []
    before: list[str] = []
    line, text = 0, ""
    for line, text in numbered_lines(path):
        words = split_words(text)
        if words:
            numbers.append(parse_float(words[0], path, line, "a weight or bias"))
            _check_sequence(before, words, path, line)
            first_words.append(words[0])
            before = words
    expected = count_parameters(sizes)
    if len(numbers) != expected:
        layers = "-".join(str(size) for size in sizes)
        raise FormatError(
            f"expected {expected:,} weights and biases for the layers {layers}, found {len(numbers):,}", path
        )
    if len(before) == 1:
        check_whole(first_words, text, path, line)
    return np.array(numbers)


def _check_sequence(before: Sequence[str], words: Sequence[str], path: Path, line: int) -> None:
    """Check that the further columns continue those of the line before."""
    if len(before) > 1 and len(words) == 1:
        raise FormatError(f"expected {len(before)} columns as before, found only {words[0]}", path, line)
    previous, running = _running_number(before), _running_number(words)
    if previous is not None and running != previous + 1:
        found = "none" if running is None else running
        raise FormatError(f"expected the running number {previous + 1} in column 3, found {found}", path, line)


def _running_number(words: Sequence[str]) -> int | None:
    """Return the third column of a line, if the second one is that of RuNNer and n2p2."""
    if len(words) <= _RUNNING_NUMBER or words[1] not in _KINDS:
        return None
    number = words[_RUNNING_NUMBER]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


def format_weights(parameters: FloatArray, sizes: Sequence[int]) -> str:
    """Return the text of a file with these parameters.

    Parameters
    ----------
    parameters : (P,) float64
        As `read_weights` returns them.
    sizes : sequence of int
        Nodes of each layer, inputs first.
    """
    lines = [
        f"# Weights (a) and biases (b) of a network with layers of {' '.join(map(str, sizes))} nodes",
        f"# {'value':>22} kind {'number':>8} layer  node layer  node",
    ]
    connections = _connections(sizes)
    for number, (value, connection) in enumerate(zip(parameters, connections, strict=True), start=1):
        kind, *ends = connection
        lines.append(f"{value:24.16E} {kind:>4} {number:8d} " + " ".join(f"{end:5d}" for end in ends))
    return "\n".join([*lines, ""])


def _connections(sizes: Sequence[int]) -> list[tuple[str, int, int] | tuple[str, int, int, int, int]]:
    """Return kind, and layer and node at both ends (of a bias: its own), of each parameter; layers count from 0."""
    found: list[tuple[str, int, int] | tuple[str, int, int, int, int]] = []
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        found += [("a", layer, j, layer + 1, k) for j in range(1, n_in + 1) for k in range(1, n_out + 1)]
        found += [("b", layer + 1, k) for k in range(1, n_out + 1)]
    return found

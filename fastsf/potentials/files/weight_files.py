"""Files of weights in a folder: weights.ZZZ.data, or those that trainings of RuNNer and n2p2 leave.

Of all elements the same kind of file is taken, the first of:

- ``weights.ZZZ.data``, which predictions read,
- ``optweights.ZZZ.out``, the best epoch of RuNNer,
- ``weights.ZZZ.NNNNNN.out`` of n2p2 or ``NNNNNN.short.ZZZ.out`` of RuNNer, of the last epoch that has all elements.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastsf.elements import atomic_number
from fastsf.errors import FastsfWarning, StorageError
from fastsf.io.n2p2.weights import weights_name

_EPOCHS = ("weights.{number:03d}.{epoch}.out", "{epoch}.short.{number:03d}.out")


def find_weights(folder: Path, elements: Sequence[str]) -> dict[str, Path]:
    """Return the file of weights of each element.

    Returns
    -------
    dict of str to Path
        ``weights.ZZZ.data`` for all elements if no kind of file is complete; some do not exist then.

    Raises
    ------
    StorageError
        If a file is missing whose element has files of another name.

    Warns
    -----
    FastsfWarning
        If files of another name are taken.
    """
    usual = {symbol: folder / weights_name(symbol) for symbol in elements}
    if all(path.exists() for path in usual.values()):
        return usual
    none = not any(path.exists() for path in usual.values())
    for kind, paths in _others(folder, elements):
        if none and all(path.exists() for path in paths.values()):
            names = ", ".join(path.name for path in paths.values())
            warnings.warn(
                f"{folder}: {next(iter(usual.values())).name} is missing; the weights are those of {kind}: {names}",
                FastsfWarning,
                stacklevel=2,
            )
            return paths
    for _, paths in _others(folder, elements):
        for symbol, path in paths.items():
            if path.exists() and not usual[symbol].exists():
                raise StorageError(f"{usual[symbol]}: no such file; to use {path.name}, rename it so")
    return usual


def _others(folder: Path, elements: Sequence[str]) -> Iterator[tuple[str, dict[str, Path]]]:
    numbers = {symbol: atomic_number(symbol) for symbol in elements}
    yield "the best epoch", {symbol: folder / f"optweights.{number:03d}.out" for symbol, number in numbers.items()}
    for form in _EPOCHS:
        for epoch in sorted(_epochs(folder, form), key=int, reverse=True):
            paths = {symbol: folder / form.format(number=number, epoch=epoch) for symbol, number in numbers.items()}
            yield f"epoch {int(epoch)}", paths


def _epochs(folder: Path, form: str) -> set[str]:
    """Return the epochs, as written, of all files with names of a form."""
    name = re.compile(re.escape(form).replace(r"\{number:03d\}", r"\d{3}").replace(r"\{epoch\}", r"(\d+)"), re.ASCII)
    found = (name.fullmatch(path.name) for path in folder.glob("*.out"))
    return {match[1] for match in found if match}

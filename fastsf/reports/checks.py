"""Checks of folders of RuNNer and n2p2."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from fastsf.errors import FastsfError
from fastsf.io.n2p2 import functions as runner
from fastsf.io.n2p2.keyword_words import is_known, meant
from fastsf.io.n2p2.keywords import Keywords, read_keywords
from fastsf.io.n2p2.weights import read_weights, weights_name
from fastsf.potentials.files.cutoff_units import cutoff_notes
from fastsf.potentials.files.folder import (
    SETTINGS,
    STATISTICS,
    check_kind,
    count_functions,
    read_atom_energies,
    read_normalization,
    read_scalings,
)
from fastsf.potentials.files.topology import Topology, read_topologies
from fastsf.potentials.files.weight_files import find_weights
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.atoms import Angular, SymmetryFunction
from fastsf.symmetry.factors import Power
from fastsf.types import FloatArray

T = TypeVar("T")

_NARROW = 1e-7
"""Width of the range of a function below which rounding may be amplified."""
_LARGE = 1e4


@dataclass(frozen=True)
class FolderFinding:
    """An error in a folder, or a remark on it.

    Parameters
    ----------
    wrong : bool
        True for errors, with which the potential cannot be used.
    text : str
        Description, with file and line if known.
    """

    wrong: bool
    text: str


class FolderCheck:
    """Check of a folder, which is read as far as possible.

    Parameters
    ----------
    folder : Path
        Folder with input.nn, scaling.data and weights.
    length_unit : str
        Unit of length of the folder.

    Attributes
    ----------
    keywords : Keywords or None
    elements : list of str
    functions : list of Radial or Angular
        Functions in the unit of the folder.
    topologies : dict of symbol to Topology
    scalings : dict of symbol to Scaling
    findings : list of FolderFinding
    """

    def __init__(self, folder: Path, length_unit: str) -> None:
        self.folder, self.length_unit = folder, length_unit
        self.findings: list[FolderFinding] = []
        self.keywords = self._keywords()
        self.elements: list[str] = []
        self.functions: list[SymmetryFunction] = []
        self.topologies: dict[str, Topology] = {}
        self.scalings: dict[str, Scaling] = {}
        if self.keywords is not None:
            self._read(self.keywords)
            self._look(self.keywords)

    def _keywords(self) -> Keywords | None:
        found: list[Keywords] = self._try(lambda: [read_keywords(self.folder / SETTINGS)], [])
        return found[0] if found else None

    def _try(self, read: Callable[[], T], otherwise: T) -> T:
        """Return the result of a function; its warnings and errors become findings."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                return read()
            except FastsfError as error:
                self.findings.append(FolderFinding(True, str(error)))
                return otherwise
            finally:
                self.findings += [FolderFinding(False, str(warning.message)) for warning in caught]

    def _read(self, keywords: Keywords) -> None:
        self._try(lambda: check_kind(keywords), None)
        self.elements = self._try(lambda: runner.elements(keywords), [])
        if not self.elements:
            return
        nothing: dict[str, float] = {}
        self._try(lambda: read_atom_energies(keywords, self.elements), nothing)
        self._try(lambda: read_normalization(keywords), (0.0, 1.0, 1.0))
        self.functions = self._try(lambda: runner.functions(keywords, 1.0), [])
        if not self.functions:
            return
        none: dict[str, int] = {}
        counts = self._try(lambda: count_functions(keywords, self.elements, self.functions), none)
        if counts:
            self.topologies = self._try(lambda: read_topologies(keywords, counts), {})
            self.scalings = self._try(lambda: read_scalings(keywords, self.folder / STATISTICS, counts), {})
        nowhere: dict[str, Path] = {}
        paths = self._try(lambda: find_weights(self.folder, self.elements), nowhere)
        for symbol, path in paths.items():
            if symbol not in self.topologies:
                continue
            topology = self.topologies[symbol]
            self._note(weight_notes(path, self._try(partial(read_weights, path, topology.sizes), np.ones(1))))

    def _look(self, keywords: Keywords) -> None:
        self._note(unknown_keywords(keywords))
        self._note(settings_notes(keywords, self.elements))
        if self.functions:
            self._note(cutoff_notes(SETTINGS, self.functions, self.length_unit))
            self._note(function_notes(self.functions, self.elements))
        for symbol, scaling in self.scalings.items():
            labels = [function.label for function in self.functions if function.center == symbol]
            self._note(scaling_notes(symbol, scaling, labels))
        self._note(stray_weights(self.folder, self.elements))

    def _note(self, texts: Iterator[str]) -> None:
        self.findings += [FolderFinding(False, text) for text in texts]


# --- settings ---


def unknown_keywords(keywords: Keywords) -> Iterator[str]:
    """Find unknown keywords and known ones that resemble them."""
    for line in keywords.entries:
        if not is_known(line.keyword):
            other = meant(line.keyword)
            text = f"{SETTINGS}:{line.line}: unknown keyword {line.keyword!r} has no effect"
            yield text + (f"; is {other!r} meant?" if other else "")


def settings_notes(keywords: Keywords, elements: Sequence[str]) -> Iterator[str]:
    """Find settings without effect or with an unexpected one."""
    flags = [name for name in ("center_symmetry_functions", "scale_symmetry_functions") if keywords.get(name)]
    sigma = keywords.get("scale_symmetry_functions_sigma")
    if sigma is not None and flags:
        yield f"{SETTINGS}:{sigma.line}: scale_symmetry_functions_sigma has no effect with {' and '.join(flags)}"
    for name in ("scale_min_short", "scale_max_short"):
        line = keywords.get(name)
        if line is not None and "scale_symmetry_functions" not in flags and sigma is None:
            yield f"{SETTINGS}:{line.line}: {name} has no effect: functions are not scaled"
    if not flags and sigma is None:
        yield f"{SETTINGS}: functions are neither scaled nor centred; most potentials do one of them"
    for name in ("nodes", "activation"):
        common = keywords.get(f"global_{name}_short")
        for line in keywords.all(f"element_{name}_short"):
            if common is not None and line.args[-1:] != common.args[-1:]:
                yield (
                    f"{SETTINGS}:{line.line}: the last entry of {line.keyword}, {' '.join(line.args[-1:])}, has no "
                    f"effect; the one of {common.keyword} is used"
                )
    output = keywords.get("global_activation_short")
    if output is not None and output.args and output.args[-1] != "l":
        yield f"{SETTINGS}:{output.line}: the output is not linear ({output.args[-1]}), which limits the energies"
    given = {line.args[0] for line in keywords.all("atom_energy") if line.args}
    missing = [symbol for symbol in elements if symbol not in given]
    if given and missing:
        yield f"{SETTINGS}: atom_energy is given for {', '.join(sorted(given))}, not for {', '.join(missing)}"


# --- functions ---


def function_notes(functions: Sequence[SymmetryFunction], elements: Sequence[str]) -> Iterator[str]:
    """Find repeated functions, functions without forces in n2p2, and elements that no function includes."""
    counts: dict[SymmetryFunction, int] = {}
    for function in functions:
        counts[function] = counts.get(function, 0) + 1
        if isinstance(function, Angular) and isinstance(function.angle, Power) and function.angle.lam == 0:
            yield f"{SETTINGS}: forces of n2p2 are NaN with lambda = 0: {function.label}"
    for function, count in counts.items():
        if count > 1:
            yield f"{SETTINGS}: {count} times the same function: {function.label}"
    for center in elements:
        own = [function for function in functions if function.center == center]
        seen = {symbol for function in own for symbol in _neighbors(function, elements)}
        unseen = [symbol for symbol in elements if symbol not in seen]
        if own and unseen:
            yield f"{SETTINGS}: no function of {center} sees {', '.join(unseen)} neighbours"


def _neighbors(function: SymmetryFunction, elements: Sequence[str]) -> Sequence[str]:
    if isinstance(function, Angular):
        return elements if function.neighbors is None else function.neighbors
    return elements if function.neighbor is None else (function.neighbor,)


# --- numbers ---


def scaling_notes(symbol: str, scaling: Scaling, labels: Sequence[str]) -> Iterator[str]:
    """Find columns that never or hardly changed, and statistics that contradict each other."""
    width = scaling.maximum - scaling.minimum
    slack = 1e-6 * width + 1e-12 * np.abs(scaling.mean)
    away = (scaling.mean < scaling.minimum - slack) | (scaling.mean > scaling.maximum + slack)
    for k, label in enumerate(labels):
        column = f"{STATISTICS}: {symbol} function {k + 1}"
        if width[k] == 0 or scaling.zero_range[k]:
            reason = "minimum = maximum" if width[k] == 0 else "sigma = 0"
            effect = "; n2p2 divides by zero, fastsf ignores the function" if scaling.zero_range[k] else ""
            yield f"{column} never changed in the training set ({reason}){effect}: {label}"
        elif width[k] < _NARROW:
            yield f"{column} changed by {width[k]:.1e} only: {label}"
        if away[k]:
            yield f"{column}: the mean is not between minimum and maximum: {label}"


def weight_notes(path: Path, parameters: FloatArray) -> Iterator[str]:
    """Find weights that look untrained or damaged."""
    if not parameters.any():
        yield f"{path.name}: all weights and biases are zero"
    largest = float(np.abs(parameters).max(initial=0.0))
    if largest > _LARGE:
        yield f"{path.name}: the largest weight or bias is {largest:.2g}"


def stray_weights(folder: Path, elements: Sequence[str]) -> Iterator[str]:
    """Find files of weights that belong to no element."""
    known = {weights_name(symbol) for symbol in elements}
    for path in sorted(folder.glob("weights.*.data")):
        if known and path.name not in known:
            yield f"{path.name}: belongs to none of the elements {', '.join(elements)}"

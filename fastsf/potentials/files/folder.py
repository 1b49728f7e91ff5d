"""Potentials of RuNNer and n2p2: folders with input.nn, scaling.data and weights.ZZZ.data.

Where the two programs or their manuals differ, this module follows n2p2:

- Networks get the functions of an element in the order of n2p2; elements are ordered by atomic number.
- `element_nodes_short` sets all hidden layers except the last, and `element_activation_short` all layers except the
  output: n2p2 ignores the last entry of both and keeps the global setting.
- The energy of an atom is network / conv_energy + mean_energy + atom_energy. `conv_length` changes no energy.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastsf.errors import FastsfWarning, FormatError, InputError, StorageError
from fastsf.io.n2p2 import functions as runner
from fastsf.io.n2p2.keyword_words import meant
from fastsf.io.n2p2.keywords import KeywordLine, Keywords, read_keywords
from fastsf.io.n2p2.runner2 import is_runner2_keyword
from fastsf.io.n2p2.scaling_data import read_scaling_data
from fastsf.io.n2p2.weights import read_weights
from fastsf.io.text import numbered_lines
from fastsf.potentials.files.cutoff_units import warn_of_unit
from fastsf.potentials.files.topology import read_topologies
from fastsf.potentials.files.weight_files import find_weights
from fastsf.potentials.parts import PotentialParts
from fastsf.potentials.scaling import Mode, Scaling
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.sets import scale_lengths
from fastsf.units import energy_factor, length_factor

SETTINGS, STATISTICS = "input.nn", "scaling.data"

_REFUSED = {
    "use_electrostatics": "electrostatic energies are not supported",
    "use_electrostatic_nn": "electrostatic energies are not supported",
    "use_vdw": "dispersion energies are not supported",
    "pairsymfunction_short": "networks of pairs are not supported",
    "element_pairsymfunction_short": "networks of pairs are not supported",
    "global_pairsymfunction_short": "networks of pairs are not supported",
    "node_activation_short": "activation functions of single nodes are not supported",
}
_NORMALIZATION = ("mean_energy", "conv_energy", "conv_length")


def read_potential_folder(
    path: str | Path, length_unit: str | None = None, energy_unit: str | None = None
) -> PotentialParts:
    """Read a potential of RuNNer or n2p2.

    Parameters
    ----------
    path : path-like
        The folder, with ``input.nn``, ``scaling.data`` and one ``weights.ZZZ.data`` per element.
    length_unit, energy_unit : str, optional
        Units of the training, by the names of ASE. Default: those that fastsf wrote into the file, otherwise Å and eV.

    Returns
    -------
    PotentialParts
        In Å and eV.

    Raises
    ------
    StorageError
        If a file is missing or cannot be read.
    FormatError
        If a file is not as expected, with the line, or the kind of potential is not supported.
    InputError
        If a unit is unknown, or differs from the one in the file.

    Warns
    -----
    UserWarning
        As for `fastsf.io.n2p2.functions.read_functions`; for unknown keywords that resemble a known one; for a cutoff
        that looks like one in another unit, if no unit is known; for weights of another name; for functions that are
        ignored because they never changed in the training set.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise StorageError(f"{folder}: expected a folder with {SETTINGS}, {STATISTICS} and weights")
    given = length_unit
    length_unit, energy_unit = choose_units(folder, length_unit, energy_unit)
    length, energy = length_factor(length_unit), energy_factor(energy_unit)
    keywords = read_keywords(folder / SETTINGS)
    _warn_of_misspelt(keywords)
    check_kind(keywords)
    elements, functions = runner.elements(keywords), runner.functions(keywords, 1.0)
    if given is None:
        warn_of_unit(keywords.path, functions, length_unit, written_units(folder)[0])
    counts = count_functions(keywords, elements, functions)
    topologies = read_topologies(keywords, counts)
    scalings = read_scalings(keywords, folder / STATISTICS, counts)
    _warn_of_constant(folder / STATISTICS, scalings)
    weights = find_weights(folder, elements)
    networks = {
        symbol: topology.network(read_weights(weights[symbol], topology.sizes))
        for symbol, topology in topologies.items()
    }
    mean, conv_energy, conv_length = read_normalization(keywords)
    alone = read_atom_energies(keywords, elements)
    return PotentialParts(
        elements,
        [scale_lengths(function, length) for function in functions],
        networks,
        scalings,
        energy / conv_energy,
        {symbol: (mean + alone[symbol]) * energy for symbol in elements},
        conv_length / length,
        {"source": str(folder), "length_unit": length_unit, "energy_unit": energy_unit},
    )


def title(length_unit: str, energy_unit: str) -> str:
    """Return the first line of an input.nn, which contains its units."""
    return f"# Neural network potential written by fastsf; units: {length_unit}, {energy_unit}"


def written_units(folder: Path) -> tuple[str | None, str | None]:
    """Return the units of length and energy that fastsf wrote into a folder, or None twice."""
    _, first = next(numbered_lines(folder / SETTINGS), (0, ""))
    found = re.fullmatch(re.escape(title("U", "U")).replace("U", r"(\S+)"), first.rstrip())
    return (found[1], found[2]) if found else (None, None)


def choose_units(folder: Path, length_unit: str | None, energy_unit: str | None) -> tuple[str, str]:
    """Return the units of a folder: those given, otherwise those in its input.nn, otherwise Å and eV.

    Raises
    ------
    StorageError
        If there is no input.nn.
    InputError
        If given units are unknown, or the file has others.
    """
    written = written_units(folder)
    chosen = []
    for given, own, default, factor in zip(
        (length_unit, energy_unit), written, ("Angstrom", "eV"), (length_factor, energy_factor), strict=True
    ):
        unit = given or own or default
        if own is not None and factor(unit) != factor(own):
            raise InputError(f"{folder / SETTINGS}:1: expected the unit of the file, {own}; found {given}")
        chosen.append(unit)
    return chosen[0], chosen[1]


def _warn_of_misspelt(keywords: Keywords) -> None:
    for line in keywords.entries:
        other = meant(line.keyword)
        if other is not None:
            message = (
                f"{keywords.path}:{line.line}: unknown keyword {line.keyword!r} has no effect; is {other!r} meant?"
            )
            warnings.warn(message, FastsfWarning, stacklevel=3)


def _warn_of_constant(path: Path, scalings: Mapping[str, Scaling]) -> None:
    counts = {symbol: int(scaling.zero_range.sum()) for symbol, scaling in scalings.items()}
    found = ", ".join(f"{count} of {symbol}" for symbol, count in counts.items() if count)
    if found:
        warnings.warn(
            f"{path}: functions that never changed in the training set are ignored ({found}); n2p2 divides by zero",
            FastsfWarning,
            stacklevel=3,
        )


def check_kind(keywords: Keywords) -> None:
    """Check that the potential is short-ranged (second generation).

    Raises
    ------
    FormatError
        For charges, electrostatics and other contributions.
    """
    line = next((line for line in keywords.entries if is_runner2_keyword(line.keyword)), None)
    if line is not None:
        raise line.error(
            "this is a file of RuNNer 2: expected the networks and the scaling of RuNNer 1 or n2p2 (only symmetry "
            f"functions of RuNNer 2 are read: fastsf featurize --functions {SETTINGS})"
        )
    entry = keywords.get("nnp_type")
    if entry is not None:
        entry.count(1)
        if entry.args[0] not in ("2G-HDNNP", "2"):
            raise entry.error(f"expected 2G-HDNNP or 2 (other kinds are not supported), found {entry.args[0]!r}")
    entry = keywords.get("nn_type_short")
    if entry is not None and entry.args[:1] != ("1",):
        raise entry.error("expected 1, networks of atoms (other kinds are not supported)")
    for keyword, reason in _REFUSED.items():
        entry = next(iter(keywords.all(keyword)), None)
        if entry is not None:
            raise entry.error(reason)


def count_functions(
    keywords: Keywords, elements: Sequence[str], functions: Sequence[SymmetryFunction]
) -> dict[str, int]:
    """Count the functions of each element.

    Raises
    ------
    FormatError
        If an element has none.
    """
    counts = dict.fromkeys(elements, 0)
    for function in functions:
        counts[function.center] += 1
    for symbol, count in counts.items():
        if not count:
            raise FormatError(f"expected symmetry functions for all elements, found none for {symbol}", keywords.path)
    return counts


def read_scalings(keywords: Keywords, path: Path, counts: dict[str, int]) -> dict[str, Scaling]:
    """Read the scaling of each element: mode from the settings, statistics from `path`.

    Raises
    ------
    StorageError, FormatError
        As for `fastsf.io.n2p2.scaling_data.read_scaling_data`, and if sigma is needed and missing.
    """
    mode, lowest, highest = read_mode(keywords)
    statistics = read_scaling_data(path, counts)
    try:
        return {symbol: Scaling(mode, lowest, highest, *table.T) for symbol, table in statistics.items()}
    except InputError as error:
        raise FormatError(str(error), path) from error


def read_mode(keywords: Keywords) -> tuple[Mode, float, float]:
    """Read the mode of scaling and the range to scale to.

    Raises
    ------
    FormatError
        If a value is not a number, or the range is empty.
    """
    centred, scaled, by_sigma = (
        _flag(keywords, f"{name}_symmetry_functions{end}")
        for name, end in (("center", ""), ("scale", ""), ("scale", "_sigma"))
    )
    mode: Mode = "scale_center" if centred and scaled else "scale" if scaled else "center" if centred else "none"
    if by_sigma and mode == "none":
        mode = "scale_sigma"
    lowest, highest = _value(keywords, "scale_min_short", 0.0), _value(keywords, "scale_max_short", 1.0)
    entry = keywords.get("scale_max_short") or keywords.get("scale_min_short")
    if entry is not None and lowest >= highest:
        raise entry.error(f"expected a range from lower to higher, found {lowest} to {highest}")
    return mode, lowest, highest


def read_normalization(keywords: Keywords) -> tuple[float, float, float]:
    """Read mean_energy, conv_energy and conv_length: all three, or 0, 1 and 1.

    Raises
    ------
    FormatError
        If only some of them are given, or a factor is not positive.
    """
    entries = [keywords.get(name) for name in _NORMALIZATION]
    present = [entry for entry in entries if entry is not None]
    if not present:
        return 0.0, 1.0, 1.0
    if len(present) < len(entries):
        raise present[0].error(f"expected all of {', '.join(_NORMALIZATION)}, or none")
    mean, *factors = (_value(keywords, name, 0.0) for name in _NORMALIZATION)
    for entry, factor in zip(present[1:], factors, strict=True):
        if factor <= 0:
            raise entry.error(f"expected a positive factor, found {factor}")
    return mean, factors[0], factors[1]


def read_atom_energies(keywords: Keywords, elements: Sequence[str]) -> dict[str, float]:
    """Read the energies of free atoms in the unit of the file; 0 where none is given.

    Raises
    ------
    FormatError
        If an element is unknown, or has two energies.
    """
    lines: dict[str, tuple[KeywordLine, float]] = {}
    for entry in keywords.all("atom_energy"):
        entry.count(2)
        symbol, energy = entry.args[0], entry.number(1, "the energy")
        if symbol not in elements:
            raise entry.error(f"expected one of the elements {' '.join(elements)}, found {symbol!r}")
        first, known = lines.setdefault(symbol, (entry, energy))
        if known != energy:
            raise entry.error(f"{symbol}: expected one energy, found {energy} and, on line {first.line}, {known}")
    return {symbol: lines[symbol][1] if symbol in lines else 0.0 for symbol in elements}


def _flag(keywords: Keywords, name: str) -> bool:
    entry = keywords.get(name)
    if entry is not None:
        entry.count(0)
    return entry is not None


def _value(keywords: Keywords, name: str, default: float) -> float:
    entry = keywords.get(name)
    if entry is None:
        return default
    entry.count(1)
    return entry.number(0, "the value")

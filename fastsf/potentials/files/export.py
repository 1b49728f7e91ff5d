"""Export of potentials as folders for n2p2, LAMMPS (ML-HDNNP), CP2K and CabanaMD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastsf.errors import InputError, StorageError
from fastsf.io.n2p2.functions import function_lines
from fastsf.io.n2p2.scaling_data import format_scaling_data
from fastsf.io.n2p2.weights import format_weights, weights_name
from fastsf.potentials.files.folder import SETTINGS, STATISTICS, title
from fastsf.potentials.files.topology import ACTIVATION_CODES
from fastsf.potentials.network import Network
from fastsf.potentials.parts import PotentialParts
from fastsf.potentials.scaling import Mode, Scaling
from fastsf.storage.atomic import make_folder, write_text
from fastsf.symmetry.atoms import Angular, SymmetryFunction
from fastsf.symmetry.factors import Power
from fastsf.symmetry.sets import column_order, scale_lengths
from fastsf.types import FloatArray, IntArray
from fastsf.units import energy_factor, length_factor

_MODE_KEYWORDS: dict[Mode, tuple[str, ...]] = {
    "none": (),
    "scale": ("scale_symmetry_functions",),
    "center": ("center_symmetry_functions",),
    "scale_center": ("scale_symmetry_functions", "center_symmetry_functions"),
    "scale_sigma": ("scale_symmetry_functions_sigma",),
}
_LETTERS = {name: code for code, name in ACTIVATION_CODES.items()}


def export_folder(
    path: str | Path,
    parts: PotentialParts,
    length_unit: str = "Angstrom",
    energy_unit: str = "eV",
    *,
    overwrite: bool = False,
) -> None:
    """Write ``input.nn``, ``scaling.data`` and ``weights.ZZZ.data`` with 17 significant digits.

    Parameters
    ----------
    path : path-like
        The folder; made if it does not exist.
    parts : PotentialParts
        The potential.
    length_unit, energy_unit : str
        Units to write, by the names of ASE.
    overwrite : bool
        Replace existing files of these names.

    Raises
    ------
    InputError
        If functions, networks or scalings cannot be expressed in these files; then nothing is written.
    StorageError
        If a file exists or cannot be written.
    """
    files = format_folder(parts, length_unit, energy_unit)
    folder = Path(path)
    make_folder(folder)
    present = [name for name in files if (folder / name).exists()]
    if present and not overwrite:
        raise StorageError(
            f"{folder}: {', '.join(present)} would be overwritten; --overwrite (overwrite=True) allows it"
        )
    for name, text in files.items():
        write_text(folder / name, text)


def format_folder(parts: PotentialParts, length_unit: str, energy_unit: str) -> dict[str, str]:
    """Return the texts of the files of a potential by name.

    Raises
    ------
    InputError
        As for `export_folder`.
    """
    _check_functions(parts.functions)
    if parts.pairs is not None or len(parts.networks) < len(parts.elements):
        raise InputError("folders of n2p2 and RuNNer have no energies of pairs; write a model file (--to fastsf)")
    order = _columns(parts, 1 / length_factor(length_unit))
    scalings, networks = parts.scalings, parts.networks
    settings = [
        title(length_unit, energy_unit),
        *function_lines(parts.functions, parts.elements, length_unit),
        *_energy_lines(parts, length_factor(length_unit), energy_factor(energy_unit)),
        *_scaling_lines(scalings),
        *_network_lines(parts.elements, networks),
        "",
    ]
    tables = {symbol: _statistics(scalings[symbol])[order[symbol]] for symbol in parts.elements}
    files = {SETTINGS: "\n".join(settings), STATISTICS: format_scaling_data(tables)}
    for symbol in parts.elements:
        parameters = _sorted_inputs(networks[symbol], order[symbol]).parameters
        files[weights_name(symbol)] = format_weights(parameters, networks[symbol].sizes)
    return files


def _check_functions(functions: Sequence[SymmetryFunction]) -> None:
    for function in functions:
        if isinstance(function, Angular) and isinstance(function.angle, Power):
            if function.angle.lam == 0:
                raise InputError(
                    f"n2p2 has no forces (NaN) for functions with lambda = 0, as this one: {function.label}"
                )
            if function.rs < 0:
                raise InputError(f"n2p2 takes a negative shift for 0 in angular functions, as in: {function.label}")


def _columns(parts: PotentialParts, factor: float) -> dict[str, IntArray]:
    """Return the columns of each element in the order of n2p2."""
    order = {}
    for symbol in parts.elements:
        functions = [function for function in parts.functions if function.center == symbol]
        # First as they are written, then as they are read: conversion of units can make two of them equal.
        written = sorted(range(len(functions)), key=lambda k: column_order(functions[k]))
        read = sorted(written, key=lambda k: column_order(scale_lengths(functions[k], factor)))
        order[symbol] = np.array(read, dtype=np.int64)
    return order


def _statistics(scaling: Scaling) -> FloatArray:
    return np.stack([scaling.minimum, scaling.maximum, scaling.mean, scaling.sigma], axis=1)


def _sorted_inputs(network: Network, order: IntArray) -> Network:
    weights = [network.weights[0][order], *network.weights[1:]]
    return Network(weights, network.biases, network.activations, network.normalize_nodes)


def _energy_lines(parts: PotentialParts, length: float, energy: float) -> list[str]:
    lines = [f"atom_energy {symbol} {_number(parts.offsets[symbol] / energy)}" for symbol in parts.elements]
    conv_energy, conv_length = energy / parts.energy_scale, parts.length_scale * length
    if (conv_energy, conv_length) != (1.0, 1.0):
        lines += [
            "mean_energy 0.0",
            f"conv_energy {_number(conv_energy)}",
            f"conv_length {_number(conv_length)}",
        ]
    return lines


def _scaling_lines(scalings: Mapping[str, Scaling]) -> list[str]:
    ranges = {(scaling.mode, scaling.lowest, scaling.highest) for scaling in scalings.values()}
    if len(ranges) > 1:
        raise InputError("input.nn: expected the same scaling for all elements, found different ones")
    mode, lowest, highest = next(iter(ranges))
    if mode in ("none", "center"):
        return list(_MODE_KEYWORDS[mode])
    if lowest >= highest:
        raise InputError(f"range to scale to: expected a lower and a higher number, found {lowest} and {highest}")
    return [*_MODE_KEYWORDS[mode], f"scale_min_short {_number(lowest)}", f"scale_max_short {_number(highest)}"]


def _number(value: float) -> str:
    return f"{value:.16E}"


# --- networks ---


@dataclass(frozen=True)
class _Layers:
    """Hidden layers and activations of a network."""

    hidden: tuple[int, ...]
    letters: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([*map(str, self.hidden), *self.letters])

    @classmethod
    def of(cls, network: Network) -> _Layers:
        return cls(network.sizes[1:-1], tuple(_LETTERS[name] for name in network.activations))


def _network_lines(elements: Sequence[str], networks: Mapping[str, Network]) -> list[str]:
    layers = {symbol: _Layers.of(networks[symbol]) for symbol in elements}
    normalized = {networks[symbol].normalize_nodes for symbol in elements}
    if len(normalized) > 1:
        raise InputError("input.nn: expected normalize_nodes for all elements or for none, found both")
    for common in layers.values():
        lines = _lines_by_element(common, layers)
        if lines is not None:
            return [*_global_lines(common), *lines, *(["normalize_nodes"] if normalized == {True} else [])]
    found = "; ".join(f"{symbol} {own}" for symbol, own in layers.items())
    raise InputError(
        "these networks cannot be written: n2p2 expects the same number of hidden layers, size of the last one and "
        f"activation of the output for all elements, and other activations for at most one element; found {found}"
    )


def _global_lines(common: _Layers) -> list[str]:
    return [
        f"global_hidden_layers_short {len(common.hidden)}",
        " ".join(["global_nodes_short", *map(str, common.hidden)]),
        " ".join(["global_activation_short", *common.letters]),
    ]


def _lines_by_element(common: _Layers, layers: Mapping[str, _Layers]) -> list[str] | None:
    """Return lines for the elements with other layers; None if they cannot be written."""
    lines = []
    for symbol, own in layers.items():
        if len(own.hidden) != len(common.hidden) or own.hidden[-1:] != common.hidden[-1:]:
            return None
        if own.letters[-1] != common.letters[-1]:
            return None
        if own.hidden != common.hidden:
            lines.append(" ".join(["element_nodes_short", symbol, *map(str, own.hidden)]))
        if own.letters != common.letters:
            lines.append(" ".join(["element_activation_short", symbol, *own.letters]))
    return lines if sum(line.startswith("element_activation") for line in lines) <= 1 else None

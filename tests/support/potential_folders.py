"""Small folder of n2p2, and comparison of potentials."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastsf.io.n2p2.weights import count_parameters, format_weights, weights_name
from fastsf.potentials.potential import Potential

SETTINGS = """\
# A small potential
number_of_elements 2
elements O H
nnp_type 2G-HDNNP
atom_energy H -0.5   ! hartree
atom_energy O -75.0
cutoff_type 1
scale_symmetry_functions
center_symmetry_functions
scale_min_short -1.0
scale_max_short 2.0
global_hidden_layers_short 2
global_nodes_short 3 2
global_activation_short t p l
element_nodes_short O 4 2
element_activation_short H s g l
mean_energy -1.25
conv_energy 4.0
conv_length 2.0
symfunction_short H 2 H 0.5 0.0 6.0
symfunction_short H 2 O 0.5 0.0 6.0
symfunction_short O 2 H 0.25 1.0 6.0
symfunction_short O 3 H H 0.1 -1 2.0 6.0
symfunction_short O 2 O 0.25 1.0 6.0
"""
SCALING = """\
# e sf min max mean sigma
1 1 0.0 2.0 0.5 0.1
1 2 0.5 1.0 0.75 0.1   # comment
2 1 0.0 1.5 1.0 0.2
\t2   2 0.0 2.5D0 1.0 0.2

2 3 -0.0 1.0 0.5 0.3
"""
SIZES = {"H": (2, 3, 2, 1), "O": (3, 4, 2, 1)}


def weights_text(symbol: str, seed: int = 3) -> str:
    rng = np.random.default_rng(seed + len(symbol))
    return format_weights(rng.normal(size=count_parameters(SIZES[symbol])), SIZES[symbol])


def files() -> dict[str, str]:
    texts = {"input.nn": SETTINGS, "scaling.data": SCALING}
    return texts | {weights_name(symbol): weights_text(symbol) for symbol in SIZES}


def write(folder: Path, texts: dict[str, str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (files() if texts is None else texts).items():
        (folder / name).write_bytes(text.encode("utf-8", errors="replace"))
    return folder


def same(first: Potential, second: Potential) -> bool:
    """Return whether all numbers of two potentials are equal in every bit."""
    if first.descriptor.to_dict() != second.descriptor.to_dict() or first.offsets != second.offsets:
        return False
    if (first.energy_scale, first.length_scale) != (second.energy_scale, second.length_scale):
        return False
    for symbol in first.elements:
        a, b = first.networks[symbol], second.networks[symbol]
        if a.sizes != b.sizes or a.activations != b.activations or a.normalize_nodes != b.normalize_nodes:
            return False
        one, other = first.scalings[symbol], second.scalings[symbol]
        if (one.mode, one.lowest, one.highest) != (other.mode, other.lowest, other.highest):
            return False
        names = ("minimum", "maximum", "mean", "sigma")
        pairs = [(a.parameters, b.parameters), *((getattr(one, name), getattr(other, name)) for name in names)]
        if not all(np.array_equal(x, y, equal_nan=True) for x, y in pairs):
            return False
    return True

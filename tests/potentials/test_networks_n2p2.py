"""Networks against energies and gradients of n2p2 for its own symmetry functions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.networks import run

from fastsf.elements import atomic_number
from fastsf.io.n2p2.functions import elements as read_elements
from fastsf.io.n2p2.keywords import Keywords, read_keywords
from fastsf.kernels.networks.feedforward import Networks
from fastsf.potentials.network_packing import pack_networks
from fastsf.potentials.scaling import Scaling
from fastsf.training.objective.initialization import initial_network

LETTERS = {
    "l": "linear",
    "t": "tanh",
    "s": "logistic",
    "p": "softplus",
    "r": "relu",
    "g": "gaussian",
    "c": "cosine",
    "S": "revlogistic",
    "e": "exp",
    "h": "harmonic",
}
MODES = {
    (False, False, False): "none",
    (True, False, False): "scale",
    (False, True, False): "center",
    (True, True, False): "scale_center",
    (False, False, True): "scale_sigma",
}
MODE_KEYWORDS = ("scale_symmetry_functions", "center_symmetry_functions", "scale_symmetry_functions_sigma")
CASES = (
    "LJ",
    "custom_1hidden",
    *(f"custom_act_{code}" for code in ("c", "e", "g", "h", "l", "r", "revlogistic", "s", "t")),
    "custom_exp_ct1",
    "custom_normalize_nodes",
    "custom_output_t",
    *(f"custom_scaling_{mode}" for mode in ("center", "none", "scale", "scalecenter")),
    "potential_H2O_RPBE",
    "predict_Cu2S_PBE",
    "predict_Ethylbenzene_SCAN",
    "predict_H2O_RPBE-D3",
)


def bound(keywords: Keywords, end: str, default: float) -> float:
    line = keywords.get(f"scale_{end}_short")
    return default if line is None else float(line.args[0])


def golden(folder: Path) -> tuple[Networks, list[str], dict[str, np.ndarray]]:
    """Return the networks of a case with one topology for all elements, in its own units."""
    keywords = read_keywords(folder / "input.nn")
    symbols = read_elements(keywords)
    hidden = [int(word) for word in keywords.get("global_nodes_short").args]
    names = [LETTERS[code] for code in keywords.get("global_activation_short").args]
    mode = MODES[tuple(keywords.get(name) is not None for name in MODE_KEYWORDS)]
    bounds = bound(keywords, "min", 0.0), bound(keywords, "max", 1.0)
    table = np.loadtxt(folder / "scaling.data")
    nets, scalings = {}, {}
    for index, symbol in enumerate(symbols, start=1):
        statistics = table[table[:, 0] == index, 2:6]
        scalings[symbol] = Scaling(mode, *bounds, *statistics.T)
        sizes = (len(statistics), *hidden, 1)
        numbers = np.loadtxt(folder / f"weights.{atomic_number(symbol):03d}.data", usecols=0)
        plain = initial_network(sizes, names, normalize_nodes=keywords.get("normalize_nodes") is not None)
        nets[symbol] = plain.with_parameters(numbers)
    features = max(len(one) for one in scalings.values())
    with np.load(folder / "expected.npz") as arrays:
        return pack_networks(symbols, nets, scalings, 1.0, {}, features), symbols, dict(arrays)


@pytest.mark.parametrize("case", CASES)
def test_n2p2s_energies_and_gradients(shared: Path, case: str) -> None:
    packed, symbols, arrays = golden(shared / "reference" / case)
    for prefix in sorted({name[:5] for name in arrays}):
        species = np.array([[atomic_number(symbol) for symbol in symbols].index(z) for z in arrays[prefix + "Z"]])
        values = np.zeros((len(species), packed.center.shape[1]))
        expected = np.zeros_like(values)
        for index, symbol in enumerate(symbols):
            if (species == index).any():
                columns = packed.columns[index]
                values[species == index, :columns] = arrays[f"{prefix}G_raw_{symbol}"]
                slopes = arrays[f"{prefix}dEint_dGscaled_{symbol}"]
                expected[species == index, :columns] = slopes * packed.factor[index, :columns]
        energies, gradient, _ = run(packed, values, species)
        np.testing.assert_allclose(energies, arrays[prefix + "atomic_energy_internal"], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-11 * np.abs(expected).max())

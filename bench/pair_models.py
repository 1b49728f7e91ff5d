"""What bench_pairs.py compares: systems, symmetry functions, networks of a given number of weights, configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np

from fastsf import ACSF, PCSF, Potential
from fastsf.potentials.network import Network
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry import recipes
from fastsf.symmetry.definition import PAIR_CENTERED
from fastsf.symmetry.pcsf_recipes import make_pcsf
from fastsf.training.config.template import toml_value
from fastsf.training.objective.initialization import initial_network

TERMS = {"atoms": ("atoms",), "pairs": ("pairs",), "both": ("atoms", "pairs")}
"""Models, and the sums that each consists of: energies of atoms, of pairs."""


@dataclass(frozen=True)
class System:
    """What is trained on one kind of system.

    Parameters
    ----------
    elements : tuple of str
        By atomic number.
    weights : int
        Of all networks of a model together, biases included.
    epochs : int
        Of each training.
    atoms, pairs : dict
        Recipe ("recipe") and its options.
    absent : tuple of str
        Kinds of pairs that the data do not have.
    """

    elements: tuple[str, ...]
    weights: int
    epochs: int
    atoms: dict[str, Any]
    pairs: dict[str, Any]
    absent: tuple[str, ...] = ()

    def descriptor(self, term: str) -> ACSF | PCSF:
        """Symmetry functions of energies of atoms or of pairs."""
        options = dict(getattr(self, term))
        name = options.pop("recipe")
        if term == "atoms":
            return ACSF(recipes.make(name, self.elements, **options), elements=self.elements)
        functions = make_pcsf(name, self.elements, **options)
        return PCSF([each for each in functions if each.kind not in self.absent], elements=self.elements)

    def inputs(self, term: str) -> dict[str, int]:
        """Number of functions of each element or kind of pairs."""
        columns = self.descriptor(term).columns
        return {name: len(functions) for name, functions in columns.items() if functions}

    def shapes(self, model: str) -> dict[str, tuple[tuple[int, int], int]]:
        """Hidden layers and number of weights of each term of a model."""
        found = {}
        for term in TERMS[model]:
            inputs = self.inputs(term)
            hidden = hidden_layers(inputs, self.weights / len(TERMS[model]))
            found[term] = hidden, sum(count_weights(n, hidden) for n in inputs.values())
        return found


SYSTEMS = {
    "copper": System(
        ("Cu",),
        800,
        60,
        {"recipe": "even-grid", "cutoff": 5.5, "r_min": 1.6, "radial": 9, "angular": 3, "zeta": [1.0, 2.0, 4.0]},
        {"recipe": "pairs", "cutoff": 5.5},
    ),
    "ethanol": System(
        ("H", "C", "O"),
        2000,
        50,
        {"recipe": "even-grid", "cutoff": 6.0, "r_min": 0.6, "radial": 9, "angular": 2, "zeta": [1.0, 4.0]},
        {"recipe": "pairs", "cutoff": 6.0},
        absent=("O-O",),
    ),
}


def count_weights(inputs: int, hidden: tuple[int, ...]) -> int:
    """Weights and biases of one network with one output."""
    return sum((a + 1) * b for a, b in pairwise((inputs, *hidden, 1)))


def hidden_layers(inputs: Mapping[str, int], weights: float) -> tuple[int, int]:
    """Two layers of nearly one size with which networks of so many inputs have about so many weights together."""
    shapes = [(size, size + more) for size, more in product(range(2, 60), (-1, 0, 1))]
    return min(shapes, key=lambda shape: abs(sum(count_weights(n, shape) for n in inputs.values()) - weights))


def configuration(system: System, model: str, train: Path, test: Path) -> str:
    """The TOML file of a training; all models of a system differ in functions and networks only."""
    shapes = system.shapes(model)
    sections: dict[str, dict[str, Any]] = {
        "data": {"train": [str(train)], "validation": 0.1, "test": [str(test)]},
        "functions": system.atoms if "atoms" in shapes else {"recipe": "none"},
        "networks": {"hidden": shapes["atoms"][0]} if "atoms" in shapes else {},
        "pairs": {"hidden": shapes["pairs"][0]} if "pairs" in shapes else {},
        "run": {"epochs": system.epochs, "patience": system.epochs, "minutes": 1e6, "threads": 1},
    }
    lines: list[str] = []
    for name, values in sections.items():
        if values:
            lines += [f"[{name}]", *(f"{key} = {toml_value(value)}" for key, value in values.items()), ""]
    if "pairs" in shapes:
        for function in system.descriptor("pairs").functions:
            values = PAIR_CENTERED.to_dict(function)
            lines += ["[[pair_function]]", *(f"{key} = {toml_value(value)}" for key, value in values.items()), ""]
    return "\n".join(lines)


def random_potential(system: System, model: str) -> Potential:
    """Potential of a model with networks nobody has trained: it takes as long as a trained one."""
    shapes = system.shapes(model)
    made = {term: _random_networks(system.inputs(term), hidden) for term, (hidden, _) in shapes.items()}
    acsf = system.descriptor("atoms") if "atoms" in shapes else ACSF.without_functions(system.elements)
    pairs = PairTerm(system.descriptor("pairs"), *made["pairs"]) if "pairs" in shapes else None
    return Potential(acsf, *made.get("atoms", ({}, {})), pairs=pairs)


def _random_networks(
    inputs: Mapping[str, int], hidden: tuple[int, int]
) -> tuple[dict[str, Network], dict[str, Scaling]]:
    networks = {name: initial_network((n, *hidden, 1), ("tanh", "tanh", "linear")) for name, n in inputs.items()}
    scalings = {}
    for name, n in inputs.items():
        zeros, ones = np.zeros(n), np.ones(n)
        scalings[name] = Scaling("center", 0.0, 1.0, zeros, ones, zeros, ones)
    return networks, scalings

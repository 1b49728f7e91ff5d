"""What the tasks of compiling are made of: a few atoms and pairs, as small as can be."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from fastsf.descriptors.acsf import ACSF
from fastsf.kernels.acsf.tables import Neighbors, Tables
from fastsf.kernels.networks.feedforward import Networks
from fastsf.kernels.sharing import ALONE
from fastsf.potentials.network import Network
from fastsf.potentials.network_packing import pack_networks
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry.atoms import G2, G4
from fastsf.types import FloatArray, IntArray

ATOMS, COLUMNS, PAIRS = 3, 2, 6


class Task(NamedTuple):
    """A part of the work."""

    seconds: float  # about, on one core; only the ratios matter
    call: Callable[[], None]


class Sample(NamedTuple):
    """Atoms of one element, and a model of them."""

    structure: Structure
    tables: Tables
    neighbors: Neighbors
    centers: IntArray
    reverse: IntArray
    network: Network
    scaling: Scaling
    packed: Networks


@cache
def sample() -> Sample:
    """Three atoms, each a neighbour of both others."""
    structure = Structure.from_arrays([[0, 0, 0], [0, 0, 1], [0, 1, 0]], np.zeros((3, 3)), False, [1, 1, 1])
    descriptor = ACSF([G2("H", "H", 1.0, 1.5), G4("H", ("H", "H"), 0.1, 1.0, 1.0, 1.5)])
    i, j = np.repeat(np.arange(ATOMS), 2), np.array([1, 2, 0, 2, 0, 1])
    vectors = structure.positions[j] - structure.positions[i]
    neighbors = Neighbors(np.array([0, 2, 4, 6]), j, vectors, descriptor.species_of(structure.numbers))
    weights = [np.zeros((COLUMNS, 2)), np.zeros((2, 1))]
    network = Network(weights, [np.zeros(2), np.zeros(1)], ("tanh", "linear"))
    low, high = np.zeros(COLUMNS), np.ones(COLUMNS)
    scaling = Scaling("none", 0.0, 1.0, low, high, low, high)
    packed = pack_networks(("H",), {"H": network}, {"H": scaling}, 1.0, {}, COLUMNS)
    reverse = np.array([2, 4, 0, 5, 1, 3])
    return Sample(structure, descriptor.tables, neighbors, np.arange(ATOMS), reverse, network, scaling, packed)


def values_room() -> FloatArray:
    """Zeros in the place of symmetry functions."""
    return np.zeros((ATOMS, COLUMNS))


def atom_rows() -> FloatArray:
    """Zeros in the place of a vector for each atom."""
    return np.zeros((ATOMS, 3))


def pair_gradients() -> tuple[FloatArray, FloatArray]:
    """Zeros in the place of gradients of the pair vectors and their sums."""
    return np.zeros((PAIRS, 3)), np.zeros((ATOMS, 12))


def run_alone(kernel: Callable[..., Any], arguments: tuple[Any, ...], results: tuple[Any, ...], n: int = ATOMS) -> None:
    """Call one of the loops over n items, in this thread."""
    kernel(*arguments, 0, n, ALONE, *results)

"""Compile all kernels ahead of their first use."""

from __future__ import annotations

import time

import numpy as np

from fastsf.descriptor import ACSF
from fastsf.evaluation import Evaluator, Model
from fastsf.kernels import _jit
from fastsf.network import Network
from fastsf.network_packing import pack_networks
from fastsf.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry import G2, G4, SymmetryFunction


def compile_kernels() -> float:
    """Compile every kernel of this installation, or load it where that was done before.

    Compiled kernels are kept on disk (NUMBA_CACHE_DIR, or the user's cache folder), so that later processes start at
    once. Where no such folder can be written, each process compiles what it uses.

    Returns
    -------
    float
        Seconds that it took.
    """
    began = time.perf_counter()
    functions: list[SymmetryFunction] = [G2("H", "H", 1.0, 1.5), G4("H", ("H", "H"), 0.1, 1.0, 1.0, 1.5)]
    water = Structure.from_arrays([[0, 0, 0], [0, 0, 1], [0, 1, 0]], np.zeros((3, 3)), False, [1, 1, 1])
    network = Network.random((2, 2, 1), ("tanh", "linear"), seed=0)
    network.gradient(np.zeros((1, 2)))
    scaling = Scaling("none", 0.0, 1.0, np.zeros(2), np.ones(2), np.zeros(2), np.ones(2))
    packed = pack_networks(("H",), {"H": network}, {"H": scaling}, 1.0, {}, 2)
    for threads in (1, None):
        descriptor = ACSF(functions, threads=threads)
        descriptor.create(water)
        descriptor.create([water, water])
        descriptor.derivatives(water)
        descriptor.vjp(water, np.zeros((3, 2)))
        descriptor.jvp(water, np.zeros((3, 3)))
        Evaluator(Model(descriptor, packed, {"H": scaling}), water, threads=threads).evaluate()
    return time.perf_counter() - began


def cache_folder() -> str | None:
    """Where compiled kernels are kept; None if they cannot be."""
    return None if _jit.CACHE_FOLDER is None else str(_jit.CACHE_FOLDER)

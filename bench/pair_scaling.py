"""Cost of atom- and pair-centred potentials against the number of atoms, for bench_pairs.py."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from pair_models import SYSTEMS, random_potential

from fastsf import neighbor_list
from fastsf.reports.style import make_figure, save_picture

SIZES = {1000: (5, 5, 10), 3200: (8, 10, 10), 10_000: (10, 10, 25), 32_000: (20, 20, 20), 100_000: (25, 25, 40)}
"""Atoms, and how often a cubic cell of copper with four atoms is repeated."""

LATTICE, DISPLACEMENT = 3.61, 0.1  # Å
SKIN, MOVE = 0.3, 1e-3  # Å; neighbours within the cutoff and the skin are kept
STEPS = 3
"""Evaluations in each process, besides the first."""


def crystal(repeats: tuple[int, int, int]) -> Atoms:
    """Copper with displaced atoms."""
    atoms = bulk("Cu", a=LATTICE, cubic=True) * repeats
    atoms.positions += np.random.default_rng(0).normal(0.0, DISPLACEMENT, atoms.positions.shape)
    return atoms


def pairs_per_atom(atoms: int, cutoff: float) -> float:
    """Pairs closer than the cutoff, each counted once."""
    return len(neighbor_list("d", crystal(SIZES[atoms]), cutoff)) / (2 * atoms)


def measure(model: str, atoms: int) -> dict[str, float]:
    """Time of one step and memory for one size, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (model, atoms))


def _measure(model: str, atoms: int) -> dict[str, float]:
    potential = random_potential(SYSTEMS["copper"], model)
    potential.evaluator(crystal((4, 4, 4)), skin=SKIN, threads=1).evaluate()  # loads the kernels
    before = peak_memory()
    structure, rng = crystal(SIZES[atoms]), np.random.default_rng(1)
    moving = potential.evaluator(structure, skin=SKIN, threads=1)
    places = cycle([structure.positions + rng.uniform(-MOVE, MOVE, (atoms, 3)) for _ in range(2)])
    moving.evaluate(next(places))
    times = []
    for _ in range(STEPS):
        place, begin = next(places), perf_counter()
        moving.evaluate(place)
        times.append(perf_counter() - begin)
    return {
        "microseconds": 1e6 * statistics.median(times) / atoms,
        "bytes": (peak_memory() - before) / atoms,
    }


def peak_memory() -> int:
    """Bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def draw(rows: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    """Picture of time and memory per atom: level lines are linear cost."""

    def figure() -> Any:
        picture = make_figure(6.5, 3.0, "Energy and forces of copper, one thread")
        labels = {"microseconds": "µs per atom and step", "bytes": "peak memory, kB per atom"}
        for place, (key, label) in enumerate(labels.items(), 1):
            axes = picture.add_subplot(1, 2, place)
            for model, sizes in rows.items():
                scale = 1e-3 if key == "bytes" else 1.0
                axes.semilogx(
                    list(sizes), [scale * row[key] for row in sizes.values()], "o-", label=f"energies of {model}"
                )
            axes.set(xlabel="atoms", ylabel=label)
            axes.set_ylim(bottom=0.0)
            axes.legend()
        return picture

    save_picture(path, figure)

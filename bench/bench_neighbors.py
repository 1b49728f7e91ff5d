"""Neighbour lists against vesin and matscipy: perturbed fcc copper, cutoff 6 Å, "ijdDS".

    python bench/bench_neighbors.py              table of medians and ratios, the codes taking turns
    python -m pytest bench/bench_neighbors.py    the same cases with pytest-benchmark

Peers run on one thread; vesin without sorting, which is its faster mode (ours is sorted by i as ASE's is).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")  # vesin's default number of threads

import numpy as np
import pytest
import vesin
from ase import Atoms
from ase.build import bulk
from interleave import interleaved
from matscipy.neighbours import neighbour_list

from fastsf.neighbors.neighbor_list import neighbor_list
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure

CUTOFF = 6.0
SIZES = {1_000: (5, 5, 10), 16_384: (16, 16, 16), 131_072: (32, 32, 32)}
ROUNDS = {1_000: 41, 16_384: 15, 131_072: 7}
CODES = ("fastsf", "fastsf, 2 threads", "Pairs", "Pairs, 2 threads", "vesin", "matscipy")


def copper(size: int) -> Atoms:
    """Fcc copper with atoms moved by 0.1 Å (rms along each axis)."""
    atoms = bulk("Cu", cubic=True) * SIZES[size]
    atoms.rattle(0.1, seed=1)
    return atoms


def rebuilt(structure: Structure, threads: int) -> Callable[[], object]:
    """Lists of a moving structure in buffers that are used again; every call finds all pairs anew."""
    positions = (structure.positions, structure.positions + 1e-3)
    pairs = Pairs.build(structure, CUTOFF, threads=threads)
    calls = iter(range(10**9))
    return lambda: pairs.update(positions[next(calls) % 2 - 1])


def candidates(size: int) -> dict[str, Callable[[], object]]:
    """Return the timed calls by name."""
    atoms = copper(size)
    structure = Structure.from_atoms(atoms)
    points, box, periodic = atoms.positions, atoms.cell.array, atoms.pbc
    peer = vesin.NeighborList(cutoff=CUTOFF, full_list=True, sorted=False, n_threads=1)
    return {
        "fastsf": lambda: neighbor_list("ijdDS", atoms, CUTOFF, threads=1),
        "fastsf, 2 threads": lambda: neighbor_list("ijdDS", atoms, CUTOFF, threads=2),
        "Pairs": rebuilt(structure, 1),
        "Pairs, 2 threads": rebuilt(structure, 2),
        "vesin": lambda: peer.compute(points, box, periodic, quantities="ijdDS"),
        "matscipy": lambda: neighbour_list("ijdDS", atoms, CUTOFF),
    }


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("size", SIZES)
def test_neighbor_list(benchmark, size, code):
    benchmark.group = f"{size} atoms"
    benchmark.pedantic(candidates(size)[code], rounds=ROUNDS[size], warmup_rounds=2)


def print_table(size: int, codes: tuple[str, ...]) -> None:
    """Medians of interleaved calls, and how they compare."""
    pairs = len(neighbor_list("i", copper(size), CUTOFF, threads=1))
    chosen = {name: call for name, call in candidates(size).items() if name in codes}
    seconds = interleaved(chosen, ROUNDS[size], warmup=2)
    print(f"\n{size} atoms, {pairs} pairs")
    print(f"{'':20}{'ms':>10}{'µs/atom':>10}{'ns/pair':>10}{'vesin = 1':>11}{'matscipy = 1':>14}")
    for name, time in seconds.items():
        ratios = [seconds.get(peer, np.nan) / time for peer in ("vesin", "matscipy")]
        row = f"{1e3 * time:10.2f}{1e6 * time / size:10.3f}{1e9 * time / pairs:10.1f}"
        print(f"{name:20}{row}{ratios[0]:11.2f}{ratios[1]:14.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--codes", nargs="+", choices=CODES, default=CODES)
    options = parser.parse_args()
    for size in options.sizes:
        print_table(size, tuple(options.codes))


if __name__ == "__main__":
    main()

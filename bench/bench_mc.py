"""Cost of a single-atom move by the number of atoms.

    FASTSF_SHARED=... NUMBA_NUM_THREADS=1 python bench/bench_mc.py prepare     liquid water (START), once
    FASTSF_SHARED=... NUMBA_NUM_THREADS=1 python bench/bench_mc.py             cost of moves and of finding pairs
    FASTSF_SHARED=... NUMBA_NUM_THREADS=1 python bench/bench_mc.py searches    how often pairs are found anew

Water at 300 K (RPBE-D3), repeated along the vectors of its cell: 540 to 54,000 atoms. Sizes take turns, some moves
each time.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.build import molecule
from interleave import interleaved

from fastsf import Potential
from fastsf.mc import Displacement, MonteCarlo

REPEATS = ((1, 1, 1), (1, 1, 2), (2, 2, 2), (3, 3, 3), (4, 5, 5))
GRID, SPACING = (5, 6, 6), 3.104  # molecules; Å, 1 g/cm^3
STEP, NEVER = 0.09, 10**12  # Å; about 40 % are accepted
MOVES, ROUNDS = 60, 25
START = Path("bench_mc_water.xyz")


def potential() -> Potential:
    if "FASTSF_SHARED" not in os.environ:
        raise SystemExit("FASTSF_SHARED must name the folder with the reference potentials")
    return Potential.load(Path(os.environ["FASTSF_SHARED"]) / "reference/predict_H2O_RPBE-D3", "Bohr", "Hartree")


def on_a_grid(rng: np.random.Generator) -> Atoms:
    """Molecules that are turned at random."""
    atoms = Atoms(cell=np.multiply(GRID, SPACING), pbc=True)
    for place in np.argwhere(np.ones(GRID)):
        one = molecule("H2O")
        one.euler_rotate(*rng.uniform(0, 360, 3), center="COM")
        one.positions += place * SPACING
        atoms += one
    return atoms


def prepare(sweeps: int = 60) -> None:
    """Let the liquid forget the grid."""
    atoms = on_a_grid(np.random.default_rng(1))
    engine = MonteCarlo(potential(), atoms, 300.0, [Displacement(STEP)], equilibration=sweeps * len(atoms), seed=2)
    engine.advance(sweeps * len(atoms), NEVER)
    atoms.positions = engine.frame().positions
    ase.io.write(START, atoms, format="extxyz")


def engine_of(repeats: tuple[int, int, int]) -> MonteCarlo:
    atoms = ase.io.read(START).repeat(repeats)
    return MonteCarlo(potential(), atoms, 300.0, [Displacement(STEP)], compare_every=NEVER, seed=3)


def cost() -> None:
    engines = {len(engine.frame().numbers): engine for engine in map(engine_of, REPEATS)}
    moves = {str(n): partial(engine.advance, MOVES, NEVER) for n, engine in engines.items()}
    searches = {f"{n} pairs": partial(search, engine) for n, engine in engines.items() if n < 20_000}
    times = interleaved(moves, ROUNDS) | interleaved(searches, 5)
    print("atoms   µs/move   pairs anew, µs/atom")
    for n in engines:
        anew = times.get(f"{n} pairs", np.nan)
        print(f"{n:6}   {1e6 * times[str(n)] / MOVES:7.0f}   {1e6 * anew / n:6.2f}")


def search(engine: MonteCarlo) -> None:
    sites = engine._walker.sites
    sites.find(engine._walker.chain.positions, sites.cell)


def searches() -> None:
    """Moves from one search to the next; their time is not looked at."""
    for repeats in REPEATS:
        engine, found = engine_of(repeats), []
        n, find = len(engine.frame().numbers), engine._walker.sites.find
        engine._walker.sites.find = lambda *where, find=find, found=found: (found.append(where), find(*where))
        moves = max(30_000, 2 * n)
        engine.advance(moves, NEVER)
        print(f"{n:6} atoms: {len(found)} searches in {moves / n:.1f} moves for each atom", flush=True)


if __name__ == "__main__":
    {"prepare": prepare, "searches": searches}.get(sys.argv[-1], cost)()

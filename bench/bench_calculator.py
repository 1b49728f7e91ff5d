"""Cost that ASE adds to a step: `Calculator` against the bare evaluator, and `fastsf predict` against its kernels.

    python bench/bench_calculator.py           one thread, the candidates taking turns

A water molecule, and the box of bench_acsf.py, with random networks of the published size; every step moves the atoms a
little, less than the skin. Then many silicon cells of 64 atoms from file to file.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.io import read
from bench_acsf import water
from bench_committee import potentials
from bench_featurize import write_cells
from interleave import interleaved

from fastsf import ACSF, Calculator, Potential
from fastsf.prediction.predict import predict
from fastsf.symmetry.recipes import make

SKIN = 0.3  # Å
STEP = 1e-4  # Å
ROUNDS = {"molecule": 2001, "box": 21}


def main() -> None:
    """Print µs per step, and µs per atom from file to file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--atoms", type=int, default=200_000, help="of the file")
    options = parser.parse_args()
    steps(options.threads)
    files(options.threads, options.atoms)


def steps(threads: int) -> None:
    box = water()
    descriptor = ACSF(make("water-rpbe-d3", ["H", "O"]), threads=threads)
    potential = potentials(descriptor, descriptor.create(box), np.array(box.get_chemical_symbols()))[0]
    print(f"µs per step with forces, {threads} thread(s): evaluator, through ASE, difference")
    for name, atoms in (("molecule", molecule("H2O")), ("box", box)):
        times = interleaved(candidates(potential, atoms, threads), ROUNDS[name], warmup=3)
        bare, through = (1e6 * times[kind] for kind in ("evaluator", "ASE"))
        print(f"  {name:8} {len(atoms):5d} atoms {bare:10.1f} {through:10.1f} {through - bare:8.1f}")


def candidates(potential: Potential, atoms: Atoms, threads: int) -> dict[str, partial]:
    evaluator = potential.evaluator(atoms, skin=SKIN, threads=threads)
    positions = atoms.positions.copy()
    atoms.calc = Calculator(potential, skin=SKIN, threads=threads, extrapolation="ignore")
    return {
        "evaluator": partial(move_and, positions, lambda: evaluator.evaluate(positions).forces),
        "ASE": partial(move_and, atoms.positions, atoms.get_forces),
    }


def move_and(positions: np.ndarray, compute) -> np.ndarray:
    positions[0, 0] += STEP if positions[0, 0] % (2 * STEP) < STEP else -STEP
    return compute()


def files(threads: int, n_atoms: int) -> None:
    descriptor = ACSF(make("imbalzano2018", ["Si"], 6.0), threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "cells.xyz", Path(folder) / "predicted.xyz"
        write_cells(path, n_atoms, 2, seed=1)
        few = read(path, ":10")
        values = np.concatenate(descriptor.create(few))
        potential = potentials(descriptor, values, np.array(["Si"] * len(values)))[0]
        predict([path], potential, threads=threads)
        summary = predict([path], potential, output, threads=threads)
        each = 1e6 / summary.atoms
        print(f"fastsf predict, {summary.atoms:,} atoms in {summary.structures:,} structures, µs/atom:")
        print(f"  from file to file {summary.seconds * each:.2f}, of it computing {summary.kernel_seconds * each:.2f}")
        print(f"  {output.stat().st_size / summary.atoms:.0f} bytes per atom written")


if __name__ == "__main__":
    main()

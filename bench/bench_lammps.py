"""Molecular dynamics in LAMMPS with our forces, beside our own evaluation and our own dynamics of the same box.

    FASTSF_SHARED=... python bench/bench_lammps.py                   one rank
    FASTSF_SHARED=... mpirun -n 2 python bench/bench_lammps.py       two

1080 atoms of water (RPBE-D3 potential), 0.5 fs, 300 K, no thermostat. The candidates take turns; each round is some
steps. The first two lines are each rank's own: energies and forces of moved atoms, and dynamics, on one thread.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms
from interleave import interleaved

from fastsf import Potential
from fastsf.io.input_data import iread_input_data
from fastsf.lammps import attach, library
from fastsf.md import NVE, MolecularDynamics, maxwell_boltzmann

QUIET = ["-screen", "none", "-log", "none"]
ROUTES = ("plugin", "external")
KELVIN, SEED = 300, 7
MOVE = 0.003  # Å in a step, about as far as at 300 K


def main() -> None:
    """Print µs per atom and step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20, help="of a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--skin", type=float, default=1.0, help="of LAMMPS's neighbour list, Å")
    options = parser.parse_args()
    potential, atoms = water()
    engine = MolecularDynamics(potential, hot(atoms), NVE(), 0.5, threads=1)
    candidates = {
        "evaluator": partial(evaluate, potential, atoms, options.steps),
        "fastsf md": partial(engine.advance, options.steps, options.steps),
    }
    for route in ROUTES:
        lmp = start(potential, atoms, route, options.skin)
        candidates[f"LAMMPS, {route}"] = partial(lmp.command, f"run {options.steps} pre no post no")
    times = interleaved(candidates, options.rounds)
    if library.world().rank == 0:
        print(f"µs/atom/step on {library.world().size} rank(s), {len(atoms)} atoms, skin {options.skin} Å")
        for name, seconds in times.items():
            print(f"  {name:20}{1e6 * seconds / options.steps / len(atoms):8.2f}")


def water() -> tuple[Potential, Atoms]:
    if "FASTSF_SHARED" not in os.environ:
        raise SystemExit("FASTSF_SHARED must name the folder with the reference potentials")
    shared = Path(os.environ["FASTSF_SHARED"])
    box = next(iread_input_data(shared / "data" / "H2O_1080_liquid.input.data", "Bohr", "Hartree"))
    potential = Potential.load(shared / "reference" / "predict_H2O_RPBE-D3", "Bohr", "Hartree", threads=1)
    return potential, Atoms(box.symbols, positions=box.positions, cell=box.cell, pbc=True)


def hot(atoms: Atoms) -> Atoms:
    moving = atoms.copy()
    maxwell_boltzmann(moving, KELVIN, SEED)
    return moving


def evaluate(potential: Potential, atoms: Atoms, steps: int) -> None:
    """Energies and forces as often as LAMMPS works them out, while the atoms go somewhere."""
    evaluator = potential.evaluator(atoms, skin=0.3, threads=1)
    velocities = np.random.default_rng(SEED).normal(scale=MOVE, size=(len(atoms), 3))
    for step in range(steps):
        evaluator.evaluate(atoms.positions + step * velocities)


def start(potential: Potential, atoms: Atoms, route: str, skin: float):
    """LAMMPS after its first steps."""
    lmp = library.load().lammps(cmdargs=QUIET, comm=library.world())
    lx, ly, lz = atoms.cell.lengths().tolist()
    lines = ["units metal", "atom_style atomic", "atom_modify map array", "boundary p p p"]
    lmp.commands_list([*lines, f"region box block 0 {lx!r} 0 {ly!r} 0 {lz!r}", "create_box 2 box"])
    types = [1 if symbol == "H" else 2 for symbol in atoms.symbols]
    lmp.create_atoms(len(atoms), list(range(1, len(atoms) + 1)), types, atoms.positions.ravel())
    lmp.commands_list(["mass 1 1.008", "mass 2 15.999", f"velocity all create {KELVIN} {SEED} loop all"])
    attach(lmp, potential, ["H", "O"], route=route)
    lmp.commands_list([f"neighbor {skin} bin", "timestep 0.0005", "fix 1 all nve", "run 10 post no"])
    return lmp


if __name__ == "__main__":
    main()

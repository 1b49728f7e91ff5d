"""Small files under the names that the documents use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.build import bulk, molecule

from fastsf import ACSF, G2, G4, Cutoff, Potential
from fastsf.cli.main import main
from fastsf.datasets import examples
from fastsf.datasets.convert import convert_data
from fastsf.datasets.frames import Reading
from fastsf.potentials.convert import convert
from fastsf.potentials.scaling import Scaling
from fastsf.training.objective.initialization import initial_network

CUTOFF = Cutoff(3.0, "poly4")


def water_box(seed: int = 0) -> Atoms:
    """Return eight water molecules in a periodic box."""
    cell = molecule("H2O")
    cell.set_cell(4.0 * np.eye(3))
    cell.pbc = True
    atoms = cell.repeat(2)
    atoms.rattle(0.05, seed=seed)
    return atoms


def alloy() -> Atoms:
    """Return a random crystal of copper and gold."""
    atoms = bulk("Cu", cubic=True, a=3.9).repeat(2)
    atoms.symbols[::2] = "Au"
    return atoms


def potential(elements: str, seed: int) -> Potential:
    """Return a weak potential with random networks, for short runs."""
    symbols = elements.split()
    functions = [G2(one, other, eta, CUTOFF) for one in symbols for other in symbols for eta in (0.1, 1.0)]
    functions += [G4(one, (one, one), 0.05, 1.0, 1.0, CUTOFF) for one in symbols]
    acsf = ACSF(functions)
    networks, scalings = {}, {}
    for number, symbol in enumerate(symbols):
        size = len(acsf.columns[symbol])
        values = np.vstack([np.zeros(size), 10.0 * np.ones(size)])
        scalings[symbol] = Scaling.from_values(values, "scale", 0.0, 1.0)
        networks[symbol] = initial_network((size, 4, 1), ("tanh", "linear"), rng=seed + number)
    return Potential(acsf, networks, scalings, energy_scale=0.01)


def labelled(frames: list[Atoms], by: Potential) -> list[Atoms]:
    """Return copies of structures with the energies and forces of a potential."""
    from ase.calculators.singlepoint import SinglePointCalculator

    found = []
    for atoms in frames:
        result, copy = by.evaluate(atoms), atoms.copy()
        copy.calc = SinglePointCalculator(copy, energy=result.energy, forces=result.forces)
        found.append(copy)
    return found


def prepare(folder: Path) -> None:
    """Write the files, and a short run."""
    model = potential("Au Cu H O", 1)
    model.save(folder / "model.h5")
    (folder / "train-training").mkdir()
    for number in range(4):
        member = potential("Au Cu H O", 1 + number)
        member.save(folder / "train-training" / f"model-{number}.h5")
        member.save(folder / f"seed{number}.h5")
    shutil.copy(folder / "model.h5", folder / "train-training" / "model.h5")
    convert(potential("H O", 1), folder / "water", "n2p2", "Bohr", "Hartree")
    shutil.copy(folder / "water" / "input.nn", folder)
    frames = labelled([water_box(seed) for seed in range(20)], model)
    for name in ("start.xyz", "liquid.xyz", "box.extxyz"):
        ase.io.write(folder / name, frames[0], format="extxyz")
    ase.io.write(folder / "alloy.xyz", alloy(), format="extxyz")
    ase.io.write(folder / "test.extxyz", frames[:5])
    ase.io.write(folder / "new.extxyz", frames[:5])
    ase.io.write(folder / "water.extxyz", frames)
    for name in ("train.extxyz", "data.extxyz"):
        ase.io.write(folder / name, frames)
    for name in ("train", "data"):
        (folder / name).mkdir()
        ase.io.write(folder / name / "first.extxyz", frames[:10])
        ase.io.write(folder / name / "second.extxyz.gz", frames[10:])
    shutil.copy(examples.path("silicon"), folder / "silicon.extxyz.gz")
    convert_data([folder / "new.extxyz"], folder / "input.data", "input.data", Reading(), "Bohr", "Hartree")
    shutil.copy(folder / "input.data", folder / "water.data")
    before = Path.cwd()
    os.chdir(folder)
    words = "md model.h5 start.xyz -o run --steps 400 --trajectory h5md:2:velocities --trajectory extxyz:2 --quiet"
    status = main(words.split())
    status += main(["train", "--init", "train.extxyz", "-o", "train.toml", "--quiet"])
    os.chdir(before)
    assert status == 0
    moving = ase.io.read(folder / "run" / "trajectory.extxyz", ":")
    ase.io.write(folder / "md.traj", moving)
    ase.io.write(folder / "md.extxyz", moving)

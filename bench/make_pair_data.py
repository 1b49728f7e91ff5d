"""Make the data of bench_pairs.py: python bench/make_pair_data.py FOLDER.

The two kinds of system of the paper on pair-centred functions, a small molecule and bulk copper: ethanol by GFN2-xTB,
and copper by the effective medium theory (EMT) of ASE, a simple many-body potential in place of a method of electronic
structure. Test structures come from trajectories, and random numbers, of their own, and some have more atoms than any
to train on. Needs the extra `data` (tblite) and a quarter of an hour on one core; seeds and reproducibility as in
make_data.py.
"""

import os
import sys
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.calculators.emt import EMT
from make_data import Group, ethanol_starts, gfn2, label, rattled, snapshots, write

LATTICE = 3.61  # Å, copper
EXPANSION = 1.7e-5  # 1/K, linear
LIQUID_SCALE = 1.035  # of the lattice constant: 8.0 g/cm^3, copper a little above its melting point
TEST = 77_000
"""Offset of the seeds of test structures from those of training structures."""


def ethanol(shift: int, count: int) -> list[Group]:
    """`count` structures of each trajectory: two conformers at four temperatures."""
    groups = []
    for kelvin in (300, 500, 700, 1000):
        frames = []
        for index, start in enumerate(ethanol_starts()):
            seed = shift + 3 * kelvin + index
            frames += snapshots(start, gfn2, kelvin, count, seed, timestep=0.5, warmup=1000, spacing=160)
        groups.append((f"md-{kelvin}K", frames))
    return groups


def crystal(repeats: int, scale: float = 1.0):
    return bulk("Cu", a=LATTICE * scale, cubic=True) * repeats


def copper_md(start, kelvin, count, seed, warmup=100):
    return snapshots(start, EMT, kelvin, count, seed, timestep=3.0, warmup=warmup, spacing=30)


def copper_at_rest(shift: int, count: int) -> list[Group]:
    """Structures made without dynamics: 5 `count`."""
    rng = np.random.default_rng(1996 + shift)
    volume = [crystal(2, scale) for scale in rng.uniform(0.94, 1.09, count)]
    strained = [rattled(crystal(2), rng, rng.uniform(0.0, 0.10), strain=0.08) for _ in range(2 * count)]
    shaken = [rattled(crystal(2), rng, rng.uniform(0.05, 0.15), strain=0.02) for _ in range(2 * count)]
    return [("volume", volume), ("strained", strained), ("rattled", shaken)]


def copper_moving(shift: int, count: int) -> list[Group]:
    """Structures of dynamics: 4 `count` of the crystal, 2 with a vacancy, 2 of the liquid."""
    groups = []
    for kelvin in (300, 600, 900, 1200):
        start = crystal(2, 1 + EXPANSION * kelvin)
        groups.append((f"md-{kelvin}K", copper_md(start, kelvin, count, shift + kelvin)))
    groups.append(("vacancy-900K", vacancy(2, 2 * count, shift)))
    groups.append(("liquid-1800K", liquid(2, 2 * count, shift)))
    return groups


def vacancy(repeats: int, count: int, shift: int):
    start = crystal(repeats, 1 + EXPANSION * 900)
    del start[0]
    return copper_md(start, 900, count, shift + 5000)


def liquid(repeats: int, count: int, shift: int):
    molten = copper_md(crystal(repeats, LIQUID_SCALE), 5000, 1, shift + 6000, warmup=600)[-1]
    return copper_md(molten, 1800, count, shift + 7000, warmup=600)


def copper(shift: int, count: int) -> list[Group]:
    """13 `count` structures of 31 and 32 atoms; for tests also a few of 107 and 108."""
    groups = [*copper_at_rest(shift, count), *copper_moving(shift, count)]
    if shift == TEST:
        groups += [("vacancy-900K-107", vacancy(3, 5, shift + 1)), ("liquid-1800K-108", liquid(3, 5, shift + 1))]
    return groups


def main(folder):
    os.environ["OMP_NUM_THREADS"] = "1"  # sums over threads would differ in the last digit from run to run
    for name, make, reference, method, train, test in (
        ("copper", copper, EMT, "EMT", 24, 9),
        ("ethanol", ethanol, lambda: gfn2(accuracy=0.01), "GFN2-xTB", 100, 30),
    ):
        for part, shift, count in (("train", 0, train), ("test", TEST, test)):
            groups = make(shift, count)
            frames = [label(atoms, reference, method, group) for group, members in groups for atoms in members]
            write(folder / f"{name}_{part}.extxyz.gz", frames)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

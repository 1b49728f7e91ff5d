"""Symmetry functions of liquid water: fastsf against DScribe on the same functions, and its own costs.

    python bench/bench_acsf.py                 tables, everything on one thread, the codes taking turns
    python bench/bench_acsf.py --wide wide.png cost of wide functions against neighbours and zeta
    python -m pytest bench/bench_acsf.py       the same cases with pytest-benchmark

The water box is made here (1080 atoms at 1 g/cm^3, molecules on a perturbed lattice); with FASTSF_SHARED set the
equilibrated box of the reference data is used, the one that n2p2's figures in docs/performance.md are for.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from dscribe.descriptors import ACSF as DScribeACSF
from interleave import interleaved

from fastsf import ACSF, G1, G2, G4, G5
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure
from fastsf.symmetry.recipes import make

ROUNDS = 11
CUTOFF = 6.35  # Å, 12 Bohr
G2_PARAMETERS = [[eta, 0.0] for eta in (0.003, 0.03, 0.1, 0.2)] + [[eta, 1.0] for eta in (0.5, 1.0, 2.0, 5.0)]
G4_PARAMETERS = [[eta, zeta, lam] for eta in (0.01, 0.1) for zeta in (1, 4) for lam in (1, -1)] + [[0.3, 1, 1]]


def water() -> Atoms:
    """1080 atoms of water."""
    if "FASTSF_SHARED" in os.environ:
        from fastsf.io.input_data import iread_input_data

        path = Path(os.environ["FASTSF_SHARED"]) / "data" / "H2O_1080_liquid.input.data"
        return next(iread_input_data(path, "Bohr", "Hartree"))
    rng = np.random.default_rng(0)
    box = Atoms(cell=[22.1] * 3, pbc=True)
    for place in np.ndindex(8, 8, 6):
        if len(box) == 1080:
            break
        one = molecule("H2O")
        one.euler_rotate(*rng.uniform(0, 360, 3))
        one.translate((np.array(place) + 0.5) * 22.1 / np.array([8, 8, 6]) + rng.normal(0, 0.1, 3))
        box += one
    return box


def dscribe_functions() -> list:
    """The 45 columns of the DScribe descriptor, for both central elements."""
    functions = []
    for center in "HO":
        functions += [G1(center, neighbor, CUTOFF) for neighbor in "HO"]
        functions += [G2(center, other, eta, CUTOFF, rs=rs) for other in "HO" for eta, rs in G2_PARAMETERS]
        pairs = ("H", "H"), ("H", "O"), ("O", "O")
        functions += [G4(center, pair, *parameters, CUTOFF) for pair in pairs for parameters in G4_PARAMETERS]
    return functions


def candidates() -> dict[str, Callable[[], object]]:
    """Return the timed calls by name."""
    atoms = water()
    structure = Structure.from_atoms(atoms)
    peer = DScribeACSF(
        species=["H", "O"], r_cut=CUTOFF, g2_params=G2_PARAMETERS, g4_params=G4_PARAMETERS, periodic=True
    )
    same = ACSF(dscribe_functions(), threads=1)
    published = ACSF(make("water-rpbe-d3", ["H", "O"]), threads=1)
    pairs = Pairs.build(structure, published.cutoff, threads=1)
    centers = np.arange(len(structure))
    return {
        "DScribe, 45 columns": lambda: peer.create(atoms, n_jobs=1),
        "fastsf, 45 columns": lambda: same.create(atoms),
        "fastsf, RPBE-D3 functions": lambda: published._values(pairs, structure.numbers, centers),
        "fastsf, RPBE-D3 with neighbour search": lambda: published.create(atoms),
        "fastsf, RPBE-D3 values and sparse dG/dr": lambda: published._jacobian(pairs, structure.numbers, centers),
    }


CASES = ("DScribe, 45 columns", "fastsf, 45 columns", "fastsf, RPBE-D3 functions")


@pytest.mark.parametrize("name", CASES)
def test_values(benchmark, name):
    benchmark.group = "water, 1080 atoms, one thread"
    benchmark.pedantic(candidates()[name], rounds=3, warmup_rounds=1)


def print_table(rounds: int) -> None:
    """Medians of interleaved calls."""
    chosen = candidates()
    atoms = len(water())
    seconds = interleaved(chosen, rounds)
    peer = seconds["DScribe, 45 columns"]
    print(f"{'water, ' + str(atoms) + ' atoms, one thread':44}{'µs/atom':>10}{'DScribe = 1':>13}")
    for name, time in seconds.items():
        print(f"{name:44}{1e6 * time / atoms:10.2f}{peer / time:13.1f}")


def wide_costs(picture: Path) -> None:
    """Plot the cost of G5 against the number of neighbours and zeta: moments, triplets, and what is chosen."""
    from matplotlib import pyplot as plt

    counts = (10, 20, 40, 70, 100, 150, 200, 300)
    figure, axes = plt.subplots(1, 4, figsize=(15, 4), sharey=True, layout="constrained")
    for axis, zeta in zip(axes, (1, 2, 4, 16), strict=True):
        times = {"triplets": [], "chosen": []}
        for count in counts:
            cluster = ball(count)
            functions = [G5("Si", ("Si", "Si"), 0.01, zeta, lam, 50.0) for lam in (1, -1)]
            direct, chosen = ACSF(functions, threads=1), ACSF(functions, threads=1)
            direct._tables.groups.degree[:] = -1
            seconds = interleaved({"triplets": timed(direct, cluster), "chosen": timed(chosen, cluster)}, 9)
            for name, time in seconds.items():
                times[name].append(1e6 * time / CENTERS)
        for name, row in times.items():
            axis.loglog(counts, row, "o-", label=name)
        axis.set(title=f"zeta = {zeta}", xlabel="neighbours")
        print(
            f"zeta {zeta:2}: triplets / chosen "
            + "  ".join(
                f"{count}: {a / b:.1f}" for count, a, b in zip(counts, times["triplets"], times["chosen"], strict=True)
            )
        )
    axes[0].set_ylabel("µs per centre, values of two functions")
    axes[0].legend()
    figure.savefig(picture, dpi=120)


CENTERS = 200


def ball(count: int) -> Structure:
    """A cluster in which one atom is the centre of `count` others, none closer than 1.5 Å to it."""
    rng = np.random.default_rng(count)
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    positions = directions * rng.uniform(1.5, 20, count)[:, None]
    return Structure.from_arrays(np.vstack([np.zeros(3), positions]), np.zeros((3, 3)), False, [14] * (count + 1))


def timed(descriptor: ACSF, cluster: Structure) -> Callable[[], object]:
    """The values of the central atom, many times over, without the neighbour search."""
    pairs = Pairs.build(cluster, descriptor.cutoff, threads=1)
    centers = np.zeros(CENTERS, dtype=np.int64)
    return lambda: descriptor._values(pairs, cluster.numbers, centers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--wide", type=Path, help="plot the cost of wide functions instead")
    options = parser.parse_args()
    if options.wide:
        wide_costs(options.wide)
    else:
        print_table(options.rounds)


if __name__ == "__main__":
    main()

"""Cost of each further member of a committee, on liquid water with the functions of the RPBE-D3 potential.

    python bench/bench_committee.py            one thread, lists kept, the candidates taking turns

The box is that of bench_acsf.py. Networks are random, of the published size (two layers of 25 nodes).
"""

from __future__ import annotations

import argparse

import numpy as np
from bench_acsf import water
from interleave import interleaved

from fastsf import ACSF
from fastsf.potentials.committee import Committee
from fastsf.potentials.potential import Potential
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry.recipes import make
from fastsf.training.objective.initialization import initial_network

MEMBERS = (1, 2, 4, 8)
ROUNDS = 21


def potentials(descriptor: ACSF, values: np.ndarray, symbols: np.ndarray) -> list[Potential]:
    """As many random potentials as the largest committee needs."""
    scalings = {
        symbol: Scaling.from_values(values[symbols == symbol][:, : len(columns)], "scale_center")
        for symbol, columns in descriptor.columns.items()
    }
    names = ("tanh", "tanh", "linear")
    return [
        Potential(
            descriptor,
            {
                symbol: initial_network((len(scaling), 25, 25, 1), names, rng=seed)
                for symbol, scaling in scalings.items()
            },
            scalings,
            energy_scale=0.1,
        )
        for seed in range(max(MEMBERS))
    ]


def main() -> None:
    """Print µs per atom and step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    atoms = water()
    structure = Structure.from_atoms(atoms)
    descriptor = ACSF(make("water-rpbe-d3", ["H", "O"]), threads=threads)
    members = potentials(descriptor, descriptor.create(atoms), np.array(atoms.get_chemical_symbols()))
    evaluators = {"one potential": members[0].evaluator(structure)}
    evaluators |= {f"{count} members": Committee(members[:count]).evaluator(structure) for count in MEMBERS}
    forces = interleaved({name: one.evaluate for name, one in evaluators.items()}, ROUNDS, warmup=2)
    alone = interleaved(
        {name: lambda one=one: one.evaluate(forces=False) for name, one in evaluators.items()}, ROUNDS, warmup=2
    )
    print(f"{len(atoms)} atoms, {threads} thread(s), µs/atom: energy and forces, energy alone")
    for name in evaluators:
        print(f"  {name:15} {forces[name] / len(atoms) * 1e6:8.2f} {alone[name] / len(atoms) * 1e6:8.2f}")
    first, last = f"{MEMBERS[0]} members", f"{MEMBERS[-1]} members"
    extra = [(times[last] - times[first]) / (MEMBERS[-1] - MEMBERS[0]) for times in (forces, alone)]
    print(f"  per further member {extra[0] / len(atoms) * 1e6:5.2f} {extra[1] / len(atoms) * 1e6:8.2f}")
    share = extra[0] / forces["one potential"]
    print(f"  a further member costs {100 * share:.0f} % of one potential")


if __name__ == "__main__":
    main()

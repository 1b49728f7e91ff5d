"""Potentials with energies of pairs for the named systems, with random networks."""

from __future__ import annotations

import numpy as np

from fastsf.descriptors.pcsf import PCSF
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.potential import Potential
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.factors import Cutoff, Power
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial, PCSFunction, kinds_of
from fastsf.training.objective.initialization import initial_network
from support.potentials import ELEMENTS, random_potential
from support.systems import RADIUS, SYSTEMS

SMOOTH = Cutoff(RADIUS, "poly4")
"""Smooth enough for central differences."""
SHORT = Cutoff(3.0, "poly4")
WITHOUT = "S-S"
"""Kind of pairs that has no functions."""
OFFSETS = {"H": -0.5, "O": -75.0}


def pcsf_functions(distance: bool = True) -> list[PCSFunction]:
    """Return all forms of functions, optionally without the distance; shorter ones for S, none for S-S."""
    chosen: list[PCSFunction] = []
    for kind in kinds_of(ELEMENTS):
        if kind == WITHOUT:
            continue
        pair = tuple(kind.split("-"))
        end = SHORT if "S" in pair else SMOOTH
        chosen += [PairRadial(pair, None if distance else end), PairRadial(pair, end, 0.4, 1.0)]
        chosen += [PairEnvironment(pair, third, end, 0.2, 0.5, 0.1) for third in ELEMENTS]
        chosen.append(PairAngular(pair, "O", end, Power(2.0, 1.0), 0.05))
        chosen.append(PairAngular(pair, "H", end, Power(1.0, -1.0), 0.1, apex="third"))
    return chosen


def random_pair_term(envelope: str = "fc", seed: int = 3, threads: int | None = 1) -> PairTerm:
    """Return a term with the statistics of all named systems."""
    descriptor = PCSF(pcsf_functions(envelope != "shift"), elements=ELEMENTS, threads=threads)
    found: dict[str, list[np.ndarray]] = {kind: [] for kind in descriptor.kinds}
    for make in SYSTEMS.values():
        values, rows = descriptor.create(make()), descriptor.rows(make())
        for k, kind in enumerate(descriptor.kinds):
            found[kind].append(values[rows.kind == k, : len(descriptor.columns[kind])])
    networks, scalings = {}, {}
    for k, (kind, columns) in enumerate(descriptor.columns.items()):
        if columns:
            scalings[kind] = Scaling.from_values(np.concatenate(found[kind]), "scale_center", -1.0, 2.0)
            sizes = (len(columns), 4 + k % 2, 1)
            networks[kind] = initial_network(sizes, ("tanh", "linear"), rng=seed + k)
            parameters = networks[kind].parameters.copy()
            parameters[-1] += 0.7  # far from zero at the cutoff
            networks[kind] = networks[kind].with_parameters(parameters)
    return PairTerm(descriptor, networks, scalings, envelope)


def pair_potential(envelope: str = "fc", seed: int = 3, threads: int | None = 1) -> Potential:
    """Return a potential with only energies of pairs."""
    term = random_pair_term(envelope, seed, threads)
    return Potential(None, {}, {}, energy_scale=0.25, offsets=OFFSETS, metadata={"made": "at random"}, pairs=term)


def mixed_potential(envelope: str = "fc", seed: int = 3, threads: int | None = 1) -> Potential:
    """Return a potential with energies of atoms and of pairs."""
    atoms = random_potential(seed, threads)
    return Potential(
        atoms.descriptor,
        atoms.networks,
        atoms.scalings,
        energy_scale=0.25,
        offsets=OFFSETS,
        pairs=random_pair_term(envelope, seed, threads),
    )

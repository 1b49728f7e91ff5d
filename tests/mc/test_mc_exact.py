"""Averages of Monte Carlo against known distributions: ideal gas, quadrature, enumeration, plain sampling.

Seeds are fixed; margins are five standard errors, those of a chain from the averages of twenty blocks.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from ase import Atoms, units
from scipy.stats import gamma, kstest
from support.potentials import CUTOFF
from support.systems import RADIUS

from fastsf import ACSF, G2, Potential
from fastsf.mc import Displacement, MonteCarlo, Swap, VolumeChange
from fastsf.potentials.evaluation import evaluate_batch
from fastsf.potentials.network import Network
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure

BLOCKS = 20


def pairwise() -> Potential:
    """Return a potential: repulsion at short distances, attraction at 1.75 Å, stronger between different elements."""
    elements = ("H", "O", "S")
    functions = [
        G2(one, other, eta, CUTOFF, rs=rs)
        for one in elements
        for other in elements
        for eta, rs in ((1.0, 0), (2.0, 1.75))
    ]
    acsf = ACSF(functions, threads=1)
    networks, scalings = {}, {}
    for symbol in elements:
        columns = [(f.neighbor, f.rs) for f in acsf.columns[symbol]]
        weights = [2.0 if rs == 0 else -0.15 if other == symbol else -0.2 for other, rs in columns]
        networks[symbol] = Network([np.array(weights)[:, None]], [np.zeros(1)], ("linear",))
        scalings[symbol] = Scaling("none", 0.0, 1.0, *np.zeros((4, len(columns))))
    return Potential(acsf, networks, scalings)


@pytest.fixture(scope="module")
def potential() -> Potential:
    return pairwise()


def nothing() -> Potential:
    """Return a potential that is zero everywhere."""
    network = Network([np.zeros((1, 1))], [np.zeros(1)], ("linear",))
    return Potential(
        ACSF([G2("H", "H", 1.0, CUTOFF)], threads=1),
        {"H": network},
        {"H": Scaling("none", 0.0, 1.0, *np.zeros((4, 1)))},
    )


def rows_of(engine: MonteCarlo, equilibration: int, moves: int, every: int) -> dict[str, np.ndarray]:
    """Return the rows after the equilibration."""
    engine.advance(equilibration, equilibration)
    done = engine.advance(moves, every)
    assert done.halt is None
    return {column.name: done.rows[:, k] for k, column in enumerate(engine.columns)}


def agree(found: np.ndarray, expected: float) -> bool:
    """Check the mean of a chain."""
    means = found[: len(found) // BLOCKS * BLOCKS].reshape(BLOCKS, -1).mean(axis=1)
    return abs(means.mean() - expected) < 5 * means.std(ddof=1) / np.sqrt(BLOCKS)


@pytest.mark.parametrize("axes", [False, True])
def test_volume_of_an_ideal_gas(axes) -> None:
    """P(V) ~ V^n exp(-PV/kT): a gamma distribution."""
    n, temperature, pressure = 6, 300.0, 2000.0
    unit = units.kB * temperature / (pressure * units.bar)
    atoms = Atoms(f"H{n}", np.random.default_rng(1).random((n, 3)), cell=[(n * unit) ** (1 / 3)] * 3, pbc=True)
    moves = [Displacement(0.3), VolumeChange(0.5, axes, weight=40)]
    if axes:
        moves.append(VolumeChange(0.5, weight=6))
    engine = MonteCarlo(nothing(), atoms, temperature, moves, pressure=pressure, skin=0.7, seed=2)
    volumes = rows_of(engine, 100, 6000, 1)["volume"]
    assert agree(volumes, (n + 1) * unit)
    assert agree(volumes**2, (n + 1) * (n + 2) * unit**2)
    assert kstest(volumes[::20], gamma(n + 1, scale=unit).cdf).pvalue > 1e-3


def test_volume_of_a_crystal_with_one_atom(potential) -> None:
    """P(V) ~ V exp(-(E(V) + PV)/kT), by quadrature; the atom sees only its own images."""
    temperature, pressure = 1000.0, 5000.0
    beta = 1 / (units.kB * temperature)
    volumes = np.linspace(1.5, 300.0, 2001)
    crystals = [Structure.from_arrays([[0, 0, 0]], np.eye(3) * v ** (1 / 3), True, [8]) for v in volumes]
    energies = np.array([result.energy for result in evaluate_batch(potential.model, crystals, forces=False)])
    exponents = np.log(volumes) - beta * (energies - energies.min() + pressure * units.bar * volumes)
    weights = np.exp(exponents - exponents.max())
    weights /= weights.sum()
    assert weights[0] < 1e-4 and weights[-1] < 1e-4 and np.ptp(energies[weights > 1e-4]) * beta > 1
    start = Atoms("O", cell=np.eye(3) * 25.0 ** (1 / 3), pbc=True)
    moves = [VolumeChange(0.5, weight=9), Displacement(0.1)]
    engine = MonteCarlo(potential, start, temperature, moves, pressure=pressure, seed=3)
    found = rows_of(engine, 200, 8000, 1)
    assert agree(found["volume"], weights @ volumes)
    assert agree(found["potential energy"], weights @ energies)


def test_two_atoms(potential) -> None:
    """Mean energy, its square and frequency of binding, by quadrature over the vector between the atoms."""
    temperature, length = 450.0, 2 * RADIUS + 0.25
    beta = 1 / (units.kB * temperature)
    distances = (np.arange(4000) + 0.5) * RADIUS / 4000
    pairs = [Structure.from_arrays([[0, 0, 0], [r, 0, 0]], np.zeros((3, 3)), False, [8, 1]) for r in distances]
    energies = np.array([result.energy for result in evaluate_batch(potential.model, pairs, forces=False)])
    apart = potential.evaluate(Atoms("OH", [[0, 0, 0], [9, 0, 0]])).energy
    shells = 4 * np.pi * distances**2 * RADIUS / 4000
    energies, shells = np.append(energies, apart), np.append(shells, length**3 - 4 / 3 * np.pi * RADIUS**3)
    weights = shells * np.exp(-beta * (energies - apart))
    weights /= weights.sum()
    assert 0.1 < weights[-1] < 0.9 and np.ptp(energies) * beta > 1  # both free and bound
    atoms = Atoms("OH", [[0, 0, 0], [1.0, 0, 0]], cell=[length] * 3, pbc=True)
    engine = MonteCarlo(potential, atoms, temperature, [Displacement(1.4)], skin=3.0, seed=4, fixed=[0])
    found = rows_of(engine, 1000, 40_000, 5)["potential energy"]
    assert agree(found - apart, weights @ (energies - apart))
    assert agree((found - apart) ** 2, weights @ (energies - apart) ** 2)
    bound = energies - apart < -0.05
    assert agree(found - apart < -0.05, weights[bound].sum())


def test_three_atoms(potential) -> None:
    """Mean energy and its square, against configurations drawn evenly and weighted by their probability."""
    temperature, length = 1200.0, 4.5
    rng, lattice = np.random.default_rng(5), np.eye(3) * length
    drawn = rng.random((40_000, 3, 3)) * length
    structures = [Structure.from_arrays(positions, lattice, True, [8, 1, 16]) for positions in drawn]
    energies = np.concatenate(
        [
            [result.energy for result in evaluate_batch(potential.model, structures[k : k + 2000], forces=False)]
            for k in range(0, len(structures), 2000)
        ]
    )
    weights = np.exp(-(energies - energies.min()) / (units.kB * temperature))
    weights /= weights.sum()
    assert 1 / (weights**2).sum() > 2000  # so many draws count
    atoms = Atoms("OHS", drawn[0], cell=lattice, pbc=True)
    moves = [Displacement(0.9), Swap(("O", "S")), Swap(("H", "S"))]
    engine = MonteCarlo(potential, atoms, temperature, moves, skin=2.0, seed=6)
    found = rows_of(engine, 500, 25_000, 1)["potential energy"]
    middle = weights @ energies
    for power in (1, 2):
        expected = weights @ (energies - middle) ** power
        error = np.sqrt(weights**2 @ ((energies - middle) ** power - expected) ** 2)
        low, high = expected - 5 * error, expected + 5 * error
        assert agree((found - middle) ** power, np.clip(((found - middle) ** power).mean(), low, high))


def test_arrangements_on_a_lattice(potential) -> None:
    """Frequencies of the arrangements of two elements on six sites, against enumeration."""
    sites = np.array([[0, 0, 0], [1.25, 0, 0], [0, 1.5, 0], [0.25, 0.5, 1.75], [2.0, 1.25, 0.5], [1.0, 1.75, 2.25]])
    temperature, energies = 600.0, {}
    for chosen in combinations(range(6), 3):
        numbers = np.full(6, 8)
        numbers[list(chosen)] = 1
        energies[chosen] = potential.evaluate(Atoms(numbers=numbers, positions=sites)).energy
    lowest = min(energies.values())
    weights = {key: np.exp(-(energy - lowest) / (units.kB * temperature)) for key, energy in energies.items()}
    total = sum(weights.values())
    engine = MonteCarlo(potential, Atoms("H3O3", sites), temperature, [Swap(("O", "H"))], seed=7)
    counts: Counter[tuple[int, ...]] = Counter()
    samples = 3000
    for _ in range(samples):
        engine.advance(20, 20)
        hydrogen = engine.frame().positions[:3]
        counts[tuple(sorted(int(np.flatnonzero((sites == position).all(axis=1))[0]) for position in hydrogen))] += 1
    assert max(weights.values()) / min(weights.values()) > 5
    for key, weight in weights.items():
        expected = samples * weight / total
        assert abs(counts[key] - expected) < 6 * np.sqrt(expected) + 1

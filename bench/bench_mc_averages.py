"""Averages of Monte Carlo against Langevin dynamics, at constant volume and at constant pressure.

    NUMBA_NUM_THREADS=1 python bench/bench_mc_averages.py

A made-up fluid of 108 atoms whose neighbours repel and attract each other; what attracts an atom saturates, so that
its energy is no sum over pairs. Errors are standard errors by blocking.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from ase import Atoms
from ase.build import bulk

from fastsf import ACSF, G2, Cutoff, Potential, neighbor_list
from fastsf.analysis import averages
from fastsf.mc import Displacement, MonteCarlo, VolumeChange
from fastsf.md import Langevin, MolecularDynamics, StochasticCellRescaling, maxwell_boltzmann
from fastsf.potentials.network import Network
from fastsf.potentials.scaling import Scaling
from fastsf.simulation.engine import Engine, EngineFrame

TEMPERATURE, PRESSURE = 200.0, 1500.0  # K, bar
FRAMES, FIRST = 3000, 200  # how many, and where averages begin
SWEEPS, STEPS, TIMESTEP = 4, 60, 5.0  # moves for each atom or time steps from frame to frame; fs
EDGES = np.arange(3.0, 6.6, 0.5)  # Å


def fluid() -> Potential:
    """E_i = s ln(1 + exp(u_i / s)), u_i a sum over pairs."""
    cutoff, saturation = Cutoff(6.5, "poly2"), 0.05
    acsf = ACSF([G2("Ar", "Ar", 0.6, cutoff), G2("Ar", "Ar", 0.8, cutoff, rs=4.0)])
    weights = [np.array([[50.0], [-0.01]]) / saturation, np.array([[saturation]])]
    network = Network(weights, [np.zeros(1), np.zeros(1)], ("softplus", "linear"))
    return Potential(acsf, {"Ar": network}, {"Ar": Scaling("none", 0.0, 1.0, *np.zeros((4, 2)))})


def start() -> Atoms:
    return bulk("Ar", "fcc", a=6.4, cubic=True).repeat(3)


def monte_carlo(potential: Potential, constant_pressure: bool) -> Engine:
    moves = [Displacement(0.4), *([VolumeChange(0.02, weight=5.0)] if constant_pressure else [])]
    settled = FIRST * SWEEPS * len(start()) // 2
    return MonteCarlo(potential, start(), TEMPERATURE, moves, pressure=PRESSURE, equilibration=settled, seed=1)


def dynamics(potential: Potential, constant_pressure: bool) -> Engine:
    atoms, thermostat = start(), Langevin(TEMPERATURE, 0.005)
    maxwell_boltzmann(atoms, TEMPERATURE, 1)
    barostat = StochasticCellRescaling(thermostat, PRESSURE, 1000.0, 5e-4)
    return MolecularDynamics(potential, atoms, barostat if constant_pressure else thermostat, TIMESTEP, seed=2)


def distribution(frame: EngineFrame) -> np.ndarray:
    """How many neighbours an atom has in each shell."""
    atoms = Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc)
    return np.histogram(neighbor_list("d", atoms, EDGES[-1]), EDGES)[0] / len(atoms)


def sample(engine: Engine, steps: int) -> dict[str, np.ndarray]:
    energies, volumes, shells = [], [], []
    for number in range(FRAMES):
        done = engine.advance(steps, steps)
        if done.halt is not None:
            raise SystemExit(done.halt.message)
        if number >= FIRST:
            frame = engine.frame()
            energies.append(frame.energy)
            volumes.append(frame.columns["volume"])
            shells.append(distribution(frame))
    found = {"energy (eV)": np.array(energies), "its variance (eV^2)": (energies - np.mean(energies)) ** 2}
    if np.ptp(volumes) > 0:
        found |= {"volume (Å^3)": np.array(volumes), "its variance (Å^6)": (volumes - np.mean(volumes)) ** 2}
    names = [f"neighbours {low:g} to {high:g} Å" for low, high in pairwise(EDGES)]
    return found | dict(zip(names, np.transpose(shells), strict=True))


def compare(constant_pressure: bool) -> None:
    makers: dict[Callable[..., Engine], int] = {monte_carlo: SWEEPS * len(start()), dynamics: STEPS}
    one, other = (sample(make(fluid(), constant_pressure), steps) for make, steps in makers.items())
    print("constant pressure" if constant_pressure else "constant volume")
    for name in one:
        a, b = averages.mean(one[name]), averages.mean(other[name])
        apart = (a.value - b.value) / np.hypot(a.error, b.error)
        print(f"{name:24} {a.value:12.6g} ± {a.error:8.2g} {b.value:12.6g} ± {b.error:8.2g}   {apart:5.1f}", flush=True)


if __name__ == "__main__":
    for constant_pressure in (False, True):
        compare(constant_pressure)

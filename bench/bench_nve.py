"""Conservation of energy in molecular dynamics with ASE: drift of liquid water, and what a cutoff function does to it.

    FASTSF_SHARED=... python bench/bench_nve.py --ps 6      water, RPBE-D3 potential, 1080 atoms, 300 K
    python bench/bench_nve.py --cutoffs                     a made-up liquid with four cutoff functions

Velocity Verlet without thermostat after a short one with. The drift is the slope of a straight line through means of
the total energy over blocks; its error is the standard error of that fit.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import Stationary
from ase.md.verlet import VelocityVerlet

from fastsf import ACSF, G2, Calculator, Cutoff, Potential
from fastsf.analysis.averages import drift
from fastsf.io.input_data import iread_input_data
from fastsf.network import Network
from fastsf.scaling import Scaling

SEED = 7
RADIUS = 6.5  # Å
CUTOFFS = ("hard", "cosine", "tanh3", "poly2")


def main() -> None:
    """Print drifts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ps", type=float, help="length of the run; 6 for water, 100 for the made-up liquid")
    parser.add_argument("--step", type=float, help="fs; 0.5 for water, 4 for the made-up liquid")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cutoffs", action="store_true", help="the made-up liquid in place of water")
    options = parser.parse_args()
    print(f"{'':28}{'fs':>6}{'ps':>8}{'K':>8}{'drift, eV/atom/ps':>28}{'rms, eV/atom':>14}{'µs/atom/step':>14}")
    if options.cutoffs:
        for kind in CUTOFFS:
            report(kind, liquid(kind, options.threads), 90, options.step or 4.0, options.ps or 100.0)
    else:
        box = water(options.threads)
        report("water, RPBE-D3, 1080 atoms", box, 300, options.step or 0.5, options.ps or 6.0)
        print(box.calc.monitor.summary())


def report(name: str, atoms: Atoms, kelvin: float, step: float, ps: float) -> None:
    """Run and print one line: drift and its error, rms of what is left without the drift, cost."""
    thermalize(atoms, kelvin, step)
    begin = time.perf_counter()
    energies, mean_kelvin = run(atoms, step, round(1000 * ps / step))
    cost = (time.perf_counter() - begin) / len(energies) / len(atoms)
    per_atom = energies / len(atoms)
    times = np.arange(len(per_atom)) * step / 1000
    slope, error = drift(per_atom, times)
    rms = (per_atom - slope * times).std()
    print(
        f"{name:28}{step:6.2f}{ps:8.1f}{mean_kelvin:8.1f}{slope:14.2e} +- {error:8.1e}{rms:16.1e}{1e6 * cost:14.1f}",
        flush=True,
    )


def thermalize(atoms: Atoms, kelvin: float, step: float) -> None:
    """Bring the atoms to a temperature with a thermostat, 1000 steps."""
    rng = np.random.default_rng(SEED)
    draw_momenta(atoms, kelvin, rng)
    friction = 1 / (100 * step * units.fs)
    Langevin(atoms, step * units.fs, temperature_K=kelvin, friction=friction, rng=rng, fixcm=False).run(1000)
    Stationary(atoms)


def draw_momenta(atoms: Atoms, kelvin: float, rng: np.random.Generator) -> None:
    """Give the atoms momenta of the Maxwell-Boltzmann distribution."""
    spread = np.sqrt(atoms.get_masses() * units.kB * kelvin)
    atoms.set_momenta(rng.normal(size=(len(atoms), 3)) * spread[:, None])


def run(atoms: Atoms, step: float, steps: int) -> tuple[np.ndarray, float]:
    """Total energy after each step, eV, and the mean temperature in K."""
    dynamics = VelocityVerlet(atoms, step * units.fs)
    energies, kinetic = np.empty(steps), np.empty(steps)
    for k in range(steps):
        dynamics.run(1)
        kinetic[k] = atoms.get_kinetic_energy()
        energies[k] = atoms.get_potential_energy() + kinetic[k]
    return energies, 2 * kinetic.mean() / (3 * len(atoms) * units.kB)


# --- water ---


def water(threads: int) -> Atoms:
    """The reference box with the published potential."""
    if "FASTSF_SHARED" not in os.environ:
        raise SystemExit("FASTSF_SHARED must name the folder with the reference potentials")
    shared = Path(os.environ["FASTSF_SHARED"])
    atoms = next(iread_input_data(shared / "data" / "H2O_1080_liquid.input.data", "Bohr", "Hartree"))
    potential = Potential.load(shared / "reference" / "predict_H2O_RPBE-D3", "Bohr", "Hartree", threads=threads)
    box = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
    box.calc = Calculator(potential, threads=threads, extrapolation="ignore")
    return box


# --- a liquid whose potential has the same form for any cutoff function ---


def liquid(kind: str, threads: int) -> Atoms:
    """256 atoms of a liquid like argon, near its density, that starts from a crystal."""
    atoms = bulk("Ar", "fcc", a=5.72, cubic=True).repeat(4)
    atoms.calc = Calculator(made_up(kind, threads), threads=threads, extrapolation="ignore")
    draw_momenta(atoms, 300, np.random.default_rng(SEED))
    VelocityVerlet(atoms, 2 * units.fs).run(1000)
    return atoms


def made_up(kind: str, threads: int) -> Potential:
    """Lennard-Jones well, fitted by Gaussians, and the square of how far the density at an atom is from a crystal's.

    E_i = sum_j sum_q c_q g_q(r_ij) + b (rho_i - rho_0)^2. The square makes it a potential of many bodies, as those of
    networks are: a pair potential that is cut off would conserve the energy of the one that is shifted to zero there.
    """
    cutoff = Cutoff(RADIUS, kind)
    places = np.arange(2.5, RADIUS, 0.25)
    pairs = [G2("Ar", "Ar", 8.0, cutoff, rs=place) for place in places]
    descriptor = ACSF([G2("Ar", "Ar", 0.05, cutoff), *pairs], threads=threads)
    distances = np.linspace(2.9, RADIUS - 1e-6, 400)
    dimers = [Atoms("Ar2", positions=[[0, 0, 0], [distance, 0, 0]]) for distance in distances]
    values = np.array([rows[0] for rows in descriptor.create(dimers)])
    well = 0.5 * 4 * 0.0104 * ((3.4 / distances) ** 12 - (3.4 / distances) ** 6)
    weight = 1 / (np.abs(well) + 0.001)
    coefficients = np.linalg.lstsq(values[:, 1:] * weight[:, None], well * weight, rcond=1e-8)[0]
    density = descriptor.create(bulk("Ar", "fcc", a=5.72, cubic=True))[0, 0]
    hidden = np.zeros((len(places) + 1, 3))
    hidden[0, 0] = 1.0
    hidden[1:, 1] = hidden[1:, 2] = coefficients
    # (x + 1)^2 - (x - 1)^2 = 4 x: two harmonic nodes let the pair energies through
    network = Network([hidden, [[0.005], [0.25], [-0.25]]], [[-density, 1.0, -1.0], [0.0]], ("harmonic", "linear"))
    scaling = Scaling.from_values(values, "none")
    return Potential(descriptor, {"Ar": network}, {"Ar": scaling})


if __name__ == "__main__":
    main()

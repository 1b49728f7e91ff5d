"""Molecular dynamics: what a step costs, how well the energy is conserved, densities at constant pressure.

    FASTSF_SHARED=... NUMBA_NUM_THREADS=2 python bench/bench_md.py steps      whole steps against bare evaluations
    FASTSF_SHARED=... NUMBA_NUM_THREADS=2 python bench/bench_md.py sizes      ns/day
    FASTSF_SHARED=... NUMBA_NUM_THREADS=1 python bench/bench_md.py small      64 atoms, against ase.md
    FASTSF_SHARED=... python bench/bench_md.py drift --ps 50                  128 molecules of water
    FASTSF_SHARED=... python bench/bench_md.py mixed --ps 1                   drift that mixed precision causes in water
    python bench/bench_md.py cutoffs                                          drift of a made-up liquid by cutoffs
    python bench/bench_md.py density                                          NPT against ase.md

The drift is the slope of a straight line through means of the total energy over blocks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle

import numba
import numpy as np
from ase import Atoms, units
from ase.md.nose_hoover_chain import IsotropicMTKNPT
from ase.md.verlet import VelocityVerlet
from interleave import interleaved
from liquids import CUTOFFS, argon, made_up, molecules, water, water_potential

from fastsf import Calculator, Potential
from fastsf.analysis.averages import drift, mean
from fastsf.md import NVE, Bussi, Integrator, Langevin, MolecularDynamics, StochasticCellRescaling, maxwell_boltzmann

SEED = 7
KELVIN = 300.0
STEP = 0.5  # fs, water
ARGON_STEP = 4.0  # fs
COLD, BAR = 40.0, 500.0
"""K and bar, of the crystal."""

LOG_EVERY = 100
SKIN = 0.3  # Å, of bare evaluations: lists are found once
SIZES = {63: 21, 192: 64, 1080: 1, 8640: 2}
"""Atoms of water, and molecules of a small box or how often the large one is repeated."""


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--ps", type=float, help="length of a run; 50 for water, 100 for the made-up liquid")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=9)
    TABLES[(options := parser.parse_args()).table](options)


# --- cost ---


def steps(options: argparse.Namespace) -> None:
    """Whole steps (lists, integration, log every 100 steps) over bare evaluations, all atoms moving, lists kept."""
    print(f"{'water, µs/atom':20}{'threads':>8}{'bare':>9}{'step':>9}{'ratio':>8}{'steps per list':>16}")
    for size, together in ((1080, 20), (8640, 4)):
        for threads in _available(options.threads):
            atoms = water(SIZES[size])
            bare, md = evaluations(water_potential(), atoms, threads, together), moving(atoms, NVE(), STEP, threads)
            whole = partial(md.advance, together, LOG_EVERY)
            seconds = interleaved({"bare": bare, "whole": whole}, options.rounds, warmup=2)
            each = {name: 1e6 * time / together / size for name, time in seconds.items()}
            ratio = each["whole"] / each["bare"]
            rows = f"{each['bare']:9.2f}{each['whole']:9.2f}{ratio:8.3f}{steps_per_list(md):16.1f}"
            print(f"{f'{size} atoms':20}{threads:8}{rows}", flush=True)


def evaluations(potential: Potential, atoms: Atoms, threads: int, number: int) -> Callable[[], object]:
    """So many energies with forces, all atoms a thousandth of an Å elsewhere each time."""
    evaluator = potential.evaluator(atoms, skin=SKIN, threads=threads)
    rng = np.random.default_rng(SEED)
    places = cycle([atoms.positions + rng.uniform(-1e-3, 1e-3, (len(atoms), 3)) for _ in range(2)])
    return lambda: [evaluator.evaluate(next(places)).energy for _ in range(number)]


def moving(
    atoms: Atoms, integrator: Integrator, step: float, threads: int, potential: Potential | None = None
) -> MolecularDynamics:
    """Molecular dynamics of the atoms at 300 K."""
    maxwell_boltzmann(atoms, KELVIN, SEED)
    return MolecularDynamics(potential or water_potential(), atoms, integrator, step, threads=threads, seed=SEED)


def steps_per_list(md: MolecularDynamics) -> float:
    """Steps until pairs are found anew, on average over fifty."""
    lists, where = 0, md.state()["pair_positions"]
    for _ in range(50):
        md.advance(1, LOG_EVERY)
        now = md.state()["pair_positions"]
        lists, where = lists + (now is not where), now
    return 50 / max(lists, 1)


def sizes(options: argparse.Namespace) -> None:
    """Cost by size, and what it means for a day."""
    threads = _available(options.threads)
    head = "".join(f"{f'{each} thr., µs/atom':>18}{'ns/day':>9}" for each in threads)
    print(f"{'water, 0.5 fs, NVT':20}{head}")
    for size, number in SIZES.items():
        candidates = {}
        together = max(2, 20_000 // size)
        for each in threads:
            atoms = molecules(number) if size < 1000 else water(number)
            md = moving(atoms, Bussi(KELVIN), STEP, each)
            candidates[each] = partial(md.advance, together, LOG_EVERY)
        seconds = interleaved(candidates, options.rounds, warmup=2)
        row = ""
        for each in threads:
            one = seconds[each] / together
            row += f"{1e6 * one / size:18.2f}{86400 / one * STEP * 1e-6:9.2f}"
        print(f"{f'{size} atoms':20}{row}", flush=True)


def small(options: argparse.Namespace) -> None:
    """64 atoms: native steps against velocity Verlet of ase.md with our calculator."""
    print(f"{'one thread, µs per step':34}{'ase.md':>9}{'native':>9}{'ratio':>8}{'forces alone':>14}")
    light, liquid = made_up(), molecules(21)
    cases = {
        "made-up pair potential, 4 atoms": (light, argon(1), ARGON_STEP, 400),
        "the same, 32 atoms": (light, argon(2), ARGON_STEP, 200),
        "the same, 108 atoms": (light, argon(3), ARGON_STEP, 100),
        "water, RPBE-D3, 63 atoms": (water_potential(), liquid, STEP, 20),
    }
    for name, (potential, atoms, step, together) in cases.items():
        maxwell_boltzmann(atoms, 60.0 if potential is light else KELVIN, SEED)
        md = MolecularDynamics(potential, atoms, NVE(), step, threads=1)
        theirs = atoms.copy()
        theirs.calc = Calculator(potential, threads=1, extrapolation="ignore")
        verlet = VelocityVerlet(theirs, step * units.fs)
        candidates = {
            "ase": partial(verlet.run, together),
            "native": partial(md.advance, together, LOG_EVERY),
            "bare": evaluations(potential, atoms, 1, together),
        }
        each = {kind: 1e6 * time / together for kind, time in interleaved(candidates, 3 * options.rounds, 2).items()}
        print(
            f"{name:34}{each['ase']:9.1f}{each['native']:9.1f}{each['ase'] / each['native']:8.1f}{each['bare']:14.1f}"
        )


def _available(threads: list[int]) -> list[int]:
    return [each for each in threads if each <= numba.config.NUMBA_NUM_THREADS]


# --- conservation of energy ---


def drifts(options: argparse.Namespace) -> None:
    """Drift of water, after 4 ps with a thermostat."""
    md = thermalized(water_potential(), molecules(128), STEP, 8000, 0.02)
    _print_drift("water, RPBE-D3, 128 molecules", md, STEP, options.ps or 50.0)


def mixed(options: argparse.Namespace) -> None:
    """Power of what mixed precision changes in the forces: a drift shows long before it does in the energy."""
    potential = water_potential()
    md = thermalized(potential, water(), STEP, 1000, 0.02)
    both = [potential.evaluator(as_atoms(md), SKIN, options.threads[-1], word) for word in ("mixed", "double")]
    powers, ps = [], options.ps or 1.0
    for _ in range(round(500 * ps / STEP)):
        md.advance(2, 2)
        frame = md.frame()
        forces = [evaluator.evaluate(frame.positions).forces for evaluator in both]
        powers.append(1000 * (frame.velocities * (forces[0] - forces[1])).sum() / len(frame.numbers))
    error = np.std(powers) / len(powers) ** 0.5
    print(f"water, RPBE-D3, 1080 atoms: {ps:g} ps: {np.mean(powers):.1e} +- {error:.1e} eV/atom/ps")


def cutoffs(options: argparse.Namespace) -> None:
    """Drift of the made-up liquid by cutoff functions."""
    for kind in CUTOFFS:
        potential = made_up(kind)
        maxwell_boltzmann(atoms := argon(), KELVIN, SEED)
        molten = MolecularDynamics(potential, atoms, NVE(), 2.0)
        molten.advance(1000, 1000)
        md = thermalized(potential, as_atoms(molten), ARGON_STEP, 1000, 0.01 / ARGON_STEP, kelvin=90.0)
        _print_drift(f"made-up liquid, {kind}", md, ARGON_STEP, options.ps or 100.0)


def thermalized(
    potential: Potential, atoms: Atoms, step: float, steps: int, friction: float, kelvin: float = KELVIN
) -> MolecularDynamics:
    """Dynamics at constant energy, after so many steps with a thermostat."""
    maxwell_boltzmann(atoms, kelvin, SEED)
    before = MolecularDynamics(potential, atoms, Langevin(kelvin, friction), step, seed=SEED)
    before.advance(steps, steps)
    return MolecularDynamics(potential, as_atoms(before), NVE(), step)


def as_atoms(md: MolecularDynamics) -> Atoms:
    """The atoms where they are now, with their velocities."""
    frame = md.frame()
    atoms = Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=frame.pbc)
    atoms.set_velocities(frame.velocities / units.fs)
    return atoms


def _print_drift(name: str, md: MolecularDynamics, step: float, ps: float) -> None:
    begin, total = time.perf_counter(), round(1000 * ps / step)
    rows = md.advance(total, 1).rows
    n = len(md.frame().numbers)
    energies, kelvin = (observed(md, rows, name) for name in ("total energy", "temperature"))
    times = np.arange(1, total + 1) * step / 1000
    slope, error = drift(energies / n, times)
    rest = (energies / n - slope * times).std()
    print(
        f"{name}: {ps:g} ps, step {step:g} fs, {kelvin.mean():.1f} K: {slope:.2e} +- {error:.1e} eV/atom/ps, "
        f"rms of the rest {rest:.1e} eV/atom, {1e6 * (time.perf_counter() - begin) / total / n:.1f} µs/atom/step",
        flush=True,
    )


def observed(md: MolecularDynamics, rows: np.ndarray, name: str) -> np.ndarray:
    """One of the columns."""
    return rows[:, [column.name for column in md.columns].index(name)]


# --- constant pressure ---


def density(options: argparse.Namespace) -> None:
    """Volume of a made-up crystal, by barostats of fastsf and by one of ase.md."""
    potential, steps = made_up(), round(1000 * (options.ps or 200.0) / ARGON_STEP)
    print(f"{'108 atoms, 40 K, 500 bar':34}{'Å^3/atom':>10}{'error':>8}{'spread':>8}")
    thermostats = Bussi(COLD, 400.0), Langevin(COLD, 0.002)
    shapes = {"isotropic": thermostats, "xyz": thermostats[:1], "anisotropic": thermostats[:1]}
    for shape, some in shapes.items():
        for thermostat in some:
            barostat = StochasticCellRescaling(thermostat, BAR, 1000.0, 2e-4, shape)
            atoms = argon(3)
            maxwell_boltzmann(atoms, COLD, SEED)
            md = MolecularDynamics(potential, atoms, barostat, ARGON_STEP, seed=SEED)
            md.advance(steps // 4, steps)
            volumes = observed(md, md.advance(steps, 10).rows, "volume")
            _print_volume(f"{shape}, {type(thermostat).__name__}", volumes / len(atoms))
    _print_volume("ase.md, isotropic MTK", np.fromiter(volumes_of_ase(potential, steps), float))


def volumes_of_ase(potential: Potential, steps: int) -> Iterator[float]:
    """Volumes per atom."""
    atoms = argon(3)
    maxwell_boltzmann(atoms, COLD, SEED)
    atoms.calc = Calculator(potential, threads=1, extrapolation="ignore")
    pressure = BAR * units.bar
    dynamics = IsotropicMTKNPT(
        atoms, ARGON_STEP * units.fs, COLD, pressure, tdamp=400 * units.fs, pdamp=4000 * units.fs
    )
    dynamics.run(steps // 4)
    for _ in range(steps // 10):
        dynamics.run(10)
        yield atoms.get_volume() / len(atoms)


def _print_volume(name: str, volumes: np.ndarray) -> None:
    found = mean(volumes)
    print(f"{name:34}{found.value:10.3f}{found.error:8.3f}{found.spread:8.3f}", flush=True)


TABLES = {"steps": steps, "sizes": sizes, "small": small, "drift": drifts, "mixed": mixed}
TABLES |= {"cutoffs": cutoffs, "density": density}


if __name__ == "__main__":
    main()

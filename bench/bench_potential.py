"""Energies and forces of published potentials, for one thread and for two, in double and in mixed precision.

    FASTSF_SHARED=... NUMBA_NUM_THREADS=2 python bench/bench_potential.py    tables
    FASTSF_SHARED=... NUMBA_NUM_THREADS=2 python bench/bench_potential.py --precisions    those of mixed precision alone
    FASTSF_SHARED=... python -m pytest bench/bench_potential.py              the same cases with pytest-benchmark

Neighbour lists are kept: every call moves all atoms by a thousandth of an Å. Threads take turns, and with them a loop
of multiplications and additions that tells what the core can do at that moment. For one water molecule, the ways to
call take turns after every hundred calls.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import cycle
from pathlib import Path
from time import perf_counter

import numba
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from interleave import interleaved

from fastsf import Calculator, Potential
from fastsf.io.input_data import iread_input_data
from fastsf.kernels.vector.simd import LANES, fma, splat, sum_lanes
from fastsf.potentials.evaluation import Result

SKIN = 0.3  # Å
MOVE = 1e-3  # Å
WATER, SULFIDE = "data/H2O_1080_liquid.input.data", "data/Cu2S_144.input.data"
BOHR, ANGSTROM = ("Bohr", "Hartree"), ("Angstrom", "eV")
CASES = {
    "water, 1080 atoms": ("predict_H2O_RPBE-D3", BOHR, WATER, 1, 31),
    "water, 8640 atoms": ("predict_H2O_RPBE-D3", BOHR, WATER, 2, 9),
    "water, 69120 atoms": ("predict_H2O_RPBE-D3", BOHR, WATER, 4, 3),
    "Cu2S, 1152 atoms": ("predict_Cu2S_PBE", ANGSTROM, SULFIDE, 2, 21),
    "ethylbenzene, 288 atoms": (
        "predict_Ethylbenzene_SCAN",
        BOHR,
        "reference/predict_Ethylbenzene_SCAN/input.data",
        1,
        21,
    ),
}
"""Potential, its units, structure, how often it is repeated along each vector, rounds."""
COMPARED = ("water, 1080 atoms", "Cu2S, 1152 atoms", "ethylbenzene, 288 atoms")
"""Those that are evaluated in both precisions."""
WAYS = ("Potential", "Potential, periodic", "Evaluator", "Evaluator, periodic", "ASE", "ASE, periodic")
CALLS = 100
FMA_LOOPS = 100_000


def shared() -> Path:
    """Folder of the reference data."""
    if "FASTSF_SHARED" not in os.environ:
        raise SystemExit("FASTSF_SHARED must name the folder with the reference potentials")
    return Path(os.environ["FASTSF_SHARED"])


@cache
def load(folder: str, units: tuple[str, str]) -> Potential:
    return Potential.load(shared() / "reference" / folder, *units)


def structure(case: str) -> Atoms:
    _, units, path, repeats, _ = CASES[case]
    return next(iread_input_data(shared() / path, *units)).repeat(repeats)


def step(case: str, threads: int, precision: str = "double") -> Callable[[], Result]:
    """One step of a dynamics: positions that are a little different each time, energy and forces."""
    atoms = structure(case)
    evaluator = load(*CASES[case][:2]).evaluator(atoms, skin=SKIN, threads=threads, precision=precision)
    rng = np.random.default_rng(0)
    places = cycle([atoms.positions + rng.uniform(-MOVE, MOVE, (len(atoms), 3)) for _ in range(2)])
    return lambda: evaluator.evaluate(next(places))


def call(way: str) -> Callable[[], object]:
    """Energy and forces of one water molecule that has moved, free or in a periodic box of 10 Å."""
    potential, atoms = load(*CASES["water, 1080 atoms"][:2]), molecule("H2O")
    if way.endswith("periodic"):
        atoms.set_cell([10.0, 10.0, 10.0])
        atoms.pbc = True
    rng = np.random.default_rng(0)
    places = cycle([atoms.positions + rng.uniform(-MOVE, MOVE, (3, 3)) for _ in range(64)])
    if way.startswith("Evaluator"):
        evaluator = potential.evaluator(atoms, skin=SKIN, threads=1)
        return lambda: evaluator.evaluate(next(places))
    if way.startswith("ASE"):
        atoms.calc = Calculator(potential, skin=SKIN, threads=1, extrapolation="ignore")
        return partial(move_and, atoms, places, atoms.get_forces)
    alone = Potential.from_parts(potential.parts, threads=1)
    return partial(move_and, atoms, places, lambda: alone.evaluate(atoms))


def move_and(atoms: Atoms, places: Iterator[np.ndarray], compute: Callable[[], object]) -> object:
    atoms.positions[:] = next(places)
    return compute()


# --- what the core can do ---


@numba.njit(error_model="numpy")
def multiply_and_add(loops):
    """Sixteen independent chains, so that no operation waits for another one."""
    a, b, c, d = splat(1.0), splat(1.1), splat(1.2), splat(1.3)
    e, f, g, h = splat(1.4), splat(1.5), splat(1.6), splat(1.7)
    i, j, k, m = splat(1.8), splat(1.9), splat(2.0), splat(2.1)
    n, o, p, q = splat(2.2), splat(2.3), splat(2.4), splat(2.5)
    x, y = splat(0.999), splat(0.001)
    for _ in range(loops):
        a, b, c, d = fma(a, x, y), fma(b, x, y), fma(c, x, y), fma(d, x, y)
        e, f, g, h = fma(e, x, y), fma(f, x, y), fma(g, x, y), fma(h, x, y)
        i, j, k, m = fma(i, x, y), fma(j, x, y), fma(k, x, y), fma(m, x, y)
        n, o, p, q = fma(n, x, y), fma(o, x, y), fma(p, x, y), fma(q, x, y)
    return sum_lanes(a + b + c + d + e + f + g + h + i + j + k + m + n + o + p + q)


def peak(seconds: float) -> float:
    """GFLOP/s."""
    return FMA_LOOPS * 16 * LANES * 2 / seconds / 1e9


# --- tables ---


def print_sizes(cases: list[str], threads: list[int]) -> None:
    columns = "".join(f"{f'{count} thread' + 's' * (count > 1):>12}" for count in threads)
    print(f"{'energy and forces, µs/atom':28}{columns}{'ratio':>8}{'peak of a core, GFLOP/s':>26}")
    for case in cases:
        candidates = {count: step(case, count) for count in threads}
        core = {"peak": partial(multiply_and_add, FMA_LOOPS)}
        seconds = interleaved({**candidates, **core}, CASES[case][-1], warmup=2)
        atoms = len(structure(case))
        row = "".join(f"{1e6 * seconds[count] / atoms:12.2f}" for count in threads)
        ratio = seconds[threads[0]] / seconds[threads[-1]]
        print(f"{case:28}{row}{ratio:8.2f}{peak(seconds['peak']):26.1f}", flush=True)


def print_precisions(cases: list[str], threads: list[int]) -> None:
    """Mixed precision beside double, taking turns, and what it changes: forces in units of their rms, energies."""
    print(f"\n{'µs/atom':28}{'threads':>8}{'double':>9}{'mixed':>9}{'ratio':>8}", end="")
    print(f"{'force error: rms':>20}{'max':>10}{'energy, eV/atom':>18}")
    for case in cases:
        for count in threads:
            steps = {word: step(case, count, word) for word in ("double", "mixed")}
            double, mixed = (one() for one in steps.values())
            seconds = interleaved(steps, CASES[case][-1], warmup=2)
            atoms, size = len(double.energies), rms(double.forces)
            times = "".join(f"{1e6 * seconds[word] / atoms:9.2f}" for word in steps)
            error, change = mixed.forces - double.forces, abs(mixed.energy - double.energy) / atoms
            print(f"{case:28}{count:8}{times}{seconds['double'] / seconds['mixed']:8.2f}", end="")
            print(f"{rms(error) / size:20.1e}{np.abs(error).max() / size:10.1e}{change:18.1e}", flush=True)


def rms(numbers: np.ndarray) -> float:
    return float(np.sqrt((numbers**2).mean()))


def print_calls() -> None:
    print(f"\n{'one water molecule, one thread':32}{'µs per call':>12}")
    for way, seconds in interleaved({way: partial(repeat, call(way)) for way in WAYS}, 61, warmup=2).items():
        print(f"{way:32}{1e6 * seconds / CALLS:12.1f}")


def repeat(function: Callable[[], object]) -> None:
    for _ in range(CALLS):
        function()


@pytest.fixture(autouse=True)
def _reference_data():
    if "FASTSF_SHARED" not in os.environ:
        pytest.skip("needs the reference potentials (FASTSF_SHARED)")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_step(benchmark, case, threads):
    benchmark.group = case
    benchmark.pedantic(step(case, threads), rounds=3, warmup_rounds=2)


@pytest.mark.parametrize("way", WAYS)
def test_call(benchmark, way):
    benchmark.group = "one water molecule"
    benchmark.pedantic(call(way), rounds=501, warmup_rounds=20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--precisions", action="store_true", help="mixed precision against double, and nothing else")
    options = parser.parse_args()
    began = perf_counter()
    threads = [count for count in options.threads if count <= numba.config.NUMBA_NUM_THREADS]
    if options.cases and not options.precisions:
        print_sizes(options.cases, threads)
    if options.cases:
        print_precisions([case for case in options.cases if case in COMPARED], threads)
    if not options.precisions:
        print_calls()
    print(f"{perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()

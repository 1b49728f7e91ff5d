"""What there is to compile: each task calls its kernels once, with small arrays of the types that they always get.

Tasks are apart in that no kernel belongs to two of them, so that processes can work on them at the same time. That is
why the arrays here are made by hand: the pair search would be compiled with every task otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from fastsf.all_pairs import AllPairs
from fastsf.descriptor import ACSF
from fastsf.kernels import (
    _jit,
    acsf_jacobian,
    acsf_jvp,
    cells,
    cells_pairs,
    chosen_energies,
    forces,
    integrators,
    lammps,
    md,
    monte_carlo,
    networks,
    symmetric,
    tangents,
)
from fastsf.kernels.networks import Networks
from fastsf.kernels.pointers import Loop, make_loop
from fastsf.kernels.simd import LANES
from fastsf.kernels.tables import Neighbors, Tables
from fastsf.neighbors import Pairs
from fastsf.network import Network
from fastsf.network_packing import pack_networks
from fastsf.precision import DOUBLE, MIXED, kernel_set
from fastsf.scaling import Scaling
from fastsf.structure import FloatArray, IntArray, Structure
from fastsf.symmetry import G2, G4

_ATOMS, _COLUMNS, _PAIRS = 3, 2, 6


class Task(NamedTuple):
    """A part of the work."""

    seconds: float  # about, on one core; only the ratios matter
    call: Callable[[int], None]  # with the number of threads: 1 compiles the serial kernels, more the parallel ones


class _Sample(NamedTuple):
    structure: Structure
    tables: Tables
    neighbors: Neighbors
    centers: IntArray
    reverse: IntArray
    network: Network
    packed: Networks


@cache
def _sample() -> _Sample:
    """Three atoms of one element, each a neighbour of both others."""
    structure = Structure.from_arrays([[0, 0, 0], [0, 0, 1], [0, 1, 0]], np.zeros((3, 3)), False, [1, 1, 1])
    descriptor = ACSF([G2("H", "H", 1.0, 1.5), G4("H", ("H", "H"), 0.1, 1.0, 1.0, 1.5)])
    i, j = np.repeat(np.arange(_ATOMS), 2), np.array([1, 2, 0, 2, 0, 1])
    vectors = structure.positions[j] - structure.positions[i]
    neighbors = Neighbors(np.array([0, 2, 4, 6]), j, vectors, descriptor.species_of(structure.numbers))
    weights = [np.zeros((_COLUMNS, 2)), np.zeros((2, 1))]
    network = Network(weights, [np.zeros(2), np.zeros(1)], ("tanh", "linear"))
    low, high = np.zeros(_COLUMNS), np.ones(_COLUMNS)
    scaling = Scaling("none", 0.0, 1.0, low, high, low, high)
    packed = pack_networks(("H",), {"H": network}, {"H": scaling}, 1.0, {}, _COLUMNS)
    reverse = np.array([2, 4, 0, 5, 1, 3])
    return _Sample(structure, descriptor.tables, neighbors, np.arange(_ATOMS), reverse, network, packed)


def _values_room() -> FloatArray:
    return np.zeros((_ATOMS, _COLUMNS))


def _run(
    threads: int,
    serial: Callable[..., Any],
    parallel: Callable[..., Any],
    arguments: tuple[Any, ...],
    results: tuple[Any, ...],
) -> None:
    """Call one of the loops over atoms, the parallel one also for as few as here."""
    if threads == 1:
        serial(*arguments, 0, _ATOMS, *results)
    else:
        parallel(*arguments, 2, *results)


def _pairs(threads: int) -> None:
    """Search, reverse pairs and moving atoms, for so many that threads share them."""
    sites = np.argwhere(np.ones((16, 16, 16)))
    crystal = Structure.from_arrays(sites, np.diag([16.0, 16.0, 16.0]), True, np.ones(len(sites), np.int64))
    pairs = Pairs.build(crystal, 1.1, 0.1, threads)
    pairs.update(crystal.positions + 0.01)
    _ = pairs.reverse


def _values(threads: int, precision: str = DOUBLE) -> None:
    sample, acsf = _sample(), kernel_set(precision).acsf
    arguments = (sample.tables, sample.neighbors, sample.centers)
    _run(threads, acsf.values_range, acsf.values, arguments, (_values_room(),))


def _jacobian(threads: int) -> None:
    sample = _sample()
    arguments = (sample.tables, sample.neighbors, sample.centers)
    entries = np.zeros(_ATOMS, np.int64)
    _run(threads, acsf_jacobian.count_range, acsf_jacobian.count, arguments, (entries,))
    start = np.concatenate([[0], np.cumsum(entries)])
    rows = np.empty(start[-1], np.int32), np.empty(start[-1], np.int32)
    target = acsf_jacobian.Jacobian(start, *rows, np.empty(3 * start[-1]))
    loops = acsf_jacobian.jacobian_range, acsf_jacobian.jacobian
    _run(threads, *loops, arguments, (target, _values_room()))


def _vjp(threads: int, precision: str = DOUBLE) -> None:
    sample, acsf_vjp = _sample(), kernel_set(precision).acsf_vjp
    arguments = (sample.tables, sample.neighbors, sample.centers)
    results = (_values_room()[:, None], np.zeros((1, _PAIRS, 3)), np.zeros((1, _ATOMS, 12)))
    _run(threads, acsf_vjp.vjp_range, acsf_vjp.vjp, arguments, results)


def _jvp(threads: int) -> None:
    sample = _sample()
    arguments = (sample.tables, sample.neighbors, sample.centers)
    results = (np.zeros((_PAIRS, 3)), _values_room())
    _run(threads, acsf_jvp.jvp_range, acsf_jvp.jvp, arguments, results)


def _networks(threads: int) -> None:
    sample = _sample()
    sample.network.gradient(_values_room())
    arguments = (sample.packed, _values_room(), sample.neighbors.species)
    results = (np.empty(_ATOMS), _values_room(), np.empty(_ATOMS, np.int64))
    _run(threads, networks.predict_range, networks.predict, arguments, results)


def _energies(threads: int, precision: str = DOUBLE) -> None:
    sample, energies = _sample(), kernel_set(precision).energies
    arguments = (sample.tables, sample.packed, sample.neighbors)
    atoms = (np.empty(_ATOMS), np.empty(_ATOMS, np.int64))
    results = (_values_room(), *atoms, np.zeros((_PAIRS, 3)), np.zeros((_ATOMS, 12)))
    _run(threads, energies.energies_range, energies.energies, arguments, results)


def _forces(threads: int) -> None:
    """Sums of the pairs' gradients over the atoms; and the pairs of molecules, which only potentials look for so."""
    sample = _sample()
    arguments = (sample.neighbors.start, sample.reverse, np.zeros((_PAIRS, 3)), np.zeros((_ATOMS, 12)))
    _run(threads, forces.gather_range, forces.gather, arguments, (np.empty((_ATOMS, 3)),))
    AllPairs.build(sample.structure, 1.5)


def _tangents(threads: int) -> None:
    """Derivatives as dense blocks, which one thread makes for each structure."""
    if threads != 1:
        return
    rows, start, index = np.arange(_ATOMS), np.array([0, 0, 0, 1]), np.zeros((_ATOMS, 2), np.int64)
    column, atom = np.zeros(1, np.int32), np.zeros(1, np.int32)
    tangents.count_centers(start, atom, rows, rows, 0, np.zeros(_ATOMS, np.int64), np.empty(_ATOMS, np.int64))
    for dtype in (np.float32, np.float64):
        blocks, factor = np.zeros((_ATOMS, 2, 3, _COLUMNS), dtype), np.ones(_COLUMNS)
        jacobian = (start, column, atom, np.zeros((1, 3)))
        tangents.fill_blocks(jacobian, rows, rows, 0, factor, np.zeros((3, _ATOMS), np.int64), index, blocks)
        tangents.pull_back(np.zeros((_ATOMS, 3)), index, blocks, _values_room())
        tangents.push_forward(_values_room(), index, blocks, np.empty((3, _COLUMNS)), np.empty((_ATOMS, 3)))


def _symmetric(threads: int) -> None:
    """The covariance of a Kalman filter."""
    rows = symmetric.ROWS
    arguments = (np.zeros(rows * rows), np.array([0, 0, 0, rows]), np.zeros(rows * LANES))
    _run(threads, symmetric.times_range, symmetric.times, arguments, (np.zeros((_ATOMS, rows * LANES)),))


def _lammps(threads: int) -> None:
    """Energies over lists of LAMMPS, called from C and from Python; without centres, which need the task "energies"."""
    if threads != 1:
        return
    sample, none = _sample(), np.empty(0, np.int32)
    atoms = lammps.Atoms(np.empty((0, 3)), none, np.zeros(2, np.int64), none, none, np.empty(0, np.int64))
    sums = lammps.Sums(np.empty((0, 3)), np.empty(0), np.empty((0, 6)), np.zeros(3, np.int64))
    lammps.add_forces(0, sample.tables, sample.packed, atoms, 1.0, sums)
    _jit.callback(lammps.entry, lammps.SIGNATURE)


def _md(threads: int) -> None:
    """Steps of molecular dynamics, none of them done: what they call by its address has tasks of its own."""
    if threads != 1:
        return
    sample = _sample()
    whole, matrix = np.zeros((_ATOMS, 3), np.int64), np.eye(3)
    counts, images, numbers = np.zeros((2, 4, 3), np.int64), np.zeros(_ATOMS, np.int32), np.zeros(_ATOMS, np.int64)
    search = cells.Search(counts, numbers, images, np.zeros(8), np.zeros(3), whole, numbers, 0, 1.0, 0.0, 1.0)
    lists = md.Lists(search, whole, _rows(), _rows(), matrix, matrix, 1.0, 0.1)
    gradient, sums, atoms = np.zeros((_PAIRS, 3)), np.zeros((_ATOMS, 12)), (np.empty(_ATOMS), numbers)
    start, reverse = sample.neighbors.start, sample.reverse
    loops = (
        ((np.zeros(8), _rows(), start, images), (np.zeros(3),)),
        ((sample.tables, sample.packed, sample.neighbors), (_values_room(), *atoms, gradient, sums)),
        ((start, reverse, gradient, sums), (_rows(),)),
    )
    nothing = Loop(0, (), 0, ())
    first, second, third = (make_loop((), 1, arguments, _ATOMS, results, nothing) for arguments, results in loops)
    motion = integrators.Motion(_rows(), _rows(), _rows(), *(matrix,) * 4, np.zeros((3, 0)), np.zeros(2))
    kinds = 1.0, integrators.NONE, integrators.RIGID, 0.0, 0.0, 0, 0.0, _ATOMS, False, 0.0, 0.0
    scheme = integrators.Scheme(np.ones(_ATOMS), np.ones(_ATOMS), *kinds, matrix)
    limits = md.Limits(1.0, -1, 1.0, matrix, np.zeros((3, 2)), np.zeros((3, 2)))
    state, rows = np.zeros(6, np.int64), np.empty((1, 12))
    room = md.Forces(first, second, None, third, _values_room(), *atoms, sums)
    md.observe(motion, scheme, state, rows[0])
    md.advance(motion, scheme, lists, room, limits, md.Course(state, 0, 1), np.random.default_rng(0), rows)


def _mc(threads: int) -> None:
    """Energies of chosen atoms; and moves, none of which is made."""
    sample = _sample()
    model, lanes = (sample.tables, sample.packed, sample.neighbors), LANES
    arguments = (*model, sample.centers, lanes)
    loops = chosen_energies.energies_range, chosen_energies.energies
    _run(threads, *loops, arguments, (np.empty(_ATOMS), np.empty(_ATOMS, np.int64)))
    chosen_energies.lanes_needed(sample.tables, sample.neighbors)
    pack, numbers = np.zeros((2, 2), np.int64), np.zeros(_ATOMS + 1, np.int64)
    moves = monte_carlo.Moves(np.zeros(1, monte_carlo.MOVE).view(np.recarray), numbers)
    moves.table.kind = monte_carlo.VOLUME
    chain = monte_carlo.Chain(_rows(), numbers, np.zeros(3), numbers, np.zeros(1), pack, np.ones(1))
    wraps, images = np.zeros((_ATOMS, 3), np.int64), np.zeros(_PAIRS, np.int32)
    places = cells_pairs.Places(np.eye(3), wraps, _rows(), images, np.zeros(8))
    listed = monte_carlo.Listed(sample.reverse, places, _rows(), 1.0, 1.0, lanes)
    room = monte_carlo.Room(numbers, numbers, np.zeros(3), numbers, np.zeros((2, 3)), numbers[:2], numbers[:2])
    course, uniforms = monte_carlo.Course(0, 1.0, 1.0, 0, 0), np.zeros((_ATOMS, monte_carlo.UNIFORMS))
    walk = (*model, listed, moves, chain, room, course, uniforms)
    _run(threads, monte_carlo.walk_range, monte_carlo.walk, walk, (np.zeros(2, np.int64),))
    monte_carlo.choose(moves, 0.0)
    monte_carlo.thermal_energy(course, 0)
    monte_carlo.is_accepted(0.0, uniforms[0])
    monte_carlo.count(moves, chain, course, 0, 0, True)


def _rows() -> FloatArray:
    return np.zeros((_ATOMS, 3))


TASKS = {
    "energies": Task(20.0, _energies),
    "jacobian": Task(17.0, _jacobian),
    "lammps": Task(4.0, _lammps),
    "pairs": Task(14.0, _pairs),
    "values": Task(10.0, _values),
    "vjp": Task(10.0, _vjp),
    "jvp": Task(8.0, _jvp),
    "forces": Task(2.0, _forces),
    "md": Task(8.0, _md),
    "mc": Task(25.0, _mc),
    "networks": Task(4.0, _networks),
    "tangents": Task(3.0, _tangents),
    "symmetric": Task(2.0, _symmetric),
    "mixed energies": Task(20.0, partial(_energies, precision=MIXED)),
    "mixed values": Task(10.0, partial(_values, precision=MIXED)),
    "mixed vjp": Task(10.0, partial(_vjp, precision=MIXED)),
}

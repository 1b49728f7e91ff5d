"""What there is to compile: each task calls its kernels once, with small arrays of the types that they always get.

Tasks are apart in that no kernel belongs to two of them, so that processes can work on them at the same time. That is
why the arrays here are made by hand: the pair search would be compiled with every task otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastsf.compilation.pcsf_tasks import PAIR_TASKS, pair_loops
from fastsf.compilation.sample import (
    ATOMS,
    COLUMNS,
    PAIRS,
    Task,
    atom_rows,
    pair_gradients,
    run_alone,
    sample,
    values_room,
)
from fastsf.kernels import _jit
from fastsf.kernels.acsf import jacobian as acsf_jacobian
from fastsf.kernels.acsf import jvp as acsf_jvp
from fastsf.kernels.dynamics import integrators, lammps, md, monte_carlo
from fastsf.kernels.energies import chosen_energies
from fastsf.kernels.networks import feedforward, symmetric, tangents
from fastsf.kernels.pairs import cells, forces
from fastsf.kernels.pairs import lists as cells_pairs
from fastsf.kernels.pointers import Loop
from fastsf.kernels.sharing import ALONE, make_workers
from fastsf.kernels.vector.simd import LANES
from fastsf.neighbors.all_pairs import AllPairs
from fastsf.neighbors.pairs import Pairs
from fastsf.potentials.precision import DOUBLE, MIXED, kernel_set
from fastsf.structure import Structure


def _threads() -> None:
    """What shares items among threads."""
    make_workers(2)


def _pairs() -> None:
    """Search for pairs."""
    sites = np.argwhere(np.ones((2, 2, 2)))
    Pairs.build(Structure.from_arrays(sites, 2 * np.eye(3), True, np.ones(len(sites), np.int64)), 1.1, threads=1)


def _moving() -> None:
    """Pairs of atoms that move, and reverse pairs."""
    few, whole = sample(), np.zeros((ATOMS, 3), np.int64)
    start, neighbor, vectors, _ = few.neighbors
    cells_pairs.farthest_move(atom_rows(), atom_rows())
    cells_pairs.move_images(_search(), whole, atom_rows(), np.eye(3), atom_rows())
    places = np.zeros(8), atom_rows(), start, np.zeros(PAIRS, np.int32)
    run_alone(cells_pairs.refresh_range, places, (_padded(vectors),))
    run_alone(cells_pairs.reverse_range, (start, _padded(neighbor), _padded(vectors)), (np.empty(PAIRS, np.int64),))


def _search() -> cells.Search:
    """Of pairs between no images."""
    counts, images, numbers = np.zeros((2, 4, 3), np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64)
    return cells.Search(
        counts, numbers, images, np.zeros(8), np.zeros(3), np.zeros((0, 3), np.int64), numbers, 0, 1.0, 0.0, 1.0
    )


def _padded(array: Any) -> Any:
    """All numbers of an array, as kernels read and write them."""
    return np.concatenate([array.reshape(-1), np.zeros(LANES, array.dtype)])


def _values(precision: str = DOUBLE) -> None:
    few, acsf = sample(), kernel_set(precision).acsf
    arguments = (few.tables, few.neighbors, few.centers)
    run_alone(acsf.values_range, arguments, (values_room(),))


def _jacobian() -> None:
    few = sample()
    arguments = (few.tables, few.neighbors, few.centers)
    entries = np.zeros(ATOMS, np.int64)
    run_alone(acsf_jacobian.count_range, arguments, (entries,))
    start = np.concatenate([[0], np.cumsum(entries)])
    rows = np.empty(start[-1], np.int32), np.empty(start[-1], np.int32)
    target = acsf_jacobian.Jacobian(start, *rows, np.empty(3 * start[-1]))
    run_alone(acsf_jacobian.jacobian_range, arguments, (target, values_room()))


def _vjp(precision: str = DOUBLE) -> None:
    few, acsf_vjp = sample(), kernel_set(precision).acsf_vjp
    arguments = (few.tables, few.neighbors, few.centers)
    results = (values_room()[:, None], np.zeros((1, PAIRS, 3)), np.zeros((1, ATOMS, 12)))
    run_alone(acsf_vjp.vjp_range, arguments, results)


def _jvp() -> None:
    few = sample()
    arguments = (few.tables, few.neighbors, few.centers)
    results = (np.zeros((PAIRS, 3)), values_room())
    run_alone(acsf_jvp.jvp_range, arguments, results)


def _networks() -> None:
    few = sample()
    few.network.gradient(values_room())
    arguments = (few.packed, values_room(), few.neighbors.species)
    results = (np.empty(ATOMS), values_room(), np.empty(ATOMS, np.int64))
    run_alone(feedforward.predict_range, arguments, results)


def _energies(precision: str = DOUBLE) -> None:
    few, energies = sample(), kernel_set(precision).energies
    arguments = (few.tables, few.packed, few.neighbors)
    atoms = (np.empty(ATOMS), np.empty(ATOMS, np.int64))
    results = (values_room(), *atoms, *pair_gradients())
    run_alone(energies.energies_range, arguments, results)


def _forces() -> None:
    """Sums of the pairs' gradients over the atoms; and the pairs of molecules, which only potentials look for so."""
    few = sample()
    arguments = (few.neighbors.start, few.reverse, *pair_gradients())
    run_alone(forces.gather_range, arguments, (np.empty((ATOMS, 3)),))
    AllPairs.build(few.structure, 1.5)


def _tangents() -> None:
    """Derivatives as dense blocks, which one thread makes for each structure."""
    rows, start, index = np.arange(ATOMS), np.array([0, 0, 0, 1]), np.zeros((ATOMS, 2), np.int64)
    column, atom = np.zeros(1, np.int32), np.zeros(1, np.int32)
    tangents.count_centers(start, atom, rows, rows, 0, np.zeros(ATOMS, np.int64), np.empty(ATOMS, np.int64))
    for dtype in (np.float32, np.float64):
        blocks, factor = np.zeros((ATOMS, 2, 3, COLUMNS), dtype), np.ones(COLUMNS)
        jacobian = (start, column, atom, np.zeros((1, 3)))
        tangents.fill_blocks(jacobian, rows, rows, 0, factor, np.zeros((3, ATOMS), np.int64), index, blocks)
        tangents.pull_back(np.zeros((ATOMS, 3)), index, blocks, values_room())
        tangents.push_forward(values_room(), index, blocks, np.empty((3, COLUMNS)), np.empty((ATOMS, 3)))


def _symmetric() -> None:
    """The covariance of a Kalman filter."""
    rows = symmetric.ROWS
    arguments = (np.zeros(rows * rows), np.array([0, 0, 0, rows]), np.zeros(rows * LANES))
    run_alone(symmetric.times_range, arguments, (np.zeros((ATOMS, rows * LANES)),))


def _lammps() -> None:
    """Energies over lists of LAMMPS, called from C and from Python; without centres, which need the task "energies"."""
    few, none = sample(), np.empty(0, np.int32)
    atoms = lammps.Atoms(np.empty((0, 3)), none, np.zeros(2, np.int64), none, none, np.empty(0, np.int64))
    sums = lammps.Sums(np.empty((0, 3)), np.empty(0), np.empty((0, 6)), np.zeros(3, np.int64))
    lammps.add_forces(0, few.tables, few.packed, atoms, 1.0, sums)
    _jit.callback(lammps.entry, lammps.SIGNATURE)


def _md(pairs: Callable[[], md.PCSFLoops] | None = None) -> None:
    """Steps of molecular dynamics, none of them done: what they call by its address has tasks of its own."""
    few = sample()
    whole, matrix = np.zeros((ATOMS, 3), np.int64), np.eye(3)
    images, numbers = np.zeros(PAIRS, np.int32), np.zeros(ATOMS, np.int64)
    lists = md.Lists(_search(), whole, atom_rows(), atom_rows(), matrix, matrix, 1.0, 0.1)
    gradient, sums, atoms = *pair_gradients(), (np.empty(ATOMS), numbers)
    start, reverse = few.neighbors.start, few.reverse
    items = 0, ATOMS, ALONE
    loops = (
        (np.zeros(8), atom_rows(), start, images, *items, np.zeros(3)),
        (few.tables, few.packed, few.neighbors, *items, values_room(), *atoms, gradient, sums),
        (start, reverse, gradient, sums, *items, atom_rows()),
    )
    first, second, third = (Loop(0, arguments) for arguments in loops)
    motion = integrators.Motion(atom_rows(), atom_rows(), atom_rows(), *(matrix,) * 4, np.zeros((3, 0)), np.zeros(2))
    kinds = 1.0, integrators.NONE, integrators.RIGID, 0.0, 0.0, 0, 0.0, ATOMS, False, 0.0, 0.0
    scheme = integrators.Scheme(np.ones(ATOMS), np.ones(ATOMS), *kinds, matrix)
    limits = md.HaltLimits(1.0, -1, 1.0, matrix, np.zeros((3, 2)), np.zeros((3, 2)))
    state, rows = np.zeros(6, np.int64), np.empty((1, 12))
    room = md.Forces(first, second, None if pairs is None else pairs(), third, values_room(), *atoms, sums)
    md.observe(motion, scheme, state, rows[0])
    md.advance(motion, scheme, lists, room, limits, md.Schedule(state, 0, 1), np.random.default_rng(0), rows)


def _mc() -> None:
    """Energies of chosen atoms; and moves, none of which is made."""
    few = sample()
    model, lanes = (few.tables, few.packed, few.neighbors), LANES
    arguments = (*model, few.centers, lanes)
    run_alone(chosen_energies.energies_range, arguments, (np.empty(ATOMS), np.empty(ATOMS, np.int64)))
    chosen_energies.lanes_needed(few.tables, few.neighbors)
    pack, numbers = np.zeros((2, 2), np.int64), np.zeros(ATOMS + 1, np.int64)
    moves = monte_carlo.Moves(np.zeros(1, monte_carlo.MOVE).view(np.recarray), numbers)
    moves.table.kind = monte_carlo.VOLUME
    chain = monte_carlo.Chain(atom_rows(), numbers, np.zeros(3), numbers, np.zeros(1), pack, np.ones(1))
    wraps, images = np.zeros((ATOMS, 3), np.int64), np.zeros(PAIRS, np.int32)
    places = cells_pairs.ImagePositions(np.eye(3), wraps, atom_rows(), images, np.zeros(8))
    listed = monte_carlo.Listed(few.reverse, places, atom_rows(), 1.0, 1.0, lanes)
    room = monte_carlo.Trial(numbers, numbers, np.zeros(3), numbers, np.zeros((2, 3)), numbers[:2], numbers[:2])
    course, uniforms = monte_carlo.Stage(0, 1.0, 1.0, 0, 0), np.zeros((ATOMS, monte_carlo.UNIFORMS))
    walk = monte_carlo.Walk(few.neighbors, listed, moves, chain, room, course)
    run_alone(monte_carlo.walk_range, (few.tables, few.packed, walk, uniforms), (np.zeros(2, np.int64),))
    monte_carlo.choose(moves, 0.0)
    monte_carlo.thermal_energy(course, 0)
    monte_carlo.is_accepted(0.0, uniforms[0])
    monte_carlo.count(moves, chain, course, 0, 0, True)


TASKS = {
    "threads": Task(0.7, _threads),
    "energies": Task(28.0, _energies),
    "jacobian": Task(20.0, _jacobian),
    "lammps": Task(5.0, _lammps),
    "pairs": Task(7.0, _pairs),
    "moving": Task(1.5, _moving),
    "values": Task(15.0, _values),
    "vjp": Task(16.0, _vjp),
    "jvp": Task(11.0, _jvp),
    "forces": Task(2.0, _forces),
    "md": Task(10.0, _md),
    "mc": Task(26.0, _mc),
    "networks": Task(2.5, _networks),
    "tangents": Task(2.0, _tangents),
    "symmetric": Task(1.0, _symmetric),
    "mixed energies": Task(28.0, partial(_energies, precision=MIXED)),
    "mixed values": Task(15.0, partial(_values, precision=MIXED)),
    "mixed vjp": Task(16.0, partial(_vjp, precision=MIXED)),
    **PAIR_TASKS,
    "pair md": Task(18.0, partial(_md, pair_loops)),
}

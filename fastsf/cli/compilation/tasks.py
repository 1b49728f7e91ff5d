"""Tasks of compilation: functions that call kernels once, with arguments of the types that they always get.

Most of them evaluate an empty list of structures, for which no pairs are searched. No expensive kernel belongs to two
tasks, so that processes can work on them at the same time. Where kernels are called by others, their arguments are
made here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from ase import Atoms

from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.pcsf import PCSF
from fastsf.descriptors.products import gathered
from fastsf.kernels import _jit
from fastsf.kernels.acsf.tables import SUMS, Neighbors
from fastsf.kernels.dynamics import lammps, md, monte_carlo
from fastsf.kernels.energies import chosen_energies
from fastsf.kernels.networks import tangents
from fastsf.kernels.pairs import cells
from fastsf.kernels.pairs import lists as pair_lists
from fastsf.kernels.pcsf import rows as pcsf_rows
from fastsf.kernels.pointers import Loop
from fastsf.kernels.sharing import ALONE, make_workers
from fastsf.mc.conditions import Conditions
from fastsf.mc.moves import VolumeChange, pack
from fastsf.md.integrators import NVE
from fastsf.md.limits import MDLimits
from fastsf.md.pcsf_loops import make_pcsf_loops
from fastsf.md.setup import make_motion, make_scheme
from fastsf.neighbors.all_pairs import AllPairs
from fastsf.neighbors.pairs import Pairs
from fastsf.potentials.evaluation import Evaluator
from fastsf.potentials.network import Network
from fastsf.potentials.pcsf_energies import PCSFEnergies
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.potential import Potential
from fastsf.potentials.precision import DOUBLE, MIXED
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry.atoms import G2
from fastsf.symmetry.factors import Cutoff
from fastsf.symmetry.pcsf import PairRadial
from fastsf.training.optimizers.covariance import Covariance


@cache
def _network() -> Network:
    return Network([np.zeros((1, 2)), np.zeros((2, 1))], [np.zeros(2), np.zeros(1)], ("tanh", "linear"))


@cache
def _potential() -> Potential:
    """Return a potential of hydrogen with one symmetry function of atoms and one of pairs, which has no sums."""
    ones = np.ones(1)
    scaling = Scaling("none", 0.0, 1.0, 0 * ones, ones, 0 * ones, ones)
    pcsf = PCSF([PairRadial(("H", "H"), Cutoff(1.5))], threads=1)
    term = PairTerm(pcsf, {"H-H": _network()}, {"H-H": scaling})
    return Potential(ACSF([G2("H", "H", 1.0, 1.5)], threads=1), {"H": _network()}, {"H": scaling}, pairs=term)


def _pcsf() -> PCSF:
    term = _potential().pairs
    assert term is not None
    return term.descriptor


@cache
def _evaluator(precision: str = DOUBLE) -> Evaluator:
    """Return an evaluator of no structures, by atom-centred functions alone."""
    potential = _potential()
    alone = Potential(potential.descriptor, potential.networks, potential.scalings, precision=precision)
    return Evaluator.concatenated(alone.model, [], threads=1)


@cache
def _pcsf_energies() -> PCSFEnergies:
    model = _potential().model.pairs
    assert model is not None
    return PCSFEnergies(model, Pairs.concatenate([], 1.5, threads=1), np.empty(0, np.int64), threads=1)


def _atoms() -> Atoms:
    """Return two atoms in a cell."""
    return Atoms("H2", [[0, 0, 0], [0, 0, 1]], cell=2 * np.eye(3), pbc=True)


def _no_neighbors() -> Neighbors:
    """Return the neighbours of two atoms that have none."""
    return Neighbors(np.zeros(3, np.int64), np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros(2, np.int64))


# --- pairs ---


def _pairs() -> None:
    structure = Structure.from_atoms(_atoms().repeat(2))
    pairs = Pairs.build(structure, 1.1, skin=0.5, threads=1)
    pairs.update(structure.positions)
    assert len(pairs.reverse) == len(pairs)


def _forces() -> None:
    """Sum up gradients over pairs, and find pairs of molecules, which only potentials do."""
    AllPairs.build(Structure.from_atoms(_atoms()), 1.1)
    gathered(Pairs.concatenate([], 1.5, threads=1), np.zeros((0, 3)), np.zeros((0, SUMS)), 1)


# --- symmetry functions and energies ---


def _vjp(precision: str = DOUBLE) -> None:
    _evaluator(precision).chain(np.zeros((0, 1, 1)))


def _values(precision: str = DOUBLE) -> None:
    _evaluator(precision).values()


def _energies(precision: str = DOUBLE) -> None:
    _evaluator(precision).evaluate()


def _networks() -> None:
    evaluator = _evaluator()
    _network().gradient(np.zeros((1, 1)))
    evaluator.predict(evaluator.model.networks, np.zeros((0, 1)))


def _pcsf_rows() -> None:
    energies = _pcsf_energies()
    arguments = _pcsf().packed.tables, energies.neighbors, energies.rows.kernel_rows, np.empty((0, 0))
    pcsf_rows.collect_range(*arguments, 0, 0, ALONE, np.zeros((0, 1, 0)))


def _pcsf_vjp() -> None:
    _pcsf_energies().chain(np.zeros((0, 1)), np.zeros(0), np.zeros((0, 3)), np.zeros((0, SUMS)))


def _pcsf_shares() -> None:
    energies, model = _pcsf_energies(), _potential().model.pairs
    assert model is not None
    energies.share(energies.predict(model, np.zeros((0, 1))), np.zeros(0), np.zeros(0, np.int64))


# --- training ---


def _tangents() -> None:
    """Multiply derivatives as dense blocks, in both precisions."""
    rows, index, ints = np.arange(2), np.zeros((2, 1), np.int64), np.zeros(2, np.int64)
    start, column, atom = np.zeros(3, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32)
    tangents.count_centers(start, atom, rows, rows, 0, ints, ints.copy())
    for dtype in (np.float32, np.float64):
        blocks, factor = np.zeros((2, 1, 3, 1), dtype), np.ones(1)
        jacobian = start, column, atom, np.zeros((0, 3))
        tangents.fill_blocks(jacobian, rows, rows, 0, factor, np.zeros((3, 2), np.int64), index, blocks)
        tangents.pull_back(np.zeros((2, 3)), index, blocks, np.zeros((2, 1)))
        tangents.push_forward(np.zeros((2, 1)), index, blocks, np.empty((3, 1)), np.empty((2, 3)))


# --- simulations ---


def _lammps() -> None:
    """Compile the loops over the lists of LAMMPS, for Python and for C; they call the energies by address."""
    none, model = np.empty(0, np.int32), _potential().model
    atoms = lammps.Atoms(np.empty((0, 3)), none, np.zeros(2, np.int64), none, none, np.empty(0, np.int64))
    sums = lammps.Sums(np.empty((0, 3)), np.empty(0), np.empty((0, 6)), np.zeros(3, np.int64))
    lammps.add_forces(0, model.descriptor.tables, model.networks, atoms, 1.0, sums)
    _jit.callback(lammps.entry, lammps.SIGNATURE)


def _no_search() -> cells.Search:
    """Return a search without images."""
    counts, images, numbers = np.zeros((2, 4, 3), np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64)
    shift = np.zeros((0, 3), np.int64)
    return cells.Search(counts, numbers, images, np.zeros(8), np.zeros(3), shift, numbers, 0, 1.0, 0.0, 1.0)


def _pcsf_loops(filled: tuple[Any, ...]) -> md.PCSFLoops:
    """Return the loops of pair-centred functions without addresses of kernels."""
    model = _potential().model.pairs
    assert model is not None
    before = md.PCSFLoops(*(Loop(0, ()),) * 8, *(np.empty((0, 0)),) * 3)
    return make_pcsf_loops(model, _pcsf_energies().rows.kernel_rows, _no_neighbors(), filled, 1, before)


def _md(with_pcsf: bool = False) -> None:
    """Compile the steps, which call other kernels by address, and do none."""
    atoms, model, n = _atoms(), _potential().model, 2
    scheme = make_scheme(NVE(), atoms, np.zeros(n, np.bool_), None, 1.0)
    structure, matrix, images = Structure.from_atoms(atoms), np.eye(3), np.zeros(0, np.int32)
    motion = make_motion(NVE(), structure, atoms.get_momenta(), scheme)
    points, wraps = motion.positions.copy(), np.zeros((n, 3), np.int64)
    lists = md.Lists(_no_search(), wraps, points, points.copy(), matrix, matrix.copy(), 1.0, 0.1)
    neighbors, items = _no_neighbors(), (0, n, ALONE)
    results = np.zeros((n, 1)), np.empty(n), np.empty(n, np.int64)
    gradient, sums = np.zeros((0, 3)), np.zeros((n, SUMS))
    vectors = Loop(0, (np.zeros(8), points, neighbors.start, images, *items, np.zeros(0)))
    energies = Loop(0, (model.descriptor.tables, model.networks, neighbors, *items, *results, gradient, sums))
    gather = Loop(0, (neighbors.start, np.zeros(0, np.int64), gradient, sums, *items, points.copy()))
    pcsf = _pcsf_loops((*results[1:], gradient, sums)) if with_pcsf else None
    forces = md.Forces(vectors, energies, pcsf, gather, *results, sums)
    schedule, rows = md.Schedule(np.zeros(6, np.int64), 0, 1), np.empty((1, md.OBSERVED))
    md.observe(motion, scheme, schedule.counts, rows[0])
    limits = MDLimits().packed(structure, int(scheme.freedom))
    md.advance(motion, scheme, lists, forces, limits, schedule, np.random.default_rng(0), rows)


def _mc() -> None:
    """Compile energies of chosen atoms, and moves, of which the first ends the walk."""
    n, model, neighbors = 2, _potential().model, _no_neighbors()
    tables, networks, numbers = model.descriptor.tables, model.networks, np.zeros(n + 1, np.int64)
    lanes = chosen_energies.lanes_needed(tables, neighbors)
    energies, outside = np.empty(n), np.empty(n, np.int64)
    chosen_energies.energies_range(tables, networks, neighbors, np.arange(n), lanes, 0, n, ALONE, energies, outside)
    moves, steps = pack([VolumeChange()], np.ones(n, np.int64), np.ones(n, np.bool_), 1.0)
    points = np.zeros((n, 3))
    chain = monte_carlo.Chain(points, np.arange(n), energies, outside, np.zeros(1), np.zeros((1, 2), np.int64), steps)
    wraps, images = np.zeros((n, 3), np.int64), np.zeros(0, np.int32)
    positions = pair_lists.ImagePositions(np.eye(3), wraps, points.copy(), images, np.zeros(8))
    listed = monte_carlo.Listed(np.zeros(0, np.int64), positions, points.copy(), 1.0, 1.0, lanes)
    trial = monte_carlo.Trial(numbers, numbers, energies, outside, np.zeros((2, 3)), numbers[:2], numbers[:2])
    stage = Conditions((300.0, 300.0), 0, 0.0, 0, 1, 1.0).stage(0)
    walk, uniforms = (
        monte_carlo.Walk(neighbors, listed, moves, chain, trial, stage),
        np.zeros((1, monte_carlo.UNIFORMS)),
    )
    monte_carlo.walk_range(tables, networks, walk, uniforms, 0, 1, ALONE, np.zeros(2, np.int64))
    monte_carlo.choose(moves, 0.0)
    monte_carlo.thermal_energy(stage, 0)
    monte_carlo.is_accepted(0.0, uniforms[0])
    monte_carlo.count(moves, chain, stage, 0, 0, True)


TASKS: dict[str, Callable[[], object]] = {
    "threads": lambda: make_workers(2),
    "pairs": _pairs,
    "forces": _forces,
    "values": _values,
    "jacobian": lambda: _potential().descriptor.evaluate_batch([], jacobian=True),
    "vjp": _vjp,
    "jvp": lambda: _potential().descriptor.strain_derivatives([]),
    "networks": _networks,
    "tangents": _tangents,
    "symmetric": lambda: Covariance(1, 1.0).times(np.zeros((1, 2))),
    "energies": _energies,
    "md": _md,
    "mc": _mc,
    "lammps": _lammps,
    "mixed values": partial(_values, MIXED),
    "mixed vjp": partial(_vjp, MIXED),
    "mixed energies": partial(_energies, MIXED),
    "pcsf rows": _pcsf_rows,
    "pcsf values": lambda: _pcsf().evaluate_batch([]),
    "pcsf jacobian": lambda: _pcsf().evaluate_batch([], jacobian=True),
    "pcsf vjp": _pcsf_vjp,
    "pcsf jvp": lambda: _pcsf().strain_derivatives([]),
    "pcsf energies": _pcsf_shares,
    "pcsf md": partial(_md, with_pcsf=True),
}
"""Function for each of `fastsf.cli.compilation.compile.SECONDS`."""

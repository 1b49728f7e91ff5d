"""Energies and forces over the neighbour lists of LAMMPS, whose periodic images are atoms of their own (ghosts).

E_i depends on the pair vectors of atom i alone, so that ghosts need no neighbours: what atom i adds to the forces on
its neighbours goes to ghosts too, and LAMMPS brings it to the atoms they stand for. The centres are worked on in blocks
whose pairs fit into the cache; the memory does not grow with the number of atoms.

`add_forces` takes arrays. `entry` is the same for C: a model comes as words, addresses and lengths of its arrays, so
that one compiled function serves all models. Both call `energies_range` by its address, and are compiled without it.
"""

from typing import NamedTuple

import numpy as np
from numba import carray, types

from fastsf.kernels._jit import allocator, kernel, njit
from fastsf.kernels.acsf.tables import CHANNEL, GROUP, RADIAL, ROW, SECTION, SHELL, TERM, WIDE, Neighbors, Tables
from fastsf.kernels.networks.networks import LAYER, Networks
from fastsf.kernels.pointers import address_of, call, int32s, pointer
from fastsf.kernels.sharing import ALONE

BLOCK = 256
"""Centres that are worked on together."""

NEIGHBOR_BITS = 0x1FFFFFFF
"""Of a number in a list: the neighbour. The bits above say what kind of neighbour it is."""

DONE = 1
"""Returned by `entry` if all went well. 0: an exception, which is numba's doing; -1 - i: see `add_forces`."""

WORDS = 3
"""Words for one field of a model: address and two lengths of an array, or a number."""

_TABLES_END = WORDS * len(Tables._fields)
_NETWORKS_END = _TABLES_END + WORDS * len(Networks._fields)
MODEL_WORDS = _NETWORKS_END + 1


class Atoms(NamedTuple):
    """What LAMMPS knows of n atoms, ghosts behind its own."""

    positions: np.ndarray  # (n, 3) float64, Å
    types: np.ndarray  # (n,) int32, from 1
    element: np.ndarray  # (types + 1,) int64: element index of a type
    centers: np.ndarray  # (m,) int32: atoms whose energies are wanted
    counts: np.ndarray  # (own,) int32: neighbours in the list of an own atom
    lists: np.ndarray  # (own,) int64: address of that list, of int32


class Sums(NamedTuple):
    """What is added to."""

    forces: np.ndarray  # (n, 3) float64
    energies: np.ndarray  # (n,) float64 of the atoms, or no entries where they are not wanted
    virials: np.ndarray  # (n, 6) float64 xx, yy, zz, xy, xz, yz of the atoms, or no entries
    counts: np.ndarray  # (3,) int64: functions outside the range of the training set, atoms that have such, atoms


class Block(NamedTuple):
    """Pairs and results of the centres of a block; neighbours are counted behind BLOCK places for the centres."""

    pairs: Neighbors
    values: np.ndarray  # (BLOCK, s) float64
    energies: np.ndarray  # (BLOCK,) float64, eV
    outside: np.ndarray  # (BLOCK,) int64
    gradient: np.ndarray  # (p, 3) float64, eV/Å
    sums: np.ndarray  # (BLOCK, 12) float64


def address_of_energies(energies_range, tables, networks):
    """Address of `energies_range`, in whichever precision, for `add_forces`."""
    integers, numbers, rows = np.zeros(2, np.int64), np.empty(1), np.empty((1, 3))
    pairs = Neighbors(integers, integers, rows, integers)
    return address_of(energies_range, (tables, networks, pairs, 0, 0, ALONE, rows, numbers, integers, rows, rows))


@njit
def add_forces(evaluate, tables, networks, atoms, unit, sums):
    """Add energies and forces of all centres.

    Parameters
    ----------
    evaluate : int
        From `address_of_energies`.
    tables, networks
        Symmetry functions and networks.
    atoms : Atoms
    unit : float
        Units of energy per eV.
    sums : Sums

    Returns
    -------
    energy : float
        Of all centres.
    wrong : int
        Centre whose position or energy is not finite, -1 if all are; nothing is added for its block and those behind.
    """
    block, r_max2, total = _make_block(networks, atoms), _longest(tables), 0.0
    for first in range(0, len(atoms.centers), BLOCK):
        size = min(BLOCK, len(atoms.centers) - first)
        wrong = _find_pairs(atoms, first, size, r_max2, block.pairs)
        if wrong >= 0:
            return total, wrong
        block.values[:] = 0.0
        pairs = Neighbors(block.pairs.start[: size + 1], block.pairs.neighbor, block.pairs.vector, block.pairs.species)
        results = block.values, block.energies, block.outside, block.gradient, block.sums
        call(evaluate, (tables, networks, pairs, np.int64(0), np.int64(size), np.int64(ALONE), *results))
        for k in range(size):
            if not np.isfinite(block.energies[k]):
                return total, np.int64(atoms.centers[first + k])
            total += unit * block.energies[k]
            _add_center(block, k, atoms.centers[first + k], unit, sums)
    return total, -1


@kernel
def _longest(tables):
    """Square of the longest cutoff."""
    longest = 0.0
    for shell in tables.shells:
        longest = max(longest, shell.r_max)
    return longest * longest


@allocator
def _make_block(networks, atoms):
    """Room for the block with most neighbours; elements of all atoms."""
    m, n, most = len(atoms.centers), len(atoms.types), 0
    for first in range(0, m, BLOCK):
        listed = 0
        for k in range(first, min(first + BLOCK, m)):
            listed += atoms.counts[atoms.centers[k]]
        most = max(most, listed)
    species = np.zeros(BLOCK + n, np.int64)
    for i in range(n):
        species[BLOCK + i] = atoms.element[atoms.types[i]]
    pairs = Neighbors(np.zeros(BLOCK + 1, np.int64), np.empty(most, np.int64), np.empty((most, 3)), species)
    values = np.empty((BLOCK, networks.columns.max()))
    results = np.empty(BLOCK), np.empty(BLOCK, np.int64), np.empty((most, 3)), np.empty((BLOCK, 12))
    return Block(pairs, values, *results)


@kernel
def _find_pairs(atoms, first, size, r_max2, pairs):
    """List the neighbours of a block that are inside the cutoff; returns a centre without a place, or -1."""
    found = 0
    for k in range(size):
        i = np.int64(atoms.centers[first + k])
        x, y, z = atoms.positions[i, 0], atoms.positions[i, 1], atoms.positions[i, 2]
        if not np.isfinite(x + y + z):
            return i
        pairs.species[k] = pairs.species[BLOCK + i]
        listed = int32s(atoms.lists[i])
        for q in range(atoms.counts[i]):
            j = np.int64(listed[q] & NEIGHBOR_BITS)
            dx, dy, dz = atoms.positions[j, 0] - x, atoms.positions[j, 1] - y, atoms.positions[j, 2] - z
            pairs.neighbor[found] = BLOCK + j
            pairs.vector[found, 0], pairs.vector[found, 1], pairs.vector[found, 2] = dx, dy, dz
            found += dx * dx + dy * dy + dz * dz < r_max2
        pairs.start[k + 1] = found
    return -1


@kernel
def _add_center(block, k, i, unit, sums):
    """Add what the energy of one centre, atom i, gives."""
    pairs, own, forces = block.pairs, block.sums[k], sums.forces
    for p in range(pairs.start[k], pairs.start[k + 1]):
        j = pairs.neighbor[p] - BLOCK
        for c in range(3):
            forces[j, c] -= unit * block.gradient[p, c]
    for c in range(3):
        forces[i, c] += unit * own[c]
    if len(sums.energies) > 0:
        sums.energies[i] += unit * block.energies[k]
    if len(sums.virials) > 0:
        for c in range(3):
            sums.virials[i, c] -= unit * own[3 + 4 * c]
        sums.virials[i, 3] -= 0.5 * unit * (own[4] + own[6])
        sums.virials[i, 4] -= 0.5 * unit * (own[5] + own[9])
        sums.virials[i, 5] -= 0.5 * unit * (own[8] + own[10])
    sums.counts[0] += block.outside[k]
    sums.counts[1] += block.outside[k] > 0
    sums.counts[2] += 1


# --- for C ---


@allocator
def _ints(words, field):
    at = WORDS * field
    return carray(pointer(words[at]), words[at + 1], np.int64)


@allocator
def _floats(words, field):
    at = WORDS * field
    return carray(pointer(words[at]), words[at + 1], np.float64)


@allocator
def _matrix(words, field):
    at = WORDS * field
    return carray(pointer(words[at]), (words[at + 1], words[at + 2]), np.float64)


@allocator
def _tables(words):
    """Tables whose fields are described from the first word on."""
    return Tables(
        _ints(words, 0),
        carray(pointer(words[3]), words[4], SHELL),
        carray(pointer(words[6]), words[7], SECTION),
        carray(pointer(words[9]), words[10], ROW),
        carray(pointer(words[12]), words[13], RADIAL),
        carray(pointer(words[15]), words[16], GROUP),
        carray(pointer(words[18]), words[19], WIDE),
        carray(pointer(words[21]), words[22], CHANNEL),
        carray(pointer(words[24]), words[25], TERM),
        carray(pointer(words[27]), words[28], TERM),
        _floats(words, 10),
        _floats(words, 11),
        _matrix(words, 12),
        words[39],
    )


@allocator
def _networks(words):
    """Networks whose fields are described from the first word on."""
    return Networks(
        _ints(words, 0),
        carray(pointer(words[3]), words[4], LAYER),
        _floats(words, 2),
        _matrix(words, 3),
        _matrix(words, 4),
        _matrix(words, 5),
        _matrix(words, 6),
        _matrix(words, 7),
        _ints(words, 8),
        _floats(words, 9),
        words[30:31].view(np.float64)[0],
        words[33],
        words[36],
    )


_INTS, _INT32S, _FLOATS = types.CPointer(types.int64), types.CPointer(types.int32), types.CPointer(types.float64)
SIGNATURE = types.int64(
    *(_INTS, _INTS),  # model, element
    *(types.int64, types.int64, types.int64, types.int64),  # kinds of atoms, n, own, m
    *(_INT32S, _FLOATS),  # types, positions
    *(_INT32S, _INT32S, _INTS),  # centers, counts, lists
    *(types.float64, types.int64, types.int64),  # unit, whether energies and virials of atoms are wanted
    *(_FLOATS, _FLOATS, _FLOATS, _FLOATS, _INTS),  # energy, forces, energies, virials, counts
)
"""Of `entry`; `PairFastsf` in fastsf/lammps/pair_fastsf.cpp has it as a type of C++."""


def entry(
    model, element, kinds, n, own, m, types, positions, centers, counts, lists,
    unit, with_energies, with_virials, energy, forces, energies, virials, counted,
):  # fmt: skip
    """`add_forces` for C, the energy of all centres being added to energy[0]; compiled by `_jit.callback`.

    Words of the model: those of its tables and of its networks, field by field, and the address of `energies_range`.
    """
    words = carray(model, MODEL_WORDS)
    atoms = Atoms(
        carray(positions, (n, 3)),
        carray(types, n),
        carray(element, kinds + 1),
        carray(centers, m),
        carray(counts, own),
        carray(lists, own),
    )
    sums = Sums(
        carray(forces, (n, 3)),
        carray(energies, n if with_energies else 0),
        carray(virials, (n if with_virials else 0, 6)),
        carray(counted, 3),
    )
    tables, networks = _tables(words), _networks(words[_TABLES_END:])
    total, wrong = add_forces(words[_NETWORKS_END], tables, networks, atoms, unit, sums)
    carray(energy, 1)[0] += total
    return DONE if wrong < 0 else -1 - wrong

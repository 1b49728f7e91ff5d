"""Energies and forces over the neighbour lists of LAMMPS, whose periodic images are atoms of their own (ghosts).

E_i depends on the pair vectors of atom i alone, so that ghosts need no neighbours: what atom i adds to the forces on
its neighbours goes to ghosts too, and LAMMPS sends it to the atoms of which they are images. The centres are worked on
in blocks whose pairs fit into the cache; the memory does not grow with the number of atoms.

`add_forces` takes arrays. `entry` is the same for C: a model is a record of addresses and lengths of its arrays, so
that one compiled function serves all models. Both call `energies_range` by its address, and are compiled without it.
"""

from typing import NamedTuple

import numpy as np
from numba import carray, types

from fastsf.kernels._jit import allocator, kernel, njit
from fastsf.kernels.acsf.tables import (
    CHANNEL,
    GROUP,
    RADIAL,
    ROW,
    SECTION,
    SHELL,
    SUMS,
    TERM,
    VIRIAL,
    WIDE,
    Neighbors,
    Tables,
)
from fastsf.kernels.networks.feedforward import LAYER, Networks
from fastsf.kernels.pointers import address_of, call, int32s, pointer
from fastsf.kernels.sharing import ALONE

BLOCK = 256
"""Centres that are worked on together."""

NEIGHBOR_BITS = 0x1FFFFFFF
"""Mask of the neighbour in a number of a list. The bits above say what kind of neighbour it is."""

DONE = 1
"""Result of `entry` without error. 0: an exception, which numba returns so; -1 - i: see `add_forces`."""

_XX, _XY, _XZ, _YX, _YY, _YZ, _ZX, _ZY, _ZZ = range(VIRIAL, SUMS)

ARRAY = np.dtype([("address", np.int64), ("rows", np.int64), ("columns", np.int64)])
"""Location and shape of an array; arrays of one dimension have as many columns as rows."""


def _described(fields):
    """Return the record type that describes a NamedTuple of arrays and numbers, field by field."""
    numbers = {int: np.int64, float: np.float64}
    return np.dtype([(name, numbers.get(kind, ARRAY)) for name, kind in fields.__annotations__.items()])


MODEL = np.dtype([("tables", _described(Tables)), ("networks", _described(Networks)), ("energies", np.int64)])
"""Model for `entry`: its tables and networks, and the address of `energies_range`."""


class Atoms(NamedTuple):
    """Atoms of LAMMPS, n with the ghosts, which follow its own."""

    positions: np.ndarray  # (n, 3) float64, Å
    types: np.ndarray  # (n,) int32, from 1
    element: np.ndarray  # (types + 1,) int64: element index of a type
    centers: np.ndarray  # (m,) int32: atoms whose energies are wanted
    counts: np.ndarray  # (own,) int32: neighbours in the list of an own atom
    lists: np.ndarray  # (own,) int64: address of that list, of int32


class Sums(NamedTuple):
    """Results, which are added to."""

    forces: np.ndarray  # (n, 3) float64
    energies: np.ndarray  # (n,) float64 of the atoms, or no entries where they are not wanted
    virials: np.ndarray  # (n, 6) float64 xx, yy, zz, xy, xz, yz of the atoms, or no entries
    counts: np.ndarray  # (3,) int64: functions outside the range of the training set, atoms that have such, atoms


class CenterBlock(NamedTuple):
    """Pairs and results of the centres of a block; the indices of neighbours start after BLOCK indices of centres."""

    pairs: Neighbors
    values: np.ndarray  # (BLOCK, s) float64
    energies: np.ndarray  # (BLOCK,) float64, eV
    outside: np.ndarray  # (BLOCK,) int64
    gradient: np.ndarray  # (p, 3) float64, eV/Å
    sums: np.ndarray  # (BLOCK, SUMS) float64


def address_of_energies(energies_range, tables, networks):
    """Return the address of `energies_range`, in either precision, for `add_forces`."""
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
        Centre whose position or energy is not finite, -1 if all are; nothing is added for its block and later ones.
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
    """Return the square of the longest cutoff."""
    longest = 0.0
    for shell in tables.shells:
        longest = max(longest, shell.r_max)
    return longest * longest


@allocator
def _make_block(networks, atoms):
    """Return memory for the block with most neighbours, with the elements of all atoms."""
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
    results = np.empty(BLOCK), np.empty(BLOCK, np.int64), np.empty((most, 3)), np.empty((BLOCK, SUMS))
    return CenterBlock(pairs, values, *results)


@kernel
def _find_pairs(atoms, first, size, r_max2, pairs):
    """List the neighbours of a block that are inside the cutoff; return a centre without a position, or -1."""
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
    """Add energy, forces and virial of one centre, atom i."""
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
            sums.virials[i, c] -= unit * own[_XX + 4 * c]
        sums.virials[i, 3] -= 0.5 * unit * (own[_XY] + own[_YX])
        sums.virials[i, 4] -= 0.5 * unit * (own[_XZ] + own[_ZX])
        sums.virials[i, 5] -= 0.5 * unit * (own[_YZ] + own[_ZY])
    sums.counts[0] += block.outside[k]
    sums.counts[1] += block.outside[k] > 0
    sums.counts[2] += 1


# --- for C ---


@allocator
def _ints(array):
    return carray(pointer(array.address), array.rows, np.int64)


@allocator
def _floats(array):
    return carray(pointer(array.address), array.rows, np.float64)


@allocator
def _matrix(array):
    return carray(pointer(array.address), (array.rows, array.columns), np.float64)


@allocator
def _tables(model):
    """Return the tables of a model."""
    return Tables(
        shell_first=_ints(model.shell_first),
        shells=carray(pointer(model.shells.address), model.shells.rows, SHELL),
        sections=carray(pointer(model.sections.address), model.sections.rows, SECTION),
        rows=carray(pointer(model.rows.address), model.rows.rows, ROW),
        radials=carray(pointer(model.radials.address), model.radials.rows, RADIAL),
        groups=carray(pointer(model.groups.address), model.groups.rows, GROUP),
        wide=carray(pointer(model.wide.address), model.wide.rows, WIDE),
        channels=carray(pointer(model.channels.address), model.channels.rows, CHANNEL),
        terms=carray(pointer(model.terms.address), model.terms.rows, TERM),
        angles=carray(pointer(model.angles.address), model.angles.rows, TERM),
        weights=_floats(model.weights),
        powers=_floats(model.powers),
        legendre=_matrix(model.legendre),
        slots=model.slots,
    )


@allocator
def _networks(model):
    """Return the networks of a model."""
    return Networks(
        layer_first=_ints(model.layer_first),
        layers=carray(pointer(model.layers.address), model.layers.rows, LAYER),
        parameters=_floats(model.parameters),
        center=_matrix(model.center),
        factor=_matrix(model.factor),
        lowest=_matrix(model.lowest),
        minimum=_matrix(model.minimum),
        maximum=_matrix(model.maximum),
        columns=_ints(model.columns),
        offset=_floats(model.offset),
        scale=model.scale,
        nodes=model.nodes,
        depth=model.depth,
    )


_INTS, _INT32S, _FLOATS = types.CPointer(types.int64), types.CPointer(types.int32), types.CPointer(types.float64)
SIGNATURE = types.int64(
    *(types.voidptr, _INTS),  # model, element
    *(types.int64, types.int64, types.int64, types.int64),  # kinds of atoms, n, own, m
    *(_INT32S, _FLOATS),  # types, positions
    *(_INT32S, _INT32S, _INTS),  # centers, counts, lists
    *(types.float64, types.int64, types.int64),  # unit, whether energies and virials of atoms are wanted
    *(_FLOATS, _FLOATS, _FLOATS, _FLOATS, _INTS),  # energy, forces, energies, virials, counts
)
"""Signature of `entry`; `Callback` in fastsf/lammps/pair_fastsf.cpp is the same type in C++."""


def entry(
    model, element, kinds, n, own, m, types, positions, centers, counts, lists,
    unit, with_energies, with_virials, energy, forces, energies, virials, counted,
):  # fmt: skip
    """Call `add_forces` for C, and add the energy of all centres to energy[0]; compiled by `_jit.callback`.

    `model` is the address of a `MODEL`.
    """
    described = carray(model, 1, MODEL)[0]
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
    tables, networks = _tables(described.tables), _networks(described.networks)
    total, wrong = add_forces(described.energies, tables, networks, atoms, unit, sums)
    carray(energy, 1)[0] += total
    return DONE if wrong < 0 else -1 - wrong

"""Many steps of molecular dynamics in one call, as long as the list of pairs holds and nothing goes wrong."""

import math
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.acsf.tables import VIRIAL
from fastsf.kernels.dynamics.integrators import (
    POTENTIAL,
    RIGID,
    conserved_energy,
    first_half,
    kinetic_energy,
    largest_strain,
    pressure,
    second_half,
    volume,
)
from fastsf.kernels.pairs.lists import move_images, stretch_images
from fastsf.kernels.pointers import Loop, run_loop

DONE, OUTDATED, NOT_FINITE, HOT, EXTRAPOLATING, FAST, ESCAPED, CELL, BAROSTAT = range(9)
"""Ends of a call: all steps are done, the list of pairs is too old, or a halt."""

STEPS, PHASE, OUTSIDE, ROWS, SUBJECT, CURRENT = range(6)
"""Fields of `Schedule.counts`: steps done, next phase, extrapolations so far, rows written, the atom or axis of a halt,
and 1 if the pairs were found at the present positions."""

STEP, EXTRAPOLATIONS, ENERGY, KINETIC, CONSERVED, VOLUME, PRESSURE = range(7)
OBSERVED = PRESSURE + 6
"""Columns of what is observed, in the units of ASE: potential, kinetic and conserved energy among them; the last six
are the pressure tensor xx, yy, zz, yz, xz, xy. `OBSERVED` is their number."""

WHOLE, MOVED, NEW = range(3)
"""Phases: between two steps; in a step, with new positions and old forces; before the first forces."""

LARGEST_STRAIN = 0.05
"""Largest strain of a single step; with more, the time constant of a barostat is far too short."""


class Lists(NamedTuple):
    """Images of atoms, and the positions at which the pairs were found."""

    search: NamedTuple  # `cells.Search`
    wraps: np.ndarray  # (n, 3) int64
    wrapped: np.ndarray  # (n, 3) float64
    positions: np.ndarray  # (n, 3) float64
    inverse: np.ndarray  # (3, 3) float64: of the cell
    change: np.ndarray  # (3, 3) float64: scratch
    cutoff: float
    skin: float


class PCSFLoops(NamedTuple):
    """Loops that add energies of pairs and their gradients to those of atoms, and arrays that must be zero before."""

    sums: Loop  # of neighbours, over atoms
    values: Loop  # functions of the pairs that each atom owns
    networks: Loop  # over pairs
    finish: Loop  # how their energies end, over pairs
    share: Loop  # energies to atoms
    chain: Loop  # gradients with respect to vectors and sums of neighbours
    collect: Loop  # the latter, to atoms
    back: Loop  # from these to vectors
    summed: np.ndarray  # (n, t) float64
    functions: np.ndarray  # (m, s) float64
    collected: np.ndarray  # (n, 1, t) float64


class Forces(NamedTuple):
    """Loops over the atoms for energies and forces, and the arrays that these fill."""

    vectors: Loop  # of the pairs, from where images are
    energies: Loop
    pairs: PCSFLoops | None  # of a potential that has a term of pairs
    gather: Loop  # forces, with the opposite sign
    values: np.ndarray  # (n, s) float64
    each: np.ndarray  # (n,) float64: energies of the atoms
    outside: np.ndarray  # (n,) int64
    sums: np.ndarray  # (n, SUMS) float64


class HaltLimits(NamedTuple):
    """Limits beyond which a run halts."""

    energy: float  # kinetic
    outside: int  # extrapolations; -1 for any number
    move: float  # of an atom in a step
    normals: np.ndarray  # (3, 3) float64: of the faces at the start
    extent: np.ndarray  # (3, 2) float64: least and largest coordinates along them; infinite where periodic
    heights: np.ndarray  # (3, 2) float64: least and largest distances of faces; 0 and infinite where not periodic


class Schedule(NamedTuple):
    """Steps done and steps wanted."""

    counts: np.ndarray  # (6,) int64
    last: int  # step to stop at
    every: int  # observe at multiples of this


# --- pairs and forces ---


@kernel
def _measure_change(cell, lists):
    """Write E = (old cell)^-1 (cell) - 1 into `Lists.change`; return its Frobenius norm."""
    inverse, change, norm = lists.inverse, lists.change, 0.0
    for a in range(3):
        for b in range(3):
            change[a, b] = inverse[a, 0] * cell[0, b] + inverse[a, 1] * cell[1, b] + inverse[a, 2] * cell[2, b]
            change[a, b] -= 1.0 if a == b else 0.0
            norm += change[a, b] * change[a, b]
    return math.sqrt(norm)


@kernel
def _is_outdated(motion, lists):
    """Return true if a pair that is not in the list may be inside the cutoff.

    The cell has changed by 1 + E since then, and atoms have moved by d beside that. A pair that was longer than
    cutoff + skin is longer than (1 - |E|) (cutoff + skin) - 2 max |d| now.
    """
    before, now, change = lists.positions, motion.positions, lists.change
    slack = 0.5 * ((1 - _measure_change(motion.cell, lists)) * (lists.cutoff + lists.skin) - lists.cutoff)
    farthest = 0.0
    for i in range(len(now)):
        square = 0.0
        for c in range(3):
            d = now[i, c] - before[i, c]
            d -= before[i, 0] * change[0, c] + before[i, 1] * change[1, c] + before[i, 2] * change[2, c]
            square += d * d
        farthest = max(farthest, square)
    return slack < 0 or farthest > slack * slack


@kernel
def _add_up(motion, forces, counts):
    """Sum up energies, extrapolations and virials of the atoms, in their order."""
    energy, outside, virial, sums = 0.0, 0, motion.virial, forces.sums
    for a in range(3):
        for b in range(3):
            virial[a, b] = 0.0
    for i in range(len(sums)):
        energy += forces.each[i]
        outside += forces.outside[i]
        for a in range(3):
            for b in range(3):
                virial[a, b] -= sums[i, VIRIAL + 3 * a + b]
    motion.totals[POTENTIAL] = energy
    counts[OUTSIDE] += outside


@kernel
def _add_pairs(pairs):
    """Add energies and gradients of pairs, if there are any."""
    if pairs is not None:
        pairs.summed[:] = 0.0
        pairs.functions[:] = 0.0
        pairs.collected[:] = 0.0
        run_loop(pairs.sums)
        run_loop(pairs.values)
        run_loop(pairs.networks)
        run_loop(pairs.finish)
        run_loop(pairs.share)
        run_loop(pairs.chain)
        run_loop(pairs.collect)
        run_loop(pairs.back)


@kernel
def _evaluate(motion, scheme, lists, forces, counts):
    """Work out energies and forces at the present positions."""
    gradient, values = motion.forces, forces.values
    if scheme.barostat != RIGID:
        stretch_images(lists.search, lists.wraps, motion.cell)
    move_images(lists.search, lists.wraps, motion.positions, motion.cell, lists.wrapped)
    run_loop(forces.vectors)
    for i in range(len(values)):
        for s in range(values.shape[1]):
            values[i, s] = 0.0
    run_loop(forces.energies)
    _add_pairs(forces.pairs)
    run_loop(forces.gather)
    for i in range(len(gradient)):
        for c in range(3):
            gradient[i, c] = -gradient[i, c]
    _add_up(motion, forces, counts)


# --- halts ---


@kernel
def _check_moves(motion, scheme, limits):
    """Return the first atom that would move too far in the next step, or to NaN; -1 if there is none."""
    v, f, half, limit = motion.velocities, motion.forces, 0.5 * scheme.step, (limits.move / scheme.step) ** 2
    for i in range(len(v)):
        square = 0.0
        for c in range(3):
            speed = v[i, c] + half * f[i, c] * scheme.inverse[i]
            square += speed * speed
        if not square <= limit:
            return i
    return -1


@kernel
def _check_positions(positions, limits):
    """Return the first atom that has left the system along a direction without period; -1 if there is none."""
    normals, extent = limits.normals, limits.extent
    for k in range(3):
        if extent[k, 1] < math.inf:
            for i in range(len(positions)):
                x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
                along = x * normals[k, 0] + y * normals[k, 1] + z * normals[k, 2]
                if along < extent[k, 0] or along > extent[k, 1]:
                    return i
    return -1


@kernel
def height(cell, k):
    """Return the distance of the faces of a cell that vector k connects."""
    a, b = (k + 1) % 3, (k + 2) % 3
    x = cell[a, 1] * cell[b, 2] - cell[a, 2] * cell[b, 1]
    y = cell[a, 2] * cell[b, 0] - cell[a, 0] * cell[b, 2]
    z = cell[a, 0] * cell[b, 1] - cell[a, 1] * cell[b, 0]
    return volume(cell) / math.sqrt(x * x + y * y + z * z)


@kernel
def _check_cell(motion, limits):
    """Return the first vector along which a cell has become too thin or too thick; -1 if there is none."""
    for k in range(3):
        if not limits.heights[k, 0] <= height(motion.cell, k) <= limits.heights[k, 1]:
            return k
    return -1


@kernel
def _check(motion, scheme, limits, counts):
    """Return the reason to halt between two steps, or DONE."""
    if not abs(motion.totals[POTENTIAL]) < math.inf:
        return NOT_FINITE
    if kinetic_energy(motion, scheme) > limits.energy:
        return HOT
    if limits.outside >= 0 and counts[OUTSIDE] > limits.outside:
        return EXTRAPOLATING
    counts[SUBJECT] = _check_moves(motion, scheme, limits)
    if counts[SUBJECT] >= 0:
        return FAST
    counts[SUBJECT] = _check_positions(motion.positions, limits)
    if counts[SUBJECT] >= 0:
        return ESCAPED
    if scheme.barostat != RIGID:
        counts[SUBJECT] = _check_cell(motion, limits)
        if counts[SUBJECT] >= 0:
            return CELL
        if not largest_strain(motion, scheme, counts[STEPS]) < LARGEST_STRAIN:
            return BAROSTAT
    return DONE


# --- steps ---


@kernel
def _observe(motion, scheme, counts, row):
    """Write the columns of `OBSERVED`."""
    row[STEP], row[EXTRAPOLATIONS] = counts[STEPS], counts[OUTSIDE]
    row[ENERGY], row[KINETIC] = motion.totals[POTENTIAL], kinetic_energy(motion, scheme)
    row[CONSERVED], row[VOLUME] = conserved_energy(motion, scheme, counts[STEPS]), volume(motion.cell)
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        row[PRESSURE + a] = pressure(motion, scheme, a, a)
        row[PRESSURE + 3 + a] = pressure(motion, scheme, min(b, c), max(b, c))


@njit
def observe(motion, scheme, counts, row):
    """Write the columns of `OBSERVED` into a row."""
    _observe(motion, scheme, counts, row)


@njit
def advance(motion, scheme, lists, forces, limits, schedule, rng, rows):
    """Do steps until the last one wanted, until new pairs are needed, or until a halt; return which.

    Parameters
    ----------
    motion : Motion
    scheme : Scheme
    lists : Lists
    forces : Forces
    limits : HaltLimits
    schedule : Schedule
    rng : numpy.random.Generator
    rows : (r, OBSERVED) float64
        Written to; `Schedule.counts` has the index of the next row.
    """
    counts = schedule.counts
    while True:
        if counts[PHASE] == WHOLE:
            status = _check(motion, scheme, limits, counts)
            if status != DONE or counts[STEPS] >= schedule.last:
                return status
            first_half(motion, scheme, counts[STEPS], rng)
            counts[PHASE] = MOVED
        if counts[CURRENT] == 0 and _is_outdated(motion, lists):
            return OUTDATED
        counts[CURRENT] = 0
        _evaluate(motion, scheme, lists, forces, counts)
        if counts[PHASE] == MOVED:
            second_half(motion, scheme, counts[STEPS], rng)
            counts[STEPS] += 1
            if counts[STEPS] % schedule.every == 0:
                _observe(motion, scheme, counts, rows[counts[ROWS]])
                counts[ROWS] += 1
        counts[PHASE] = WHOLE

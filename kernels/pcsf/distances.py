"""Pair functions of the distance alone, and those that multiply sums over the neighbours of both atoms.

The sum over the neighbours k of atom i except its partner j is an atom-centred radial function, less F(Rij) if j is of
the element of k. So the cost of these functions per pair does not depend on the number of neighbours.
"""

import numpy as np

from fastsf.kernels._jit import allocator, kernel
from fastsf.kernels.acsf.environment import (
    FAR,
    R_INVERSE,
    R_SQUARED,
    R,
    X,
    Y,
    Z,
    coordinate,
    environment_of,
    fill_shell,
    lanes_of,
    near_lane,
    padded_size,
)
from fastsf.kernels.vector.simd import LANES, load_one, store_one

from .tables import NO_FACTOR, NO_SLOT, sum_column


@allocator
def make_rows_environment(tables, distances, rows):
    """Return scratch for the rows of any atom, and for their sums over neighbours (slots * lanes,)."""
    size = padded_size(rows.first, 1)
    return environment_of(distances, size), np.empty(max(tables.most_slots, 1) * size)


@kernel
def last_of_kind(rows, row, end):
    """Return the first row of another kind, at most `end`."""
    last = row
    while last < end and rows.kind[last] == rows.kind[row]:
        last += 1
    return last


@kernel
def prepare_rows(env, brackets, tables, distances, neighbors, rows, center, sums, begin, end, slopes):
    """Write factors of the distance and sums over neighbours of rows begin ... end - 1 of one atom and kind."""
    _gather_rows(env, neighbors, rows, begin, end)
    kind = rows.kind[begin]
    fill_shell(env, distances.shells[distances.shell_first[kind]], distances, env.first[1], slopes)
    size, first = lanes_of(env), tables.slot_first[kind]
    for m in range(tables.slot_first[kind + 1] - first):
        slot = tables.slots[first + m]
        for k in range(end - begin):
            j = neighbors.neighbor[rows.pair[begin + k]]
            own, other = neighbors.species[center], neighbors.species[j]
            total = sums[center, sum_column(slot, own, other)] + sums[j, sum_column(slot, other, own)]
            brackets[m * size + k] = total - slot.partners * load_one(env.factor, slot.factor * size + k)


@kernel
def _gather_rows(env, neighbors, rows, begin, end):
    near, count = env.near, end - begin
    lanes = (count + LANES - 1) // LANES * LANES
    env.count[0], env.first[0], env.first[1] = count, 0, lanes
    for k in range(count):
        p, base = rows.pair[begin + k], near_lane(k)
        x, y, z = neighbors.vector[p, 0], neighbors.vector[p, 1], neighbors.vector[p, 2]
        store_one(near, base + X, x)
        store_one(near, base + Y, y)
        store_one(near, base + Z, z)
        store_one(near, base + R_SQUARED, x * x + y * y + z * z)
    for k in range(count, lanes):
        base = near_lane(k)
        near[base + X] = near[base + Y] = near[base + Z] = 0.0
        near[base + R_SQUARED] = FAR


@kernel
def distance_values(env, brackets, tables, rows, begin, end, out):
    """Write the values of the functions of these rows except those of triangles."""
    kind, size = rows.kind[begin], lanes_of(env)
    for t in range(tables.term_first[kind], tables.term_first[kind + 1]):
        term = tables.terms[t]
        for k in range(end - begin):
            if term.factor == NO_FACTOR:
                r = coordinate(env, k, R)
                value = r if r < tables.cutoff[kind] else 0.0
            else:
                value = load_one(env.factor, term.factor * size + k)
            if term.slot != NO_SLOT:
                value *= brackets[term.slot * size + k]
            out[begin + k, term.column] = value


@kernel
def distance_gradient(env, brackets, tables, rows, k, row, weights, push):
    """Return the coefficient of the vector of a row in the gradient of sum_s weights_s G_s, from the functions above.

    Write the derivative with respect to the sums over neighbours of both atoms into push (slots,).
    """
    kind, size, along = rows.kind[row], lanes_of(env), 0.0
    slots = tables.slot_first[kind + 1] - tables.slot_first[kind]
    for m in range(slots):
        push[m] = 0.0
    for t in range(tables.term_first[kind], tables.term_first[kind + 1]):
        term = tables.terms[t]
        weight, base = weights[term.column], term.factor * size + k
        if term.factor == NO_FACTOR:
            along += weight * coordinate(env, k, R_INVERSE)
        elif term.slot == NO_SLOT:
            along += weight * load_one(env.factor_slope, base)
        else:
            push[term.slot] += weight * load_one(env.factor, base)
            along += weight * load_one(env.factor_slope, base) * brackets[term.slot * size + k]
    for m in range(slots):
        slot = tables.slots[tables.slot_first[kind] + m]
        along -= push[m] * slot.partners * load_one(env.factor_slope, slot.factor * size + k)
    return along

"""Values of atom-centred symmetry functions.

G_i depends on the pair vectors r_p = r_j - r_i of its own centre alone (r_jk = r_ik - r_ij): each thread works on its
own centres, nothing is shared, and results do not depend on the number of threads. Four loops run over the same
surroundings and triplets (`environment`):

values     G (centres, s)
vjp        g_p = sum_s w_s dG_s/dr_p, the gradient of any scalar of G
jacobian   dG_s/dr_p itself
jvp        sum_p dG_s/dr_p . v_p, the change of G along given changes of the pair vectors
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, inline, kernel, njit
from fastsf.kernels.sharing import ALONE, share_out

from ..vector.simd import LANES, flush_subnormals, fma, keep_subnormals, load, splat, sum_lanes
from ..vector.vmath import integer_power
from .angular import Angle, angle_factor, power_base
from .environment import Environment, environment_of, lanes_of, padded_size, prepare, segment
from .moments import Moments, make_moments, sum_moments, through_moments
from .triplets import ANGLE, COSINE, INVERSE_SINE, Chunks, get_chunk, make_chunks, next_triplets, product_offset, rewind
from .wide import WideScratch, make_wide, sum_wide


class ValuesScratch(NamedTuple):
    """Memory of one thread."""

    env: Environment
    chunks: Chunks
    moments: Moments
    wide: WideScratch
    cursor: np.ndarray  # (2,) int64: where the triplets of a group continue


@allocator
def make_scratch(tables, size):
    """Return memory for centres with at most `size` padded neighbours."""
    env = environment_of(tables, size)
    return ValuesScratch(env, make_chunks(tables, 1), make_moments(), make_wide(tables, size), np.zeros(2, np.int64))


@kernel
def _sum_row(env, slot, element):
    first, lanes = segment(env, element)
    first += slot * lanes_of(env)
    total = splat(0.0)
    for k in range(first, first + lanes, LANES):
        total = total + load(env.factor, k)
    return sum_lanes(total)


@kernel
def sum_radials(tables, shell, env, out):
    """Write the values of the radial functions of a shell."""
    for q in range(shell.radial_first, shell.radial_last):
        radial = tables.radials[q]
        out[radial.column] = _sum_row(env, radial.slot, radial.element)


@kernel
def _sum_term(array, scratch, term, start, lanes):
    if term.kind != Angle.INTEGER_POWER:
        return _sum_factors(array, scratch, term, start, lanes)
    if term.exponent == 1:  # exponents that are constants leave no choice to the loop
        total = _sum_powers(array, term.lam, 1, start, lanes)
    elif term.exponent == 2:
        total = _sum_powers(array, term.lam, 2, start, lanes)
    elif term.exponent == 4:
        total = _sum_powers(array, term.lam, 4, start, lanes)
    else:
        total = _sum_powers(array, term.lam, term.exponent, start, lanes)
    return total * term.norm


@inline
def _sum_powers(array, lam, exponent, start, lanes):
    even, odd = splat(0.0), splat(0.0)  # two chains of additions: one alone would wait for itself
    for b in range(0, lanes, 2 * LANES):
        value = integer_power(power_base(lam, load(array, COSINE + b)), exponent)
        even = fma(value, load(array, start + b), even)
        value = integer_power(power_base(lam, load(array, COSINE + LANES + b)), exponent)
        odd = fma(value, load(array, start + LANES + b), odd)
    return sum_lanes(even + odd)


@kernel
def _sum_factors(array, scratch, term, start, lanes):
    even, odd = splat(0.0), splat(0.0)
    for b in range(0, lanes, 2 * LANES):
        even = fma(_angle_value(array, scratch, term, b), load(array, start + b), even)
        odd = fma(_angle_value(array, scratch, term, b + LANES), load(array, start + LANES + b), odd)
    return sum_lanes(even + odd)


@inline
def _angle_value(array, scratch, term, b):
    value, _ = angle_factor(term, load(array, COSINE + b), load(scratch, ANGLE + b), load(scratch, INVERSE_SINE + b))
    return value


@kernel
def sum_chunk(channels, terms, group, chunk, lanes, out):
    """Add the triplets of a chunk to the functions of a group."""
    for c in range(group.channel_first, group.channel_last):
        channel, start = channels[c], product_offset(c - group.channel_first)
        for t in range(channel.term_first, channel.term_last):
            term = terms[t]
            out[term.column] += _sum_term(chunk.lanes, chunk.scratch, term, start, lanes)


@kernel
def _sum_group(tables, shell, group, env, chunks, cursor, out):
    chunk, section = get_chunk(chunks, 0), tables.sections[shell.section_first]
    rewind(cursor)
    while True:
        blocks, lanes = next_triplets(env, chunk, section, tables.channels, group, cursor, False)
        if blocks == 0:
            break
        sum_chunk(tables.channels, tables.terms, group, chunk, lanes, out)


@kernel
def sum_wide_groups(tables, shell, env, moments, wide, slopes, out):
    """Add the values of the wide functions of a shell; with `slopes`, derivatives will follow."""
    for g in range(shell.wide_first, shell.wide_last):
        group = tables.wide[g]
        if through_moments(env, group, tables, slopes):
            sum_moments(env, moments, tables, group, out)
        else:
            sum_wide(env, tables, group, wide, out)


@kernel
def center_values(tables, neighbors, center, scratch, out):
    """Write the values of all functions of a centre into a row of zeros."""
    element, env = neighbors.species[center], scratch.env
    for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
        shell = tables.shells[s]
        if prepare(env, shell, tables, neighbors, center, False) > 0:
            sum_radials(tables, shell, env, out)
            for g in range(shell.group_first, shell.group_last):
                _sum_group(tables, shell, tables.groups[g], env, scratch.chunks, scratch.cursor, out)
            sum_wide_groups(tables, shell, env, scratch.moments, scratch.wide, False, out)


@njit
def values_range(tables, neighbors, centers, begin, end, workers, out):
    """Write the values of centers[begin:end] into the rows of out (centres, features), which must be zero."""
    if workers != ALONE:
        share_out(workers, (tables, neighbors, centers), begin, end, (out,))
        return
    scratch = make_scratch(tables, padded_size(neighbors.start, len(tables.weights)))
    mode = flush_subnormals()
    for row in range(begin, end):
        center_values(tables, neighbors, centers[row], scratch, out[row])
    keep_subnormals(mode)

"""Gradient of a scalar of atom-centred symmetry functions with respect to the pair vectors (reverse mode).

g_p = sum_s w_s dG_s/dr_p, with w_s the derivative of the scalar with respect to G_s; forces and virials follow from
it (`forces`). The functions of a channel are summed up before the triplets: together they are one polynomial of the
cosine.
"""

import numpy as np

from fastsf.kernels._jit import allocator, inline, kernel, njit
from fastsf.kernels.acsf.tables import POWERS
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector import simd as double

from .. import REAL
from ..vector.simd import LANES, flush_subnormals, fma, keep_subnormals, load, load_one, splat
from .angular import angle_factor
from .center_gradients import add_radial, clear, gradient_size, resolve, spread
from .center_sums import make_rest, scatter
from .environment import aligned, lanes_of, make_environment, prepare
from .moments import add_moment_gradients, fill_moments, make_moments, through_moments
from .triplets import (
    ANGLE,
    COSINE,
    INVERSE_SINE,
    get_chunk,
    make_chunks,
    most_channels,
    next_triplets,
    pack_slopes,
    product_offset,
    rewind,
)
from .wide import add_wide, make_wide


@kernel
def fill_polynomials(tables, group, weights, polynomials):
    """Write weighted sums of the functions of each channel as polynomials of the cosine, eight coefficients each."""
    for index in range(group.channel_last - group.channel_first):
        channel = tables.channels[group.channel_first + index]
        total = double.splat(0.0)
        if channel.degree >= 0:
            for t in range(channel.term_first, channel.term_last):
                total = double.fma(double.load(tables.powers, t * POWERS), weights[tables.terms[t].column], total)
        double.store(polynomials, index * POWERS, total)


@inline
def _polynomial(p, first, degree, x):
    """Return the polynomial with the coefficients p[first:] and its derivative."""
    if degree <= 1:
        slope = splat(load_one(p, first + 1))
        return fma(slope, x, load_one(p, first)), slope
    value, slope = splat(load_one(p, first + 4)), splat(0.0)
    if degree > 4:
        value = splat(load_one(p, first + 7))
        for m in range(6, 3, -1):
            slope = fma(slope, x, value)
            value = fma(value, x, load_one(p, first + m))
    slope = fma(slope, x, value)
    value = fma(value, x, load_one(p, first + 3))
    slope = fma(slope, x, value)
    value = fma(value, x, load_one(p, first + 2))
    slope = fma(slope, x, value)
    value = fma(value, x, load_one(p, first + 1))
    slope = fma(slope, x, value)
    return fma(value, x, load_one(p, first)), slope


@kernel
def _sum_of_terms(terms, channel, weights, x, theta, inverse_sine):
    """Return the weighted sum of the angle factors of a channel, and its derivative."""
    total, slope = splat(0.0), splat(0.0)
    for t in range(channel.term_first, channel.term_last):
        term = terms[t]
        weight = weights[term.column]
        a, a_slope = angle_factor(term, x, theta, inverse_sine)
        total, slope = fma(a, weight, total), fma(a_slope, weight, slope)
    return total, slope


@inline
def sum_channels(channels, terms, group, chunk, polynomials, weights, b):
    """Return sums over all functions of a group for gradients: of T, -2 eta T, 2 eta shift T and A' F F F."""
    array = chunk.lanes
    channel_first, channel_last = group.channel_first, group.channel_last
    x = load(array, COSINE + b)
    value, eta_value, shift_value, slope = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for index in range(channel_last - channel_first):
        channel = channels[channel_first + index]
        degree = channel.degree
        if degree >= 0:
            a, a_slope = _polynomial(polynomials, index * POWERS, degree, x)
        else:
            theta, inverse_sine = load(chunk.scratch, ANGLE + b), load(chunk.scratch, INVERSE_SINE + b)
            a, a_slope = _sum_of_terms(terms, channel, weights, x, theta, inverse_sine)
        product = load(array, product_offset(index) + b)
        a = a * product
        value, slope = value + a, fma(a_slope, product, slope)
        eta_value = fma(a, channel.eta_slope, eta_value)
        shift_value = fma(a, channel.shift_slope, shift_value)
    return value, eta_value, shift_value, slope


@kernel
def resolve_chunk(channels, terms, group, chunk, polynomials, weights, lanes):
    """Write the coefficients of the pair vectors in the gradient, for the triplets of a chunk."""
    for b in range(0, lanes, LANES):
        sums = sum_channels(channels, terms, group, chunk, polynomials, weights, b)
        resolve(chunk.lanes, chunk.scratch, b, group, *sums)


@kernel
def _add_through_moments(tables, group, env, moments, gradient, weights):
    for c in range(group.channel_first, group.channel_last):
        channel = tables.channels[c]
        fill_moments(env, moments, group, channel)
        for m in range(len(weights)):
            moments.coefficients[:] = 0.0
            for t in range(channel.term_first, channel.term_last):
                for d in range(group.degree + 1):
                    moments.coefficients[d] += weights[m, tables.terms[t].column] * tables.legendre[t, d]
            add_moment_gradients(env, moments, gradient, group, channel, moments.coefficients, m * gradient_size(env))


@kernel
def add_wide_groups(tables, shell, env, moments, wide, gradient, weights):
    """Add the gradients of the wide functions of a shell, weighted for several scalars (m, s) side by side."""
    for g in range(shell.wide_first, shell.wide_last):
        group = tables.wide[g]
        if through_moments(env, group, tables, True):
            _add_through_moments(tables, group, env, moments, gradient, weights)
        else:
            add_wide(env, tables, group, wide, weights, gradient)


@kernel
def _add_shell(tables, shell, env, chunks, gradient, polynomials, cursor, weights):
    chunk, section, scalars = get_chunk(chunks, 0), tables.sections[shell.section_first], len(weights)
    for q in range(shell.radial_first, shell.radial_last):
        radial = tables.radials[q]
        for m in range(scalars):
            add_radial(env, gradient, m * gradient_size(env), radial.slot, radial.element, weights[m, radial.column])
    for g in range(shell.group_first, shell.group_last):
        group = tables.groups[g]
        for m in range(scalars):
            fill_polynomials(tables, group, weights[m], polynomials[m])
        rewind(cursor)
        while True:
            blocks, lanes = next_triplets(env, chunk, section, tables.channels, group, cursor, True)
            if blocks == 0:
                break
            pack_slopes(env, chunk, blocks)
            for m in range(scalars):
                resolve_chunk(tables.channels, tables.terms, group, chunk, polynomials[m], weights[m], lanes)
                spread(env, gradient, m * gradient_size(env), chunk, blocks)


@allocator
def make_polynomials(tables, scalars):
    """Return scratch for the polynomials of any group, for each of several scalars."""
    return np.empty((scalars, most_channels(tables) * POWERS), REAL)


@njit
def vjp_range(tables, neighbors, centers, begin, end, workers, weights, out, sums):
    """Add g_mp = sum_s weights[row, m, s] dG_s/dr_p of centers[begin:end] to out (m, p, 3), for several scalars m.

    Adds sum_p g_mp and sum_p r_p (x) g_mp of each centre to the rows of sums (m, centers, SUMS). Scalars share
    everything but the sums over functions and what follows from those.
    """
    if workers != ALONE:
        share_out(workers, (tables, neighbors, centers), begin, end, (weights, out, sums))
        return
    scalars = weights.shape[1]
    env, chunks, moments = make_environment(tables, neighbors), make_chunks(tables, 1), make_moments()
    gradient, polynomials = aligned(scalars * gradient_size(env)), make_polynomials(tables, scalars)
    cursor, wide, rest = np.zeros(2, np.int64), make_wide(tables, lanes_of(env), scalars), make_rest()
    mode = flush_subnormals()
    for row in range(begin, end):
        element = neighbors.species[centers[row]]
        for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
            shell = tables.shells[s]
            lanes = prepare(env, shell, tables, neighbors, centers[row], True)
            if lanes > 0:
                for m in range(scalars):
                    clear(gradient, m * gradient_size(env), lanes)
                _add_shell(tables, shell, env, chunks, gradient, polynomials, cursor, weights[row])
                add_wide_groups(tables, shell, env, moments, wide, gradient, weights[row])
                for m in range(scalars):
                    scatter(env, gradient, m * gradient_size(env), lanes, rest, out[m], sums[m, row])
    keep_subnormals(mode)

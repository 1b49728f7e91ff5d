"""Energies of atoms and their gradients in one go: symmetry functions, network and backward pass centre by centre.

E_i depends on the symmetry functions of atom i alone, hence on its own pair vectors: as soon as the network has given
dE_i/dG_i, the triplets of the atom, still in the cache, are gone through once more for dE_i/dr_p.
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, kernel, njit
from fastsf.kernels.acsf.tables import SUMS
from fastsf.kernels.networks.feedforward import atom_energy, make_work
from fastsf.kernels.sharing import ALONE, share_out

from ..acsf.center_gradients import add_radial, clear, gradient_size, spread
from ..acsf.center_sums import make_rest, scatter
from ..acsf.environment import Environment, aligned, lanes_of, make_environment, padded_size, prepare
from ..acsf.moments import Moments, make_moments
from ..acsf.triplets import CHUNK, Chunks, fill_angles, get_chunk, make_chunks, next_triplets, pack_slopes, rewind
from ..acsf.values import sum_chunk, sum_radials, sum_wide_groups
from ..acsf.vjp import add_wide_groups, fill_polynomials, make_polynomials, resolve_chunk
from ..acsf.wide import WideScratch, make_wide
from ..vector.simd import LANES, flush_subnormals, keep_subnormals

MOST_KEPT = 32
"""Chunks of triplets that are kept for the backward pass; those beyond are found a second time."""


class Kept(NamedTuple):
    """Chunks of triplets of a centre that are kept, group by group; the last chunk of all serves the others."""

    size: np.ndarray  # (chunks, 2) int64: blocks and lanes
    first: np.ndarray  # (groups + 1,) int64: first chunk of each group
    cursor: np.ndarray  # (groups, 2) int64: where to continue after the last one


class EnergiesScratch(NamedTuple):
    """Memory of one thread."""

    env: Environment
    chunks: Chunks
    kept: Kept
    moments: Moments
    wide: WideScratch
    gradient: np.ndarray  # of the pairs of one centre
    polynomials: np.ndarray
    rest: np.ndarray  # (24,) float64: scratch of `scatter`
    cursor: np.ndarray  # (2,) int64: where the triplets of a group continue


@allocator
def number_of_chunks(tables, neighbors):
    """Return as many chunks as a centre can have, up to MOST_KEPT, and one for those beyond."""
    most = padded_size(neighbors.start, len(tables.weights))
    return min(MOST_KEPT, len(tables.groups) * (1 + most * most // (LANES * CHUNK))) + 1


@allocator
def make_kept(tables, chunks):
    """Return memory for the list of chunks."""
    groups = len(tables.groups)
    return Kept(np.empty((chunks, 2), np.int64), np.empty(groups + 1, np.int64), np.empty((groups, 2), np.int64))


@allocator
def make_scratch(tables, neighbors):
    """Return memory for every centre."""
    env = make_environment(tables, neighbors)
    chunks = make_chunks(tables, number_of_chunks(tables, neighbors))
    return EnergiesScratch(
        env,
        chunks,
        make_kept(tables, len(chunks.blocks)),
        make_moments(),
        make_wide(tables, lanes_of(env)),
        aligned(gradient_size(env)),
        make_polynomials(tables, 1)[0],
        make_rest(),
        np.zeros(2, np.int64),
    )


@kernel
def _forward_group(tables, shell, g, env, chunks, kept, cursor, used, out):
    """Add the values of the functions of a group; return the number of chunks that are kept then."""
    group, section = tables.groups[g], tables.sections[shell.section_first]
    rewind(cursor)
    kept.first[g] = used
    kept.cursor[g, 0], kept.cursor[g, 1] = cursor[0], cursor[1]
    while True:
        chunk = get_chunk(chunks, used)
        blocks, lanes = next_triplets(env, chunk, section, tables.channels, group, cursor, True)
        if blocks == 0:
            break
        sum_chunk(tables.channels, tables.terms, group, chunk, lanes, out)
        if used < len(kept.size) - 1:
            kept.size[used, 0], kept.size[used, 1] = blocks, lanes
            kept.cursor[g, 0], kept.cursor[g, 1] = cursor[0], cursor[1]
            used += 1
    kept.first[g + 1] = used
    return used


@kernel
def _forward(tables, neighbors, center, scratch, out):
    """Write the values of all functions of a centre."""
    element, used = neighbors.species[center], 0
    for s in range(tables.shell_first[element], tables.shell_first[element + 1]):
        shell = tables.shells[s]
        prepare(scratch.env, shell, tables, neighbors, center, True)
        sum_radials(tables, shell, scratch.env, out)
        for g in range(shell.group_first, shell.group_last):
            used = _forward_group(
                tables, shell, g, scratch.env, scratch.chunks, scratch.kept, scratch.cursor, used, out
            )
        sum_wide_groups(tables, shell, scratch.env, scratch.moments, scratch.wide, True, out)


@kernel
def _add_chunk(tables, group, env, chunk, gradient, polynomials, weights, blocks, lanes):
    pack_slopes(env, chunk, blocks)
    resolve_chunk(tables.channels, tables.terms, group, chunk, polynomials, weights, lanes)
    spread(env, gradient, 0, chunk, blocks)


@kernel
def _backward_group(tables, shell, g, env, chunks, kept, cursor, gradient, polynomials, weights):
    group, section = tables.groups[g], tables.sections[shell.section_first]
    fill_polynomials(tables, group, weights, polynomials)
    for index in range(kept.first[g], kept.first[g + 1]):
        chunk = get_chunk(chunks, index)
        blocks, lanes = kept.size[index, 0], kept.size[index, 1]
        if group.windowed:
            fill_angles(chunk, lanes)
        _add_chunk(tables, group, env, chunk, gradient, polynomials, weights, blocks, lanes)
    cursor[0], cursor[1] = kept.cursor[g, 0], kept.cursor[g, 1]
    chunk = get_chunk(chunks, len(kept.size) - 1)
    while True:
        blocks, lanes = next_triplets(env, chunk, section, tables.channels, group, cursor, True)
        if blocks == 0:
            break
        _add_chunk(tables, group, env, chunk, gradient, polynomials, weights, blocks, lanes)


@kernel
def _backward(tables, neighbors, center, scratch, weights, out, sums):
    """Add the gradients of sum_s weights_0s G_s of a centre to out (p, 3) and sums (SUMS,), as `scatter` does."""
    element, env, gradient = neighbors.species[center], scratch.env, scratch.gradient
    last = tables.shell_first[element + 1] - 1
    for s in range(last, tables.shell_first[element] - 1, -1):
        shell = tables.shells[s]
        if s != last:  # everything of the last shell is still in memory
            prepare(env, shell, tables, neighbors, center, True)
        lanes = env.first[-1]
        clear(gradient, 0, lanes)
        for q in range(shell.radial_first, shell.radial_last):
            radial = tables.radials[q]
            add_radial(env, gradient, 0, radial.slot, radial.element, weights[0, radial.column])
        for g in range(shell.group_first, shell.group_last):
            state = scratch.chunks, scratch.kept, scratch.cursor, gradient, scratch.polynomials
            _backward_group(tables, shell, g, env, *state, weights[0])
        add_wide_groups(tables, shell, env, scratch.moments, scratch.wide, gradient, weights)
        scatter(env, gradient, 0, lanes, scratch.rest, out, sums)


@njit
def energies_range(tables, networks, neighbors, begin, end, workers, values, energies, outside, pair_gradient, sums):
    """Write energies of the atoms begin ... end - 1 and their gradients with respect to the pair vectors.

    Parameters
    ----------
    tables, networks, neighbors
        Symmetry functions, networks, and pairs of all atoms.
    values : (n, s) float64
        Symmetry functions; zero before.
    energies : (n,) float64
        eV.
    outside : (n,) int64
        Columns whose value is outside the range of the training set.
    pair_gradient : (p, 3) float64
        g_p = dE_i/dr_p, eV/Å.
    sums : (n, SUMS) float64
        sum_p g_p and sum_p r_p (x) g_p over the pairs of each atom.
    """
    if workers != ALONE:
        share_out(workers, (tables, networks, neighbors), begin, end, (values, energies, outside, pair_gradient, sums))
        return
    scratch, work, weights = make_scratch(tables, neighbors), make_work(networks), np.empty((1, values.shape[1]))
    mode = flush_subnormals()
    for i in range(begin, end):
        _forward(tables, neighbors, i, scratch, values[i])
        energies[i], outside[i] = atom_energy(networks, neighbors.species[i], values[i], work, weights[0])
        for p in range(neighbors.start[i], neighbors.start[i + 1]):
            pair_gradient[p, 0] = pair_gradient[p, 1] = pair_gradient[p, 2] = 0.0
        for c in range(SUMS):
            sums[i, c] = 0.0
        _backward(tables, neighbors, i, scratch, weights, pair_gradient, sums[i])
    keep_subnormals(mode)

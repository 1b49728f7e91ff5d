"""Metropolis moves of single atoms, with energies of those atoms only whose surroundings change.

The energy of an atom depends on its own pairs within the cutoff. A displaced atom changes its own energy and that of
the atoms within the cutoff of its old or its new position; two atoms that are swapped, their own and that of the atoms
near either. The cost of a move does not depend on the number of atoms.

A move works on sites: two atoms are swapped by exchanging the elements of their sites, which no pair
notices. `Chain.site` is the site of an atom.
"""

import math
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel, njit
from fastsf.kernels.acsf.tables import Neighbors
from fastsf.kernels.energies.chosen_energies import energies_range, fill_energies, make_scratch
from fastsf.kernels.pairs.lists import ImagePositions, move_atom
from fastsf.kernels.sharing import ALONE

DISPLACEMENT, SWAP, VOLUME, AXES = range(4)

UNIFORMS = 6
"""Random numbers of a move: which move, which atom, three for what it does, and whether it is accepted."""

CHOICE, ATOM, FIRST, SECOND, THIRD, ACCEPTANCE = range(UNIFORMS)

DONE, FAR, CELL, BAD = range(4)
"""Ends of a walk: all moves made; an atom would move farther than the pairs allow; the next move changes the cell; the
energy was not finite."""

MOVE = np.dtype(
    [
        ("kind", np.int64),
        ("upto", np.float64),  # taken if the first random number is below this, and not below that of the move before
        ("first", np.int64),  # members first ... middle - 1 are the atoms it moves,
        ("middle", np.int64),
        ("last", np.int64),  # middle ... last - 1 those with which they are swapped
        ("largest", np.float64),  # step
        ("target", np.float64),  # rate of acceptance while steps are adapted
    ]
)

GAIN = 0.02
"""Change of the logarithm of an adapted step with a move."""

_LEAST_SHARED = 8
"""Fewest atoms that are shared among threads."""

_MARGIN = 1.0 + 1e-9
"""Factor of a squared cutoff: an atom too many only costs time."""


class Moves(NamedTuple):
    """Kinds of moves and their probabilities."""

    table: np.recarray  # MOVE
    members: np.ndarray  # int64: atoms


class Chain(NamedTuple):
    """State of a Markov chain; sites are numbered as the atoms were at first."""

    positions: np.ndarray  # (n, 3) float64: of the sites, not wrapped, Å
    site: np.ndarray  # (n,) int64: of each atom
    energies: np.ndarray  # (n,) float64: of the sites, eV
    outside: np.ndarray  # (n,) int64: of the sites, columns outside the range of the training set
    total: np.ndarray  # (1,) float64: energy, eV
    counts: np.ndarray  # (moves, 2) int64: tried, accepted
    steps: np.ndarray  # (moves,) float64: largest displacement, Å, or largest change of ln V


class Listed(NamedTuple):
    """Pairs of sites up to a distance beyond the cutoff."""

    reverse: np.ndarray  # (p,) int64
    images: ImagePositions
    origin: np.ndarray  # (n, 3) float64: where the sites were when the pairs were found, Å
    limit: float  # Å^2: largest squared distance of a site from its origin
    reach: float  # Å^2: squared cutoff
    lanes: int  # padded neighbours of the site that has most


class Trial(NamedTuple):
    """Scratch: the move that is tried."""

    mark: np.ndarray  # (n + 1,) int64: the last move for which a site was noted; last, the current one
    centers: np.ndarray  # (n,) int64: sites whose energy changes
    energies: np.ndarray  # (n,) float64: what they would have
    outside: np.ndarray  # (n,) int64
    positions: np.ndarray  # (2, 3) float64: of the displaced atom, before and after
    atoms: np.ndarray  # (2,) int64: the displaced one, or those that are swapped
    sites: np.ndarray  # (2,) int64: theirs


class Stage(NamedTuple):
    """Conditions that change along the chain; temperatures are linear in the number of the move."""

    begin: int  # moves made before the present ones
    first: float  # kT, eV
    last: float
    ramp: int  # moves from one to the other
    adapted: int  # moves during which steps are adapted


class Walk(NamedTuple):
    """A Markov chain, its moves, and the pairs of its sites."""

    neighbors: Neighbors  # elements of sites and vectors of pairs are changed
    listed: Listed
    moves: Moves
    chain: Chain  # changed
    trial: Trial
    stage: Stage


@njit
def thermal_energy(stage, m):
    """Return kT of the present move m, eV."""
    move = stage.begin + m
    if move >= stage.ramp:
        return stage.last
    return stage.first + (stage.last - stage.first) * (move / stage.ramp)


@njit
def is_accepted(exponent, uniforms):
    """Apply Metropolis' rule to the logarithm of the ratio of the probabilities after and before."""
    return uniforms[ACCEPTANCE] < math.exp(min(0.0, exponent))


@njit
def count(moves, chain, stage, m, k, accepted):
    """Count a move of kind k that was tried, and adapt its step during equilibration."""
    chain.counts[k, 0] += 1
    chain.counts[k, 1] += accepted
    if stage.begin + m < stage.adapted:
        step = chain.steps[k] * math.exp(GAIN * (accepted - moves.table[k].target))
        chain.steps[k] = min(step, moves.table[k].largest)


@njit
def choose(moves, uniform):
    """Return the index of the move that a random number selects."""
    k = 0
    while k < len(moves.table) - 1 and uniform >= moves.table[k].upto:
        k += 1
    return k


@kernel
def _pick(walk, which, first, last, uniform):
    """Take one of some members as the first or second atom of the move; return its site."""
    trial = walk.trial
    trial.atoms[which] = walk.moves.members[min(first + int(uniform * (last - first)), last - 1)]
    trial.sites[which] = walk.chain.site[trial.atoms[which]]
    return trial.sites[which]


@kernel
def _note(trial, site, count):
    """Note a site whose energy changes, once; return the number of noted sites."""
    now = trial.mark[-1]
    if trial.mark[site] == now:
        return count
    trial.mark[site] = now
    trial.centers[count] = site
    return count + 1


@kernel
def _note_near(walk, site, count):
    """Note the sites that see this one; return the number of noted sites."""
    neighbors, reach = walk.neighbors, walk.listed.reach * _MARGIN
    vector = neighbors.vector
    for p in range(neighbors.start[site], neighbors.start[site + 1]):
        x, y, z = vector[p, 0], vector[p, 1], vector[p, 2]
        if x * x + y * y + z * z < reach:
            count = _note(walk.trial, neighbors.neighbor[p], count)
    return count


@kernel
def _displace(walk, to):
    """Move the site of a trial to its old (0) or new (1) position."""
    neighbors, listed, trial = walk.neighbors, walk.listed, walk.trial
    state = listed.images, neighbors.start, neighbors.neighbor, listed.reverse
    move_atom(*state, trial.sites[0], trial.positions[to], neighbors.vector)


@kernel
def _into_ball(positions, step, uniforms):
    """Draw the new position of a trial: uniform in the ball with the radius `step` around the old one."""
    radius, height = step * uniforms[FIRST] ** (1.0 / 3.0), 2.0 * uniforms[SECOND] - 1.0
    across, angle = radius * math.sqrt(1.0 - height * height), 2.0 * math.pi * uniforms[THIRD]
    positions[1, 0] = positions[0, 0] + across * math.cos(angle)
    positions[1, 1] = positions[0, 1] + across * math.sin(angle)
    positions[1, 2] = positions[0, 2] + radius * height


@kernel
def _try_displacement(walk, k, uniforms):
    """Move an atom; return the number of energies to evaluate, 0 if new pairs are needed before."""
    move, chain, trial, away = walk.moves.table[k], walk.chain, walk.trial, 0.0
    site = _pick(walk, 0, move.first, move.middle, uniforms[ATOM])
    for c in range(3):
        trial.positions[0, c] = chain.positions[site, c]
    _into_ball(trial.positions, chain.steps[k], uniforms)
    for c in range(3):
        away += (trial.positions[1, c] - walk.listed.origin[site, c]) ** 2
    if away > walk.listed.limit:
        return 0
    found = _note_near(walk, site, _note(trial, site, 0))
    _displace(walk, 1)
    return _note_near(walk, site, found)


@kernel
def _exchange(walk):
    """Exchange the elements of the two sites of a move."""
    species, a, b = walk.neighbors.species, walk.trial.sites[0], walk.trial.sites[1]
    species[a], species[b] = species[b], species[a]


@kernel
def _try_swap(walk, k, uniforms):
    """Swap two atoms; return the number of energies to evaluate."""
    move = walk.moves.table[k]
    a = _pick(walk, 0, move.first, move.middle, uniforms[ATOM])
    b = _pick(walk, 1, move.middle, move.last, uniforms[FIRST])
    found = _note_near(walk, a, _note(walk.trial, a, 0))
    found = _note_near(walk, b, _note(walk.trial, b, found))
    _exchange(walk)
    return found


@kernel
def _propose(walk, uniforms, outcome):
    """Try a move; return its index and the number of energies to evaluate."""
    moves = walk.moves
    k = choose(moves, uniforms[CHOICE])
    if moves.table[k].kind >= VOLUME:
        outcome[1] = CELL
        return k, 0
    walk.trial.mark[-1] += 1
    if moves.table[k].kind == SWAP:
        return k, _try_swap(walk, k, uniforms)
    found = _try_displacement(walk, k, uniforms)
    if found == 0:
        outcome[1] = FAR
    return k, found


@kernel
def _keep(walk, k, found):
    """Make the trial the state of the chain."""
    chain, trial = walk.chain, walk.trial
    for e in range(found):
        chain.energies[trial.centers[e]] = trial.energies[e]
        chain.outside[trial.centers[e]] = trial.outside[e]
    if walk.moves.table[k].kind == SWAP:
        chain.site[trial.atoms[0]], chain.site[trial.atoms[1]] = trial.sites[1], trial.sites[0]
    else:
        for c in range(3):
            chain.positions[trial.sites[0], c] = trial.positions[1, c]


@kernel
def _undo(walk, k):
    """Put elements or vectors back, to the last bit."""
    if walk.moves.table[k].kind == SWAP:
        _exchange(walk)
    else:
        _displace(walk, 0)


@kernel
def _settle(walk, m, k, uniforms, found, outcome):
    """Accept or undo the trial."""
    chain, trial, stage, change = walk.chain, walk.trial, walk.stage, 0.0
    for e in range(found):
        change += trial.energies[e] - chain.energies[trial.centers[e]]
    if not math.isfinite(change):
        outcome[1] = BAD
    accepted = outcome[1] == DONE and is_accepted(-change / thermal_energy(stage, m), uniforms)
    if accepted:
        _keep(walk, k, found)
        chain.total[0] += change
    else:
        _undo(walk, k)
    if outcome[1] == DONE:
        count(walk.moves, chain, stage, m, k, accepted)


@njit
def walk_range(tables, networks, walk, uniforms, begin, end, workers, outcome):
    """Make moves until all are made or one of the other ends is reached.

    Parameters
    ----------
    tables, networks
        Symmetry functions and networks.
    walk : Walk
    uniforms : (m, UNIFORMS) float64
        Random numbers, 0 <= x < 1; moves begin ... end - 1 of them are made.
    workers : int
        Threads that share the atoms of a move, if these are many.
    outcome : (2,) int64
        The move that was not made, and why: DONE (it is `end`), FAR, CELL or BAD.
    """
    neighbors, trial, lanes = walk.neighbors, walk.trial, walk.listed.lanes
    scratch = make_scratch(tables, networks, lanes)
    outcome[0], outcome[1] = end, DONE
    for m in range(begin, end):
        k, found = _propose(walk, uniforms[m], outcome)
        if outcome[1] == DONE:
            centers, energies, outside = trial.centers[:found], trial.energies, trial.outside
            if workers == ALONE or found < _LEAST_SHARED:
                fill_energies(tables, networks, neighbors, centers, 0, found, scratch, energies, outside)
            else:
                energies_range(tables, networks, neighbors, centers, lanes, 0, found, workers, energies, outside)
            _settle(walk, m, k, uniforms[m], found, outcome)
        if outcome[1] != DONE:
            outcome[0] = m
            break

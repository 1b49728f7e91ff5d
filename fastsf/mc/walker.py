"""A Markov chain: the atoms, the energies of all, and the moves that change them."""

from __future__ import annotations

import math

import numpy as np

from fastsf.errors import InputError
from fastsf.kernels.dynamics import monte_carlo
from fastsf.mc.conditions import Conditions
from fastsf.mc.sites import Sites
from fastsf.potentials.result import Model
from fastsf.simulation.engine import Halt, State
from fastsf.structure import Structure, volume
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray

_SMALLEST, _LARGEST = 0.05, 1000.0
"""Smallest and largest volume, in units of the first one; beyond, the system has collapsed or evaporated."""


class Walker:
    """A Markov chain of moves.

    Parameters
    ----------
    model : Model
        The potential.
    start : Structure
        First structure.
    moves : monte_carlo.Moves
        Table of moves.
    steps : (moves,) float64
        First step of each move; the array is kept and adapted.
    conditions : Conditions
    threads : int or None
        As in `fastsf.threads.run`.

    Attributes
    ----------
    chain : monte_carlo.Chain
        State of the chain, in the order of the sites.
    sites : Sites
        Sites with their neighbour list.

    Raises
    ------
    InputError
        If the volume may change and the structure is not periodic.
    """

    def __init__(
        self,
        model: Model,
        start: Structure,
        moves: monte_carlo.Moves,
        steps: FloatArray,
        conditions: Conditions,
        threads: int | None,
    ) -> None:
        self._model, self._moves, self._conditions, self._threads = model, moves, conditions, threads
        self._start_volume = volume(start.cell)
        self._elements = model.descriptor.species_of(start.numbers)
        self._species = self._elements.copy()
        n, skin = len(start), conditions.skin
        self.sites = Sites(model, start, self._species, skin, threads)
        self._other: Sites | None = None
        if (moves.table.kind >= monte_carlo.VOLUME).any():
            if not start.pbc.all():
                raise InputError(f"volume changes need three periodic directions, found {start.pbc.sum()}")
            self._other = Sites(model, start, self._species, skin, threads)
        counts, positions = np.zeros((len(steps), 2), np.int64), start.positions.copy()
        energies, outside = self.sites.energies()
        total = np.array([energies.sum()])
        self.chain = monte_carlo.Chain(positions, np.arange(n), energies, outside, total, counts, steps)
        mark, centers, pair = (
            np.zeros(n + 1, np.int64),
            np.empty(n, np.int64),
            (np.empty(2, np.int64) for _ in range(2)),
        )
        self._trial = monte_carlo.Trial(mark, centers, np.empty(n), np.empty(n, np.int64), np.empty((2, 3)), *pair)

    def go(self, uniforms: FloatArray, begin: int) -> tuple[int, Halt | None]:
        """Make moves.

        Parameters
        ----------
        uniforms : (m, UNIFORMS) float64
            Random numbers of the moves.
        begin : int
            Number of moves made before.

        Returns
        -------
        made : int
            Number of moves made; fewer than m only after a halt.
        halt : Halt or None
        """
        made = 0
        while made < len(uniforms):
            more, why = self._walk(uniforms[made:], begin + made)
            made += more
            if why == monte_carlo.BAD:
                return made, Halt("not finite", begin + made, "the energy of a move that was tried is not finite")
            if why == monte_carlo.FAR:
                self.sites.find(self.chain.positions, self.sites.cell)
            if why == monte_carlo.CELL:
                halt = self._change_cell(uniforms[made], begin + made)
                if halt is not None:
                    return made, halt
                made += 1
        return made, None

    def _walk(self, uniforms: FloatArray, begin: int) -> tuple[int, int]:
        tables, networks, sites = self._model.descriptor.tables, self._model.networks, self.sites
        state = self._moves, self.chain, self._trial, self._conditions.stage(begin)
        walk, outcome = monte_carlo.Walk(sites.neighbors, sites.listed, *state), np.empty(2, np.int64)
        arguments = tables, networks, walk, uniforms
        run(self._threads, monte_carlo.walk_range, arguments, len(uniforms), (outcome,))
        return int(outcome[0]), int(outcome[1])

    def _change_cell(self, uniforms: FloatArray, begin: int) -> Halt | None:
        """Try another volume; the steps in ln V turn the V^n of the ensemble into V^(n + 1)."""
        chain, sites, other, stage = self.chain, self.sites, self._other, self._conditions.stage(begin)
        assert other is not None
        k = monte_carlo.choose(self._moves, uniforms[monte_carlo.CHOICE])
        step = chain.steps[k] * (2 * uniforms[monte_carlo.FIRST] - 1)
        cell = _scaled(sites.cell, step, self._moves.table.kind[k], uniforms[monte_carlo.ATOM])
        before, after = volume(sites.cell), volume(cell)
        if not _SMALLEST * self._start_volume < after < _LARGEST * self._start_volume:
            return Halt("cell", begin, f"the volume went from {self._start_volume:.6g} Å^3 to {before:.6g} Å^3")
        positions = chain.positions @ np.linalg.solve(sites.cell, cell)
        other.find(positions, cell)
        energies, outside = other.energies()
        change = energies.sum() - chain.total[0]
        if not math.isfinite(change):
            return Halt("not finite", begin, f"the energy at a volume of {after:.6g} Å^3 is not finite")
        work = change + self._conditions.work * (after - before)
        exponent = (len(energies) + 1) * math.log(after / before) - work / monte_carlo.thermal_energy(stage, 0)
        accepted = bool(monte_carlo.is_accepted(exponent, uniforms))
        if accepted:
            self.sites, self._other = other, sites
            chain.positions[:] = positions
            self._take(energies, outside)
        monte_carlo.count(self._moves, chain, stage, 0, k, accepted)
        return None

    def _take(self, energies: FloatArray, outside: IntArray) -> None:
        self.chain.energies[:], self.chain.outside[:] = energies, outside
        self.sum_up()

    # --- energies ---

    def sum_up(self) -> None:
        """Sum the energies of all sites again, so that rounding errors do not add up."""
        self.chain.total[0] = self.chain.energies.sum()

    def check(self) -> tuple[float, float]:
        """Compare the running total with a full evaluation, and replace it.

        Returns
        -------
        error : float
            Running total minus energy, in eV.
        tolerance : float
            Bound of the rounding error, in eV.
        """
        before = self.chain.total[0]
        self.sites.find(self.chain.positions, self.sites.cell)
        self._take(*self.sites.energies())
        size = np.abs(self.chain.energies).sum()
        return float(before - self.chain.total[0]), float(1e-12 * size + 1e-9 * len(self._species))

    # --- restart ---

    def state(self) -> State:
        """Return everything that `restore` needs."""
        state: State = {name: array.copy() for name, array in self.chain._asdict().items()}
        return {**state, "origin": self.sites.origin.copy(), "cell": self.sites.cell.copy()}

    def restore(self, state: State) -> None:
        """Go back to a state; its neighbour list is made again, with the same order of pairs."""
        for name, array in self.chain._asdict().items():
            array[...] = state[name]
        self._species[self.chain.site] = self._elements
        self.sites.find(np.asarray(state["origin"]), np.asarray(state["cell"]))
        self.sites.follow(self.chain.positions)


def _scaled(cell: FloatArray, step: float, kind: int, uniform: float) -> FloatArray:
    """Return a cell with exp(step) times the volume, scaled along one vector or all."""
    longer: FloatArray = cell.copy()
    if kind == monte_carlo.VOLUME:
        longer *= math.exp(step / 3)
    else:
        longer[min(int(3 * uniform), 2)] *= math.exp(step)
    return longer

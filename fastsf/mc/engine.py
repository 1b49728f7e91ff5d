"""Metropolis Monte Carlo with local updates of the energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.kernels.dynamics.monte_carlo import UNIFORMS
from fastsf.mc.conditions import Conditions
from fastsf.mc.moves import Displacement, Move, Swap, pack
from fastsf.mc.walker import Walker
from fastsf.potentials.potential import Potential
from fastsf.simulation.engine import Advance, Column, EngineFrame, Halt, State
from fastsf.simulation.fixed import atoms_mask, fixed_atoms, unusual_masses
from fastsf.simulation.identity import digest, model_digest
from fastsf.storage.states import generator_state, restored_generator
from fastsf.structure import Structure, volume

if TYPE_CHECKING:
    from ase import Atoms

_AT_ONCE = 1024
"""Number of moves whose random numbers are drawn together; Ctrl-C waits for as many."""

_LEAST_SUMMED = 1000
"""Least number of moves between two sums over all energies; it is at least the number of atoms, too."""

_ALWAYS = (
    Column("step", ""),
    Column("time", "fs"),
    Column("temperature", "K"),
    Column("potential energy", "eV"),
    Column("volume", "Å^3"),
    Column("extrapolations", ""),
    Column("energy error", "eV"),
)


def check_potential(potential: object) -> None:
    """Raise InputError for potentials whose energies moves of one atom cannot update."""
    if not isinstance(potential, Potential):
        raise InputError(f"Monte Carlo needs one Potential, found {type(potential).__name__}")
    if potential.pairs is not None:
        raise InputError("Monte Carlo has no update for pair-centred energies; use molecular dynamics (fastsf md)")


class MonteCarlo:
    """Monte Carlo in the canonical ensemble, or in the isothermal-isobaric one if the volume may change.

    Parameters
    ----------
    potential : Potential
        The potential.
    atoms : ase.Atoms
        First structure; it is not changed. Atoms that `ase.constraints.FixAtoms` fixes do not move.
    temperature : float or (float, float)
        Temperature in K; two for a ramp from one to the other.
    moves : sequence of Displacement, Swap and VolumeChange
        Kinds of moves, each once.
    pressure : float
        Pressure in bar; it matters only if the volume may change.
    ramp : int
        Number of moves between the first and the second temperature.
    equilibration : int
        Number of moves at the start during which steps are adapted. That breaks detailed balance: averages should
        begin after them, and the counts of moves do.
    fixed : (n,) bool or int array, optional
        Mask or indices of further atoms that do not move.
    seed : int
        Seed of the random numbers.
    skin : float
        Distance in Å by which the neighbour list exceeds the cutoff. A new list is made when an atom has moved by
        half of it.
    compare_every : int, optional
        Number of moves after which the running total is compared with a full evaluation; by default ten for each
        atom, and at least 10,000.
    threads : int, optional
        Number of threads, as in `fastsf.potentials.evaluation.Evaluator`; results do not depend on it.

    Attributes
    ----------
    steps_done : int
        Number of moves tried, accepted or not.
    columns : tuple of Column
        "step", "time" (NaN), "temperature", "potential energy", "volume" (NaN unless periodic in all directions),
        "extrapolations" (functions of atoms outside the range of the training set), "energy error" (the running total
        minus the energy when they were last compared). Then for each kind of move, for example "swap Cu Au: rate",
        the numbers "tried" and "accepted", their "rate", and the "step".

    Raises
    ------
    InputError
        For values outside their range.
    StructureError
        For structures that cannot be used, and elements that the potential does not have.
    """

    def __init__(
        self,
        potential: Potential,
        atoms: Atoms,
        temperature: float | tuple[float, float],
        moves: Sequence[Move] = (Displacement(),),
        *,
        pressure: float = 0.0,
        ramp: int = 0,
        equilibration: int = 0,
        fixed: npt.ArrayLike | None = None,
        seed: int = 0,
        skin: float = 1.0,
        compare_every: int | None = None,
        threads: int | None = None,
    ) -> None:
        check_potential(potential)
        start = Structure.from_atoms(atoms)
        self._start, self._kinds, self._seed = start, tuple(moves), seed
        first, last = temperature if isinstance(temperature, tuple) else (temperature, temperature)
        often = max(10_000, 10 * len(start)) if compare_every is None else compare_every
        self._conditions = Conditions(
            (float(first), float(last)), ramp, float(pressure), equilibration, often, float(skin)
        )
        self._fixed = fixed_atoms(atoms) | atoms_mask(fixed, len(start))
        self._masses = unusual_masses(atoms)
        packed, steps = pack(self._kinds, start.numbers, ~self._fixed, self._conditions.skin)
        threads = threads or potential.descriptor.threads
        self._walker = Walker(potential.model, start, packed, steps, self._conditions, threads)
        self._model, self._random = potential.model, np.random.default_rng(seed)
        self._error = 0.0
        self.steps_done = 0
        self.columns = (*_ALWAYS, *(column for move in self._kinds for column in _columns(move)))

    # --- moves ---

    def advance(self, steps: int, every: int) -> Advance:
        """Try moves; see `fastsf.simulation.engine.Engine`."""
        begin, rows, halt = self.steps_done, [], None
        while self.steps_done < begin + steps and halt is None:
            halt = self._go_to(min(begin + steps, self._next_stop(every)))
            if halt is None and self.steps_done % every == 0:
                rows.append(self._observe())
        return Advance(self.steps_done - begin, np.array(rows).reshape(-1, len(self.columns)), halt)

    def _next_stop(self, every: int) -> int:
        """Return the number of the next move after which something is due."""
        periods = every, self._sum_every, self._conditions.compare_every
        stops = [(self.steps_done // period + 1) * period for period in periods]
        if self.steps_done < self._conditions.equilibration:
            stops.append(self._conditions.equilibration)
        return min(*stops, self.steps_done + _AT_ONCE)

    @property
    def _sum_every(self) -> int:
        return max(_LEAST_SUMMED, len(self._start))

    def _go_to(self, target: int) -> Halt | None:
        wanted = target - self.steps_done
        before = generator_state(self._random)
        made, halt = self._walker.go(self._random.random((wanted, UNIFORMS)), self.steps_done)
        if made < wanted:
            self._random = restored_generator(before)
            self._random.random((made, UNIFORMS))
        self.steps_done += made
        return halt if halt is not None else self._keep_accounts()

    def _keep_accounts(self) -> Halt | None:
        """Do what is due after the last move."""
        if self.steps_done == self._conditions.equilibration:
            self._walker.chain.counts[:] = 0
        if self.steps_done % self._sum_every == 0:
            self._walker.sum_up()
        if self.steps_done % self._conditions.compare_every == 0:
            self._error, tolerance = self._walker.check()
            if not abs(self._error) <= tolerance:
                found = (
                    f"the running total is {self._error:.3g} eV above the energy; expected {tolerance:.1g} eV at most"
                )
                return Halt("energy", self.steps_done, found)
        return None

    # --- observations ---

    def _observe(self) -> list[float]:
        chain = self._walker.chain
        temperature = self._conditions.temperature_after(self.steps_done)
        row = [self.steps_done, np.nan, temperature, chain.total[0], self._volume(), chain.outside.sum(), self._error]
        for k, move in enumerate(self._kinds):
            tried, accepted = chain.counts[k]
            row += [tried, accepted, accepted / tried if tried else np.nan]
            row += [] if isinstance(move, Swap) else [chain.steps[k]]
        return [float(number) for number in row]

    def _volume(self) -> float:
        return volume(self._walker.sites.cell) if self._start.pbc.all() else np.nan

    def frame(self) -> EngineFrame:
        """Return the atoms as they are now; atoms that were swapped keep their indices and elements."""
        chain = self._walker.chain
        observed = {column.name: value for column, value in zip(self.columns, self._observe(), strict=True)}
        return EngineFrame(
            self.steps_done,
            np.nan,
            self._start.numbers.copy(),
            chain.positions[chain.site],
            self._walker.sites.cell.copy(),
            self._start.pbc.copy(),
            None,
            None,
            float(chain.total[0]),
            observed,
            self._masses,
            self._fixed if self._fixed.any() else None,
        )

    # --- restart ---

    def state(self) -> State:
        """Return everything that `restore` needs to continue to the same last bit."""
        own: State = {"steps_done": self.steps_done, "error": self._error, "random": generator_state(self._random)}
        return {**self._walker.state(), **own}

    def restore(self, state: State) -> None:
        """Go back to a state of an engine with the same identity."""
        self._walker.restore(state)
        self.steps_done, self._error = int(state["steps_done"]), float(state["error"])
        self._random = restored_generator(str(state["random"]))

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the results of the run, in JSON's types."""
        start = self._start
        structure = start.numbers, start.positions, start.cell, start.pbc, self._fixed
        return {
            "engine": "Monte Carlo",
            "potential": model_digest(self._model),
            "atoms": len(start),
            "structure": digest(structure),
            **asdict(self._conditions),
            "moves": {move.name: asdict(move) for move in self._kinds},
            "seed": self._seed,
        }


def _columns(move: Move) -> list[Column]:
    names = [Column(f"{move.name}: {what}", "") for what in ("tried", "accepted", "rate")]
    if isinstance(move, Swap):
        return names
    return [*names, Column(f"{move.name}: step", "Å" if isinstance(move, Displacement) else "")]

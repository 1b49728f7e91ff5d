"""Molecular dynamics with compiled steps; they return to Python when a new neighbour list is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from ase import units

from fastsf.errors import InputError
from fastsf.kernels.dynamics import md as kernels
from fastsf.md.integrators import Integrator
from fastsf.md.limits import KernelHalt, MDLimits, halt
from fastsf.md.setup import check_integrator, checked_timestep, make_motion, make_scheme
from fastsf.md.workspace import Workspace
from fastsf.potentials.potential import Potential
from fastsf.simulation.engine import Advance, Column, EngineFrame, State
from fastsf.simulation.fixed import atoms_mask, fixed_atoms, unusual_masses
from fastsf.simulation.identity import digest, model_digest
from fastsf.storage.states import generator_state, restored_generator
from fastsf.structure import Structure
from fastsf.threads import using
from fastsf.types import FloatArray

if TYPE_CHECKING:
    from ase import Atoms

SKIN = 0.7
"""Default skin in Å."""

_ALWAYS = (
    Column("step", ""),
    Column("time", "fs"),
    Column("potential energy", "eV"),
    Column("kinetic energy", "eV"),
    Column("temperature", "K"),
    Column("total energy", "eV"),
    Column("conserved energy", "eV"),
    Column("extrapolations", ""),
)
_PERIODIC = (
    Column("volume", "Å^3"),
    Column("pressure", "bar"),
    *(Column(f"stress {name}", "bar") for name in ("xx", "yy", "zz", "yz", "xz", "xy")),
)


class MolecularDynamics:
    """Molecular dynamics of a structure with a potential; an `fastsf.simulation.engine.Engine`.

    Parameters
    ----------
    potential : Potential
        Potential that gives the forces.
    atoms : ase.Atoms
        First structure with its velocities (`maxwell_boltzmann` draws some); it is not changed. Atoms that
        `ase.constraints.FixAtoms` fixes do not move.
    integrator : Integrator
        Equations of motion.
    timestep : float
        Time step in fs.
    fixed : (n,) bool or int array, optional
        Mask or indices of further atoms that do not move.
    seed : int
        Seed of the random numbers.
    skin : float, optional
        Distance in Å by which the neighbour list exceeds the cutoff. A new list is made before a pair that is not in
        the list can come closer than the cutoff.
    threads : int, optional
        Number of threads; by default all that numba has. Results do not depend on it.
    limits : MDLimits, optional
        Limits at which the engine halts.
    remove_drift : bool, optional
        True if the centre of mass is at rest: its velocity is removed at the start and from the noise of a Langevin
        thermostat, and three degrees of freedom are not counted. By default true, except for a single atom and if
        atoms are fixed.

    Attributes
    ----------
    steps_done : int
        Number of time steps so far.
    columns : tuple of Column
        Observed quantities. Stresses and the pressure include their kinetic part; tension is positive in stresses.
    freedom : int
        Number of degrees of freedom.

    Raises
    ------
    InputError
        For arguments outside their range, and constraints other than fixed atoms.
    StructureError
        For structures that cannot be used.
    """

    def __init__(
        self,
        potential: Potential,
        atoms: Atoms,
        integrator: Integrator,
        timestep: float,
        *,
        fixed: npt.ArrayLike | None = None,
        seed: int = 0,
        skin: float | None = None,
        threads: int | None = None,
        limits: MDLimits | None = None,
        remove_drift: bool | None = None,
    ) -> None:
        if not isinstance(potential, Potential):
            raise InputError(f"molecular dynamics needs one Potential, found {type(potential).__name__}")
        self._start = Structure.from_atoms(atoms)
        self._potential, self._integrator, self._seed = potential, integrator, int(seed)
        self._timestep, self._limits = checked_timestep(timestep), limits or MDLimits()
        self._skin = SKIN if skin is None else float(skin)
        self._fixed = fixed_atoms(atoms) | atoms_mask(fixed, len(atoms))
        self._masses = unusual_masses(atoms)
        check_integrator(integrator, self._start, self._fixed, self._limits)
        self._scheme = make_scheme(integrator, atoms, self._fixed, remove_drift, self._timestep)
        self._motion = make_motion(integrator, self._start, atoms.get_momenta(), self._scheme)
        self.freedom = int(self._scheme.freedom)
        self._identity = self._identify()
        self._packed_limits = self._limits.packed(self._start, self.freedom)
        self._counts = np.array([0, kernels.NEW, 0, 0, 0, 1])
        self._rng = np.random.default_rng(self._seed)
        self._work = Workspace(potential.model, self._start, self._skin, threads, self._motion.forces)
        self.columns = _ALWAYS + (_PERIODIC if self._start.pbc.all() else ())
        self._run_to(0, 1, np.empty((0, kernels.OBSERVED)))

    # --- steps ---

    @property
    def steps_done(self) -> int:
        """Number of time steps so far."""
        return int(self._counts[kernels.STEPS])

    def advance(self, steps: int, every: int) -> Advance:
        """Do time steps.

        Parameters
        ----------
        steps : int
            Number of time steps. Signals wait until they are done: if the run may be interrupted, ask for at most a
            second's work at once.
        every : int
            Observe after steps for which `steps_done` is a multiple of this.

        Returns
        -------
        Advance
            Rows, and the reason if fewer steps were done.
        """
        if steps < 0 or every < 1:
            raise InputError(f"expected steps of at least 0 and every of at least 1, found {steps} and {every}")
        before, last = self.steps_done, self.steps_done + steps
        rows = np.empty((last // every - before // every, kernels.OBSERVED))
        status = self._run_to(last, every, rows)
        seen = self._seen(rows[: self._counts[kernels.ROWS]])
        stopped = None if status == kernels.DONE else self._halt(status)
        self._counts[[kernels.ROWS, kernels.SUBJECT]] = 0
        return Advance(self.steps_done - before, seen, stopped)

    def _run_to(self, last: int, every: int, rows: FloatArray) -> int:
        schedule = kernels.Schedule(self._counts, last, every)
        status = kernels.OUTDATED
        with using(self._work.threads):
            while status == kernels.OUTDATED:
                work = self._work
                fixed = (self._motion, self._scheme, work.lists, work.forces, self._packed_limits)
                status = kernels.advance(*fixed, schedule, self._rng, rows)
                if status == kernels.OUTDATED:
                    self._find_pairs(self._motion.positions, self._motion.cell)
                    self._counts[kernels.CURRENT] = 1
        return int(status)

    def _find_pairs(self, positions: FloatArray, cell: FloatArray) -> None:
        start = self._start
        self._work.find_pairs(Structure(positions.copy(), cell.copy(), start.pbc, start.numbers))

    def _halt(self, status: int) -> Any:
        motion, step = self._motion, self.steps_done
        counts, temperature = self._counts, self.frame().columns["temperature"]
        found = KernelHalt(status, step, int(counts[kernels.SUBJECT]), int(counts[kernels.OUTSIDE]), temperature)
        cutoff, moves = self._potential.model.cutoff, motion.velocities * self._scheme.step
        return halt(found, self._limits, self._start, motion.cell, moves, motion.forces, cutoff)

    # --- observations ---

    def _seen(self, raw: FloatArray) -> FloatArray:
        """Return rows of the columns from those of the kernels."""
        steps, outside, potential, kinetic, conserved, space = raw[:, : kernels.PRESSURE].T
        stress = raw[:, kernels.PRESSURE :] / -units.bar
        temperature = 2 * kinetic / (self.freedom * units.kB)
        energies = potential, kinetic, temperature, potential + kinetic, conserved
        columns = [steps, steps * self._timestep, *energies, outside, space, -stress[:, :3].mean(axis=1), *stress.T]
        return np.stack(columns[: len(self.columns)], axis=1)

    def frame(self) -> EngineFrame:
        """Return the atoms as they are now; forces are those of the potential, also on fixed atoms."""
        motion, raw = self._motion, np.empty((1, kernels.OBSERVED))
        kernels.observe(motion, self._scheme, self._counts, raw[0])
        row = self._seen(raw)[0]
        columns = {column.name: float(value) for column, value in zip(self.columns, row, strict=True)}
        return EngineFrame(
            self.steps_done,
            columns["time"],
            self._start.numbers.copy(),
            motion.positions.copy(),
            motion.cell.copy(),
            self._start.pbc.copy(),
            motion.velocities * units.fs,
            motion.forces.copy(),
            columns["potential energy"],
            columns,
            self._masses,
            self._fixed if self._fixed.any() else None,
        )

    # --- restart ---

    def state(self) -> State:
        """Return everything that `restore` needs to continue to the same last bit; units are those of ASE."""
        arrays = {name: array.copy() for name, array in self._motion._asdict().items()}
        pairs = {"pair_positions": self._work.positions, "pair_cell": self._work.cell}
        return {**arrays, **pairs, "counts": self._counts.copy(), "random": generator_state(self._rng)}

    def restore(self, state: State) -> None:
        """Go back to a state of an engine with the same identity."""
        self._find_pairs(np.asarray(state["pair_positions"]), np.asarray(state["pair_cell"]))
        for name, array in self._motion._asdict().items():
            array[...] = state[name]
        self._counts[...] = state["counts"]
        self._rng = restored_generator(str(state["random"]))

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the results of the run, in JSON's types."""
        return dict(self._identity)

    def _identify(self) -> dict[str, Any]:
        start = self._start
        structure = (start.numbers, start.positions, start.cell, start.pbc, self._motion.velocities)
        return {
            "engine": "molecular dynamics",
            "potential": model_digest(self._potential.model),
            "precision": self._potential.model.precision,
            "atoms": len(start),
            "structure": digest((*structure, self._scheme.masses, self._fixed)),
            "integrator": self._integrator.described(),
            "timestep": self._timestep,
            "seed": self._seed,
            "skin": self._skin,
            "remove_drift": not self._scheme.drifting,
        }

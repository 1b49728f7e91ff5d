"""Potentials and committees of them as ASE calculators."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.calculators import calculator as ase_calculator
from ase.calculators.calculator import PropertyNotImplementedError, all_changes
from ase.outputs import Properties, all_outputs

from fastsf.errors import InputError
from fastsf.potentials.committee import Committee, CommitteeResult
from fastsf.potentials.evaluation import Evaluator
from fastsf.potentials.policy import ExtrapolationPolicy, Monitor
from fastsf.potentials.potential import Potential
from fastsf.potentials.result import Result
from fastsf.structure import Structure
from fastsf.types import Array

if TYPE_CHECKING:
    from ase import Atoms

_WITHOUT_FORCES = frozenset(("energy", "free_energy", "energies", "energy_std", "energies_std"))


class Calculator(ase_calculator.Calculator):
    """Calculator of ASE for energies, forces and stresses.

    Neighbour lists are kept while atoms move less than half the skin. Results are kept until positions, numbers, cell
    or periodicity differ in any bit. Structures are never changed. Use one calculator in one Python thread at a time.

    Parameters
    ----------
    potential : Potential, Committee or path-like
        Potential; a path is loaded with `Potential.load`.
    skin : float
        Distance beyond the cutoff to which neighbours are kept, Å. Larger values rarely save time.
    threads : int, optional
        Threads of the kernels; default: all.
    extrapolation : ExtrapolationPolicy, "ignore", "warn" or "stop"
        Reaction to symmetry functions outside the range of the training set.
    length_unit, energy_unit : str
        Units of an n2p2 or RuNNer folder; used with a path only.
    precision : "double" or "mixed", optional
        As for `Potential`; default: the precision of the potential.

    Attributes
    ----------
    potential : Potential or Committee
        Potential of the calculator.
    monitor : Monitor
        Counts of extrapolations: `monitor.count`, `monitor.summary()`.

    Raises
    ------
    FormatError, StorageError
        If a path cannot be loaded.
    InputError
        If the skin is negative or not finite, or the threads, the policy or the precision are unknown.

    Notes
    -----
    Results in eV and Å: ``energy``, ``free_energy`` (the same), ``energies`` (n,), ``forces`` (n, 3), ``stress`` (6,)
    and ``stresses`` (n, 6), which sum to the stress. Components are in ASE's order xx, yy, zz, yz, xz, xy; tension is
    positive. Stresses need a cell that is periodic in all directions. Committees add the standard deviations over the
    members: ``energy_std``, ``forces_std`` (n, 3) and ``energies_std`` (n,).
    """

    implemented_properties: list[str] = [  # noqa: RUF012  (ASE's declaration)
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
        "stresses",
    ]
    name = "fastsf"
    atoms: Atoms | None
    _evaluator: Evaluator | None
    _result: Result | None

    def __init__(
        self,
        potential: Potential | Committee | str | Path,
        *,
        skin: float = 0.3,
        threads: int | None = None,
        extrapolation: ExtrapolationPolicy | str = "warn",
        length_unit: str = "Angstrom",
        energy_unit: str = "eV",
        precision: str | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._about: dict[str, Any] = {"skin": skin, "threads": threads, "precision": precision}
        if isinstance(potential, str | os.PathLike):
            self._about |= {"potential": str(potential), "length_unit": length_unit, "energy_unit": energy_unit}
            potential = Potential.load(potential, length_unit, energy_unit)
        self.potential = potential
        self.skin, self.threads = _checked_skin(skin), threads
        self.precision = potential.model.in_precision(precision).precision
        self.monitor = Monitor.of(extrapolation)
        if isinstance(potential, Committee):
            extra = ["energy_std", "forces_std", "energies_std"]
            self.implemented_properties = [*self.implemented_properties, *extra]
        self._eager = self._wanted = False
        self._forget()

    # --- ASE's interface ---

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Compute properties of a structure, as ASE asks for them.

        Raises
        ------
        StructureError
            If the structure cannot be used.
        ExtrapolationError
            If there are more extrapolations than the policy allows.
        PropertyNotImplementedError
            For stresses without a cell that is periodic in all directions.
        """
        if atoms is None:
            atoms = self.atoms
        if atoms is None:
            raise InputError("there is no structure to compute: expected the argument atoms")
        if "stress" in properties or "stresses" in properties:
            _check_periodic(atoms)
        if system_changes:
            self._result, self.atoms, self.results = None, atoms.copy(), {}
            self._eager, self._wanted = self._wanted, False
        self._wanted |= not _WITHOUT_FORCES.issuperset(properties)
        result = self._up_to_date(atoms)
        self.results.update(_results_of(result, self._wanted))
        if "stresses" in properties:
            self.results["stresses"] = result.stresses

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Return what has changed in any bit since the last calculation; charges and moments are ignored."""
        old = self.atoms
        if old is None:
            return list(all_changes)
        changes = [name for name in ("positions", "numbers") if not _same(old.arrays[name], atoms.arrays[name])]
        if not _same(old.cell.array, atoms.cell.array):
            changes.append("cell")
        if not _same(old.pbc, atoms.pbc):
            changes.append("pbc")
        return changes

    def reset(self) -> None:
        """Forget all results and the neighbour list."""
        super().reset()  # type: ignore[no-untyped-call]
        self._forget()

    def set(self, **kwargs: Any) -> dict[str, Any]:
        """Refuse changes of parameters.

        Raises
        ------
        InputError
            For any parameter.
        """
        if kwargs:
            raise InputError(f"{', '.join(kwargs)}: cannot be changed; create a new Calculator")
        return {}

    def todict(self, skip_default: bool = True) -> dict[str, Any]:
        """Return the parameters in plain types; ASE stores them with results."""
        return {name: value for name, value in self._about.items() if value is not None}

    def export_properties(self) -> Properties:
        """Return the results that ASE has names for."""
        return Properties({name: value for name, value in self.results.items() if name in all_outputs})

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without neighbour lists, for copies and other processes."""
        return {**self.__dict__, "_evaluator": None, "_result": None}

    # --- evaluation ---

    def _forget(self) -> None:
        self._evaluator = None
        self._numbers = self._pbc = self._cell = np.empty(0)
        self._result = None

    def _up_to_date(self, atoms: Atoms) -> Result:
        """Return the last result if it is of this structure and has all wanted properties, otherwise a new one.

        Forces are computed with the energy if those of the previous structure were requested. Optimisers request both,
        often the energy first; Monte Carlo never requests forces.
        """
        old = self._result
        if old is not None and (old.forces is not None or not self._wanted):
            return old
        try:
            result = self._run(atoms, self._wanted or self._eager)
            if old is None:
                self.monitor.check(result, atoms)
        except BaseException:  # keep nothing of this structure
            self._forget()
            raise
        self._result = result
        return result

    def _run(self, atoms: Atoms, forces: bool) -> Result:
        numbers, cell, pbc = atoms.numbers, atoms.cell.array, atoms.pbc
        if self._evaluator is None or not (_same(numbers, self._numbers) and _same(pbc, self._pbc)):
            structure = Structure.from_atoms(atoms)
            self._evaluator = self.potential.evaluator(structure, self.skin, self.threads, self.precision)
            self._numbers, self._pbc, self._cell = numbers.copy(), pbc.copy(), cell.copy()
            return self._evaluator.evaluate(forces=forces)
        if _same(cell, self._cell):
            return self._evaluator.evaluate(atoms.positions, forces=forces)
        result = self._evaluator.evaluate(atoms.positions, cell, forces=forces)
        self._cell = cell.copy()
        return result


def _same(a: Array, b: Array) -> bool:
    """Return whether arrays are equal in every bit; for small arrays much faster than `np.array_equal`."""
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def _results_of(result: Result, forces: bool) -> dict[str, Any]:
    results: dict[str, Any] = {"energy": result.energy, "free_energy": result.energy, "energies": result.energies}
    if isinstance(result, CommitteeResult):
        results |= {"energy_std": result.energy_std, "energies_std": result.energies_std}
        if forces:
            results["forces_std"] = result.forces_std
    if forces:
        results["forces"] = result.forces
        if result.stress is not None:
            results["stress"] = result.stress
    return results


def _checked_skin(skin: float) -> float:
    if not 0 <= skin < np.inf:
        raise InputError(f"expected a skin of at least 0 Å, found {skin}")
    return float(skin)


def _check_periodic(atoms: Atoms) -> None:
    if not atoms.pbc.all():
        raise PropertyNotImplementedError(
            f"stress needs a cell that is periodic in all three directions, found pbc = {atoms.pbc.tolist()}"
        )

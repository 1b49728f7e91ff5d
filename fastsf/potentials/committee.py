"""Committees: potentials with the same symmetry functions; their spread estimates the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.potentials.evaluation import Evaluator, Model, Result, evaluate_batch
from fastsf.potentials.pcsf_term import PCSFModel
from fastsf.potentials.potential import OWN_UNITS, Potential
from fastsf.potentials.precision import DOUBLE
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry.atoms import SymmetryFunction
from fastsf.symmetry.pcsf import PCSFunction
from fastsf.types import FloatArray

if TYPE_CHECKING:
    from ase import Atoms

AnyModel = TypeVar("AnyModel", Model, PCSFModel)


@dataclass(frozen=True, eq=False)
class CommitteeResult(Result):
    """Results of a committee of m potentials for a structure of n atoms.

    `energy`, `energies`, `forces`, `virials` and quantities derived from them are means over the members. `outside` and
    `extrapolations` count the symmetry functions outside the range of any member's training set. Standard deviations
    have m in the denominator (ddof = 0).

    Parameters
    ----------
    energy_std : float
        Standard deviation of the energy, eV.
    energies_std : (n,) float64
        Standard deviation of the energies of the atoms, eV.
    forces_std : (n, 3) float64 or None
        Standard deviation of each component of the forces, eV/Å; None if forces were not requested.
    member_energies : (m,) float64
        Energy by each member, eV.
    member_forces : (m, n, 3) float64 or None
        Forces by each member, eV/Å.
    """

    energy_std: float
    energies_std: FloatArray
    forces_std: FloatArray | None
    member_energies: FloatArray
    member_forces: FloatArray | None


class Committee:
    """Several potentials with the same symmetry functions, used like one potential.

    Neighbour lists and symmetry functions of a structure are computed once for all members.

    Parameters
    ----------
    members : sequence of Potential
        At least one. Networks, scalings, offsets and units of energy may differ.

    Attributes
    ----------
    members : tuple of Potential
    descriptor : ACSF
        That of the first member.
    elements : tuple of str
    model : Model
        Networks of the first member, with the ranges of symmetry functions that all members share.

    Raises
    ------
    InputError
        If there is no member, or if elements, symmetry functions or precisions differ.
    """

    def __init__(self, members: Sequence[Potential]) -> None:
        self.members = tuple(members)
        if not self.members:
            raise InputError("expected at least one potential for a committee, found none")
        first = self.members[0]
        for number, member in enumerate(self.members[1:], start=2):
            _check_same_functions(number, first, member)
        self.descriptor = first.descriptor
        self.elements = first.elements
        ranges = {
            symbol: _common_range([member.scalings[symbol] for member in self.members]) for symbol in first.scalings
        }
        self.model = _with_ranges(first.model, ranges)
        if first.pairs is not None and self.model.pairs is not None:
            own = [member.pairs.scalings for member in self.members if member.pairs is not None]
            common = {kind: _common_range([each[kind] for each in own]) for kind in first.pairs.kinds}
            self.model = replace(self.model, pairs=_with_ranges(self.model.pairs, common))

    @classmethod
    def load(
        cls,
        paths: Sequence[str | Path],
        length_unit: str = OWN_UNITS[0],
        energy_unit: str = OWN_UNITS[1],
        *,
        threads: int | None = None,
        precision: str = DOUBLE,
    ) -> Committee:
        """Read the members from folders or files; parameters and errors as for `Potential.load`."""
        options: dict[str, Any] = {"threads": threads, "precision": precision}
        return cls([Potential.load(path, length_unit, energy_unit, **options) for path in paths])

    def __len__(self) -> int:
        return len(self.members)

    def __repr__(self) -> str:
        return f"<Committee of {len(self)}: {', '.join(self.elements)}, {self.descriptor.n_features} features>"

    def describe(self) -> str:
        """Return a summary as text."""
        parts = [f"committee of {len(self)} potentials with the same functions"]
        parts += [f"member {number}: {member.describe()}" for number, member in enumerate(self.members, start=1)]
        return "\n".join(parts)

    def evaluator(
        self,
        structure: Atoms | Structure,
        skin: float = 0.0,
        threads: int | None = None,
        precision: str | None = None,
    ) -> CommitteeEvaluator:
        """Return an evaluator of a structure whose atoms move; see `Evaluator`. Default: precision of the members."""
        return CommitteeEvaluator(self, structure, skin, threads or self.descriptor.threads, precision)

    def evaluate(self, atoms: Atoms | Structure, forces: bool = True) -> CommitteeResult:
        """Return means and standard deviations for one structure.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure; not changed.
        forces : bool
            Compute forces, virials and the stress too; energies alone are faster.

        Raises
        ------
        StructureError
            For elements that the members do not have and structures that cannot be used.
        """
        return self.evaluator(atoms).evaluate(forces=forces)


class CommitteeEvaluator(Evaluator):
    """Evaluator of a structure with all members of a committee while its atoms and its cell change.

    Parameters
    ----------
    committee : Committee
        The members.
    structure, skin, threads
        As for `Evaluator`.
    precision : "double", "mixed" or None
        Precision of the kernels; default: that of the members.
    """

    def __init__(
        self,
        committee: Committee,
        structure: Atoms | Structure,
        skin: float = 0.0,
        threads: int | None = None,
        precision: str | None = None,
    ) -> None:
        super().__init__(committee.model.in_precision(precision), Structure.from_atoms(structure), skin, threads)
        self._models = [committee.model, *(member.model for member in committee.members[1:])]

    def evaluate(
        self, positions: npt.ArrayLike | None = None, cell: npt.ArrayLike | None = None, forces: bool = True
    ) -> CommitteeResult:
        """Return means and standard deviations; parameters and errors as for `Evaluator.evaluate`."""
        self.move(positions, cell)
        values, pairs = self.values(), self.pair_values()
        n, members = len(self), len(self._models)
        energies, outside = np.empty((members, n)), np.zeros(n, dtype=np.int64)
        slopes = np.empty((n, members, values.shape[1] if forces else 0))
        made = []
        for m, model in enumerate(self._models):
            energies[m], slopes[:, m], beyond = self.predict(model.networks, values, forces)
            made.append(self.pair_outputs(model.pairs, pairs, energies[m], beyond, forces))
            if m == 0:
                outside = beyond  # the others would count by their own ranges
        member_forces, virials = self.chain(slopes, made) if forces else (None, None)
        totals = energies.sum(axis=1)
        return CommitteeResult(
            energy=float(totals.mean()),
            energies=energies.mean(axis=0),
            forces=None if member_forces is None else member_forces.mean(axis=0),
            virials=None if virials is None else virials.mean(axis=0),
            values=values,
            outside=outside,
            numbers=self.numbers,
            volume=self._volume,
            model=self.model,
            pairs=pairs,
            energy_std=float(totals.std()),
            energies_std=energies.std(axis=0),
            forces_std=None if member_forces is None else member_forces.std(axis=0),
            member_energies=totals,
            member_forces=member_forces,
        )


def _check_same_functions(number: int, first: Potential, other: Potential) -> None:
    if other.elements != first.elements:
        raise InputError(
            f"member {number} has the elements {', '.join(other.elements)}, the first one {', '.join(first.elements)}"
        )
    if other.model.precision != first.model.precision:
        raise InputError(
            f"member {number} works in {other.model.precision} precision, the first one in {first.model.precision}"
        )
    expected_columns, found_columns = _columns(first), _columns(other)
    for symbol in sorted({*expected_columns, *found_columns}):
        expected, found = expected_columns.get(symbol, ()), found_columns.get(symbol, ())
        if len(found) != len(expected):
            raise InputError(f"member {number} has {len(found)} functions for {symbol}, the first one {len(expected)}")
        for column, (ours, theirs) in enumerate(zip(expected, found, strict=True), start=1):
            if ours != theirs:
                raise InputError(
                    f"member {number}: function {column} of {symbol} is {theirs.label}, "
                    f"that of the first one {ours.label}"
                )


def _columns(potential: Potential) -> dict[str, Sequence[SymmetryFunction | PCSFunction]]:
    """Return the functions of each element and kind of pairs."""
    pairs = {} if potential.pairs is None else potential.pairs.descriptor.columns
    return {**potential.descriptor.columns, **pairs}


def _common_range(scalings: Sequence[Scaling]) -> Scaling:
    """Return the range that all training sets share, or one point if they share none; it does not scale."""
    low = np.max([scaling.minimum for scaling in scalings], axis=0)
    high = np.min([scaling.maximum for scaling in scalings], axis=0)
    middle = 0.5 * (low + high)
    low, high = np.where(low > high, middle, low), np.where(low > high, middle, high)
    return replace(scalings[0], mode="none", minimum=low, maximum=high)


def _with_ranges(model: AnyModel, ranges: dict[str, Scaling]) -> AnyModel:
    """Return a model that counts extrapolations by other ranges and scales as before."""
    minimum, maximum = model.networks.minimum.copy(), model.networks.maximum.copy()
    for index, name in enumerate(model.descriptor.columns):
        if name in ranges:
            columns = len(ranges[name])
            minimum[index, :columns], maximum[index, :columns] = ranges[name].bounds()
    return replace(model, networks=model.networks._replace(minimum=minimum, maximum=maximum), scalings=ranges)


def evaluate_all(
    potential: Potential | Committee, structures: Sequence[Structure], threads: int | None = None
) -> Sequence[Result]:
    """Return energies, forces and stresses of many structures, computed together if possible.

    Parameters
    ----------
    potential : Potential or Committee
    structures : sequence of Structure
    threads : int, optional
        As for `fastsf.potentials.evaluation.Evaluator`.

    Raises
    ------
    StructureError
        For elements that the potential does not have.
    """
    if isinstance(potential, Committee):
        return [potential.evaluator(each, threads=threads).evaluate() for each in structures]
    return evaluate_batch(potential.model, structures, threads)

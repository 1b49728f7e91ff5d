"""Energies, forces and stresses with different units or signs.

From one structure to a similar one the energy changes by the work of forces and stress,

    dE = -1/2 sum_i (F_i + F'_i) . u_i + 1/2 sum_ab (V s_ab + V' s'_ab) e_ab,

with u_i the displacement of atom i beyond the strain e of the cell. Data sets contain similar structures (steps of
trajectories and deformations), which show whether the labels are consistent, whatever their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from ase import units

from fastsf.datasets.checks.findings import Finding
from fastsf.datasets.checks.geometry import is_dimer
from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.reference_energies import compositions
from fastsf.structure import Structure, volume
from fastsf.types import FloatArray, IntArray

_LARGEST_STEP = 0.3
_LARGEST_STRAIN = 0.08
_SAME_CELL = 1e-6
_FEWEST_STEPS = 4
_CORRELATION = 0.8
_TOLERANCE = 1.5
_LIKENESS = 1.1
_SAME_COMPOSITION = 0.02
_FEWEST_COMPONENTS = 100
_LEAST_CORRELATION = 0.3
_WEAK = 0.06
"""Smallest usual force, eV/Å; one neighbour at the length of a bond usually pushes with 0.1 to 3 eV/Å."""
_FACTORS = {
    "Hartree against eV": float(units.Hartree),
    "Rydberg against eV": float(units.Rydberg),
    "Hartree/Bohr against eV/Å": float(units.Hartree / units.Bohr),
    "Bohr against Å": float(1 / units.Bohr),
    "GPa against eV/Å^3": float(1 / units.GPa),
    "kbar against eV/Å^3": float(10 / units.GPa),
    "eV against kcal/mol": float(units.mol / units.kcal),
    "eV against kJ/mol": float(units.mol / units.kJ),
}


class StructureStep(NamedTuple):
    """Difference between two similar structures.

    Parameters
    ----------
    energy : float
        Change of the energy, eV.
    by_forces, by_stress : float
        Work, eV; NaN without labels.
    strain : float
        Largest component of the strain.
    """

    energy: float
    by_forces: float
    by_stress: float
    strain: float


def check_work(labelled: LabelledSet) -> Iterator[Finding]:
    """Compare changes of the energy with the work of forces and stresses."""
    for name, steps, ratio in _ratios(labelled):
        if not 1 / _TOLERANCE < ratio < _TOLERANCE:
            message = (
                f"energies and {name} are inconsistent: in {steps} steps between similar structures the "
                f"energy changes {ratio:.3g} times as much as the {name} say"
            )
            message += _explanation(ratio) if ratio > 0 else f", and in the other direction{_explanation(-ratio)}"
            yield Finding("units", "serious", message)


def _ratios(labelled: LabelledSet) -> Iterator[tuple[str, int, float]]:
    """Yield labels, a number of steps, and the change of the energy in these steps relative to the labels' work."""
    successive = ((k, k + 1) for k in range(len(labelled) - 1))
    steps = [step for pair in successive if (step := _step(labelled, *pair)) is not None]
    if len(steps) < _FEWEST_STEPS:
        steps += [step for pair in _similar_dimers(labelled) if (step := _step(labelled, *pair)) is not None]
    still = np.array([(s.energy, s.by_forces) for s in steps if s.strain < _SAME_CELL]).reshape(-1, 2)
    deformed = np.array([(s.energy - s.by_forces, s.by_stress) for s in steps if s.strain >= _SAME_CELL]).reshape(-1, 2)
    for name, pairs in (("forces", still), ("stresses", deformed)):
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        change, work = pairs.T
        if len(pairs) < _FEWEST_STEPS or not change.any() or not work.any():
            continue
        if abs(change @ work) < _CORRELATION * np.sqrt((change @ change) * (work @ work)):
            continue
        yield name, len(pairs), float(change @ work / (work @ work))


def _similar_dimers(labelled: LabelledSet) -> list[tuple[int, int]]:
    """Return pairs of dimers of successive distances, without those that are successive structures."""
    dimers = {
        k: (tuple(each.numbers.tolist()), float(np.linalg.norm(each.positions[1] - each.positions[0])))
        for k, each in enumerate(labelled.structures)
        if is_dimer(each)
    }
    ordered = sorted(dimers, key=lambda k: dimers[k])
    return [pair for pair in pairwise(ordered) if abs(pair[0] - pair[1]) > 1]


def _explanation(ratio: float) -> str:
    """Return the units that differ by a factor as text, empty if there are none."""
    for words, factor in _FACTORS.items():
        for expected in (factor, 1 / factor):
            if abs(np.log(ratio / expected)) < np.log(_LIKENESS):
                return f": {words}?"
    return ""


def _step(labelled: LabelledSet, k: int, other: int) -> StructureStep | None:
    """Return the change from a structure to another if they are similar and have energies and forces."""
    first, second = labelled.structures[k], labelled.structures[other]
    forces = labelled.forces[k], labelled.forces[other]
    energy = float(labelled.energies[other] - labelled.energies[k])
    if forces[0] is None or forces[1] is None or not np.isfinite(energy) or not _alike(first, second):
        return None
    moved, strain = _motion(first, second)
    largest = float(np.abs(strain).max())
    if np.abs(moved).max() > _LARGEST_STEP or largest > _LARGEST_STRAIN:
        return None
    work_of_stress = sum(
        volume(each.cell) * np.sum(_full(stress) * strain)
        for each, stress in ((first, labelled.stresses[k]), (second, labelled.stresses[other]))
    )
    work_of_forces = -np.sum((forces[0] + forces[1]) * moved)
    return StructureStep(energy, 0.5 * float(work_of_forces), 0.5 * float(work_of_stress), largest)


def _alike(first: Structure, second: Structure) -> bool:
    return np.array_equal(first.numbers, second.numbers) and np.array_equal(first.pbc, second.pbc)


def _motion(first: Structure, second: Structure) -> tuple[FloatArray, FloatArray]:
    """Return displacements of the atoms beyond the strain, (n, 3) Å, without their mean, and the strain, (3, 3)."""
    strain: FloatArray = np.linalg.solve(first.cell, second.cell) - np.eye(3)
    inverses = np.linalg.inv(first.cell), np.linalg.inv(second.cell)
    relative = second.positions @ inverses[1] - first.positions @ inverses[0]
    relative -= np.rint(relative) * first.pbc
    relative -= relative.mean(axis=0)
    return relative @ (0.5 * (first.cell + second.cell)), strain


def _full(stress: FloatArray) -> FloatArray:
    return stress[[[0, 5, 4], [5, 1, 3], [4, 3, 2]]]


def check_push(labelled: LabelledSet, pushes: Sequence[FloatArray]) -> Iterator[Finding]:
    """Compare forces with the directions in which near neighbours push atoms; usually forces drive atoms apart.

    Dimers are left out: curves of dissociation are mostly of stretched bonds.

    Parameters
    ----------
    labelled : LabelledSet
        Structures with forces.
    pushes : sequence of (n, 3) float64
        As in `fastsf.datasets.checks.geometry.Geometry`.
    """
    pairs = [
        (push, forces)
        for push, forces, structure in zip(pushes, labelled.forces, labelled.structures, strict=True)
        if forces is not None and not is_dimer(structure)
    ]
    if not pairs:
        return
    push, force = (np.concatenate(each).ravel() for each in zip(*pairs, strict=True))
    along, size = float(push @ force), float(np.sqrt((push @ push) * (force @ force)))
    if len(push) < _FEWEST_COMPONENTS or abs(along) <= _LEAST_CORRELATION * size:
        return
    if along < 0:
        if any(name == "forces" and ratio > 0 for name, _, ratio in _ratios(labelled)):
            return  # the work shows that the sign is right: bonds are stretched
        yield Finding("units", "serious", "forces drive near atoms together: is their sign wrong?")
    elif along / float(push @ push) < _WEAK:
        message = "forces are weak for the distances between the atoms: are they in Hartree/Bohr?"
        yield Finding("units", "suspicious", message)


def check_energy_scales(labelled: LabelledSet) -> Iterator[Finding]:
    """Compare the energies per atom of files of the same composition with each other."""
    energies = labelled.energies / labelled.n_atoms
    shares = compositions(labelled) / labelled.n_atoms[:, None]
    files = np.array(labelled.files)
    typical: list[tuple[str, IntArray, float, FloatArray]] = []
    for file in dict.fromkeys(labelled.files):
        mine = np.flatnonzero((files == file) & np.isfinite(energies))
        if len(mine):
            typical.append((file, mine, float(np.median(energies[mine])), shares[mine].mean(axis=0)))
    for (other, _, reference, composition), (name, members, energy, share) in pairwise(typical):
        alike = np.abs(share - composition).max() < _SAME_COMPOSITION
        words = _explanation(energy / reference) if alike and energy * reference > 0 else ""
        if words:
            message = f"energies in {name} are {energy / reference:.3g} times those in {other}{words}"
            yield Finding("units", "serious", message, tuple(members.tolist()))

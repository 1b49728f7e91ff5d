"""Unusual energies, forces and stresses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase import units

from fastsf.datasets.checks.findings import Finding
from fastsf.datasets.isolated import isolated_atoms
from fastsf.datasets.labelled import LabelledSet
from fastsf.datasets.reference_energies import above_references
from fastsf.types import BoolArray, FloatArray, IntArray

SMALLEST_GROUP = 10
"""Least number of structures of a group that is compared only with itself."""

_ENERGY_RATIO, _LEAST_ENERGY = 5.0, 0.01
_FORCE_RATIO, _LEAST_FORCE = 4.0, 1.0
_NET_FORCE = 1e-3
_SHARE = 0.9
_HUGE_STRESS = 1.0


def check_energies(labelled: LabelledSet) -> Iterator[Finding]:
    """Find energies per atom far from the others of their group."""
    energies = above_references(labelled)
    for mine, whose in _families(labelled, np.isfinite(energies) & ~isolated_atoms(labelled)):
        middle = float(np.median(energies[mine]))
        away = energies[mine] - middle
        usual = max(float(np.quantile(np.abs(away), _SHARE, method="lower")), _LEAST_ENERGY)
        for k, distance in zip(mine.tolist(), away.tolist(), strict=True):
            if abs(distance) > _ENERGY_RATIO * usual:
                side = "above" if distance > 0 else "below"
                message = (
                    f"energy {abs(distance):.3g} eV/atom {side} the middle of {whose}, "
                    f"where {_SHARE:.0%} are within {usual:.2g}"
                )
                yield Finding("energy", "suspicious", message, (k,))


def check_forces(labelled: LabelledSet) -> Iterator[Finding]:
    """Find forces far above those of their group, and forces whose sum is not zero."""
    largest, net = _forces(labelled)
    for mine, whose in _families(labelled, np.isfinite(largest)):
        usual = max(float(np.quantile(largest[mine], _SHARE, method="lower")), _LEAST_FORCE)
        for k in mine[largest[mine] > _FORCE_RATIO * usual].tolist():
            message = f"a force of {largest[k]:.3g} eV/Å; in {whose}, {_SHARE:.0%} have no force above {usual:.2g}"
            yield Finding("forces", "suspicious", message, (k,))
    unbalanced = np.flatnonzero(net > _NET_FORCE)
    if len(unbalanced):
        worst = unbalanced[np.argsort(-net[unbalanced])]
        message = (
            f"the forces of {len(unbalanced)} structures do not add up to zero, but those of a potential do: "
            f"errors of forces are at least {net[worst[0]]:.2g} eV/Å for the worst"
        )
        yield Finding("forces", "note", message, tuple(worst.tolist()))


def _forces(labelled: LabelledSet) -> tuple[FloatArray, FloatArray]:
    """Return the largest force and the length of the mean force of each structure, (m,) eV/Å; NaN without forces."""
    both = np.full((2, len(labelled)), np.nan)
    for k, forces in enumerate(labelled.forces):
        if forces is not None:
            both[0, k] = np.sqrt(np.einsum("nc,nc->n", forces, forces).max())
            both[1, k] = np.linalg.norm(forces.mean(axis=0))
    return both[0], both[1]


def check_stresses(labelled: LabelledSet) -> Iterator[Finding]:
    """Find stresses that are larger than any solid can have."""
    largest = np.abs(labelled.stresses).max(axis=1)
    huge = np.flatnonzero(largest > _HUGE_STRESS)
    if len(huge):
        worst = int(huge[np.argmax(largest[huge])])
        message = (
            f"stresses of {len(huge)} structures are above {_HUGE_STRESS:g} eV/Å^3 "
            f"({_HUGE_STRESS / units.GPa:.0f} GPa), up to {largest[worst]:.3g}: are they in GPa or kbar?"
        )
        yield Finding("units", "suspicious", message, (worst, *(k for k in huge.tolist() if k != worst)))


def _families(labelled: LabelledSet, usable: BoolArray) -> Iterator[tuple[IntArray, str]]:
    """Yield structures that are compared with each other: large groups, and all others together."""
    names = np.array(labelled.groups)
    rest = usable.copy()
    for name in sorted(set(labelled.groups) - {""}):
        mine = np.flatnonzero(usable & (names == name))
        if len(mine) >= SMALLEST_GROUP:
            rest[mine] = False
            yield mine, f"group {name!r}"
    mine = np.flatnonzero(rest)
    if len(mine) >= SMALLEST_GROUP:
        yield mine, "the set" if len(mine) == np.count_nonzero(usable) else "the structures without a large group"

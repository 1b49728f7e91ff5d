"""Symmetry functions and networks that suit given data, without any fitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsf.datasets.labelled import LabelledSet
from fastsf.errors import InputError
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure
from fastsf.types import FloatArray

_MOST_ATOMS = 5000
"""Largest number of atoms in the statistics, about."""

_FARTHEST = 9.0
"""Largest cutoff that is suggested, Å."""

_NEIGHBORS = 45.0
"""Mean number of neighbours within the cutoff: with fewer, forces of silicon became worse; with more, only slower."""

_SMALLEST = 5.5
"""Smallest cutoff that is suggested, Å: dense liquids such as water have structure beyond 45 neighbours."""

_USUAL_CUTOFF = 6.0
"""Cutoff for structures that never have so many neighbours, such as molecules, Å."""

_SPACING = 0.45
"""Distance of the points of the radial grid, Å."""

_ANGULAR = {1: (5, (1.0, 2.0, 4.0, 8.0)), 2: (3, (1.0, 2.0, 4.0, 8.0)), 3: (3, (1.0, 2.0, 4.0)), 4: (2, (1.0, 4.0))}
"""Points of the angular grid and zeta by the number of elements; pairs of neighbour elements multiply them."""

PCSF_RECIPE = "pairs"
"""Recipe of pair-centred functions if none is named."""

_FEW_ROWS, _MANY_ROWS = 3000, 300_000


@dataclass(frozen=True)
class Suggestion:
    """Functions and networks that suit the data.

    Parameters
    ----------
    recipe : dict
        Key "name" and options for `recipes.make`.
    hidden : tuple of int
        Nodes of the hidden layers.
    reasons : dict of str to str
        Reasons for "functions" and "networks", in words.
    """

    recipe: dict[str, Any]
    hidden: tuple[int, ...]
    reasons: dict[str, str]

    @property
    def pcsf_recipe(self) -> dict[str, Any]:
        """Recipe for pair-centred functions, with the distances of `recipe`."""
        return {"name": PCSF_RECIPE, **{key: self.recipe[key] for key in ("cutoff", "r_min")}}


def suggest(labelled: LabelledSet) -> Suggestion:
    """Choose functions and networks for a training set.

    The cutoff is the radius of 45 neighbours on average, at least 5.5 Å (6 Å if atoms never have so many). The grids
    begin at 0.55 of the shortest distance. The numbers of functions and nodes depend on the number of elements and of
    labels.

    Raises
    ------
    InputError
        If there are no structures, or no two atoms closer than 9 Å.
    """
    distances, atoms = _distances(_some(labelled.structures))
    if not len(distances):
        raise InputError(f"no two atoms of the structures are closer than {_FARTHEST:g} Å")
    cutoff, elements = _cutoff(distances, atoms), len(labelled.elements)
    r_min = round(max(0.4, 0.55 * float(distances[0])), 2)
    recipe: dict[str, Any] = {"name": "even-grid", "cutoff": cutoff, "r_min": r_min}
    recipe["radial"] = max(6, round((cutoff - 0.4 - r_min) / _SPACING) + 1)
    recipe["angular"], zeta = _ANGULAR.get(elements, _ANGULAR[1])
    recipe["zeta"] = list(zeta)
    recipe["weighted_angles"] = elements not in _ANGULAR
    hidden, rows = _hidden(labelled)
    reasons = {
        "functions": f"{np.searchsorted(distances, cutoff) / atoms:.0f} neighbours on average within {cutoff:g} Å; "
        f"the shortest distance is {distances[0]:.2f} Å",
        "networks": f"{rows:,} energies and force components to learn from",
    }
    return Suggestion(recipe, hidden, reasons)


def _some(structures: Sequence[Structure]) -> list[Structure]:
    """Return structures spread over the set with about `_MOST_ATOMS` atoms in total."""
    atoms = sum(len(structure) for structure in structures)
    return list(structures[:: max(1, atoms // _MOST_ATOMS)])


def _distances(structures: Sequence[Structure]) -> tuple[FloatArray, int]:
    """Return the distances of all pairs in increasing order, each pair twice, and the number of atoms."""
    if not structures:
        raise InputError("expected at least one structure to choose functions for, found none")
    pairs = Pairs.concatenate(structures, _FARTHEST)
    return np.sort(np.linalg.norm(pairs.vector, axis=1)), sum(len(structure) for structure in structures)


def _cutoff(distances: FloatArray, atoms: int) -> float:
    """Return the radius of `_NEIGHBORS` neighbours on average, Å."""
    wanted = int(_NEIGHBORS * atoms)
    radius = float(distances[wanted]) if wanted < len(distances) else _USUAL_CUTOFF
    return max(_SMALLEST, round(radius, 1))


def _hidden(labelled: LabelledSet) -> tuple[tuple[int, ...], int]:
    rows = int(np.isfinite(labelled.energies).sum()) + sum(f.size for f in labelled.forces if f is not None)
    if rows < _FEW_ROWS:
        return (12, 12), rows
    return ((20, 20) if rows < _MANY_ROWS else (30, 30)), rows

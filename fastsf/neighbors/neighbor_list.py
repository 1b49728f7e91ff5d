"""Neighbour lists as ASE spells them: `neighbor_list`.

A pair (i, j, S) is defined in `fastsf.neighbors.pairs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.neighbors import search as pair_search
from fastsf.neighbors.pairs import checked_radius, checked_threads
from fastsf.structure import Structure
from fastsf.types import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms

CutoffRadius: TypeAlias = "float | Mapping[tuple[Any, Any], float] | Sequence[float] | FloatArray"


def neighbor_list(quantities: str, a: Atoms | Structure, cutoff: CutoffRadius, *, threads: int | None = None) -> Any:
    """Return all pairs of atoms closer than a cutoff, as `ase.neighborlist.neighbor_list` returns them.

    Parameters
    ----------
    quantities : str
        Arrays to return, one letter each: ``i`` and ``j`` (p,) int64, first and second atom; ``d``
        (p,) float64, distance in Å; ``D`` (p, 3) float64, vector from i to j in Å; ``S`` (p, 3)
        int64, cell vectors from the given position of j to its image.
    a : ase.Atoms
        The structure.
    cutoff : float, dict or sequence
        In Å. A number is one radius for all pairs. A dict has one for each pair of species,
        ``{("H", "O"): 1.2, (1, 1): 0.9}``, in either order, by symbols or atomic numbers; other
        pairs have no neighbours. A sequence has one radius for each atom; atoms are neighbours if
        their spheres overlap (d < R_i + R_j).
    threads : int, optional
        By default as many as numba uses. With 1, several Python threads may call the function at
        once.

    Returns
    -------
    array or tuple of arrays
        In the order of the letters, sorted by i; one array for one letter. The memory of large
        arrays that are gone (up to 128 MiB) is kept for later calls.

    Raises
    ------
    InputError
        For unknown letters, and for cutoffs that are not positive and finite.
    StructureError
        For structures that cannot be used.
    """
    if not quantities or set(quantities) - set("ijdDS"):
        raise InputError(f"quantities: expected letters of 'ijdDS', found {quantities!r}")
    structure = Structure.from_atoms(a)
    longest, limit_of = _limits(cutoff, structure.numbers)
    wanted = set(quantities) if limit_of is None else {*quantities, "i", "j", "d"}
    arrays = pair_search.find(structure, longest, wanted, checked_threads(threads))
    if limit_of is not None:
        near = arrays["d"] < limit_of(arrays["i"], arrays["j"])
        arrays = {name: array[near] for name, array in arrays.items() if name in quantities}
    chosen = tuple(arrays[name] for name in quantities)
    return chosen[0] if len(chosen) == 1 else chosen


def _limits(cutoff: CutoffRadius, numbers: IntArray) -> tuple[float, Callable[[IntArray, IntArray], FloatArray] | None]:
    """Return the longest cutoff, and a function for that of each pair (i, j), or None if all are equal."""
    if isinstance(cutoff, Mapping):
        table = _species_table(cutoff, numbers)
        return checked_radius(table.max(initial=0.0)), lambda i, j: table[numbers[i], numbers[j]]
    if np.ndim(cutoff) == 0:
        return checked_radius(cutoff), None
    radii = np.asarray(cutoff, dtype=np.float64)
    if radii.shape != numbers.shape:
        raise InputError(f"expected one radius for each of the {len(numbers)} atoms, found shape {radii.shape}")
    if not (np.isfinite(radii) & (radii >= 0)).all():
        raise InputError("expected radii of atoms that are finite and not negative")
    return checked_radius(2 * radii.max(initial=0.0)), lambda i, j: radii[i] + radii[j]


def _species_table(cutoff: Mapping[tuple[Any, Any], float], numbers: IntArray) -> FloatArray:
    given: dict[tuple[int, ...], float] = {}
    for pair, value in cutoff.items():
        first, second = sorted(atomic_number(name) if isinstance(name, str) else int(name) for name in pair)
        radius = checked_radius(value)
        if given.setdefault((first, second), radius) != radius:
            raise InputError(f"two different cutoffs for the pair {pair}: {given[first, second]} and {radius} Å")
    size = int(max(numbers.max(initial=0), *(max(pair) for pair in given), 0)) + 1
    table = np.zeros((size, size))
    for (first, second), radius in given.items():
        table[first, second] = table[second, first] = radius
    return table

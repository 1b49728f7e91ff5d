"""Pair-centred symmetry functions of whole structures from those of single pairs, by brute force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from fastsf.symmetry.pcsf import PCSFunction, kind_name
from reference.pcsf import Pair, evaluate
from reference.pcsf_rounding import pcsf_rounding_scale


class Named(NamedTuple):
    """A pair of a structure: atom i, and the image of atom j in the cell `shift`."""

    i: int
    j: int
    shift: tuple[int, int, int]

    def reversed(self) -> Named:
        """Return the same pair from its other end."""
        x, y, z = self.shift
        return Named(self.j, self.i, (-x, -y, -z))


class PCSFFeatures(NamedTuple):
    """Symmetry functions of all unordered pairs, s columns, zero where a kind has fewer."""

    values: dict[Named, np.ndarray]
    """(s,)."""
    derivatives: dict[Named, np.ndarray]
    """(n, 3, s): with respect to the positions, images folded onto atoms."""
    strain: dict[Named, np.ndarray]
    """(3, 3, s): with respect to a strain, r becomes (1 + strain) r."""
    scale: dict[Named, np.ndarray]
    """(s,): what an error of one in a single factor would change."""


class Around(NamedTuple):
    """All atoms around one, images included; p of them."""

    index: np.ndarray
    shift: np.ndarray
    vectors: np.ndarray


def around(atoms: Atoms, radius: float) -> list[Around]:
    """Find all atoms within `radius` of every atom, by ASE."""
    i, j, shift, vectors = neighbor_list("ijSD", atoms, radius)
    return [Around(j[i == a], shift[i == a], vectors[i == a]) for a in range(len(atoms))]


def pairs(atoms: Atoms, cutoffs: Mapping[str, float]) -> Iterator[tuple[Named, str, Pair, np.ndarray]]:
    """Yield each unordered pair within the cutoff of its kind, from one end: name, kind, pair, indices of others."""
    radius = max(cutoffs.values())
    numbers = atoms.get_atomic_numbers()
    seen: set[Named] = set()
    for a, (index, shift, vectors) in enumerate(around(atoms, 2 * radius)):
        for p, (b, vector) in enumerate(zip(index, vectors, strict=True)):
            name = Named(a, int(b), tuple(shift[p].tolist()))
            kind = kind_name(atoms.symbols[a], atoms.symbols[b])
            if np.linalg.norm(vector) >= cutoffs.get(kind, 0.0) or name.reversed() in seen:
                continue
            seen.add(name)
            others = np.arange(len(index)) != p
            pair = Pair(vector, numbers[[a, b]], vectors[others], numbers[index[others]])
            yield name, kind, pair, index[others]


def pcsf_features(columns: Mapping[str, Sequence[PCSFunction]], atoms: Atoms) -> PCSFFeatures:
    """Evaluate every function of `columns` (by kind) for every pair."""
    cutoffs = {kind: max(f.radius for f in functions) for kind, functions in columns.items() if functions}
    n, s = len(atoms), max(len(functions) for functions in columns.values())
    result = PCSFFeatures({}, {}, {}, {})
    for name, kind, pair, index in pairs(atoms, cutoffs):
        values, scale = np.zeros(s), np.zeros(s)
        derivatives, strain = np.zeros((n, 3, s)), np.zeros((3, 3, s))
        for c, function in enumerate(columns[kind]):
            term = evaluate(function, pair)
            values[c], scale[c] = term.value, pcsf_rounding_scale(function, pair)
            derivatives[name.j, :, c] += term.by_vector
            np.add.at(derivatives[:, :, c], index, term.by_others)
            derivatives[name.i, :, c] -= term.by_vector + term.by_others.sum(axis=0)
            strain[:, :, c] = np.outer(pair.vector, term.by_vector) + pair.others.T @ term.by_others
        result.values[name], result.scale[name] = values, scale
        result.derivatives[name], result.strain[name] = derivatives, strain
    return result

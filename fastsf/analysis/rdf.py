"""Radial distribution functions and running coordination numbers.

g_ab(r) is the number of pairs (i of a, j of b) with a distance in a shell, divided by the number N_a N_b v / V
of atoms without correlation (v volume of the shell, V of the cell): M. P. Allen and D. J. Tildesley, Computer
Simulation of Liquids, 2nd edition (2017), section 8.2. All periodic images count, including those of the atom itself.
So g is right at any distance, also beyond half the cell, and the same for a cell and its supercell. Some codes have
N_a (N_a - 1) for a = b; then it would not be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms

from fastsf.analysis.averages import of_pieces
from fastsf.analysis.blocks import Blocks
from fastsf.elements import chemical_symbol
from fastsf.errors import InputError, StructureError
from fastsf.neighbors.neighbor_list import neighbor_list
from fastsf.structure import Structure, volume
from fastsf.types import FloatArray, IntArray

BIN_WIDTH = 0.05
"""Default width of a bin in Å."""

_MOST_PAIRS = 1e8
"""Most pairs of a frame; more take several GiB."""

_LOOK_AHEAD = 0.3
"""Distance in Å after a minimum in which g must not be lower."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class RDF:
    """Radial distribution functions of all pairs of elements.

    Parameters
    ----------
    edges : (bins + 1,) float64
        Borders of the shells, Å.
    g, g_error : dict of (str, str) to (bins,) float64
        For each unordered pair of elements: g, and its standard error from blocks of frames (NaN for fewer
        than two frames).
    coordination, coordination_error : dict of (str, str) to (bins,) float64
        For each ordered pair (a, b): number of atoms b around an atom a closer than the outer border of each shell.
    frames : int
        Number of frames.
    half_cell : float
        Half of the smallest distance between two faces of any cell, in Å. Beyond it g also shows that the cell is
        repeated.
    """

    edges: FloatArray
    g: dict[Pair, FloatArray]
    g_error: dict[Pair, FloatArray]
    coordination: dict[Pair, FloatArray]
    coordination_error: dict[Pair, FloatArray]
    frames: int
    half_cell: float

    @property
    def centres(self) -> FloatArray:
        """Middle of each shell in Å, (bins,)."""
        middle: FloatArray = 0.5 * (self.edges[1:] + self.edges[:-1])
        return middle

    def first_shell(self, pair: Pair) -> tuple[float, float, float | None]:
        """Return the highest peak of g and the minimum after it.

        Parameters
        ----------
        pair : (str, str)
            A key of `g`.

        Returns
        -------
        float, float, float or None
            Position of the peak in Å, its height, and the position of the minimum in Å (outer border of its
            shell), None if g still falls where it ends.
        """
        g = self.g[pair]
        peak = int(np.argmax(g))
        smooth = np.convolve(g, [0.25, 0.5, 0.25], mode="same")
        ahead = max(1, round(_LOOK_AHEAD / (self.edges[1] - self.edges[0])))
        for k in range(peak + 1, len(g) - ahead):
            if smooth[k] <= smooth[k + 1 : k + 1 + ahead].min():
                return float(self.centres[peak]), float(g[peak]), float(self.edges[k + 1])
        return float(self.centres[peak]), float(g[peak]), None


class RadialDistribution:
    """Radial distribution functions of a stream of frames; memory does not grow with their number.

    Parameters
    ----------
    reach : float
        Largest distance in Å.
    bins : int, optional
        Number of shells; by default they are 0.05 Å wide.
    threads : int, optional
        Number of threads of the neighbour search.

    Raises
    ------
    InputError
        For a reach or a number of bins that is not positive.
    """

    def __init__(self, reach: float = 10.0, bins: int | None = None, threads: int | None = None) -> None:
        if not (math.isfinite(reach) and reach > 0):
            raise InputError(f"expected a range of distances that is positive, found {reach} Å")
        bins = max(1, round(reach / BIN_WIDTH)) if bins is None else bins
        if bins < 1:
            raise InputError(f"expected at least one bin, found {bins}")
        self.edges = np.linspace(0.0, reach, bins + 1)
        self.threads = threads
        self._shells = 4 / 3 * np.pi * np.diff(self.edges**3)
        self._numbers: IntArray | None = None
        self._blocks = Blocks()
        self._half_cell = math.inf

    def add(self, frame: Atoms | Structure) -> RadialDistribution:
        """Add a frame; return this object.

        Parameters
        ----------
        frame : ase.Atoms or Structure
            Periodic in all directions; the number of atoms may change, their elements may not.

        Raises
        ------
        StructureError
            For another periodicity, which has no density to compare with, or an element that is not in the first
            frame.
        InputError
            For more pairs than fit into memory.
        """
        structure = Structure.from_atoms(frame)
        if not structure.pbc.all():
            raise StructureError(
                "radial distribution functions compare with the density: expected three periodic directions, "
                f"found {structure.pbc.sum()}"
            )
        if self._numbers is None:
            self._numbers = np.unique(structure.numbers)
        known = np.isin(structure.numbers, self._numbers)
        if not known.all():
            stranger = chemical_symbol(int(structure.numbers[~known][0]))
            raise StructureError(f"expected the elements of the first frame, found {stranger}")
        self._check_size(structure)
        species = np.searchsorted(self._numbers, structure.numbers)
        self._half_cell = min(self._half_cell, _half_cell(structure.cell))
        self._blocks.add(self._sample(structure, species))
        return self

    def _check_size(self, structure: Structure) -> None:
        pairs = len(structure) ** 2 / volume(structure.cell) * float(self._shells.sum())
        if pairs > _MOST_PAIRS:
            raise InputError(
                f"expected at most {_MOST_PAIRS:.0g} pairs of atoms closer than {self.edges[-1]:g} Å in a frame, found "
                f"{pairs:.2g}; use a smaller --rdf-range"
            )

    def _sample(self, structure: Structure, species: IntArray) -> FloatArray:
        """Return counts in every shell, density of pairs, and numbers of a and b, for each unordered pair (a, b)."""
        k, bins = len(self._numbers if self._numbers is not None else ()), len(self._shells)
        i, j, d = neighbor_list("ijd", structure, float(self.edges[-1]), threads=self.threads)
        shell = np.minimum((d * (bins / self.edges[-1])).astype(np.int64), bins - 1)
        found = np.bincount((species[i] * k + species[j]) * bins + shell, minlength=k * k * bins).reshape(k, k, bins)
        atoms = np.bincount(species, minlength=k).astype(np.float64)
        density = 1.0 / volume(structure.cell)
        return np.array(
            [
                np.concatenate([found[a, b], [atoms[a] * atoms[b] * density, atoms[a], atoms[b]]])
                for a, b in combinations_with_replacement(range(k), 2)
            ]
        )

    def result(self) -> RDF:
        """Return the radial distribution functions of the frames added so far.

        Raises
        ------
        InputError
            If there are no frames.
        """
        if self._numbers is None:
            raise InputError("radial distribution functions: expected frames, found none")
        symbols = [chemical_symbol(int(number)) for number in self._numbers]
        pairs = list(combinations_with_replacement(symbols, 2))
        total, parts = self._blocks.total, self._blocks.whole
        g, g_error = self._tables(pairs, total, parts)
        around, around_error = _coordination(pairs, total, parts)
        return RDF(self.edges, g, g_error, around, around_error, self._blocks.count, self._half_cell)

    def _tables(
        self, pairs: Sequence[Pair], total: FloatArray, parts: FloatArray
    ) -> tuple[dict[Pair, FloatArray], dict[Pair, FloatArray]]:
        g = {pair: total[p, :-3] / (total[p, -3] * self._shells) for p, pair in enumerate(pairs)}
        with np.errstate(invalid="ignore", divide="ignore"):  # blocks without an element
            of_parts = parts[:, :, :-3] / (parts[:, :, -3:-2] * self._shells)
        return g, {pair: of_pieces(of_parts[:, p]) for p, pair in enumerate(pairs)}


def _coordination(
    pairs: Sequence[Pair], total: FloatArray, parts: FloatArray
) -> tuple[dict[Pair, FloatArray], dict[Pair, FloatArray]]:
    around, error = {}, {}
    for p, pair in enumerate(pairs):
        for order, column in ((pair, -2), (pair[::-1], -1)):
            with np.errstate(invalid="ignore", divide="ignore"):
                running = np.cumsum(parts[:, p, :-3], axis=1) / parts[:, p, column, None]
            around[order[0], order[1]] = np.cumsum(total[p, :-3]) / total[p, column]
            error[order[0], order[1]] = of_pieces(running)
    return around, error


def _half_cell(cell: FloatArray) -> float:
    """Return half of the smallest distance between two faces of a cell."""
    reciprocal = np.linalg.inv(cell)
    return float(0.5 / np.linalg.norm(reciprocal, axis=0).max())

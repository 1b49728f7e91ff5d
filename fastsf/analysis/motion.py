"""Displacements and velocities of the atoms in all frames of a run, in single precision.

Correlations of all times with all others need all frames at once. Displacements are relative to the first frame;
single precision resolves 1e-7 of their size. When the memory is full, every other atom of each element is dropped
from all frames, so that the resolution in time does not change.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase import Atoms, units
from ase.geometry import find_mic, wrap_positions

from fastsf.elements import chemical_symbol
from fastsf.errors import InputError, StructureError
from fastsf.simulation.fixed import held_atoms
from fastsf.types import FloatArray, IntArray

_CHUNK_BYTES = 2**24
_LONG_STEP = 0.35
"""Part of the cell; for longer steps the nearest image may be the wrong one."""


class Tracks:
    """Vectors of atoms, one for each atom and frame.

    Parameters
    ----------
    numbers : (n,) int64
        Atomic numbers.
    memory : float
        Most memory in GiB.

    Attributes
    ----------
    atoms : (k,) int64
        Indices of the atoms that are kept.
    """

    def __init__(self, numbers: IntArray, memory: float) -> None:
        if not memory > 0:
            raise InputError(f"expected memory of more than 0 GiB, found {memory}")
        self.numbers = numbers
        self.atoms: IntArray = np.arange(len(numbers))
        self.memory = memory
        self._frames: list[np.ndarray] = []

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def symbols(self) -> list[str]:
        """Elements, by atomic number."""
        return [chemical_symbol(int(number)) for number in np.unique(self.numbers)]

    @property
    def is_thinned(self) -> bool:
        """True if atoms were dropped."""
        return len(self.atoms) < len(self.numbers)

    def add(self, vectors: FloatArray) -> None:
        """Keep the vectors (n, 3) of a frame.

        Raises
        ------
        InputError
            If the memory is too small even for one atom of each element.
        """
        self._frames.append(vectors[self.atoms].astype(np.float32))
        while 12 * len(self.atoms) * len(self._frames) > self.memory * 2**30:
            self._drop_every_other()

    def rows(self, symbol: str, first: int = 0, last: int | None = None) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yield the time series of the atoms of an element, some atoms at a time.

        Parameters
        ----------
        symbol : str
            One of `symbols`.
        first, last : int, optional
            Range of frames.

        Yields
        ------
        (m,) int64, (3 m, f) float64
            Indices of atoms, and their series: x, y and z of the first atom, and so on.
        """
        frames = self._frames[first:last]
        chosen = np.flatnonzero([chemical_symbol(int(n)) == symbol for n in self.numbers[self.atoms]])
        step = max(1, _CHUNK_BYTES // (24 * max(1, len(frames))))
        for begin in range(0, len(chosen), step):
            some = chosen[begin : begin + step]
            series = np.array([frame[some] for frame in frames], dtype=np.float64)
            yield self.atoms[some], np.ascontiguousarray(series.reshape(len(frames), -1).T)

    def _drop_every_other(self) -> None:
        kept = np.zeros(len(self.atoms), dtype=np.bool_)
        own = self.numbers[self.atoms]
        for number in np.unique(own):
            kept[np.flatnonzero(own == number)[::2]] = True
        if kept.all():
            raise InputError(
                f"{self.memory:g} GiB of memory do not hold {len(self._frames):,} frames of one atom of each element; "
                "increase --memory, or use fewer frames"
            )
        self.atoms = self.atoms[kept]
        self._frames = [frame[kept] for frame in self._frames]


class Displacements:
    """Displacements of all atoms since the first frame.

    Parameters
    ----------
    first : ase.Atoms
        First frame, which is added.
    memory : float
        Most memory in GiB, for `Tracks`.
    unwrap : bool
        True if atoms may jump by cell vectors between frames: every step is then taken as the shortest one. In a cell
        that changes, steps are those of wrapped positions in the new cell, as in S. von Bülow, J. T. Bullerjahn and
        G. Hummer, J. Chem. Phys. 153, 021101 (2020).
    remove_drift : bool
        True to subtract the motion of the centre of mass (never for a single atom or if atoms are fixed).
    """

    def __init__(self, first: Atoms, memory: float, unwrap: bool = True, remove_drift: bool = True) -> None:
        self.tracks = Tracks(np.array(first.numbers, dtype=np.int64), memory)
        self.unwrap = unwrap
        self.longest_step = 0.0
        self._weights = _weights(first) if remove_drift else None
        self._last = self._origin = self._positions(first)
        self._way = np.zeros_like(self._last)
        self.add(first)

    def add(self, atoms: Atoms) -> None:
        """Add a frame with the same atoms.

        Raises
        ------
        StructureError
            If its atoms are others.
        InputError
            If the memory is too small.
        """
        check_same_atoms(atoms, self.tracks.numbers)
        positions = self._positions(atoms)
        if self.unwrap and atoms.pbc.any():
            step, length = find_mic(positions - self._last, atoms.cell, atoms.pbc)
            self._way = self._way + step
            self._note_step(atoms, float(length.max()))
        else:
            self._way = positions - self._origin
        self._last = positions
        self.tracks.add(without_drift(self._way, self._weights))

    @property
    def is_ambiguous(self) -> bool:
        """True if atoms moved so far between two frames that the shortest step may be wrong."""
        return self.longest_step > _LONG_STEP

    def _positions(self, atoms: Atoms) -> FloatArray:
        if self.unwrap and atoms.pbc.any():
            return np.asarray(wrap_positions(atoms.positions, atoms.cell, atoms.pbc))
        return np.array(atoms.positions)

    def _note_step(self, atoms: Atoms, length: float) -> None:
        shortest = float(atoms.cell.lengths()[atoms.pbc].min())
        self.longest_step = max(self.longest_step, length / shortest)


class Velocities:
    """Velocities of all atoms in Å/fs; parameters as in `Displacements`.

    Raises
    ------
    StructureError
        If the first frame has no velocities.
    """

    def __init__(self, first: Atoms, memory: float, remove_drift: bool = True) -> None:
        self.tracks = Tracks(np.array(first.numbers, dtype=np.int64), memory)
        self.masses: FloatArray = np.array(first.get_masses())
        self.fixed = held_atoms(first)
        self._weights = _weights(first) if remove_drift else None
        self.add(first)

    def add(self, atoms: Atoms) -> None:
        """Add a frame with the same atoms.

        Raises
        ------
        StructureError
            If its atoms are others, or have no velocities.
        InputError
            If the memory is too small.
        """
        check_same_atoms(atoms, self.tracks.numbers)
        if not atoms.has("momenta"):
            raise StructureError("expected velocities (momenta), found none")
        velocities: FloatArray = atoms.get_velocities() * units.fs
        if not np.isfinite(velocities).all():
            raise StructureError("expected finite velocities")
        self.tracks.add(without_drift(velocities, self._weights))


def check_same_atoms(atoms: Atoms, numbers: IntArray) -> None:
    """Check that a frame has the atoms of the first one.

    Raises
    ------
    StructureError
        If it has others.
    """
    if len(atoms) != len(numbers):
        raise StructureError(f"expected {len(numbers)} atoms as in the first frame, found {len(atoms)}")
    if not np.array_equal(atoms.numbers, numbers):
        other = int(np.argmax(atoms.numbers != numbers))
        raise StructureError(
            f"expected the elements of the first frame in the same order; atom {other} was "
            f"{chemical_symbol(int(numbers[other]))} and is {chemical_symbol(int(atoms.numbers[other]))}"
        )


def without_drift(vectors: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Subtract the weighted mean from vectors (n, 3); do nothing without weights."""
    return vectors if weights is None else vectors - weights @ vectors


def _weights(atoms: Atoms) -> FloatArray | None:
    masses: FloatArray = atoms.get_masses()
    return masses / masses.sum() if len(atoms) > 1 and not held_atoms(atoms).any() else None

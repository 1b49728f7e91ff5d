"""Structures as the kernels take them, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.geometry import complete_cell

from fastsf.errors import StructureError
from fastsf.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms


_UNIT_CELL: FloatArray = np.eye(3)  # a copy is made ten times as fast, which molecules notice


@dataclass(frozen=True)
class Structure:
    """Positions, cell, periodicity and atomic numbers, as C-contiguous arrays.

    Parameters
    ----------
    positions : (n, 3) float64
        Å; atoms may be outside the cell.
    cell : (3, 3) float64
        Rows are the lattice vectors, Å. Always invertible: missing vectors of non-periodic
        directions are added.
    pbc : (3,) bool
        True for lattice vectors that repeat the structure.
    numbers : (n,) int64
        Atomic numbers.
    """

    positions: FloatArray
    cell: FloatArray
    pbc: BoolArray
    numbers: IntArray

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def from_atoms(cls, atoms: Atoms | Structure) -> Structure:
        """Check an ASE structure and copy its arrays.

        Parameters
        ----------
        atoms : ase.Atoms
            Any structure; a `Structure` is returned as it is.

        Raises
        ------
        StructureError
            For positions or cells that are not finite, a periodic direction without extent, atoms
            without element.
        """
        if isinstance(atoms, Structure):
            return atoms
        for method in ("get_positions", "get_cell", "get_pbc", "get_atomic_numbers"):
            if not hasattr(atoms, method):
                raise StructureError(f"expected an ase.Atoms object, found {type(atoms).__name__}")
        return cls.from_arrays(
            atoms.get_positions(), atoms.get_cell(complete=False), atoms.get_pbc(), atoms.get_atomic_numbers()
        )

    @classmethod
    def from_arrays(cls, positions: Any, cell: Any, pbc: Any, numbers: Any) -> Structure:
        """Check plain arrays and build a structure from them.

        Raises
        ------
        StructureError
            As `from_atoms`.
        """
        numbers = np.array(numbers, dtype=np.int64).reshape(-1)
        positions = np.array(positions, dtype=np.float64, order="C").reshape(-1, 3)
        lattice = np.array(cell, dtype=np.float64)
        lattice = np.diag(lattice) if lattice.shape == (3,) else lattice.reshape(3, 3)
        periodic = np.array(pbc, dtype=np.bool_)
        if periodic.shape != (3,):
            periodic = np.array(np.broadcast_to(periodic, (3,)))
        if len(positions) != len(numbers):
            raise StructureError(
                f"expected {len(numbers)} positions, one for each atomic number, found {len(positions)}"
            )
        _check_finite(positions)
        if not _are_finite(lattice):
            raise StructureError("cell: expected finite numbers, found NaN or infinity")
        if len(numbers) and numbers.min() < 1:
            raise StructureError(f"atom {int(np.argmin(numbers))} has no element (atomic number {numbers.min()})")
        return cls(positions, _invertible(lattice, periodic), periodic, numbers)

    def moved_to(self, positions: Any) -> Structure:
        """Return the structure with other positions; faster than `from_arrays`.

        Parameters
        ----------
        positions : (n, 3) array
            Å; copied.

        Raises
        ------
        StructureError
            If there are not n positions, or they are not finite.
        """
        moved = np.array(positions, dtype=np.float64, order="C")
        if moved.shape != self.positions.shape:
            raise StructureError(f"expected positions of shape {self.positions.shape}, found {moved.shape}")
        _check_finite(moved)
        return Structure(moved, self.cell, self.pbc, self.numbers)


def _are_finite(numbers: FloatArray) -> bool:
    return b"\0" not in np.isfinite(numbers).tobytes()  # for molecules, three times as fast as all()


def _check_finite(positions: FloatArray) -> None:
    if not _are_finite(positions):
        bad = int(np.flatnonzero(~np.isfinite(positions).all(axis=1))[0])
        raise StructureError(f"position of atom {bad} is not finite: {', '.join(map(str, positions[bad].tolist()))}")


def _invertible(cell: FloatArray, pbc: BoolArray) -> FloatArray:
    if True not in pbc.tolist():
        return np.array(_UNIT_CELL)  # a cell that repeats nothing has no effect
    for axis, repeats, vector in zip("abc", pbc.tolist(), cell.tolist(), strict=True):
        if repeats and not any(vector):
            raise StructureError(f"periodic along {axis}, but that cell vector is zero")
    if False in pbc.tolist():
        cell = complete_cell(np.where(pbc[:, None], cell, 0.0))  # nor have vectors of directions that are not periodic
    full = np.ascontiguousarray(cell, dtype=np.float64)
    if volume(full) < 1e-10 * math.prod(math.hypot(*vector) for vector in full.tolist()):
        raise StructureError("the periodic cell has no volume: its vectors are linearly dependent")
    return full


def volume(cell: FloatArray) -> float:
    """Return the volume of a cell (3, 3); for one matrix, ten times as fast as NumPy's determinant."""
    (a, b, c), (d, e, f), (g, h, i) = cell.tolist()
    return float(abs(a * (e * i - f * h) + b * (f * g - d * i) + c * (d * h - e * g)))

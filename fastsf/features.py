"""Reading the files that `fastsf featurize` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fastsf import layout
from fastsf.elements import atomic_number
from fastsf.errors import FormatError, StorageError
from fastsf.jacobian import SparseJacobian
from fastsf.statistics import ColumnStatistics, by_element

Array = npt.NDArray[Any]
_ROWS = 50_000
_NEEDED = ("features", "atoms", "structures", "columns", "inputs", "skipped", "definition", "manifest")


@dataclass(frozen=True)
class SkippedRow:
    """A structure that was left out: its file, zero-based number there (-1: the whole file), and why."""

    path: str
    frame: int
    reason: str


@dataclass(frozen=True)
class Record:
    """One structure with its features.

    Parameters
    ----------
    features : (n, s) float
        Symmetry functions, padded with zeros on the right for elements with fewer columns.
    numbers : (n,) uint8
        Atomic numbers.
    positions : (n, 3) float64
        Å.
    cell : (3, 3) float64
        Rows are the lattice vectors, Å.
    pbc : (3,) bool
        Which of them repeat the structure.
    energy : float or None
        eV.
    forces : (n, 3) float64 or None
        eV/Å.
    stress : (6,) float64 or None
        xx, yy, zz, yz, xz, xy in eV/Å^3, tension positive.
    derivatives : SparseJacobian or None
        If the file has them; atoms are those of this structure.
    path, frame
        File that the structure came from, and its zero-based number there.
    """

    features: Array
    numbers: npt.NDArray[np.uint8]
    positions: npt.NDArray[np.float64]
    cell: npt.NDArray[np.float64]
    pbc: npt.NDArray[np.bool_]
    energy: float | None
    forces: npt.NDArray[np.float64] | None
    stress: npt.NDArray[np.float64] | None
    derivatives: SparseJacobian | None
    path: str
    frame: int


class FeatureFile:
    """A finished feature file, read piece by piece; also a sequence of `Record`.

    Use it in a ``with`` statement.

    Parameters
    ----------
    path : path-like
        File written by `fastsf featurize`.

    Raises
    ------
    StorageError
        If it cannot be opened.
    FormatError
        If it is something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.hdf5 = _open(self.path)
        self.definition: dict[str, Any] = json.loads(self._text("definition"))
        self.manifest: dict[str, Any] = json.loads(self._text("manifest"))
        self.labels: dict[str, list[str]] = self._columns("label")
        self.families: dict[str, list[str]] = self._columns("family")

    def __enter__(self) -> FeatureFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.hdf5.close()

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.hdf5["structures/frame"])

    def __getitem__(self, index: int) -> Record:
        """Read one structure."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"structure {index} of {len(self)}")
        s = index % len(self)
        first, last = (int(row) for row in self.hdf5["structures/start"][s : s + 2])
        atoms = slice(first, last)
        energy = self._label("structures/energy", "energy", s, s)
        return Record(
            features=self.hdf5["features"][atoms],
            numbers=self.hdf5["atoms/number"][atoms],
            positions=self.hdf5["atoms/position"][atoms],
            cell=self.hdf5["structures/cell"][s],
            pbc=self.hdf5["structures/pbc"][s],
            energy=None if energy is None else float(energy),
            forces=self._label("atoms/force", "forces", s, atoms),
            stress=self._label("structures/stress", "stress", s, s),
            derivatives=self._derivatives(first, last) if "derivatives" in self.hdf5 else None,
            path=self.inputs[int(self.hdf5["structures/file"][s])],
            frame=int(self.hdf5["structures/frame"][s]),
        )

    def __iter__(self) -> Iterator[Record]:
        """Read all structures, one at a time."""
        return (self[index] for index in range(len(self)))

    @property
    def n_atoms(self) -> int:
        """Number of atoms of all structures together."""
        return len(self.hdf5["atoms/number"])

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements of the descriptor, by atomic number."""
        return tuple(sorted(self.labels, key=atomic_number))

    @property
    def inputs(self) -> list[str]:
        """Paths of the files that were read."""
        return [str(path) for path in self.hdf5["inputs/path"].asstr()[...]]

    @property
    def skipped(self) -> list[SkippedRow]:
        """Structures that were left out."""
        group, inputs = self.hdf5["skipped"], self.inputs
        rows = zip(group["file"][...], group["frame"][...], group["reason"].asstr()[...], strict=True)
        return [SkippedRow(inputs[file], int(frame), str(reason)) for file, frame, reason in rows]

    def count_labels(self, name: str) -> int:
        """Count the structures that have a label: "energy", "forces" or "stress"."""
        return int(self.hdf5[f"structures/has_{name}"][...].sum())

    def atom_counts(self) -> dict[str, int]:
        """Count the atoms of every element of the descriptor."""
        counts = np.zeros(256, dtype=np.int64)
        numbers = self.hdf5["atoms/number"]
        for start in range(0, len(numbers), 20 * _ROWS):
            counts += np.bincount(numbers[start : start + 20 * _ROWS], minlength=256)
        return {symbol: int(counts[atomic_number(symbol)]) for symbol in self.elements}

    def statistics(self) -> dict[str, ColumnStatistics]:
        """Summarise the columns of every element: as stored, otherwise by a pass over the features."""
        if "statistics" in self.hdf5:
            return {symbol: _stored(self.hdf5[f"statistics/{symbol}"]) for symbol in self.elements}
        widths = {atomic_number(symbol): len(self.labels[symbol]) for symbol in self.elements}
        total = {number: ColumnStatistics.empty(width) for number, width in widths.items()}
        for start in range(0, self.n_atoms, _ROWS):
            rows = slice(start, start + _ROWS)
            features = self.hdf5["features"][rows].astype(np.float64)
            for number, piece in by_element(features, self.hdf5["atoms/number"][rows], widths).items():
                total[number] = total[number].merge(piece)
        return {symbol: total[atomic_number(symbol)] for symbol in self.elements}

    def _text(self, name: str) -> str:
        return str(self.hdf5[name].asstr()[()])

    def _columns(self, name: str) -> dict[str, list[str]]:
        group = self.hdf5["columns"]
        return {symbol: [str(text) for text in group[symbol][name].asstr()[...]] for symbol in group}

    def _label(self, name: str, mask: str, structure: int, rows: Any) -> Any:
        return self.hdf5[name][rows] if self.hdf5[f"structures/has_{mask}"][structure] else None

    def _derivatives(self, first: int, last: int) -> SparseJacobian:
        group = self.hdf5["derivatives"]
        start = group["start"][first : last + 1]
        entries = slice(int(start[0]), int(start[-1]))
        column, atom, data = (group[name][entries] for name in ("column", "atom", "data"))
        return SparseJacobian(start - start[0], column, atom, data, np.arange(last - first))


def _open(path: Path) -> h5py.File:
    if not path.exists():
        raise StorageError(f"{path}: no such file")
    if path.is_dir():
        raise StorageError(f"{path}: expected a feature file, found a folder")
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    try:
        file = h5py.File(path, "r", locking=False)  # nothing ever writes into a finished file
    except OSError as error:
        raise FormatError("expected a feature file (HDF5), found something else", path) from error
    if file.attrs.get("format") != layout.FORMAT:
        file.close()
        raise FormatError("an HDF5 file, but not one that fastsf featurize wrote", path)
    version = file.attrs["version"]
    missing = [name for name in _NEEDED if name not in file]
    if version > layout.VERSION or missing:
        file.close()
        if version > layout.VERSION:
            raise FormatError(f"format version {version}, this fastsf reads {layout.VERSION}", path)
        raise FormatError(f"the file is damaged: there is no {', '.join(missing)}", path)
    return file


def _stored(group: h5py.Group) -> ColumnStatistics:
    count = int(group.attrs["count"])
    minimum, maximum, mean, sigma = (group[name][...] for name in ("minimum", "maximum", "mean", "sigma"))
    squares = np.zeros(len(mean)) if count < 2 else sigma**2 * (count - 1)
    return ColumnStatistics(count, minimum, maximum, mean, squares)

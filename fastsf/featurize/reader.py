"""Reader of feature files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fastsf.descriptors.jacobian import SparseJacobian
from fastsf.descriptors.statistics import ColumnStatistics, by_group
from fastsf.elements import atomic_number
from fastsf.errors import FormatError, StorageError
from fastsf.featurize import layout
from fastsf.types import Array

_ROWS = 50_000
_NEEDED = ("features", "atoms", "structures/start", "columns", "inputs", "skipped", "definition", "manifest")
_NEEDED_FOR = {"atoms": (), "pairs": ("pairs", "structures/pair_start", "kinds")}


@dataclass(frozen=True)
class SkippedRow:
    """Omitted structure: its file, its index there (-1: the whole file), and the reason."""

    path: str
    frame: int
    reason: str


@dataclass(frozen=True)
class RecordPairs:
    """Pairs of atoms of the rows of features of one structure, each once.

    Parameters
    ----------
    i, j : (m,) int32
        Indices of the atoms in this structure.
    shift : (m, 3) int32
        Multiples of the lattice vectors that are added to the position of j.
    kind : (m,) uint16
        Index of the kind in `FeatureFile.groups`.
    distance : (m,) float64
        Distance, Å.
    """

    i: npt.NDArray[np.int32]
    j: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint16]
    distance: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Record:
    """Structure with its features.

    Parameters
    ----------
    features : (n, s) or (m, s) float
        Symmetry functions of the atoms or pairs. Elements and kinds with fewer columns are padded with zeros.
    numbers : (n,) uint8
        Atomic numbers.
    positions : (n, 3) float64
        Positions, Å.
    cell : (3, 3) float64
        FeatureRows are the lattice vectors, Å.
    pbc : (3,) bool
        True for periodic directions.
    energy : float or None
        Energy, eV.
    forces : (n, 3) float64 or None
        Forces, eV/Å.
    stress : (6,) float64 or None
        Stress xx, yy, zz, yz, xz, xy in eV/Å^3; tension is positive.
    derivatives : SparseJacobian or None
        Derivatives, if the file has them; atoms are indices in this structure.
    path, frame
        File of the structure and its index there.
    pairs : RecordPairs or None
        Pairs, if the rows of the features are pairs.
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
    pairs: RecordPairs | None


class FeatureFile:
    """Finished feature file, a sequence of `Record` that is read piece by piece.

    Use it as a context manager.

    Parameters
    ----------
    path : path-like
        File written by ``fastsf featurize``.

    Attributes
    ----------
    centered_on : "atoms" or "pairs"
        Kind of the rows of the features.
    groups : tuple of str
        Elements or kinds of pairs, which have their own columns.
    labels, families : dict of str to list of str
        Name and family of each column of each group.

    Raises
    ------
    StorageError
        If it cannot be opened.
    FormatError
        If it is not a feature file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.hdf5 = _open(self.path)
        self.definition: dict[str, Any] = json.loads(self._text("definition"))
        self.manifest: dict[str, Any] = json.loads(self._text("manifest"))
        self.centered_on = str(self.hdf5.attrs["rows"])
        self._rows = layout.ROWS[self.centered_on]
        self.groups = self._read_groups()
        self.labels: dict[str, list[str]] = self._columns("label")
        self.families: dict[str, list[str]] = self._columns("family")

    def __enter__(self) -> FeatureFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.hdf5.close()

    def __len__(self) -> int:
        """Return the number of structures."""
        return len(self.hdf5["structures/frame"])

    def __getitem__(self, index: int) -> Record:
        """Read one structure."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"structure {index} of {len(self)}")
        s = index % len(self)
        atoms, rows = (self._range(name, s) for name in ("structures/start", self._rows.start))
        pairs = self._pairs(rows) if self.centered_on == "pairs" else None
        energy = self._label("structures/energy", "energy", s, s)
        return Record(
            features=self.hdf5["features"][rows],
            numbers=self.hdf5["atoms/number"][atoms],
            positions=self.hdf5["atoms/position"][atoms],
            cell=self.hdf5["structures/cell"][s],
            pbc=self.hdf5["structures/pbc"][s],
            energy=None if energy is None else float(energy),
            forces=self._label("atoms/force", "forces", s, atoms),
            stress=self._label("structures/stress", "stress", s, s),
            derivatives=self._derivatives(rows, pairs) if "derivatives" in self.hdf5 else None,
            path=self.inputs[int(self.hdf5["structures/file"][s])],
            frame=int(self.hdf5["structures/frame"][s]),
            pairs=pairs,
        )

    def __iter__(self) -> Iterator[Record]:
        """Read all structures, one at a time."""
        return (self[index] for index in range(len(self)))

    @property
    def n_atoms(self) -> int:
        """Number of atoms of all structures together."""
        return len(self.hdf5["atoms/number"])

    @property
    def n_rows(self) -> int:
        """Number of rows of the features: atoms or pairs of all structures together."""
        return len(self.hdf5["features"])

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements of the descriptor, by atomic number."""
        return tuple(self.definition["elements"])

    @property
    def inputs(self) -> list[str]:
        """Paths of the input files."""
        return [str(path) for path in self.hdf5["inputs/path"].asstr()[...]]

    @property
    def skipped(self) -> list[SkippedRow]:
        """Omitted structures."""
        group, inputs = self.hdf5["skipped"], self.inputs
        rows = zip(group["file"][...], group["frame"][...], group["reason"].asstr()[...], strict=True)
        return [SkippedRow(inputs[file], int(frame), str(reason)) for file, frame, reason in rows]

    def count_labels(self, name: str) -> int:
        """Count the structures that have a label: "energy", "forces" or "stress"."""
        return int(self.hdf5[f"structures/has_{name}"][...].sum())

    def atom_counts(self) -> dict[str, int]:
        """Count the atoms of every element of the descriptor."""
        return self._count(layout.ROWS["atoms"], self.elements)

    def row_counts(self) -> dict[str, int]:
        """Count the rows of the features of every element or kind of pairs."""
        return self._count(self._rows, self.groups)

    def statistics(self) -> dict[str, ColumnStatistics]:
        """Return the statistics of the columns of each element or kind, stored or from a pass over the features."""
        if "statistics" in self.hdf5:
            return {name: _stored(self.hdf5[f"statistics/{name}"]) for name in self.groups}
        names = self._rows.names(self.groups)
        widths = {group: len(self.labels[name]) for group, name in names.items()}
        total = {group: ColumnStatistics.empty(width) for group, width in widths.items()}
        for start in range(0, self.n_rows, _ROWS):
            rows = slice(start, start + _ROWS)
            features = self.hdf5["features"][rows].astype(np.float64)
            for group, piece in by_group(features, self.hdf5[self._rows.group][rows], widths).items():
                total[group] = total[group].merge(piece)
        return {name: total[group] for group, name in names.items()}

    def _read_groups(self) -> tuple[str, ...]:
        if self.centered_on == "pairs":
            return tuple(str(kind) for kind in self.hdf5["kinds"].asstr()[...])
        return tuple(sorted(self.hdf5["columns"], key=atomic_number))

    def _count(self, rows: layout.FeatureRows, groups: Iterable[str]) -> dict[str, int]:
        names = rows.names(groups)
        size = max(256, *names) + 1
        counts, field = np.zeros(size, dtype=np.int64), self.hdf5[rows.group]
        for start in range(0, len(field), 20 * _ROWS):
            counts += np.bincount(field[start : start + 20 * _ROWS], minlength=size)
        return {name: int(counts[group]) for group, name in names.items()}

    def _text(self, name: str) -> str:
        return str(self.hdf5[name].asstr()[()])

    def _columns(self, name: str) -> dict[str, list[str]]:
        columns = self.hdf5["columns"]
        return {group: [str(text) for text in columns[group][name].asstr()[...]] for group in self.groups}

    def _range(self, name: str, structure: int) -> slice:
        first, end = self.hdf5[name][structure : structure + 2]
        return slice(int(first), int(end))

    def _pairs(self, rows: slice) -> RecordPairs:
        return RecordPairs(**{field.name: self.hdf5[f"pairs/{field.name}"][rows] for field in fields(RecordPairs)})

    def _label(self, name: str, mask: str, structure: int, rows: Any) -> Any:
        return self.hdf5[name][rows] if self.hdf5[f"structures/has_{mask}"][structure] else None

    def _derivatives(self, rows: slice, pairs: RecordPairs | None) -> SparseJacobian:
        group = self.hdf5["derivatives"]
        start = group["start"][rows.start : rows.stop + 1]
        entries = slice(int(start[0]), int(start[-1]))
        column, atom, data = (group[name][entries] for name in ("column", "atom", "data"))
        centers = np.arange(len(start) - 1) if pairs is None else pairs.i.astype(np.int64)
        return SparseJacobian(start - start[0], column, atom, data, centers)


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
        file = h5py.File(path, "r", locking=False)  # finished files do not change
    except OSError as error:
        raise FormatError("expected a feature file (HDF5), found something else", path) from error
    if file.attrs.get("format") != layout.FORMAT:
        file.close()
        raise FormatError("expected a file written by fastsf featurize, found another HDF5 file", path)
    version = file.attrs["version"]
    needed = (*_NEEDED, *_NEEDED_FOR.get(file.attrs.get("rows"), ("attribute rows",)))
    missing = [name for name in needed if name not in file]
    if version > layout.VERSION or missing:
        file.close()
        if version > layout.VERSION:
            raise FormatError(f"expected a format version up to {layout.VERSION}, found {version}", path)
        raise FormatError(f"the file is damaged: {', '.join(missing)} is missing", path)
    return file


def _stored(group: h5py.Group) -> ColumnStatistics:
    count = int(group.attrs["count"])
    minimum, maximum, mean, sigma = (group[name][...] for name in ("minimum", "maximum", "mean", "sigma"))
    squares = np.zeros(len(mean)) if count < 2 else sigma**2 * (count - 1)
    return ColumnStatistics(count, minimum, maximum, mean, squares)

"""Arrays of a feature file with their shapes, types and units.

Chunks of a running featurization, the finished HDF5 file and its reader use this table. docs/featurize.md describes
the finished file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.datasets.frames import Chunk, Frame
from fastsf.descriptors.base import Batch
from fastsf.descriptors.pcsf_rows import PairRows
from fastsf.elements import atomic_number
from fastsf.types import Array, IntArray

FORMAT = "fastsf-features"
VERSION = 1


@dataclass(frozen=True)
class FeatureRows:
    """Kind of the rows of the features.

    Parameters
    ----------
    group : str
        Field with the group of each row, which determines its functions.
    start : str
        Field with the first row of each structure.
    """

    group: str
    start: str

    def names(self, columns: Iterable[str]) -> dict[int, str]:
        """Return the element or kind of pairs of each value of the field `group`."""
        if self.group == "atoms/number":
            return {atomic_number(symbol): symbol for symbol in columns}
        return dict(enumerate(columns))


ROWS = {
    "atoms": FeatureRows("atoms/number", "structures/start"),
    "pairs": FeatureRows("pairs/kind", "structures/pair_start"),
}


@dataclass(frozen=True)
class Field:
    """Array of a feature file.

    Parameters
    ----------
    name : str
        Path in the HDF5 file.
    axis : str
        Meaning of the first dimension: "structure", "atom", "row" (of the features), "entry" (of the sparse
        derivatives) or "skipped".
    dtype : str
        NumPy type code; "float" means the storage type of the features, float64 or float32.
    tail : tuple of int or str
        Other dimensions; "columns" means the number of feature columns.
    units : str
        Units; "1" for plain numbers.
    text : str
        Description.
    needs : str
        Mask; the array is omitted if no structure has this label.
    rows : str
        "atoms" or "pairs" if only files with such rows have the array.
    """

    name: str
    axis: str
    dtype: str
    tail: tuple[int | str, ...]
    units: str
    text: str
    needs: str = ""
    rows: str = ""

    def type(self, storage: str) -> np.dtype[Any]:
        """Return the NumPy type, given the storage type of the features."""
        return np.dtype(storage if self.dtype == "float" else self.dtype)

    def shape(self, length: int, n_columns: int) -> tuple[int, ...]:
        """Return the full shape, given the length of the first dimension and the number of columns."""
        return (length, *(n_columns if size == "columns" else int(size) for size in self.tail))


FIELDS = (
    Field("features", "row", "float", ("columns",), "1", "symmetry functions, one row per atom", rows="atoms"),
    Field(
        "features",
        "row",
        "float",
        ("columns",),
        "1",
        "symmetry functions, one row per pair (pair-distance: in Angstrom)",
        rows="pairs",
    ),
    Field("pairs/i", "row", "int32", (), "1", "first atom, counted from 0 in its structure", rows="pairs"),
    Field("pairs/j", "row", "int32", (), "1", "second atom", rows="pairs"),
    Field("pairs/shift", "row", "int32", (3,), "1", "lattice vectors that are added to the second", rows="pairs"),
    Field("pairs/kind", "row", "uint16", (), "1", "kind of the pair: row of kinds", rows="pairs"),
    Field("pairs/distance", "row", "float64", (), "Angstrom", "distance of the two", rows="pairs"),
    Field("atoms/number", "atom", "uint8", (), "1", "atomic number"),
    Field("atoms/position", "atom", "float64", (3,), "Angstrom", "Cartesian position"),
    Field(
        "atoms/force",
        "atom",
        "float64",
        (3,),
        "eV/Angstrom",
        "force; NaN where none",
        "structures/has_forces",
    ),
    Field("structures/file", "structure", "int32", (), "1", "row of inputs/path"),
    Field("structures/frame", "structure", "int64", (), "1", "zero-based number in its file"),
    Field("structures/cell", "structure", "float64", (3, 3), "Angstrom", "rows are the lattice vectors"),
    Field("structures/pbc", "structure", "bool", (3,), "1", "whether each lattice vector repeats it"),
    Field("structures/has_energy", "structure", "bool", (), "1", "whether it has an energy"),
    Field("structures/has_forces", "structure", "bool", (), "1", "whether it has forces"),
    Field("structures/has_stress", "structure", "bool", (), "1", "whether it has a stress"),
    Field(
        "structures/energy",
        "structure",
        "float64",
        (),
        "eV",
        "energy; NaN where none",
        "structures/has_energy",
    ),
    Field(
        "structures/stress",
        "structure",
        "float64",
        (6,),
        "eV/Angstrom^3",
        "stress xx yy zz yz xz xy, tension positive; NaN where none",
        "structures/has_stress",
    ),
    Field("derivatives/column", "entry", "int32", (), "1", "column of features"),
    Field("derivatives/atom", "entry", "int32", (), "1", "atom that moves, counted from 0 in its structure"),
    Field(
        "derivatives/data",
        "entry",
        "float",
        (3,),
        "1/Angstrom",
        "derivative of the feature by the position of that atom (one image of it)",
    ),
    Field("skipped/file", "skipped", "int32", (), "1", "row of inputs/path"),
    Field("skipped/frame", "skipped", "int64", (), "1", "zero-based number in its file; -1: rest of the file"),
)
"""Arrays that are joined from the chunks."""

COUNTS = (
    Field("structures/start", "structure", "int64", (), "1", "first atom of every structure, and the end"),
    Field("structures/pair_start", "structure", "int64", (), "1", "the same for pairs", rows="pairs"),
    Field("derivatives/start", "row", "int64", (), "1", "first entry of every row of features, and the end"),
)
"""Arrays of running sums: chunks contain numbers of rows, the file the first row of each (one more entry)."""


def used(fields: Iterable[Field], rows: str, derivatives: bool) -> tuple[Field, ...]:
    """Return the fields of a file whose rows are "atoms" or "pairs"."""
    fitting = (field for field in fields if field.rows in ("", rows))
    return tuple(field for field in fitting if derivatives or not field.name.startswith("derivatives/"))


_MASKS = ("structures/has_energy", "structures/has_forces", "structures/has_stress")
_RULERS = {
    "structure": "structures/frame",
    "atom": "atoms/number",
    "row": "features",
    "entry": "derivatives/column",
    "skipped": "skipped/frame",
}


def measure(arrays: Mapping[str, Array]) -> dict[str, int]:
    """Return the length of each axis and the number of structures that each mask marks; 0 for missing arrays."""
    sizes = {axis: len(arrays[name]) if name in arrays else 0 for axis, name in _RULERS.items()}
    return sizes | {name: int(arrays[name].sum()) if name in arrays else 0 for name in _MASKS}


def chunk_arrays(chunk: Chunk, batch: Batch, storage: str) -> dict[str, Array]:
    """Return the arrays of a computed chunk.

    Parameters
    ----------
    chunk : Chunk
        Structures.
    batch : Batch
        Features; derivatives and pairs count atoms through all structures.
    storage : str
        NumPy type of the stored features.

    Returns
    -------
    dict of str to array
        Arrays by the names in `FIELDS` and `COUNTS`.
    """
    frames = chunk.frames
    sizes = np.array([len(frame.structure) for frame in frames], dtype=np.int64)
    arrays = {
        "features": batch.values.astype(storage, copy=False),
        "atoms/number": _join([frame.structure.numbers.astype(np.uint8) for frame in frames], (0,), np.uint8),
        "atoms/position": _join([frame.structure.positions for frame in frames], (0, 3)),
        "atoms/force": _join([_label(frame, "forces", (len(frame.structure), 3)) for frame in frames], (0, 3)),
        "structures/start": sizes,
        "structures/file": np.array([frame.index.file for frame in frames], dtype=np.int32),
        "structures/frame": np.array([frame.index.frame for frame in frames], dtype=np.int64),
        "structures/cell": np.array([frame.cell for frame in frames]).reshape(-1, 3, 3),
        "structures/pbc": np.array([frame.structure.pbc for frame in frames], dtype=np.bool_).reshape(-1, 3),
        "structures/energy": np.array([_label(frame, "energy", ()) for frame in frames]).reshape(-1),
        "structures/stress": np.array([_label(frame, "stress", (6,)) for frame in frames]).reshape(-1, 6),
        "skipped/file": np.array([each.index.file for each in chunk.skipped], dtype=np.int32),
        "skipped/frame": np.array([each.index.frame for each in chunk.skipped], dtype=np.int64),
    }
    for name in ("energy", "forces", "stress"):
        arrays[f"structures/has_{name}"] = np.array([name in frame.labels for frame in frames], dtype=np.bool_)
    first_atom = np.repeat(np.cumsum(sizes) - sizes, sizes)
    if batch.pairs is not None:
        arrays |= _pair_arrays(batch.pairs, sizes, first_atom)
    if batch.derivatives is not None:
        jacobian = batch.derivatives
        entries = np.diff(jacobian.start)
        arrays["derivatives/start"] = entries
        arrays["derivatives/column"] = jacobian.column
        first = np.repeat(first_atom[jacobian.centers], entries)
        arrays["derivatives/atom"] = (jacobian.atom - first).astype(np.int32)
        arrays["derivatives/data"] = jacobian.data.astype(storage, copy=False)
    return arrays


def _pair_arrays(pairs: PairRows, sizes: IntArray, first_atom: IntArray) -> dict[str, Array]:
    """Return the arrays of pairs, given the sizes of structures and the first atom of the structure of each atom."""
    bounds = pairs.first[np.concatenate([[0], np.cumsum(sizes)])]
    return {
        "structures/pair_start": np.diff(bounds),
        "pairs/i": (pairs.i - first_atom[pairs.i]).astype(np.int32),
        "pairs/j": (pairs.j - first_atom[pairs.j]).astype(np.int32),
        "pairs/shift": pairs.shift.astype(np.int32),
        "pairs/kind": pairs.kind.astype(np.uint16),
        "pairs/distance": pairs.distance,
    }


def _join(pieces: list[Array], empty: tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> Array:
    return np.concatenate(pieces) if pieces else np.empty(empty, dtype=dtype)


def _label(frame: Frame, name: str, shape: tuple[int, ...]) -> Array:
    return np.asarray(frame.labels[name]) if name in frame.labels else np.full(shape, np.nan)

"""Writer of the HDF5 file of features, chunk by chunk under a temporary name."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fastsf.descriptors.statistics import ColumnStatistics
from fastsf.featurize import layout
from fastsf.storage.atomic import storage_errors, sync_folder
from fastsf.storage.steady import SteadyFile
from fastsf.types import Array

_LARGE_BLOCK = 1 << 18
_SMALL_BLOCK = 1 << 14
_CACHE = 1 << 24
_TEXT = h5py.string_dtype("utf-8")


@dataclass(frozen=True)
class Header:
    """Description that a feature file contains.

    Parameters
    ----------
    storage : str
        NumPy type of the features and derivatives, "float64" or "float32".
    rows : "atoms" or "pairs"
        Kind of the rows of the features.
    derivatives : bool
        True if the chunks have sparse derivatives.
    n_columns : int
        Number of feature columns.
    labels, families : dict of str to list of str
        Name and family of each column of each element or kind of pairs.
    inputs : list of dict
        path, size (bytes) and mtime_ns of each input file.
    definition : str
        Descriptor as JSON.
    manifest : str
        Inputs and options of the run as JSON.
    attributes : dict of str to str
        Origin: versions, command line, date.
    """

    storage: str
    rows: str
    derivatives: bool
    n_columns: int
    labels: Mapping[str, Sequence[str]]
    families: Mapping[str, Sequence[str]]
    inputs: Sequence[Mapping[str, Any]]
    definition: str
    manifest: str
    attributes: Mapping[str, str]


class FeatureWriter:
    """Writer of a feature file, which gets its name when it is complete.

    Do not use it from the main thread: an interruption inside calls of HDF5 would leave the file half open.

    Parameters
    ----------
    output : Path
        The HDF5 file; an existing one is replaced.
    header : Header
        Description of the file.

    Raises
    ------
    StorageError
        Also from `append` and `finish`, if there is no space or no permission.
    """

    def __init__(self, output: Path, header: Header) -> None:
        self._output, self._header = output, header
        self._temporary = output.with_name(output.name + ".tmp")
        self._fields = layout.used(layout.FIELDS, header.rows, header.derivatives)
        self._counts = layout.used(layout.COUNTS, header.rows, header.derivatives)
        self._rows = layout.measure({})
        self._ends = dict.fromkeys((field.name for field in self._counts), 0)
        self._statistics: dict[str, ColumnStatistics] = {}
        self._reasons: list[str] = []
        with storage_errors(f"cannot write {output}"):
            self._raw = self._temporary.open("w+b", buffering=0)
        self._disk = SteadyFile(self._raw)
        self._hdf5 = h5py.File(self._disk, "w", rdcc_nbytes=_CACHE)
        for field in (*self._fields, *self._counts):
            self._create(field)

    def append(self, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
        """Add a chunk.

        Parameters
        ----------
        arrays : mapping of str to array
            Arrays of `layout` (running sums as numbers of rows) and ``statistics/NAME/...``.
        meta : mapping
            ``lengths`` (from `layout.measure`) and ``skipped`` (reasons).
        """
        rows = add_lengths(self._rows, meta["lengths"])
        for field in self._fields:
            dataset = self._hdf5[field.name]
            dataset.resize(rows[field.axis], axis=0)
            if not field.needs or meta["lengths"][field.needs]:  # unwritten labels are NaN
                _put(dataset, self._rows[field.axis], arrays[field.name])
        for field in self._counts:
            running = self._ends[field.name] + np.cumsum(arrays[field.name], dtype=np.int64)
            dataset = self._hdf5[field.name]
            dataset.resize(rows[field.axis] + 1, axis=0)
            _put(dataset, self._rows[field.axis] + 1, running)
            self._ends[field.name] = int(running[-1]) if len(running) else self._ends[field.name]
        self._rows = rows
        self._reasons += meta["skipped"]
        _merge_statistics(self._statistics, arrays)
        self._check()
        with storage_errors(f"cannot write {self._output}"):
            os.fsync(self._raw.fileno())  # now, during the computation, not all at the end

    def finish(self) -> None:
        """Write texts and statistics, make the file safe on disk and give it its name."""
        for field in self._fields:
            if field.needs and not self._rows[field.needs]:
                del self._hdf5[field.name]
        self._write_texts()
        for name, summary in self._statistics.items():
            _write_statistics(self._hdf5, name, summary, self._header.rows)
        self._hdf5.close()
        self._check()
        with storage_errors(f"cannot write {self._output}"):
            os.fsync(self._raw.fileno())
            self._raw.close()
            self._temporary.replace(self._output)
            sync_folder(self._output.parent)

    def abandon(self) -> None:
        """Close and remove the temporary file, unless it is finished."""
        self._hdf5.close()
        self._raw.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _check(self) -> None:
        with storage_errors(f"cannot write {self._output}"):
            self._disk.check()

    def _create(self, field: layout.Field) -> None:
        dtype = field.type(self._header.storage)
        rest = field.shape(1, self._header.n_columns)[1:]
        dataset = self._hdf5.create_dataset(
            field.name,
            shape=(1 if field in self._counts else 0, *rest),
            maxshape=(None, *rest),
            chunks=(_rows_per_block(field, dtype.itemsize * int(np.prod(rest))), *rest),
            dtype=dtype,
            fillvalue=np.nan if field.needs else None,
            track_times=False,
        )
        dataset.attrs["units"] = field.units
        dataset.attrs["description"] = field.text

    def _write_texts(self) -> None:
        file, header = self._hdf5, self._header
        attributes = {name: _plain(value) for name, value in header.attributes.items()}
        about = {"format": layout.FORMAT, "version": layout.VERSION, "rows": header.rows}
        file.attrs.update({**about, **attributes})
        reader = {"atoms": "ACSF", "pairs": "PCSF"}[header.rows]
        _text(file, "definition", header.definition, f"the descriptor, as JSON: fastsf.{reader}.from_dict reads it")
        _text(file, "manifest", header.manifest, "inputs and options of the run, as JSON")
        _text(file, "skipped/reason", self._reasons, "why the structure was left out")
        _text(file, "inputs/path", [entry["path"] for entry in header.inputs], "file that was read")
        for name, units in (("size", "byte"), ("mtime_ns", "ns")):
            numbers = np.array([entry[name] for entry in header.inputs], dtype=np.int64)
            file.create_dataset(f"inputs/{name}", data=numbers, track_times=False).attrs["units"] = units
        if header.rows == "pairs":
            _text(file, "kinds", list(header.labels), "kinds of pairs")
        for name in header.labels:
            _text(file, f"columns/{name}/label", header.labels[name], "name of every column")
            _text(file, f"columns/{name}/family", header.families[name], "kind of every column's function")


def add_lengths(total: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of two results of `layout.measure`."""
    return {name: total[name] + number for name, number in more.items()}


def _rows_per_block(field: layout.Field, row_bytes: int) -> int:
    """Return the number of rows per block of HDF5: large blocks for features, small ones for other arrays."""
    wanted = _LARGE_BLOCK if field.dtype == "float" else _SMALL_BLOCK
    return max(1, wanted // max(row_bytes, 1))


def _put(dataset: h5py.Dataset, start: int, rows: Array) -> None:
    if rows.size:
        dataset[start : start + len(rows)] = rows


def _plain(text: str) -> str:
    """Replace characters that UTF-8 does not have: undecodable bytes in names of files."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(file: h5py.File, name: str, text: str | Sequence[str], description: str) -> None:
    shape = () if isinstance(text, str) else (len(text),)
    dataset = file.create_dataset(name, shape, _TEXT, track_times=False)
    if text:
        dataset[...] = _plain(text) if isinstance(text, str) else np.array(list(map(_plain, text)), dtype=object)
    dataset.attrs["description"] = description


def _merge_statistics(total: dict[str, ColumnStatistics], arrays: Mapping[str, Array]) -> None:
    """Add the statistics of a chunk to those of all elements or kinds."""
    for name in arrays:
        if name.startswith("statistics/") and name.endswith("/count"):
            prefix, group = name.removesuffix("count"), name.split("/")[1]
            rest = (arrays[prefix + part] for part in ("minimum", "maximum", "mean", "squares"))
            summary = ColumnStatistics(int(arrays[name]), *rest)
            total[group] = total[group].merge(summary) if group in total else summary


def _write_statistics(file: h5py.File, name: str, summary: ColumnStatistics, rows: str) -> None:
    group = file.create_group(f"statistics/{name}")
    group.attrs["count"] = summary.count
    of = {"atoms": "the element", "pairs": "this kind"}[rows]
    group.attrs["description"] = f"per column over all {rows} of {of}; sigma with n - 1"
    for column in ("minimum", "maximum", "mean", "sigma"):
        dataset = group.create_dataset(column, data=getattr(summary, column), dtype="float64", track_times=False)
        dataset.attrs["units"] = "1"

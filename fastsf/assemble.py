"""Finished chunks -> one HDF5 file."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fastsf import layout
from fastsf.chunks import Parts, storage_errors, sync_folder
from fastsf.errors import StorageError
from fastsf.statistics import ColumnStatistics

Array = npt.NDArray[Any]
_TEXT = h5py.string_dtype("utf-8")
_SPARE_BYTES = 1 << 20


@dataclass(frozen=True)
class Header:
    """What a feature file says about itself.

    Parameters
    ----------
    storage : str
        NumPy type of the features and derivatives, "float64" or "float32".
    derivatives : bool
        Whether the chunks hold sparse derivatives.
    n_columns : int
        Number of feature columns.
    labels, families : dict of symbol to list of str
        Name and kind of every column of an element.
    inputs : list of dict
        path, size (bytes) and mtime_ns of every file that was read.
    definition : str
        The descriptor, as JSON text.
    manifest : str
        Inputs and options of the run, as JSON text.
    attributes : dict of str to str
        Provenance: versions, command line, date.
    """

    storage: str
    derivatives: bool
    n_columns: int
    labels: Mapping[str, Sequence[str]]
    families: Mapping[str, Sequence[str]]
    inputs: Sequence[Mapping[str, Any]]
    definition: str
    manifest: str
    attributes: Mapping[str, str]


def assemble(parts: Parts, output: Path, header: Header) -> None:
    """Join all finished chunks into one file, under a temporary name until it is whole.

    Parameters
    ----------
    parts : Parts
        Folder of chunks: the arrays of `layout` (running sums as numbers of rows) and
        ``statistics/SYMBOL/...``, with ``lengths`` (from `layout.measure`) and ``skipped`` (reasons) as
        metadata.
    output : Path
        The HDF5 file; replaced if it is there.
    header : Header
        What the file says about itself.

    Raises
    ------
    StorageError
        If there is no space or no permission; the temporary file is removed, the chunks stay.
    """
    temporary = output.with_name(output.name + ".tmp")
    totals = _totals(parts)
    with storage_errors(f"cannot write {output}"):
        _check_space(output, totals, header)
        try:
            _write(temporary, parts, totals, header)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(output)
            sync_folder(output.parent)
        except BaseException as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            if isinstance(error, (OSError, RuntimeError)) and not isinstance(error, StorageError):
                raise _readable(error) from error  # h5py reports a full disk as either
            raise


def _readable(error: OSError | RuntimeError) -> OSError:
    """Return the system's own reason where HDF5 wraps it in a long report."""
    found = re.search(r"errno = (\d+)", str(error))
    if found:
        return OSError(int(found[1]), os.strerror(int(found[1])))
    return error if isinstance(error, OSError) else OSError(str(error).splitlines()[0])


def add_lengths(total: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Add up what `layout.measure` found in two chunks; an empty mapping stands for none."""
    return {name: total.get(name, 0) + number for name, number in more.items()}


def _totals(parts: Parts) -> dict[str, int]:
    totals = layout.measure({})
    for index in range(parts.count()):
        totals = add_lengths(totals, parts.load(index, only=())[1]["lengths"])
    return totals


def _fields(totals: Mapping[str, int], header: Header) -> list[layout.Field]:
    return [
        field for field in layout.used_fields(header.derivatives) if not field.needs or totals[field.needs]
    ]


def _check_space(output: Path, totals: Mapping[str, int], header: Header) -> None:
    needed = _SPARE_BYTES
    for field in _fields(totals, header):
        shape = field.shape(totals[field.axis], header.n_columns)
        needed += math.prod(shape) * field.type(header.storage).itemsize
    for field in layout.used_counts(header.derivatives):
        needed += 8 * totals[field.axis]
    free = shutil.disk_usage(output.parent).free
    if free < needed:
        raise OSError(
            errno.ENOSPC, f"{needed / 2**30:.3g} GiB needed, {free / 2**30:.3g} GiB free on the disk"
        )


def _write(path: Path, parts: Parts, totals: Mapping[str, int], header: Header) -> None:
    with h5py.File(path, "w", libver="v110") as file:
        fields = _fields(totals, header)
        counts = layout.used_counts(header.derivatives)
        for field in fields:
            _create(file, field, field.shape(totals[field.axis], header.n_columns), header.storage)
        for field in counts:
            _create(file, field, (totals[field.axis] + 1,), header.storage)
        row = layout.measure({})
        ends = dict.fromkeys((field.name for field in counts), 0)
        statistics: dict[str, ColumnStatistics] = {}
        reasons: list[str] = []
        for index in range(parts.count()):
            arrays, meta = parts.load(index)
            for field in counts:
                running = ends[field.name] + np.cumsum(arrays[field.name], dtype=np.int64)
                if len(running):
                    _put(file[field.name], row[field.axis] + 1, running)
                    ends[field.name] = int(running[-1])
            for field in fields:
                _put(file[field.name], row[field.axis], arrays[field.name])
            row = add_lengths(row, meta["lengths"])
            reasons += meta["skipped"]
            merge_statistics(statistics, arrays)
        _write_texts(file, header, reasons)
        for symbol, summary in statistics.items():
            _write_statistics(file, symbol, summary)


def _create(file: h5py.File, field: layout.Field, shape: tuple[int, ...], storage: str) -> None:
    dataset = file.create_dataset(field.name, shape, field.type(storage), track_times=False)
    dataset.attrs["units"] = field.units
    dataset.attrs["description"] = field.text


def _put(dataset: h5py.Dataset, start: int, rows: Array) -> None:
    if rows.size:
        dataset[start : start + len(rows)] = rows


def _write_texts(file: h5py.File, header: Header, reasons: Sequence[str]) -> None:
    file.attrs.update({"format": layout.FORMAT, "version": layout.VERSION, **header.attributes})
    _text(file, "definition", header.definition, "the descriptor, as JSON: fastsf.ACSF.from_dict reads it")
    _text(file, "manifest", header.manifest, "inputs and options of the run, as JSON")
    _text(file, "skipped/reason", reasons, "why the structure was left out")
    _text(file, "inputs/path", [entry["path"] for entry in header.inputs], "file that was read")
    for name, units in (("size", "byte"), ("mtime_ns", "ns")):
        dataset = file.create_dataset(
            f"inputs/{name}", data=[entry[name] for entry in header.inputs], dtype="int64"
        )
        dataset.attrs["units"] = units
    for symbol in header.labels:
        _text(file, f"columns/{symbol}/label", header.labels[symbol], "name of every column of this element")
        _text(file, f"columns/{symbol}/family", header.families[symbol], "kind of every column's function")


def _text(file: h5py.File, name: str, text: str | Sequence[str], description: str) -> None:
    shape = () if isinstance(text, str) else (len(text),)
    dataset = file.create_dataset(name, shape, _TEXT, track_times=False)
    if text:
        dataset[...] = text if isinstance(text, str) else np.array(text, dtype=object)
    dataset.attrs["description"] = description


def merge_statistics(total: dict[str, ColumnStatistics], arrays: Mapping[str, Array]) -> None:
    """Add the statistics that a chunk holds (arrays named statistics/SYMBOL/...) to those of all elements."""
    for name in arrays:
        if name.startswith("statistics/") and name.endswith("/count"):
            prefix = name.removesuffix("count")
            rest = (arrays[prefix + part] for part in ("minimum", "maximum", "mean", "squares"))
            summary = ColumnStatistics(int(arrays[name]), *rest)
            symbol = name.split("/")[1]
            total[symbol] = total[symbol].merge(summary) if symbol in total else summary


def _write_statistics(file: h5py.File, symbol: str, summary: ColumnStatistics) -> None:
    group = file.create_group(f"statistics/{symbol}")
    group.attrs["count"] = summary.count
    group.attrs["description"] = "per column over all atoms of the element; sigma with n - 1"
    for name in ("minimum", "maximum", "mean", "sigma"):
        dataset = group.create_dataset(name, data=getattr(summary, name), dtype="float64", track_times=False)
        dataset.attrs["units"] = "1"

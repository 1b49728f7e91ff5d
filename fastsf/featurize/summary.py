"""Contents of a feature file as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import numpy as np

from fastsf.descriptors.statistics import ColumnStatistics
from fastsf.errors import counted
from fastsf.featurize.reader import FeatureFile

_MOST_LINES = 20


def describe(file: FeatureFile) -> str:
    """Return a summary of a feature file: counts, labels, units, functions, origin, omitted structures."""
    attributes = file.hdf5.attrs
    features = file.hdf5["features"]
    widths = ", ".join(f"{name} {len(labels)}" for name, labels in file.labels.items())
    units = _units(chain(*file.labels.values()))
    lines = [
        f"{file.path}: symmetry functions, format version {attributes['version']}",
        _row("structures", f"{len(file):,} from {counted(len(file.inputs), 'file')}"),
        _row("atoms", _counted(file.n_atoms, file.atom_counts())),
        *([_row("pairs", _counted(file.n_rows, file.row_counts()))] if file.centered_on == "pairs" else []),
        _row("columns", f"{features.shape[1]}: {widths}; {features.dtype}, {units}"),
        *_label_rows(file),
        *_derivative_rows(file),
        _row("made", f"{attributes['created']} by fastsf {attributes['fastsf']}"),
        _row(
            "",
            ", ".join(f"{name} {attributes[name]}" for name in ("python", "numpy", "numba", "ase", "h5py")),
        ),
        _row("command", str(attributes["command"]) or "(from Python)"),
        _row("definition", f"sha256 {attributes['definition_sha256']}"),
        *_listed("inputs", file.inputs),
        *_listed("left out", [row.reason for row in file.skipped] or ["nothing"]),
    ]
    return "\n".join(lines)


def statistics_table(name: str, summary: ColumnStatistics, labels: list[str], rows: str = "atoms") -> str:
    """Return a table of the statistics of the columns of one element, or kind of pairs (`rows` is "pairs")."""
    lines = [
        f"{name}: {len(labels)} columns over {summary.count:,} {rows} ({_units(labels)})",
        f"{'':4} {'minimum':>11} {'maximum':>11} {'mean':>11} {'sigma':>11}  function",
    ]
    numbers = np.stack([summary.minimum, summary.maximum, summary.mean, summary.sigma], axis=1)
    for column, (row, label) in enumerate(zip(numbers, labels, strict=True)):
        mark = "  (never changes)" if summary.count and row[0] == row[1] else ""
        lines.append(f"{column:4d} " + " ".join(f"{value:11.4e}" for value in row) + f"  {label}{mark}")
    return "\n".join(lines)


def statistics_tables(
    statistics: Mapping[str, ColumnStatistics], labels: Mapping[str, list[str]], rows: str = "atoms"
) -> str:
    """Return the tables of all elements or kinds of pairs."""
    return "\n\n".join(statistics_table(name, each, labels[name], rows) for name, each in statistics.items())


def _units(labels: Iterable[str]) -> str:
    distances = any(label.startswith("pair-distance") for label in labels)
    return "dimensionless, distances in Å" if distances else "dimensionless"


def _counted(total: int, parts: Mapping[str, int]) -> str:
    return f"{total:,}: " + ", ".join(f"{name} {number:,}" for name, number in parts.items())


def _row(name: str, text: str) -> str:
    return f"  {name:<12}{text}"


def _label_rows(file: FeatureFile) -> Iterator[str]:
    units = {"energy": "eV", "forces": "eV/Å", "stress": "eV/Å^3"}
    for number, (name, unit) in enumerate(units.items()):
        count = file.count_labels(name)
        text = f"{name} of {counted(count, 'structure')}, {unit}" if count else f"no {name}"
        yield _row("" if number else "labels", text)


def _derivative_rows(file: FeatureFile) -> Iterator[str]:
    if "derivatives" in file.hdf5:
        data = file.hdf5["derivatives/data"]
        yield _row("derivatives", f"{len(data):,} entries, {data.dtype}, 1/Å")
    else:
        yield _row("derivatives", "none")


def _listed(name: str, texts: list[str]) -> Iterator[str]:
    for number, text in enumerate(texts[:_MOST_LINES]):
        yield _row("" if number else name, text)
    if len(texts) > _MOST_LINES:
        yield _row("", f"... and {len(texts) - _MOST_LINES:,} more")

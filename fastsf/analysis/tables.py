"""The tables of an analysis: small ones of numbers with errors, large ones of curves."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from fastsf.analysis.averages import Mean
from fastsf.analysis.diffusion import A2_PER_PS
from fastsf.analysis.rdf import RDF
from fastsf.analysis.results import Results
from fastsf.storage.atomic import write_atomically
from fastsf.types import FloatArray

SMALL = ("means", "diffusion", "coordination")
LARGE = ("series", "rdf", "msd", "vacf", "vdos")
"""Names of the tables."""

Table = tuple[Sequence[str], list[Sequence[str]]]
"""Headings and rows."""


def small_tables(results: Results) -> dict[str, Table]:
    """Return the small tables of numbers with errors."""
    found: dict[str, Table] = {}
    if results.series is not None:
        units = results.series.units
        rows = [_mean_row(name, units[name], each) for name, each in results.series.means().items()]
        found["means"] = (
            ("quantity", "unit", "mean", "error", "plateau", "standard deviation", "samples per independent one"),
            rows,
        )
    if results.msd is not None:
        rows = [
            (
                symbol,
                *(f"{scale * x:.4g}" for scale in (1.0, A2_PER_PS) for x in (d.value, d.error)),
                f"{d.exponent:.3f}",
            )
            for symbol, d in results.msd.diffusion.items()
        ]
        head = ("element", "D (Å^2/ps)", "error (Å^2/ps)", "D (1e-9 m^2/s)", "error (1e-9 m^2/s)", "exponent")
        found["diffusion"] = (head, rows)
    if results.rdf is not None:
        found["coordination"] = (
            ("pair", "first peak (Å)", "g", "minimum (Å)", "neighbours up to there", "error"),
            list(_shells(results.rdf)),
        )
    return found


def _mean_row(name: str, unit: str, found: Mean) -> Sequence[str]:
    digits = _digits(found.value, found.error)
    error = "" if math.isnan(found.error) else _two_digits(found.error)
    inefficiency = "" if math.isnan(found.inefficiency) else f"{found.inefficiency:.1f}"
    return (
        name,
        unit,
        f"{found.value:.{digits}g}",
        error,
        "yes" if found.settled else "no",
        f"{found.spread:.4g}",
        inefficiency,
    )


def _two_digits(error: float) -> str:
    if error >= 10:
        return f"{error:.0f}"
    return f"{error:#.2g}" if error else "0"


def _digits(value: float, error: float) -> int:
    """Return the number of significant digits that show a value down to a tenth of its error."""
    if not error > 0 or value == 0:
        return 8
    return int(np.clip(math.ceil(math.log10(abs(value)) - math.log10(error)) + 2, 3, 15))


def _shells(rdf: RDF) -> Iterator[Sequence[str]]:
    for a, b in rdf.coordination:
        pair = (a, b) if (a, b) in rdf.g else (b, a)
        if not rdf.g[pair].any():
            continue
        peak, height, minimum = rdf.first_shell(pair)
        shell = len(rdf.edges) - 2 if minimum is None else int(np.searchsorted(rdf.edges, minimum)) - 1
        around, error = rdf.coordination[a, b][shell], rdf.coordination_error[a, b][shell]
        end = "" if minimum is None else f"{minimum:.2f}"
        numbers = ("", "") if minimum is None else (f"{around:.3f}", "" if math.isnan(error) else _two_digits(error))
        yield f"{b} around {a}", f"{peak:.2f}", f"{height:.2f}", end, *numbers


def write_table(path: Path, table: Table) -> None:
    """Write a small table as CSV; errors as in `write_curves`."""
    text = "\n".join(",".join(line) for line in [table[0], *table[1]]) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def format_table(table: Table) -> str:
    """Align a table for a terminal."""
    lines = [table[0], *table[1]]
    widths = [max(len(line[k]) for line in lines) for k in range(len(table[0]))]
    rows = (
        "  ".join(
            word.ljust(w) if k == 0 else word.rjust(w) for k, (word, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
    return "\n".join(row.rstrip() for row in rows)


# --- curves ---


def curves(results: Results) -> dict[str, Mapping[str, FloatArray]]:
    """Return the large tables, one column of numbers for each heading."""
    found: dict[str, Mapping[str, FloatArray]] = {}
    if results.series is not None:
        series = results.series
        time = {} if series.time is None else {"time (fs)": series.time}
        found["series"] = time | {f"{name} ({series.units[name]})": each for name, each in series.columns.items()}
    if results.rdf is not None:
        rdf = results.rdf
        columns = {"r (Å)": rdf.centres, "outer border (Å)": rdf.edges[1:]}
        for a, b in rdf.g:
            columns |= {f"g {a}-{b}": rdf.g[a, b], f"error g {a}-{b}": rdf.g_error[a, b]}
        for a, b in rdf.coordination:
            columns |= {
                f"{b} around {a}": rdf.coordination[a, b],
                f"error {b} around {a}": rdf.coordination_error[a, b],
            }
        found["rdf"] = columns
    if results.msd is not None:
        columns = {"lag (ps)": results.msd.lags}
        for symbol, values in results.msd.values.items():
            columns |= {f"{symbol} (Å^2)": values, f"error {symbol} (Å^2)": results.msd.errors[symbol]}
        found["msd"] = columns
    if results.vibrations is not None:
        each = results.vibrations
        found["vacf"] = {"lag (fs)": each.lags} | each.correlation
        found["vdos"] = {"frequency (THz)": each.frequencies, "wave number (1/cm)": each.wave_numbers} | {
            f"{name} (1/THz)": values for name, values in each.density.items()
        }
    return found


def write_curves(path: Path, columns: Mapping[str, FloatArray]) -> None:
    """Write curves as CSV.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    text = io.StringIO()
    np.savetxt(
        text, np.column_stack(list(columns.values())), fmt="%.9g", delimiter=",", header=",".join(columns), comments=""
    )
    write_atomically(path, lambda file: file.write(text.getvalue().encode()))

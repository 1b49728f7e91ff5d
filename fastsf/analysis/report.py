"""The report of an analysis, as text and as a document with pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastsf.analysis.parts import PARTS
from fastsf.analysis.plots import write_plots
from fastsf.analysis.results import Results
from fastsf.analysis.source import Source
from fastsf.analysis.tables import curves, small_tables, write_curves, write_table
from fastsf.analysis.vibrations import CM_PER_THZ
from fastsf.reports.document import ReportDocument
from fastsf.storage.atomic import make_folder

REPORTS = ("analysis.md", "analysis.html")


def write_results(results: Results, source: Source, folder: Path, command: str) -> list[Path]:
    """Write tables, pictures and the report.

    Parameters
    ----------
    results : Results
        From `fastsf.analysis.results.study`.
    source : Source
        Run to which they belong.
    folder : Path
        Folder to write; made if it does not exist.
    command : str
        Command line of the user; empty from Python.

    Returns
    -------
    list of Path
        Files that were written.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    make_folder(folder)
    written = []
    for name, table in small_tables(results).items():
        written.append(folder / f"{name}.csv")
        write_table(written[-1], table)
    for name, columns in curves(results).items():
        written.append(folder / f"{name}.csv")
        write_curves(written[-1], columns)
    pictures = write_plots(results, folder)
    document = _document(results, source, folder, pictures, command)
    return [*written, *document.write(REPORTS[0].removesuffix(".md")), *pictures]


def overview(results: Results, source: Source) -> list[str]:
    """Return lines that say what was read and which parts are missing."""
    lines = []
    if results.first is not None:
        span = "" if results.length is None else f", {results.length:,.6g} ps"
        formula, count = results.first.get_chemical_formula(), len(results.first)
        lines.append(
            f"{source.trajectory}: {results.used:,} of {results.frames:,} frames{span}; {count:,} atoms, {formula}"
        )
    if source.log is not None and results.series is not None:
        rows = len(next(iter(results.series.columns.values()), ()))
        lines.append(f"{source.log}: {rows:,} rows")
    lines += [f"left out: {PARTS[name]}: {why}" for name, why in results.left_out.items()]
    return [*lines, *(f"warning: {text}" for text in results.remarks)]


def drift_text(results: Results) -> str | None:
    """Return a line with the drift of the conserved energy, if that is known."""
    count = 1 if results.first is None else len(results.first)
    found = None if results.series is None else results.series.drift(count)
    if found is None:
        return None
    name, slope, error = found
    unit = "eV/ps" if results.first is None else "eV/atom/ps"
    return f"drift of the {name}: {slope:.2e} ± {error:.1e} {unit}"


def diffusion_text(results: Results) -> str | None:
    """Return a line with the range of the fit of diffusion coefficients."""
    msd = results.msd
    if msd is None:
        return None
    return (
        f"diffusion: straight line from {msd.fit[0]:.4g} to {msd.fit[1]:.4g} ps, errors from {msd.pieces} pieces of "
        f"{msd.piece_length:.4g} ps"
    )


def vibrations_text(results: Results) -> str | None:
    """Return a line with the resolution of the density of states."""
    found = results.vibrations
    if found is None:
        return None
    kelvin = ", ".join(f"{name} {each:.5g} K" for name, each in found.temperature.items())
    return (
        f"density of states: Hann window up to {found.lags[-1] / 1000:.4g} ps, which makes a sharp line "
        f"{found.resolution * CM_PER_THZ:.3g} 1/cm wide; frames show frequencies up to "
        f"{found.wave_numbers[-1]:,.0f} 1/cm, faster ones fold back; "
        f"kinetic temperatures of 3 degrees of freedom for each atom that may move: {kelvin}"
    )


def _document(results: Results, source: Source, folder: Path, pictures: Sequence[Path], command: str) -> ReportDocument:
    document = ReportDocument(f"Analysis of {source.name}", folder)
    document.listing([*([command] if command else []), *overview(results, source)])
    drawn = {path.stem: path for path in pictures}
    ready = small_tables(results)
    for name, title, texts in (
        ("means", "Means", [drift_text(results), _BLOCKING]),
        ("coordination", "Radial distribution functions", []),
        ("diffusion", "Diffusion", [diffusion_text(results)]),
        ("vdos", "Vibrations", [vibrations_text(results)]),
    ):
        picture = drawn.get(_PICTURES[name])
        if name not in ready and picture is None:
            continue
        document.heading(title)
        if name in ready:
            document.table(*ready[name])
        for text in filter(None, texts):
            document.text(text)
        if picture is not None:
            document.picture(picture, title)
    return document


_PICTURES = {"means": "series", "coordination": "rdf", "diffusion": "msd", "vdos": "vdos"}
_BLOCKING = (
    "Errors are standard errors by blocking (Flyvbjerg and Petersen 1989). Without a plateau, the run is too "
    "short for its correlations, or drifts: the true error may be larger."
)

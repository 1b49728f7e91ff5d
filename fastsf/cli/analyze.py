"""``fastsf analyze``: from a run to a folder with tables, pictures and a report."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastsf.analysis.plots import NAMES
from fastsf.analysis.report import REPORTS, diffusion_text, drift_text, overview, vibrations_text, write_results
from fastsf.analysis.source import Source
from fastsf.analysis.study import Settings, study
from fastsf.analysis.tables import LARGE, SMALL, format_table, small_tables
from fastsf.console import Console, ReadingProgress
from fastsf.errors import InputError, StorageError


def analyze(source: Source, folder: Path, settings: Settings, console: Console, command: str = "") -> list[Path]:
    """Analyse a run.

    Parameters
    ----------
    source : Source
        The run.
    folder : Path
        Where to write; made if it is not there.
    settings : Settings
        What to find out.
    console : Console
        Where to say it.
    command : str
        What the user typed, for the report.

    Returns
    -------
    list of Path
        Files that were written.

    Raises
    ------
    FastsfError
        As `fastsf.analysis.study.study`; StorageError also if files cannot be written.
    """
    path = source.trajectory
    size = 0 if path is None else path.stat().st_size
    with console.progress_bar() as bar:
        results = study(source, settings, lambda frames, atoms, read: bar(ReadingProgress(frames, atoms, read, size)))
    written = write_results(results, source, folder, command)
    for line in overview(results, source):
        console.say(line)
    for table in small_tables(results).values():
        console.say("\n" + format_table(table))
    console.say()
    for text in (drift_text(results), diffusion_text(results), vibrations_text(results)):
        if text:
            console.say(text)
    console.say(f"wrote {len(written)} files: {folder / REPORTS[0]}, ...")
    return written


def run_command(arguments: argparse.Namespace, console: Console, command: str) -> None:
    """Do what the command line asks for.

    Raises
    ------
    FastsfError
        If options make no sense, results are in the way, or as `analyze`.
    """
    source = Source.of(arguments.run)
    folder = _default_folder(source.name) if arguments.output is None else Path(arguments.output)
    settings = Settings(
        parts=tuple(word.strip() for word in arguments.only.split(",")) if arguments.only else (),
        interval=arguments.interval,
        skip=arguments.skip,
        reach=arguments.rdf_range,
        bins=arguments.rdf_bins,
        unwrap=not arguments.unwrapped,
        remove_drift=not arguments.keep_drift,
        fit=_fit(arguments.fit),
        pieces=arguments.pieces,
        longest=arguments.longest,
        memory=arguments.memory,
        threads=arguments.threads,
    )
    _clear(folder, arguments.overwrite)
    analyze(source, folder, settings, console, command)


def _default_folder(run: Path) -> Path:
    run = run.resolve() if run.name in ("", "..") else run
    return run.with_name(f"{run.stem if run.is_file() else run.name}-analysis")


def _fit(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        first, last = map(float, text.split(":"))
    except ValueError:
        raise InputError(f"--fit: expected two lags in ps as A:B, found {text!r}") from None
    return first, last


def _clear(folder: Path, overwrite: bool) -> None:
    """Remove results that are there, if they may be removed: later ones may have fewer files."""
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"cannot write into {folder}: it is no folder")
    names = (*REPORTS, *NAMES, *(f"{name}.csv" for name in (*SMALL, *LARGE)))
    there = [folder / name for name in names if (folder / name).exists()]
    if there and not overwrite:
        raise StorageError(f"{there[0]} is there already; --overwrite replaces results")
    for path in there:
        path.unlink()

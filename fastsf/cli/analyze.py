"""``fastsf analyze``: from a run to a folder with tables, pictures and a report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fastsf.analysis.parts import PARTS
from fastsf.cli.options import Commands, add_console, add_format, add_threads, command_line, console_of
from fastsf.errors import InputError, StorageError

if TYPE_CHECKING:
    from fastsf.analysis.results import AnalysisSettings
    from fastsf.analysis.source import Source
    from fastsf.cli.console import Console

_HELP = "radial distributions, diffusion, vibrations, means with errors, from a trajectory or the folder of a run"


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "analyze",
        help=_HELP,
        description=f"Analyse a run: {_HELP.partition(', from')[0]}. All parts that the run allows are written as "
        "tables (CSV), pictures (PNG) and a report. Parts that --only names must succeed.",
    )
    parser.add_argument(
        "run", metavar="RUN", help="trajectory that ASE reads (also .h5), log (.csv), or folder of a run"
    )
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", help="folder to write (default: RUN without ending, and -analysis)"
    )
    parser.add_argument("--only", metavar="A,B", help=f"parts: {', '.join(PARTS)} (default: all that are possible)")
    parser.add_argument("--overwrite", action="store_true", help="replace existing results")
    add_format(parser.add_argument_group("reading"))
    _add_times(parser.add_argument_group("times"))
    _add_parts(parser)
    add_threads(parser)
    add_console(parser)


def _add_times(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--skip", type=float, default=0.0, metavar="PS", help="time to leave out at the start")
    group.add_argument(
        "--interval",
        type=float,
        metavar="FS",
        help="time between frames (default: that of their key time)",
    )


def _add_parts(parser: argparse.ArgumentParser) -> None:
    rdf = parser.add_argument_group("radial distribution functions")
    rdf.add_argument(
        "--rdf-range", type=float, default=10.0, metavar="R", help="largest distance, Å (default: %(default)s)"
    )
    rdf.add_argument("--rdf-bins", type=int, metavar="N", help="number of shells (default: 0.05 Å each)")
    motion = parser.add_argument_group("motion")
    motion.add_argument("--unwrapped", action="store_true", help="take positions as not wrapped")
    motion.add_argument("--keep-drift", action="store_true", help="do not subtract the motion of the centre of mass")
    motion.add_argument("--fit", metavar="A:B", help="range of lags in ps for the fit of the diffusion coefficient")
    motion.add_argument(
        "--pieces", type=int, default=5, metavar="N", help="number of pieces for its error (default: %(default)s)"
    )
    motion.add_argument(
        "--longest",
        type=float,
        metavar="PS",
        help="longest lag of the velocity autocorrelation (default: a quarter of the run, at most 2.5)",
    )
    motion.add_argument(
        "--memory",
        type=float,
        default=2.0,
        metavar="GIB",
        help="memory for the motion of the atoms (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Analyse a run as the options say.

    Raises
    ------
    FastsfError
        For wrong options, results that are there already, and as `analyze`.
    """
    from fastsf.analysis.results import AnalysisSettings
    from fastsf.analysis.source import Source

    source = Source.of(arguments.run, arguments.file_format, arguments.types)
    folder = _default_folder(source.name) if arguments.output is None else Path(arguments.output)
    settings = AnalysisSettings(
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
    analyze(source, folder, settings, console_of(arguments), command_line(arguments))


def analyze(
    source: Source, folder: Path, settings: AnalysisSettings, console: Console, command: str = ""
) -> list[Path]:
    """Analyse a run.

    Parameters
    ----------
    source : Source
        The run.
    folder : Path
        Folder to write; made if it does not exist.
    settings : AnalysisSettings
        Parts and parameters.
    console : Console
        Console for messages.
    command : str
        Command line, for the report.

    Returns
    -------
    list of Path
        Paths of the files that were written.

    Raises
    ------
    FastsfError
        As in `fastsf.analysis.study`; StorageError also if files cannot be written.
    """
    from fastsf.analysis.report import REPORTS, diffusion_text, drift_text, overview, vibrations_text, write_results
    from fastsf.analysis.results import study
    from fastsf.analysis.tables import format_table, small_tables
    from fastsf.datasets.read_ahead import ReadingProgress

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
    """Remove existing results if that is allowed, since new ones may have fewer files."""
    from fastsf.analysis.plots import NAMES
    from fastsf.analysis.report import REPORTS
    from fastsf.analysis.tables import LARGE, SMALL

    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder}: expected a folder to write, found a file")
    names = (*REPORTS, *NAMES, *(f"{name}.csv" for name in (*SMALL, *LARGE)))
    existing = [folder / name for name in names if (folder / name).exists()]
    if existing and not overwrite:
        raise StorageError(f"{existing[0]} exists already; --overwrite replaces results")
    for path in existing:
        path.unlink()

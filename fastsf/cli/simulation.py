"""What all commands that simulate have in common: run, show, and say at the end what came out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fastsf.analysis import averages
from fastsf.cli.simulation_display import SimulationDisplay, speed
from fastsf.console import Console
from fastsf.simulation.engine import Column, Engine
from fastsf.simulation.files import FINAL, LOG
from fastsf.simulation.limits import CONSERVED, TIME
from fastsf.simulation.log import heading, read_log
from fastsf.simulation.observers import Observer
from fastsf.simulation.run import Progress, run
from fastsf.simulation.settings import FILES, Settings
from fastsf.simulation.supervision import Supervision
from fastsf.types import FloatArray

_TOLD = ("temperature", "pressure", "potential energy", "volume")
_FEWEST_ROWS = 6


def simulate(
    engine: Engine,
    folder: Path,
    settings: Settings,
    console: Console,
    watches: Sequence[Observer] = (),
    *,
    overwrite: bool = False,
) -> Progress:
    """Let an engine run in a folder as a command does; parameters and errors as of `fastsf.simulation.run.run`."""
    with SimulationDisplay(console) as display:
        progress = run(
            engine,
            folder,
            settings,
            watches,
            overwrite=overwrite,
            tell=display,
            on_interruption=lambda: display.say("finishing these steps ... (again: stop at once)"),
        )
    for line in _summary(engine, progress, folder, settings, watches):
        console.say(line)
    return progress


def _summary(
    engine: Engine, progress: Progress, folder: Path, settings: Settings, watches: Sequence[Observer]
) -> list[str]:
    made, atoms = progress.step - progress.first, len(engine.frame().numbers)
    if made:
        lines = [f"{made:,} steps in {progress.seconds:,.1f} s: {speed(progress)}"]
        lines[0] += f", {_cost(progress, atoms)}"
    else:
        lines = [f"{progress.step:,} steps are done already; more steps (or --overwrite) go on"]
    lines += means(read_log(folder / LOG), engine.columns, atoms)
    for watch in watches:
        lines += watch.summary() if isinstance(watch, Supervision) else []
    names = [LOG, FINAL, *(FILES[each.format] for each in settings.trajectories)]
    return [*lines, f"in {folder}: {', '.join(names)}"]


def _cost(progress: Progress, atoms: int) -> str:
    """Time of a step in words, for each atom where a step moves them all."""
    each = 1e6 * progress.seconds / (progress.step - progress.first)
    if math.isnan(progress.row[TIME]):
        return f"{each:.3g} µs/step"
    return f"{each / max(atoms, 1):.3g} µs/atom/step"


def means(log: Mapping[str, FloatArray], columns: Sequence[Column], atoms: int) -> list[str]:
    """Say means with their errors, and the drift of the conserved energy.

    Parameters
    ----------
    log : mapping of str to (rows,) float64
        From `read_log`.
    columns : sequence of Column
        Of the log.
    atoms : int
        How many there are.
    """
    series = {column.name: log[heading(column)] for column in columns}
    lines = []
    for column in columns:
        values = series[column.name]
        if column.name in _TOLD and np.isfinite(values).all() and np.ptp(values) > 0:
            found = averages.mean(values)
            lines.append(f"{column.name}: {_with_error(found.value, found.error)} {column.unit}")
    energy = series.get(CONSERVED, np.empty(0))
    if len(energy) >= _FEWEST_ROWS and np.isfinite(energy).all():
        slope, error = averages.drift(energy / max(atoms, 1), 1e-3 * series[TIME])
        lines.append(f"drift of the {CONSERVED}: {slope:.2e} ± {error:.1e} eV/atom/ps")
    return lines


def _with_error(value: float, error: float) -> str:
    """Number with the digits that its error leaves."""
    if not 0 < error < math.inf:
        return f"{value:.6g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:,.{digits}f} ± {error:.{digits}f}"

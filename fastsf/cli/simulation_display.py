"""Output of `fastsf md` and `fastsf mc`: a bar with the speed during the run, and a summary at its end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fastsf.analysis import averages
from fastsf.cli.console import Bar, Console
from fastsf.simulation.engine import Column, Engine
from fastsf.simulation.files import FINAL, LOG
from fastsf.simulation.limits import CONSERVED, TEMPERATURE, TIME
from fastsf.simulation.log import heading, read_log
from fastsf.simulation.observers import Observer
from fastsf.simulation.running import RunProgress
from fastsf.simulation.settings import FILES, RunSettings
from fastsf.simulation.supervision import Supervision
from fastsf.types import FloatArray

_DAY = 86400.0
"""Seconds of a day."""

_AVERAGED = ("temperature", "pressure", "potential energy", "volume")
"""Columns whose means the summary shows."""

_FEWEST_ROWS = 6
"""Rows of the log from which a drift can be fitted."""


class SimulationDisplay:
    """A bar with the speed, with messages above it.

    Parameters
    ----------
    console : Console
        Console that shows it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar = console.bar()

    def __enter__(self) -> SimulationDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, progress: RunProgress) -> None:
        """Show the progress of a run."""
        self._bar.draw(progress.step, progress.steps, f"{progress.step:,} steps, {speed(progress)}{_state(progress)}")

    def say(self, text: str) -> None:
        """Show a message."""
        self._bar.clear()
        self._console.say(text)


def speed(progress: RunProgress) -> str:
    """Return the speed in words: ns/day, or steps per second for runs without time."""
    rate = (progress.step - progress.first) / max(progress.seconds, 1e-9)
    time = progress.row.get(TIME, math.nan) / max(progress.row.get("step", 0.0), 1.0)
    if time > 0:
        return f"{1e-6 * time * rate * _DAY:,.4g} ns/day"
    return f"{rate:,.4g} steps/s"


def _state(progress: RunProgress) -> str:
    temperature = progress.row.get(TEMPERATURE, math.nan)
    return "" if math.isnan(temperature) else f", {temperature:,.0f} K"


def summary(
    engine: Engine, progress: RunProgress, folder: Path, settings: RunSettings, watches: Sequence[Observer]
) -> list[str]:
    """Return the lines that a command prints at the end of a run."""
    made, atoms = progress.step - progress.first, len(engine.frame().numbers)
    if made:
        lines = [f"{made:,} steps in {progress.seconds:,.1f} s: {speed(progress)}"]
        lines[0] += f", {_cost(progress, atoms)}"
    else:
        lines = [f"{progress.step:,} steps are done already; continue with more --steps, or use --overwrite"]
    lines += means(read_log(folder / LOG), engine.columns, atoms)
    for watch in watches:
        lines += watch.summary() if isinstance(watch, Supervision) else []
    names = [LOG, FINAL, *(FILES[each.format] for each in settings.trajectories)]
    return [*lines, f"in {folder}: {', '.join(names)}"]


def _cost(progress: RunProgress, atoms: int) -> str:
    """Return the time of a step in words; per atom if a step moves all atoms."""
    each = 1e6 * progress.seconds / (progress.step - progress.first)
    if math.isnan(progress.row[TIME]):
        return f"{each:.3g} µs/step"
    return f"{each / max(atoms, 1):.3g} µs/atom/step"


def means(log: Mapping[str, FloatArray], columns: Sequence[Column], atoms: int) -> list[str]:
    """Return lines with means, their errors, and the drift of the conserved energy.

    Parameters
    ----------
    log : mapping of str to (rows,) float64
        Log from `read_log`.
    columns : sequence of Column
        Columns of the log.
    atoms : int
        Number of atoms.
    """
    series = {column.name: log[heading(column)] for column in columns}
    lines = []
    for column in columns:
        values = series[column.name]
        if column.name in _AVERAGED and np.isfinite(values).all() and np.ptp(values) > 0:
            found = averages.mean(values)
            lines.append(f"{column.name}: {_with_error(found.value, found.error)} {column.unit}")
    energy = series.get(CONSERVED, np.empty(0))
    if len(energy) >= _FEWEST_ROWS and np.isfinite(energy).all():
        slope, error = averages.drift(energy / max(atoms, 1), 1e-3 * series[TIME])
        lines.append(f"drift of the {CONSERVED}: {slope:.2e} ± {error:.1e} eV/atom/ps")
    return lines


def _with_error(value: float, error: float) -> str:
    """Return a number with its significant digits and its error."""
    if not 0 < error < math.inf:
        return f"{value:.6g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:,.{digits}f} ± {error:.{digits}f}"

"""What all commands that simulate have in common: run, show, and say at the end what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastsf.analysis.series import Series
from fastsf.analysis.source import read_log
from fastsf.console import Console
from fastsf.simulation.display import SimulationDisplay, speed
from fastsf.simulation.engine import Engine
from fastsf.simulation.files import FINAL, LOG
from fastsf.simulation.observers import Observer
from fastsf.simulation.run import Progress, run
from fastsf.simulation.settings import FILES, Settings
from fastsf.simulation.supervision import Supervision

_TOLD = ("temperature", "pressure", "potential energy", "volume")


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
    for line in _summary(progress, folder, settings, watches, len(engine.frame().numbers)):
        console.say(line)
    return progress


def _summary(
    progress: Progress, folder: Path, settings: Settings, watches: Sequence[Observer], atoms: int
) -> list[str]:
    made = progress.step - progress.first
    if made:
        lines = [f"{made:,} steps in {progress.seconds:,.1f} s: {speed(progress)}"]
        lines[0] += f", {1e6 * progress.seconds / made / max(atoms, 1):.3g} µs/atom/step"
    else:
        lines = [f"{progress.step:,} steps are done already; more steps (or --overwrite) go on"]
    lines += means(read_log(folder / LOG), atoms)
    for watch in watches:
        lines += watch.summary() if isinstance(watch, Supervision) else []
    names = [LOG, FINAL, *(FILES[each.format] for each in settings.trajectories)]
    return [*lines, f"in {folder}: {', '.join(names)}"]


def means(log: Series, atoms: int) -> list[str]:
    """Say means with their errors, and the drift of the conserved energy."""
    lines = []
    for name, mean in log.means().items():
        if name in _TOLD:
            lines.append(f"{name}: {mean.value:.6g} ± {mean.error:.2g} {log.units[name]}")
    drift = log.drift(max(atoms, 1))
    if drift is not None:
        lines.append(f"drift of the {drift[0]}: {drift[1]:.2e} ± {drift[2]:.1e} eV/atom/ps")
    return lines

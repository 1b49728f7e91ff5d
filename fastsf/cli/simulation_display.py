"""What simulations show while they run."""

from __future__ import annotations

import math

from fastsf.console import Bar, Console
from fastsf.simulation.limits import TEMPERATURE, TIME
from fastsf.simulation.run import Progress

_DAY = 86400.0


class SimulationDisplay:
    """A bar with the speed; messages stand above it.

    Parameters
    ----------
    console : Console
        Where it is shown.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar = console.bar()

    def __enter__(self) -> SimulationDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, progress: Progress) -> None:
        """Take what a run tells."""
        self._bar.draw(progress.step, progress.steps, f"{progress.step:,} steps, {speed(progress)}{_state(progress)}")

    def say(self, text: str) -> None:
        """Show a message."""
        self._bar.clear()
        self._console.say(text)


def speed(progress: Progress) -> str:
    """Speed in words: ns/day where there is time, steps per second where there is none."""
    rate = (progress.step - progress.first) / max(progress.seconds, 1e-9)
    time = progress.row.get(TIME, math.nan) / max(progress.row.get("step", 0.0), 1.0)
    if time > 0:
        return f"{1e-6 * time * rate * _DAY:,.4g} ns/day"
    return f"{rate:,.4g} steps/s"


def _state(progress: Progress) -> str:
    temperature = progress.row.get(TEMPERATURE, math.nan)
    return "" if math.isnan(temperature) else f", {temperature:,.0f} K"

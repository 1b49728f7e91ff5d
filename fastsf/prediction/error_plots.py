"""Bar charts of errors by group and by element."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.prediction.metrics import SHOWN, ErrorMetrics
from fastsf.reports.style import MAIN_COLOR, make_figure, save_picture

_MOST_GROUPS = 30
"""Largest number of groups that are drawn, those with the largest errors."""


def plot_errors(metrics: ErrorMetrics, title: str, path: Path) -> None:
    """Draw the errors of groups and of elements.

    Raises
    ------
    StorageError
        If the picture cannot be written.
    """
    save_picture(path, partial(_errors, metrics, title))


def _errors(metrics: ErrorMetrics, title: str) -> Any:
    panels = [panel for panel in _panels(metrics) if panel[1]]
    rows = max((len(bars) for _, bars, _ in panels), default=1)
    figure = make_figure(3.4 * max(len(panels), 1) + 0.6, 1.1 + 0.24 * rows, title)
    for (name, bars, unit), axes in zip(panels, np.ravel(figure.subplots(1, max(len(panels), 1))), strict=False):
        axes.barh(list(bars), list(bars.values()), color=MAIN_COLOR, height=0.7)
        axes.bar_label(axes.containers[0], fmt=" %.3g", fontsize=7)
        axes.margins(x=0.18)
        axes.set_ylim(rows - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set(xlabel=f"RMSE ({unit})", title=name)
    return figure


def _panels(metrics: ErrorMetrics) -> list[tuple[str, dict[str, float], str]]:
    found = []
    for kind, (scale, unit) in SHOWN.items():
        bars = {name: scale * each[kind].rmse for name, each in metrics.groups.items() if kind in each}
        largest = sorted(bars, key=lambda name: -bars[name])[:_MOST_GROUPS]
        found.append((f"{kind} by group", {name: bars[name] for name in sorted(largest)}, unit))
    elements = {symbol: each.rmse for symbol, each in sorted(metrics.forces.items())}
    return [*found, ("forces by element", elements, SHOWN["forces"][1])]

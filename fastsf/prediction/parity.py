"""Parity plots: predictions against reference labels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.prediction.metrics import ErrorMetrics, ErrorSums, ParitySample
from fastsf.reports.style import MAIN_COLOR, make_figure, save_pictures

_MOST_POINTS = 3000
"""Largest number of points that are drawn one by one; more are drawn as a density."""


def plot_parity(metrics: ErrorMetrics, folder: Path) -> list[Path]:
    """Draw predictions against reference: energies per atom, and forces of each element.

    Parameters
    ----------
    metrics : ErrorMetrics
        From `fastsf.prediction.predict`.
    folder : Path
        Folder for energies.png and forces-SYMBOL.png; made if it does not exist.

    Returns
    -------
    list of Path
        Files that were written; none for labels that did not occur.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    return save_pictures(folder, _pictures(metrics))


def _pictures(metrics: ErrorMetrics) -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    if metrics.energy.count:
        title = f"Energies of {metrics.energy.count:,} structures"
        found["energies.png"] = partial(_figure, title, "eV/atom", metrics.energies, metrics.energy)
    for symbol, moments in sorted(metrics.forces.items()):
        title = f"Forces on {moments.count // 3:,} atoms of {symbol} (components)"
        found[f"forces-{symbol}.png"] = partial(_figure, title, "eV/Å", metrics.components[symbol], moments)
    return found


def _figure(title: str, unit: str, sample: ParitySample, moments: ErrorSums) -> Any:
    figure = make_figure(9.0, 4.2, title)
    parity, errors = figure.subplots(1, 2, width_ratios=(1.25, 1))
    points = sample.points
    _draw_parity(parity, points, unit)
    _draw_errors(errors, points, unit, moments)
    if not sample.is_whole:
        parity.set_title(f"{len(points):,} of {moments.count:,} drawn", loc="left")
    return figure


def _draw_parity(axes: Any, points: Any, unit: str) -> None:
    low, high = float(points.min()), float(points.max())
    rim = 0.03 * (high - low) or 0.5
    limits = low - rim, high + rim
    axes.plot(limits, limits, color="0.6", linewidth=0.8, zorder=1)
    if len(points) > _MOST_POINTS:
        drawn = axes.hexbin(
            points[:, 0], points[:, 1], gridsize=90, bins="log", mincnt=1, extent=(*limits, *limits), cmap="viridis"
        )
        axes.figure.colorbar(drawn, ax=axes, label="number", pad=0.01, aspect=35)
    else:
        axes.scatter(points[:, 0], points[:, 1], s=7, color=MAIN_COLOR, alpha=0.6, linewidth=0, zorder=2)
    axes.set(xlim=limits, ylim=limits, xlabel=f"reference ({unit})", ylabel=f"prediction ({unit})")
    axes.locator_params(nbins=6)


def _draw_errors(axes: Any, points: Any, unit: str, moments: ErrorSums) -> None:
    scale, unit = 1e3, "m" + unit
    differences = scale * (points[:, 1] - points[:, 0])
    edge = float(np.abs(differences).max()) or 1.0
    bins = int(np.clip(np.sqrt(len(differences)) * 2, 11, 81)) | 1
    axes.hist(differences, bins=bins, range=(-edge, edge), color=MAIN_COLOR, alpha=0.85)
    if len(differences) > _MOST_POINTS:
        axes.set_yscale("log")
    axes.set(xlabel=f"prediction - reference ({unit})", ylabel="number")
    numbers = ", ".join(
        f"{name} {scale * value:.4g}"
        for name, value in (("RMSE", moments.rmse), ("MAE", moments.mae), ("max", moments.largest))
    )
    axes.set_title(f"{numbers} {unit}", loc="left")

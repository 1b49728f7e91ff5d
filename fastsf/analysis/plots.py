"""Pictures of the results of an analysis (PNG)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.analysis.averages import FEWEST_BLOCKS, blocking, mean
from fastsf.analysis.diffusion import MSD
from fastsf.analysis.rdf import RDF
from fastsf.analysis.results import Results
from fastsf.analysis.series import Series
from fastsf.analysis.vibrations import CM_PER_THZ, Vibrations
from fastsf.reports.style import make_figure, save_pictures
from fastsf.types import FloatArray

_COLORS = ("#2a6f97", "#b8442a", "#5b8c3e", "#8a5a9e", "#c48a1b", "#4f9d9d", "#7a7a7a", "#a83e6c")
_MAIN, _MARK = _COLORS[0], _COLORS[1]
_MOST_POINTS = 3000
_TALL = 5.0
"""Ratio to all other peaks above which a peak is cut off."""

_COMPONENT = "stress "
_SHOWN = 1e-3
"""Part of the highest density of states below which the end of the spectrum is not drawn."""


NAMES = ("series.png", "rdf.png", "msd.png", "vdos.png")


def write_plots(results: Results, folder: Path) -> list[Path]:
    """Draw all results.

    Parameters
    ----------
    results : Results
        From `fastsf.analysis.results.study`.
    folder : Path
        Folder to write; made if it does not exist.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    StorageError
        If a picture cannot be written.
    """
    parts: tuple[Any, ...] = (results.series, results.rdf, results.msd, results.vibrations)
    figures: tuple[Callable[[Any], Any], ...] = (series_figure, rdf_figure, msd_figure, vibrations_figure)
    drawn = zip(NAMES, parts, figures, strict=True)
    return save_pictures(folder, {name: partial(figure, part) for name, part, figure in drawn if part is not None})


# --- series ---


def series_figure(series: Series) -> Any:
    """Draw quantities that vary against time with their running means, and their errors against the size of blocks.

    Components of the stress are only in the tables, unless there is nothing else.
    """
    drawn = {name: values for name, values in series.columns.items() if not name.startswith(_COMPONENT)}
    varied = {name: values for name, values in drawn.items() if mean(values).spread > 0}
    columns = varied or series.columns
    figure = make_figure(9.0, 0.7 + 1.7 * len(columns), "Quantities and errors of their means")
    panels = figure.subplots(len(columns), 2, squeeze=False, width_ratios=(2.2, 1))
    time = np.arange(float(len(next(iter(columns.values()))))) if series.time is None else series.time / 1000
    for (name, values), (left, right) in zip(columns.items(), panels, strict=True):
        _draw_series(left, time, values)
        left.set(ylabel=f"{name}\n({series.units[name]})")
        _draw_blocking(right, values, series.units[name])
    panels[0, 0].legend(ncols=3, loc="lower right", bbox_to_anchor=(1.0, 1.0))
    panels[-1, 0].set_xlabel("row" if series.time is None else "time (ps)")
    panels[-1, 1].set_xlabel("samples in a block")
    return figure


def _draw_series(axes: Any, time: FloatArray, values: FloatArray) -> None:
    found = mean(values)
    step = max(1, len(values) // _MOST_POINTS)
    axes.plot(time[::step], values[::step], color=_MAIN, linewidth=0.6, alpha=0.55, label="values")
    running = np.cumsum(values) / np.arange(1, len(values) + 1)
    axes.plot(time[::step], running[::step], color="k", linewidth=1.1, label="running mean")
    if np.isfinite(found.error):
        axes.axhspan(found.value - found.error, found.value + found.error, color=_MARK, alpha=0.35, label="mean, error")
    axes.margins(x=0.01)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.locator_params(axis="y", nbins=5)


def _draw_blocking(axes: Any, values: FloatArray, unit: str) -> None:
    axes.set_ylabel(f"error ({unit})")
    if len(values) < FEWEST_BLOCKS:
        axes.set_title("too few samples", loc="left")
        return
    levels = blocking(values)
    axes.errorbar(levels.sizes, levels.errors, levels.uncertainty, fmt=".-", color=_MAIN, linewidth=0.9, capsize=2)
    if levels.chosen >= 0:
        chosen = levels.sizes[levels.chosen], levels.errors[levels.chosen]
        axes.plot(*chosen, "o", color=_MARK, markersize=6, zorder=3)
    else:
        axes.set_title("too short for its correlations", loc="left", color=_MARK)
    axes.set_xscale("log", base=2)
    axes.set_ylim(bottom=0)


# --- radial distribution ---


def rdf_figure(rdf: RDF) -> Any:
    """Draw g(r) and the coordination numbers of each pair of elements."""
    columns = min(3, len(rdf.g))
    rows = -(-len(rdf.g) // columns)
    figure = make_figure(0.6 + 3.6 * columns, 0.6 + 2.5 * rows, f"Radial distribution functions, {rdf.frames:,} frames")
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in np.ravel(panels)[len(rdf.g) :]:
        axes.set_visible(False)
    for pair, axes in zip(rdf.g, np.ravel(panels), strict=False):
        _draw_pair(axes, rdf, pair)
    return figure


def _draw_pair(axes: Any, rdf: RDF, pair: tuple[str, str]) -> None:
    g, error, r = rdf.g[pair], np.nan_to_num(rdf.g_error[pair]), rdf.centres
    axes.axhline(1.0, color="0.75", linewidth=0.8)
    axes.fill_between(r, g - error, g + error, color=_MAIN, alpha=0.3, linewidth=0)
    axes.plot(r, g, color=_MAIN)
    if rdf.half_cell < rdf.edges[-1]:
        axes.axvline(rdf.half_cell, color="0.5", linewidth=0.8, linestyle="--")
        anchor = {"xy": (rdf.half_cell, 0.98), "xycoords": ("data", "axes fraction")}
        axes.annotate("half the cell ", **anchor, va="top", ha="right", fontsize=6.5)
    axes.set(title="-".join(pair), xlabel="r (Å)", xlim=(0, rdf.edges[-1]))
    axes.set_ylim(0, _height(axes, rdf, pair))
    axes.set_ylabel("g(r)", color=_MAIN)
    around = axes.twinx()
    around.spines["right"].set_visible(True)
    around.grid(visible=False)
    orders = dict.fromkeys((pair, pair[::-1]))
    for order, style in zip(orders, ("-", ":"), strict=False):
        running = rdf.coordination[order]
        around.plot(
            rdf.edges[1:], running, color=_MARK, linewidth=0.9, linestyle=style, label=f"{order[1]} around {order[0]}"
        )
    minimum = rdf.first_shell(pair)[2]
    reach = rdf.edges[-1] if minimum is None else min(1.6 * minimum, rdf.edges[-1])
    height = max(float(np.interp(reach, rdf.edges[1:], rdf.coordination[order])) for order in orders)
    around.set_ylim(0, max(height, 1e-3))
    around.set_ylabel("coordination number", color=_MARK)
    around.legend(loc="lower right")


def _height(axes: Any, rdf: RDF, pair: tuple[str, str]) -> float:
    """Return the top of a panel, below a peak of bonds that would hide all others."""
    top = max(1.0, float((rdf.g[pair] + np.nan_to_num(rdf.g_error[pair])).max()))
    peak, height, minimum = rdf.first_shell(pair)
    others = 1.0 if minimum is None else max(1.0, float(rdf.g[pair][rdf.centres > minimum].max(initial=0.0)))
    if top < _TALL * others:
        return 1.15 * top
    anchor = {"xy": (peak, 0.93), "xycoords": ("data", "axes fraction")}
    axes.annotate(f"  {height:.1f} at {peak:.2f} Å", **anchor, color=_MAIN, fontsize=7)
    return 2.5 * others


# --- motion ---


def msd_figure(msd: MSD) -> Any:
    """Draw mean square displacements on linear and on logarithmic axes, with the lines that give D."""
    figure = make_figure(9.0, 3.8, "Mean square displacements")
    linear, logarithmic = figure.subplots(1, 2)
    for (symbol, values), color in zip(msd.values.items(), _cycle(len(msd.values)), strict=True):
        found = msd.diffusion[symbol]
        label = f"{symbol}: D = {found.value:.3g} ± {found.error:.1g} Å^2/ps"
        error = np.nan_to_num(msd.errors[symbol])
        linear.fill_between(msd.lags, values - error, values + error, color=color, alpha=0.25, linewidth=0)
        linear.plot(msd.lags, values, color=color, label=label)
        logarithmic.plot(msd.lags[1:], values[1:], color=color, label=f"{symbol}: t^{found.exponent:.2f}")
        inside = (msd.lags >= msd.fit[0]) & (msd.lags <= msd.fit[1])
        offset = float(np.mean(values[inside] - 6 * found.value * msd.lags[inside]))
        linear.plot(msd.lags[inside], 6 * found.value * msd.lags[inside] + offset, "k--", linewidth=0.9)
    for axes in (linear, logarithmic):
        axes.axvspan(*msd.fit, color="0.9", zorder=0)
        axes.set(xlabel="lag (ps)", ylabel="Å^2")
        axes.legend(loc="upper left")
    linear.set_xlim(0, msd.piece_length)
    shown = msd.lags <= msd.piece_length
    linear.set_ylim(0, 1.1 * max(float(values[shown].max()) for values in msd.values.values()) or 1.0)
    linear.set_title(f"fit from {msd.fit[0]:.3g} to {msd.fit[1]:.3g} ps, errors from {msd.pieces} pieces", loc="left")
    logarithmic.set_xscale("log")
    if all((values[1:] > 0).any() for values in msd.values.values()):
        logarithmic.set_yscale("log")
    return figure


# --- vibrations ---


def vibrations_figure(found: Vibrations) -> Any:
    """Draw the velocity autocorrelation and the density of states."""
    figure = make_figure(9.0, 3.8, "Velocities: autocorrelation and vibrational density of states")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    several = len(found.density) > 2
    colors = {"all": "k", **dict(zip((name for name in found.density if name != "all"), _COLORS * 15, strict=False))}
    for name, density in found.density.items():
        if name == "all" or several:
            style = {"color": colors[name], "linewidth": 0.9 if name == "all" else 1.3}
            right.plot(found.wave_numbers, density / CM_PER_THZ * 1e3, label=name, **style)
        if name != "all":
            left.plot(found.lags, found.correlation[name], color=colors[name], label=name)
    left.axhline(0.0, color="0.75", linewidth=0.8)
    left.set(xlabel="lag (fs)", ylabel="C(t) / C(0)", xlim=(0, _tail(found)))
    total = found.density["all"]
    last = int(np.flatnonzero(total > _SHOWN * total.max())[-1])
    right.set(xlabel="wave number (1/cm)", ylabel="density of states (1e-3 cm)")
    right.set_xlim(0, 1.05 * found.wave_numbers[last] + 1)
    right.set_ylim(bottom=min(0.0, float(total.min()) / CM_PER_THZ * 1e3))
    top = right.secondary_xaxis("top", functions=(lambda x: x / CM_PER_THZ, lambda x: x * CM_PER_THZ))
    top.set_xlabel(f"THz; a sharp line is {found.resolution * CM_PER_THZ:.2g} 1/cm wide", fontsize=7.5)
    for axes in (left, right):
        axes.legend()
    return figure


def _tail(found: Vibrations) -> float:
    """Return the lag in fs after which the autocorrelation is small."""
    parts = [each for name, each in found.correlation.items() if name != "all"]
    large = np.flatnonzero(np.max(np.abs(parts), axis=0) > 0.05)
    return float(found.lags[min(len(found.lags) - 1, int(1.3 * large[-1]) + 10)])


def _cycle(count: int) -> list[str]:
    return [_COLORS[k % len(_COLORS)] for k in range(count)]

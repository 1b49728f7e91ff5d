"""Figure of the values of an element or kind of pairs: minimum, maximum, mean and sigma of each column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from fastsf.descriptors.statistics import ColumnStatistics
from fastsf.reports.style import make_figure

_COLORS = ("#2a6f97", "#c1666b", "#4f772d", "#8d5fd3", "#d08c00", "#3d5a80", "#8c6d46", "#008080")
_STILL = "#d00000"
_COLUMNS_PER_ROW = 60
_COLUMN_WIDTH = 0.17
_LETTER_WIDTH = 0.075
_LEGEND = "   ".join(
    (
        "line: minimum to maximum",
        "box: mean ± sigma",
        "dot: mean",
        "triangle: below the axis",
        "red cross: never changes",
    )
)


def ranges_figure(name: str, summary: ColumnStatistics, labels: Sequence[str], rows: str = "atoms") -> Any:
    """Draw the ranges of all columns of one element or kind of pairs.

    Parameters
    ----------
    name : str
        Element or kind of pairs.
    summary : ColumnStatistics
        Statistics of its columns.
    labels : sequence of str
        Names of the columns; the first word is the group.
    rows : "atoms" or "pairs"
        Rows that the statistics are over.

    Returns
    -------
    matplotlib.figure.Figure
    """
    groups = [label.split()[0] for label in labels]
    lines = _lines(groups)
    across = max(map(len, lines))
    title = f"Values of the {len(labels)} columns of {name} over {summary.count:,} {rows}"
    figure = make_figure(max(_COLUMN_WIDTH * across + 1.4, 7.5), 2.9 * len(lines) + 0.8, title)
    panels = figure.subplots(len(lines), 1, squeeze=False, sharey=True)[:, 0]
    colors = {group: _COLORS[k % len(_COLORS)] for k, group in enumerate(dict.fromkeys(groups))}
    low = _scale(panels[0], summary)
    for axes, columns in zip(panels, lines, strict=True):
        _bars(axes, summary, np.array(columns), [colors[groups[k]] for k in columns], low)
        _mark_groups(axes, columns, groups, colors)
        axes.set(xlim=(columns[0] - 0.7, columns[0] + across - 0.3), ylabel="value")
        axes.set_xticks(columns, [str(k) for k in columns], rotation=90, fontsize=6.5)
    panels[-1].set_xlabel(f"column\n{_LEGEND}")
    return figure


def _lines(groups: Sequence[str]) -> list[list[int]]:
    """Distribute the columns over lines; break between groups if possible."""
    lines: list[list[int]] = [[]]
    for _, members in groupby(range(len(groups)), key=lambda k: groups[k]):
        inside = list(members)
        if lines[-1] and len(lines[-1]) + len(inside) > _COLUMNS_PER_ROW:
            lines.append([])
        pieces = math.ceil(len(inside) / _COLUMNS_PER_ROW)
        length = math.ceil(len(inside) / pieces)
        lines[-1] += inside[:length]
        lines += [inside[start : start + length] for start in range(length, len(inside), length)]
    return lines


def _scale(axes: Any, summary: ColumnStatistics) -> float:
    """Choose the scale of the values; return the smallest value that can be drawn."""
    sizes = np.abs([summary.minimum, summary.maximum]).max(axis=0)
    top = float(sizes.max()) or 1.0
    if (summary.minimum < 0).any():
        small = 0.1 * float(np.quantile(sizes[sizes > 0], 0.1))
        axes.set_yscale("symlog", linthresh=max(small, 1e-7 * top))
        return -math.inf
    positive = summary.mean[summary.mean > 0]
    if len(positive) == 0 or positive.min() > 0.02 * top:
        axes.set_ylim(bottom=0.0, top=1.1 * top)
        return 0.0
    low = max(float(positive.min()) * 1e-2, 1e-7 * top)
    axes.set_yscale("log")
    axes.set_ylim(bottom=low, top=2.0 * top)
    return low


def _bars(axes: Any, summary: ColumnStatistics, columns: Any, colors: Sequence[str], low: float) -> None:
    minimum, maximum, mean = (each[columns] for each in (summary.minimum, summary.maximum, summary.mean))
    sigma = np.nan_to_num(summary.sigma[columns])
    bottom, top = np.maximum(mean - sigma, minimum), np.minimum(mean + sigma, maximum)
    still, tint = minimum == maximum, np.array(colors)
    seen, below = ~still & (mean >= low), ~still & (mean < low)
    bottom, top = np.maximum(bottom, low), np.maximum(top, low)
    axes.vlines(columns, np.maximum(minimum, low), np.maximum(maximum, low), colors=colors, linewidth=1.2)
    axes.bar(columns, top - bottom, bottom=bottom, width=0.62, color=colors, alpha=0.5, linewidth=0)
    axes.scatter(columns[seen], mean[seen], s=9, c=tint[seen], zorder=3)
    floor = {"transform": axes.get_xaxis_transform(), "zorder": 4}
    axes.scatter(columns[below], np.full(below.sum(), 0.025), s=14, marker="v", c=tint[below], **floor)
    axes.scatter(columns[still], np.full(still.sum(), 0.025), s=20, marker="x", c=_STILL, **floor)
    axes.grid(axis="x", visible=False)


def _mark_groups(axes: Any, columns: Sequence[int], groups: Sequence[str], colors: Mapping[str, str]) -> None:
    """Shade every other group of columns and write its name above it."""
    for count, (group, members) in enumerate(groupby(columns, key=lambda k: groups[k])):
        inside = list(members)
        first, last = inside[0] - 0.5, inside[-1] + 0.5
        if count % 2:
            axes.axvspan(first, last, color="0.965", zorder=0)
        wide = _COLUMN_WIDTH * len(inside) > _LETTER_WIDTH * len(group)
        axes.annotate(
            group,
            ((first + last) / 2, 1.015),
            xycoords=axes.get_xaxis_transform(),
            ha="center" if wide else "left",
            va="bottom",
            rotation=0 if wide else 35,
            fontsize=7.5,
            color=colors[group],
        )

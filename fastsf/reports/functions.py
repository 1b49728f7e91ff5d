"""Figure of the symmetry functions of an element or kind of pairs: one panel for each kind of factor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastsf.errors import counted
from fastsf.reports import shapes
from fastsf.reports.style import make_figure
from fastsf.symmetry.atoms import Radial, SymmetryFunction
from fastsf.symmetry.factors import Compact, Power
from fastsf.symmetry.kinds import PARAMETERS, parameters_of
from fastsf.symmetry.pcsf import PCSFunction
from fastsf.types import FloatArray

Parameters = Mapping[str, float | str]

_POINTS = 400
_WIDTH, _HEIGHT = 3.4, 2.5
_ACROSS = 4
_LEGEND_LINES = 6
_TITLE_LENGTH = 34


def functions_figure(name: str, functions: Sequence[SymmetryFunction | PCSFunction]) -> Any:
    """Draw the functions of one central element or kind of pairs.

    Parameters
    ----------
    name : str
        Element or kind of pairs.
    functions : sequence of symmetry functions
        Functions of the element or kind.

    Returns
    -------
    matplotlib.figure.Figure
    """
    groups = shapes.groups(functions)
    factors = [factor for group in groups for panel in group.panels for factor in panel.factors]
    radial = [factor for factor in factors if isinstance(factor, Radial)]
    reach = 1.02 * max(factor.envelope.radius for factor in radial)
    r, theta = np.linspace(reach / _POINTS, reach, _POINTS), np.linspace(0.0, 180.0, _POINTS)
    curves = shapes.distance_curves(radial, r)
    curves |= shapes.angle_curves([factor for factor in factors if not isinstance(factor, Radial)], theta)

    cells = list(_first_cells([len(group.panels) for group in groups]))
    rows = cells[-1] // _ACROSS + 1
    across = _ACROSS if rows > 1 else cells[-1] + len(groups[-1].panels)
    title = f"Symmetry functions of {name}: {counted(len(functions), 'column')}"
    figure = make_figure(max(across * _WIDTH, 5.0), rows * _HEIGHT + 0.5, title)
    for group, first in zip(groups, cells, strict=True):
        for cell, panel in enumerate(group.panels, start=first):
            row, column = divmod(cell, _ACROSS)
            axes = figure.add_subplot(rows, across, row * across + column + 1)
            axes.set_title(_title(group, panel), loc="left")
            x = theta if panel.angular else r
            _curves(axes, x, [curves[factor] for factor in panel.factors], list(map(_parameters, panel.factors)))
            axes.set(xlabel=panel.of, xlim=(0, 180 if panel.angular else reach))
            if panel.angular:
                axes.set_xticks(range(0, 181, 45))
    return figure


def _first_cells(widths: Sequence[int]) -> Iterator[int]:
    """Yield the first cell of each group of one or two panels, counted row by row."""
    cell = 0
    for width in widths:
        if cell % _ACROSS + width > _ACROSS:
            cell += _ACROSS - cell % _ACROSS
        yield cell
        cell += width


def _title(group: shapes.Group, panel: shapes.Panel) -> str:
    neighbors = "  ".join(name.replace(",", "-") for name in group.neighbors)
    if len(neighbors) > _TITLE_LENGTH:
        neighbors = neighbors[: _TITLE_LENGTH - 1] + "…"
    who = f"{group.family}  neighbours {neighbors}" if neighbors else group.family
    return f"{who}\n{panel.what}, {counted(len(panel.factors), 'curve')}"


def _parameters(factor: shapes.Factor) -> Parameters:
    if isinstance(factor, Power):
        return {r"$\zeta$": factor.zeta, r"$\lambda$": factor.lam}
    if not isinstance(factor, Radial):
        return {"from": factor.left, "to": factor.right, "": factor.kind}
    envelope = factor.envelope
    if isinstance(envelope, Compact):
        limits: dict[str, float | str] = {"from": envelope.left, "to": envelope.right}
        limits[""] = envelope.kind + ("a" if envelope.asymmetric else "")
    else:
        limits = {"r$_c$": envelope.radius, r"$\alpha$": envelope.alpha, "": envelope.kind}
    return {PARAMETERS[name].symbol: value for name, value in parameters_of(factor).items()} | limits


def _curves(axes: Any, x: FloatArray, curves: Sequence[FloatArray], parameters: Sequence[Parameters]) -> None:
    """Draw curves in one panel.

    Parameters that differ between the curves are in a legend, or as ranges if there are many curves; the others are in
    a text. Curves that differ only by the sign of lambda have the same colour.
    """
    import matplotlib

    names = list(dict.fromkeys(name for each in parameters for name in each))
    values = {name: list(dict.fromkeys(each[name] for each in parameters if name in each)) for name in names}
    different = [name for name in names if len(values[name]) > 1]
    hues = [tuple(value for name, value in each.items() if name != r"$\lambda$") for each in parameters]
    order = {hue: k for k, hue in enumerate(dict.fromkeys(hues))}
    colors = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.88, len(order)))
    for curve, hue, each in zip(curves, hues, parameters, strict=True):
        label = ",  ".join(_assign(name, each[name]) for name in different if name in each)
        style = (0, (4, 1.5)) if each.get(r"$\lambda$", 0) == -1 else "-"
        axes.plot(x, curve, color=colors[order[hue]], linestyle=style, label=label)
    axes.axhline(0.0, color="0.6", linewidth=0.7, zorder=0)
    same = ",  ".join(_assign(name, values[name][0]) for name in names if _is_common(values[name]))
    if different and len(curves) <= _LEGEND_LINES:
        axes.legend(title=same)
    else:
        ranges = [_range(name, values[name]) for name in different]
        box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}
        lines = [*ranges, same] if same else ranges
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.08 * len(lines) * (high - low))
        axes.text(0.99, 0.98, "\n".join(lines), transform=axes.transAxes, ha="right", va="top", fontsize=7, bbox=box)


def _is_common(values: Sequence[float | str]) -> bool:
    """Return whether a parameter has one value, which is not 0."""
    return len(values) == 1 and values[0] != 0


def _assign(name: str, value: float | str) -> str:
    text = value if isinstance(value, str) else f"{value:.3g}"
    return f"{name} = {text}" if name else text


def _range(name: str, values: Sequence[float | str]) -> str:
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) < len(values):
        return ", ".join(map(str, values))
    return f"{name} = {min(numbers):.3g} … {max(numbers):.3g}  ({len(numbers)} values)"

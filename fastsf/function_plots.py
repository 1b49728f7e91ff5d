"""The picture of one element's symmetry functions: small multiples of the factors they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf import shapes
from fastsf.plot_style import make_figure
from fastsf.symmetry import Compact, Power, Radial, SymmetryFunction, Window

FloatArray = npt.NDArray[np.float64]
Parameters = Mapping[str, float | str]

_POINTS = 400
_WIDTH, _HEIGHT = 3.4, 2.5
_ACROSS = 4
_LEGEND_LINES = 6
_TITLE_LENGTH = 34


def functions_figure(symbol: str, functions: Sequence[SymmetryFunction]) -> Any:
    """Draw the functions of one central element.

    Parameters
    ----------
    symbol : str
        The element.
    functions : sequence of Radial or Angular
        Its functions.

    Returns
    -------
    matplotlib.figure.Figure
    """
    groups = shapes.groups(functions)
    factors = [factor for group in groups for factor in group.radial]
    reach = 1.02 * max(factor.envelope.radius for factor in factors)
    r, theta = np.linspace(reach / _POINTS, reach, _POINTS), np.linspace(0.0, 180.0, _POINTS)
    distance = shapes.distance_curves(factors, r)
    angle = shapes.angle_curves([factor for group in groups for factor in group.angles], theta)

    places = list(_places([2 if group.angles else 1 for group in groups]))
    rows = places[-1] // _ACROSS + 1
    across = _ACROSS if rows > 1 else places[-1] + (2 if groups[-1].angles else 1)
    title = f"Symmetry functions of {symbol}: {_several(len(functions), 'column')}"
    figure = make_figure(max(across * _WIDTH, 5.0), rows * _HEIGHT + 0.5, title)
    for group, place in zip(groups, places, strict=True):
        row, column = divmod(place, _ACROSS)
        cell = row * across + column + 1
        if group.angles:
            axes = figure.add_subplot(rows, across, cell)
            axes.set_title(_title(group, f"angle factor, {_several(len(group.angles), 'curve')}"), loc="left")
            _curves(axes, theta, [angle[a] for a in group.angles], [_angle_parameters(a) for a in group.angles])
            axes.set(xlabel="angle at the centre (degrees)", xlim=(0, 180), xticks=range(0, 181, 45))
            cell += 1
        axes = figure.add_subplot(rows, across, cell)
        axes.set_title(_title(group, f"distance factor, {_several(len(group.radial), 'curve')}"), loc="left")
        _curves(axes, r, [distance[f] for f in group.radial], [_distance_parameters(f) for f in group.radial])
        axes.set(xlabel=f"{_distances(group)} (Å)", xlim=(0, reach))
    return figure


def _places(widths: Sequence[int]) -> Iterator[int]:
    """Cells of panels that take one or two cells of a row each, counted row by row."""
    cell = 0
    for width in widths:
        if cell % _ACROSS + width > _ACROSS:
            cell += _ACROSS - cell % _ACROSS
        yield cell
        cell += width


def _title(group: shapes.Group, what: str) -> str:
    neighbors = "  ".join(name.replace(",", "-") for name in group.neighbors)
    if len(neighbors) > _TITLE_LENGTH:
        neighbors = neighbors[: _TITLE_LENGTH - 1] + "…"
    return f"{group.family}  neighbours {neighbors}\n{what}"


def _distances(group: shapes.Group) -> str:
    if not group.angles:
        return "r$_{ij}$"
    return "r$_{ij}$, r$_{ik}$ and r$_{jk}$" if group.narrow else "r$_{ij}$ and r$_{ik}$"


def _several(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _distance_parameters(factor: Radial) -> Parameters:
    envelope = factor.envelope
    if isinstance(envelope, Compact):
        limits: dict[str, float | str] = {"from": envelope.left, "to": envelope.right}
        limits[""] = envelope.kind + ("a" if envelope.asymmetric else "")
    else:
        limits = {"r$_c$": envelope.radius, r"$\alpha$": envelope.alpha, "": envelope.kind}
    return {r"$\eta$": factor.eta, "r$_s$": factor.rs, r"$\kappa$": factor.kappa, **limits}


def _angle_parameters(angle: Power | Window) -> Parameters:
    if isinstance(angle, Power):
        return {r"$\zeta$": angle.zeta, r"$\lambda$": angle.lam}
    return {"from": angle.left, "to": angle.right, "": angle.kind}


def _curves(axes: Any, x: FloatArray, curves: Sequence[FloatArray], parameters: Sequence[Parameters]) -> None:
    """Draw curves in one panel.

    Parameters that differ between them stand in a legend (few curves) or as ranges (many), the others as
    text. Curves that differ by the sign of lambda only have the same colour.
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
    """Whether a parameter has one value, and one worth mentioning."""
    return len(values) == 1 and values[0] != 0


def _assign(name: str, value: float | str) -> str:
    text = value if isinstance(value, str) else f"{value:.3g}"
    return f"{name} = {text}" if name else text


def _range(name: str, values: Sequence[float | str]) -> str:
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) < len(values):
        return ", ".join(map(str, values))
    return f"{name} = {min(numbers):.3g} … {max(numbers):.3g}  ({len(numbers)} values)"

"""Figures of a training: learning curves and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.potentials.network import Network
from fastsf.prediction.metrics import SHOWN
from fastsf.reports.style import make_figure, save_picture
from fastsf.training.run.history import EPOCH
from fastsf.training.run.loop import KINDS, column
from fastsf.types import FloatArray

_COLORS = {"training": "#8aa9bd", "validation": "#b8442a"}


def plot_learning(histories: Sequence[Mapping[str, FloatArray]], best: Sequence[int], path: Path) -> None:
    """Draw errors against epochs, on logarithmic axes.

    Parameters
    ----------
    histories : sequence of dict of str to (epochs,) float64
        Histories of all seeds, from `read_history`.
    best : sequence of int
        Best epoch of each seed.
    path : Path
        PNG file to write.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    save_picture(path, partial(_learning, histories, best))


def plot_weights(networks: Mapping[str, Network], path: Path) -> None:
    """Draw the distribution of the weights and biases of each layer; raises as `plot_learning`."""
    save_picture(path, partial(_weights, networks))


# --- learning curves ---


def _learning(histories: Sequence[Mapping[str, FloatArray]], best: Sequence[int]) -> Any:
    kinds = [kind for kind in KINDS if np.isfinite(histories[0][column("training", kind)]).any()]
    figure = make_figure(4.6 * len(kinds), 3.6, "Errors while training")
    for kind, axes in zip(kinds, np.ravel(figure.subplots(1, len(kinds))), strict=True):
        scale, unit = SHOWN[kind]
        for number, (history, epoch) in enumerate(zip(histories, best, strict=True)):
            for part, color in _COLORS.items():
                if column(part, kind) in history:
                    errors = scale * history[column(part, kind)]
                    axes.plot(history[EPOCH], errors, color=color, alpha=_alpha(histories), label=_once(part, number))
            _mark_best(axes, history, kind, epoch, scale, number)
        axes.set(yscale="log", xlabel="epoch", ylabel=f"RMSE ({unit})", title=kind)
        axes.grid(which="minor", axis="y", color="0.96")
        for formatted in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            formatted(_plain_numbers())
        axes.legend()
    return figure


def _plain_numbers() -> Any:
    """Return a formatter of logarithmic axes that labels 1, 2 and 5 times powers of ten."""
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "125" else "")


def _alpha(several: Sequence[Any]) -> float:
    return 1.0 if len(several) == 1 else 0.6


def _once(label: str, number: int) -> str | None:
    return label if number == 0 else None


def _mark_best(axes: Any, history: Mapping[str, FloatArray], kind: str, epoch: int, scale: float, number: int) -> None:
    part = "validation" if column("validation", kind) in history else "training"
    rows = np.flatnonzero(history[EPOCH] == epoch)
    height = scale * history[column(part, kind)][rows]
    axes.plot(history[EPOCH][rows], height, "o", color="k", markersize=4, zorder=3, label=_once("kept", number))


# --- weights ---


def _weights(networks: Mapping[str, Network]) -> Any:
    figure = make_figure(9.0, 0.8 + 2.0 * len(networks), "Weights and biases")
    for (symbol, network), row in zip(networks.items(), figure.subplots(len(networks), 2, squeeze=False), strict=True):
        for axes, name in zip(row, ("weights", "biases"), strict=True):
            layers = [np.ravel(each) for each in getattr(network, name)]
            edge = max(float(np.abs(each).max()) for each in layers) or 1.0
            for number, layer in enumerate(layers, start=1):
                axes.hist(layer, bins=41, range=(-edge, edge), histtype="step", linewidth=1.2, label=f"layer {number}")
            axes.set(xlabel=f"{name} of {symbol}", ylabel="number")
        row[0].set_yscale("log")
        row[0].legend()
    return figure

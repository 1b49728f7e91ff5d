"""Style of all pictures; matplotlib is imported at the first picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastsf.storage.atomic import storage_errors

MAIN_COLOR = "#2a6f97"

_STYLE: Any = {
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.92",
    "axes.edgecolor": "0.5",
    "legend.edgecolor": "none",
    "legend.framealpha": 0.8,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.handlelength": 1.6,
    "legend.borderaxespad": 0.2,
    "lines.linewidth": 1.3,
}


def save_picture(path: Path, draw: Callable[[], Any]) -> None:
    """Draw a figure in the common style and save it as PNG.

    Parameters
    ----------
    path : Path
        The file; its folder is made if it does not exist.
    draw : callable
        Function that returns the matplotlib figure.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    import matplotlib

    with matplotlib.rc_context(_STYLE), storage_errors(f"cannot write {path}"):
        figure = draw()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130, format="png", metadata={"Software": None})


def save_pictures(folder: Path, drawings: Mapping[str, Callable[[], Any]]) -> list[Path]:
    """Draw and save several figures; return their files.

    Parameters
    ----------
    folder : Path
        The folder; made if it does not exist.
    drawings : mapping of str to callable
        Function that returns the figure, by name of the file.

    Raises
    ------
    StorageError
        As `save_picture`.
    """
    written = {folder / name: draw for name, draw in drawings.items()}
    for path, draw in written.items():
        save_picture(path, draw)
    return list(written)


def make_figure(width: float, height: float, title: str) -> Any:
    """Return an empty matplotlib figure (inches) with a title; no window and no global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure

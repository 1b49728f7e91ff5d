"""Pictures of symmetry functions and of the ranges of their values (PNG)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from fastsf.descriptor import ACSF
from fastsf.features import FeatureFile
from fastsf.function_plots import functions_figure
from fastsf.plot_style import save_picture
from fastsf.range_plots import ranges_figure
from fastsf.statistics import ColumnStatistics


def write_plots(file: FeatureFile, folder: Path) -> list[Path]:
    """Draw the functions of a feature file and the ranges of their values.

    Parameters
    ----------
    file : FeatureFile
        The file.
    folder : Path
        Where to write; made if it is not there.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    StorageError
        If the pictures cannot be written.
    """
    functions = plot_functions(ACSF.from_dict(file.definition), folder)
    return functions + plot_ranges(file.statistics(), file.labels, folder)


def plot_functions(acsf: ACSF, folder: Path) -> list[Path]:
    """Draw the factors of all functions, one picture per central element.

    Functions that differ only by numbers share a panel: factors of the distance against r, factors of the
    angle against theta. Groups that have the same numbers for several neighbours are drawn once.

    Parameters
    ----------
    acsf : ACSF
        The descriptor.
    folder : Path
        Where to write functions-SYMBOL.png; made if it is not there.

    Returns
    -------
    list of Path
        What was written.
    """
    written = []
    for symbol, functions in acsf.columns.items():
        if functions:
            written.append(folder / f"functions-{symbol}.png")
            save_picture(written[-1], partial(functions_figure, symbol, functions))
    return written


def plot_ranges(
    statistics: Mapping[str, ColumnStatistics], labels: Mapping[str, Sequence[str]], folder: Path
) -> list[Path]:
    """Draw minimum, maximum, mean and standard deviation of every column, one picture per central element.

    Parameters
    ----------
    statistics : mapping of symbol to ColumnStatistics
        Over all atoms of the element.
    labels : mapping of symbol to sequence of str
        Names of the columns.
    folder : Path
        Where to write ranges-SYMBOL.png; made if it is not there.

    Returns
    -------
    list of Path
        What was written; elements without atoms are left out.
    """
    written = []
    for symbol, summary in statistics.items():
        if summary.count and labels[symbol]:
            written.append(folder / f"ranges-{symbol}.png")
            save_picture(written[-1], partial(ranges_figure, symbol, summary, labels[symbol]))
    return written

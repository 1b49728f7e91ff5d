"""Pictures of symmetry functions and of the ranges of their values (PNG)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from fastsf.descriptors.base import Descriptor
from fastsf.descriptors.choose import descriptor_from_dict
from fastsf.descriptors.statistics import ColumnStatistics
from fastsf.featurize.reader import FeatureFile
from fastsf.reports.functions import functions_figure
from fastsf.reports.ranges import ranges_figure
from fastsf.reports.style import save_pictures


def write_plots(file: FeatureFile, folder: Path) -> list[Path]:
    """Draw the functions of a feature file and the ranges of their values.

    Parameters
    ----------
    file : FeatureFile
        File of features.
    folder : Path
        Folder to write; made if it does not exist.

    Returns
    -------
    list of Path
        Files that were written.

    Raises
    ------
    StorageError
        If the pictures cannot be written.
    """
    functions = plot_functions(descriptor_from_dict(file.definition), folder)
    return functions + plot_ranges(file.statistics(), file.labels, folder, file.centered_on)


def plot_functions(descriptor: Descriptor, folder: Path) -> list[Path]:
    """Draw the factors of all functions, one picture for each central element or kind of pairs.

    Functions that differ only by numbers share a panel: factors of the distance against r, factors of the angle against
    theta. Groups with the same numbers for several neighbours are drawn once.

    Parameters
    ----------
    descriptor : ACSF or PCSF
        Functions to draw.
    folder : Path
        Folder for functions-NAME.png; made if it does not exist.

    Returns
    -------
    list of Path
        Files that were written.
    """
    drawings = {
        f"functions-{name}.png": partial(functions_figure, name, functions)
        for name, functions in descriptor.columns.items()
        if functions
    }
    return save_pictures(folder, drawings)


def plot_ranges(
    statistics: Mapping[str, ColumnStatistics],
    labels: Mapping[str, Sequence[str]],
    folder: Path,
    rows: str = "atoms",
) -> list[Path]:
    """Draw minimum, maximum, mean and sigma of each column, one picture for each element or kind of pairs.

    Parameters
    ----------
    statistics : mapping of str to ColumnStatistics
        Statistics over all atoms of each element, or all pairs of each kind.
    labels : mapping of str to sequence of str
        Names of the columns.
    folder : Path
        Folder for ranges-NAME.png; made if it does not exist.
    rows : "atoms" or "pairs"
        Rows that the statistics are over.

    Returns
    -------
    list of Path
        Files that were written; elements without atoms and kinds without pairs are omitted.
    """
    drawings = {
        f"ranges-{name}.png": partial(ranges_figure, name, summary, labels[name], rows)
        for name, summary in statistics.items()
        if summary.count and labels[name]
    }
    return save_pictures(folder, drawings)

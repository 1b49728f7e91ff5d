"""Splits of data sets into parts for training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from fastsf.datasets.labelled import LabelledSet, check_names
from fastsf.errors import InputError
from fastsf.types import BoolArray, IntArray, TextArray

SUBSETS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Indices of the structures of each part, ascending.

    Parameters
    ----------
    train, validation, test : (k,) int64
        Indices; every structure is in at most one part.
    warnings : tuple of str
        Warnings about the parts.
    """

    train: IntArray
    validation: IntArray
    test: IntArray
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """Part of a data set by the names of its groups or files.

    Parameters
    ----------
    kind : "group" or "file"
        Kind of the names. A file is named by its path or the end of its path.
    names : tuple of str
        Names of groups or files.
    """

    kind: Literal["group", "file"]
    names: tuple[str, ...]


def split(
    labelled: LabelledSet,
    validation: float | Named = 0.1,
    test: float | Named = 0.0,
    *,
    seed: int = 0,
    use_marks: bool = True,
) -> Split:
    """Divide a set into training, validation and test structures.

    Structures with a mark in the data (``set=train``, ``validation`` or ``test``) go into that part, named groups and
    files into the part that names them. Fractions are drawn at random from the other structures, in equal shares from
    each group. Nothing is drawn for a part with marked structures.

    Parameters
    ----------
    labelled : LabelledSet
        Data set.
    validation, test : float or Named
        Names of groups or files, or a fraction from 0 to less than 1; above 0 at least one structure.
    seed : int
        Seed of the random numbers; the same seed gives the same parts.
    use_marks : bool
        Use the marks in the data.

    Returns
    -------
    Split
        Parts, with a warning if validation is empty: training then cannot stop early.

    Raises
    ------
    InputError
        If nothing is left for training, a name is unknown, or a structure belongs to two parts.
    """
    parts = np.array(labelled.subsets if use_marks else [""] * len(labelled), dtype="<U10")
    choices = {"validation": validation, "test": test}
    fractions = {part: choice for part, choice in choices.items() if not isinstance(choice, Named)}
    _check_fractions(fractions)
    counts = {part: choice for part, choice in fractions.items() if part not in parts}
    for part, choice in choices.items():
        if isinstance(choice, Named):
            _put(parts, part, choice, labelled)
    free = _spread_order(labelled.groups, np.flatnonzero(parts == ""), seed)
    start = 0
    for part, fraction in counts.items():
        stop = start + (max(round(fraction * len(free)), 1) if fraction else 0)
        parts[free[start:stop]] = part
        start = stop
    parts[parts == ""] = "train"
    return _finished(parts)


def split_of_sets(train: LabelledSet, validation: LabelledSet | None, test: LabelledSet | None) -> Split:
    """Return the split of ``LabelledSet.joined`` of given sets, in this order and without missing ones.

    Raises
    ------
    InputError
        If nothing is left for training.
    """
    sizes = [0 if part is None else len(part) for part in (train, validation, test)]
    return _finished(np.repeat(SUBSETS, sizes))


def _check_fractions(fractions: Mapping[str, float]) -> None:
    for part, fraction in fractions.items():
        if not 0 <= fraction < 1:
            raise InputError(f"{part}: expected a fraction from 0 to less than 1, found {fraction}")
    if sum(fractions.values()) >= 1:
        raise InputError(
            "fractions: expected a sum below 1, so that structures are left for training; found "
            + ", ".join(f"{part} {fraction}" for part, fraction in fractions.items())
        )


def _put(parts: TextArray, part: str, choice: Named, labelled: LabelledSet) -> None:
    """Assign groups or files to a part."""
    chosen = _of_groups(labelled, choice.names) if choice.kind == "group" else _of_files(labelled, choice.names)
    elsewhere = np.flatnonzero(chosen & (parts != "") & (parts != part))
    if len(elsewhere):
        first = int(elsewhere[0])
        raise InputError(
            f"{labelled.sources[first]}: expected one part, found {str(parts[first])!r}, "
            f"and {part!r} by its {choice.kind}"
        )
    parts[chosen] = part


def _of_groups(labelled: LabelledSet, names: Sequence[str]) -> BoolArray:
    check_names("group", names, labelled.groups)
    return np.isin(labelled.groups, names)


def _of_files(labelled: LabelledSet, names: Sequence[str]) -> BoolArray:
    chosen = np.zeros(len(labelled), dtype=np.bool_)
    for name in names:
        end = Path(name).parts
        matches = {file for file in labelled.files if Path(file).parts[-len(end) :] == end}
        check_names("file", [] if matches else [name], labelled.files)
        chosen |= np.isin(labelled.files, sorted(matches))
    return chosen


def _spread_order(groups: Sequence[str], indices: IntArray, seed: int) -> IntArray:
    """Shuffle structures so that consecutive ones have equal shares of each group."""
    random = np.random.default_rng(seed)
    labels = np.array(groups)[indices]
    rank = np.empty(len(indices))
    for group in np.unique(labels):
        mine = labels == group
        count = np.count_nonzero(mine)
        rank[mine] = (random.permutation(count) + random.random()) / count
    return indices[np.argsort(rank, kind="stable")]


def _finished(parts: TextArray) -> Split:
    train, validation, test = (np.flatnonzero(parts == name) for name in SUBSETS)
    if not len(train):
        raise InputError(
            f"no structures are left for training: {len(validation)} are for validation and {len(test)} for the test"
        )
    warnings: tuple[str, ...] = ()
    if not len(validation):
        warnings = ("no structures for validation: training cannot stop early, and overfitting is not detected",)
    return Split(train, validation, test, warnings)

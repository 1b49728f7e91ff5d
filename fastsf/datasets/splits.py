"""Splits of data sets into parts for training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from fastsf.datasets.isolated import FREE, isolated_atoms
from fastsf.datasets.labelled import LabelledSet, check_names
from fastsf.errors import InputError, counted
from fastsf.types import BoolArray, IntArray, TextArray

SUBSETS = ("train", "validation", "test")

NO_VALIDATION = "no structures for validation: training cannot stop early, and overfitting is not detected"
"""Warning of a split without validation."""


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
    cutoff: float = FREE,
) -> Split:
    """Divide a set into training, validation and test structures.

    Structures with a mark in the data (``set=train``, ``validation`` or ``test``) go into that part, named groups and
    files into the part that names them. Fractions are drawn at random from the other structures, in equal shares from
    each group. Nothing is drawn for a part with marked structures. Isolated atoms are always for training.

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
    cutoff : float
        Largest cutoff of the symmetry functions, Å; an isolated atom has no neighbour within it.

    Returns
    -------
    Split
        Parts, with warnings if validation is empty (training then cannot stop early), and if isolated atoms were chosen
        for another part.

    Raises
    ------
    InputError
        If nothing is left for training, a name is unknown, or a structure belongs to two parts.
    """
    parts = np.array(labelled.subsets if use_marks else [""] * len(labelled), dtype="<U10")
    choices = {"validation": validation, "test": test}
    fractions = {part: choice for part, choice in choices.items() if not isinstance(choice, Named)}
    _check_fractions(fractions)
    isolated = isolated_atoms(labelled, cutoff)
    counts = {part: choice for part, choice in fractions.items() if part not in parts[~isolated]}
    for part, choice in choices.items():
        if isinstance(choice, Named):
            _put(parts, part, choice, labelled)
    moved = _keep_for_training(parts, isolated)
    free = _spread_order(labelled.groups, np.flatnonzero(parts == ""), seed)
    start = 0
    for part, fraction in counts.items():
        stop = start + (max(round(fraction * len(free)), 1) if fraction else 0)
        parts[free[start:stop]] = part
        start = stop
    parts[parts == ""] = "train"
    if not isolated.all() and not np.any(parts[~isolated] == "train"):
        parts[isolated] = ""  # training needs more than isolated atoms
    return _finished(parts, moved)


def with_sets(own: Split, first: int, sets: Mapping[str, LabelledSet], cutoff: float = FREE) -> Split:
    """Add sets with one part each, which follow the structures of a split in a joined set.

    Parameters
    ----------
    own : Split
        Parts of the first structures.
    first : int
        Number of the first structures.
    sets : mapping of str to LabelledSet
        Further sets by their parts, in the order in which they were joined. Their isolated atoms are for training.
    cutoff : float
        As for `split`.
    """
    parts = np.full(first, "", dtype="<U10")
    for name in SUBSETS:
        parts[getattr(own, name)] = name
    isolated = [np.zeros(first, dtype=np.bool_), *(isolated_atoms(each, cutoff) for each in sets.values())]
    parts = np.concatenate([parts, np.repeat(list(sets), [len(each) for each in sets.values()]).astype("<U10")])
    moved = _keep_for_training(parts, np.concatenate(isolated))
    return _finished(parts, (*(each for each in own.warnings if each != NO_VALIDATION), *moved))


def _keep_for_training(parts: TextArray, isolated: BoolArray) -> tuple[str, ...]:
    """Move isolated atoms into the training part; return a warning about those that another part had."""
    moved = int(np.count_nonzero(isolated & (parts != "") & (parts != "train")))
    parts[isolated] = "train"
    if not moved:
        return ()
    return (
        f"isolated atoms are always for training: {counted(moved, 'structure')} chosen for validation or test "
        f"{'is' if moved == 1 else 'are'} there now",
    )


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


def _finished(parts: TextArray, warnings: tuple[str, ...] = ()) -> Split:
    train, validation, test = (np.flatnonzero(parts == name) for name in SUBSETS)
    if not len(train):
        raise InputError(
            f"no structures are left for training: expected at least one, found {len(validation)} for validation and "
            f"{len(test)} for the test of {counted(len(parts), 'structure')}; give more structures, or train without "
            "those parts: validation = 0 in [data] (--set data.validation=0), and likewise test"
        )
    if not len(validation):
        warnings = (*warnings, NO_VALIDATION)
    return Split(train, validation, test, warnings)

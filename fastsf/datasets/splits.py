"""Which structures a potential is fitted to, which tell when to stop, and which are looked at once at the end."""

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
    """Numbers of the structures of each part, ascending.

    Parameters
    ----------
    train, validation, test : (k,) int64
        Every structure is in one of them at most.
    warnings : tuple of str
        What the user should know about them.
    """

    train: IntArray
    validation: IntArray
    test: IntArray
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """A part of the data by the names of its groups or of its files.

    Parameters
    ----------
    kind : "group" or "file"
        What the names are of. A file is named by its path, or by the end of it.
    names : tuple of str
        Which.
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

    Structures that the data mark (``set=train``, ``validation`` or ``test``) are where the mark says, groups and files
    that are named where they are wanted. Fractions are drawn from the others, from each group its share; a fraction
    draws nothing for a part that marks fill.

    Parameters
    ----------
    labelled : LabelledSet
        What to divide.
    validation, test : float or Named
        Names of groups or files, or a fraction from 0 to less than 1: at least one structure unless it is 0.
    seed : int
        Of the draw; the same seed gives the same parts.
    use_marks : bool
        Whether marks count.

    Returns
    -------
    Split
        With a warning for an empty validation part, without which training cannot stop early.

    Raises
    ------
    InputError
        For fractions that leave nothing to train on, names that are not there, and structures that belong to two parts.
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
    """Split of ``LabelledSet.joined`` of sets that were given apart, in this order and without the missing ones.

    Raises
    ------
    InputError
        If there is nothing to train on.
    """
    sizes = [0 if part is None else len(part) for part in (train, validation, test)]
    return _finished(np.repeat(SUBSETS, sizes))


def _check_fractions(fractions: Mapping[str, float]) -> None:
    for part, fraction in fractions.items():
        if not 0 <= fraction < 1:
            raise InputError(f"{part}: expected a fraction from 0 to less than 1, found {fraction}")
    if sum(fractions.values()) >= 1:
        raise InputError(f"fractions that leave something to train on add up to less than 1, found {dict(fractions)}")


def _put(parts: TextArray, part: str, choice: Named, labelled: LabelledSet) -> None:
    """Put groups or files into a part."""
    chosen = _of_groups(labelled, choice.names) if choice.kind == "group" else _of_files(labelled, choice.names)
    elsewhere = np.flatnonzero(chosen & (parts != "") & (parts != part))
    if len(elsewhere):
        first = int(elsewhere[0])
        raise InputError(
            f"{labelled.sources[first]}: is to be in the part {part!r} by its {choice.kind}, "
            f"and is in {str(parts[first])!r} already"
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
    """Shuffle structures such that every run of them has its share of each group."""
    random = np.random.default_rng(seed)
    labels = np.array(groups)[indices]
    place = np.empty(len(indices))
    for group in np.unique(labels):
        mine = labels == group
        count = np.count_nonzero(mine)
        place[mine] = (random.permutation(count) + random.random()) / count
    return indices[np.argsort(place, kind="stable")]


def _finished(parts: TextArray) -> Split:
    train, validation, test = (np.flatnonzero(parts == name) for name in SUBSETS)
    if not len(train):
        raise InputError(f"nothing to train on: {len(validation)} structures to validate with, {len(test)} to test")
    warnings: tuple[str, ...] = ()
    if not len(validation):
        warnings = ("no structures to validate with: training cannot stop early, and cannot tell whether it overfits",)
    return Split(train, validation, test, warnings)

"""The data of a run: structures with labels, divided into parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fastsf.datasets.isolated import FREE
from fastsf.datasets.labelled import LabelledSet, read_labelled
from fastsf.datasets.splits import Named, Split, split, with_sets
from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.storage.atomic import storage_errors
from fastsf.training.config.sections import DataSection

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """The data of a run.

    Parameters
    ----------
    labelled : LabelledSet
        All structures.
    split : Split
        Indices of the parts.
    """

    labelled: LabelledSet
    split: Split

    def part(self, name: str) -> LabelledSet:
        """Return the structures of one of `PARTS`."""
        return self.labelled.select(getattr(self.split, name))

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of every file, computed at the first use.

        Raises
        ------
        StorageError
            If one cannot be read.
        """
        found = {}
        for path in dict.fromkeys(self.labelled.files):
            with storage_errors(f"cannot read {path}"), Path(path).open("rb") as file:
                digest = hashlib.sha256()
                while block := file.read(1 << 20):
                    digest.update(block)
                found[path] = digest.hexdigest()
        return found


def read_data(data: DataSection, find_cutoff: Callable[[LabelledSet], float] | None = None) -> Dataset:
    """Read the structures and divide them into parts.

    Parameters
    ----------
    data : DataSection
    find_cutoff : callable, optional
        Function that returns the largest cutoff of the symmetry functions for given structures, Å. It is called if
        the data contain single atoms in periodic cells, which are isolated if their images are beyond the cutoff.

    Raises
    ------
    StorageError, InputError
        As `read_labelled` and `split`; for an element outside the training set that is not in it.
    """

    def read(paths: tuple[str, ...]) -> LabelledSet:
        keys = {"group_key": data.group_key, "weight_key": data.weight_key, "set_key": data.set_key}
        return read_labelled(paths, data.reading, **keys)

    main = read(data.train)
    apart = [read(names) if isinstance(names, tuple) and names else None for names in (data.validation, data.test)]
    choices = [_choice(getattr(data, name), getattr(data, f"{name}_groups")) for name in ("validation", "test")]
    sets = {part: each for part, each in zip(PARTS[1:], apart, strict=True) if each is not None}
    whole = LabelledSet.joined([main, *sets.values()]).weighted(data.group_weights)
    single = any(len(each) == 1 and each.pbc.any() for each in whole.structures)
    cutoff = find_cutoff(whole) if find_cutoff is not None and single else FREE
    own = split(main, *choices, seed=data.seed, use_marks=True, cutoff=cutoff)
    dataset = Dataset(whole, with_sets(own, len(main), sets, cutoff))
    _check_elements(dataset)
    return dataset


def _choice(wanted: float | tuple[str, ...], groups: tuple[str, ...]) -> float | Named:
    if groups:
        return Named("group", groups)
    return 0.0 if isinstance(wanted, tuple) else wanted


def _check_elements(dataset: Dataset) -> None:
    known = dataset.part("train").elements
    for name in PARTS[1:]:
        part = dataset.part(name)
        for symbol in sorted(set(part.elements) - set(known)):
            has_it = [atomic_number(symbol) in structure.numbers for structure in part.structures]
            raise InputError(
                f"{part.sources[has_it.index(True)]}: {symbol} is in the {name} set, but in no structure of the "
                f"training set, whose elements are {', '.join(known)}"
            )

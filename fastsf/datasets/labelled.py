"""Structures with reference energies, forces and stresses: what potentials are trained on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.datasets.frames import Frame, FrameIndex, FrameReader, Reading, check_any, located
from fastsf.datasets.inputs import checked_inputs
from fastsf.elements import chemical_symbol
from fastsf.errors import InputError, StructureError
from fastsf.io.structures import expand_paths
from fastsf.structure import Structure
from fastsf.types import FloatArray, IntArray

GROUP_KEYS = ("group", "config_type")
"""Where the name of a structure's group is looked for if nothing else is said."""

_PER_STRUCTURE = ("structures", "forces", "groups", "sources", "files", "subsets")


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """Structures and their labels; a sequence by number.

    Parameters
    ----------
    structures : list of Structure
        m of them, Å.
    energies : (m,) float64
        Total energies, eV; NaN where there is none.
    forces : list of (n, 3) float64 or None
        eV/Å.
    stresses : (m, 6) float64
        xx, yy, zz, yz, xz, xy in eV/Å^3, tension positive; rows of NaN where there is none, and for structures that
        are not periodic in all directions.
    groups : list of str
        Names of what the structures are parts of; empty where there is none.
    weights : (m,) float64
        How much each structure counts.
    sources : list of str
        File and number of each structure, for messages.
    files : list of str, optional
        The file of each structure.
    subsets : list of str, optional
        "train", "validation", "test", or empty where the data do not say.
    skipped : list of str, optional
        What was left out: file, number and reason.
    """

    structures: list[Structure]
    energies: FloatArray
    forces: list[FloatArray | None]
    stresses: FloatArray
    groups: list[str]
    weights: FloatArray
    sources: list[str]
    files: list[str] = field(default_factory=list)
    subsets: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("files", "subsets"):
            if not getattr(self, name):
                object.__setattr__(self, name, [""] * len(self))
        for name in (*_PER_STRUCTURE, "energies", "stresses", "weights"):
            if len(getattr(self, name)) != len(self):
                raise InputError(f"{len(self)} structures with {len(getattr(self, name))} {name}")

    def __len__(self) -> int:
        return len(self.structures)

    @cached_property
    def n_atoms(self) -> IntArray:
        """Number of atoms of each structure, (m,) int64."""
        return np.array([len(each) for each in self.structures], dtype=np.int64)

    @cached_property
    def elements(self) -> list[str]:
        """Chemical symbols of all elements, by atomic number."""
        present = {number for each in self.structures for number in np.unique(each.numbers).tolist()}
        return [chemical_symbol(number) for number in sorted(present)]

    def select(self, indices: npt.ArrayLike) -> LabelledSet:
        """Return some of the structures, in the order given.

        Parameters
        ----------
        indices : (k,) int or (m,) bool
            Their numbers, or a mask.
        """
        given = np.asarray(indices)
        chosen = np.flatnonzero(given) if given.dtype == np.bool_ else given.astype(np.int64)
        lists: dict[str, Any] = {name: [getattr(self, name)[k] for k in chosen] for name in _PER_STRUCTURE}
        arrays: dict[str, Any] = {name: getattr(self, name)[chosen] for name in ("energies", "stresses", "weights")}
        return LabelledSet(**lists, **arrays)

    def weighted(self, by_group: Mapping[str, float]) -> LabelledSet:
        """Return the set with the weights of some groups multiplied.

        Parameters
        ----------
        by_group : mapping of str to float
            Factor of each group.

        Raises
        ------
        InputError
            For a group that is not there, or a factor that is negative or not finite.
        """
        check_names("group", by_group, self.groups)
        for name, factor in by_group.items():
            _check_weight(factor, f"weight of group {name!r}")
        factors = np.array([float(by_group.get(group, 1.0)) for group in self.groups])
        return replace(self, weights=self.weights * factors)

    @classmethod
    def joined(cls, sets: Sequence[LabelledSet]) -> LabelledSet:
        """Put sets one behind the other."""
        lists: dict[str, Any] = {
            name: list(chain.from_iterable(getattr(each, name) for each in sets))
            for name in (*_PER_STRUCTURE, "skipped")
        }
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(each, name) for each in sets]) for name in ("energies", "stresses", "weights")
        }
        return cls(**lists, **arrays)


def check_names(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Complain about names that are not there.

    Raises
    ------
    InputError
        With the names that are.
    """
    there = sorted(set(known) - {""})
    for name in names:
        if name not in there:
            raise InputError(f"no structure has the {what} {name!r}; there are {', '.join(there) or 'none'}")


def read_labelled(
    paths: Iterable[str | Path],
    reading: Reading | None = None,
    *,
    group_key: str | None = None,
    weight_key: str | None = None,
) -> LabelledSet:
    """Read structures with their labels.

    Parameters
    ----------
    paths : iterable of path-like
        Files that ASE reads, input.data of n2p2, and patterns.
    reading : Reading, optional
        Units, names of the labels, and what is done about structures that cannot be used: those that are broken, that
        have a label which is not finite, or no label at all.
    group_key : str, optional
        Key of a structure's `info` that names its group; by default "group", else "config_type".
    weight_key : str, optional
        Key of `info` that holds the weight of a structure, 1 where there is none; "weight" by default.

    Returns
    -------
    LabelledSet
        With subsets from the key "set" of `info`, as input.data has it.

    Raises
    ------
    StorageError
        If a file cannot be read.
    InputError
        For a structure that cannot be used, with file and frame, unless those are to be skipped; if none can be used;
        if no structure has a key that was named.
    """
    reading = replace(reading or Reading(), need_labels=True)
    files = checked_inputs(expand_paths(paths))
    reader = FrameReader(files, None, reading)
    builder = _Builder([each.path for each in files], group_key, weight_key)
    for item in reader(FrameIndex()):
        if not isinstance(item, Frame):
            builder.skipped.append(item.reason)
            continue
        try:
            builder.add(item)
        except InputError as error:
            if reading.on_error == "stop":
                raise
            builder.skipped.append(str(error))
    if builder.structures:
        reader.check_keys()
    return builder.finished()


class _Builder:
    """Gathers the structures of a set one by one."""

    def __init__(self, paths: list[str], group_key: str | None, weight_key: str | None) -> None:
        self.paths = paths
        self.group_key = group_key
        self.weight_key = "weight" if weight_key is None else weight_key
        self.wanted = {key for key in (group_key, weight_key) if key is not None}
        self.keys: set[str] = set()
        self.structures: list[Structure] = []
        self.energies: list[float] = []
        self.forces: list[FloatArray | None] = []
        self.stresses: list[FloatArray] = []
        self.groups: list[str] = []
        self.weights: list[float] = []
        self.sources: list[str] = []
        self.files: list[str] = []
        self.subsets: list[str] = []
        self.skipped: list[str] = []

    def add(self, frame: Frame) -> None:
        """Take a structure.

        Raises
        ------
        StructureError
            If its weight or its subset is not one.
        """
        path, labels, info = self.paths[frame.index.file], frame.labels, frame.info
        self.keys.update(info)
        try:
            weight, subset = _weight(info, self.weight_key), _subset(info)
        except StructureError as error:
            raise StructureError(located(error, path, frame.index.frame)) from error
        nothing = np.full(6, np.nan)
        self.structures.append(frame.structure)
        self.energies.append(labels.get("energy", math.nan))
        self.forces.append(labels.get("forces"))
        self.stresses.append(labels.get("stress", nothing) if frame.structure.pbc.all() else nothing)
        self.groups.append(group_of(info, self.group_key))
        self.weights.append(weight)
        self.sources.append(f"{path}, frame {frame.index.frame}")
        self.files.append(path)
        self.subsets.append(subset)

    def finished(self) -> LabelledSet:
        """Return the whole set.

        Raises
        ------
        InputError
            If it is empty, or a key that was named is nowhere.
        """
        check_any(len(self.structures), self.skipped)
        check_names("key", sorted(self.wanted), self.keys)
        return LabelledSet(
            self.structures,
            np.array(self.energies),
            self.forces,
            np.array(self.stresses),
            self.groups,
            np.array(self.weights),
            self.sources,
            self.files,
            self.subsets,
            self.skipped,
        )


def group_of(info: Mapping[str, Any], key: str | None = None) -> str:
    """Name of the group in a frame's `info`, empty if there is none.

    Parameters
    ----------
    info : mapping
    key : str, optional
        Where it stands; `GROUP_KEYS` by default.
    """
    keys = GROUP_KEYS if key is None else (key,)
    return next((str(info[each]) for each in keys if each in info), "")


def _subset(info: Mapping[str, Any]) -> str:
    subset = str(info.get("set", ""))
    if subset not in ("", "train", "validation", "test"):
        raise StructureError(f"set: expected train, validation or test, found {subset!r}")
    return subset


def _weight(info: Mapping[str, Any], key: str) -> float:
    value = info.get(key, 1.0)
    _check_weight(value, key)
    return float(value)


def _check_weight(value: Any, what: str) -> None:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise StructureError(f"{what}: expected a finite number of at least 0, found {value}")

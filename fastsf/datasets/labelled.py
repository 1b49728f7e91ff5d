"""Structures with reference energies, forces and stresses, as for training."""

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
from fastsf.datasets.label_account import LabelAccount
from fastsf.elements import chemical_symbol
from fastsf.errors import InputError, StructureError
from fastsf.io.structures import expand_paths
from fastsf.structure import Structure
from fastsf.types import FloatArray, IntArray

GROUP_KEYS = ("group", "config_type")
"""Keys of `info` with the group of a structure, by default."""

WEIGHT_KEYS = ("weight", "config_weight")
"""Keys of `info` with the weight of a structure, by default."""

SUBSET_NAMES = {
    "": "",
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Subsets by their names in files, without case."""

_PER_STRUCTURE = ("structures", "forces", "groups", "sources", "files", "subsets")


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """Structures and their labels.

    Parameters
    ----------
    structures : list of Structure
        m structures, Å.
    energies : (m,) float64
        Total energies, eV; NaN for structures without.
    forces : list of (n, 3) float64 or None
        Forces, eV/Å; None for structures without.
    stresses : (m, 6) float64
        xx, yy, zz, yz, xz, xy in eV/Å^3, tension positive; NaN for structures without a stress, and for those that are
        not periodic in all directions.
    groups : list of str
        Name of the group of each structure; empty for structures without.
    weights : (m,) float64
        Weight of each structure.
    sources : list of str
        File and frame of each structure, for messages.
    files : list of str, optional
        File of each structure.
    subsets : list of str, optional
        "train", "validation", "test", or empty for structures without.
    skipped : list of str, optional
        Omitted structures: file, frame and reason.
    account : LabelAccount, optional
        Names of the labels in the files, and what is not read.
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
    account: LabelAccount = field(default_factory=LabelAccount)

    def __post_init__(self) -> None:
        for name in ("files", "subsets"):
            if not getattr(self, name):
                object.__setattr__(self, name, [""] * len(self))
        for name in (*_PER_STRUCTURE, "energies", "stresses", "weights"):
            if len(getattr(self, name)) != len(self):
                raise InputError(f"{name}: expected {len(self)}, one per structure, found {len(getattr(self, name))}")

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
        """Return some of the structures in the given order.

        Parameters
        ----------
        indices : (k,) int or (m,) bool
            Indices, or a mask.
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
            Factors of groups.

        Raises
        ------
        InputError
            For an unknown group, or a factor that is negative or not finite.
        """
        check_names("group", by_group, self.groups)
        for name, factor in by_group.items():
            _check_weight(factor, f"weight of group {name!r}")
        factors = np.array([float(by_group.get(group, 1.0)) for group in self.groups])
        return replace(self, weights=self.weights * factors)

    @classmethod
    def joined(cls, sets: Sequence[LabelledSet]) -> LabelledSet:
        """Join sets in the given order."""
        lists: dict[str, Any] = {
            name: list(chain.from_iterable(getattr(each, name) for each in sets))
            for name in (*_PER_STRUCTURE, "skipped")
        }
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(each, name) for each in sets]) for name in ("energies", "stresses", "weights")
        }
        account = LabelAccount()
        for each in sets:
            account.join(each.account)
        return cls(**lists, **arrays, account=account)


def check_names(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Check that names are known.

    Raises
    ------
    InputError
        If one is not; lists the known ones.
    """
    available = sorted(set(known) - {""})
    for name in names:
        if name not in available:
            raise InputError(f"no structure has the {what} {name!r}; there are {', '.join(available) or 'none'}")


def read_labelled(
    paths: Iterable[str | Path],
    reading: Reading | None = None,
    *,
    group_key: str | None = None,
    weight_key: str | None = None,
    set_key: str | None = None,
) -> LabelledSet:
    """Read structures with their labels.

    Parameters
    ----------
    paths : iterable of path-like
        Files that ASE reads, input.data of n2p2, or patterns.
    reading : Reading, optional
        Units, names of labels, and treatment of structures that cannot be used: those that are broken, have a label
        that is not finite, or have no label.
    group_key : str, optional
        Key of `info` with the group of a structure; default: "group", otherwise "config_type".
    weight_key : str, optional
        Key of `info` with the weight of a structure; default: "weight", otherwise "config_weight", and 1 for structures
        without.
    set_key : str, optional
        Key of `info` with the subset of a structure; default: "set", as in input.data.

    Returns
    -------
    LabelledSet
        Set with its subsets.

    Raises
    ------
    StorageError
        If a file cannot be read.
    InputError
        For a structure that cannot be used, with file and frame, unless those are skipped; if no structure can be used;
        if no structure has a named key.
    """
    reading = replace(reading or Reading(), need_labels=True)
    files = checked_inputs(expand_paths(paths))
    reader = FrameReader(files, None, reading)
    builder = _Builder([each.path for each in files], group_key, weight_key, set_key)
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
    """Builder of a set, structure by structure."""

    def __init__(
        self, paths: list[str], group_key: str | None, weight_key: str | None, set_key: str | None = None
    ) -> None:
        self.paths = paths
        self.group_key = group_key
        self.weight_key = weight_key
        self.set_key = "set" if set_key is None else set_key
        self.wanted = {key for key in (group_key, weight_key, set_key) if key is not None}
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
        self.account = LabelAccount()

    def add(self, frame: Frame) -> None:
        """Add a structure.

        Raises
        ------
        StructureError
            If its weight or its subset is not valid.
        """
        path, labels, info = self.paths[frame.index.file], frame.labels, frame.info
        self.keys.update(info)
        try:
            weight, subset = _weight(info, self.weight_key), _subset(info, self.set_key)
        except StructureError as error:
            raise StructureError(located(error, path, frame.index.frame)) from error
        self.account.add(frame.found)
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
            If it is empty, or no structure has a named key.
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
            self.account,
        )


def group_of(info: Mapping[str, Any], key: str | None = None) -> str:
    """Return the group of a structure, empty if it has none.

    Parameters
    ----------
    info : mapping
        `info` of the structure.
    key : str, optional
        Key with the group; default: `GROUP_KEYS`.
    """
    keys = GROUP_KEYS if key is None else (key,)
    return next((str(info[each]) for each in keys if each in info), "")


def _subset(info: Mapping[str, Any], key: str) -> str:
    given = str(info.get(key, ""))
    subset = SUBSET_NAMES.get(given.strip().lower())
    if subset is None:
        raise StructureError(
            f"{key}: expected train, validation or test, found {given!r}; "
            "--set-key (set_key in [data]) names another key"
        )
    return subset


def _weight(info: Mapping[str, Any], key: str | None) -> float:
    keys = WEIGHT_KEYS if key is None else (key,)
    name = next((each for each in keys if each in info), keys[0])
    value = info.get(name, 1.0)
    _check_weight(value, name)
    return float(value)


def _check_weight(value: Any, what: str) -> None:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise StructureError(f"{what}: expected a finite number of at least 0, found {value}")

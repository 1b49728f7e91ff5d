"""Labels of a structure: reference energy, forces and stress from any of the attributes of ASE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms

from fastsf.errors import InputError, StructureError
from fastsf.io.label_names import (
    LABELS,
    LabelName,
    is_gradient,
    is_reference,
    is_short,
    is_virial,
    looks_like,
    looks_like_label,
    rank_of,
)
from fastsf.types import FloatArray

_CARRIED = (str, bool, int, float, np.bool_, np.integer, np.floating)
NO_LABEL = "none"
"""Key in place of that of a label which is not read."""

_NOTHING = {"", "none", "null", "n/a", "na"}


@dataclass(frozen=True)
class FoundLabels:
    """Labels of a structure, and what was found beside them.

    Parameters
    ----------
    values : dict
        Any of ``energy`` (float, eV), ``forces`` ((n, 3) float64, eV/Å) and ``stress``
        ((6,) float64, eV/Å^3, in the order xx, yy, zz, yz, xz, xy).
    names : dict of str to str
        Key in the file of each label, with the conversion if there was one.
    passed_over : tuple of (str, str, str)
        Label, the key that is read, and another key with another value.
    unread : tuple of (str, str)
        Missing label, and a key that may hold it.
    unusable : tuple of str
        Reasons for labels that are left out.
    """

    values: dict[str, Any] = field(default_factory=dict)
    names: dict[LabelName, str] = field(default_factory=dict)
    passed_over: tuple[tuple[LabelName, str, str], ...] = ()
    unread: tuple[tuple[LabelName, str], ...] = ()
    unusable: tuple[str, ...] = ()


def labels_of(
    atoms: Atoms,
    energy_key: str | None = None,
    forces_key: str | None = None,
    stress_key: str | None = None,
) -> dict[str, Any]:
    """Return the reference energy, forces and stress of a structure.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure as from a reader.
    energy_key, forces_key, stress_key : str, optional
        Keys of the labels: in results of the attached calculator, in `info` (or the key-value pairs and data of an ASE
        database) or in `arrays`. Default: the first of the names in `fastsf.io.label_names`, in any case.

    Returns
    -------
    dict
        The values of `FoundLabels`.

    Raises
    ------
    InputError
        If a named key is missing; lists the available keys.
    StructureError
        If a label has a wrong shape or is not finite.
    """
    keys = {"energy": energy_key, "forces": forces_key, "stress": stress_key}
    for key in keys.values():
        if key is not None and key != NO_LABEL and not _named(atoms, key):
            raise InputError(f"no {key!r} in this structure; available keys: {available_keys(atoms)}")
    return find_labels(atoms, keys, strict=True).values


def find_labels(atoms: Atoms, keys: Mapping[str, str | None] | None = None, *, strict: bool) -> FoundLabels:
    """Find the labels of a structure and the keys beside them.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure as from a reader.
    keys : mapping of str to str or None, optional
        Key of each label; without one, the usual names; with `NO_LABEL`, the label is not read. A label whose key is
        missing in this structure is missing.
    strict : bool
        Raise errors for labels that cannot be used, also for those without a key.

    Raises
    ------
    StructureError
        If a label has a wrong shape or is not finite; without `strict`, only those with a key.
    """
    values: dict[str, Any] = {}
    names: dict[LabelName, str] = {}
    passed: list[tuple[LabelName, str, str]] = []
    unread: list[tuple[LabelName, str]] = []
    unusable: list[str] = []
    for name in LABELS:
        wanted = (keys or {}).get(name)
        if wanted == NO_LABEL:
            continue
        tables = _named(atoms, wanted) if wanted else _usual(atoms, name)
        if not tables:
            unread += [(name, key) for key in _unread(atoms, name)] if wanted is None else []
            continue
        (key, value), *others = tables
        try:
            found = _checked_label(name, key, value, atoms)
        except StructureError as error:
            if strict or wanted:
                raise
            unusable.append(str(error))
            continue
        if found is None:
            unusable.append(f"{key}: a virial needs a cell that is periodic in all directions")
            continue
        values[name], names[name] = found, _words(name, key)
        passed += [
            (name, key, other) for other, each in others if not wanted and _differs(name, other, each, found, atoms)
        ]
    return FoundLabels(values, names, tuple(passed), tuple(unread), tuple(unusable))


def charges_of(atoms: Atoms) -> FloatArray | None:
    """Return the charges of the atoms, (n,): results of the attached calculator, otherwise initial charges.

    None without charges, and if they are not n finite numbers.
    """
    results: dict[str, Any] = getattr(atoms.calc, "results", {})
    charges = results.get("charges", atoms.arrays.get("initial_charges"))
    try:
        array = np.asarray(charges, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return array if array.shape == (len(atoms),) and np.isfinite(array).all() else None


def flat_info(atoms: Atoms) -> dict[str, Any]:
    """Return `info` of a structure with the key-value pairs of a database row."""
    pairs = atoms.info.get("key_value_pairs")
    return {**(pairs if isinstance(pairs, dict) else {}), **{str(key): value for key, value in atoms.info.items()}}


def carried(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the texts and numbers of `info`, which files can hold."""
    return {name: value for name, value in info.items() if isinstance(value, _CARRIED)}


def available_keys(atoms: Atoms) -> str:
    """Return the keys of possible labels as text, for each attribute."""
    return "; ".join(f"{name}: {', '.join(map(str, table)) or 'none'}" for name, table in _attributes(atoms))


def _named(atoms: Atoms, key: str) -> list[tuple[str, Any]]:
    """Return a key and its values in all attributes; without any, those of the same name in another case."""
    tables = [table for _, table in _attributes(atoms)]
    exact = [(key, table[key]) for table in tables if not _is_missing(table.get(key))]
    if exact:
        return exact
    return [
        (str(each), value)
        for table in tables
        for each, value in table.items()
        if str(each).lower() == key.lower() and not _is_missing(value)
    ]


def _usual(atoms: Atoms, name: LabelName) -> list[tuple[str, Any]]:
    """Return the keys with the usual names of a label and their values, the preferred ones first."""
    found: list[tuple[tuple[int, int], str, Any]] = []
    reference_only = is_prediction(atoms)
    for _, table in _attributes(atoms):
        for each, value in table.items():
            key = str(each)
            rank = rank_of(name, key)
            if rank is None or _is_missing(value) or (reference_only and not is_reference(name, key)):
                continue
            if not is_short(key) or looks_like_label(name, value, len(atoms)):
                found.append((rank, key, value))
    found.sort(key=lambda each: each[0])
    return [(key, value) for _, key, value in found]


def _unread(atoms: Atoms, name: LabelName) -> list[str]:
    """Return the keys that may hold a label that is missing, by their names and shapes."""
    others: list[LabelName] = [each for each in LABELS if each != name]
    return [
        str(key)
        for _, table in _attributes(atoms)
        for key, value in table.items()
        if looks_like(name, str(key), value, len(atoms)) and all(rank_of(other, str(key)) is None for other in others)
    ]


def is_prediction(atoms: Atoms) -> bool:
    """Return whether a structure comes from a file of `fastsf predict`, whose energy and forces are no references."""
    return "extrapolations" in atoms.info and "outside" in atoms.arrays


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _differs(name: LabelName, key: str, value: Any, taken: Any, atoms: Atoms) -> bool:
    """Return whether another key of a label has another value; free energies may differ."""
    if "free" in key.lower():
        return False
    try:
        other = _checked_label(name, key, value, atoms)
    except StructureError:
        return True
    return other is not None and not np.allclose(other, taken, rtol=1e-6, atol=1e-6)


def _words(name: LabelName, key: str) -> str:
    """Return a key as text, with the conversion of its values."""
    if name == "forces" and is_gradient(key):
        return f"minus {key}"
    return f"-{key}/volume" if name == "stress" and is_virial(key) else key


def _attributes(atoms: Atoms) -> list[tuple[str, dict[str, Any]]]:
    info: dict[str, Any] = atoms.info
    results: dict[str, Any] = getattr(atoms.calc, "results", {})
    nested = [info[name] for name in ("key_value_pairs", "data") if isinstance(info.get(name), dict)]
    rows = [("database row", table) for table in nested]
    return [("results of the calculator", results), ("info", info), *rows, ("arrays", atoms.arrays)]


def _checked_label(name: LabelName, key: str, value: Any, atoms: Atoms) -> float | FloatArray | None:
    """Return a label in the units and with the sign of fastsf; None for a virial without a volume."""
    array = _numbers(key, value)
    shapes: dict[str, list[tuple[int, ...]]] = {
        "energy": [(), (1,)],
        "forces": [(len(atoms), 3)],
        "stress": [(6,), (3, 3), (9,)],
    }
    if array.shape not in shapes[name]:
        expected = " or ".join(map(str, shapes[name][-3:] if name != "energy" else shapes[name][:1]))
        raise StructureError(f"{key}: expected numbers of shape {expected}, found {array.shape}")
    if not np.isfinite(array).all():
        raise StructureError(f"{key}: not finite{_first_atom(array) if name == 'forces' else ''}")
    if name == "energy":
        return array.item()
    if name == "forces":
        return -array if is_gradient(key) else np.array(array)
    stress = _voigt(array, key)
    if not is_virial(key):
        return stress
    volume = abs(float(np.linalg.det(np.asarray(atoms.cell))))
    return -stress / volume if atoms.pbc.all() and volume > 0 else None


def _numbers(key: str, value: Any) -> FloatArray:
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise ValueError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise StructureError(f"{key}: expected numbers, found {value!r}") from None


def _voigt(stress: FloatArray, key: str) -> FloatArray:
    if stress.shape == (6,):
        return np.array(stress)
    full: FloatArray = stress.reshape(3, 3)
    if not np.allclose(full, full.T):
        raise StructureError(f"{key}: expected a symmetric matrix")
    return np.array([full[0, 0], full[1, 1], full[2, 2], full[1, 2], full[0, 2], full[0, 1]])


def _first_atom(forces: FloatArray) -> str:
    return f" on atom {int(np.flatnonzero(~np.isfinite(forces).all(axis=1))[0])}"

"""Labels of a structure: reference energy, forces and stress from any of the attributes of ASE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms

from fastsf.errors import InputError, StructureError
from fastsf.types import FloatArray

_CARRIED = (str, bool, int, float, np.bool_, np.integer, np.floating)


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
        database) or in `arrays`. Default: the results `energy` (otherwise `free_energy`), `forces` and `stress`, into
        which ASE puts keys of these names of an extended XYZ file.

    Returns
    -------
    dict
        Any of ``energy`` (float, eV), ``forces`` ((n, 3) float64, eV/Å) and ``stress``
        ((6,) float64, eV/Å^3, in the order xx, yy, zz, yz, xz, xy).

    Raises
    ------
    InputError
        If a named key is missing; lists the available keys.
    StructureError
        If a label has a wrong shape or is not finite.
    """
    found: dict[str, Any] = {}
    results: dict[str, Any] = getattr(atoms.calc, "results", {})
    wanted = {"energy": energy_key, "forces": forces_key, "stress": stress_key}
    for name, key in wanted.items():
        value = _lookup(atoms, key) if key else results.get(name)
        if value is None and name == "energy":
            value = results.get("free_energy")
        if value is not None:
            found[name] = _checked_label(name, key or name, value, len(atoms))
    return found


def charges_of(atoms: Atoms) -> FloatArray | None:
    """Return the charges of the atoms, (n,): results of the attached calculator, otherwise initial charges, or None.

    Raises
    ------
    StructureError
        If their shape is wrong or they are not finite.
    """
    results: dict[str, Any] = getattr(atoms.calc, "results", {})
    charges = results.get("charges", atoms.arrays.get("initial_charges"))
    if charges is None:
        return None
    array = np.asarray(charges, dtype=np.float64)
    if array.shape != (len(atoms),) or not np.isfinite(array).all():
        raise StructureError(f"charges: expected {len(atoms)} finite numbers")
    return array


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


def _lookup(atoms: Atoms, key: str) -> Any:
    for _, table in _attributes(atoms):
        if table.get(key) is not None:
            return table[key]
    raise InputError(f"no {key!r} in this structure; available keys: {available_keys(atoms)}")


def _attributes(atoms: Atoms) -> list[tuple[str, dict[str, Any]]]:
    info: dict[str, Any] = atoms.info
    results: dict[str, Any] = getattr(atoms.calc, "results", {})
    nested = [info[name] for name in ("key_value_pairs", "data") if isinstance(info.get(name), dict)]
    rows = [("database row", table) for table in nested]
    return [("results of the calculator", results), ("info", info), *rows, ("arrays", atoms.arrays)]


def _checked_label(name: str, key: str, value: Any, n_atoms: int) -> float | FloatArray:
    if name == "stress" and "virial" in key.lower():
        raise InputError(f"{key!r}: expected a stress (eV/Å^3, tension positive), found a virial by its name")
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise StructureError(f"{key}: expected numbers, found {value!r}") from None
    kinds: dict[str, list[tuple[int, ...]]] = {
        "energy": [()],
        "forces": [(n_atoms, 3)],
        "stress": [(6,), (3, 3), (9,)],
    }
    shapes = kinds[name]
    if array.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise StructureError(f"{key}: expected numbers of shape {expected}, found {array.shape}")
    if not np.isfinite(array).all():
        raise StructureError(f"{key}: not finite{_first_atom(array) if name == 'forces' else ''}")
    if name == "energy":
        return float(array)
    return _voigt(array) if name == "stress" else np.array(array)


def _voigt(stress: FloatArray) -> FloatArray:
    if stress.shape == (6,):
        return np.array(stress)
    full: FloatArray = stress.reshape(3, 3)
    if not np.allclose(full, full.T):
        raise StructureError("stress: expected a symmetric matrix")
    return np.array([full[0, 0], full[1, 1], full[2, 2], full[1, 2], full[0, 2], full[0, 1]])


def _first_atom(forces: FloatArray) -> str:
    return f" on atom {int(np.flatnonzero(~np.isfinite(forces).all(axis=1))[0])}"

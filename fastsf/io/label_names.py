"""Names under which files have energies, forces and stresses: the one table, with the order of preference."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

import numpy as np

LabelName = Literal["energy", "forces", "stress"]

LABELS: tuple[LabelName, ...] = ("energy", "forces", "stress")

REFERENCES = (
    "ref",
    "reference",
    "dft",
    "qm",
    "target",
    "true",
    "label",
    "vasp",
    "castep",
    "cp2k",
    "aims",
    "espresso",
    "orca",
    "scan",
    "pbe",
    "ccsd",
    "mp2",
)
"""Words before or after a stem that mark a label as a reference, in the order of preference."""

STEMS: dict[LabelName, tuple[str, ...]] = {
    "energy": (
        "energy",
        "totalenergy",
        "totenergy",
        "energytotal",
        "energytot",
        "potentialenergy",
        "potenergy",
        "energyev",
        "scfenergy",
        "etotal",
        "etot",
        "toten",
        "epot",
        "pe",
        "e",
        "freeenergy",
    ),
    "forces": (
        "forces",
        "force",
        "atomforces",
        "atomicforces",
        "frc",
        "f",
        "gradients",
        "gradient",
        "grads",
        "grad",
    ),
    "stress": ("stress", "stresses", "virials", "virial", "stresstensor", "virialtensor"),
}
"""Names without case, blanks and punctuation, in the order of preference.

Gradients are minus the forces. Virials are minus the stress times the volume.
"""

_PLAIN = {name: {stem: rank for rank, stem in enumerate(stems)} for name, stems in STEMS.items()}
_PUNCTUATION = re.compile(r"[^a-z0-9]")
_REFERENCE = {word: rank for rank, word in enumerate(REFERENCES)}
_SHORT = frozenset(("e", "f", "pe", "grad", "grads", "frc"))
"""Stems that may be anything: read only if the value has the shape of the label."""

_ENERGY_LIKE = re.compile(r"energ|enthalp|etot|toten|epot|^e_|_e$|^u0?$|^e$", re.IGNORECASE)
_NO_ENERGY = re.compile(
    r"kin|std|dev|sigma|weight|cut|unit|err|var|thresh|tol|conv|per_?atom_std|max|min|shift|count|level|id$|name|source",
    re.IGNORECASE,
)
_STRESS_LIKE = re.compile(r"stress|virial", re.IGNORECASE)
_NO_FORCES = re.compile(
    r"^(positions?|pos|momenta|vel.*|v|.*mag.*|.*mom.*|spins?|.*dipoles?|.*displ.*|unwrapped.*|.*image.*|scaled.*"
    r"|.*frac.*|.*_std|.*sigma.*|.*mask.*|.*weights?)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def rank_of(name: LabelName, key: str) -> tuple[int, int] | None:
    """Return the place of a key among the names of a label, lowest first, or None if it is none of them.

    References come before other names, and among these the order is that of `STEMS`.
    """
    plain = _PUNCTUATION.sub("", key.lower())
    stems = _PLAIN[name]
    if plain in stems:
        return len(REFERENCES), stems[plain]
    words = [word for word in re.split(r"[^a-z0-9]+", key.lower()) if word]
    for word, rest in ((words[0], words[1:]), (words[-1], words[:-1])) if words else ():
        stem = "".join(rest)
        if word in _REFERENCE and stem in stems:
            return _REFERENCE[word], stems[stem]
    for word, rank in _REFERENCE.items():
        if plain.startswith(word) and len(plain) > len(word) + 1 and plain[len(word) :] in stems:
            return rank, stems[plain[len(word) :]]
    return None


def is_reference(name: LabelName, key: str) -> bool:
    """Return whether a name marks a label as a reference, as ``REF_energy`` does."""
    rank = rank_of(name, key)
    return rank is not None and rank[0] < len(REFERENCES)


def is_short(key: str) -> bool:
    """Return whether a name is so short that it may be anything."""
    return _PUNCTUATION.sub("", key.lower()) in _SHORT


def is_gradient(key: str) -> bool:
    """Return whether a name is that of a gradient, which is minus the forces."""
    return "grad" in key.lower()


def is_virial(key: str) -> bool:
    """Return whether a name is that of a virial in eV; a ``virial_stress`` is a stress."""
    return "virial" in key.lower() and "stress" not in key.lower()


def looks_like_label(name: LabelName, value: Any, n_atoms: int) -> bool:
    """Return whether a value has the type and shape of a label."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return False
    shapes: dict[LabelName, set[tuple[int, ...]]] = {
        "energy": {(), (1,)},
        "forces": {(n_atoms, 3)},
        "stress": {(6,), (9,), (3, 3)},
    }
    return array.dtype.kind in ("f" if name == "forces" else "fiu") and array.shape in shapes[name]


def looks_like(name: LabelName, key: str, value: Any, n_atoms: int) -> bool:
    """Return whether an unknown key may be a label by its name and shape."""
    if not looks_like_label(name, value, n_atoms):
        return False
    if name == "energy":
        return bool(_ENERGY_LIKE.search(key)) and not _NO_ENERGY.search(key)
    if name == "forces":
        return not _NO_FORCES.match(key)
    return bool(_STRESS_LIKE.search(key)) and "std" not in key.lower()

"""Digests by which a run recognises its potential and its structure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastsf.potentials.result import Model


def digest(arrays: Iterable[Any]) -> str:
    """Return a digest of the bytes of arrays and numbers."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def model_digest(model: Model) -> str:
    """Return a digest of everything that determines the energies of a potential."""
    own = *model.descriptor.tables, *model.networks
    if model.pairs is None:
        return digest(own)
    packed, pairs = model.pairs.descriptor.packed, model.pairs
    tables = *packed.sums, *packed.tables, *packed.distances, *packed.triangles
    return digest((*own, *tables, *pairs.networks, pairs.ends, pairs.smooth))

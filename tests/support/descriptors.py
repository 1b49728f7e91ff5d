"""The descriptors under test, compiled once."""

from __future__ import annotations

from functools import cache

from fastsf import ACSF
from support.battery import ELEMENTS, functions_of


@cache
def descriptor(name: str) -> ACSF:
    """All functions of a set of the battery, for every central element."""
    return ACSF(functions_of(name), elements=ELEMENTS)

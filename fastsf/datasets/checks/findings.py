"""Findings of the checks of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastsf.datasets.labelled import LabelledSet

Level = Literal["serious", "suspicious", "note"]


@dataclass(frozen=True)
class Finding:
    """Finding of a check of data.

    Parameters
    ----------
    kind : str
        Subject: "energy", "forces", "distance", "duplicate", "contradiction", "units", "labels" or "element".
    level : "serious", "suspicious" or "note"
        "serious": the data are not fit for training. "suspicious": probably an error. "note": information.
    message : str
        Description with numbers and units, without the structure.
    structures : tuple of int
        Indices of the structures, first the one of the message; empty if it is about all structures.
    """

    kind: str
    level: Level
    message: str
    structures: tuple[int, ...] = ()

    def table(self, labelled: LabelledSet) -> dict[str, Any]:
        """Return everything in plain types, for JSON."""
        sources = [labelled.sources[k] for k in self.structures]
        return {"kind": self.kind, "level": self.level, "message": self.message, "structures": sources}

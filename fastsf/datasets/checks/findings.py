"""What a check of data has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastsf.datasets.labelled import LabelledSet

Level = Literal["serious", "suspicious", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that is remarkable about data.

    Parameters
    ----------
    kind : str
        What it is about: "energy", "forces", "distance", "duplicate", "contradiction", "units" or "element".
    level : "serious", "suspicious" or "note"
        Serious: training on it makes no sense. Suspicious: somebody should look. Note: good to know.
    message : str
        What was found, with numbers and units, without the structure.
    structures : tuple of int
        Numbers of the structures concerned, the first being the one that the message is about; empty if it is about
        all of them.
    """

    kind: str
    level: Level
    message: str
    structures: tuple[int, ...] = ()

    def table(self, labelled: LabelledSet) -> dict[str, Any]:
        """Everything in plain types, for JSON."""
        sources = [labelled.sources[k] for k in self.structures]
        return {"kind": self.kind, "level": self.level, "message": self.message, "structures": sources}

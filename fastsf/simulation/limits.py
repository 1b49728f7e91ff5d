"""The limit of the drift of the conserved energy, which stops a run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fastsf.simulation.engine import Column, Halt
from fastsf.types import FloatArray

STEP, TIME, TEMPERATURE, CONSERVED = "step", "time", "temperature", "conserved energy"
"""Names of the columns that a run uses."""

_SHORTEST_PS = 1.0


class DriftLimit:
    """A limit of the drift of the conserved energy, checked in the rows of the log.

    Parameters
    ----------
    columns : sequence of Column
        Columns of the engine. Without a conserved energy nothing is checked.
    limit : float or None
        eV per atom and ps (at least 1 ps is counted); None: any drift.
    atoms : int
        Number of atoms.

    Attributes
    ----------
    start : list of float or None
        Time (fs) and conserved energy (eV) of the first row.
    """

    def __init__(self, columns: Sequence[Column], limit: float | None, atoms: int) -> None:
        self._index = {column.name: k for k, column in enumerate(columns)}
        self._limit, self._atoms = limit, max(atoms, 1)
        self.start: list[float] | None = None

    def check(self, rows: FloatArray) -> Halt | None:
        """Return the halt if the drift of a row exceeds the limit."""
        if self._limit is None or CONSERVED not in self._index:
            return None
        for row in rows.tolist():
            time, energy = row[self._index[TIME]], row[self._index[CONSERVED]]
            if self.start is None:
                self.start = [time, energy]
            picoseconds = max(1e-3 * (time - self.start[0]), _SHORTEST_PS)
            drift = (energy - self.start[1]) / (self._atoms * picoseconds)
            if abs(drift) > self._limit and not math.isnan(drift):
                message = f"the conserved energy drifts by {drift:.3g} eV/atom/ps, the limit is {self._limit:g}"
                return Halt("energy", int(row[self._index[STEP]]), message)
        return None

"""When the log of a run says that it makes no sense to go on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fastsf.simulation.engine import Column, Halt
from fastsf.simulation.settings import Settings
from fastsf.structure import FloatArray

STEP, TIME, TEMPERATURE, CONSERVED = "step", "time", "temperature", "conserved energy"
"""Names of columns that a run knows."""

_SHORTEST_PS = 1.0


class Limits:
    """Looks at the rows of the log.

    Parameters
    ----------
    columns : sequence of Column
        Of the engine. What has no column is not looked at.
    settings : Settings
        Limits of the temperature and of the drift of the conserved energy.
    atoms : int
        How many there are.

    Attributes
    ----------
    start : list of float or None
        Time (fs) and conserved energy (eV) of the first row.
    """

    def __init__(self, columns: Sequence[Column], settings: Settings, atoms: int) -> None:
        self._place = {column.name: k for k, column in enumerate(columns)}
        self._settings, self._atoms = settings, atoms
        self.start: list[float] | None = None

    def check(self, rows: FloatArray) -> Halt | None:
        """Return why the run has to end, if a row says so."""
        for row in rows.tolist():
            found = self._temperature(row) or self._drift(row)
            if found is not None:
                return Halt(found[0], int(row[self._place[STEP]]), found[1])
        return None

    def _temperature(self, row: list[float]) -> tuple[str, str] | None:
        limit = self._settings.temperature
        if limit is None or TEMPERATURE not in self._place:
            return None
        found = row[self._place[TEMPERATURE]]
        if found <= limit:
            return None
        return "temperature", f"the temperature is {found:,.0f} K, above the limit of {limit:,.0f} K"

    def _drift(self, row: list[float]) -> tuple[str, str] | None:
        limit = self._settings.drift
        if limit is None or CONSERVED not in self._place:
            return None
        time, energy = row[self._place[TIME]], row[self._place[CONSERVED]]
        if self.start is None:
            self.start = [time, energy]
        picoseconds = max(1e-3 * (time - self.start[0]), _SHORTEST_PS)
        drift = (energy - self.start[1]) / (max(self._atoms, 1) * picoseconds)
        if abs(drift) <= limit or math.isnan(drift):
            return None
        return "energy", f"the conserved energy drifts by {drift:.3g} eV/atom/ps, the limit is {limit:g}"

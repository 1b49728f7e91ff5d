"""Supervision of a run: extrapolations of its potential, and the disagreement of a committee.

Structures that a potential does not know well are saved for its next training set.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.potentials.committee import Committee, CommitteeResult
from fastsf.potentials.evaluation import Evaluator, Result
from fastsf.potentials.extrapolation import Tally
from fastsf.potentials.potential import Potential
from fastsf.simulation.engine import Column, EngineFrame, Halt
from fastsf.simulation.log import Log
from fastsf.simulation.observers import Mark
from fastsf.simulation.settings import SupervisionSettings, TrajectorySettings
from fastsf.simulation.trajectories import frame_text
from fastsf.storage.growing import GrowingFile
from fastsf.structure import Structure
from fastsf.types import FloatArray

CHECKS, CANDIDATES = "checks.csv", "candidates.extxyz"
"""Files with the findings of each look, and with the structures that were saved."""

_MOST_LINES = 6
_PLAIN = TrajectorySettings("extxyz", 1, wrap=True)
_COLUMNS = (
    Column("step", ""),
    Column("time", "fs"),
    Column("extrapolations", ""),
    Column("largest force deviation", "eV/Å"),
    Column("mean force deviation", "eV/Å"),
    Column("energy deviation", "eV"),
)


class Supervision:
    """An observer that evaluates frames again, and warns, saves them or stops the run.

    Parameters
    ----------
    potential : Potential or Committee
        Potential of the run, or a committee with further members.
    structure : ase.Atoms or Structure
        Structure with the atoms of the run.
    folder : Path
        Folder for `CHECKS` and `CANDIDATES`.
    settings : SupervisionSettings
        When to look, and what to do.
    warn : callable
        Gets the text of a warning for the 1st, 10th, 100th ... finding.
    threads : int, optional
        Number of threads, as for `Evaluator`.
    """

    name = "supervision"

    def __init__(
        self,
        potential: Potential | Committee,
        structure: Any,
        folder: Path,
        settings: SupervisionSettings,
        warn: Callable[[str], object],
        threads: int | None = None,
    ) -> None:
        self.every, self.settings = settings.every, settings
        self._checks, self._candidates = folder / CHECKS, folder / CANDIDATES
        self.paths: tuple[Path, ...] = (self._checks, self._candidates)
        self._members = potential.members if isinstance(potential, Committee) else (potential,)
        self._evaluator: Evaluator = potential.evaluator(Structure.from_atoms(structure), threads=threads)
        self._warn = warn
        self._tally = Tally()
        self.counts = {"extrapolation": 0, "disagreement": 0}
        self._saved: int | None = None
        self._noted = False

    def begin(self, mark: Mark | None) -> None:
        """Open the files: new ones, or existing ones cut to a mark."""
        self._log = Log(self._checks, _COLUMNS, None if mark is None else mark["checks"])
        self._file = GrowingFile(self._candidates, None if mark is None else mark["candidates"])
        if mark is not None:
            self.counts, self._saved = dict(mark["counts"]), mark["saved"]

    def see(self, frame: EngineFrame) -> Halt | None:
        """Look at a frame; without a committee, only if the engine has met extrapolations."""
        if len(self._members) == 1 and frame.columns.get("extrapolations") == 0:
            return None
        result = self._evaluator.evaluate(frame.positions, frame.cell)
        deviations = _deviations(result)
        self._write(frame, result, deviations)
        if not result.outside.any():
            self._note_others(frame)
        found = {
            "extrapolation": self._extrapolation(result),
            "disagreement": self._disagreement(deviations),
        }
        halts = [self._act(kind, message, frame) for kind, message in found.items() if message]
        actions = {getattr(self.settings, kind) for kind, message in found.items() if message}
        if actions & {"save", "stop"}:
            self._save(frame, result, deviations, stopping="stop" in actions)
        return next((halt for halt in halts if halt is not None), None)

    def _note_others(self, frame: EngineFrame) -> None:
        """Warn once that the engine met extrapolations between two looks."""
        met = frame.columns.get("extrapolations", 0.0)
        if met > 0 and not self._noted and self.settings.extrapolation != "ignore":
            self._noted = True
            self._warn(f"step {frame.step:,}: {met:,.0f} extrapolations since the start, none at this step")

    def _write(self, frame: EngineFrame, result: Result, deviations: FloatArray | None) -> None:
        spread = [math.nan] * 3
        if isinstance(result, CommitteeResult) and deviations is not None:
            spread = [float(deviations.max()), float(deviations.mean()), result.energy_std]
        self._log.add(np.array([[frame.step, frame.time, result.outside.sum(), *spread]]))

    def _extrapolation(self, result: Result) -> str | None:
        count = int(result.outside.sum())
        if not count or self.settings.extrapolation == "ignore":
            return None
        self._tally.add(result.extrapolations)
        atoms = int(np.count_nonzero(result.outside))
        return f"{count:,} symmetry functions of {atoms:,} atoms are outside the range of the training set"

    def _disagreement(self, deviations: FloatArray | None) -> str | None:
        limit = self.settings.limit
        if deviations is None or self.settings.disagreement == "ignore" or not deviations.max() > limit:
            return None
        atom = int(deviations.argmax())
        return (
            f"the forces of the committee on atom {atom} deviate by {deviations[atom]:.3g} eV/Å, "
            f"above the limit of {limit:g}"
        )

    def _act(self, kind: str, message: str, frame: EngineFrame) -> Halt | None:
        self.counts[kind] += 1
        if getattr(self.settings, kind) == "stop":
            return Halt(kind, frame.step, message)
        if str(self.counts[kind]).strip("0") == "1":
            often = "" if self.counts[kind] == 1 else f" ({self.counts[kind]:,} frames so far)"
            self._warn(f"step {frame.step:,}: {message}{often}")
        return None

    def _save(self, frame: EngineFrame, result: Result, deviations: FloatArray | None, stopping: bool) -> None:
        if self._saved is not None and frame.step - self._saved < self.settings.apart and not stopping:
            return
        columns: dict[str, Any] = {"outside": result.outside}
        if deviations is not None:
            columns["deviation"] = deviations
        self._file.add(frame_text(frame, _PLAIN, columns).encode())
        self._saved = frame.step

    def summary(self) -> list[str]:
        """Return the findings as lines of text."""
        lines = []
        for kind, count in self.counts.items():
            if count:
                lines.append(f"{kind} in {count:,} frames, see {self._checks}")
        if len(self._tally):
            lines += self._tally.summary().splitlines()[:_MOST_LINES]
        if self._saved is not None:
            lines.append(f"structures for the next training set: {self._candidates}")
        return lines

    def mark(self) -> Mark:
        """Return the marks of the files and the counts."""
        return {
            "checks": self._log.mark(),
            "candidates": self._file.length,
            "counts": dict(self.counts),
            "saved": self._saved,
        }

    def sync(self) -> None:
        """Return once everything is on the disk."""
        self._log.sync()
        self._file.sync()

    def close(self) -> None:
        """Close the files."""
        self._log.close()
        self._file.close()


def _deviations(result: Result) -> FloatArray | None:
    """Return the deviation of the members' forces on each atom, (n,) in eV/Å; None without a committee."""
    if not isinstance(result, CommitteeResult) or result.forces_std is None:
        return None
    deviations: FloatArray = np.sqrt((result.forces_std**2).sum(axis=1))
    return deviations

"""All results of a run, from one pass over its frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from ase import Atoms

from fastsf.analysis.diffusion import MSD, PIECES, mean_square_displacement
from fastsf.analysis.motion import Displacements, Tracks, Velocities
from fastsf.analysis.parts import PARTS
from fastsf.analysis.rdf import RDF, RadialDistribution
from fastsf.analysis.series import FrameSeries, Series
from fastsf.analysis.source import Snapshot, Source, even_interval, read_frames, read_series
from fastsf.analysis.vibrations import Vibrations, vibrations
from fastsf.datasets.read_ahead import ReadAhead
from fastsf.errors import InputError, StructureError
from fastsf.io.text import ReadPosition
from fastsf.structure import Structure

_ROUNDING = 1e-9
_EXPONENT = 0.2
"""Difference from 1 above which an exponent of a mean square displacement is worth a remark."""

T = TypeVar("T")


@dataclass(frozen=True)
class AnalysisSettings:
    """Settings of an analysis.

    Parameters
    ----------
    parts : tuple of str
        Parts out of `PARTS`, which must succeed. Empty: all that the run allows.
    interval : float, optional
        Time between frames in fs; by default that of the frames.
    skip : float
        Time in ps to leave out at the start.
    reach, bins
        As in `RadialDistribution`.
    unwrap, remove_drift : bool
        As in `Displacements`.
    fit, pieces
        As in `mean_square_displacement`.
    longest : float, optional
        As in `vibrations`, in ps.
    memory : float
        Most memory for the motion of the atoms, in GiB.
    threads : int, optional
        Number of threads of the neighbour search.
    """

    parts: tuple[str, ...] = ()
    interval: float | None = None
    skip: float = 0.0
    reach: float = 10.0
    bins: int | None = None
    unwrap: bool = True
    remove_drift: bool = True
    fit: tuple[float, float] | None = None
    pieces: int = PIECES
    longest: float | None = None
    memory: float = 2.0
    threads: int | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.parts if name not in PARTS]
        if unknown:
            raise InputError(f"--only: expected parts out of {', '.join(PARTS)}, found {unknown[0]!r}")
        if self.interval is not None and not 0 < self.interval < np.inf:
            raise InputError(f"--interval: expected a positive time between frames, found {self.interval} fs")
        if not 0 <= self.skip < np.inf:
            raise InputError(f"--skip: expected at least 0 ps, found {self.skip}")

    def wants(self, part: str) -> bool:
        """Return True if a part is wanted, by name or because all are."""
        return not self.parts or part in self.parts


@dataclass
class Results:
    """The results of an analysis; None for parts that the run does not allow.

    Parameters
    ----------
    frames, used : int
        Number of frames in the trajectory, and of those used.
    first : ase.Atoms or None
        First frame that was used.
    length : float or None
        Time from the first to the last used frame, in ps.
    series : Series or None
        Series of the log, or of the frames without a log.
    rdf, msd, vibrations
        Results of the other parts.
    left_out : dict of str to str
        Parts that are missing, with the reason.
    remarks : list of str
        Warnings about the other parts.
    """

    frames: int = 0
    used: int = 0
    first: Atoms | None = None
    length: float | None = None
    series: Series | None = None
    rdf: RDF | None = None
    msd: MSD | None = None
    vibrations: Vibrations | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def study(
    source: Source, settings: AnalysisSettings, on_frame: Callable[[int, int, int], object] = lambda *_: None
) -> Results:
    """Analyse a run.

    Parameters
    ----------
    source : Source
        The run.
    settings : AnalysisSettings
        Parts and parameters.
    on_frame : callable
        Called with the numbers of frames and atoms done and of bytes read.

    Returns
    -------
    Results
        Results; parts that were not wanted by name may be missing.

    Raises
    ------
    StorageError, FormatError
        If files cannot be read.
    InputError
        If a part that was wanted by name is not possible, or none is.
    StructureError
        For a frame that cannot be used.
    """
    work, position = _Study(settings), ReadPosition()
    if source.trajectory is not None:
        read = read_frames(source.trajectory, settings.interval, position, source.form, source.types)
        with ReadAhead(read, depth=8) as frames:
            for snapshot in frames:
                work.add(snapshot, source.trajectory)
                on_frame(work.results.frames, work.atoms, position.bytes)
    return work.finish(source.log)


class _Study:
    def __init__(self, settings: AnalysisSettings) -> None:
        self.settings = settings
        self.results = Results()
        self.atoms = 0
        self._start: float | None = None
        self._times: list[float | None] = []
        self._series = FrameSeries()
        self._watches: dict[str, Any] = {}

    def add(self, snapshot: Snapshot, path: Path) -> None:
        """Add a frame."""
        self.results.frames += 1
        self.atoms += len(snapshot.atoms)
        _check(snapshot, path)
        if self._is_early(snapshot.time):
            return
        if self.results.first is None:
            self._begin(snapshot)
        else:
            for name in list(self._watches):
                self._try(name, snapshot.number, partial(self._watches[name].add, snapshot.atoms))
        self._times.append(snapshot.time)
        self.results.used += 1
        self._series.add(snapshot.atoms, snapshot.time)

    def _is_early(self, time: float | None) -> bool:
        if not self.settings.skip:
            return False
        if time is None:
            raise InputError(
                "--skip needs times, which the frames do not have; give the time between them with --interval"
            )
        if self._start is None:
            self._start = time
        return time - self._start < 1000 * self.settings.skip * (1 - _ROUNDING)

    def _begin(self, snapshot: Snapshot) -> None:
        chosen, atoms = self.settings, snapshot.atoms
        self.results.first = atoms
        makers: dict[str, Callable[[], Any]] = {
            "rdf": lambda: RadialDistribution(chosen.reach, chosen.bins, chosen.threads).add(atoms),
            "msd": lambda: Displacements(atoms, chosen.memory / 2, chosen.unwrap, chosen.remove_drift),
            "vdos": lambda: Velocities(atoms, chosen.memory / 2, chosen.remove_drift),
        }
        for name, make in makers.items():
            if chosen.wants(name):
                made = self._try(name, snapshot.number, make)
                if made is not None:
                    self._watches[name] = made

    def _try(self, name: str, frame: int | None, do: Callable[[], T]) -> T | None:
        """Call a function for a part; leave the part out, with the reason, if it is not possible."""
        try:
            return do()
        except InputError as error:
            reason = str(error) if frame is None else f"frame {frame}: {error}"
            if name in self.settings.parts:
                raise InputError(f"{PARTS[name]}: not possible: {reason}") from error
            self.results.left_out[name] = reason
            self._watches.pop(name, None)
            return None

    def finish(self, log: Path | None) -> Results:
        """Evaluate all frames."""
        results, chosen = self.results, self.settings
        if results.frames and not results.used:
            raise InputError(f"--skip: expected frames after the first {chosen.skip:g} ps, found none")
        if chosen.wants("means"):
            results.series = self._try("means", None, lambda: self._means(log))
        if "rdf" in self._watches:
            results.rdf = self._watches["rdf"].result()
        if "msd" in self._watches:
            results.msd = self._try("msd", None, self._diffusion)
        if "vdos" in self._watches:
            results.vibrations = self._try("vdos", None, self._vibrations)
        times = [time for time in self._times if time is not None]
        if times and len(times) == len(self._times):
            results.length = (times[-1] - times[0]) / 1000
        if not (results.series or results.rdf or results.msd or results.vibrations):
            reasons = "; ".join(f"{PARTS[name]}: {reason}" for name, reason in results.left_out.items())
            raise InputError(f"no part of the analysis is possible: {reasons}")
        return results

    def _means(self, log: Path | None) -> Series:
        series = self._series.result() if log is None else read_series(log).after(self.settings.skip)
        first = self.results.first
        return series if first is None else series.with_density(float(first.get_masses().sum()))

    def _diffusion(self) -> MSD:
        displacements: Displacements = self._watches["msd"]
        interval = even_interval(self._times) / 1000
        found = mean_square_displacement(displacements.tracks, interval, self.settings.pieces, self.settings.fit)
        if displacements.is_ambiguous:
            self.results.remarks.append(
                f"atoms moved by up to {displacements.longest_step:.2f} of a cell vector between two frames: the "
                "shortest step may be wrong; if positions are not wrapped, use --unwrapped"
            )
        self._note_thinning(displacements.tracks, PARTS["msd"])
        self._note_exponents(found)
        return found

    def _note_exponents(self, found: MSD) -> None:
        odd = {name: each.exponent for name, each in found.diffusion.items() if abs(each.exponent - 1) > _EXPONENT}
        if odd:
            words = ", ".join(f"{name} t^{exponent:.2f}" for name, exponent in odd.items())
            self.results.remarks.append(
                f"mean square displacements do not grow as t in the range of the fit ({words}); without "
                "that D is no diffusion coefficient"
            )

    def _vibrations(self) -> Vibrations:
        velocities: Velocities = self._watches["vdos"]
        interval = even_interval(self._times)
        self._note_thinning(velocities.tracks, PARTS["vdos"])
        return vibrations(velocities.tracks, velocities.masses, interval, self.settings.longest, velocities.fixed)

    def _note_thinning(self, tracks: Tracks, what: str) -> None:
        if tracks.is_thinned:
            self.results.remarks.append(
                f"{what}: from {len(tracks.atoms):,} of {len(tracks.numbers):,} atoms, as many as fit into "
                f"{self.settings.memory:g} GiB; use all with a larger --memory"
            )


def _check(snapshot: Snapshot, path: Path) -> None:
    try:
        if len(Structure.from_atoms(snapshot.atoms)) == 0:
            raise StructureError("expected atoms, found none")
    except StructureError as error:
        raise StructureError(f"{path}, frame {snapshot.number}: {error}") from error

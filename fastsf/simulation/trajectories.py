"""Trajectories that other programs read: extended XYZ and ASE's own format."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from ase.io.trajectory import Trajectory as AseTrajectory

from fastsf.io.extxyz_writer import format_frame
from fastsf.simulation.engine import EngineFrame
from fastsf.simulation.h5md import H5MDFile
from fastsf.simulation.observers import Mark, to_atoms
from fastsf.simulation.settings import FILES, TrajectorySettings
from fastsf.storage.atomic import storage_errors
from fastsf.storage.growing import GrowingFile, cut

_SECONDS = 5.0
_BYTES = 2**25
"""Seconds and bytes of memory after which waiting frames are written."""


class ExtxyzFile:
    """An extended XYZ file; momenta are in the units of ASE, which reads them by that name."""

    def __init__(self, path: Path, settings: TrajectorySettings, mark: Mark | None) -> None:
        self._settings = settings
        self._file = GrowingFile(path, None if mark is None else mark["length"])

    def write(self, frames: list[EngineFrame]) -> None:
        """Add frames."""
        for frame in frames:
            self._file.add(frame_text(frame, self._settings).encode())

    def mark(self) -> Mark:
        """Return the mark of the file."""
        return {"length": self._file.length}

    def sync(self) -> None:
        """Return once everything is on the disk."""
        self._file.sync()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def frame_text(frame: EngineFrame, settings: TrajectorySettings, extra: Mapping[str, Any] | None = None) -> str:
    """Return a frame as extended XYZ, with further columns of the atoms.

    Masses that are not the standard ones are the column ``masses``, and atoms that may move are true in ``move_mask``,
    as in ASE.
    """
    atoms = to_atoms(frame, velocities=settings.velocities, wrap=settings.wrap)
    info = {"energy": frame.energy, "step": frame.step, "time": frame.time}
    columns: dict[str, Any] = {}
    if settings.velocities and frame.velocities is not None:
        columns["momenta"] = atoms.get_momenta()
    if settings.forces and frame.forces is not None:
        columns["forces"] = frame.forces
    if frame.masses is not None:
        columns["masses"] = frame.masses
    if frame.fixed is not None:
        columns["move_mask"] = ~frame.fixed
    info = {name: value for name, value in info.items() if value == value}
    return format_frame(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, info, columns | dict(extra or {}))


class TrajFile:
    """A trajectory of ASE; the number of frames is in its head, which is written last."""

    _HEAD = 48

    def __init__(self, path: Path, settings: TrajectorySettings, mark: Mark | None) -> None:
        self._path, self._settings = path, settings
        with storage_errors(f"cannot write {path}"):
            if mark is None or not mark["length"]:
                path.unlink(missing_ok=True)
            else:
                cut(path, mark["length"])
                with path.open("r+b") as file:
                    file.write(bytes.fromhex(mark["head"]))

    def write(self, frames: list[EngineFrame]) -> None:
        """Add frames."""
        chosen = {"velocities": self._settings.velocities, "forces": self._settings.forces, "wrap": self._settings.wrap}
        with storage_errors(f"cannot write {self._path}"), AseTrajectory(self._path, "a") as file:
            for frame in frames:
                file.write(to_atoms(frame, **chosen))

    def mark(self) -> Mark:
        """Return the mark of the file."""
        if not self._path.exists():
            return {"length": 0, "head": ""}
        with storage_errors(f"cannot read {self._path}"), self._path.open("rb") as file:
            return {"length": self._path.stat().st_size, "head": file.read(self._HEAD).hex()}

    def sync(self) -> None:
        """Return once everything is on the disk."""
        if self._path.exists():
            with storage_errors(f"cannot write {self._path}"), self._path.open("rb") as file:
                os.fsync(file.fileno())

    def close(self) -> None:
        """Do nothing: no file is open."""


class _File(Protocol):
    def write(self, frames: list[EngineFrame]) -> None: ...

    def mark(self) -> Mark: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


_KINDS: dict[str, Callable[[Path, TrajectorySettings, Mark | None], _File]] = {
    "extxyz": ExtxyzFile,
    "traj": TrajFile,
    "h5md": H5MDFile,
}


class Trajectory:
    """An observer that writes frames into a file, several at once.

    Parameters
    ----------
    folder : Path
        Folder of the file, whose name depends on the format.
    settings : TrajectorySettings
        Format, interval and contents.
    """

    def __init__(self, folder: Path, settings: TrajectorySettings) -> None:
        self.name, self.every = settings.format, settings.every
        self.path = folder / FILES[settings.format]
        self.paths: tuple[Path, ...] = (self.path,)
        self._settings = settings
        self._frames: list[EngineFrame] = []
        self._bytes, self._when = 0, time.perf_counter()
        self._file: _File

    def begin(self, mark: Mark | None) -> None:
        """Open the file: a new one, or an existing one cut to a mark."""
        self._file = _KINDS[self.name](self.path, self._settings, mark)

    def see(self, frame: EngineFrame) -> None:
        """Take a frame; write the waiting frames if they are many or have waited long."""
        self._frames.append(frame)
        self._bytes += 4 * frame.positions.nbytes
        if self._bytes > _BYTES or time.perf_counter() - self._when > _SECONDS:
            self._write()

    def _write(self) -> None:
        if self._frames:
            self._file.write(self._frames)
        self._frames, self._bytes, self._when = [], 0, time.perf_counter()

    def mark(self) -> Mark:
        """Write all frames; return the mark of the file."""
        self._write()
        return self._file.mark()

    def sync(self) -> None:
        """Return once everything is on the disk."""
        self._file.sync()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

"""Compact trajectories: HDF5 in the layout of H5MD 1.1, whole after any end of the program.

de Buyl, Colberg and Höfling, Comput. Phys. Commun. 185, 1546 (2014); nongnu.org/h5md. Group ``particles/atoms``:
``species`` (n,) atomic numbers; ``position``, and if wanted ``velocity`` and ``force``, with ``step``, ``time`` and
``value`` (frames, n, 3), not wrapped by default; ``box/edges`` (frames, 3, 3), rows are the vectors. ``mass`` (n,)
exists if masses are not the standard ones, and ``move_mask`` (n,), true for atoms that may move, if some are fixed.
``observables`` holds what the engine observes, (frames,) each. Units are in the attributes ``unit``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

import fastsf
from fastsf.errors import FormatError
from fastsf.simulation.engine import EngineFrame
from fastsf.simulation.observers import Mark, shown_positions
from fastsf.simulation.settings import TrajectorySettings
from fastsf.storage.atomic import write_atomically
from fastsf.storage.transaction import Transaction, remove

_CHUNK = 2**18
_MOST_FRAMES = 256
"""Bytes and frames of a chunk, at most if more than one frame fits."""

GROUP = "particles/atoms"
MASS, MOVE_MASK = "mass", "move_mask"
_POSITION, _VELOCITY, _FORCE, _EDGES = (f"{GROUP}/{name}" for name in ("position", "velocity", "force", "box/edges"))
_UNITS = {_POSITION: "Angstrom", _VELOCITY: "Angstrom fs-1", _FORCE: "eV Angstrom-1", _EDGES: "Angstrom"}
_ENERGY = "observables/potential_energy"


class H5MDFile:
    """An H5MD file that grows; between two calls it is always whole and closed.

    Parameters
    ----------
    path : Path
        The file.
    settings : TrajectorySettings
        Contents of the frames.
    mark : dict, optional
        Mark to continue from.

    Raises
    ------
    StorageError
        Also in `write`, if space or permission is missing; the file is whole then.
    FormatError
        If the file is not the one that was marked.
    """

    def __init__(self, path: Path, settings: TrajectorySettings, mark: Mark | None) -> None:
        self._path, self._settings = path, settings
        self._count = 0
        if mark is None or not mark["frames"]:
            remove(path)
        else:
            self._go_on(mark["frames"])

    def write(self, frames: list[EngineFrame]) -> None:
        """Add frames."""
        if not self._count:
            _create(self._path, self._settings, frames[0])
        with _changed(self._path) as file:
            _add_constants(file[GROUP], frames[0])
            for name, values in self._columns(frames).items():
                dataset = file[name]
                dataset.resize(self._count + len(frames), axis=0)
                dataset[self._count :] = values
        self._count += len(frames)

    def mark(self) -> Mark:
        """Return the mark of the file: its number of frames."""
        return {"frames": self._count}

    def sync(self) -> None:
        """Do nothing: `write` returns once everything is on the disk."""

    def close(self) -> None:
        """Do nothing: the file is closed."""

    def _go_on(self, count: int) -> None:
        if not self._path.exists():
            raise FormatError(f"expected the {count:,} frames of the run, found no file", self._path)
        try:
            with _changed(self._path) as file:
                found = len(file[f"{_POSITION}/step"])
                if found < count:
                    raise FormatError(f"expected {count:,} frames or more, found {found:,}", self._path)
                held = [name for name in (_VELOCITY, _FORCE) if name in file]
                if held != [name for name in _wanted(self._settings) if name in (_VELOCITY, _FORCE)]:
                    raise FormatError("expected the same columns as before; --overwrite replaces the run", self._path)
                for dataset in _growing(file):
                    dataset.resize(count, axis=0)
        except (KeyError, OSError) as error:
            raise FormatError(f"not the trajectory of a run: {error}", self._path) from error
        self._count = count

    def _columns(self, frames: Sequence[EngineFrame]) -> dict[str, Any]:
        columns: dict[str, Any] = {
            f"{_POSITION}/step": [frame.step for frame in frames],
            f"{_POSITION}/time": [frame.time for frame in frames],
            f"{_EDGES}/value": [frame.cell for frame in frames],
            f"{_ENERGY}/value": [frame.energy for frame in frames],
        }
        for name, values in _per_atom(frames, self._settings):
            columns[f"{name}/value"] = values
        return columns


def _wanted(settings: TrajectorySettings) -> Iterator[str]:
    yield _POSITION
    if settings.velocities:
        yield _VELOCITY
    if settings.forces:
        yield _FORCE


def _per_atom(frames: Sequence[EngineFrame], settings: TrajectorySettings) -> Iterator[tuple[str, list[Any]]]:
    for name in _wanted(settings):
        if name == _POSITION:
            yield name, [shown_positions(frame, settings.wrap) for frame in frames]
        else:
            yield name, [frame.velocities if name == _VELOCITY else frame.forces for frame in frames]


@contextmanager
def _changed(path: Path) -> Iterator[h5py.File]:
    """Open a file for changes that reach the disk at the end, unless an error occurs."""
    with Transaction(path) as transaction:
        with h5py.File(transaction, "r+") as file:
            yield file
        transaction.commit()


def _add_constants(group: h5py.Group, frame: EngineFrame) -> None:
    """Add masses and fixed atoms, which are the same in all frames; files of old versions do not have them."""
    if frame.masses is not None and MASS not in group:
        group[MASS] = frame.masses
        group[MASS].attrs["unit"] = "amu"
    if frame.fixed is not None and MOVE_MASK not in group:
        group[MOVE_MASK] = ~frame.fixed


def _growing(file: h5py.File) -> list[h5py.Dataset]:
    found = []

    def visit(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.maxshape and item.maxshape[0] is None:
            found.append(item)

    file.visititems(visit)  # shared datasets come once
    return found


def _create(path: Path, settings: TrajectorySettings, first: EngineFrame) -> None:
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        _write_head(file)
        atoms = file.create_group(GROUP)
        atoms["species"] = first.numbers
        box = atoms.create_group("box")
        box.attrs["dimension"] = 3
        box.attrs["boundary"] = ["periodic" if repeats else "none" for repeats in first.pbc]
        kind: npt.DTypeLike = np.float64 if settings.float64 else np.float32
        step = _dataset(file, f"{_POSITION}/step", (), np.int64)
        clock = _dataset(file, f"{_POSITION}/time", (), np.float64)
        clock.attrs["unit"] = "fs"
        for name, shape, dtype in (
            *((name, (len(first.numbers), 3), kind) for name in _wanted(settings)),
            (_EDGES, (3, 3), np.float64),
            (_ENERGY, (), np.float64),
        ):
            _dataset(file, f"{name}/value", shape, dtype).attrs["unit"] = _UNITS.get(name, "eV")
            if name != _POSITION:
                file[f"{name}/step"], file[f"{name}/time"] = step, clock
    write_atomically(path, lambda file: file.write(memory.getbuffer()))


def _write_head(file: h5py.File) -> None:
    head = file.create_group("h5md")
    head.attrs["version"] = np.array([1, 1], dtype=np.int32)
    head.create_group("author").attrs["name"] = "unknown"
    creator = head.create_group("creator")
    creator.attrs["name"], creator.attrs["version"] = "fastsf", fastsf.__version__
    head.create_group("modules/units").attrs["version"] = np.array([1, 0], dtype=np.int32)


def _dataset(file: h5py.File, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> h5py.Dataset:
    size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
    frames = max(1, min(_CHUNK // max(size, 1), _MOST_FRAMES))
    return file.create_dataset(name, (0, *shape), dtype, maxshape=(None, *shape), chunks=(frames, *shape))

"""Frames and log of a run, from files of any origin or from a folder of fastsf."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from pathlib import Path

import h5py
import numpy as np
from ase import Atoms, units
from ase.constraints import FixAtoms

from fastsf.analysis.series import Series
from fastsf.errors import FormatError, InputError, StorageError
from fastsf.io.structures import iread_structures
from fastsf.io.text import ReadPosition
from fastsf.simulation.files import LOG
from fastsf.simulation.h5md import GROUP, MASS, MOVE_MASK
from fastsf.simulation.log import read_log
from fastsf.simulation.settings import FILES
from fastsf.storage.atomic import storage_errors

TRAJECTORIES = tuple(FILES[kind] for kind in ("h5md", "traj", "extxyz"))
"""Trajectories in the folder of a run; the first of them that exists is read."""

_HEADING = re.compile(r"(?P<name>.*?)\s*(?:\((?P<unit>.*)\))?")


@dataclass(frozen=True)
class Source:
    """The files of a run.

    Parameters
    ----------
    name : Path
        Path that the user gave.
    trajectory, log : Path or None
        Files, at least one of them.
    form, types
        Format of a trajectory in place of recognition, and elements of types, as for `iread_structures`.
    """

    name: Path
    trajectory: Path | None
    log: Path | None
    form: str | None = None
    types: Sequence[str] = ()

    @classmethod
    def of(cls, path: str | Path, form: str | None = None, types: Sequence[str] = ()) -> Source:
        """Return the files of a run, given its folder, a trajectory, or a log (CSV).

        Raises
        ------
        StorageError
            If the path does not exist.
        FormatError
            For a folder without trajectory and log.
        """
        path = Path(path)
        if not path.exists():
            raise StorageError(f"{path}: no such file or folder")
        if not path.is_dir():
            return (
                cls(path, None, path) if path.suffix == ".csv" and form is None else cls(path, path, None, form, types)
            )
        found = [path / name for name in TRAJECTORIES if (path / name).exists()]
        log = path / LOG
        if not found and not log.exists():
            raise FormatError(f"expected the folder of a run, with {LOG} or {' or '.join(TRAJECTORIES)}", path)
        return cls(path, found[0] if found else None, log if log.exists() else None)


@dataclass(frozen=True)
class Snapshot:
    """A frame, its number in the file from 0, and its time in fs if that is known."""

    number: int
    atoms: Atoms
    time: float | None


def read_frames(
    path: Path,
    interval: float | None = None,
    position: ReadPosition | None = None,
    form: str | None = None,
    types: Sequence[str] = (),
) -> Iterator[Snapshot]:
    """Read frames one by one.

    Parameters
    ----------
    path : Path
        H5MD file of a run, or a file that ASE reads.
    interval : float, optional
        Time between frames in fs; by default their key ``time``, taken as fs.
    position : ReadPosition, optional
        Follows the file.
    form, types
        As of `Source`.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If a frame is broken. One that breaks off at the end of the file, as a run that was killed leaves it, is none.
    """
    hdf5 = path.suffix in (".h5", ".h5md") and form is None
    read = _h5md if hdf5 else partial(_structures, form=form, types=types)
    for number, atoms in read(path, position or ReadPosition()):
        yield Snapshot(number, atoms, _time(atoms, number, interval))


def _time(atoms: Atoms, number: int, interval: float | None) -> float | None:
    if interval is not None:
        return number * interval
    time = atoms.info.get("time")
    return float(time) if isinstance(time, Real) and math.isfinite(time) else None


def _structures(
    path: Path, position: ReadPosition, form: str | None, types: Sequence[str]
) -> Iterator[tuple[int, Atoms]]:
    broken: FormatError | None = None
    for _, number, found in iread_structures([path], form=form, types=types, position=position):
        if broken is not None:
            raise broken
        if isinstance(found, FormatError):
            broken = found
            if number == 0:
                raise broken
        else:
            yield number, found


def _h5md(path: Path, position: ReadPosition) -> Iterator[tuple[int, Atoms]]:
    with storage_errors(f"cannot read {path}"), path.open("rb"):
        pass
    try:
        with h5py.File(path, "r") as file:
            size, count = path.stat().st_size, len(file[GROUP]["position/step"])
            for number, atoms in _h5md_frames(file[GROUP]):
                position.follow(partial(int, size * (number + 1) / count))
                yield number, atoms
    except (KeyError, OSError) as error:
        raise FormatError(f"expected a trajectory in the H5MD layout of fastsf: {error}", path) from error


def _h5md_frames(group: h5py.Group) -> Iterator[tuple[int, Atoms]]:
    numbers = group["species"][:]
    periodic = [word in ("periodic", b"periodic") for word in group["box"].attrs["boundary"]]
    position, edges = group["position"], group["box/edges"]
    velocity = group["velocity/value"] if "velocity" in group else None
    masses = group[MASS][:] if MASS in group else None
    movable = group[MOVE_MASK][:].astype(np.bool_) if MOVE_MASK in group else None
    for number in range(len(position["step"])):
        atoms = Atoms(numbers, position["value"][number], cell=edges["value"][number], pbc=periodic, masses=masses)
        if velocity is not None:
            atoms.set_velocities(velocity[number].astype(np.float64) / units.fs)
        if movable is not None:
            atoms.set_constraint(FixAtoms(mask=~movable))
        atoms.info["time"] = float(position["time"][number])
        yield number, atoms


def read_series(path: Path) -> Series:
    """Read a log: comma-separated, with a first line that names columns, units in brackets.

    Columns without a unit, which count something, and those with numbers that are not finite are left out.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is something else, or holds no rows.
    """
    columns, found_units = {}, {}
    found = read_log(path)
    if not found or not len(next(iter(found.values()))):
        raise FormatError("the log holds no rows", path)
    for heading, values in found.items():
        match = _HEADING.fullmatch(heading.strip())
        if match and match["unit"] and np.isfinite(values).all():
            columns[match["name"]], found_units[match["name"]] = values, match["unit"]
    return Series(columns.pop("time", None), columns, found_units)


def even_interval(times: list[float | None]) -> float:
    """Return the time between frames in fs.

    Raises
    ------
    InputError
        If times are unknown or not evenly spaced.
    """
    if any(time is None for time in times) or not times:
        raise InputError("expected times in the frames, found none; give the time between them with --interval")
    steps = np.diff(np.array(times, dtype=np.float64))
    if not len(steps):
        raise InputError("expected at least two frames, found one")
    usual = float(np.median(steps))
    odd = np.flatnonzero(np.abs(steps - usual) > 1e-3 * abs(usual))
    if usual <= 0 or len(odd):
        first = int(odd[0]) if len(odd) else 0
        raise InputError(
            f"expected frames at even intervals, found one {steps[first]:g} fs after another (frames {first} and "
            f"{first + 1} of those used), and mostly {usual:g} fs"
        )
    return usual

"""Readers of structures from files that ASE reads and from input.data, one structure at a time."""

from __future__ import annotations

import glob
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import ase.db
import ase.io
from ase import Atoms
from ase.io.trajectory import TrajectoryReader

from fastsf.elements import named_element
from fastsf.errors import FastsfError, FormatError, InputError, StorageError
from fastsf.io.extxyz import iter_frames, parse_frame
from fastsf.io.formats.lammps import LammpsOptions
from fastsf.io.formats.lammps_data import read_lammps_data
from fastsf.io.formats.lammps_dump import iter_dump_frames, parse_dump_frame
from fastsf.io.formats.recognition import file_format
from fastsf.io.input_data import iter_blocks, read_block
from fastsf.io.text import COMPRESSED, ReadPosition
from fastsf.units import energy_factor, length_factor

Item = tuple[Path, int, Atoms | FormatError]
"""Structure of a stream: file, index in the file, and the structure or an error."""

Loader = Callable[[], Atoms]
"""Function that parses one frame, so that frames can be skipped without parsing."""

DATABASE_BLOCK = 100
"""Number of rows per query of an ASE database; ASE holds all rows of a query in memory."""


def iread_structures(
    inputs: str | Path | Iterable[str | Path],
    *,
    length_unit: str = "Angstrom",
    energy_unit: str = "eV",
    form: str | None = None,
    types: Sequence[str] = (),
    skip: int = 0,
    position: ReadPosition | None = None,
) -> Generator[Item, None, None]:
    """Read the structures of files one by one, with one in memory.

    Parameters
    ----------
    inputs : path-like or iterable of path-like
        Files and patterns (``*``, ``?``, ``[...]``, ``**``); ``~`` is the home folder. Files of a pattern are sorted by
        name, and no file is read twice.
    length_unit, energy_unit : str
        Units of files that do not contain them: input.data, and dumps and data files of LAMMPS. ASE converts all others
        to Å and eV.
    form : str, optional
        Format of the files in place of recognition: a name of ASE, "input.data", "lammps-dump" or "lammps-data".
    types : sequence of str
        Elements of the types 1, 2, ... of files of LAMMPS.
    skip : int
        Number of structures (or errors) to skip at the start. In XYZ, input.data and trajectory files they are not
        parsed.
    position : ReadPosition, optional
        Follows the file that is being read, for XYZ, input.data and trajectory files.

    Returns
    -------
    iterator of (Path, int, ase.Atoms or FormatError)
        File, index of the structure in the file, and the structure, or an error if it is broken. Reading continues
        with the next structure if the format permits, otherwise with the next file.

    Raises
    ------
    StorageError
        At once, if a file is missing, is a folder, or may not be read; later, if reading fails.
    FormatError
        At once, if a file is empty or of a kind that ASE does not know.
    InputError
        At once, if a unit, a format or an element is unknown.
    """
    for word in types:
        named_element(word)
    options = LammpsOptions(length_factor(length_unit), energy_factor(energy_unit), tuple(types))
    sources = [(path, file_format(path, form)) for path in expand_paths(inputs)]
    return _stream(sources, options, skip, position or ReadPosition())


def expand_paths(inputs: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the files of paths and patterns, each once, in the given order.

    Raises
    ------
    StorageError
        If a pattern matches no file.
    """
    paths: dict[Path, None] = {}
    for given in [inputs] if isinstance(inputs, str | Path) else inputs:
        path = Path(given).expanduser()
        if glob.has_magic(str(path)) and not path.exists():
            matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
            files = [match for match in matches if match.is_file()]
            if not files:
                raise StorageError(f"{given}: no file matches this pattern")
            paths.update(dict.fromkeys(files))
        else:
            paths[path] = None
    if not paths:
        raise InputError("expected at least one file of structures, found none")
    return list(paths)


def _stream(
    sources: list[tuple[Path, str]], options: LammpsOptions, skip: int, position: ReadPosition
) -> Generator[Item, None, None]:
    for path, form in sources:
        for frame, load in enumerate(_loaders(path, form, options, position)):
            if skip > 0:
                skip -= 1
                continue
            try:
                yield path, frame, load()
            except FormatError as error:
                yield path, frame, error


def _loaders(path: Path, form: str, options: LammpsOptions, position: ReadPosition) -> Iterator[Loader]:
    """Yield the frames of one file; an incomplete or empty file has an error in the sequence."""
    empty = True
    try:
        for load in _frames(path, form, options, position):
            empty = False
            yield load
        if empty:
            raise FormatError("expected at least one structure in the file, found none", path)
    except FormatError as error:
        yield partial(_fail, error)


def _frames(path: Path, form: str, options: LammpsOptions, position: ReadPosition) -> Iterator[Loader]:
    if form == "input.data":
        for number, block in enumerate(iter_blocks(path, position)):
            yield partial(read_block, block, path, number, options.length, options.energy)
    elif form == "extxyz":
        for number, frame in enumerate(iter_frames(path, position)):
            yield partial(parse_frame, frame, path, number)
    elif form == "lammps-dump":
        for number, lines in enumerate(iter_dump_frames(path, position)):
            yield partial(parse_dump_frame, lines, path, number, options)
    elif form == "lammps-data":
        yield partial(read_lammps_data, path, options)
    elif form == "lammps-dump-binary":
        raise FormatError("binary dumps of LAMMPS do not name their columns; write a text dump", path)
    elif form == "traj" and path.suffix not in COMPRESSED:
        yield from _trajectory(path, position)
    elif form == "db":
        yield from _database(path)
    else:
        yield from _any(path, form)


def _fail(error: FormatError) -> Atoms:
    raise error


@contextmanager
def _ase_errors(path: Path, form: str, frame: int) -> Iterator[None]:
    """Turn any error of a reader of ASE into a FormatError with file and frame."""
    try:
        yield
    except (FastsfError, MemoryError, StopIteration):
        raise
    except Exception as error:
        message = f"ASE cannot read it as {form}: {type(error).__name__}: {error}"
        raise FormatError(message, path, frame=frame) from error


def _trajectory(path: Path, position: ReadPosition) -> Iterator[Loader]:
    def load(frame: int) -> Atoms:
        with _ase_errors(path, "traj", frame):
            atoms: Atoms = reader[frame]
        return atoms

    with _ase_errors(path, "traj", 0):
        reader = TrajectoryReader(str(path))
    with reader:
        size, count = path.stat().st_size, len(reader)
        for frame in range(count):
            position.follow(partial(int, size * (frame + 1) / count))
            yield partial(load, frame)


def _database(path: Path) -> Iterator[Loader]:
    def load(frame: int, row: Any) -> Atoms:
        with _ase_errors(path, "db", frame):
            atoms: Atoms = row.toatoms(add_additional_information=True)
        return atoms

    frame = last = 0
    rows: list[Any] = [None]
    while rows:
        with _ase_errors(path, "db", frame), ase.db.connect(str(path), serial=True) as database:
            rows = list(database.select(f"id>{last}", sort="id", limit=DATABASE_BLOCK))
        for row in rows:
            yield partial(load, frame, row)
            frame, last = frame + 1, row.id


def _any(path: Path, form: str) -> Iterator[Loader]:
    frame = 0
    images = ase.io.iread(str(path), ":", format=form, parallel=False, do_not_split_by_at_sign=True)
    while True:
        with _ase_errors(path, form, frame):
            atoms = next(images, None)
        if atoms is None:
            return
        yield partial(_read_already, atoms)
        frame += 1


def _read_already(atoms: Atoms) -> Atoms:
    return atoms

"""Computations over data sets of any size: chunks are read in a thread of their own while others are computed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastsf.datasets.frames import Chunk, Frame, FrameIndex, FrameReader, located
from fastsf.datasets.read_ahead import ReadAhead, quick_switching
from fastsf.errors import InputError, StructureError

T = TypeVar("T")


@dataclass(frozen=True)
class Computed(Generic[T]):
    """A chunk and what was computed of it.

    Parameters
    ----------
    chunk : Chunk
        Structures that were refused are among those that are skipped.
    result
        Value that the function returned for its structures.
    seconds : float
        Wall time of computing.
    """

    chunk: Chunk
    result: T
    seconds: float


@contextmanager
def computed_chunks(
    reader: FrameReader, start: FrameIndex, n_atoms: int, compute: Callable[[Sequence[Frame]], T]
) -> Iterator[Iterator[Computed[T]]]:
    """Read structures in chunks and compute them; leaving the block stops reading.

    Parameters
    ----------
    reader : FrameReader
        Source of the structures; it also says what is done about those that cannot be used.
    start : FrameIndex
        First structure to read.
    n_atoms : int
        Least number of atoms of a chunk.
    compute : callable
        Takes the structures of a chunk.

    Yields
    ------
    iterator of Computed

    Raises
    ------
    StorageError, InputError
        From the iterator, as `FrameReader`, and for structures that `compute` refuses, unless those are skipped.
    """

    def results() -> Iterator[Computed[T]]:
        for number, chunk in enumerate(chunks):
            if number == 0 and start == FrameIndex():
                reader.check_keys()
            before = time.perf_counter()
            result = _compute(chunk, compute, reader)
            yield Computed(chunk, result, time.perf_counter() - before)

    with quick_switching(), ReadAhead(reader.chunks(start, n_atoms)) as chunks:
        yield results()


def _compute(chunk: Chunk, compute: Callable[[Sequence[Frame]], T], reader: FrameReader) -> T:
    """Compute a chunk; structures that are refused only now are left out or end the run."""
    try:
        return compute(chunk.frames)
    except InputError:
        for frame in list(chunk.frames):
            try:
                compute([frame])
            except InputError as error:
                path = reader.inputs[frame.index.file].path
                if reader.reading.on_error == "stop":
                    raise StructureError(located(error, path, frame.index.frame)) from error
                chunk.leave_out(frame, path, error)
        return compute(chunk.frames)

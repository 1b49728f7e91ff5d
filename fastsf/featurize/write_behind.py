"""Saving of chunks in a thread: each is made safe on disk and added to the resulting file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fastsf.featurize.chunks import FeatureChunks
from fastsf.featurize.writer import FeatureWriter, Header
from fastsf.storage.interruption import held_back
from fastsf.types import Array

Made = tuple[dict[str, Array], dict[str, Any]]
"""Arrays and metadata of a chunk, as `fastsf.featurize.chunks.FeatureChunks.save` takes them."""


class WriteBehind:
    """Thread that saves chunks while the next ones are computed; at most one chunk waits.

    Use it as a context manager and call `start` first.

    Parameters
    ----------
    parts : FeatureChunks
        Folder of finished chunks.
    output : Path
        The HDF5 file.
    header : Header
        Description of the file.
    on_saved : callable
        Function that is called in the thread with the metadata of each saved chunk.
    """

    def __init__(
        self, parts: FeatureChunks, output: Path, header: Header, on_saved: Callable[[dict[str, Any]], None]
    ) -> None:
        self._parts, self._output, self._header, self._on_saved = parts, output, header, on_saved
        self._count = parts.count()
        self._file: FeatureWriter | None = None
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, "writer")
        self._last: Future[None] = Future()

    def __enter__(self) -> WriteBehind:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the thread; remove the file if it is not finished."""
        with held_back():
            self._stop.set()
            self._pool.submit(self._abandon)
            self._pool.shutdown()

    def start(self) -> None:
        """Begin the file with the finished chunks."""
        with held_back():  # a thread that is interrupted in its start is unknown to the pool
            self._last = self._pool.submit(self._catch_up)

    def save(self, make: Callable[[], Made]) -> None:
        """Wait for the previous chunk, then save the next one in the thread.

        Parameters
        ----------
        make : callable
            Function that returns arrays and metadata.

        Raises
        ------
        StorageError
            If the previous chunk cannot be written.
        """
        self._last.result()
        self._last = self._pool.submit(self._save, self._count, make)
        self._count += 1

    def wait(self) -> None:
        """Wait until all chunks are saved.

        Raises
        ------
        StorageError
            As for `save`.
        """
        self._last.result()

    def finish(self) -> None:
        """Complete the file and give it its name.

        Raises
        ------
        StorageError
            If that fails; the chunks stay.
        """
        self._last.result()
        self._pool.submit(self._finish).result()

    def _catch_up(self) -> None:
        self._file = FeatureWriter(self._output, self._header)
        for index in range(self._count):
            if self._stop.is_set():
                raise CancelledError
            self._file.append(*self._parts.load(index))

    def _save(self, index: int, make: Callable[[], Made]) -> None:
        arrays, meta = make()
        self._parts.save(index, arrays, meta)
        if self._file is not None:
            self._file.append(arrays, meta)
        self._on_saved(meta)

    def _finish(self) -> None:
        if self._file is not None:
            self._file.finish()
            self._file = None

    def _abandon(self) -> None:
        if self._file is not None:
            self._file.abandon()

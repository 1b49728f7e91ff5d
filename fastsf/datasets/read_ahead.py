"""Iterators whose items are made in a thread of their own, and how far a reader is."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_SWITCH_SECONDS = 2e-4


@dataclass(frozen=True)
class ReadingProgress:
    """Position of a command in the structures that it reads.

    Parameters
    ----------
    structures, atoms : int
        Done so far, in earlier runs too.
    bytes_read, bytes_total : int
        Of the inputs.
    """

    structures: int
    atoms: int
    bytes_read: int
    bytes_total: int


@contextmanager
def quick_switching() -> Iterator[None]:
    """Let a thread that returns from a kernel continue in Python soon.

    By default, Python lets the other thread, which is reading, run for 5 ms each time. With several kernels per chunk
    this adds up to a tenth of the time.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class ReadAhead(Generic[T]):
    """Iterator whose items are made in a thread while the caller uses earlier ones.

    Use it as a context manager; leaving the block stops the thread. An exception of the source is raised in the caller,
    after the items before it.

    Parameters
    ----------
    source : iterable
        Source of the items.
    depth : int
        Largest number of waiting items.
    """

    def __init__(self, source: Iterable[T], depth: int = 2) -> None:
        self._queue: queue.Queue[tuple[bool, Any]] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._fill, args=(source,), name="reader", daemon=True)

    def __enter__(self) -> Iterator[T]:
        return self._items()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.get_nowait()  # a full queue would keep the thread waiting
            except queue.Empty:
                self._thread.join(0.05)

    def _fill(self, source: Iterable[T]) -> None:
        items = iter(source)
        try:
            for item in items:
                self._queue.put((True, item))
                if self._stop.is_set():
                    return
            self._queue.put((False, None))
        except BaseException as error:
            self._queue.put((False, error))
        finally:
            if isinstance(items, Generator):
                items.close()  # with the files that it reads

    def _items(self) -> Iterator[T]:
        self._thread.start()
        while True:
            more, item = self._queue.get()
            if more:
                yield item
            elif item is None:
                return
            else:
                raise item

"""Ctrl-C and SIGTERM during a long run: the current step is finished first, and saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """A context in which the first SIGINT or SIGTERM is only noted; the second one raises KeyboardInterrupt.

    Parameters
    ----------
    on_request : callable
        Called without arguments at the first signal.

    Attributes
    ----------
    requested : bool
        True after a signal.
    """

    def __init__(self, on_request: Callable[[], object]) -> None:
        self.requested = False
        self._on_request = on_request
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # others get no signals
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self._on_request()


@contextmanager
def held_back() -> Iterator[None]:
    """Delay Ctrl-C until the end of the block, for steps that must not be left half done."""
    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield
        return
    noted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda number, frame: noted.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if noted.is_set():
            signal.raise_signal(signal.SIGINT)

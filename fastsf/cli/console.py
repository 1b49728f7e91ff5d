"""Output of commands while they work: messages, a progress bar on terminals, a log file."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastsf.storage.atomic import storage_errors

if TYPE_CHECKING:
    from fastsf.datasets.read_ahead import ReadingProgress

_LOG_SECONDS = 30.0
_DRAW_SECONDS = 0.1
_BAR = "{percentage:3.0f}% |{bar}| {elapsed} elapsed, {remaining} left{postfix}"
"""Format of a bar; its text follows."""


LOG = logging.getLogger("fastsf")
LOG.addHandler(logging.NullHandler())  # otherwise Python prints errors a second time


class Console:
    """Output for messages: the terminal and the log.

    Parameters
    ----------
    quiet : bool
        Show nothing but errors.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    def say(self, text: str = "") -> None:
        """Print a message and log it."""
        if text:
            LOG.info(text.strip())
        if not self.quiet:
            print(text, flush=True)

    def bar(self) -> Bar:
        """Return a bar, which is drawn on terminals only; its text is also logged every 30 s."""
        return Bar(shown=not self.quiet and sys.stderr.isatty())

    def progress_bar(self) -> ProgressBar:
        """Return a bar for structures that are read."""
        return ProgressBar(self.bar())


class Bar:
    """Progress bar: finished fraction, elapsed and remaining time, and a text.

    Parameters
    ----------
    shown : bool
        Draw the bar; otherwise only log.
    """

    def __init__(self, shown: bool) -> None:
        self.shown = shown
        self._bar: Any = None
        self._logged, self._drawn = time.perf_counter(), 0.0

    def draw(self, done: float, total: float, text: str) -> None:
        """Draw the bar again, and log a line every 30 s.

        Parameters
        ----------
        done, total : float
            Finished and total work; what is finished at the first call counts as done before.
        text : str
            Text after the bar.
        """
        now = time.perf_counter()
        if now - self._logged > _LOG_SECONDS:
            self._logged = now
            LOG.info("%s, %.0f %% done", text, 100 * done / max(total, 1))
        if not self.shown or (now - self._drawn < _DRAW_SECONDS and done < total):
            return
        self._drawn = now
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, initial=done, bar_format=_BAR, dynamic_ncols=True)
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.n = max(done, self._bar.n)
        self._bar.refresh()

    def clear(self) -> None:
        """Clear the line for a message; the next `draw` puts the bar below it."""
        if self._bar is not None:
            self._bar.clear()

    def close(self) -> None:
        """Remove the bar from further drawing."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class ProgressBar:
    """Progress bar of structures that are read; call it with every `ReadingProgress`.

    Parameters
    ----------
    bar : Bar
        Bar that is drawn.
    """

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._began = 0.0
        self._atoms_before: int | None = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, progress: ReadingProgress) -> None:
        """Draw the bar again."""
        now = time.perf_counter()
        if self._atoms_before is None:
            self._began, self._atoms_before = now, progress.atoms
        rate = (progress.atoms - self._atoms_before) / max(now - self._began, 1e-9)
        text = f"{progress.structures:,} structures, {progress.atoms:,} atoms, {rate:,.0f} atoms/s"
        self._bar.draw(progress.bytes_read, progress.bytes_total, text)


def compile_first(what: Sequence[str], console: Console) -> None:
    """Compile the kernels that a command needs, on all cores, unless they are compiled.

    Parameters
    ----------
    what : sequence of str
        As for `fastsf.compile_kernels`.
    console : Console
        Output for a message if kernels are compiled.

    Raises
    ------
    FastsfError
        If compiling fails.
    """
    from fastsf.cli.compilation.compile import compile_kernels, uncompiled  # loads numba

    if uncompiled(what):
        console.say("Compiling the kernels, once per installation ...")
        console.say(f"  done in {compile_kernels(what):.1f} s")


def open_log(path: str) -> logging.Handler:
    """Append the log of fastsf to a file.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    with storage_errors(f"cannot write the log {path}"):
        handler = logging.FileHandler(Path(path), encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.setLevel(logging.INFO)
    LOG.addHandler(handler)
    return handler

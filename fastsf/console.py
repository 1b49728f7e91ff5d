"""What the command line shows while it works: messages, a progress bar on terminals, a log file."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastsf.disk import storage_errors

if TYPE_CHECKING:
    from fastsf.featurize import Progress

_LOG_SECONDS = 30.0
_BAR = "{percentage:3.0f}% |{bar}| {elapsed} elapsed, {remaining} left{postfix}"


LOG = logging.getLogger("fastsf")
LOG.addHandler(logging.NullHandler())  # otherwise Python prints errors a second time


class Console:
    """Where messages go.

    Parameters
    ----------
    quiet : bool
        Show nothing but errors.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    def say(self, text: str = "") -> None:
        """Print a message, and put it into the log."""
        if text:
            LOG.info(text.strip())
        if not self.quiet:
            print(text, flush=True)

    def progress_bar(self) -> ProgressBar:
        """Return a bar that shows itself on a terminal only."""
        return ProgressBar(shown=not self.quiet and sys.stderr.isatty())


class ProgressBar:
    """Progress of a featurization with rate and remaining time; call it with every `Progress`.

    Parameters
    ----------
    shown : bool
        Whether to draw anything.
    """

    def __init__(self, shown: bool) -> None:
        self.shown = shown
        self._bar: Any = None
        self._began = self._logged = 0.0
        self._atoms_before: int | None = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __call__(self, progress: Progress) -> None:
        """Draw the bar anew, and write a line into the log now and then."""
        now = time.perf_counter()
        if self._atoms_before is None:
            self._began, self._logged, self._atoms_before = now, now, progress.atoms
        rate = (progress.atoms - self._atoms_before) / max(now - self._began, 1e-9)
        text = f"{progress.structures:,} structures, {progress.atoms:,} atoms, {rate:,.0f} atoms/s"
        if now - self._logged > _LOG_SECONDS:
            self._logged = now
            LOG.info("%s, %.0f %% of the files read", text, 100 * progress.bytes_read / progress.bytes_total)
        if self.shown:
            self._draw(progress, text)

    def _draw(self, progress: Progress, text: str) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=progress.bytes_total,
                initial=progress.bytes_read,
                bar_format=_BAR,
                postfix=text,
                dynamic_ncols=True,
            )
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.n = max(progress.bytes_read, self._bar.n)
        self._bar.refresh()


def compile_first(what: Sequence[str], console: Console) -> None:
    """Compile the kernels that a command needs, on all cores; says so unless that was done before.

    Parameters
    ----------
    what : sequence of str
        As for `fastsf.compile_kernels`.
    console : Console
        Where to say it.

    Raises
    ------
    FastsfError
        If that fails.
    """
    from fastsf.compilation import compile_kernels, uncompiled

    if uncompiled(what):
        console.say("Compiling the kernels, once per installation ...")
        console.say(f"  done in {compile_kernels(what):.1f} s")


def open_log(path: str) -> logging.Handler:
    """Send the log of fastsf to a file, behind what it holds.

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

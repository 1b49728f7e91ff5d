"""Display of ``fastsf train``: a table of the epochs, and bars on terminals."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from fastsf.cli.console import Bar, Console, ProgressBar
from fastsf.datasets.read_ahead import ReadingProgress
from fastsf.prediction.metrics import SHOWN
from fastsf.training.run.history import EPOCH
from fastsf.training.run.loop import KINDS, SCORE, SECONDS, column
from fastsf.training.run.seeds import TrainingObserver

_SECONDS = 1.0
_GIB = 2.0**30
_WORTH_A_LINE = 0.01 * _GIB


class TrainingDisplay(TrainingObserver):
    """Display of the trainings of all seeds; leaving its context closes bars and tables.

    Parameters
    ----------
    console : Console
    epochs : int
        Largest number of epochs.
    """

    def __init__(self, console: Console, epochs: int) -> None:
        self._console, self._epochs = console, epochs
        self._bar: ProgressBar | None = None
        self._table: EpochTable | None = None

    def __enter__(self) -> TrainingDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__()
        if self._table is not None:
            self._table.close()
        self._bar = self._table = None

    def memory(self, needed: float, matrices: float, allowed: float) -> None:
        """Say how much memory the samples and the optimiser need."""
        kept = max(allowed - matrices, 0.0)
        if matrices >= _WORTH_A_LINE:
            self._console.say(f"matrices of the optimizer: at most {matrices / _GIB:.2f} of {allowed / _GIB:g} GiB")
            if matrices > allowed:
                self._console.say(
                    "  that is more than [run] memory: --memory allows more, smaller networks ([networks] hidden) "
                    "need less, and --set optimizer.name=adam needs no matrices"
                )
        self._console.say(
            f"derivatives of the symmetry functions: at most {needed / _GIB:.2f} GiB, {kept / _GIB:.4g} GiB may be kept"
        )
        if needed > kept:
            self._console.say("  the rest is computed in every epoch; [run] memory (--memory) allows more")

    def samples(self, structures: int, atoms: int, total: int) -> None:
        """Draw the bar of samples."""
        if self._bar is None:
            self._bar = self._console.progress_bar()
        self._bar(ReadingProgress(structures, atoms, structures, total))
        if structures == total:
            self._bar.__exit__()
            self._bar = None

    def begin(self, epoch: int) -> None:
        """Begin a table."""
        if epoch:
            self._console.say(f"Continuing after epoch {epoch}.")
        self._table = EpochTable(self._console, self._epochs, self._console.bar())

    def epoch(self, row: Mapping[str, float]) -> None:
        """Add a row to the table."""
        assert self._table is not None
        self._table(row)

    def end(self, reason: str, best_epoch: int) -> None:
        """End the table, and say why the training ended."""
        self.__exit__()
        if reason:
            self._console.say(f"{reason}; best epoch {best_epoch}")

    def interrupted(self) -> None:
        """Say that the training will stop."""
        self._console.say("finishing this epoch ... (again: stop at once)")


class EpochTable:
    """Table of the epochs: the first and the last row, and at most one row per second.

    Parameters
    ----------
    console : Console
        Console that shows it.
    epochs : int
        Largest number of epochs.
    bar : Bar
        Bar below the table.
    """

    def __init__(self, console: Console, epochs: int, bar: Bar) -> None:
        self._console, self._epochs = console, epochs
        self._bar = bar
        self._columns: list[tuple[str, float, str]] = []
        self._shown = 0.0
        self._last: Mapping[str, float] | None = None

    def close(self) -> None:
        """Show the last row, and remove the bar."""
        if self._last is not None:
            self._show(self._last)
        self._bar.close()

    def __call__(self, row: Mapping[str, float]) -> None:
        """Add the row of an epoch."""
        if not self._columns:
            self._begin(row)
        self._last = row
        if time.perf_counter() - self._shown >= _SECONDS:
            self._show(row)
        self._bar.draw(row[EPOCH], self._epochs, f"{row[EPOCH]:.0f} of {self._epochs} epochs")

    def _begin(self, row: Mapping[str, float]) -> None:
        parts = [part for part in ("training", "validation") if column(part, "energy") in row]
        kinds = [kind for kind in KINDS if row[column("training", kind)] == row[column("training", kind)]]
        self._columns = [(column(part, kind), SHOWN[kind][0], kind) for part in parts for kind in kinds]
        heads = "".join(f"{part:>{11 * len(kinds)}}" for part in parts)
        units = "".join(f"{kind[:6]:>11}" for _ in parts for kind in kinds)
        names = "".join(f"{SHOWN[kind][1]:>11}" for _ in parts for kind in kinds)
        for line in (f"{'':18}{heads}", f"{'epoch':>7}{'time':>11}{units}{'score':>11}", f"{'':7}{'s':>11}{names}"):
            self._say(line)

    def _show(self, row: Mapping[str, float]) -> None:
        self._say("".join([f"{row[EPOCH]:7d}{row[SECONDS]:11.1f}", *self._numbers(row)]))
        self._shown, self._last = time.perf_counter(), None

    def _numbers(self, row: Mapping[str, float]) -> Iterator[str]:
        for name, scale, _ in self._columns:
            yield f"{scale * row.get(name, float('nan')):11.4g}"
        yield f"{row.get(SCORE, float('nan')):11.4g}"

    def _say(self, text: str) -> None:
        self._bar.clear()
        self._console.say(text)

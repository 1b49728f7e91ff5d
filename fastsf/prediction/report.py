"""Results of predictions as text, JSON and pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.datasets.label_account import LabelAccount
from fastsf.errors import StorageError, counted
from fastsf.io.label_names import LABELS
from fastsf.potentials.extrapolation import MOST_FUNCTIONS
from fastsf.prediction.error_plots import plot_errors
from fastsf.prediction.metrics import SHOWN, ErrorMetrics, ErrorSums
from fastsf.prediction.parity import plot_parity
from fastsf.prediction.predict import PredictionSummary
from fastsf.storage.atomic import storage_errors, write_text

_MOST_LINES = 20
_TABLE_WORST = 5


def check_results(metrics: str | None, plots: str | None, overwrite: bool) -> None:
    """Check that results can be written, before the work begins.

    Raises
    ------
    StorageError
        If the file of metrics or pictures in the folder exist and may not be overwritten, or if no file can be written.
    """
    if metrics is not None:
        path = Path(metrics)
        if path.is_dir() or not path.parent.is_dir():
            reason = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
            raise StorageError(f"cannot write {path}: {reason}")
        if path.exists() and not overwrite:
            raise StorageError(f"{path} already exists; --overwrite replaces it")
    if plots is not None:
        folder = Path(plots)
        if folder.exists() and not folder.is_dir():
            raise StorageError(f"cannot write pictures into {folder}: it is not a folder")
        with storage_errors(f"cannot read the folder {folder}"):
            existing = sorted(folder.glob("*.png"))
        if existing and not overwrite:
            raise StorageError(f"{existing[0]} already exists; --overwrite replaces pictures")


def write_results(
    summary: PredictionSummary, metrics: str | None, plots: str | None, about: dict[str, Any]
) -> list[Path]:
    """Write the requested metrics and pictures; return the files.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    written = []
    if metrics is not None:
        document = _finite({**about, **summary.table()})
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_text(Path(metrics), text)
        written.append(Path(metrics))
    if plots is not None:
        written += plot_parity(summary.metrics, Path(plots))
        if summary.metrics.by_name():
            written.append(Path(plots) / "errors.png")
            plot_errors(summary.metrics, "Errors by group and element", written[-1])
    return written


def _finite(value: Any) -> Any:
    """Replace infinity and NaN, which JSON does not have, by None."""
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def report(summary: PredictionSummary, verbose: bool = False) -> str:
    """Return what a prediction did as text: counts, errors, extrapolations, what was left out, times.

    Parameters
    ----------
    summary : PredictionSummary
        From `fastsf.prediction.predict.predict`.
    verbose : bool
        List all functions with extrapolations and all groups and structures left out, not the first of them.
    """
    written = "" if summary.output is None else f"{summary.output}: "
    each = 1e6 / summary.atoms
    times = f"{summary.seconds * each:.1f} µs per atom, {summary.kernel_seconds * each:.1f} µs of which for computing"
    lines = [
        f"{written}{counted(summary.structures, 'structure')}, {counted(summary.atoms, 'atom')}",
        *_labels(summary.account),
        *_errors(summary.metrics, verbose),
        *_worst(summary),
        *_extrapolations(summary, verbose),
        *_skipped(summary, verbose),
        f"{summary.seconds:.1f} s: {times}",
    ]
    return "\n".join(lines)


def _labels(account: LabelAccount) -> Iterator[str]:
    if any(map(account.count, LABELS)):
        yield f"labels: {account.text()}"
    yield from account.remarks()


def _errors(metrics: ErrorMetrics, verbose: bool) -> Iterator[str]:
    found = metrics.by_name()
    if not found:
        yield "no labels to compare with"
        return
    yield f"{'errors':16} {'RMSE':>10} {'MAE':>10} {'mean':>10} {'max':>10}"
    for name, moments in found.items():
        noun = "structures" if name == "energy" else "components"
        yield _error_line(name, name, moments, noun)
        if name == "forces" and len(metrics.forces) > 1:
            for symbol, one in sorted(metrics.forces.items()):
                yield _error_line(name, f"  on {symbol}", one, noun)
        if len(metrics.groups) > 1:
            groups = {group: each[name] for group, each in sorted(metrics.groups.items()) if name in each}
            lines = [_error_line(name, f"  in {group}", each, noun) for group, each in groups.items()]
            yield from _first(lines, _MOST_LINES, verbose)


def _error_line(name: str, title: str, moments: ErrorSums, noun: str) -> str:
    scale, unit = SHOWN[name]
    numbers = (moments.rmse, moments.mae, moments.mean, moments.largest)
    columns = " ".join(f"{scale * number:10.4g}" for number in numbers)
    return f"  {title:14} {columns} {unit}, {moments.count:,} {noun}"


def _worst(summary: PredictionSummary) -> Iterator[str]:
    for name in SHOWN:
        scale, unit = SHOWN[name]
        worst = summary.metrics.worst_frames(name)[:_TABLE_WORST]
        if len(worst) > 1:
            kind = "error" if name == "energy" else "RMSE"
            files = [f"{path}, " if len(summary.inputs) > 1 else "" for path in summary.inputs]
            frames = (f"{files[each.file]}frame {each.frame} ({scale * each.error:.4g})" for each in worst)
            yield f"largest {name} {kind}s, {unit}: {'; '.join(frames)}"


def _extrapolations(summary: PredictionSummary, verbose: bool) -> Iterator[str]:
    if summary.extrapolating_structures:
        yield (
            f"extrapolation in {summary.extrapolating_structures:,} of {summary.structures:,} structures, "
            f"{summary.extrapolating_atoms:,} of {summary.atoms:,} atoms"
        )
        yield summary.extrapolations.summary(None if verbose else MOST_FUNCTIONS)
        if not verbose and len(summary.extrapolations.table()) > MOST_FUNCTIONS:
            yield "  (--verbose lists all functions)"
    else:
        yield "no extrapolation: all symmetry functions are inside the range of the training set"


def _skipped(summary: PredictionSummary, verbose: bool) -> Iterator[str]:
    if summary.skipped:
        yield f"left out: {counted(len(summary.skipped), 'structure')}"
        yield from (f"  {reason}" for reason in _first(summary.skipped, _MOST_LINES, verbose))


def _first(lines: Sequence[str], most: int, verbose: bool) -> Iterator[str]:
    """Return the first lines, or all of them, and how many follow."""
    if verbose or len(lines) <= most:
        yield from lines
    else:
        yield from lines[:most]
        yield f"... and {len(lines) - most:,} more (--verbose lists all)"

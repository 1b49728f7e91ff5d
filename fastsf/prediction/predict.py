"""Predictions for data sets of any size: energies, forces, stresses and their errors.

One thread reads structures in chunks and another writes results while chunks are computed. Memory does not grow with
the data set.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from fastsf.datasets.computing import computed_chunks
from fastsf.datasets.frames import Chunk, Frame, FrameIndex, FrameReader, Reading, check_any
from fastsf.datasets.inputs import Input, checked_inputs, checked_output
from fastsf.datasets.label_account import LabelAccount
from fastsf.datasets.labelled import group_of
from fastsf.datasets.read_ahead import ReadingProgress
from fastsf.errors import InputError, StorageError
from fastsf.io.text import compressing
from fastsf.potentials.committee import Committee, evaluate_all
from fastsf.potentials.extrapolation import Tally
from fastsf.potentials.potential import Potential
from fastsf.potentials.result import Result
from fastsf.prediction.metrics import ErrorMetrics
from fastsf.prediction.prediction import Prediction
from fastsf.storage.atomic import write_atomically

CHUNK_ATOMS = 5000
_OUTPUT_NAME = re.compile(r".*\.(ext)?xyz(\.(gz|bz2|xz))?", re.IGNORECASE)


@dataclass
class PredictionSummary:
    """Result of a prediction for data sets.

    Parameters
    ----------
    inputs : list of str
        Files of structures.
    output : Path or None
        File with the predictions.
    structures, atoms : int
        Numbers of predicted structures and atoms.
    skipped : list of str
        Omitted structures: file, frame and reason.
    metrics : ErrorMetrics
        Errors against the labels.
    extrapolations : Tally
        Symmetry functions outside the range of the training set.
    extrapolating_structures, extrapolating_atoms : int
        Numbers of structures and atoms with extrapolations.
    account : LabelAccount
        Names of the labels in the files, and what is not read.
    seconds, kernel_seconds : float
        Wall time of the whole call, and of computing.
    """

    inputs: list[str]
    output: Path | None
    extrapolations: Tally
    structures: int = 0
    atoms: int = 0
    skipped: list[str] = field(default_factory=list)
    metrics: ErrorMetrics = field(default_factory=ErrorMetrics)
    extrapolating_structures: int = 0
    extrapolating_atoms: int = 0
    account: LabelAccount = field(default_factory=LabelAccount)
    seconds: float = 0.0
    kernel_seconds: float = 0.0

    def table(self) -> dict[str, Any]:
        """Return everything in plain types, for JSON."""
        return {
            "inputs": self.inputs,
            "output": None if self.output is None else str(self.output),
            "structures": self.structures,
            "atoms": self.atoms,
            "skipped": self.skipped,
            "errors": self.metrics.table(self.inputs),
            "extrapolation": {
                "structures": self.extrapolating_structures,
                "atoms": self.extrapolating_atoms,
                "values": len(self.extrapolations),
                "functions": self.extrapolations.table(),
            },
            "seconds": self.seconds,
            "kernel_seconds": self.kernel_seconds,
        }


def predict(
    inputs: Sequence[str | Path],
    potential: Potential | Committee,
    output: str | Path | None = None,
    reading: Reading | None = None,
    *,
    threads: int | None = None,
    chunk_atoms: int = CHUNK_ATOMS,
    group_key: str | None = None,
    overwrite: bool = False,
    on_progress: Callable[[ReadingProgress], None] | None = None,
) -> PredictionSummary:
    """Predict energies, forces and stresses of all structures of files and compare them with labels.

    Parameters
    ----------
    inputs : sequence of path-like
        Files that ASE reads, or input.data; patterns are not expanded.
    potential : Potential or Committee
        Potential to use.
    output : path-like, optional
        Extended XYZ file to write, compressed if its name ends in .gz, .bz2 or .xz; docs/potentials.md describes it. It
        gets its name when it is complete.
    reading : Reading, optional
        Options of reading, and treatment of structures that cannot be used.
    threads : int, optional
        Threads of the kernels; default: all.
    chunk_atoms : int
        Least number of atoms that are computed at once.
    group_key : str, optional
        Key of `info` with the group of a structure; as for `fastsf.datasets.labelled.read_labelled`.
    overwrite : bool
        Replace an existing output.
    on_progress : callable, optional
        Function that is called after every chunk with a `ReadingProgress`.

    Returns
    -------
    PredictionSummary
        Counts, times, errors, extrapolations and omitted structures.

    Raises
    ------
    StorageError
        If a file cannot be read or written, or the output exists.
    InputError
        For a structure that cannot be used (unless those are skipped), if no structure can be used, and if the name of
        the output is not that of an extended XYZ file.
    """
    started = time.perf_counter()
    if chunk_atoms < 1:
        raise InputError(f"chunk_atoms: expected at least 1, found {chunk_atoms}")
    files = checked_inputs(inputs)
    target = None if output is None else _checked_output(output, files, overwrite)
    summary = PredictionSummary([each.path for each in files], target, Tally())
    run = _PredictionRun(potential, files, reading or Reading(), threads, chunk_atoms, group_key, on_progress, summary)
    if target is None:
        run.compute(None)
    else:
        write_atomically(target, partial(run.compute_into, target))
    summary.seconds = time.perf_counter() - started
    return summary


def _checked_output(output: str | Path, files: Sequence[Input], overwrite: bool) -> Path:
    target = checked_output(output, files)
    if not _OUTPUT_NAME.fullmatch(target.name):
        raise InputError(
            f"{target}: expected a name that ends with .extxyz or .xyz, optionally followed by .gz, .bz2 or .xz"
        )
    if target.exists() and not overwrite:
        raise StorageError(f"{target} already exists; --overwrite (overwrite=True) replaces it")
    return target


# --- the run ---


class _PredictionRun:
    """Prediction of data sets with its state."""

    def __init__(
        self,
        potential: Potential | Committee,
        files: Sequence[Input],
        reading: Reading,
        threads: int | None,
        chunk_atoms: int,
        group_key: str | None,
        on_progress: Callable[[ReadingProgress], None] | None,
        summary: PredictionSummary,
    ) -> None:
        self.potential = potential
        self.reader = FrameReader(files, list(potential.elements), reading)
        self.threads = threads or potential.descriptor.threads
        self.chunk_atoms, self.group_key = chunk_atoms, group_key
        self.on_progress, self.summary = on_progress, summary

    def compute_into(self, target: Path, file: IO[bytes]) -> None:
        """Compute everything and write it, compressed according to the name."""
        with compressing(target, file) as stream:
            self.compute(stream)

    def compute(self, stream: IO[bytes] | None) -> None:
        """Compute everything and write it if there is a stream."""
        summary, reader = self.summary, self.reader
        with (
            _write_behind(stream) as write,
            computed_chunks(reader, FrameIndex(), self.chunk_atoms, self._batch) as chunks,
        ):
            for each in chunks:
                summary.kernel_seconds += each.seconds
                write(each.result)
                self._count(each.chunk, each.result)
        check_any(summary.structures, summary.skipped)

    def _batch(self, frames: Sequence[Frame]) -> list[Prediction]:
        results = evaluate_all(self.potential, [frame.structure for frame in frames], self.threads)
        return [Prediction(frame, result) for frame, result in zip(frames, results, strict=True)]

    def _count(self, chunk: Chunk, predictions: Sequence[Prediction]) -> None:
        summary = self.summary
        summary.skipped += [each.reason for each in chunk.skipped]
        summary.structures += len(predictions)
        summary.atoms += chunk.atoms
        for each in predictions:
            result, group = each.result, group_of(each.frame.info, self.group_key)
            summary.account.add(each.frame.found)
            summary.metrics.add(each.frame, result.energy, cast(Any, result.forces), result.stress, group)
        self._count_outside([each.result for each in predictions if each.result.outside.any()])
        if self.on_progress is not None:
            read = chunk.bytes_read, self.reader.bytes_total
            self.on_progress(ReadingProgress(summary.structures, summary.atoms, *read))

    def _count_outside(self, results: Sequence[Result]) -> None:
        summary = self.summary
        for each in results:
            summary.extrapolating_structures += 1
            summary.extrapolating_atoms += int(np.count_nonzero(each.outside))
            summary.extrapolations.add(each.extrapolations)


@contextmanager
def _write_behind(stream: IO[bytes] | None) -> Iterator[Callable[[Sequence[Prediction]], None]]:
    """Write in a thread while the next chunk is computed; at most one chunk waits."""
    if stream is None:
        yield lambda _: None
        return
    waiting: list[Future[None]] = []

    def work(predictions: Sequence[Prediction]) -> None:
        stream.write("".join(each.text() for each in predictions).encode())

    def write(predictions: Sequence[Prediction]) -> None:
        if waiting:
            waiting.pop().result()
        waiting.append(pool.submit(work, predictions))

    with ThreadPoolExecutor(1, "writer") as pool:
        yield write
        if waiting:
            waiting.pop().result()

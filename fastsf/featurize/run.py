"""Featurization of data sets of any size: from files of structures to one HDF5 file of symmetry functions.

One thread reads structures in chunks and another writes results while chunks are computed. Memory does not grow with
the data set. Every finished chunk is safe on disk (`fastsf.featurize.chunks`); after a kill, the same call continues
after the last of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastsf.datasets.computing import computed_chunks
from fastsf.datasets.frames import Chunk, Frame, FrameIndex, FrameReader, Reading, check_any
from fastsf.datasets.inputs import Input, checked_inputs, checked_output
from fastsf.datasets.label_account import LabelAccount
from fastsf.datasets.read_ahead import ReadingProgress
from fastsf.descriptors.base import Batch, Descriptor
from fastsf.descriptors.choose import possible_elements
from fastsf.descriptors.statistics import by_group
from fastsf.errors import InputError
from fastsf.featurize import layout
from fastsf.featurize.chunks import FeatureChunks
from fastsf.featurize.manifest import Options, header, is_complete, make_manifest, resume_or_begin
from fastsf.featurize.reader import FeatureFile
from fastsf.featurize.write_behind import Made, WriteBehind
from fastsf.featurize.writer import Header, add_lengths

__all__ = ["FeaturizeSummary", "Options", "Reading", "featurize"]


@dataclass
class FeaturizeSummary:
    """Result of a featurization.

    Parameters
    ----------
    output : Path
        The file.
    structures, atoms : int
        Numbers of structures and atoms in the file.
    resumed : int
        Number of structures from an earlier run.
    complete_before : bool
        True if the file was complete before the call.
    skipped : list of str
        Omitted structures: file, frame and reason.
    with_energy, with_forces, with_stress : int
        Numbers of structures with these labels.
    seconds, kernel_seconds : float
        Wall time of the whole call, and of computing.
    computed_atoms : int
        Number of atoms that were computed in this call.
    pairs : int or None
        Number of pairs in the file, if they are the rows of the features.
    account : LabelAccount
        Names of the labels of the structures that were read in this call, and what is not read.
    """

    output: Path
    structures: int = 0
    atoms: int = 0
    resumed: int = 0
    complete_before: bool = False
    skipped: list[str] = field(default_factory=list)
    with_energy: int = 0
    with_forces: int = 0
    with_stress: int = 0
    seconds: float = 0.0
    kernel_seconds: float = 0.0
    computed_atoms: int = 0
    pairs: int | None = None
    account: LabelAccount = field(default_factory=LabelAccount)


def featurize(
    inputs: Sequence[str | Path],
    output: str | Path,
    descriptor: Descriptor,
    options: Options | None = None,
    reading: Reading | None = None,
    *,
    overwrite: bool = False,
    command: str = "",
    on_progress: Callable[[ReadingProgress], None] | None = None,
) -> FeaturizeSummary:
    """Compute the symmetry functions of all structures of files and write them into one HDF5 file.

    Finished chunks are kept in a folder ``OUTPUT.parts`` until the file is complete. After any interruption, the same
    call continues after the last finished chunk and results in the same file.

    Parameters
    ----------
    inputs : sequence of path-like
        Files that ASE reads, or input.data; patterns are not expanded.
    output : path-like
        The HDF5 file; docs/featurize.md describes it, `fastsf.featurize.reader.FeatureFile` reads it.
    descriptor : ACSF or PCSF
        Symmetry functions; rows of the features are atoms or pairs.
    options : Options, optional
        Options of computing and storing.
    reading : Reading, optional
        Options of reading, and treatment of structures that cannot be used.
    overwrite : bool
        Start again if there is a finished or an unfinished file.
    command : str
        Command line, which is stored in the file.
    on_progress : callable, optional
        Function that is called after every chunk with a `ReadingProgress`.

    Returns
    -------
    FeaturizeSummary
        Counts, times and omitted structures.

    Raises
    ------
    StorageError
        If a file cannot be read or written: missing, no permission, no space, in use by another process.
    InputError
        For a structure that cannot be used (unless those are skipped), or if `output` has other inputs or options.
    """
    started = time.perf_counter()
    options, reading = options or Options(), reading or Reading()
    if options.chunk_atoms is not None and options.chunk_atoms < 1:
        raise InputError(f"chunk_atoms: expected at least 1, found {options.chunk_atoms}")
    files = checked_inputs(inputs)
    target = checked_output(output, files)
    manifest = make_manifest(files, descriptor, options, reading, command)
    with FeatureChunks(target) as parts:
        if is_complete(target, parts, manifest, overwrite):
            summary = _summary_of(target)
        else:
            manifest = resume_or_begin(parts, manifest, overwrite)
            run = _FeaturizeRun(descriptor, files, options, reading, parts, on_progress)
            summary = run.compute(target, header(descriptor, files, options, manifest))
            parts.clear()
    summary.seconds = time.perf_counter() - started
    return summary


def _summary_of(target: Path) -> FeaturizeSummary:
    """Return the summary of a file that was complete before."""
    with FeatureFile(target) as file:
        counts = (file.count_labels(name) for name in ("energy", "forces", "stress"))
        summary = FeaturizeSummary(
            target, len(file), file.n_atoms, len(file), True, [row.reason for row in file.skipped]
        )
        summary.pairs = file.n_rows if file.centered_on == "pairs" else None
        summary.with_energy, summary.with_forces, summary.with_stress = counts
        return summary


# --- the run ---


class _FeaturizeRun:
    """Featurization of data sets with its state."""

    def __init__(
        self,
        descriptor: Descriptor,
        files: Sequence[Input],
        options: Options,
        reading: Reading,
        parts: FeatureChunks,
        on_progress: Callable[[ReadingProgress], None] | None,
    ) -> None:
        self.descriptor, self.options = descriptor, options
        self.reader = FrameReader(files, possible_elements(descriptor), reading)
        self.parts, self.on_progress = parts, on_progress
        self.totals = layout.measure({})
        self.rows = layout.ROWS[descriptor.centered_on]

    def compute(self, target: Path, about: Header) -> FeaturizeSummary:
        """Compute and save all missing chunks, and give the file its name."""
        summary = FeaturizeSummary(target)
        start = self._load_finished(summary)
        chunk_size = self.options.chunk_size(self.descriptor.centered_on)
        with (
            WriteBehind(self.parts, target, about, self._count) as store,
            computed_chunks(self.reader, start, chunk_size, self._batch) as chunks,
        ):
            store.start()
            for each in chunks:
                summary.kernel_seconds += each.seconds
                summary.computed_atoms += each.chunk.atoms
                for frame in each.chunk.frames:
                    summary.account.add(frame.found)
                summary.skipped += [skipped.reason for skipped in each.chunk.skipped]
                store.save(partial(self._make, each.chunk, each.result))
            store.wait()
            self._check_any(summary)
            store.finish()
        return self._complete(summary)

    def _load_finished(self, summary: FeaturizeSummary) -> FrameIndex:
        start = FrameIndex()
        self._report(0)
        for index in range(self.parts.count()):
            meta = self.parts.load_meta(index)
            summary.skipped += meta["skipped"]
            start = FrameIndex(*meta["after"])
            self._count(meta)
        summary.resumed = self.totals["structure"]
        return start

    def _batch(self, frames: Sequence[Frame]) -> Batch:
        structures = [frame.structure for frame in frames]
        return self.descriptor.evaluate_batch(structures, jacobian=self.options.derivatives)

    def _make(self, chunk: Chunk, batch: Batch) -> Made:
        """Return the arrays and metadata of a computed chunk."""
        arrays = layout.chunk_arrays(chunk, batch, self.options.storage)
        if self.options.scale:
            names = self.rows.names(self.descriptor.columns)
            widths = {group: len(self.descriptor.columns[name]) for group, name in names.items()}
            for group, summary in by_group(batch.values, arrays[self.rows.group], widths).items():
                prefix = f"statistics/{names[group]}/"
                arrays |= {prefix + part: np.array(value) for part, value in vars(summary).items()}
        return arrays, {
            "lengths": layout.measure(arrays),
            "skipped": [each.reason for each in chunk.skipped],
            "after": [chunk.after.file, chunk.after.frame],
            "bytes_read": chunk.bytes_read,
        }

    def _count(self, meta: dict[str, Any]) -> None:
        """Count a chunk that is safe on disk."""
        self.totals = add_lengths(self.totals, meta["lengths"])
        self._report(meta["bytes_read"])

    def _report(self, bytes_read: int) -> None:
        if self.on_progress is not None:
            done = self.totals["structure"], self.totals["atom"]
            self.on_progress(ReadingProgress(*done, bytes_read, self.reader.bytes_total))

    def _check_any(self, summary: FeaturizeSummary) -> None:
        if not self.totals["structure"]:
            self.parts.clear()
        check_any(self.totals["structure"], summary.skipped)

    def _complete(self, summary: FeaturizeSummary) -> FeaturizeSummary:
        summary.structures, summary.atoms = self.totals["structure"], self.totals["atom"]
        summary.pairs = self.totals["row"] if self.descriptor.centered_on == "pairs" else None
        summary.with_energy = self.totals["structures/has_energy"]
        summary.with_forces = self.totals["structures/has_forces"]
        summary.with_stress = self.totals["structures/has_stress"]
        return summary

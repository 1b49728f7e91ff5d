"""Finished chunks of a long calculation on disk; a kill at any moment loses only the current chunk.

A chunk is written under a temporary name, flushed to the disk and renamed, so that a file with its final name is
complete. The manifest describes the run that the chunks belong to. A lock keeps other processes out.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from fastsf.errors import InputError, StorageError
from fastsf.storage.atomic import storage_errors, write_atomically, write_text
from fastsf.types import Array

Manifest = dict[str, Any]

_OWN_FILES = re.compile(r"(chunk-\d{8}|manifest\.json)(\.tmp)?|lock")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    StorageError
        If it cannot be read.
    InputError
        If it is not JSON.
    """
    with storage_errors(f"cannot read {path}"):
        text = path.read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: expected JSON, found something else ({error})") from error


class FeatureChunks:
    """Folder of finished chunks of a file.

    Use it as a context manager; the folder is locked inside the block.

    Parameters
    ----------
    output : Path
        The final file; the folder has the same name followed by ``.parts``.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.with_name(output.name + ".parts")
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> FeatureChunks:
        """Make the folder and lock it.

        Raises
        ------
        StorageError
            If it cannot be made, or another process uses it.
        """
        with storage_errors(f"cannot make the working folder {self.folder}"):
            self.folder.mkdir(exist_ok=True)
            self._lock = (self.folder / "lock").open("ab")
        if not _try_lock(self._lock):
            self._lock.close()
            raise StorageError(f"another process is writing into {self.folder}; wait for it or stop it")
        return self

    def __exit__(self, *_: object) -> None:
        """Unlock the folder; remove it if it has no chunks of an unfinished run."""
        if not self.unfinished():
            with contextlib.suppress(StorageError):
                self._remove()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _manifest_path(self) -> Path:
        return self.folder / "manifest.json"

    def _chunk_path(self, index: int) -> Path:
        return self.folder / f"chunk-{index:08d}"

    def manifest(self) -> Manifest | None:
        """Return the manifest of the finished chunks, or None if there is none."""
        return read_json(self._manifest_path) if self._manifest_path.exists() else None

    def begin(self, manifest: Manifest) -> None:
        """Empty the folder and write the manifest of a new run."""
        self.clear()
        self.describe(manifest)

    def describe(self, manifest: Manifest) -> None:
        """Write or replace the manifest."""
        write_text(self._manifest_path, json.dumps(manifest, indent=1))

    def count(self) -> int:
        """Return the number of finished chunks."""
        index = 0
        while self._chunk_path(index).exists():
            index += 1
        return index

    def unfinished(self) -> bool:
        """Return whether there are chunks of an unfinished run."""
        return self._manifest_path.exists() and self.count() > 0

    def save(self, index: int, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
        """Write a chunk.

        Parameters
        ----------
        index : int
            Index of the chunk; indices have no gaps.
        arrays : mapping of str to array
            Results.
        meta : mapping
            Metadata in types of JSON.

        Raises
        ------
        StorageError
            If there is no space or no permission.
        """
        text = json.dumps({"names": list(arrays), "meta": meta}).encode()

        def write(file: IO[bytes]) -> None:
            for array in (np.frombuffer(text, dtype=np.uint8), *arrays.values()):
                _write_array(file, array)

        write_atomically(self._chunk_path(index), write)

    def load(self, index: int) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the arrays and metadata of a chunk.

        Raises
        ------
        StorageError
            If the file is damaged; a crash alone does not damage files.
        """
        with self._opened(index) as file:
            about = _read_about(file)
            arrays = {name: np.lib.format.read_array(file, allow_pickle=False) for name in about["names"]}
        return arrays, about["meta"]

    def load_meta(self, index: int) -> dict[str, Any]:
        """Return the metadata of a chunk.

        Raises
        ------
        StorageError
            As for `load`.
        """
        with self._opened(index) as file:
            meta: dict[str, Any] = _read_about(file)["meta"]
        return meta

    @contextlib.contextmanager
    def _opened(self, index: int) -> Iterator[IO[bytes]]:
        path = self._chunk_path(index)
        try:
            with path.open("rb") as file:
                yield file
        except (OSError, ValueError, KeyError) as error:
            raise StorageError(f"{path} is damaged ({error}); --overwrite starts again") from error

    def clear(self) -> None:
        """Remove all files of this class from the folder, the manifest first."""
        with storage_errors(f"cannot empty {self.folder}"):
            self._manifest_path.unlink(missing_ok=True)
            for path in sorted(self.folder.iterdir()):
                if _OWN_FILES.fullmatch(path.name) and path.name != "lock":
                    path.unlink()

    def _remove(self) -> None:
        """Remove the folder unless it has other files."""
        self.clear()
        with contextlib.suppress(OSError):
            (self.folder / "lock").unlink(missing_ok=True)
            self.folder.rmdir()


def _write_array(file: IO[bytes], array: Array) -> None:
    """Write an array in the format of NumPy; unlike `numpy.save`, errors keep the reason if the disk is full."""
    flat = np.asarray(array, order="C")
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(flat))
    if flat.size:
        file.write(flat.reshape(-1).view(np.uint8).data)


def _read_about(file: IO[bytes]) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(np.lib.format.read_array(file, allow_pickle=False).tobytes())
    return about


def _try_lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed or the process ends; return False if it is locked by another process."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return os.fstat(file.fileno()).st_nlink > 0  # another process may have removed it since

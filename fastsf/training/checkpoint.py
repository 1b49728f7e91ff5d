"""Checkpoints: all that a training needs to go on as if nothing had happened, in one file.

The file is a NumPy archive (npz) of arrays without pickles. One of them, ``document``, is a JSON text with everything
that is no array. Each array carries a check sum.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.disk import storage_errors, write_atomically
from fastsf.errors import FormatError
from fastsf.training.loop import Progress

FORMAT = "fastsf-training-checkpoint"
VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A training between two epochs.

    Parameters
    ----------
    identity : dict
        What determines the course of the training, in JSON's types; only the same training may go on.
    progress : Progress
        Where the training is.
    optimizer : mapping of str to array, number or str
        State of the optimiser.
    """

    identity: dict[str, Any]
    progress: Progress
    optimizer: Mapping[str, npt.NDArray[np.generic] | float | int | str]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a file that is there is replaced, and only once the new one is whole.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    document: dict[str, Any] = {"format": FORMAT, "version": VERSION, "identity": checkpoint.identity}
    for part, state in (("progress", checkpoint.progress.state()), ("optimizer", checkpoint.optimizer)):
        document[part] = {}
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                arrays[f"{part}/{name}"] = value
            else:
                document[part][name] = value.item() if isinstance(value, np.generic) else value
    memory = io.BytesIO()
    np.savez(memory, document=np.array(json.dumps(document)), **arrays)  # type: ignore[arg-type]
    write_atomically(path, lambda file: file.write(memory.getbuffer()))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint to the last bit.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is damaged, something else or of another version.
    """
    with storage_errors(f"cannot read {path}"):
        data = path.read_bytes()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            document = json.loads(str(archive["document"]))
            arrays = {name: archive[name] for name in archive.files if name != "document"}
        if (document["format"], document["version"]) != (FORMAT, VERSION):
            raise FormatError(
                f"expected version {VERSION} of {FORMAT}, found {document['version']} of {document['format']}", path
            )
        states = {
            part: document[part]
            | {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith(f"{part}/")}
            for part in ("progress", "optimizer")
        }
        return Checkpoint(document["identity"], Progress(**states["progress"]), states["optimizer"])
    except FormatError:
        raise
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise FormatError(f"not a whole checkpoint of a training: {error}", path) from error

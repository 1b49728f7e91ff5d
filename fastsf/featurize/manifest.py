"""Manifest of a feature file: the inputs and options of a run, so that only the same run can be resumed."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import fastsf
from fastsf.datasets.frames import Reading
from fastsf.datasets.inputs import Input
from fastsf.descriptors.base import Descriptor
from fastsf.errors import InputError
from fastsf.featurize.chunks import FeatureChunks, Manifest
from fastsf.featurize.reader import FeatureFile
from fastsf.featurize.writer import Header
from fastsf.storage.states import differing_keys

FORMAT = "fastsf-featurize"
VERSION = 1
CHUNK_ATOMS = {"atoms": (20_000, 2_000), "pairs": (2_000, 200)}
"""Atoms after which a chunk is closed, without and with derivatives, for rows of atoms and of pairs."""


@dataclass(frozen=True)
class Options:
    """Options of a featurization.

    Parameters
    ----------
    derivatives : bool
        Compute the sparse derivatives too.
    float32 : bool
        Store features and derivatives in single precision; they are computed in double precision.
    scale : bool
        Compute minimum, maximum, mean and sigma of each column in the same pass.
    chunk_atoms : int, optional
        Atoms after which a chunk is closed. Default: 20,000, with derivatives 2,000; a tenth of that for rows of pairs.
    """

    derivatives: bool = False
    float32: bool = False
    scale: bool = False
    chunk_atoms: int | None = None

    def chunk_size(self, rows: str) -> int:
        """Return the number of atoms after which a chunk is closed, for rows of "atoms" or "pairs"."""
        return CHUNK_ATOMS[rows][self.derivatives] if self.chunk_atoms is None else self.chunk_atoms

    @property
    def storage(self) -> str:
        """NumPy type of the stored features."""
        return "float32" if self.float32 else "float64"


def make_manifest(
    files: Sequence[Input], descriptor: Descriptor, options: Options, reading: Reading, command: str
) -> Manifest:
    """Return what determines the contents of a file (``identity``), with the command and time of this run."""
    definition = definition_text(descriptor)
    identity = {
        "fastsf": fastsf.__version__,
        "definition": hashlib.sha256(definition.encode()).hexdigest(),
        "inputs": [asdict(each) for each in files],
        **asdict(options),
        "chunk_atoms": options.chunk_size(descriptor.centered_on),
        **asdict(reading),
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        "identity": json.loads(json.dumps(identity)),
        "elements": list(descriptor.elements),
        "created": _now(),
        "command": command,
    }


def definition_text(descriptor: Descriptor) -> str:
    """Return the definition of a descriptor as JSON, equal for equal descriptors."""
    return json.dumps(descriptor.to_dict(), sort_keys=True, separators=(",", ":"))


def _now() -> str:
    """Return the UTC time, or SOURCE_DATE_EPOCH if it is set, for reproducible files."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    time = datetime.fromtimestamp(int(epoch), timezone.utc) if epoch else datetime.now(timezone.utc)
    return time.isoformat(timespec="seconds")


def is_complete(target: Path, parts: FeatureChunks, manifest: Manifest, overwrite: bool) -> bool:
    """Return whether a finished file of the same run exists.

    Raises
    ------
    InputError
        If the file is of another run.
    """
    if overwrite or parts.unfinished() or not target.exists():
        return False
    with FeatureFile(target) as file:
        _compare(file.manifest, manifest, str(target))
    return True


def resume_or_begin(parts: FeatureChunks, manifest: Manifest, overwrite: bool) -> Manifest:
    """Return the manifest of the run that is resumed, or begin a new run in an empty folder.

    Raises
    ------
    InputError
        If the finished chunks are of another run.
    """
    before = parts.manifest() if parts.unfinished() and not overwrite else None
    if before is None:
        parts.begin(manifest)
        return manifest
    _compare(before, manifest, str(parts.folder))
    resumed = {**before, "identity": manifest["identity"]}
    if resumed != before:
        parts.describe(resumed)
    return resumed


def _compare(before: Manifest, now: Manifest, path: str) -> None:
    if before.get("format") != FORMAT or before.get("version") != VERSION:
        raise InputError(f"{path} was begun by another version of fastsf; --overwrite starts again")
    old, new = before["identity"], now["identity"]
    changes = [_change(name, old.get(name), new.get(name)) for name in differing_keys(old, new)]
    if old["on_error"] == "stop":  # then nothing was omitted, and continuing with "skip" gives the same file
        changes = [change for change in changes if not change.startswith("on_error")]
    if changes:
        raise InputError(f"{path} belongs to another run ({'; '.join(changes)}); --overwrite starts again")


def _change(name: str, before: Any, now: Any) -> str:
    if name == "definition":
        return "other symmetry functions"
    if name == "inputs":
        old, new = ({each["path"]: each for each in inputs} for inputs in (before, now))
        other = [path for path in {**old, **new} if old.get(path) != new.get(path)]
        return f"input files have changed: {', '.join(other)}" if other else "input files in another order"
    return f"{name} was {before}, is {now}"


def recorded_elements(output: str | Path, paths: Sequence[str]) -> list[str] | None:
    """Return the elements of an unfinished or finished run over the same files, or None."""
    parts, target = FeatureChunks(Path(output)), Path(output)
    manifest = parts.manifest()
    if manifest is None and target.is_file():
        with FeatureFile(target) as file:
            manifest = file.manifest
    if manifest is None or manifest["identity"]["inputs"] != [asdict(Input.of(path)) for path in paths]:
        return None
    return list(manifest["elements"])


def header(descriptor: Descriptor, files: Sequence[Input], options: Options, manifest: Manifest) -> Header:
    """Return the description that the finished file contains."""
    attributes = {
        "created": manifest["created"],
        "command": manifest["command"],
        "definition_sha256": manifest["identity"]["definition"],
        "fastsf": fastsf.__version__,
        "python": platform.python_version(),
    }
    attributes |= {name: metadata.version(name) for name in ("numpy", "numba", "ase", "h5py")}
    return Header(
        storage=options.storage,
        rows=descriptor.centered_on,
        derivatives=options.derivatives,
        n_columns=descriptor.n_features,
        labels=descriptor.labels,
        families={name: [f.family for f in functions] for name, functions in descriptor.columns.items()},
        inputs=[asdict(each) for each in files],
        definition=definition_text(descriptor),
        manifest=json.dumps(manifest),
        attributes=attributes,
    )

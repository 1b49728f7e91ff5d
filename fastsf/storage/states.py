"""Arrays and plain values in one file without pickles, to the last bit.

The file is a NumPy archive (npz). One of its arrays, ``document``, is a JSON text with everything that is no array.
Each array carries a check sum.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.errors import FormatError
from fastsf.storage.atomic import storage_errors, write_atomically

State = Mapping[str, npt.NDArray[Any] | float | int | str]


def write_states(path: Path, kind: str, version: int, document: Mapping[str, Any], states: Mapping[str, State]) -> None:
    """Write a file of states; an existing file is replaced once the new one is complete.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        Kind of the contents.
    version : int
        Version of the layout.
    document : mapping
        Further values in JSON's types.
    states : mapping of str to mapping of str to array, number or str
        States by names, which must differ from the keys of `document`.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    whole: dict[str, Any] = {"format": kind, "version": version, **document}
    for part, state in states.items():
        whole[part] = {}
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                arrays[f"{part}/{name}"] = value
            else:
                whole[part][name] = value.item() if isinstance(value, np.generic) else value
    memory = io.BytesIO()
    np.savez(memory, document=np.array(json.dumps(whole)), **arrays)  # type: ignore[arg-type]
    write_atomically(path, lambda file: file.write(memory.getbuffer()))


def read_states(path: Path, kind: str, version: int) -> dict[str, Any]:
    """Read a file of states: its document, with the arrays inserted.

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
            whole: dict[str, Any] = json.loads(str(archive["document"]))
            if (whole["format"], whole["version"]) != (kind, version):
                raise FormatError(
                    f"expected version {version} of {kind}, found {whole['version']} of {whole['format']}", path
                )
            for key in archive.files:
                part, _, name = key.partition("/")
                if name:
                    whole[part][name] = archive[key]
    except FormatError:
        raise
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise FormatError(f"not a whole {kind}: {error}", path) from error
    return whole


def generator_state(rng: np.random.Generator) -> str:
    """Return the state of a generator of random numbers as text."""
    return json.dumps(rng.bit_generator.state)


def restored_generator(state: str) -> np.random.Generator:
    """Return a generator that continues from a state of `generator_state`."""
    rng = np.random.default_rng(0)
    rng.bit_generator.state = json.loads(state)
    return rng


def differences(before: Any, now: Any, name: str = "") -> Iterator[str]:
    """Yield the differences between two nested tables, one line for each value."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in differing_keys(before, now):
            yield from differences(before.get(key), now.get(key), f"{name}.{key}" if name else str(key))
    elif before != now:
        yield f"{name} was {_short(before)}, is {_short(now)}"


def differing_keys(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the keys whose values differ.

    A key that only one table has does not count while its value is empty (None, False, 0, an empty text or list): runs
    that began before an option existed continue without it.
    """
    return [
        key
        for key in {**before, **now}
        if before.get(key) != now.get(key) and (before.get(key) or now.get(key) or (key in before and key in now))
    ]


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."

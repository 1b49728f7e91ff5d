"""Model files of fastsf: one HDF5 file of arrays and texts, in Å and eV.

The first 512 bytes are text: the kind of file and the SHA-256 of all following bytes, so that a damaged file is
recognised before it is read. Tools of HDF5 skip these bytes. Contents::

    (attributes)                format, version, length_unit, energy_unit, fastsf, created, energy_scale, length_scale
    definition                  the symmetry functions, as `ACSF.to_dict` gives them (JSON)
    metadata                    origin of the potential (JSON)
    elements/X                  attribute: offset (eV)
    elements/X/scaling          attributes: mode, lowest, highest; minimum, maximum, mean, sigma (s,)
    elements/X/network          attributes: activations, normalize_nodes; weights/K (in, out) and biases/K (out,)
    pairs                       attribute: envelope; only with energies of pairs
    pairs/definition            pair-centred symmetry functions, as `PCSF.to_dict` gives them (JSON)
    pairs/kinds/X-Y             scaling and network, as of elements

An element without functions has neither scaling nor network. Files with energies of pairs or such elements have
version 2, so that programs for version 1 do not compute with half of the potential.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import fastsf
from fastsf.descriptors.pcsf import PCSF
from fastsf.errors import FormatError, InputError
from fastsf.potentials.network import Network
from fastsf.potentials.parts import PotentialParts
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.scaling import Scaling
from fastsf.storage.atomic import storage_errors, write_atomically
from fastsf.symmetry.definition import ATOM_CENTERED

FORMAT = "fastsf-potential"
VERSIONS = 1, 2

_HEAD = 512
_TITLE = b"fastsf potential, HDF5 from byte 512\nsha256 "
_UNITS = {"length_unit": "Angstrom", "energy_unit": "eV"}
_STATISTICS = ("minimum", "maximum", "mean", "sigma")


# --- writing ---


def write_model(path: str | Path, parts: PotentialParts) -> None:
    """Write a potential into one file.

    Parameters
    ----------
    path : path-like
        The file. An existing file is replaced only when the new one is complete.
    parts : PotentialParts
        The potential.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    memory = io.BytesIO()
    with h5py.File(memory, "w", userblock_size=_HEAD) as file:
        _fill(file, parts)
    body = memory.getvalue()[_HEAD:]
    head = _TITLE + hashlib.sha256(body).hexdigest().encode() + b"\n"
    write_atomically(Path(path), lambda file: file.write(head.ljust(_HEAD, b"\0") + body))


def _fill(file: h5py.File, parts: PotentialParts) -> None:
    version = VERSIONS[parts.pairs is not None or len(parts.networks) < len(parts.elements)]
    file.attrs.update({"format": FORMAT, "version": version, **_UNITS})
    file.attrs.update({"fastsf": fastsf.__version__, "created": datetime.now(timezone.utc).isoformat("T", "seconds")})
    file.attrs.update({"energy_scale": parts.energy_scale, "length_scale": parts.length_scale})
    _put_text(file, "definition", json.dumps(ATOM_CENTERED.to_document(parts.functions, parts.elements)))
    _put_text(file, "metadata", json.dumps(dict(parts.metadata)))
    for symbol in parts.elements:
        group = file.create_group(f"elements/{symbol}")
        group.attrs["offset"] = float(parts.offsets[symbol])
        if symbol in parts.networks:
            _put_trained(group, parts.scalings[symbol], parts.networks[symbol])
    if parts.pairs is not None:
        _put_pairs(file.create_group("pairs"), parts.pairs)


def _put_pairs(group: h5py.Group, pairs: PairTerm) -> None:
    group.attrs["envelope"] = pairs.envelope
    _put_text(group, "definition", json.dumps(pairs.descriptor.to_dict()))
    for kind in pairs.kinds:
        _put_trained(group.create_group(f"kinds/{kind}"), pairs.scalings[kind], pairs.networks[kind])


def _put_trained(group: h5py.Group, scaling: Scaling, network: Network) -> None:
    _put_scaling(group.create_group("scaling"), scaling)
    _put_network(group.create_group("network"), network)


def _put_text(file: h5py.Group, name: str, text: str) -> None:
    file.create_dataset(name, data=text, dtype=h5py.string_dtype("utf-8"), track_times=False)


def _put_scaling(group: h5py.Group, scaling: Scaling) -> None:
    group.attrs.update({"mode": scaling.mode, "lowest": float(scaling.lowest), "highest": float(scaling.highest)})
    for name in _STATISTICS:
        group.create_dataset(name, data=getattr(scaling, name), dtype="<f8", track_times=False)


def _put_network(group: h5py.Group, network: Network) -> None:
    group.attrs["activations"] = " ".join(network.activations)
    group.attrs["normalize_nodes"] = network.normalize_nodes
    for k, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        group.create_dataset(f"weights/{k}", data=weights, dtype="<f8", track_times=False)
        group.create_dataset(f"biases/{k}", data=biases, dtype="<f8", track_times=False)


# --- reading ---


def read_model(path: str | Path) -> PotentialParts:
    """Read a potential that `write_model` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        If it is not a potential, is damaged, or has a later version.
    """
    path = Path(path)
    body = _checked_body(path)
    try:
        with h5py.File(io.BytesIO(bytes(_HEAD) + body), "r") as file:
            _check_format(file, path)
            return _parts(file)
    except FormatError:
        raise
    except (InputError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise FormatError(f"the potential is incomplete: {error}", path) from error


def is_model(path: str | Path) -> bool:
    """Return whether a file begins like those of `write_model`.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    with storage_errors(f"cannot read {path}"), Path(path).open("rb") as file:
        return file.read(len(_TITLE)) == _TITLE


def _checked_body(path: Path) -> bytes:
    with storage_errors(f"cannot read {path}"):
        data = path.read_bytes()
    head, body = data[:_HEAD], data[_HEAD:]
    if not head.startswith(_TITLE):
        raise FormatError(
            "expected a potential written by fastsf (or a folder with input.nn), found something else", path
        )
    digest = hashlib.sha256(body).hexdigest().encode() + b"\n"
    if head[len(_TITLE) :].rstrip(b"\0") != digest:
        raise FormatError("the file is damaged or cut off: its SHA-256 is not the recorded one", path)
    return body


def _check_format(file: h5py.File, path: Path) -> None:
    expected: Mapping[str, Any] = {"format": FORMAT, **_UNITS}
    for name, value in expected.items():
        if file.attrs[name] != value:
            raise FormatError(f"expected the {name} {value}, found {file.attrs[name]}", path)
    if file.attrs["version"] not in VERSIONS:
        raise FormatError(f"expected a version up to {VERSIONS[-1]}, found {file.attrs['version']}", path)


def _parts(file: h5py.File) -> PotentialParts:
    elements, functions = ATOM_CENTERED.from_document(json.loads(file["definition"].asstr()[()]))
    groups = {symbol: file[f"elements/{symbol}"] for symbol in elements}
    trained = {symbol: group for symbol, group in groups.items() if "network" in group}
    return PotentialParts(
        elements,
        functions,
        {symbol: _network(group["network"]) for symbol, group in trained.items()},
        {symbol: _scaling(group["scaling"]) for symbol, group in trained.items()},
        float(file.attrs["energy_scale"]),
        {symbol: float(group.attrs["offset"]) for symbol, group in groups.items()},
        float(file.attrs["length_scale"]),
        json.loads(file["metadata"].asstr()[()]),
        _pairs(file["pairs"]) if "pairs" in file else None,
    )


def _pairs(group: h5py.Group) -> PairTerm:
    kinds = group["kinds"]
    return PairTerm(
        PCSF.from_dict(json.loads(group["definition"].asstr()[()])),
        {kind: _network(kinds[kind]["network"]) for kind in kinds},
        {kind: _scaling(kinds[kind]["scaling"]) for kind in kinds},
        group.attrs["envelope"],
    )


def _scaling(group: h5py.Group) -> Scaling:
    statistics = (np.array(group[name]) for name in _STATISTICS)
    return Scaling(group.attrs["mode"], float(group.attrs["lowest"]), float(group.attrs["highest"]), *statistics)


def _network(group: h5py.Group) -> Network:
    layers = [str(k) for k in range(len(group["weights"]))]
    weights = [np.array(group["weights"][k]) for k in layers]
    biases = [np.array(group["biases"][k]) for k in layers]
    return Network(weights, biases, group.attrs["activations"].split(), bool(group.attrs["normalize_nodes"]))

"""The pair style: compiled against the installed LAMMPS once per installation, and given a potential."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from fastsf.errors import StorageError
from fastsf.kernels._jit import CACHE_FOLDER
from fastsf.lammps import library
from fastsf.lammps.library import LammpsError
from fastsf.lammps.model import LammpsModel
from fastsf.storage.atomic import make_folder, storage_errors

_COMPILERS = ("mpicxx", "c++", "g++", "clang++")
_OTHER_WAY = "--route external needs no compiler"
_MOST_LINES = 5


def build() -> Path:
    """Compile the pair style, unless that was done before; return the path of the library.

    It is kept next to the compiled kernels (NUMBA_CACHE_DIR, or the user's cache folder), under the versions to which
    it belongs. Several processes may do so at the same time.

    Raises
    ------
    LammpsError
        If LAMMPS, its headers or a compiler are missing, or the compiler fails.
    StorageError
        If the library cannot be written.
    """
    headers = _headers()
    source = files("fastsf.lammps").joinpath("pair_fastsf.cpp").read_text(encoding="utf-8")
    options = _options(headers)
    target = _folder() / f"pair_fastsf-{_digest(source, options)}.so"
    if not target.exists():
        _compile(_compiler(), source, options, target)
    return target


def use(plugin: Path, model: LammpsModel) -> None:
    """Give a potential to all pair styles made from now on; it must exist longer than they do."""
    ctypes.CDLL(str(plugin)).fastsf_use(ctypes.byref(model.for_plugin()))


def _headers() -> Path:
    package = library.package_folder()
    folder = package / "include" / "lammps"
    if not (folder / "pair.h").exists():
        raise LammpsError(f"expected the headers of LAMMPS, found no {folder / 'pair.h'}; {_OTHER_WAY}")
    return folder


def _options(headers: Path) -> list[str]:
    """Return the options of the compiler, except source and target."""
    linking = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    mpi = library.mpi_file("mpi.h")
    folders = [headers, *([mpi.parent] if mpi is not None else [])]
    sizes = {size for note in headers.parents[1].glob("pkgconfig/*.pc") for size in _sizes(note)}
    return ["-O2", "-std=c++17", "-fPIC", "-shared", *sorted(sizes), *linking, *(f"-I{folder}" for folder in folders)]


def _sizes(note: Path) -> list[str]:
    """Return the options for the sizes of integers with which LAMMPS was compiled."""
    return re.findall(r"-DLAMMPS_(?:SMALL|BIG)BIG", note.read_text(encoding="utf-8", errors="replace"))


def _folder() -> Path:
    if CACHE_FOLDER is None:
        raise StorageError("cannot write the pair style: no cache folder; set NUMBA_CACHE_DIR to a folder to write to")
    return make_folder(CACHE_FOLDER.parent / "lammps")


def _digest(source: str, options: list[str]) -> str:
    built = [str(path.stat().st_mtime_ns) for path in sorted(library.package_folder().glob("liblammps*"))]
    words = [source, *options, library.version(), platform.machine(), *built]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _compiler() -> str:
    names = [os.environ["CXX"]] if os.environ.get("CXX") else list(_COMPILERS)
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        raise LammpsError(
            f"expected a C++ compiler, found none of {', '.join(names)}; set CXX to another; {_OTHER_WAY}"
        )
    return found


def _compile(compiler: str, source: str, options: list[str], target: Path) -> None:
    with storage_errors(f"cannot write {target}"), tempfile.TemporaryDirectory(dir=target.parent) as folder:
        code = Path(folder) / "pair_fastsf.cpp"
        code.write_text(source, encoding="utf-8")
        command = [compiler, *options, "-o", target.name, code.name]  # LAMMPS shows the name of the source
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
            raise LammpsError(
                f"{compiler} cannot compile the pair style: {'; '.join(lines[:_MOST_LINES])}; {_OTHER_WAY}"
            )
        (Path(folder) / target.name).replace(target)

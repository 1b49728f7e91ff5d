"""Compilation of kernels ahead of their first use, by several processes.

Python compiles in one thread, so the work is shared among processes, each with tasks of its own.
They leave the kernels in the cache folder, and a marker for each task that is finished.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

import numba

from fastsf.errors import FastsfError, InputError, StorageError
from fastsf.kernels import _jit
from fastsf.storage.atomic import storage_errors
from fastsf.threads import most_threads, never_announce

SECONDS = {
    "threads": 0.7,
    "pairs": 8.5,
    "forces": 2.0,
    "values": 15.0,
    "jacobian": 20.0,
    "vjp": 16.0,
    "jvp": 11.0,
    "networks": 2.5,
    "tangents": 2.0,
    "symmetric": 1.0,
    "energies": 28.0,
    "md": 10.0,
    "mc": 26.0,
    "lammps": 5.0,
    "mixed values": 15.0,
    "mixed vjp": 16.0,
    "mixed energies": 28.0,
    "pcsf rows": 1.0,
    "pcsf values": 11.0,
    "pcsf jacobian": 13.0,
    "pcsf vjp": 12.0,
    "pcsf jvp": 10.0,
    "pcsf energies": 1.5,
    "pcsf md": 18.0,
}
"""Tasks, and their times on one core, of which only the ratios matter."""

_PCSF = "threads", "pairs", "pcsf rows", "pcsf values"
_PCSF_FORCES = *_PCSF, "values", "networks", "pcsf energies", "vjp", "pcsf vjp"

_ACSF_GROUPS = {
    "featurize": ("threads", "pairs", "values"),
    "derivatives": ("threads", "pairs", "jacobian"),
    "products": ("threads", "pairs", "vjp", "jvp", "forces"),
    "predict": ("threads", "pairs", "energies", "forces"),
    "train": ("threads", "pairs", "values", "jacobian", "tangents", "symmetric", "networks", "energies", "forces"),
    "lammps": ("energies", "lammps"),
    "md": ("threads", "pairs", "energies", "forces", "md"),
    "mc": ("threads", "pairs", "mc"),
    "committee": ("threads", "pairs", "values", "networks", "vjp", "forces"),
    "mixed": ("threads", "pairs", "mixed energies", "mixed values", "mixed vjp", "networks", "forces"),
}

_PCSF_GROUPS = {
    "featurize": _PCSF,
    "derivatives": ("pcsf rows", "pcsf jacobian"),
    "products": (*_PCSF, "values", "pcsf vjp", "pcsf jvp"),
    "predict": _PCSF_FORCES,
    "train": (*_PCSF_FORCES, "pcsf jacobian"),
    "lammps": (*_PCSF_FORCES, "forces"),
    "md": (*_PCSF_FORCES, "pcsf md"),
    "committee": _PCSF_FORCES,
}
"""Tasks for pair-centred functions beside those of `_ACSF_GROUPS`."""

GROUPS = {**_ACSF_GROUPS, **{f"pair-{name}": (*_ACSF_GROUPS[name], *more) for name, more in _PCSF_GROUPS.items()}}
"""Tasks that a command needs; every task is in one of the groups."""

_USUAL = tuple(group for group in GROUPS if group != "mixed")

_WAIT_SECONDS = 0.02
_STORAGE_STATUS = 3
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from fastsf.cli.compilation.compile import work; sys.exit(work(sys.argv[2:]))"
)


def compile_kernels(what: Iterable[str] | None = None, processes: int | None = None) -> float:
    """Compile the kernels of this installation, unless that was done before.

    Compiled kernels are kept on disk (NUMBA_CACHE_DIR, or the user's cache folder) for later processes. Where no such
    folder can be written, each process compiles the kernels that it uses; then this function compiles for the process
    that calls it.

    Parameters
    ----------
    what : iterable of str, optional
        Purposes: "featurize" (values of symmetry functions), "derivatives", "products" (derivatives times
        vectors), "predict" (energies and forces of a potential), "train", "lammps", "md", "mc", "committee", "mixed"
        (potentials and committees in mixed precision). All except "mc" and "mixed" also for pair-centred functions:
        "pair-featurize" and so on. The default is everything except "mixed".
    processes : int, optional
        Python processes that share the work. The default is the number of cores for this process. With 1 the work is
        done in this process.

    Returns
    -------
    float
        Time in seconds.

    Raises
    ------
    InputError
        For an unknown purpose in `what`, and for less than one process.
    StorageError
        If a compiled kernel cannot be written.
    FastsfError
        If a process fails in another way.
    """
    if processes is not None and processes < 1:
        raise InputError(f"processes: expected at least one process, found {processes}")
    began = time.perf_counter()
    names = uncompiled(what) if _jit.CACHE_FOLDER is not None else _tasks_of(what)
    if names and _is_compiling():
        never_announce()
        shares = _share(names, _most_processes() if processes is None else processes)
        if len(shares) == 1 or _jit.CACHE_FOLDER is None:
            _compile(names)
        else:
            _compile_in_processes(shares, _jit.CACHE_FOLDER)
    return time.perf_counter() - began


def uncompiled(what: Iterable[str] | None = None) -> list[str]:
    """Return the tasks of some groups that were not finished yet; none where no kernel can be kept.

    Parameters
    ----------
    what : iterable of str, optional
        As for `compile_kernels`.
    """
    folder, names = _jit.CACHE_FOLDER, _tasks_of(what)
    if folder is None or not _is_compiling():
        return []
    return [name for name in names if not _marker(folder, name).exists()]


def cache_folder() -> str | None:
    """Return the folder of compiled kernels; None if none can be kept."""
    return None if _jit.CACHE_FOLDER is None else str(_jit.CACHE_FOLDER)


def _is_compiling() -> bool:
    return not getattr(numba.config, "DISABLE_JIT", 0)


def _tasks_of(what: Iterable[str] | None) -> list[str]:
    groups = list(_USUAL) if what is None else list(what)
    for group in groups:
        if group not in GROUPS:
            raise InputError(f"unknown purpose of kernels: expected some of {', '.join(GROUPS)}, found {group}")
    return list(dict.fromkeys(name for group in groups for name in GROUPS[group]))


def _marker(folder: Path, name: str) -> Path:
    """Return the file that marks a task as finished, for this Python and this processor."""
    return folder / f"{name}-{_target()}.compiled"


@cache
def _target() -> str:
    """Return a digest of everything on which compiled code depends: versions, processor, folder of the kernels."""
    from numba.core.registry import cpu_target

    processor = cpu_target.target_context.codegen().magic_tuple()
    folder = str(Path(_jit.__file__).parent)
    words = (sys.implementation.cache_tag, sys.version, numba.__version__, folder, *processor)
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16]


# --- in this process ---


def _compile(names: Iterable[str]) -> None:
    from fastsf.cli.compilation.tasks import TASKS  # loads all kernels, which is not needed to look for markers

    for name in names:
        TASKS[name]()
        if _jit.CACHE_FOLDER is not None:
            with storage_errors(f"cannot write into {_jit.CACHE_FOLDER}"):
                _marker(_jit.CACHE_FOLDER, name).touch()


def work(names: Sequence[str]) -> int:
    """Do some tasks as a process of its own; print errors on stderr, and return the exit status."""
    try:
        _compile(names)
    except OSError as error:
        print(error, file=sys.stderr)
        return _STORAGE_STATUS
    except KeyboardInterrupt:
        return 130
    return 0


# --- in several processes ---


class _Child(NamedTuple):
    names: Sequence[str]
    process: subprocess.Popen[bytes]
    messages: IO[bytes]


def _most_processes() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _share(names: Sequence[str], processes: int) -> list[list[str]]:
    """Share tasks among processes: the longest first, each to the process with the least work."""
    shares: list[list[str]] = [[] for _ in range(min(processes, len(names)))]
    for name in sorted(names, key=lambda name: -SECONDS[name]):
        min(shares, key=lambda share: sum(SECONDS[each] for each in share)).append(name)
    return shares


def _compile_in_processes(shares: Sequence[Sequence[str]], folder: Path) -> None:
    children: list[_Child] = []
    left: list[str] = []
    try:
        for share in shares:
            child = _start(share, folder)
            if child is None:
                left += share
            else:
                children.append(child)
        _compile(left)
        running = children
        while running:
            time.sleep(_WAIT_SECONDS)
            running = [child for child in running if not _is_finished(child)]
    finally:
        for child in children:
            child.process.kill()
            child.process.wait()
            child.messages.close()


def _start(names: Sequence[str], folder: Path) -> _Child | None:
    """Start a process with the search path and the cache folder of this one; return None if that is impossible."""
    python = Path(sys.executable or "")
    if getattr(sys, "frozen", False) or not python.name.lower().startswith("python"):
        return None  # a program that holds Python but is not called as Python is
    path = json.dumps([str(entry) for entry in sys.path])
    numba_settings = {"NUMBA_CACHE_DIR": str(folder.parent), "NUMBA_NUM_THREADS": str(most_threads())}
    with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
        messages = stack.enter_context(tempfile.TemporaryFile())
        process = subprocess.Popen(
            [python, "-c", _PROGRAM, path, *names],
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
            env={**os.environ, **numba_settings},
        )
        stack.pop_all()  # the caller closes it
        return _Child(names, process, messages)
    return None


def _is_finished(child: _Child) -> bool:
    status = child.process.poll()
    if not status:
        return status == 0
    child.messages.seek(0)
    lines = child.messages.read().decode(errors="replace").split("\n")
    reason = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
    error = StorageError if status == _STORAGE_STATUS else FastsfError
    raise error(f"compiling the kernels ({', '.join(child.names)}) failed with exit status {status}: {reason}")

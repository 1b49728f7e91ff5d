"""Compile kernels ahead of their first use, on all cores.

Compiling is Python's work, which threads cannot share: it is done by several processes, each with tasks of its own.
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

_MOVING = "threads", "pairs", "moving"
_PAIRS = "moving", "pair rows", "pair values"
_PAIR_FORCES = *_PAIRS, "values", "networks", "pair energies", "vjp", "pair vjp"

_ATOMS = {
    "featurize": ("threads", "pairs", "values"),
    "derivatives": ("threads", "pairs", "jacobian"),
    "products": (*_MOVING, "vjp", "jvp", "forces"),
    "predict": (*_MOVING, "energies", "forces"),
    "train": (*_MOVING, "values", "jacobian", "tangents", "symmetric", "networks", "energies", "forces"),
    "lammps": ("energies", "lammps"),
    "md": (*_MOVING, "energies", "forces", "md"),
    "mc": (*_MOVING, "mc"),
    "committee": (*_MOVING, "values", "networks", "vjp", "forces"),
    "mixed": (*_MOVING, "mixed energies", "mixed values", "mixed vjp", "networks", "forces"),
}

_ALSO_FOR_PAIRS = {
    "featurize": _PAIRS,
    "derivatives": ("moving", "pair rows", "pair jacobian"),
    "products": (*_PAIRS, "values", "pair vjp", "pair jvp"),
    "predict": _PAIR_FORCES,
    "train": (*_PAIR_FORCES, "pair jacobian"),
    "lammps": (*_MOVING, *_PAIR_FORCES, "forces"),
    "md": (*_PAIR_FORCES, "pair md"),
    "committee": _PAIR_FORCES,
}

GROUPS = {**_ATOMS, **{f"pair-{name}": (*_ATOMS[name], *more) for name, more in _ALSO_FOR_PAIRS.items()}}
"""Tasks that belong together; those of all groups are all that there are."""

_USUAL = tuple(group for group in GROUPS if group != "mixed")

_WAIT_SECONDS = 0.02
_STORAGE_STATUS = 3
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from fastsf.compilation.compile import work; sys.exit(work(sys.argv[2:]))"
)


def compile_kernels(what: Iterable[str] | None = None, processes: int | None = None) -> float:
    """Compile the kernels of this installation, unless that was done before.

    Compiled kernels are kept on disk (NUMBA_CACHE_DIR, or the user's cache folder), so that later processes start at
    once. Where no such folder can be written, each process compiles what it uses, and this function does so for the
    process that calls it.

    Parameters
    ----------
    what : iterable of str, optional
        What they are for: "featurize" (values of symmetry functions), "derivatives", "products" (derivatives times
        vectors), "predict" (energies and forces of a potential), "train", "lammps", "md", "mc", "committee", "mixed"
        (potentials and committees in mixed precision). All but "mc" and "mixed" also for pair-centred functions:
        "pair-featurize" and so on. Everything but "mixed", by default.
    processes : int, optional
        Python processes that share the work; as many as there are cores for this process, by default. With 1 it is
        done in this process.

    Returns
    -------
    float
        Seconds that it took.

    Raises
    ------
    InputError
        For an unknown word in `what`, and for less than one process.
    StorageError
        If a compiled kernel cannot be written.
    FastsfError
        If a process fails in another way.
    """
    if processes is not None and processes < 1:
        raise InputError(f"expected at least one process, found {processes}")
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
    """Tasks of some groups that were not finished yet; none where nothing can be kept.

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
    """Where compiled kernels are kept; None if they cannot be."""
    return None if _jit.CACHE_FOLDER is None else str(_jit.CACHE_FOLDER)


def _is_compiling() -> bool:
    return not getattr(numba.config, "DISABLE_JIT", 0)


def _tasks_of(what: Iterable[str] | None) -> list[str]:
    groups = list(_USUAL) if what is None else list(what)
    for group in groups:
        if group not in GROUPS:
            raise InputError(f"nothing to compile for {group!r}, expected some of {', '.join(GROUPS)}")
    return list(dict.fromkeys(name for group in groups for name in GROUPS[group]))


def _marker(folder: Path, name: str) -> Path:
    """File that tells that a task was finished, for this Python and this processor."""
    return folder / f"{name}-{_target()}.compiled"


@cache
def _target() -> str:
    """Digest of what numba tells compiled code apart by: versions, and where the kernels are installed."""
    from numba.core.registry import cpu_target

    processor = cpu_target.target_context.codegen().magic_tuple()
    place = str(Path(_jit.__file__).parent)
    words = (sys.implementation.cache_tag, sys.version, numba.__version__, place, *processor)
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16]


# --- in this process ---


def _compile(names: Iterable[str]) -> None:
    from fastsf.compilation.tasks import TASKS  # loads all kernels, which asking for markers does without

    for name in names:
        TASKS[name].call()
        if _jit.CACHE_FOLDER is not None:
            with storage_errors(f"cannot write into {_jit.CACHE_FOLDER}"):
                _marker(_jit.CACHE_FOLDER, name).touch()


def work(names: Sequence[str]) -> int:
    """Do some tasks as a process of its own; returns its exit status, and prints what is wrong on stderr."""
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
    """Share tasks among processes, the longest first, each to whom has least."""
    from fastsf.compilation.tasks import TASKS

    shares: list[list[str]] = [[] for _ in range(min(processes, len(names)))]
    for name in sorted(names, key=lambda name: -TASKS[name].seconds):
        min(shares, key=lambda share: sum(TASKS[each].seconds for each in share)).append(name)
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
    """Start a process, with the search path and the cache folder of this one; None where that cannot be done."""
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

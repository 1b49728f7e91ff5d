"""The only module that compiles: every kernel is decorated with `njit` of this module.

Numba's disk cache watches only the file of the function that is called. After an edit or an upgrade of a
function further down it would return the old machine code, silently. So the cache folder is named after a digest
of all kernel sources: <user cache folder>/fastsf/<digest>, or below NUMBA_CACHE_DIR where the user has set it. In it
each package has a folder, since functions of `kernels` and `kernels.single` are in the same lines of the same files.
Where no folder can be written, kernels are compiled again in each process.
"""

import hashlib
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numba
from numba import config
from platformdirs import user_cache_path

OPTIONS = {"error_model": "numpy", "nogil": True}
"""Options of every kernel. No fastmath: nothing is re-associated, so results do not depend on inlining."""


def _source_digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _writable_folder() -> Path | None:
    root = Path(config.CACHE_DIR) if config.CACHE_DIR else user_cache_path("fastsf", appauthor=False)
    folder = root / _source_digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return None
    return folder


CACHE_FOLDER = _writable_folder()
"""Folder of the compiled kernels of exactly these sources; None if nothing can be written."""


@contextmanager
def _numba_cache_in(folder):
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def njit(function=None, **options):
    """Compile a kernel that Python calls, with the common options and the cache of this package."""
    if function is None:
        return lambda decorated: njit(decorated, **options)
    common = {**OPTIONS, "no_cfunc_wrapper": True, **options}
    if CACHE_FOLDER is None:
        return numba.njit(**common)(function)
    package = function.__module__.rpartition(".")[0]
    with _numba_cache_in(CACHE_FOLDER / package):
        return numba.njit(cache=True, **common)(function)


def callback(function, signature):
    """Compile a function that C calls, and keep it as long as the process; `.address` is its address."""
    if function not in _CALLBACKS:
        options = {"error_model": OPTIONS["error_model"]}
        if CACHE_FOLDER is None:
            _CALLBACKS[function] = numba.cfunc(signature, **options)(function)
        else:
            with _numba_cache_in(CACHE_FOLDER):
                _CALLBACKS[function] = numba.cfunc(signature, cache=True, **options)(function)
    return _CALLBACKS[function]


_CALLBACKS = {}


def kernel(function, **options):
    """Compile a function that only kernels call, on arrays that they give it.

    It may not allocate: references are not counted, which for some twenty scratch arrays took a tenth of the time.
    It has no wrapper for Python and no cache of its own, which take most of the compile time of small functions.
    """
    internal = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(**OPTIONS, **internal, **options)(function)


def allocator(function):
    """Compile a function that only kernels call, and that allocates memory for them."""
    return numba.njit(**OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def inline(function):
    """Compile a formula that is part of the loops that use it: no call in between."""
    return kernel(function, forceinline=True)

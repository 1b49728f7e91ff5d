"""Cache of compiled kernels: the next process finds them, and never those of other sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import fastsf
from fastsf.kernels import _jit

PROBE = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
from fastsf.kernels import _jit
from fastsf.kernels.acsf.tables import SUMS
from fastsf.kernels.pairs import forces
assert _jit.__file__.startswith(sys.argv[1]), _jit.__file__
a, i = np.zeros((1, 3)), np.zeros(1, np.int64)
forces.gather_range(np.array([0, 1]), i, a, np.zeros((1, SUMS)), 0, 1, 0, a)
hits = sum(forces.gather_range.stats.cache_hits.values())
print(_jit.CACHE_FOLDER, hits)
"""


SHARED = """
import numpy as np
from fastsf.kernels import sharing
from fastsf.kernels.acsf.tables import SUMS
from fastsf.kernels.pairs import forces
from fastsf.threads import run
before, gradient = np.arange(300.0).reshape(-1, 3), np.zeros((100, 3))
start, reverse, sums = np.arange(101), np.arange(100)[::-1].copy(), np.zeros((100, SUMS))
run(2, forces.gather_range, (start, reverse, before, sums), 100, (gradient,))
assert (gradient == before[::-1]).all()
print(*(sum(each.stats.cache_hits.values()) for each in (forces.gather_range, sharing._work)))
"""


def probe(package: Path, cache: Path) -> tuple[str, int]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PROBE, str(package)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=package)
    folder, hits = done.stdout.split()
    return folder, int(hits)


def test_second_process_hits_and_edited_callee_misses(tmp_path: Path) -> None:
    package = tmp_path / "site"
    shutil.copytree(Path(fastsf.__file__).parent, package / "fastsf", ignore=shutil.ignore_patterns("__pycache__"))
    first, hits = probe(package, tmp_path / "cache")
    assert hits == 0
    again, hits = probe(package, tmp_path / "cache")
    assert again == first and hits == 1
    formulas = package / "fastsf" / "kernels" / "acsf" / "cutoffs.py"
    formulas.write_text(formulas.read_text() + "\n# an edit\n")
    edited, hits = probe(package, tmp_path / "cache")
    assert edited != first and hits == 0


@pytest.mark.skipif(bool(getattr(numba.config, "DISABLE_JIT", 0)), reason="nothing is compiled")
def test_loops_from_the_cache_are_shared_at_once(tmp_path: Path) -> None:
    """Threads start when the parallel function is loaded, not when it is compiled."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_NUM_THREADS": "2"}
    for hits in ("0 0", "1 1"):
        done = subprocess.run([sys.executable, "-c", SHARED], env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout.strip()) == (0, hits), done.stderr


def test_nothing_is_written_into_the_package() -> None:
    kernels = Path(_jit.__file__).parent
    assert not list(kernels.rglob("*.nbi")) and not list(kernels.rglob("*.nbc"))


def test_works_where_nothing_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    folder, hits = probe(Path(fastsf.__file__).parent.parent, blocked)
    assert folder == "None" and hits == 0

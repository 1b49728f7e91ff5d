"""Compiled kernels: the next process finds them, and never those of other sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fastsf
from fastsf.kernels import _jit

PROBE = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
from fastsf.kernels import forces, _jit
assert _jit.__file__.startswith(sys.argv[1]), _jit.__file__
a, i = np.zeros((1, 3)), np.zeros(1, np.int64)
forces.gather_range(np.array([0, 1]), i, a, np.zeros((1, 12)), 0, 1, a)
hits = sum(forces.gather_range.stats.cache_hits.values())
print(_jit.CACHE_FOLDER, hits)
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
    formulas = package / "fastsf" / "kernels" / "cutoffs.py"
    formulas.write_text(formulas.read_text() + "\n# an edit\n")
    edited, hits = probe(package, tmp_path / "cache")
    assert edited != first and hits == 0


def test_nothing_is_written_into_the_package() -> None:
    kernels = Path(_jit.__file__).parent
    assert not list(kernels.rglob("*.nbi")) and not list(kernels.rglob("*.nbc"))


def test_works_where_nothing_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    folder, hits = probe(Path(fastsf.__file__).parent.parent, blocked)
    assert folder == "None" and hits == 0

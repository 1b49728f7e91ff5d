"""Packages of simulations import their public names at the first use, and kernels with them."""

import subprocess
import sys
from importlib import import_module

import pytest

PACKAGES = ("analysis", "lammps", "mc", "md", "simulation")


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names(package: str) -> None:
    module = import_module(f"fastsf.{package}")
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_packages_load_no_kernels() -> None:
    names = ", ".join(f"fastsf.{package}" for package in PACKAGES)
    code = f"import sys, {names}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

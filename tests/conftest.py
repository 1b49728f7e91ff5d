"""Shared fixtures: the folder of reference data, and running commands."""

import logging
import os
import signal
from pathlib import Path

import pytest

from fastsf.cli import console
from fastsf.cli import main as cli
from fastsf.cli.compilation.compile import compile_kernels


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with published potentials and DFT data, which are not part of the project."""
    folder = Path(os.environ.get("FASTSF_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (folder / "reference").is_dir():
        pytest.skip(f"reference data not found: set FASTSF_SHARED (looked in {folder})")
    return folder


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Let Ctrl-C interrupt as at a terminal; processes in the background of a shell ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and returns exit status, output and errors."""

    def call(*words):
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as ended:
            status = ended.code
        out, err = capsys.readouterr()
        return status, out, err

    yield call
    for handler in [each for each in console.LOG.handlers if isinstance(each, logging.FileHandler)]:
        console.LOG.removeHandler(handler)
        handler.close()


@pytest.fixture(scope="session")
def compiled():
    """Compile all kernels first: tests that disturb commands would disturb the compiler."""
    compile_kernels()

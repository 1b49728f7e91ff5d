"""Shared fixtures: where the reference data are, and how a command is run."""

import logging
import os
import signal
from pathlib import Path

import pytest

from fastsf.cli import console
from fastsf.cli import main as cli
from fastsf.compilation.compile import compile_kernels


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with published potentials and DFT data; they are not part of the project."""
    folder = Path(os.environ.get("FASTSF_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (folder / "reference").is_dir():
        pytest.skip(f"reference data not found: set FASTSF_SHARED (looked in {folder})")
    return folder


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Take Ctrl-C as at a terminal: what a shell starts in the background ignores it, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def run(capsys):
    """Run a command; returns exit status, output and complaints."""

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
    """Have all kernels compiled: on a fresh machine, tests that disturb commands would disturb the compiler."""
    compile_kernels()

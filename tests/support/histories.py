"""Histories of trainings that run in other processes."""

from __future__ import annotations

import time
from pathlib import Path


def wait_for_epoch(folder: Path, epoch: int, seconds: float) -> None:
    """Wait until a training has written an epoch; raise an error after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        path = folder / "history.csv"
        if path.exists() and path.read_text().count("\n") > epoch + 1:
            return
        time.sleep(0.01)
    raise AssertionError("the training does not run")

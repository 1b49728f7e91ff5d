"""Remarks on files: what is read under another name, or not read. Commands print each of them once."""

from __future__ import annotations

import logging

REMARKS = logging.getLogger("fastsf.reading")
"""Logger of remarks."""


def remark(text: str) -> None:
    """Say something about a file that the user should know."""
    REMARKS.warning(text)

"""``fastsf evaluate``: errors of a potential on labelled data."""

from __future__ import annotations

from fastsf.cli.options import Commands
from fastsf.cli.predict import add_prediction, run

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "evaluate",
        help="errors of a potential on labelled data, by element and by group",
        description="Compare the predictions of a potential with the labels of all structures of the given files.",
    )
    parser.set_defaults(output=None)
    add_prediction(parser)

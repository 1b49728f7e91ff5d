"""Monte Carlo: moves, conditions and the engine, which updates only the energies that a move changes.

Files, logs and checkpoints of a run belong to `fastsf.simulation`; the command is `fastsf.cli.mc`.
"""

from typing import TYPE_CHECKING

from fastsf._lazy import lazy_names

if TYPE_CHECKING:
    from fastsf.mc.engine import MonteCarlo
    from fastsf.mc.moves import Displacement, Move, Swap, VolumeChange

__all__ = ["Displacement", "MonteCarlo", "Move", "Swap", "VolumeChange"]

__getattr__ = lazy_names(__name__, {name: "engine" if name == "MonteCarlo" else "moves" for name in __all__})

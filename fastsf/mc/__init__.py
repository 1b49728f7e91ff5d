"""Monte Carlo simulations with local updates of the energy."""

from fastsf.mc.engine import MonteCarlo
from fastsf.mc.moves import Displacement, Move, Swap, VolumeChange

__all__ = ["Displacement", "MonteCarlo", "Move", "Swap", "VolumeChange"]

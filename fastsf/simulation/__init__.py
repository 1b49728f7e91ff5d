"""Runs of any engine in a folder: log, trajectories, checkpoints, supervision, and limits.

Engines that move atoms are `fastsf.md` and `fastsf.mc`; the options of the commands are in `fastsf.cli`.
"""

from typing import TYPE_CHECKING

from fastsf._lazy import lazy_names

if TYPE_CHECKING:
    from fastsf.simulation.engine import Advance, Column, Engine, EngineFrame, Halt
    from fastsf.simulation.log import read_log
    from fastsf.simulation.observers import Observer
    from fastsf.simulation.running import RunProgress, run
    from fastsf.simulation.settings import RunSettings, SupervisionSettings, TrajectorySettings
    from fastsf.simulation.supervision import Supervision

__all__ = [
    "Advance",
    "Column",
    "Engine",
    "EngineFrame",
    "Halt",
    "Observer",
    "RunProgress",
    "RunSettings",
    "Supervision",
    "SupervisionSettings",
    "TrajectorySettings",
    "read_log",
    "run",
]

_MODULES = {
    "Observer": "observers",
    "RunProgress": "running",
    "RunSettings": "settings",
    "Supervision": "supervision",
    "SupervisionSettings": "settings",
    "TrajectorySettings": "settings",
    "read_log": "log",
    "run": "running",
}
__getattr__ = lazy_names(__name__, {name: _MODULES.get(name, "engine") for name in __all__})

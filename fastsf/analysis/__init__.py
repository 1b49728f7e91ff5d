"""Analyses of runs: means with errors, radial distributions, diffusion, vibrations, and their report.

Frames come from any trajectory; the command is `fastsf.cli.analyze`.
"""

from typing import TYPE_CHECKING

from fastsf._lazy import lazy_names

if TYPE_CHECKING:
    from fastsf.analysis.averages import Blocking, Mean, blocking, drift, mean
    from fastsf.analysis.diffusion import MSD, Diffusion, mean_square_displacement
    from fastsf.analysis.motion import Displacements, Velocities
    from fastsf.analysis.rdf import RDF, RadialDistribution
    from fastsf.analysis.results import AnalysisSettings, Results, study
    from fastsf.analysis.series import Series
    from fastsf.analysis.source import Source
    from fastsf.analysis.vibrations import Vibrations

__all__ = [
    "MSD",
    "RDF",
    "AnalysisSettings",
    "Blocking",
    "Diffusion",
    "Displacements",
    "Mean",
    "RadialDistribution",
    "Results",
    "Series",
    "Source",
    "Velocities",
    "Vibrations",
    "blocking",
    "drift",
    "mean",
    "mean_square_displacement",
    "study",
]

_MODULES = {
    **dict.fromkeys(("Blocking", "Mean", "blocking", "drift", "mean"), "averages"),
    **dict.fromkeys(("MSD", "Diffusion", "mean_square_displacement"), "diffusion"),
    **dict.fromkeys(("Displacements", "Velocities"), "motion"),
    **dict.fromkeys(("RDF", "RadialDistribution"), "rdf"),
    **dict.fromkeys(("AnalysisSettings", "Results", "study"), "results"),
    "Series": "series",
    "Source": "source",
    "Vibrations": "vibrations",
}
__getattr__ = lazy_names(__name__, _MODULES)

"""Ensembles by name: choices and options of the command, and the integrator of each.

Nothing here loads kernels, so that help and wrong options answer at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastsf.errors import InputError

if TYPE_CHECKING:
    from fastsf.md.integrators import Integrator, Temperature

_INTEGRATORS = "fastsf.md.integrators"
"""Module of the integrators, which loads kernels."""


@dataclass(frozen=True)
class Ensemble:
    """An ensemble that the command offers.

    Parameters
    ----------
    meaning : str
        Short meaning, for the help.
    integrator : str
        Name of its class in `fastsf.md.integrators`.
    options : mapping of str to str
        Options of the command that belong to it, with the parameters of the class that they set.
    thermostat : str
        Name of the ensemble whose integrator is the first argument of the class; empty for the temperature.
    heated : bool
        False if the class has no such argument.
    aliases : tuple of str
        Other names.
    """

    meaning: str
    integrator: str
    options: Mapping[str, str] = field(default_factory=dict)
    thermostat: str = ""
    heated: bool = True
    aliases: tuple[str, ...] = ()

    @property
    def known(self) -> set[str]:
        """Options of the command that belong to it, including those of the thermostat."""
        return {*self.options, *(ENSEMBLES[self.thermostat].options if self.thermostat else ())}

    def make(self, temperature: Temperature, given: Mapping[str, Any]) -> Integrator:
        """Make the integrator.

        Parameters
        ----------
        temperature : float or Ramp
            Temperature in K.
        given : mapping of str to object
            Values of options of the command, all of them out of `known`.
        """
        values = {name: given[option] for option, name in self.options.items() if option in given}
        first = ENSEMBLES[self.thermostat].make(temperature, given) if self.thermostat else temperature
        integrator: Integrator = getattr(import_module(_INTEGRATORS), self.integrator)(
            *([first] if self.heated else []), **values
        )
        return integrator


ENSEMBLES = {
    "nve": Ensemble("constant energy", "NVE", heated=False, aliases=("verlet", "velocity-verlet", "microcanonical")),
    "langevin": Ensemble("friction and noise", "Langevin", {"friction": "friction"}, aliases=("baoab", "nvt-langevin")),
    "bussi": Ensemble(
        "stochastic velocity rescaling",
        "Bussi",
        {"thermostat_time": "time"},
        aliases=("nvt", "canonical", "csvr", "svr", "v-rescale", "velocity-rescaling", "nvt-bussi"),
    ),
    "nhc": Ensemble(
        "Nosé-Hoover chain",
        "NoseHooverChain",
        {"thermostat_time": "time"},
        aliases=("nose-hoover", "nose-hoover-chain", "nosehoover", "nvt-nose-hoover", "nvt-nhc"),
    ),
    "npt": Ensemble(
        "stochastic cell rescaling, with bussi",
        "StochasticCellRescaling",
        {
            "pressure": "pressure",
            "barostat_time": "time",
            "compressibility": "compressibility",
            "shape": "shape",
        },
        thermostat="bussi",
        aliases=("isothermal-isobaric", "scr", "c-rescale", "cell-rescaling"),
    ),
}
"""Ensembles by their names on the command line."""


def ensemble_name(text: str) -> str:
    """Return the name of the ensemble for a name in upper or lower case, or an alias.

    Raises
    ------
    InputError
        If no ensemble has this name.
    """
    word = text.strip().lower().replace("é", "e").replace("_", "-").replace(" ", "-")
    for name, each in ENSEMBLES.items():
        if word == name or word in each.aliases:
            return name
    raise InputError(f"expected an ensemble out of {', '.join(ENSEMBLES)} (or nvt, nose-hoover), found {text!r}")

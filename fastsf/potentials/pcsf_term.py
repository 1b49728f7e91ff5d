"""Energies of pairs: pair-centred symmetry functions and one network per kind of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsf.descriptors.packing import envelope_fields, records
from fastsf.descriptors.pcsf import PCSF
from fastsf.errors import InputError
from fastsf.kernels.acsf.tables import SECTION
from fastsf.kernels.networks.feedforward import Networks
from fastsf.potentials.network import Network
from fastsf.potentials.network_packing import pack_networks
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.pcsf import cutoff_of_kind

ENVELOPES = ("fc", "shift", "none")
"""Ways in which energies of pairs end at the cutoff; see `PairTerm`."""


@dataclass(frozen=True, eq=False)
class PairTerm:
    """Sum of the energies of pairs, each from the network of its kind (J. Chem. Phys. 136, 194111 (2012)).

    Parameters
    ----------
    descriptor : PCSF
        Symmetry functions.
    networks : mapping of str to Network
        One for every kind of pairs that has functions, as "H-O"; it has as many inputs as the kind has functions.
    scalings : mapping of str to Scaling
        One for each of these.
    envelope : {"fc", "shift", "none"}
        Way in which the energy of a pair ends at the cutoff of its kind, where the output of its network is not zero.
        "fc" multiplies by the cutoff function of the longest function of the kind. "shift" subtracts the output at the
        cutoff. With "none", the published form, energies jump when a pair crosses the cutoff. "shift" cannot be used
        with the distance itself as a function: its slope at the cutoff is not zero, so that forces would jump.

    Raises
    ------
    InputError
        If kinds or numbers of functions do not match, or the envelope cannot be used with the functions.
    """

    descriptor: PCSF
    networks: Mapping[str, Network]
    scalings: Mapping[str, Scaling]
    envelope: str = "fc"

    def __post_init__(self) -> None:
        if self.envelope not in ENVELOPES:
            raise InputError(f"envelope: expected one of {', '.join(ENVELOPES)}, found {self.envelope!r}")
        if self.envelope == "shift" and any(function.radius == 0 for function in self.descriptor.functions):
            raise InputError(
                'envelope "shift" cannot be used with the distance itself as a function: forces would jump; use "fc"'
            )
        for name, mapping in (("networks", self.networks), ("scalings", self.scalings)):
            strangers = sorted(set(mapping) - set(self.kinds))
            if strangers:
                known = ", ".join(self.kinds)
                raise InputError(
                    f"{name}: expected the kinds {known}, which have functions; found {', '.join(strangers)}"
                )
            missing = [kind for kind in self.kinds if kind not in mapping]
            if missing:
                raise InputError(f"expected {name} for all pairs with functions, found none for {', '.join(missing)}")
        for kind in self.kinds:
            self._check_columns(kind)

    def _check_columns(self, kind: str) -> None:
        columns = len(self.descriptor.columns[kind])
        scaled, inputs = len(self.scalings[kind]), self.networks[kind].sizes[0]
        if not columns == scaled == inputs:
            raise InputError(
                f"pairs {kind}: expected equal numbers, found {columns} functions, a scaling of {scaled} columns and a "
                f"network of {inputs} inputs"
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of pairs that have functions."""
        return tuple(kind for kind, functions in self.descriptor.columns.items() if functions)

    def packed(self, energy_scale: float) -> PCSFModel:
        """Return the model for evaluations.

        Parameters
        ----------
        energy_scale : float
            eV per unit of the output of the networks.
        """
        descriptor, offsets = self.descriptor, {}
        if self.envelope == "shift":
            for kind in self.kinds:
                inputs = self.scalings[kind].apply(np.zeros((1, len(descriptor.columns[kind]))))
                offsets[kind] = -energy_scale * float(self.networks[kind].layers(inputs)[-1].value[0, 0])
        without = [kind for kind in descriptor.kinds if kind not in self.kinds]
        packed = pack_networks(
            descriptor.kinds, self.networks, self.scalings, energy_scale, offsets, descriptor.n_features, without
        )
        return PCSFModel(descriptor, packed, dict(self.scalings), self.envelope)


@dataclass(frozen=True, eq=False)
class PCSFModel:
    """Energies of pairs in the form that evaluations need; made by `PairTerm.packed`.

    Parameters
    ----------
    descriptor : PCSF
    networks : Networks
        Networks of all kinds of pairs; their offsets contain the energies at the cutoff.
    scalings : mapping of str to Scaling
        Scalings, for reports of extrapolations.
    envelope : str
        As for `PairTerm`.
    """

    descriptor: PCSF
    networks: Networks = field(repr=False)
    scalings: Mapping[str, Scaling] = field(repr=False)
    envelope: str = "fc"

    @property
    def smooth(self) -> bool:
        """True if energies are multiplied by a cutoff function."""
        return self.envelope == "fc"

    @cached_property
    def ends(self) -> npt.NDArray[Any]:
        """Cutoff function of each kind as a `SECTION`; kinds without functions have that of another kind."""
        cutoffs = [cutoff_of_kind(functions) for functions in self.descriptor.columns.values()]
        known = next(cutoff for cutoff in cutoffs if cutoff is not None)
        found: npt.NDArray[Any] = records([(*envelope_fields(each or known), 0, 0) for each in cutoffs], SECTION)
        return found

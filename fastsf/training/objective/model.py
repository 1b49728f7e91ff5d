"""Potentials for training: constant symmetry functions and scalings, and one vector of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fastsf.descriptors.acsf import ACSF
from fastsf.potentials.network import Network
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.potential import Potential
from fastsf.potentials.scaling import Scaling
from fastsf.training.objective.parts import with_functions
from fastsf.training.objective.pcsf_parts import PCSFInputs
from fastsf.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class TrainableModel:
    """Components of a `Potential`, whose docstring explains them.

    Parameters
    ----------
    descriptor : ACSF
    scalings : mapping of symbol to Scaling
    networks : tuple of Network
        Networks of the elements with functions in the descriptor's order, then of the kinds of pairs with functions.
    offsets : mapping of symbol to float
        Energies of single atoms, eV.
    energy_scale : float
        Unit of the networks' output, eV.
    length_scale : float
        Units of length of the training per Å.
    pcsf : PCSFInputs, optional
        Pair-centred functions and their scalings.
    """

    descriptor: ACSF
    scalings: Mapping[str, Scaling]
    networks: tuple[Network, ...]
    offsets: Mapping[str, float]
    energy_scale: float = 1.0
    length_scale: float = 1.0
    pcsf: PCSFInputs | None = None

    @classmethod
    def from_potential(cls, potential: Potential) -> TrainableModel:
        """Make a trainable model of a potential."""
        descriptor, term = potential.descriptor, potential.pairs
        networks = [potential.networks[symbol] for _, symbol in with_functions(descriptor.columns)]
        pcsf = None
        if term is not None:
            pcsf = PCSFInputs(term.descriptor, term.scalings, term.envelope)
            networks += [term.networks[kind] for kind in pcsf.kinds]
        scales = potential.energy_scale, potential.length_scale
        return cls(descriptor, potential.scalings, tuple(networks), potential.offsets, *scales, pcsf)

    def potential(self, metadata: Mapping[str, str] | None = None) -> Potential:
        """Return the potential."""
        elements = [symbol for _, symbol in with_functions(self.descriptor.columns)]
        networks, term = self.networks[: len(elements)], None
        if self.pcsf is not None:
            of_pairs = dict(zip(self.pcsf.kinds, self.networks[len(elements) :], strict=True))
            term = PairTerm(self.pcsf.descriptor, of_pairs, self.pcsf.scalings, self.pcsf.envelope)
        return Potential(
            self.descriptor,
            dict(zip(elements, networks, strict=True)),
            self.scalings,
            pairs=term,
            energy_scale=self.energy_scale,
            offsets=self.offsets,
            length_scale=self.length_scale,
            metadata=metadata,
        )

    @property
    def slices(self) -> list[slice]:
        """Slice of each network's parameters in the vector of all."""
        ends = np.cumsum([network.parameters.size for network in self.networks])
        return [
            slice(int(end) - network.parameters.size, int(end))
            for end, network in zip(ends, self.networks, strict=True)
        ]

    @property
    def parameters(self) -> FloatArray:
        """Parameters of all networks, one network after the other, (P,) float64."""
        return np.concatenate([network.parameters for network in self.networks])

    @property
    def is_weight(self) -> FloatArray:
        """Mask of the parameters, 1 for weights and 0 for biases, (P,) float64."""
        parts = []
        for network in self.networks:
            for w, b in zip(network.weights, network.biases, strict=True):
                parts += [np.ones(w.size), np.zeros(b.size)]
        return np.concatenate(parts)

    def with_parameters(self, parameters: FloatArray) -> TrainableModel:
        """Return the model with other parameters (P,).

        Raises
        ------
        InputError
            If their number is wrong, or they are not finite.
        """
        pieces = zip(self.networks, self.slices, strict=True)
        return replace(self, networks=tuple(network.with_parameters(parameters[place]) for network, place in pieces))

    def constant_energy(self, numbers: IntArray) -> float:
        """Return the part of the energy of atoms (n,) outside the networks, eV."""
        offsets = np.array([self.offsets.get(symbol, 0.0) for symbol in self.descriptor.elements])
        return float(offsets[self.species_of(numbers)].sum())

    def species_of(self, numbers: IntArray) -> IntArray:
        """Return the index of each atom's element (n,)."""
        return self.descriptor.species_of(numbers)

"""Results of a potential for one structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fastsf.descriptors.acsf import ACSF
from fastsf.kernels.networks.feedforward import Networks
from fastsf.potentials.extrapolation import Extrapolations, find, find_pairs, join
from fastsf.potentials.pcsf_term import PCSFModel
from fastsf.potentials.pcsf_values import PCSFValues
from fastsf.potentials.precision import DOUBLE, checked_precision
from fastsf.potentials.scaling import Scaling
from fastsf.types import FloatArray, IntArray

_VOIGT = (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)


@dataclass(frozen=True, eq=False)
class Model:
    """Potential in the form that evaluations need.

    Parameters
    ----------
    descriptor : ACSF
    networks : Networks
        Packed networks and scalings of all elements of the descriptor.
    scalings : mapping of symbol to Scaling
        Scalings, for reports of extrapolations.
    precision : "double" or "mixed"
        Precision of the kernels of atom-centred functions.
    pairs : PCSFModel, optional
        Energies of pairs.
    """

    descriptor: ACSF
    networks: Networks = field(repr=False)
    scalings: Mapping[str, Scaling] = field(repr=False)
    precision: str = DOUBLE
    pairs: PCSFModel | None = None

    @property
    def cutoff(self) -> float:
        """Largest distance of neighbours, Å."""
        return max(self.descriptor.cutoff, 0.0 if self.pairs is None else self.pairs.descriptor.cutoff)

    def in_precision(self, precision: str | None) -> Model:
        """Return the model in another precision, or itself for None.

        Raises
        ------
        InputError
            For an unknown precision.
        """
        return self if precision is None else replace(self, precision=checked_precision(precision))


@dataclass(frozen=True, eq=False)
class Result:
    """Results of a potential for a structure of n atoms; the caller may change the arrays.

    Parameters
    ----------
    energy : float
        Energy, eV.
    energies : (n,) float64
        Energies of the atoms, eV; their sum is `energy`.
    forces : (n, 3) float64 or None
        Forces, eV/Å; None if they were not requested, and then virial and stress are None too.
    virials : (n, 3, 3) float64 or None
        Virials of the atoms, eV: -sum over their own pairs of r_p (x) dE_i/dr_p. Their sum is minus the derivative of
        the energy with respect to a strain.
    values : (n, s) float64
        Symmetry functions.
    outside : (n,) int64
        Number of functions of each atom outside the range of the training set.
    numbers : (n,) int64
        Atomic numbers.
    volume : float or None
        Volume, Å^3; None unless the structure is periodic in all directions.
    model : Model
        Model that was evaluated.
    pairs : PCSFValues or None
        Pair-centred functions, if the potential has energies of pairs. Either atom gets half of the energy of a pair;
        `outside` counts the functions of a pair at its first atom.
    """

    energy: float
    energies: FloatArray
    forces: FloatArray | None
    virials: FloatArray | None
    values: FloatArray
    outside: IntArray
    numbers: IntArray
    volume: float | None
    model: Model = field(repr=False)
    pairs: PCSFValues | None = field(repr=False, default=None, kw_only=True)

    @property
    def virial(self) -> FloatArray | None:
        """Sum of `virials`, (3, 3), eV."""
        return None if self.virials is None else self.virials.sum(axis=0)

    @cached_property
    def stress(self) -> FloatArray | None:
        """Stress (1/V) dE/d(strain), (6,) in eV/Å^3: xx, yy, zz, yz, xz, xy; tension is positive, as in ASE.

        None unless the structure is periodic in all directions.
        """
        virial = self.virial
        if virial is None or self.volume is None:
            return None
        return _voigt(virial, self.volume)

    @cached_property
    def stresses(self) -> FloatArray | None:
        """Contributions of the atoms to the stress, (n, 6), eV/Å^3; None if there is no stress."""
        if self.virials is None or self.volume is None:
            return None
        return _voigt(self.virials, self.volume)

    @cached_property
    def extrapolations(self) -> Extrapolations:
        """All symmetry functions outside the range of the training set."""
        found = find(self.values, self.numbers, self.model.descriptor.labels, self.model.scalings)
        if self.pairs is None or self.model.pairs is None:
            return found
        return join([found, find_pairs(self.pairs, self.model.pairs)])


def _voigt(virials: FloatArray, volume: float) -> FloatArray:
    tensors = (virials + np.swapaxes(virials, -1, -2)) / (-2 * volume)
    stress: FloatArray = tensors[..., _VOIGT[0], _VOIGT[1]]
    return stress

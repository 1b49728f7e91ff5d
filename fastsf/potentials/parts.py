"""What a potential is made of: what the readers of files return and the writers take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastsf.potentials.network import Network
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.atoms import SymmetryFunction


@dataclass(frozen=True)
class PotentialParts:
    """What a potential is made of, in Å and eV.

    Parameters
    ----------
    elements : sequence of str
        By atomic number.
    functions : sequence of Radial or Angular
        Element by element in the order of the networks' inputs.
    networks, scalings : dict of symbol to Network and Scaling
        Of the elements that have functions.
    energy_scale : float
        eV per unit of the networks' output.
    offsets : dict of symbol to float
        Added to the energy of an atom, eV.
    length_scale : float
        Units of length of the training per Å.
    metadata : dict of str to str
        Where it comes from.
    pairs : PairTerm, optional
        Energies of pairs.
    """

    elements: Sequence[str]
    functions: Sequence[SymmetryFunction]
    networks: Mapping[str, Network]
    scalings: Mapping[str, Scaling]
    energy_scale: float
    offsets: Mapping[str, float]
    length_scale: float
    metadata: Mapping[str, str]
    pairs: PairTerm | None = None

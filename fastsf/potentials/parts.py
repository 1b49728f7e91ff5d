"""Contents of a potential, as readers of files return them and writers take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastsf.potentials.network import Network
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.atoms import SymmetryFunction


@dataclass(frozen=True)
class PotentialParts:
    """Contents of a potential, in Å and eV.

    Parameters
    ----------
    elements : sequence of str
        Elements by atomic number.
    functions : sequence of Radial or Angular
        Functions element by element, in the order of the inputs of the networks.
    networks, scalings : dict of symbol to Network and Scaling
        Networks and scalings of the elements that have functions.
    energy_scale : float
        eV per unit of the output of the networks.
    offsets : dict of symbol to float
        Energy that is added for each atom, eV.
    length_scale : float
        Units of length of the training per Å.
    metadata : dict of str to str
        Origin of the potential.
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

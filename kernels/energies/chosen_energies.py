"""Energies of chosen atoms: symmetry functions and network centre by centre, without gradients."""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, kernel, njit
from fastsf.kernels.acsf import values as acsf
from fastsf.kernels.acsf.environment import padded_size
from fastsf.kernels.networks.feedforward import Work, atom_energy, make_work
from fastsf.kernels.sharing import ALONE, share_out


class ChosenScratch(NamedTuple):
    """Memory of one thread."""

    functions: acsf.ValuesScratch
    work: Work
    values: np.ndarray  # (s,) float64: of the current centre
    nothing: np.ndarray  # (0,) float64: gradients are not wanted


@allocator
def make_scratch(tables, networks, lanes):
    """Return memory for centres with at most `lanes` padded neighbours."""
    values = np.empty(networks.center.shape[1])
    return ChosenScratch(acsf.make_scratch(tables, lanes), make_work(networks), values, np.empty(0))


@kernel
def fill_energies(tables, networks, neighbors, centers, begin, end, scratch, energies, outside):
    """Write energies of centers[begin:end] into energies[begin:end] and outside[begin:end]."""
    for k in range(begin, end):
        center = centers[k]
        scratch.values[:] = 0.0
        acsf.center_values(tables, neighbors, center, scratch.functions, scratch.values)
        element = neighbors.species[center]
        energies[k], outside[k] = atom_energy(networks, element, scratch.values, scratch.work, scratch.nothing)


@njit
def lanes_needed(tables, neighbors):
    """Return the padded neighbours of the atom that has most."""
    return padded_size(neighbors.start, len(tables.weights))


@njit
def energies_range(tables, networks, neighbors, centers, lanes, begin, end, workers, energies, outside):
    """Write energies of centers[begin:end], with new scratch.

    Parameters
    ----------
    tables, networks, neighbors
        Symmetry functions, networks, and pairs of all atoms.
    centers : (k,) int64
        Which atoms.
    lanes : int
        Padded neighbours of the atom that has most.
    energies : (k,) float64
        eV, offset included.
    outside : (k,) int64
        Columns whose value is outside the range of the training set.
    """
    if workers != ALONE:
        share_out(workers, (tables, networks, neighbors, centers, lanes), begin, end, (energies, outside))
        return
    scratch = make_scratch(tables, networks, lanes)
    fill_energies(tables, networks, neighbors, centers, begin, end, scratch, energies, outside)

"""Energies and their gradients from symmetry functions, by one network per element.

An atom goes through its network alone, eight nodes in a vector: scaling, forward and backward pass without leaving
the first-level cache, so that the loops that make its symmetry functions can continue with their gradient (`energies`).
"""

from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import allocator, kernel, njit
from fastsf.kernels.acsf.environment import aligned
from fastsf.kernels.networks.activations import activation
from fastsf.kernels.sharing import ALONE, share_out
from fastsf.kernels.vector.simd import LANES, count_lanes, fma, load, load_one, splat, store, sum_lanes_of_four

TILE = 2 * LANES
"""Nodes whose sums are formed together."""

LAYER = np.dtype(
    [
        ("inputs", np.int64),
        ("outputs", np.int64),
        ("stride", np.int64),  # from one input's weights to the next's: outputs, padded to whole tiles
        ("activation", np.int64),
        ("weights_offset", np.int64),  # of (inputs padded to whole tiles, stride) numbers, padding zero
        ("biases_offset", np.int64),  # of `stride` numbers
    ]
)


class Networks(NamedTuple):
    """Networks and scalings of all elements, s columns; filled by `fastsf.potentials.network_packing`."""

    layer_first: np.ndarray  # (elements + 1,) int64
    layers: np.recarray  # LAYER
    parameters: np.ndarray  # float64, (1/n_in) of normalised nodes included
    center: np.ndarray  # (elements, s padded to whole tiles) float64: X = lowest + (G - center) * factor
    factor: np.ndarray
    lowest: np.ndarray
    minimum: np.ndarray  # the same: values below count as outside
    maximum: np.ndarray
    columns: np.ndarray  # (elements,) int64
    offset: np.ndarray  # (elements,) float64, eV per atom
    scale: float  # eV per unit of the networks' outputs
    nodes: int  # largest layer, inputs included, padded to whole tiles
    depth: int  # most layers of any network


class Work(NamedTuple):
    """Scratch for the nodes of the network of one atom."""

    nodes: np.ndarray  # (nodes,) float64: inputs of the next layer
    sums: np.ndarray  # (nodes,) derivatives of the output with respect to a layer's inputs
    slopes: np.ndarray  # (depth * nodes,) of the activation functions


@allocator
def make_work(networks):
    """Return scratch for any of the networks."""
    return Work(aligned(networks.nodes), aligned(networks.nodes), aligned(networks.nodes * networks.depth))


@kernel
def _load_inputs(networks, element, values, work):
    """Scale the values of an atom; return how many are outside the range."""
    inputs, outside = work.nodes, 0
    columns = networks.columns[element]
    for c in range((columns + LANES - 1) // LANES * LANES):
        inputs[c] = values[c] if c < columns else 0.0
    lowest, highest = networks.minimum[element], networks.maximum[element]
    center, factor, start = networks.center[element], networks.factor[element], networks.lowest[element]
    for c in range(0, columns, LANES):
        g = load(inputs, c)
        outside += count_lanes((g < load(lowest, c)) | (g > load(highest, c)))
        store(inputs, c, fma(g - load(center, c), load(factor, c), load(start, c)))
    return outside


@kernel
def _forward(networks, element, work):
    """Return the output of a network whose inputs are work.nodes; leave the slopes of all nodes."""
    parameters, nodes, sums = networks.parameters, work.nodes, work.sums
    slopes_offset = 0
    for k in range(networks.layer_first[element], networks.layer_first[element + 1]):
        layer = networks.layers[k]
        inputs, stride, kind = layer.inputs, layer.stride, layer.activation
        for block in range(0, stride, 2 * LANES):
            base, biases = layer.weights_offset + block, layer.biases_offset + block
            a, b = load(parameters, biases), load(parameters, biases + LANES)
            c, d = splat(0.0), splat(0.0)
            for i in range(0, inputs, 2):  # weights after the last input are zero
                x, y = load_one(nodes, i), load_one(nodes, i + 1)
                a, b = fma(load(parameters, base), x, a), fma(load(parameters, base + LANES), x, b)
                base += stride
                c, d = fma(load(parameters, base), y, c), fma(load(parameters, base + LANES), y, d)
                base += stride
            store(sums, block, a + c)
            store(sums, block + LANES, b + d)
        for block in range(0, stride, LANES):
            value, slope = activation(kind, load(sums, block))
            store(nodes, block, value)
            store(work.slopes, slopes_offset + block, slope)
        slopes_offset += networks.nodes
    return load_one(nodes, 0)


@kernel
def _backward(networks, element, work):
    """Write derivatives with respect to the inputs into work.sums, from the slopes of the forward pass."""
    parameters, nodes, sums = networks.parameters, work.nodes, work.sums
    first, last = networks.layer_first[element], networks.layer_first[element + 1]
    store(sums, 0, splat(1.0))
    for k in range(last - 1, first - 1, -1):
        layer = networks.layers[k]
        stride, slopes_offset = layer.stride, (k - first) * networks.nodes
        for block in range(0, stride, LANES):
            store(nodes, block, load(sums, block) * load(work.slopes, slopes_offset + block))
        for i in range(0, layer.inputs, 4):
            a, b, c, d = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
            base = layer.weights_offset + i * stride
            for block in range(0, stride, LANES):
                x = load(nodes, block)
                a = fma(x, load(parameters, base + block), a)
                b = fma(x, load(parameters, base + stride + block), b)
                c = fma(x, load(parameters, base + 2 * stride + block), c)
                d = fma(x, load(parameters, base + 3 * stride + block), d)
            sums[i], sums[i + 1], sums[i + 2], sums[i + 3] = sum_lanes_of_four(a, b, c, d)


@kernel
def atom_energy(networks, element, values, work, gradient):
    """Return the energy of an atom in eV and how many of its values (s,) are outside the range of the training set.

    Writes dE/dG in eV into `gradient` (s,), unless that has no entries. Elements without functions have their offset.
    """
    if networks.columns[element] == 0:  # no functions, no network
        for c in range(len(gradient)):
            gradient[c] = 0.0
        return networks.offset[element], 0
    outside = _load_inputs(networks, element, values, work)
    energy = networks.offset[element] + networks.scale * _forward(networks, element, work)
    if len(gradient) > 0:
        _backward(networks, element, work)
        columns, factor, scale = networks.columns[element], networks.factor[element], networks.scale
        for c in range(columns):
            gradient[c] = work.sums[c] * factor[c] * scale
        for c in range(columns, len(gradient)):
            gradient[c] = 0.0
    return energy, outside


@njit
def predict_range(networks, values, species, begin, end, workers, energies, gradient, outside):
    """Write energies of atoms and, for the backward pass of the descriptor, their gradients, from given values.

    Parameters
    ----------
    networks : Networks
    values : (n, s) float64
        Symmetry functions.
    species : (n,) int64
        Element index of each atom.
    energies : (n,) float64
        eV, offset included.
    gradient : (n, s) float64
        dE_i/dG_i in eV; not worked out if it has no columns.
    outside : (n,) int64
        Columns whose value is outside the range of the training set.
    """
    if workers != ALONE:
        share_out(workers, (networks, values, species), begin, end, (energies, gradient, outside))
        return
    work = make_work(networks)
    for i in range(begin, end):
        energies[i], outside[i] = atom_energy(networks, species[i], values[i], work, gradient[i])

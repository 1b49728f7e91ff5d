"""Layers of the networks of RuNNer and n2p2: the keywords of input.nn that define them.

::

    global_hidden_layers_short n        element_hidden_layers_short El n
    global_nodes_short n1 ... nk        element_nodes_short El n1 ... nk
    global_activation_short a1 ... ak a element_activation_short El a1 ... ak a
    normalize_nodes

The last entry of a line for one element has no effect, as in n2p2: the size of the last hidden layer and the
activation of the output are always the global ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from fastsf.errors import FormatError
from fastsf.io.n2p2.keywords import KeywordLine, Keywords
from fastsf.potentials.network import Network
from fastsf.types import FloatArray

ACTIVATION_CODES = {
    "l": "linear",
    "t": "tanh",
    "s": "logistic",
    "p": "softplus",
    "r": "relu",
    "g": "gaussian",
    "c": "cosine",
    "S": "revlogistic",
    "e": "exp",
    "h": "harmonic",
}
"""Activation functions by their letter in input.nn."""

_MOST_LAYERS = 1000
_MOST_NODES = 1_000_000


@dataclass(frozen=True)
class Topology:
    """Layers of a network.

    Parameters
    ----------
    sizes : tuple of int
        Nodes of each layer, inputs first, the output (1) last.
    activations : tuple of str
        Activation of each layer except the inputs.
    normalize_nodes : bool
        Divide sums at nodes by the number of nodes of the previous layer.
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    normalize_nodes: bool

    def network(self, parameters: FloatArray) -> Network:
        """Return the network with these layers and the given parameters, in the order of weights.ZZZ.data."""
        weights, biases, start = [], [], 0
        for n_in, n_out in pairwise(self.sizes):
            weights.append(parameters[start : start + n_in * n_out].reshape(n_in, n_out))
            start += n_in * n_out
            biases.append(parameters[start : start + n_out])
            start += n_out
        return Network(weights, biases, self.activations, self.normalize_nodes)


def read_topologies(keywords: Keywords, inputs: Mapping[str, int]) -> dict[str, Topology]:
    """Read the layers of the network of each element.

    Parameters
    ----------
    keywords : Keywords
        Settings from input.nn.
    inputs : mapping of str to int
        Number of inputs (symmetry functions) of each element.

    Raises
    ------
    FormatError
        If a keyword is missing or not as expected.
    """
    hidden, activations = _global_layers(keywords)
    entry = keywords.get("normalize_nodes")
    if entry is not None:
        entry.count(0)
    found = {symbol: Topology((count, *hidden, 1), activations, entry is not None) for symbol, count in inputs.items()}
    _check_outputs(keywords)
    _check_depths(keywords, found, len(hidden))
    for line in keywords.all("element_nodes_short"):
        symbol, words = _of_element(line, found, len(hidden))
        nodes = [_nodes(line, index) for index in range(1, len(words) + 1)]
        sizes = found[symbol].sizes
        found[symbol] = replace(found[symbol], sizes=(sizes[0], *nodes[:-1], *sizes[-2:]) if nodes else sizes)
    for line in keywords.all("element_activation_short"):
        symbol, words = _of_element(line, found, len(hidden) + 1)
        names = tuple(_activation(line, word) for word in words)
        found[symbol] = replace(found[symbol], activations=(*names[:-1], found[symbol].activations[-1]))
    return found


def _global_layers(keywords: Keywords) -> tuple[tuple[int, ...], tuple[str, ...]]:
    line = _needed(keywords, "global_hidden_layers_short")
    line.count(1)
    layers = line.integer(0, "the number of hidden layers")
    if not 0 <= layers <= _MOST_LAYERS:
        raise line.error(f"expected a number of hidden layers from 0 to {_MOST_LAYERS}, found {layers}")
    hidden: tuple[int, ...] = ()
    if layers or keywords.get("global_nodes_short") is not None:
        line = _needed(keywords, "global_nodes_short")
        line.count(layers)
        hidden = tuple(_nodes(line, index) for index in range(layers))
    line = _needed(keywords, "global_activation_short")
    line.count(layers + 1)
    return hidden, tuple(_activation(line, word) for word in line.args)


def _needed(keywords: Keywords, name: str) -> KeywordLine:
    line = keywords.get(name)
    if line is None:
        raise FormatError(f"expected the keyword {name!r}, which is missing", keywords.path)
    return line


def _nodes(line: KeywordLine, index: int) -> int:
    number = line.integer(index, "the number of nodes")
    if not 1 <= number <= _MOST_NODES:
        raise line.error(f"expected a number of nodes from 1 to {_MOST_NODES}, found {number}")
    return number


def _activation(line: KeywordLine, word: str) -> str:
    if word not in ACTIVATION_CODES:
        raise line.error(f"activation function: expected one of {' '.join(ACTIVATION_CODES)}, found {word!r}")
    return ACTIVATION_CODES[word]


def _check_outputs(keywords: Keywords) -> None:
    line = keywords.get("global_output_nodes_short")
    if line is not None and line.args != ("1",):
        raise line.error(f"expected 1 output node, found {' '.join(line.args) or 'nothing'}")


def _check_depths(keywords: Keywords, known: Mapping[str, Topology], layers: int) -> None:
    for line in keywords.all("element_hidden_layers_short"):
        line.count(2)
        _check_element(line, known)
        if line.integer(1, "the number of hidden layers") != layers:
            raise line.error(f"expected {layers} hidden layers, as for all elements (other numbers are not supported)")


def _of_element(line: KeywordLine, known: Mapping[str, Topology], count: int) -> tuple[str, tuple[str, ...]]:
    line.count(count + 1)
    _check_element(line, known)
    return line.args[0], line.args[1:]


def _check_element(line: KeywordLine, known: Mapping[str, Topology]) -> None:
    if line.args[0] not in known:
        raise line.error(f"expected one of the elements {' '.join(known)}, found {line.args[0]!r}")

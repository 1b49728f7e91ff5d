"""Meanings of the keywords of input.nn in words."""

from __future__ import annotations

import difflib

from fastsf.io.n2p2.runner2 import is_runner2_keyword
from fastsf.io.n2p2.runner_keywords import RUNNER_KEYWORDS

ENERGY_KEYWORDS: dict[str, str] = {
    "number_of_elements": "number of elements",
    "elements": "elements; they are sorted by atomic number in any case",
    "nnp_type": "kind of potential: 2G-HDNNP (or 2) has short-ranged energies of atoms only",
    "nn_type_short": "kind of the short-ranged part: 1, energies of atoms",
    "atom_energy": "energy of a free atom, added for each atom of the element",
    "cutoff_type": "cutoff function of the symmetry functions of types 2, 3, 9, 12 and 13",
    "cutoff_alpha": "inner cutoff of the cutoff function, relative to the cutoff",
    "symfunction_short": "symmetry function",
    "element_symfunction_short": "symmetry functions of one element, for all neighbours",
    "global_symfunction_short": "symmetry functions of all elements, for all neighbours",
    "scale_symmetry_functions": "functions are divided by the width of their range in the training set",
    "center_symmetry_functions": "the mean over the training set is subtracted from functions",
    "scale_symmetry_functions_sigma": "functions are divided by their standard deviation in the training set",
    "scale_min_short": "lower end of the range that functions are scaled to",
    "scale_max_short": "upper end of the range that functions are scaled to",
    "global_hidden_layers_short": "number of hidden layers of the networks",
    "global_nodes_short": "nodes of each hidden layer",
    "global_activation_short": "activation functions of the hidden layers and, last, of the output",
    "global_output_nodes_short": "nodes of the output layer",
    "element_hidden_layers_short": "number of hidden layers of the network of one element",
    "element_nodes_short": "nodes of the hidden layers for one element; the last entry has no effect in n2p2",
    "element_activation_short": "activation functions for one element; the last entry has no effect in n2p2",
    "normalize_nodes": "sums at nodes are divided by the number of nodes of the layer before",
    "mean_energy": "mean energy per atom of the training set, added for each atom",
    "conv_energy": "outputs of the networks are energies times this number",
    "conv_length": "lengths were multiplied by this number in training; changes no energy",
    "conv_charge": "charges were multiplied by this number in training",
}
"""Keywords that define the potential."""

TRAINING_KEYWORDS: dict[str, str] = {
    "use_short_forces": "forces are trained too",
    "random_seed": "start of the random numbers",
    "epochs": "number of passes over the training set",
    "test_fraction": "part of the structures kept for testing",
    "normalize_data_set": "how n2p2 normalises the data set by itself",
    "memorize_symfunc_results": "symmetry functions are kept in memory",
    "main_error_metric": "error measure shown",
    "updater_type": "optimiser: 0 gradient descent, 1 Kalman filter",
    "parallel_mode": "how the update is shared among processes",
    "jacobian_mode": "how gradients of structures are combined",
    "update_strategy": "0 all elements together, 1 each element by itself",
    "selection_mode": "how structures are chosen for an update",
    "decoupling_type": "decoupling of the Kalman filter",
    "task_batch_size_energy": "energies per update and process",
    "task_batch_size_force": "forces per update and process",
    "gradient_type": "gradient descent: 0 fixed step, 1 Adam",
    "gradient_eta": "step of gradient descent",
    "gradient_adam_eta": "step of Adam",
    "gradient_adam_beta1": "Adam: memory of the gradient",
    "gradient_adam_beta2": "Adam: memory of its square",
    "gradient_adam_epsilon": "Adam: smallest denominator",
    "kalman_type": "Kalman filter: 0 standard, 1 fading memory",
    "kalman_epsilon": "Kalman filter: start of the error covariance (inverse)",
    "kalman_q0": "Kalman filter: process noise at the start",
    "kalman_qtau": "Kalman filter: decay of the process noise",
    "kalman_qmin": "Kalman filter: least process noise",
    "kalman_eta": "Kalman filter: learning rate at the start",
    "kalman_etatau": "Kalman filter: growth of the learning rate",
    "kalman_etamax": "Kalman filter: largest learning rate",
    "kalman_lambda_short": "fading memory: forgetting factor",
    "kalman_nue_short": "fading memory: its approach to one",
    "force_energy_ratio": "updates by forces for each update by an energy",
    "force_weight": "weight of forces against energies",
    "energy_fraction": "part of the energies used per epoch",
    "force_fraction": "part of the forces used per epoch",
    "rmse_threshold_energy": "energies with a smaller error (in RMSE) are ignored",
    "rmse_threshold_force": "forces with a smaller error (in RMSE) are ignored",
    "rmse_threshold_trials": "how often a candidate with a larger error is searched",
    "weights_min": "least random weight at the start",
    "weights_max": "largest random weight at the start",
    "nguyen_widrow_weights_short": "start of the weights after Nguyen and Widrow",
    "precondition_weights": "start of the weights fitted to the mean of the energies",
    "use_old_weights_short": "training continues from existing weights",
    "repeated_energy_update": "an energy update follows each force update",
    "remove_atom_energies": "energies of free atoms were subtracted before training",
    "write_trainpoints": "how often energies of the training set are written",
    "write_trainforces": "how often forces of the training set are written",
    "write_weights_epoch": "how often weights are written",
    "write_neuronstats": "how often statistics of the nodes are written",
    "write_trainlog": "a log of all updates is written",
    "runner_mode": "task of RuNNer: 1 functions, 2 training, 3 prediction",
    "calculate_forces": "forces are predicted",
    "calculate_stress": "the stress is predicted",
    "use_short_nn": "the short-ranged part is used",
    "points_in_memory": "structures kept in memory at once",
    "mix_all_points": "structures are shuffled",
    "optmode_short_energy": "optimiser for energies",
    "optmode_short_force": "optimiser for forces",
    "bond_threshold": "structures with shorter bonds are an error",
}
"""Keywords of the training and of the programs; they do not change the potential."""

UNUSED_ENDS = ("_electrostatic", "_charge", "_elec", "_ewald", "_pair")
"""Ends of keywords of potentials with charges or with energies of pairs."""


_REFUSED_KEYWORDS = {
    "use_electrostatics",
    "use_electrostatic_nn",
    "use_vdw",
    "pairsymfunction_short",
    "element_pairsymfunction_short",
    "global_pairsymfunction_short",
    "node_activation_short",
}


def is_known(keyword: str) -> bool:
    """Return True if these tables have a keyword of RuNNer or n2p2."""
    return (
        keyword in ENERGY_KEYWORDS
        or keyword in TRAINING_KEYWORDS
        or keyword in RUNNER_KEYWORDS
        or keyword in _REFUSED_KEYWORDS
        or keyword.endswith(UNUSED_ENDS)
        or is_runner2_keyword(keyword)
    )


def meant(keyword: str) -> str | None:
    """Return the keyword of `ENERGY_KEYWORDS` that an unknown one resembles, if there is one."""
    if is_known(keyword):
        return None
    return next(iter(difflib.get_close_matches(keyword, ENERGY_KEYWORDS, n=1, cutoff=0.8)), None)

"""Settings of a training in input.nn, by the keywords of n2p2, some of which RuNNer shares.

Only the keywords of the chosen optimiser are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastsf.errors import FormatError
from fastsf.io.n2p2.keywords import KeywordLine, Keywords

_SELECTIONS = {"0": "random", "1": "sort", "2": "threshold"}
_STRATEGIES = {"0": "combined", "1": "element"}
_KALMAN_KINDS = {"0": "standard", "1": "fading"}
_STANDARD = {"kalman_eta": "eta", "kalman_etatau": "etatau", "kalman_etamax": "etamax"}
_FADING = {"kalman_lambda_short": "forgetting", "kalman_nue_short": "nue"}
_KALMAN = {"kalman_epsilon": "epsilon", "kalman_q0": "q0", "kalman_qtau": "qtau", "kalman_qmin": "qmin"}
_ADAM = {
    "gradient_adam_eta": "learning_rate",
    "gradient_adam_beta1": "beta1",
    "gradient_adam_beta2": "beta2",
    "gradient_adam_epsilon": "epsilon",
}
_UNSUPPORTED = {
    "decoupling_type": ("0", "a filter that is decoupled in other ways than by element is not supported"),
    "repeated_energy_update": (None, "is not supported"),
    "normalize_data_set": (None, "is not supported; mean_energy, conv_energy and conv_length are"),
}


@dataclass(frozen=True)
class TrainingKeywords:
    """Settings of a training.

    Parameters
    ----------
    epochs : int
        Passes over the training set.
    seed : int
        Seed of the random numbers.
    test_fraction : float
        Fraction of the structures for testing.
    optimizer : str
        "kalman" or "adam".
    settings : dict of str to str, int or float
        Settings of the optimiser by the names in `KalmanSettings` and `AdamSettings`.
    initialization : str
        "uniform" or "nguyen_widrow".
    bounds : (float, float)
        Smallest and largest random weight.
    precondition : bool
        True if outputs of random networks are scaled to the reference energies.
    use_old_weights : bool
        True if training continues from the weights of the folder.
    """

    epochs: int
    seed: int
    test_fraction: float
    optimizer: str
    settings: Mapping[str, str | int | float]
    initialization: str
    bounds: tuple[float, float]
    precondition: bool
    use_old_weights: bool


def read_training_keywords(keywords: Keywords) -> TrainingKeywords:
    """Interpret the keywords of a training.

    Raises
    ------
    FormatError
        If one is missing, wrong or not supported.
    """
    for name, (only, reason) in _UNSUPPORTED.items():
        entry = keywords.get(name)
        if entry is not None and entry.args[:1] != (only,):
            raise entry.error(reason)
    optimizer, settings = _optimizer(keywords)
    random = keywords.get("nguyen_widrow_weights_short") is None
    return TrainingKeywords(
        _whole(keywords, "epochs", 0),
        _whole(keywords, "random_seed", 0),
        _number(keywords, "test_fraction", 0.0, 1.0),
        optimizer,
        settings,
        "uniform" if random else "nguyen_widrow",
        _bounds(keywords) if random else (-1.0, 1.0),
        keywords.get("precondition_weights") is not None,
        keywords.get("use_old_weights_short") is not None,
    )


def _optimizer(keywords: Keywords) -> tuple[str, dict[str, str | int | float]]:
    if _choice(keywords, "updater_type", {"0": "gradient", "1": "kalman"}) == "kalman":
        return "kalman", _kalman(keywords)
    entry = _needed(keywords, "gradient_type")
    if entry.args != ("1",):
        raise entry.error("expected 1, Adam; gradient descent with steps of a fixed size is not supported")
    settings: dict[str, str | int | float] = {name: _number(keywords, key, 0.0) for key, name in _ADAM.items()}
    return "adam", {**settings, "batch": _whole(keywords, "task_batch_size_energy", 1), "schedule": "constant"}


def _kalman(keywords: Keywords) -> dict[str, str | int | float]:
    kind = _choice(keywords, "kalman_type", _KALMAN_KINDS)
    selection = _choice(keywords, "selection_mode", _SELECTIONS)
    settings: dict[str, str | int | float] = {
        "kind": kind,
        "selection": selection,
        "strategy": _choice(keywords, "update_strategy", _STRATEGIES),
        "energy_fraction": _number(keywords, "energy_fraction", 0.0, 1.0),
        "energy_batch": _whole(keywords, "task_batch_size_energy", 1),
        "force_fraction": 0.0,
        "units": "networks",
    }
    forces = keywords.get("use_short_forces") is not None
    if forces:
        settings |= {
            "force_fraction": _number(keywords, "force_fraction", 0.0, 1.0),
            "force_batch": _whole(keywords, "task_batch_size_force", 1),
            "force_weight": _number(keywords, "force_weight", 0.0),
        }
    if selection == "threshold":
        settings["trials"] = _whole(keywords, "rmse_threshold_trials", 1)
        settings["energy_threshold"] = _number(keywords, "rmse_threshold_energy", 0.0)
        if forces:
            settings["force_threshold"] = _number(keywords, "rmse_threshold_force", 0.0)
    names = {**_KALMAN, **(_STANDARD if kind == "standard" else _FADING)}
    return {**settings, **{name: _number(keywords, key, 0.0) for key, name in names.items()}}


def _bounds(keywords: Keywords) -> tuple[float, float]:
    low, high = _number(keywords, "weights_min"), _number(keywords, "weights_max")
    if low >= high:
        raise _needed(keywords, "weights_max").error(f"expected a number above {low}, found {high}")
    return low, high


def _needed(keywords: Keywords, name: str) -> KeywordLine:
    entry = keywords.get(name)
    if entry is None:
        raise FormatError(f"the keyword {name!r}, which training needs, is missing", keywords.path)
    entry.count(1)
    return entry


def _choice(keywords: Keywords, name: str, known: Mapping[str, str]) -> str:
    entry = _needed(keywords, name)
    if entry.args[0] not in known:
        options = ", ".join(f"{number} ({word})" for number, word in known.items())
        raise entry.error(f"expected one of {options}; found {entry.args[0]!r}")
    return known[entry.args[0]]


def _number(keywords: Keywords, name: str, least: float = -float("inf"), most: float = float("inf")) -> float:
    entry = _needed(keywords, name)
    value = entry.number(0, name)
    if not least <= value <= most:
        raise entry.error(f"expected a number from {least:g} to {most:g}, found {value:g}")
    return value


def _whole(keywords: Keywords, name: str, least: int) -> int:
    entry = _needed(keywords, name)
    value = entry.integer(0, name)
    if value < least:
        raise entry.error(f"expected {least} or more, found {value}")
    return value

"""Settings of a training in input.nn, by the keywords of n2p2, some of which RuNNer shares.

Only the keywords of the chosen optimiser are read. Where n2p2 needs a keyword that RuNNer does not have, files
without it get the value of n2p2's examples; one warning lists all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastsf.errors import FastsfWarning, FormatError
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
_DEFAULTS = {
    "random_seed": "1",
    "updater_type": "1",
    "update_strategy": "0",
    "selection_mode": "2",
    "task_batch_size_energy": "1",
    "task_batch_size_force": "1",
    "energy_fraction": "1.0",
    "force_fraction": "0.1",
    "force_weight": "1.0",
    "rmse_threshold_trials": "3",
    "rmse_threshold_energy": "0.0",
    "rmse_threshold_force": "1.0",
    "weights_min": "-1.0",
    "weights_max": "1.0",
    "kalman_epsilon": "0.01",
    "kalman_q0": "0.01",
    "kalman_qtau": "2.302",
    "kalman_qmin": "1.0e-6",
    "kalman_eta": "0.01",
    "kalman_etatau": "2.302",
    "kalman_etamax": "1.0",
    "kalman_lambda_short": "0.98",
    "kalman_nue_short": "0.9987",
}
"""Values of keywords that files of RuNNer may lack."""

_RUNNER_NAMES = {"task_batch_size_energy": "short_energy_group", "task_batch_size_force": "short_force_group"}
"""Keywords of RuNNer that are read where those of n2p2 are missing."""

_IGNORED = ("repeated_energy_update",)
"""Keywords of the training without a counterpart; the warning says that they are ignored."""

_UNSUPPORTED = {
    "decoupling_type": ("0", "a filter that is decoupled in other ways than by element is not supported"),
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

    Warns
    -----
    FastsfWarning
        For keywords that are missing and get a value, and for keywords that are ignored.
    """
    completed = _Completed(keywords)
    found = _read(completed)
    remarks = [f"keywords that are missing are taken as {', '.join(completed.taken)}"] if completed.taken else []
    ignored = [name for name in _IGNORED if keywords.get(name) is not None]
    remarks += [f"{', '.join(ignored)} has no counterpart and is ignored"] if ignored else []
    if remarks:
        warnings.warn(f"{keywords.path}: {'; '.join(remarks)}", FastsfWarning, stacklevel=2)
    return found


class _Completed:
    """Keywords with values for those that files of RuNNer lack; `taken` lists these."""

    def __init__(self, keywords: Keywords) -> None:
        self._keywords, self.path = keywords, keywords.path
        self._defaults = dict(_DEFAULTS)
        self.taken: list[str] = []
        fading = keywords.get("kalman_lambda_short") is not None and keywords.get("kalman_eta") is None
        self._defaults["kalman_type"] = "1" if fading else "0"

    def get(self, name: str) -> KeywordLine | None:
        """Return the line of a keyword if it is in the file, under n2p2's name or RuNNer's."""
        own = self._keywords.get(name)
        if own is not None or name not in _RUNNER_NAMES:
            return own
        other = self._keywords.get(_RUNNER_NAMES[name])
        return None if other is None else replace(other, keyword=_RUNNER_NAMES[name])

    def needed(self, name: str) -> KeywordLine:
        """Return the line of a keyword, or one with its default.

        Raises
        ------
        FormatError
            If the keyword is missing and has no default.
        """
        entry = self.get(name)
        if entry is None and name in self._defaults:
            entry = KeywordLine(name, (self._defaults[name],), 0, self.path)
            text = f"{name} {self._defaults[name]}"
            self.taken += [text] if text not in self.taken else []
        if entry is None:
            raise FormatError(f"the keyword {name!r}, which training needs, is missing", self.path)
        entry.count(1)
        return entry


def _read(keywords: _Completed) -> TrainingKeywords:
    for name, (only, reason) in _UNSUPPORTED.items():
        entry = keywords.get(name)
        if entry is not None and entry.args[:1] != (only,):
            raise entry.error(reason)
    mode = keywords.get("optmode_short_energy")
    if keywords.get("updater_type") is None and mode is not None and mode.args != ("1",):
        raise mode.error("expected 1, the Kalman filter (others of RuNNer are not supported); updater_type 0 is Adam")
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


def _optimizer(keywords: _Completed) -> tuple[str, dict[str, str | int | float]]:
    if _choice(keywords, "updater_type", {"0": "gradient", "1": "kalman"}) == "kalman":
        return "kalman", _kalman(keywords)
    entry = keywords.needed("gradient_type")
    if entry.args != ("1",):
        raise entry.error("expected 1, Adam; gradient descent with steps of a fixed size is not supported")
    settings: dict[str, str | int | float] = {name: _number(keywords, key, 0.0) for key, name in _ADAM.items()}
    return "adam", {**settings, "batch": _whole(keywords, "task_batch_size_energy", 1), "schedule": "constant"}


def _kalman(keywords: _Completed) -> dict[str, str | int | float]:
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
        ratio = keywords.get("force_energy_ratio")
        settings |= {
            "force_energy_ratio": 0.0 if ratio is None else _number(keywords, "force_energy_ratio", 0.0),
            "force_fraction": 1.0 if ratio is not None else _number(keywords, "force_fraction", 0.0, 1.0),
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


def _bounds(keywords: _Completed) -> tuple[float, float]:
    low, high = _number(keywords, "weights_min"), _number(keywords, "weights_max")
    if low >= high:
        raise keywords.needed("weights_max").error(f"expected a number above {low}, found {high}")
    return low, high


def _choice(keywords: _Completed, name: str, known: Mapping[str, str]) -> str:
    entry = keywords.needed(name)
    if entry.args[0] not in known:
        options = ", ".join(f"{number} ({word})" for number, word in known.items())
        raise entry.error(f"expected one of {options}; found {entry.args[0]!r}")
    return known[entry.args[0]]


def _number(keywords: _Completed, name: str, least: float = -float("inf"), most: float = float("inf")) -> float:
    entry = keywords.needed(name)
    value = entry.number(0, name)
    if not least <= value <= most:
        raise entry.error(f"expected a number from {least:g} to {most:g}, found {value:g}")
    return value


def _whole(keywords: _Completed, name: str, least: int) -> int:
    entry = keywords.needed(name)
    value = entry.integer(0, name)
    if value < least:
        raise entry.error(f"expected {least} or more, found {value}")
    return value

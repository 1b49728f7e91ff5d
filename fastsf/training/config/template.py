"""Configurations with comments, as `fastsf train --init` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

from fastsf.training.config.sections import DataSection, LossSection, NetworksSection, PCSFSection, RunSection
from fastsf.training.config.suggest import PCSF_RECIPE
from fastsf.training.optimizers.registry import OPTIMIZERS

_SECTIONS: dict[str, type[Any]] = {
    "data": DataSection,
    "pairs": PCSFSection,
    "networks": NetworksSection,
    "loss": LossSection,
    "run": RunSection,
}
_SOURCES = ("functions", "recipe")
"""Fields that are not keys of a section: functions come from several sources."""

_KIND = {
    "data": "Structures with energies, forces, stresses. Paths are relative to this file.",
    "functions": 'Symmetry functions: a recipe ("none": only pair-centred ones) and its options; or file = ...; '
    "or tables [[function]].",
    "pairs": "Networks of pairs of atoms: a recipe and its options; or file = ...; or tables [[pair_function]].",
    "networks": "One network per element.",
    "loss": "Errors that count as one (sigmas): energy in eV per atom, forces in eV/Å, stress in eV/Å^3.",
    "optimizer": f"One of {', '.join(OPTIMIZERS)}, and its settings.",
    "run": "Limits, seeds and resources.",
}
_COMMENTS = {
    "data": {
        "train": "files and patterns",
        "validation": "a fraction of train, or files; decides when to stop and which epoch is kept",
        "test": "a fraction of train, or files; evaluated once, at the end",
        "validation_groups": "groups of train in place of a fraction",
        "seed": "of the random split",
        "length_unit": "of input.data files, and of dumps and data files of LAMMPS",
        "file_format": "if it is not recognised, as lammps-dump or the name of ASE",
        "types": 'elements of the types of LAMMPS, as ["O", "H"]',
        "energy_key": "name of the energy in the files, if it is not the usual one",
        "group_key": 'if not given: "group" or "config_type"',
        "weight_key": 'if not given: "weight" or "config_weight"',
        "set_key": 'if not given: "set", with the values train, validation (val) and test',
        "on_error": '"skip" leaves out structures that cannot be used',
        "on_serious": '"warn" trains even if the data contradict each other',
        "group_weights": "for example { surface = 2.0 }",
    },
    "pairs": {
        "envelope": 'the energy of a pair at the cutoff; or "shift", or "none" (it jumps)',
        "hidden": "nodes of the hidden layers, if not those of [networks]",
    },
    "networks": {
        "hidden": "nodes of the hidden layers",
        "activation": "of the hidden layers; the output is linear",
        "bounds": 'of the initialization "uniform"',
        "bias_spread": "standard deviation of the hidden layers' biases at the beginning",
        "scaling": "of the symmetry functions",
        "atom_energies": "of free atoms in eV, for example { H = -13.6 }; if not given, those of the data",
    },
    "loss": {
        "energy": '"auto": a part of the spread of the labels',
        "use_stress": "also train on stresses",
        "balance": "let the sigmas follow the remaining errors",
        "decay": "factor of the squares of the weights: more makes the fit smoother",
    },
    "run": {
        "minutes": "for each seed",
        "patience": "epochs without a better score in validation",
        "seeds": "trainings that differ only in their seeds: a committee",
        "checkpoint_minutes": "time between checkpoints",
        "threads": "all if not given",
        "memory": "GiB for matrices of the optimizer and for derivatives that are computed once and kept",
        "precision": "of these derivatives",
    },
}


def config_text(choices: Mapping[str, Mapping[str, Any]], reasons: Mapping[str, str]) -> str:
    """Return a configuration with every value, also the defaults.

    Parameters
    ----------
    choices : mapping of str to mapping
        Values by section that replace the defaults.
    reasons : mapping of str to str
        Reasons by section.

    Returns
    -------
    str
        TOML.
    """
    lines = ["# A training of fastsf with all values. Those that are commented out are the defaults."]
    for section, text in _KIND.items():
        why = [f"# Chosen: {reasons[section]}."] if section in reasons else []
        if section == "pairs" and section not in choices:
            written = [f"# {line}" for line in (f"[{section}]", *_section(section, {"recipe": PCSF_RECIPE}))]
        else:
            written = [f"[{section}]", *_section(section, choices.get(section, {}))]
        lines += ["", f"# {text}", *why, *written]
    return "\n".join(lines) + "\n"


def _section(section: str, given: Mapping[str, Any]) -> Iterator[str]:
    kind = _SECTIONS.get(section)
    if section == "optimizer":
        name = str(given.get("name", next(iter(OPTIMIZERS))))
        given, kind = {"name": name, **given}, OPTIMIZERS[name].settings_type
    known = [each for each in fields(kind) if each.name not in _SOURCES] if kind is not None else []
    names, comments = {each.name for each in known}, _COMMENTS.get(section, {})
    yield from (f"{key} = {toml_value(value)}" for key, value in given.items() if key not in names)
    for each in known:
        value = given.get(each.name, _default(each))
        comment = f"  # {comments[each.name]}" if each.name in comments else ""
        if each.name in given or value not in (None, (), {}):
            yield f"{each.name} = {toml_value(value)}{comment}"
        else:
            yield f"# {each.name} = {'...' if value is None else toml_value(value)}{comment}"


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return None if field.default_factory is MISSING else field.default_factory()


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it.

    Parameters
    ----------
    value : bool, int, float, str, or a sequence or mapping of such
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return (
            "{}"
            if not value
            else "{ " + ", ".join(f"{json.dumps(key)} = {toml_value(each)}" for key, each in value.items()) + " }"
        )
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return str(value) if isinstance(value, int) else repr(float(value))

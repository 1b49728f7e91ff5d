"""Comparison of the identities of runs."""

import pytest

from fastsf.storage.states import differences, differing_keys

BEFORE = {"unit": "Bohr", "energy_key": None, "cutoff": 6.0}


@pytest.mark.parametrize("empty", [None, False, 0, 0.0, "", [], ()])
def test_options_that_did_not_exist_count_once_they_are_used(empty: object) -> None:
    assert differing_keys(BEFORE, {**BEFORE, "types": empty}) == []
    assert differing_keys({**BEFORE, "types": empty}, BEFORE) == []
    assert differing_keys(BEFORE, {**BEFORE, "types": ["O"]}) == ["types"]
    assert differing_keys({**BEFORE, "types": ["O"]}, BEFORE) == ["types"]


def test_values_of_the_same_key_are_compared_whole() -> None:
    assert differing_keys(BEFORE, {**BEFORE, "energy_key": ""}) == ["energy_key"]
    assert differing_keys(BEFORE, {**BEFORE, "cutoff": 0}) == ["cutoff"]


def test_differences_name_nested_keys() -> None:
    assert list(differences({"data": BEFORE}, {"data": {**BEFORE, "unit": "nm", "types": []}})) == [
        "data.unit was Bohr, is nm"
    ]

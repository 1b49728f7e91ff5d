"""Metadata in descriptions of potentials: no raw JSON."""

import json

from fastsf.potentials.metadata import describe_metadata


def test_numbers_become_a_table():
    errors = {"train": {"energy": 0.00123456, "forces": 0.05}, "test": {"energy": 0.002}}
    assert list(describe_metadata({"errors (RMSE)": json.dumps(errors)})) == [
        "errors (RMSE)  energy (eV/atom)  forces (eV/Å)",
        "  train                0.001235           0.05",
        "  test                    0.002",
    ]


def test_other_json_becomes_words():
    metadata = {
        "versions": {"fastsf": "0.1.0", "python": "3.13"},
        "config": {"data": {"files": ["a"]}, "run": {"n": 1}},
    }
    assert list(describe_metadata({name: json.dumps(value) for name, value in metadata.items()})) == [
        "versions: fastsf 0.1.0, python 3.13",
        "config: sections data, run",
    ]


def test_texts_stay_and_long_ones_are_cut():
    texts = {"made": "at random", "number": "12", "list": "[1, 2]", "long": "word " * 100}
    *short, cut = describe_metadata(texts)
    assert short == ["made: at random", "number: 12", "list: [1, 2]"]
    assert cut.startswith("long: word word ") and cut.endswith(" ...") and len(cut) < 160

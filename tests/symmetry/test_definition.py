"""Functions as plain dictionaries and in TOML and YAML files: round trips, grids, errors naming the key."""

from __future__ import annotations

import builtins
import json
import math

import pytest
from ase.units import Bohr
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import REPEATABLE, WORDS, functions, mutations

from fastsf.errors import FormatError, InputError, StorageError
from fastsf.io.definition import read_definition
from fastsf.symmetry import recipes
from fastsf.symmetry.atoms import G1, G2, G3, G4, G5, Angular, Radial
from fastsf.symmetry.definition import ATOM_CENTERED
from fastsf.symmetry.factors import Compact, Cutoff, Power, Window
from fastsf.symmetry.sets import elements_of, scale_lengths

NAMED = {
    "G1": G1("H", "O", 6.0),
    "G2": G2("H", "O", 0.5, Cutoff(6.0, "tanh3"), rs=1.0),
    "G3": G3("H", None, 1.5, Cutoff(6.0, "cosine", 0.2)),
    "G4": G4("H", ("O", "H"), 0.5, 4.0, -1.0, 6.0),
    "G5": G5("H", None, 0.0, 1.5, 0.0, 6.0, rs=1.0),
    "compact": Radial("O", "H", Compact(-1.0, 5.0, "poly1", asymmetric=True)),
    "compact4": Angular("O", ("H", "H"), Compact(0.0, 5.0), Window(0.0, 90.0)),
    "compact5": Angular("O", None, Compact(0.0, 5.0, "exp"), Window(-60.0, 60.0, "poly4"), narrow=False),
    "radial": Radial("O", "H", Compact(0.0, 5.0), eta=1.0, rs=0.5),
    "narrow": Angular("O", ("H", "H"), Cutoff(5.0), Window(0.0, 90.0, "poly3")),
    "wide": Angular("O", ("H", "H"), Compact(0.0, 5.0), Power(2.0, 1.0), eta=1.0, narrow=False),
}


def test_every_type_is_named():
    assert set(NAMED) == set(ATOM_CENTERED.kinds)
    for name, function in NAMED.items():
        entry = ATOM_CENTERED.to_dict(function)
        assert entry["type"] == name
        assert ATOM_CENTERED.from_dict(entry) == function


def test_plain_forms_are_short():
    assert ATOM_CENTERED.to_dict(NAMED["G2"]) == {
        "type": "G2",
        "center": "H",
        "neighbor": "O",
        "eta": 0.5,
        "rs": 1.0,
        "cutoff": 6.0,
        "cutoff_type": "tanh3",
    }
    assert ATOM_CENTERED.to_dict(NAMED["G4"]) == {
        "type": "G4",
        "center": "H",
        "neighbors": ["H", "O"],
        "eta": 0.5,
        "zeta": 4.0,
        "lambda": -1.0,
        "cutoff": 6.0,
        "cutoff_type": "cosine",
    }


@REPEATABLE
@given(st.lists(functions, min_size=1, max_size=6))
def test_round_trip_through_json_is_exact(drawn):
    text = json.dumps(ATOM_CENTERED.to_document(drawn, elements_of(drawn)), allow_nan=False)
    elements, read = ATOM_CENTERED.from_document(json.loads(text))
    assert elements == elements_of(drawn)
    assert read == drawn
    for before, after in zip(drawn, read, strict=True):
        assert ATOM_CENTERED.to_dict(after) == ATOM_CENTERED.to_dict(before)


def test_documents_of_another_kind_are_refused():
    document = ATOM_CENTERED.to_document([NAMED["G1"]], ["H", "O"])
    with pytest.raises(InputError, match="expected 'format' to be 'fastsf-acsf'"):
        ATOM_CENTERED.from_document({**document, "format": "something"})
    with pytest.raises(InputError, match="expected version 1, found 2"):
        ATOM_CENTERED.from_document({**document, "version": 2})
    with pytest.raises(InputError, match="expected a list under 'functions'"):
        ATOM_CENTERED.from_document({**document, "functions": None})
    with pytest.raises(InputError, match="function 1: expected a table"):
        ATOM_CENTERED.from_document({**document, "functions": [1]})
    with pytest.raises(InputError, match="function 2: unknown key 'zeta'"):
        ATOM_CENTERED.from_document(
            {**document, "functions": [*document["functions"], {**document["functions"][0], "zeta": 1}]}
        )
    with pytest.raises(InputError, match="elements: expected a list"):
        ATOM_CENTERED.from_document({**document, "elements": "HO"})


def test_lists_are_grids():
    entry = {
        "type": "G2",
        "center": ["H", "O"],
        "neighbor": ["H", "*"],
        "eta": [0.1, 1],
        "rs": [0, 2],
        "cutoff": 6,
    }
    made = ATOM_CENTERED.expand(entry)
    assert len(made) == 16
    assert made[0] == G2("H", "H", 0.1, 6.0)
    assert made[1] == G2("H", "H", 0.1, 6.0, rs=2.0)
    assert made[-1] == G2("O", None, 1.0, 6.0, rs=2.0)
    angular = {"type": "G4", "center": "O", "eta": 0.1, "zeta": [1, 4], "lambda": [-1, 1], "cutoff": [5, 6]}
    assert len(ATOM_CENTERED.expand({**angular, "neighbors": ["H", "O"]})) == 8
    made = ATOM_CENTERED.expand({**angular, "neighbors": [["H", "H"], ["O", "H"]]})
    assert len(made) == 16
    assert made[-1] == G4("O", ("H", "O"), 0.1, 4.0, 1.0, 6.0)
    assert len(set(made)) == 16


GOOD = {"type": "G2", "center": "O", "neighbor": "H", "eta": 0.3, "cutoff": 6.35}
ANGULAR = {
    "type": "narrow",
    "center": "O",
    "neighbors": ["H", "H"],
    "cutoff": 6.0,
    "zeta": 1.0,
    "lambda": 1.0,
}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({**GOOD, "type": "G9"}, "type: expected one of G1, G2, .* found 'G9'"),
        ({**GOOD, "type": ["G2"]}, "type: expected one of"),
        ({"center": "O"}, "there is no 'type'"),
        (
            {**GOOD, "Eta": 1.0},
            "unknown key 'Eta', G2 takes center, neighbor, eta, cutoff, rs, cutoff_type, alpha",
        ),
        ({**GOOD, 3: 1.0}, "unknown key 3"),
        ({key: value for key, value in GOOD.items() if key != "eta"}, "G2 needs the key 'eta'"),
        ({**GOOD, "eta": "0.3"}, "eta: expected a number, found '0.3'"),
        ({**GOOD, "eta": True}, "eta: expected a number, found True"),
        ({**GOOD, "eta": None}, "eta"),
        ({**GOOD, "eta": math.nan}, "eta must be a finite number"),
        ({**GOOD, "eta": 10**400}, "eta: .* too large"),
        ({**GOOD, "eta": []}, "eta: the list is empty"),
        ({**GOOD, "eta": [[1.0]]}, r"eta: expected a number, found \[1.0\]"),
        ({**GOOD, "eta": -1.0}, "eta must not be negative"),
        ({**GOOD, "center": 8}, "center: expected a text, found 8"),
        ({**GOOD, "center": "*"}, "'\\*' is not a chemical symbol"),
        ({**GOOD, "neighbor": False}, "neighbor: expected a text, found False"),
        ({**GOOD, "cutoff": 0}, "radius must be positive"),
        ({**GOOD, "cutoff_type": "cosinus"}, "unknown kind 'cosinus'"),
        ({**GOOD, "cutoff_type": ["cosine"]}, "cutoff_type: expected a text"),
        ({**GOOD, "type": "radial", "left": 0.0}, "'cutoff' and 'left' exclude each other"),
        ({"type": "radial", "center": "O", "neighbor": "H", "shape": "poly2"}, "the key 'left' is missing"),
        ({"type": "radial", "center": "O", "neighbor": "H"}, "the key 'cutoff' is missing"),
        (
            {"type": "compact", "center": "O", "neighbor": "H", "left": 0, "right": 1, "asymmetric": 1},
            "true or false",
        ),
        ({**ANGULAR, "neighbors": ["H"]}, "two chemical symbols or '\\*'"),
        ({**ANGULAR, "neighbors": "HH"}, "two chemical symbols or '\\*'"),
        ({**ANGULAR, "neighbors": [["H", 1]]}, "two chemical symbols or '\\*'"),
        ({**ANGULAR, "neighbors": []}, "neighbors: the list is empty"),
        ({**ANGULAR, "angle": [0, 90]}, "'zeta' and 'angle' exclude each other"),
        (
            {"type": "compact4", "center": "O", "neighbors": "*", "left": 0, "right": 1, "angle": 9},
            "two edges",
        ),
        (
            {"type": "compact4", "center": "O", "neighbors": "*", "left": 0, "right": 1, "angle": ["0", 1]},
            "a number",
        ),
        ("G2", "expected a table"),
    ],
)
def test_errors_name_the_key(entry, said):
    with pytest.raises(InputError, match=said):
        ATOM_CENTERED.expand(entry)


def test_scaled_functions_keep_their_values():
    """G depends on products of lengths and parameters only."""
    for function in NAMED.values():
        scaled = scale_lengths(function, 2.0)
        assert scaled.envelope.range == (2 * function.envelope.range[0], 2 * function.envelope.range[1])
        assert (scaled.eta, scaled.rs) == (function.eta / 4, function.rs * 2)
        assert getattr(scaled, "kappa", 0.0) == getattr(function, "kappa", 0.0) / 2
        assert getattr(scaled, "angle", None) == getattr(function, "angle", None)
        assert scale_lengths(function, 1.0) is function


TOML = """\
# Water, by hand
length_unit = "Bohr"
elements = ["O", "H"]

[[function]]
type = "G2"
center = ["H", "O"]
neighbor = ["H", "O"]
eta = [0.01, 0.1]
cutoff = 12.0
cutoff_type = "tanh3"

[[function]]
type = "G4"
center = "O"
neighbors = [["H", "H"], ["H", "O"]]
eta = 0.01
zeta = [1, 4]
lambda = [-1, 1]
cutoff = 12.0
"""

YAML = """\
elements: [O, H]
recipe:
  name: imbalzano2018
  cutoff: 6.5
  n: 3
  zeta: [1, 4]
"""


def test_toml_file(tmp_path):
    path = tmp_path / "functions.toml"
    path.write_text(TOML)
    elements, functions, _ = read_definition(path)
    assert elements == ["H", "O"]
    assert len(functions) == 16
    assert functions[0] == scale_lengths(G2("H", "H", 0.01, Cutoff(12.0, "tanh3")), Bohr)
    assert functions[-1].envelope.radius == 12 * Bohr
    path.write_text(TOML.replace('elements = ["O", "H"]', "").replace('"Bohr"', '"Angstrom"'))
    elements, functions, _ = read_definition(path)
    assert elements == ["H", "O"]
    assert functions[-1].envelope.radius == 12.0


def test_yaml_file(tmp_path):
    path = tmp_path / "functions.yaml"
    path.write_text(YAML)
    expected = recipes.make("imbalzano2018", ["H", "O"], 6.5, n=3, zeta=(1.0, 4.0))
    assert read_definition(path) == (["H", "O"], expected, [])
    toml = tmp_path / "functions.toml"
    toml.write_text('elements = ["O", "H"]\n[recipe]\nname = "imbalzano2018"\ncutoff = 6.5\nn = 3\nzeta = [1, 4]\n')
    assert read_definition(toml) == (["H", "O"], expected, [])


def test_yaml_without_its_library(tmp_path, monkeypatch):
    path = tmp_path / "functions.yml"
    path.write_text(YAML)
    real = builtins.__import__

    def without_yaml(name, *args, **kwargs):
        if name == "yaml":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_yaml)
    with pytest.raises(InputError, match=r"fastsf\[yaml\]"):
        read_definition(path)


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("a.toml", "", None, "expected either a table"),
        ("a.toml", TOML + YAML, 21, "not TOML"),
        ("a.toml", "function = 3\n", None, "function: expected tables"),
        (
            "a.toml",
            "functions = []\n",
            None,
            "unknown key 'functions', expected one of length_unit, elements",
        ),
        ("a.toml", TOML + '[recipe]\nname = "a"\n', None, "expected either"),
        ("a.toml", TOML.replace('"Bohr"', '"bore"'), None, "unknown length unit 'bore'"),
        ("a.toml", TOML.replace('["O", "H"]', '["O", "Q"]'), None, "'Q' is not a chemical symbol"),
        ("a.toml", TOML.replace('["O", "H"]', '["O"]'), 5, "function 1: H is not among the elements O"),
        (
            "a.toml",
            TOML.replace("zeta", "zetta"),
            13,
            "function 2: unknown key 'zetta', G4 takes center, neighbors",
        ),
        ("a.toml", '[recipe]\nname = "imbalzano2018"\n', None, "needs the key 'elements'"),
        (
            "a.toml",
            'elements = ["H"]\n[recipe]\nname = "mine"\n',
            2,
            "unknown recipe 'mine', expected one of",
        ),
        ("a.toml", 'elements = ["H"]\n\n[recipe]\nn = 3\n', 3, "the 'name' of a recipe"),
        (
            "a.toml",
            'elements = ["H"]\n[recipe]\nname = "imbalzano2018"\nelements = 3\n',
            2,
            "unknown option 'elements'",
        ),
        (
            "a.toml",
            'length_unit = "nm"\nelements = ["H"]\n[recipe]\nname = "imbalzano2018"\n',
            3,
            "in Angstrom",
        ),
        ("a.yaml", "- 1\n", None, "expected the keys"),
        ("a.yaml", "elements: [H\nfunction: 1\n", 2, "not YAML"),
        ("a.yaml", "elements: [H]\nrecipe:\n  name: imbalzano2018\n  3: 4\n", None, "expected texts as keys"),
        (
            "a.yaml",
            "elements: [H]\nfunction:\n- type: G2\n  center: No\n",
            None,
            "function 1: G2 needs the key",
        ),
    ],
)
def test_errors_name_file_and_line(tmp_path, name, text, line, said):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_definition(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")


def test_missing_file(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        read_definition(tmp_path / "nowhere.toml")


@REPEATABLE
@given(st.sampled_from(["a.toml", "a.yaml"]), mutations(TOML) | mutations(YAML) | st.text(max_size=60))
def test_damaged_files_give_errors_or_functions(tmp_path_factory, name, text):
    path = tmp_path_factory.mktemp("definition") / name
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        elements, functions, _ = read_definition(path)
    except FormatError as error:
        assert str(error).startswith(str(path))
    else:
        assert set(elements_of(functions)) <= set(elements)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=5,
)


@REPEATABLE
@given(st.sampled_from(sorted(NAMED)), st.data())
def test_wrong_values_give_errors_or_functions(name, data):
    entry = ATOM_CENTERED.to_dict(NAMED[name])
    key = data.draw(st.sampled_from(sorted(entry)))
    entry[key] = data.draw(VALUES)
    try:
        made = ATOM_CENTERED.expand(entry)
    except InputError as error:
        assert str(error)
    else:
        assert [ATOM_CENTERED.from_dict(ATOM_CENTERED.to_dict(function)) for function in made] == made

"""Pair-centred functions as plain dictionaries, in files and from recipes: round trips, grids, errors."""

from __future__ import annotations

import json

import pytest
from ase.units import Bohr
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import REPEATABLE, mutations, pcsf_functions

from fastsf import ACSF, PCSF
from fastsf.errors import FormatError, InputError
from fastsf.io.definition import read_definition
from fastsf.symmetry.atoms import G2
from fastsf.symmetry.definition import PAIR_CENTERED
from fastsf.symmetry.factors import Compact, Cutoff, Power, Window
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial, kinds_of
from fastsf.symmetry.pcsf_recipes import make_pcsf
from fastsf.symmetry.sets import elements_of, scale_lengths

OH = ("O", "H")
NAMED = {
    "pair-distance": PairRadial(OH, None),
    "pair-G1": PairRadial(OH, Cutoff(6.0, "tanh3")),
    "pair-gaussian": PairRadial(OH, Compact(0.0, 5.0, "exp"), eta=1.0, rs=0.5),
    "pair-G2": PairEnvironment(OH, "O", Cutoff(6.0, "cosine", 0.2)),
    "pair-G3": PairEnvironment(OH, "H", Cutoff(6.0), eta=0.5, rs=1.0, pair_eta=0.1),
    "pair-G4": PairAngular(OH, "H", Cutoff(6.0), Power(4.0, -1.0), eta=0.5, apex="both"),
}


def test_every_type_is_named():
    assert set(NAMED) == set(PAIR_CENTERED.kinds)
    for name, function in NAMED.items():
        entry = PAIR_CENTERED.to_dict(function)
        assert entry["type"] == name
        assert PAIR_CENTERED.from_dict(entry) == function


def test_plain_forms_are_short():
    assert PAIR_CENTERED.to_dict(NAMED["pair-distance"]) == {"type": "pair-distance", "pair": ["H", "O"]}
    assert PAIR_CENTERED.to_dict(PairRadial(OH, Cutoff(6.0), eta=4)) == {
        "type": "pair-gaussian",
        "pair": ["H", "O"],
        "eta": 4.0,
        "cutoff": 6.0,
        "cutoff_type": "cosine",
    }


def test_pairs_have_the_exponents_of_their_neighbours_unless_told():
    entry = {"type": "pair-G3", "pair": OH, "neighbor": "O", "eta": 0.5, "rs": 1.0, "cutoff": 6.0}
    made = PAIR_CENTERED.from_dict(entry)
    assert made == PairEnvironment(OH, "O", Cutoff(6.0), 0.5, 1.0, 0.5, 1.0)
    own = PAIR_CENTERED.from_dict({**entry, "pair_eta": 0.0, "pair_rs": 0.0})
    assert own == PairEnvironment(OH, "O", Cutoff(6.0), 0.5, 1.0)


@REPEATABLE
@given(st.lists(pcsf_functions, min_size=1, max_size=6))
def test_round_trip_through_json_is_exact(drawn):
    text = json.dumps(PAIR_CENTERED.to_document(drawn, elements_of(drawn)), allow_nan=False)
    elements, read = PAIR_CENTERED.from_document(json.loads(text))
    assert elements == elements_of(drawn)
    assert read == drawn


def test_descriptors_through_their_documents():
    pcsf = PCSF(list(NAMED.values()), elements=["S", "O", "H"])
    again = PCSF.from_dict(json.loads(json.dumps(pcsf.to_dict())))
    assert (again.functions, again.elements) == (pcsf.functions, pcsf.elements)
    with pytest.raises(InputError, match="expected 'format' to be 'fastsf-pcsf'"):
        PCSF.from_dict(ACSF([G2("H", "H", 1.0, 3.0)]).to_dict())


def test_lists_are_grids():
    entry = {"type": "pair-G4", "pair": [["H", "H"], ["H", "O"]], "neighbor": ["H", "O"], "eta": [0.1, 0.2], "zeta": 1}
    made = PAIR_CENTERED.expand({**entry, "lambda": [-1, 1], "cutoff": 6})
    assert len(made) == len(set(made)) == 16
    assert made[-1] == PairAngular(OH, "O", Cutoff(6.0), Power(1.0, 1.0), 0.2)
    assert len(PAIR_CENTERED.expand({**entry, "pair": ["H", "O"], "lambda": 1, "cutoff": 6})) == 4


GOOD = {"type": "pair-G3", "pair": ["H", "O"], "neighbor": "H", "eta": 0.3, "cutoff": 6.35}
TURN = {"type": "pair-G4", "pair": ["H", "O"], "neighbor": "H", "eta": 0.3, "cutoff": 6.35, "zeta": 1.0, "lambda": 1.0}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({**GOOD, "type": "G2"}, "type: expected one of pair-distance, pair-G1, .* found 'G2'"),
        ({**GOOD, "zeta": 1.0}, "unknown key 'zeta', pair-G3 takes pair, neighbor, eta, rs, pair_eta, pair_rs, cutoff"),
        ({key: value for key, value in GOOD.items() if key != "neighbor"}, "pair-G3 needs the key 'neighbor'"),
        ({**GOOD, "pair": "HO"}, "pair: expected two chemical symbols, found 'HO'"),
        ({**GOOD, "pair": ["H"]}, "pair: expected two chemical symbols"),
        ({**GOOD, "pair": ["H", "X1"]}, "'X1' is not a chemical symbol"),
        ({**GOOD, "pair": []}, "pair: the list is empty"),
        ({**GOOD, "neighbor": "*"}, "'\\*' is not a chemical symbol"),
        ({**GOOD, "pair_eta": -1.0}, "pair_eta must not be negative"),
        ({**GOOD, "cutoff": 0}, "radius must be positive"),
        (
            {"type": "pair-distance", "pair": ["H", "O"], "cutoff": 6.0},
            "unknown key 'cutoff', .* takes pair",
        ),
        ({"type": "pair-G1", "pair": ["H", "O"]}, "the key 'cutoff' is missing"),
        ({**TURN, "apex": "heavy"}, "apex must be one of heavier, third, both, found 'heavy'"),
        ({**TURN, "apex": 3}, "apex: expected a text"),
        ({**TURN, "angle": [0, 90]}, "'zeta' and 'angle' exclude each other"),
        (3, "expected a table"),
    ],
)
def test_errors_name_the_key(entry, said):
    with pytest.raises(InputError, match=said):
        PAIR_CENTERED.expand(entry)


def test_scaled_functions_keep_their_values():
    for function in NAMED.values():
        scaled = scale_lengths(function, 2.0)
        assert scaled.radius == 2 * function.radius
        assert (scaled.eta, scaled.rs) == (function.eta / 4, function.rs * 2)
        assert getattr(scaled, "pair_eta", 0.0) == getattr(function, "pair_eta", 0.0) / 4


TOML = """\
length_unit = "Bohr"

[[function]]
type = "G2"
center = ["H", "O"]
neighbor = ["H", "O"]
eta = 0.1
cutoff = 12.0

[[pair_function]]
type = "pair-gaussian"
pair = [["H", "H"], ["H", "O"], ["O", "O"]]
eta = 0.3
rs = [1.0, 2.0]
cutoff = 12.0

[[pair_function]]
type = "pair-G4"
pair = ["O", "O"]
neighbor = "S"
eta = 0.01
angle = [0, 90]
cutoff = 12.0
"""
YAML = """\
elements: [O, H]
pair_recipe:
  name: pairs
  cutoff: 5.0
  zeta: [2.0]
"""


def test_files_hold_both_kinds(tmp_path):
    path = tmp_path / "functions.toml"
    path.write_text(TOML)
    elements, functions, pcsf_functions = read_definition(path)
    assert elements == ["H", "O", "S"]
    assert (len(functions), len(pcsf_functions)) == (4, 7)
    assert pcsf_functions[0] == scale_lengths(PairRadial(("H", "H"), Cutoff(12.0), 0.3, 1.0), Bohr)
    turn = PairAngular(("O", "O"), "S", Cutoff(12.0), Window(0.0, 90.0), 0.01)
    assert pcsf_functions[-1] == scale_lengths(turn, Bohr)
    assert PCSF.from_file(path).functions == tuple(pcsf_functions)
    assert ACSF.from_file(path).functions == tuple(functions)


def test_files_with_pairs_alone(tmp_path):
    path = tmp_path / "functions.yaml"
    path.write_text(YAML)
    pcsf = PCSF.from_file(path)
    assert pcsf.functions == tuple(make_pcsf("pairs", ["H", "O"], 5.0, zeta=[2.0]))
    assert PCSF.from_recipe("pairs", ["H", "O"], 5.0, zeta=[2.0]).functions == pcsf.functions
    with pytest.raises(FormatError, match=r"no functions of atoms; PCSF\.from_file"):
        ACSF.from_file(path)
    path.write_text("elements: [H]\nrecipe: {name: even-grid}\n")
    with pytest.raises(FormatError, match=r"no functions of pairs; ACSF\.from_file"):
        PCSF.from_file(path)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (TOML.replace('"pair-G4"', '"pair-G5"'), 17, "pair_function 2: type: expected one of pair-distance"),
        ('elements = ["H"]\n' + TOML, 11, "pair_function 1: O is not among the elements H"),
        (TOML + '[pair_recipe]\nname = "pairs"\n', None, "either a table [pair_recipe] or tables [[pair_function]]"),
        ('elements = ["H"]\n[pair_recipe]\nname = "mine"\n', 2, "pair_recipe: unknown recipe 'mine', expected one of"),
        ('elements = ["H"]\n[pair_recipe]\nname = "pairs"\napex = "k"\n', 2, "apex must be one of"),
        ('[pair_recipe]\nname = "pairs"\n', None, "needs the key 'elements'"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, line, said):
    path = tmp_path / "a.toml"
    if "not among" in said:
        text = text.replace('center = ["H", "O"]\nneighbor = ["H", "O"]', 'center = "H"\nneighbor = "H"')
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_definition(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")


@REPEATABLE
@given(mutations(TOML))
def test_damaged_files_give_errors_or_functions(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("definition") / "a.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        elements, functions, pcsf_functions = read_definition(path)
    except FormatError as error:
        assert str(error).startswith(str(path))
    else:
        assert set(elements_of([*functions, *pcsf_functions])) <= set(elements)


@pytest.mark.parametrize(("elements", "each"), [(["Cu"], 16), (["H", "O"], 24), (["H", "C", "O"], 32)])
def test_recipe_is_of_a_sensible_size(elements, each):
    pcsf = PCSF.from_recipe("pairs", elements)
    assert pcsf.kinds == kinds_of(elements)
    assert [len(columns) for columns in pcsf.columns.values()] == [each] * len(pcsf.kinds)
    assert len(set(pcsf.functions)) == len(pcsf.functions)
    assert set(pcsf.cutoffs.values()) == {6.0}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"radius": 3}, "unknown option 'radius', pairs takes cutoff, r_min, radial"),
        ({"radial": 1}, "radial: expected a whole number, 2 or more"),
        ({"r_min": 5.0}, "r_min: expected a number above 0.01 and below 4.6"),
        ({"cutoff": 1.2}, "cutoff: expected a number above 1.5, found 1.2"),
        ({"zeta": []}, "zeta: the list is empty"),
        ({"cutoff_type": 3}, "cutoff_type: expected a text"),
    ],
)
def test_recipe_says_what_is_wrong(options, said):
    with pytest.raises(InputError, match=said):
        make_pcsf("pairs", ["Cu"], **options)


def test_words():
    text = PCSF(list(NAMED.values()), elements=["H", "O", "S"]).describe()
    assert "6 pair-centred functions, largest cutoff 6 Å" in text
    assert "H-O    6: 1 pair-distance, 1 pair-G1, 1 pair-gaussian, 1 pair-G2, 1 pair-G3, 1 pair-G4" in text
    assert "S-S    0: none" in text
    names = PCSF(
        [NAMED["pair-distance"], NAMED["pair-G1"], PairRadial(("H", "H"), Cutoff(3.0))]
    ).get_feature_names_out()
    assert names.tolist() == ["pair-G1(H-H) rc=3 cosine | pair-distance(H-O)", "pair-G1(H-O) rc=6 tanh3"]

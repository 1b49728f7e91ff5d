"""Published sets of functions: their numbers, their options, and errors that say what is allowed."""

from __future__ import annotations

import inspect
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import ELEMENTS, REPEATABLE

from fastsf.errors import InputError
from fastsf.io.n2p2.functions import read_functions
from fastsf.symmetry.atoms import Angular, Radial
from fastsf.symmetry.factors import Cutoff
from fastsf.symmetry.recipes import RECIPES, make
from fastsf.symmetry.sets import scale_lengths

GRIDS = ("gastegger2018-wacsf", "gastegger2018-acsf", "imbalzano2018", "even-grid")


@pytest.mark.parametrize(
    ("recipe", "elements", "folder", "unit"),
    [
        ("water-rpbe-d3", ["O", "H"], "predict_H2O_RPBE-D3", "Bohr"),
        ("cu2s-pbe", ["Cu", "S"], "predict_Cu2S_PBE", "Angstrom"),
    ],
)
def test_published_sets_are_those_of_the_published_files(shared, recipe, elements, folder, unit):
    expected = read_functions(shared / "reference" / folder / "input.nn", unit)[1]
    assert make(recipe, elements) == expected


@pytest.mark.parametrize(
    ("recipe", "elements", "numbers"),
    [
        ("water-rpbe-d3", ["H", "O"], {"H": 27, "O": 30}),
        ("cu2s-pbe", ["S", "Cu"], {"S": 72, "Cu": 66}),
        ("gastegger2018-wacsf", ["H", "O"], {"H": 32, "O": 32}),
        ("gastegger2018-wacsf", ["C", "H", "N", "O"], dict.fromkeys(("H", "C", "N", "O"), 32)),
        ("gastegger2018-acsf", ["H", "O"], {"H": 74, "O": 74}),
        ("imbalzano2018", ["H", "O"], {"H": 130, "O": 130}),
        ("imbalzano2018", ["Si"], {"Si": 47}),
        ("even-grid", ["Si"], {"Si": 35}),
        ("even-grid", ["H", "O"], {"H": 94, "O": 94}),
    ],
)
def test_numbers_of_functions(recipe, elements, numbers):
    functions = make(recipe, elements)
    assert {element: sum(f.center == element for f in functions) for element in elements} == numbers
    assert len(set(functions)) == len(functions)


def test_roles_and_cutoff_of_published_sets():
    water = make("water-rpbe-d3", ["H", "O"])
    sulfide = make("water-rpbe-d3", ["S", "H"], roles={"O": "S"})
    assert [f.eta for f in sulfide] == [f.eta for f in water]
    assert {f.center for f in sulfide} == {"H", "S"}
    assert {f.envelope for f in make("water-rpbe-d3", ["H", "O"], 6.0)} == {Cutoff(6.0, "tanh3")}
    silver = make("cu2s-pbe", ["Se", "Ag"], 5.0, roles={"Cu": "Ag", "S": "Se"})
    assert len(silver) == 138
    assert {f.envelope for f in silver} == {Cutoff(5.0, "poly2")}


def test_even_grid_with_weighted_angles():
    functions = make("even-grid", ["H", "C", "O"], weighted_angles=True, radial=5)
    assert [f.center for f in functions] == sorted((f.center for f in functions), key="HCO".index)
    angles = [f for f in functions if isinstance(f, Angular)]
    assert len(angles) == 3 * 24 and all(f.neighbors is None and not f.narrow for f in angles)
    assert len(functions) - len(angles) == 3 * 3 * 5


def test_gastegger_defaults_are_the_published_table():
    """Eta and shift (Å) of the 22 radial and 10 angular functions of the supplement, not optimised."""
    functions = make("gastegger2018-wacsf", ["C"])
    radial = [function for function in functions if isinstance(function, Radial)]
    low = "0.5 0.8333 1.1667 1.5 1.8333 2.1667 2.5 2.8333 3.1667 3.5 3.8333"
    high = "4.1667 4.5 4.8333 5.1667 5.5 5.8333 6.1667 6.5 6.8333 7.1667 7.5"
    expected = [float(shift) for shift in f"{low} {high}".split()]
    assert [function.rs for function in radial] == pytest.approx(expected, abs=5e-5)
    assert [function.eta for function in radial] == pytest.approx([4.5] * 22, rel=1e-12)
    angular = [function for function in functions if isinstance(function, Angular)]
    expected = [eta for eta in (0.5, 0.1685744, 0.0836777, 0.0498615, 0.0330612) for _ in range(2)]
    assert [function.eta for function in angular] == pytest.approx(expected, abs=5e-8)
    assert [(f.angle.lam, f.angle.zeta, f.rs, f.narrow) for f in angular] == [
        (-1, 1, 0, True),
        (1, 1, 0, True),
    ] * 5
    assert {function.envelope for function in functions} == {Cutoff(8.0, "cosine")}
    assert all(f.neighbor is None for f in radial) and all(f.neighbors is None for f in angular)


def test_gastegger_centred_grid():
    functions = make("gastegger2018-acsf", ["C"], 6.0, radial=3, angular=1, mode="centered", r_min=1.0, r_max=5.0)
    assert [(f.eta, f.rs) for f in functions[:3]] == [(1 / 2, 0), (1 / 18, 0), (1 / 50, 0)]
    shifted = make("gastegger2018-acsf", ["C"], 6.0, radial=3, angular=1, r_min=1.0, r_max=5.0)
    assert [(f.eta, f.rs) for f in shifted[:3]] == [(1 / 8, 1), (1 / 8, 3), (1 / 8, 5)]


def test_imbalzano_grids():
    """Numbers worked out by hand for rc = 6: powers of 3^(1/3), and of 2^(1/2)."""
    centred = [f for f in make("imbalzano2018", ["C"], 6.0, n=3) if isinstance(f, Radial) and not f.rs]
    root = 3 ** (1 / 3)
    assert [f.eta for f in centred] == pytest.approx([1 / 36, root**2 / 36, root**4 / 36, 1 / 4], rel=1e-14)
    shifted = [f for f in make("imbalzano2018", ["C"], 6.0, n=4) if isinstance(f, Radial) and f.rs]
    root = 2**0.5
    assert [f.rs for f in shifted] == pytest.approx([1.5, 1.5 * root, 3.0, 3.0 * root], rel=1e-14)
    steps = [1.5 * (root - 1), 3 - 1.5 * root, 3 * (root - 1), 6 - 3 * root]
    assert [f.eta for f in shifted] == pytest.approx([step**-2 for step in steps], rel=1e-12)


def test_imbalzano_angular_functions():
    functions = [f for f in make("imbalzano2018", ["H", "O"], n=2, narrow=False) if isinstance(f, Angular)]
    assert {(f.angle.zeta, f.angle.lam) for f in functions} == {(z, s) for z in (1, 4, 16) for s in (-1, 1)}
    assert {f.neighbors for f in functions} == set(combinations_with_replacement(("H", "O"), 2))
    assert len({f.eta for f in functions}) == 3
    assert not any(f.narrow for f in functions)


@REPEATABLE
@given(
    st.sampled_from(GRIDS),
    st.lists(st.sampled_from(ELEMENTS), min_size=1, unique=True),
    st.floats(2.5, 12.0),
    st.sampled_from(("cosine", "poly2")),
)
def test_grids_scale_and_cover_all_elements(name, elements, cutoff, cutoff_type):
    functions = make(name, elements, cutoff, cutoff_type=cutoff_type)
    assert {function.envelope for function in functions} == {Cutoff(cutoff, cutoff_type)}
    for element in elements:
        own = [function for function in functions if function.center == element]
        assert len(own) == len(functions) / len(elements)
    if name == "imbalzano2018":
        for one, two in zip(functions, make(name, elements, 2 * cutoff, cutoff_type=cutoff_type), strict=True):
            scaled = scale_lengths(one, 2.0)
            assert (two.eta, two.rs) == pytest.approx((scaled.eta, scaled.rs), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "elements", "options", "said"),
    [
        ("mine", ["H"], {}, "unknown recipe 'mine', expected one of gastegger2018-wacsf, "),
        (None, ["H"], {}, "unknown recipe None"),
        (
            "imbalzano2018",
            ["H"],
            {"eta": 1},
            "unknown option 'eta', imbalzano2018 takes cutoff, n, zeta, narrow",
        ),
        ("imbalzano2018", [], {}, "expected at least one"),
        ("imbalzano2018", "HO", {}, "expected a list of chemical symbols"),
        ("imbalzano2018", ["H", "Q"], {}, "'Q' is not a chemical symbol"),
        ("imbalzano2018", ["H"], {"cutoff": 0.0}, "cutoff: expected a number above 0.1"),
        ("imbalzano2018", ["H"], {"cutoff": "6"}, "cutoff: expected a number"),
        ("imbalzano2018", ["H"], {"cutoff": 10**400}, "cutoff: expected a number"),
        ("imbalzano2018", ["H"], {"n": 1}, "n: expected a whole number, 2 or more"),
        ("imbalzano2018", ["H"], {"n": 2.0}, "n: expected a whole number"),
        ("imbalzano2018", ["H"], {"zeta": []}, "zeta: the list is empty"),
        ("imbalzano2018", ["H"], {"zeta": 4.0}, "zeta: expected a list"),
        ("imbalzano2018", ["H"], {"zeta": [0.0]}, "zeta: expected a number above 0"),
        ("imbalzano2018", ["H"], {"narrow": 1}, "narrow: expected true or false"),
        ("imbalzano2018", ["H"], {"cutoff_type": "soft"}, "unknown kind 'soft'"),
        ("imbalzano2018", ["H"], {"cutoff_type": 1}, "cutoff_type: expected a text"),
        ("gastegger2018-acsf", ["H"], {"cutoff": 1.5}, "more than 1.5 Å"),
        ("gastegger2018-acsf", ["H"], {"mode": "shift"}, "mode: expected shifted or centered"),
        ("gastegger2018-acsf", ["H"], {"radial": 1}, "radial: expected a whole number, 2 or more"),
        ("gastegger2018-acsf", ["H"], {"angular": 0}, "angular: expected a whole number, 1 or more"),
        ("gastegger2018-acsf", ["H"], {"r_min": 0.0}, "r_min: expected a number above 0.01"),
        ("gastegger2018-acsf", ["H"], {"r_min": 7.5}, "r_min: expected less than the last point"),
        ("gastegger2018-acsf", ["H"], {"r_max": 9.0}, "r_max: expected a number above 0.5 and below 8"),
        ("even-grid", ["H"], {"r_min": 5.0}, "r_min: expected a number above 0.01 and below 4.6"),
        ("even-grid", ["H"], {"radial": 1}, "radial: expected a whole number, 2 or more"),
        ("even-grid", ["H"], {"weighted_angles": 1}, "weighted_angles: expected true or false"),
        ("water-rpbe-d3", ["H", "S"], {}, "expected the elements H and O .*, found H S; .* the option 'roles'"),
        ("water-rpbe-d3", ["H", "O", "S"], {}, "found H O S;"),
        ("water-rpbe-d3", ["H", "S"], {"roles": {"S": "O"}}, "roles: expected elements for H and O"),
        ("cu2s-pbe", ["Cu", "S"], {"roles": {"S": "Cu"}}, "each once"),
        ("cu2s-pbe", ["Cu", "S"], {"roles": "S"}, "roles: expected elements"),
    ],
)
def test_errors(name, elements, options, said):
    with pytest.raises(InputError, match=said):
        make(name, elements, **options)


def test_every_recipe_says_where_it_is_from():
    for recipe in RECIPES.values():
        assert "(20" in (inspect.getdoc(recipe) or "")

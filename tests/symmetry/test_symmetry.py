"""Definitions of symmetry functions: what they accept, and how they are called."""

import math
from dataclasses import FrozenInstanceError, replace

import pytest
from support.battery import ELEMENTS, SETS, functions_of

from fastsf.errors import InputError
from fastsf.symmetry.atoms import G1, G2, G3, G4, G5, Angular, Radial
from fastsf.symmetry.factors import BUMPS, CUTOFFS, Compact, Cutoff, Power, Window

CUTOFF = Cutoff(6.0)


@pytest.mark.parametrize("radius", [0, -1.0, math.nan, math.inf])
def test_cutoff_rejects_radius(radius):
    with pytest.raises(InputError, match="radius must be"):
        Cutoff(radius)


@pytest.mark.parametrize("kind", CUTOFFS)
@pytest.mark.parametrize("alpha", [-0.1, 1.0, 2.0, math.nan])
def test_cutoff_rejects_alpha(kind, alpha):
    with pytest.raises(InputError, match="alpha"):
        Cutoff(6.0, kind, alpha)


@pytest.mark.parametrize("kind", ["hard", "tanh3", "tanh3_normalized"])
def test_cutoff_without_plateau_rejects_alpha(kind):
    assert Cutoff(6.0, kind, 0.0).alpha == 0
    with pytest.raises(InputError, match="takes no alpha"):
        Cutoff(6.0, kind, 0.5)


@pytest.mark.parametrize("kind", ["", "cos", "Cosine", "poly5"])
def test_unknown_core_names_the_known_ones(kind):
    with pytest.raises(InputError, match="expected one of hard, cosine"):
        Cutoff(6.0, kind)
    with pytest.raises(InputError, match="expected one of exp, poly1"):
        Compact(1.0, 6.0, kind)
    with pytest.raises(InputError, match="expected one of exp, poly1"):
        Window(0, 90, kind)


@pytest.mark.parametrize("kind", [core for core in CUTOFFS if core not in BUMPS])
def test_compact_takes_no_cutoff_core(kind):
    with pytest.raises(InputError, match="unknown kind"):
        Compact(1.0, 6.0, kind)


@pytest.mark.parametrize(("left", "right"), [(3.0, 3.0), (4.0, 3.0), (-3.0, 0.0), (-3.0, -1.0)])
def test_compact_rejects_edges(left, right):
    with pytest.raises(InputError, match="expected left < right and right > 0"):
        Compact(left, right)


def test_compact_rejects_what_is_not_a_number():
    with pytest.raises(InputError, match="left must be a finite number"):
        Compact(math.nan, 1.0)


@pytest.mark.parametrize(("left", "right"), [(90, 90), (90, 30), (-181, 181), (0, 361)])
def test_window_rejects_widths(left, right):
    with pytest.raises(InputError, match="left < right"):
        Window(left, right)


@pytest.mark.parametrize(("left", "right"), [(-10, 20), (-1, 90), (100, 200), (10, 181)])
def test_window_rejects_edges_off_the_middle(left, right):
    with pytest.raises(InputError, match="centred at 0 or 180"):
        Window(left, right)


@pytest.mark.parametrize(("left", "right"), [(0, 180), (-20, 20), (-180, 180), (0, 360), (170, 190), (30, 90)])
def test_window_accepts(left, right):
    assert (Window(left, right).left, Window(left, right).right) == (left, right)


@pytest.mark.parametrize("zeta", [0.0, -1.0, math.nan, math.inf])
def test_power_rejects_zeta(zeta):
    with pytest.raises(InputError, match="zeta must be"):
        Power(zeta, 1.0)


def test_power_accepts_any_lambda():
    assert [Power(1.5, lam).lam for lam in (0.0, -3.0, 0.4)] == [0.0, -3.0, 0.4]
    with pytest.raises(InputError, match="lam must be a finite number"):
        Power(1.0, math.nan)


@pytest.mark.parametrize("make", [lambda eta: G2("H", "O", eta, 6.0), lambda eta: G4("H", ("O", "H"), eta, 1, 1, 6.0)])
@pytest.mark.parametrize("eta", [-0.1, math.nan])
def test_gaussian_rejects_eta(make, eta):
    with pytest.raises(InputError, match="eta must"):
        make(eta)


def test_radial_is_either_gaussian_or_cosine():
    with pytest.raises(InputError, match="eta and kappa"):
        Radial("H", "O", CUTOFF, eta=1.0, kappa=1.0)


@pytest.mark.parametrize("symbol", ["", "h", "Xx", "X", "OH"])
def test_unknown_element(symbol):
    for make in (
        lambda: G1(symbol, "O", 6.0),
        lambda: G1("O", symbol, 6.0),
        lambda: G4(symbol, ("O", "O"), 0.1, 1, 1, 6.0),
        lambda: G4("O", ("O", symbol), 0.1, 1, 1, 6.0),
    ):
        with pytest.raises(InputError, match="not a chemical symbol"):
            make()


@pytest.mark.parametrize("neighbors", ["OH", "O", ("O",), ("O", "H", "H"), ()])
def test_angular_needs_two_elements(neighbors):
    with pytest.raises(InputError, match="expected two neighbour elements"):
        G4("H", neighbors, 0.1, 1, 1, 6.0)
    with pytest.raises(InputError, match="expected two neighbour elements"):
        Angular("H", neighbors, CUTOFF, Power(1, 1))


def test_order_of_neighbors_does_not_matter():
    assert G5("H", ("S", "O"), 0.1, 1, 1, 6.0) == G5("H", ["O", "S"], 0.1, 1, 1, 6.0)
    assert G5("H", ("S", "H"), 0.1, 1, 1, 6.0).neighbors == ("H", "S")


def test_number_means_cosine_cutoff():
    assert G2("H", "O", 0.5, 6).envelope == Cutoff(6.0, "cosine", 0.0)
    assert G3("H", "O", 0.5, Cutoff(5.0, "poly2")).envelope == Cutoff(5.0, "poly2")


def test_constructors_set_what_they_say():
    assert G1("H", "O", 6.0) == Radial("H", "O", CUTOFF)
    assert G2("H", None, 0.5, 6.0, rs=1.0) == Radial("H", None, CUTOFF, eta=0.5, rs=1.0)
    assert G3("H", "O", 2.0, 6.0) == Radial("H", "O", CUTOFF, kappa=2.0)
    angle = Power(zeta=4.0, lam=-1.0)
    narrow = Angular("H", ("H", "O"), CUTOFF, angle, eta=0.1, rs=0.5, narrow=True)
    assert G4("H", ("O", "H"), eta=0.1, zeta=4.0, lam=-1.0, cutoff=6.0, rs=0.5) == narrow
    assert G5("H", ("O", "H"), eta=0.1, zeta=4.0, lam=-1.0, cutoff=6.0, rs=0.5) == replace(narrow, narrow=False)


@pytest.mark.parametrize(
    ("function", "family"),
    [
        (G1("H", "O", 6.0), "G1"),
        (G2("H", "O", 0.5, 6.0), "G2"),
        (G3("H", "O", 0.5, 6.0), "G3"),
        (G4("H", ("O", "O"), 0.5, 1, 1, 6.0), "G4"),
        (G5("H", ("O", "O"), 0.5, 1, 1, 6.0), "G5"),
        (G2("H", None, 0.5, 6.0), "wG2"),
        (G4("H", None, 0.5, 1, 1, 6.0), "wG4"),
        (Radial("H", "O", Compact(1.0, 6.0)), "compact"),
        (Radial("H", None, Compact(1.0, 6.0)), "wcompact"),
        (Angular("H", ("O", "O"), Compact(1.0, 6.0), Window(0, 90)), "compact4"),
        (Angular("H", ("O", "O"), Compact(1.0, 6.0), Window(0, 90), narrow=False), "compact5"),
        (Angular("H", None, CUTOFF, Window(0, 90)), "wcompact4"),
    ],
)
def test_family(function, family):
    assert function.family == family
    assert function.label.startswith(f"{family}(H;")


@pytest.mark.parametrize("name", SETS)
def test_labels_are_unique(name):
    functions = functions_of(name)
    assert len(set(functions)) == len(functions)
    assert len({function.label for function in functions}) == len(functions)


def test_labels_tell_what_matters():
    assert G2("O", "H", 0.5, 6.0, rs=1.25).label == "G2(O;H) eta=0.5 rs=1.25 rc=6 cosine"
    assert G3("O", None, 2.0, Cutoff(5.0, "exp", 0.3)).label == "wG3(O;*) kappa=2 rc=5 exp alpha=0.3"
    assert G5("O", ("O", "H"), 0.02, 4, -1, 6.0).label == "G5(O;H,O) eta=0.02 rs=0 lambda=-1 zeta=4 rc=6 cosine"
    compact = Angular("O", None, Compact(-1.0, 5.0, "poly3", True), Window(20, 90, "exp"))
    assert compact.label == "wcompact4(O;*) 20<theta<90 exp -1<r<5 poly3a"


def test_envelopes_tell_their_range():
    assert (Cutoff(6.0).radius, Cutoff(6.0).range) == (6.0, (-6.0, 6.0))
    assert (Compact(-1.0, 5.0).radius, Compact(-1.0, 5.0).range) == (5.0, (-1.0, 5.0))


@pytest.mark.parametrize("name", SETS)
def test_functions_cannot_be_changed(name):
    function = functions_of(name)[0]
    with pytest.raises(FrozenInstanceError):
        function.eta = 1.0


@pytest.mark.parametrize("name", SETS)
def test_sets_have_every_center(name):
    assert {function.center for function in functions_of(name)} == set(ELEMENTS)

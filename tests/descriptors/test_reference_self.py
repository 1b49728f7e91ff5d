"""The plain reference against numbers worked out by hand, other definitions, differences and n2p2."""

import math
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from reference.acsf import bump, core, cutoff_function, evaluate
from reference.assemble import neighbours
from reference.rounding import rounding_scale
from scipy.special import betainc
from support.battery import ELEMENTS, EVERY_CUTOFF, SETS, SPANS, by_center, expected, functions_of
from support.differences import geometry, is_smooth_around
from support.systems import RADIUS, SAME, SYSTEMS

from fastsf.io.n2p2.functions import read_functions
from fastsf.symmetry.atoms import G1, G2, G3, G4, G5, Angular, Radial
from fastsf.symmetry.factors import BUMPS, CUTOFFS, Compact, Cutoff, Power, Window

RIGHT_ANGLE = np.array([[1.0, 0, 0], [0, 1.0, 0]]), np.array([1, 8])
"""Hydrogen and oxygen at 1 Å from a centre, at 90 degrees."""
OPPOSITE = np.array([[1.5, 0, 0], [-2.0, 0, 0]]), np.array([1, 8])
ALONGSIDE = np.array([[0, 1.5, 0], [0, 3.0, 0]]), np.array([1, 8])


@pytest.mark.parametrize("kind", CUTOFFS)
def test_core_ends(kind):
    (start, almost_end), slope = core(kind, np.array([0.0, 1.0 - 1e-9]))
    first = math.tanh(1.0) ** 3 if kind == "tanh3" else 1.0
    assert start == pytest.approx(first, rel=1e-15)
    if kind != "hard":
        assert 0 <= almost_end < 1e-16
        assert abs(slope[1]) < 1e-7
    if kind in ("cosine", *BUMPS):
        assert slope[0] == 0


@pytest.mark.parametrize("kind", CUTOFFS)
def test_core_slope_by_complex_step(kind):
    x = np.linspace(0.0, 0.99, 100)
    value, slope = core(kind, x)
    along = core(kind, x + 1e-30j)[0]
    np.testing.assert_allclose(along.real, value, rtol=1e-14)
    np.testing.assert_allclose(along.imag / 1e-30, slope, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_polynomials_are_incomplete_beta_functions(order):
    x = np.linspace(0.0, 1.0, 101)
    np.testing.assert_allclose(core(f"poly{order}", x)[0], betainc(order + 1, order + 1, 1 - x), rtol=1e-13)


def test_polynomials_as_expanded_by_n2p2():
    x = np.linspace(0.0, 1.0, 101)
    expanded = {
        "poly1": (2 * x - 3) * x**2 + 1,
        "poly2": ((15 - 6 * x) * x - 10) * x**3 + 1,
        "poly3": (x * (x * (20 * x - 70) + 84) - 35) * x**4 + 1,
        "poly4": (x * (x * ((315 - 70 * x) * x - 540) + 420) - 126) * x**5 + 1,
    }
    for kind, value in expanded.items():
        np.testing.assert_allclose(core(kind, x)[0], value, atol=2e-13)


def test_core_numbers():
    half = {kind: float(core(kind, np.array([0.5]))[0][0]) for kind in CUTOFFS}
    assert half["cosine"] == pytest.approx(0.5, rel=1e-15)
    assert half["tanh3"] == pytest.approx(math.tanh(0.5) ** 3, rel=1e-15)
    assert half["tanh3_normalized"] == pytest.approx((math.tanh(0.5) / math.tanh(1.0)) ** 3, rel=1e-15)
    assert half["exp"] == pytest.approx(math.exp(-1 / 3), rel=1e-15)
    assert [half[kind] for kind in CUTOFFS if kind.startswith("poly")] == [0.5] * 4
    assert core("tanh3", np.zeros(1))[0][0] == pytest.approx(0.4417, abs=1e-4)


@pytest.mark.parametrize("cutoff", EVERY_CUTOFF, ids=lambda cutoff: f"{cutoff.kind}-{cutoff.alpha}")
def test_cutoff_plateau_and_edge(cutoff):
    inner = cutoff.alpha * cutoff.radius
    r = np.array([0.5 * inner, inner, np.nextafter(RADIUS, 0), RADIUS, np.nextafter(RADIUS, 9), 2 * RADIUS])
    value, slope = cutoff_function(cutoff, r)
    if cutoff.alpha:
        assert (value[:2] == 1).all()
        assert (slope[:2] == 0).all()
    assert value[2] == pytest.approx(1.0 if cutoff.kind == "hard" else 0.0, abs=1e-15)
    assert (value[3:] == 0).all()
    assert (slope[3:] == 0).all()


@pytest.mark.parametrize("kind", BUMPS)
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("asymmetric", [False, True])
def test_bump_middle_and_edges(kind, span, asymmetric):
    left, right = span
    middle = 0.5 * (left + right)
    value, slope = bump(kind, left, right, asymmetric, np.array([middle, left, right, right + 0.5, left - 0.5]))
    assert value.tolist() == [1, 0, 0, 0, 0]
    assert not slope.any()
    y = 0.3
    x = middle + y * 0.5 * (right - left)
    expected = core(kind, np.array([(2 - y) * y if asymmetric else y]))[0]
    assert bump(kind, left, right, asymmetric, np.array([x]))[0] == pytest.approx(expected, rel=1e-14)


def test_radial_sums_by_hand():
    fc = 0.5 * (1 + math.cos(math.pi / 4))
    assert evaluate(G1("S", "H", 4.0), *RIGHT_ANGLE).value == pytest.approx(fc)
    assert evaluate(G1("S", None, 4.0), *RIGHT_ANGLE).value == pytest.approx(9 * fc)
    assert evaluate(G1("S", "S", 4.0), *RIGHT_ANGLE).value == 0
    shifted = evaluate(G2("S", "O", 0.7, 4.0, rs=1.5), *RIGHT_ANGLE)
    assert shifted.value == pytest.approx(math.exp(-0.7 * 0.25) * fc)
    assert evaluate(G3("S", "O", 0.7, 4.0), *RIGHT_ANGLE).value == pytest.approx(math.cos(0.7) * fc)


def test_angular_sums_run_over_pairs_once():
    fc, opposite = (0.5 * (1 + math.cos(math.pi * r / 4)) for r in (1.0, math.sqrt(2.0)))
    gauss = math.exp(-0.3)
    pair = ("O", "H")
    wide = evaluate(G5("S", pair, 0.3, 3.0, -1.0, 4.0), *RIGHT_ANGLE).value
    narrow = evaluate(G4("S", pair, 0.3, 3.0, -1.0, 4.0), *RIGHT_ANGLE).value
    assert wide == pytest.approx(0.25 * gauss**2 * fc**2)
    assert narrow == pytest.approx(0.25 * gauss**4 * fc**2 * opposite)
    assert evaluate(G4("S", None, 0.3, 3.0, -1.0, 4.0), *RIGHT_ANGLE).value == pytest.approx(8 * narrow)
    assert evaluate(G4("S", ("H", "H"), 0.3, 3.0, -1.0, 4.0), *RIGHT_ANGLE).value == 0


def test_narrow_needs_the_third_side_inside():
    function = Angular("S", ("H", "O"), Compact(0.0, 1.25), Power(1.0, 0.0))
    assert evaluate(function, *RIGHT_ANGLE).value == 0
    assert evaluate(replace(function, narrow=False), *RIGHT_ANGLE).value > 0
    too_short = replace(function, envelope=Compact(1.5, 3.0))
    far = 2.0 * RIGHT_ANGLE[0] * [[1, 0.9, 1], [1, 0.9, 1]] + [[0, 0.9, 0], [0, 0, 0]]
    assert np.linalg.norm(far[0] - far[1]) > 1.5
    assert evaluate(too_short, far, RIGHT_ANGLE[1]).value > 0
    near = np.array([[2.0, 0.5, 0], [2.0, -0.5, 0]])
    assert evaluate(too_short, near, RIGHT_ANGLE[1]).value == 0


@pytest.mark.parametrize("neighbours_of", [OPPOSITE, ALONGSIDE], ids=["180", "0"])
@pytest.mark.parametrize("window", [(-60, 60), (90, 270), (0, 180), (-180, 180), (0, 360), (20, 170)])
def test_windows_at_collinear_triplets(neighbours_of, window):
    function = Angular("S", ("H", "O"), Cutoff(4.0), Window(*window), narrow=False)
    result = evaluate(function, *neighbours_of)
    without_angle = evaluate(replace(function, angle=Power(1.0, 0.0)), *neighbours_of)
    middle = 0.0 if neighbours_of is ALONGSIDE else 180.0
    inside = sum(window) / 2 == middle
    assert result.value == pytest.approx(without_angle.value if inside else 0.0, rel=1e-15)
    np.testing.assert_allclose(result.gradient, without_angle.gradient if inside else 0.0, rtol=1e-14)


@pytest.mark.parametrize("zeta", [1.0, 1.5, 2.0, 16.0])
@pytest.mark.parametrize(("neighbours_of", "lam"), [(OPPOSITE, 1.0), (ALONGSIDE, -1.0), (OPPOSITE, 2.0)])
def test_powers_vanish_at_collinear_triplets(neighbours_of, lam, zeta):
    result = evaluate(G5("S", ("H", "O"), 0.1, zeta, lam, 4.0), *neighbours_of)
    assert result.value == 0
    assert not result.gradient.any()


@pytest.mark.parametrize("zeta", [0.5, 1.0, 1.5, 3.0])
def test_lambda_zero_leaves_the_distances(zeta):
    result = evaluate(G5("S", ("H", "O"), 0.1, zeta, 0.0, 4.0), *RIGHT_ANGLE)
    plain = evaluate(G5("S", ("H", "O"), 0.1, 1.0, 0.0, 4.0), *RIGHT_ANGLE)
    assert result.value == pytest.approx(2 ** (1 - zeta) * plain.value, rel=1e-15)
    np.testing.assert_allclose(result.gradient, 2 ** (1 - zeta) * plain.gradient, rtol=1e-14)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", ["molecule", "element_absent", "collinear", "coincident_distances"])
def test_gradient_by_differences(system, name):
    atoms = SYSTEMS[system]()
    where = geometry(atoms, RADIUS)
    _, vectors, numbers = neighbours(atoms, RADIUS)[0]
    step = 2.0**-12
    checked = 0
    for function in functions_of(name):
        if function.center != "H" or not is_smooth_around(function, where):
            continue
        gradient = evaluate(function, vectors, numbers).gradient
        direction = np.random.default_rng(checked).choice([-1.0, 1.0], size=vectors.shape) / 4
        values = [evaluate(function, vectors + n * step * direction, numbers).value for n in (-2, -1, 1, 2)]
        difference = np.dot([1, -8, 8, -1], values) / (12 * step)
        allowed = 1e-8 * np.abs(gradient).max() + 1e-11 * rounding_scale(function, vectors, numbers)
        assert abs(difference - np.sum(gradient * direction)) <= allowed, function.label
        checked += 1
    assert checked


@pytest.mark.parametrize(("system", "original"), SAME.items())
@pytest.mark.parametrize("name", SETS)
def test_same_structure_written_differently(system, original, name):
    written, plain = expected(system, name), expected(original, name)
    np.testing.assert_allclose(written.values, plain.values, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(written.derivatives, plain.derivatives, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "case", ["LJ", "custom_alltypes_ct1", "custom_compact", *(f"custom_exp_ct{n}" for n in range(9))]
)
def test_equals_n2p2(shared, case):
    """Every function of one atom of each element, in the first three structures."""
    functions = by_center(read_functions(shared / "reference" / case / "input.nn")[1])
    cutoff = max(function.envelope.radius for columns in functions.values() for function in columns)
    golden = np.load(shared / "reference" / case / "expected.npz")
    for prefix in sorted({name[:5] for name in golden})[:3]:
        lattice = golden.get(prefix + "lattice")
        positions = golden[prefix + "positions_remapped"]
        atoms = Atoms(golden[prefix + "Z"], positions, cell=lattice, pbc=lattice is not None)
        around = neighbours(atoms, cutoff)
        for element, columns in functions.items():
            _, vectors, numbers = around[golden[f"{prefix}atoms_{element}"][-1]]
            for function, value in zip(columns, golden[f"{prefix}G_raw_{element}"][-1], strict=True):
                allowed = 1e-11 * abs(value) + 1e-13 * rounding_scale(function, vectors, numbers)
                assert abs(evaluate(function, vectors, numbers).value - value) <= allowed, function.label


def test_unknown_members_fail():
    with pytest.raises(NotImplementedError, match="no reference"):
        core("poly9", np.zeros(1))
    with pytest.raises(NotImplementedError, match="no reference"):
        evaluate(replace(G1("H", "O", 4.0), envelope=None), *RIGHT_ANGLE)
    with pytest.raises(NotImplementedError, match="no reference"):
        evaluate("G1", *RIGHT_ANGLE)


def test_elements_of_the_battery_match_the_systems():
    assert {atom.symbol for factory in SYSTEMS.values() for atom in factory()} == set(ELEMENTS)
    assert isinstance(functions_of("elements")[0], Radial)

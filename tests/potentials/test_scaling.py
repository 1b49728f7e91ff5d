"""Scaling of symmetry functions: all modes, columns without range, statistics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import REPEATABLE, number

from fastsf.errors import InputError
from fastsf.potentials.scaling import RANGE_SLACK, Scaling

MODES = ("none", "scale", "center", "scale_center", "scale_sigma")


def table(seed: int = 0, shape: tuple[int, int] = (50, 4)) -> np.ndarray:
    return np.random.default_rng(seed).normal(3.0, 2.0, shape)


def expected(g: np.ndarray, training: np.ndarray, mode: str, lowest: float, highest: float) -> np.ndarray:
    """Return the result of the formula of a mode."""
    low, high, mean, sigma = training.min(0), training.max(0), training.mean(0), training.std(0, ddof=1)
    width = highest - lowest
    return {
        "none": g,
        "scale": lowest + width * (g - low) / (high - low),
        "center": g - mean,
        "scale_center": lowest + width * (g - mean) / (high - low),
        "scale_sigma": lowest + width * (g - mean) / sigma,
    }[mode]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 2.0)])
def test_formulas(mode: str, bounds: tuple[float, float]) -> None:
    training, g = table(0), table(1)
    scaling = Scaling.from_values(training, mode, *bounds)
    np.testing.assert_allclose(scaling.apply(g), expected(g, training, mode, *bounds), rtol=1e-13, atol=1e-14)
    center, factor, lowest = scaling.affine()
    np.testing.assert_array_equal(scaling.apply(g), lowest + (g - center) * factor)
    assert not scaling.zero_range.any()


def test_training_set_is_mapped_to_the_range() -> None:
    training = table(2)
    x = Scaling.from_values(training, "scale", -2.0, 5.0).apply(training)
    np.testing.assert_allclose([x.min(axis=0), x.max(axis=0)], [[-2.0] * 4, [5.0] * 4], rtol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_columns_without_range_are_constant_and_flagged(mode: str) -> None:
    training = table(3)
    training[:, 1] = 0.7
    training[:, 2] = 0.0
    scaling = Scaling.from_values(training, mode, -1.0, 1.0)
    divides = mode.startswith("scale")
    np.testing.assert_array_equal(scaling.zero_range, [False, divides, divides, False])
    x = scaling.apply(table(4))
    assert np.isfinite(x).all()
    if divides:
        assert (x[:, 1:3] == -1.0).all() and (scaling.affine()[1][1:3] == 0.0).all()


def test_one_atom_has_no_range() -> None:
    scaling = Scaling.from_values(table(5, (1, 3)), "scale_sigma")
    assert scaling.zero_range.all() and (scaling.apply(table(6, (2, 3))) == 0.0).all()


def test_width_too_small_to_divide_by_counts_as_none() -> None:
    training = np.array([[0.0], [5e-324]])
    scaling = Scaling.from_values(training, "scale")
    assert scaling.zero_range.all() and (scaling.apply([[1.0]]) == 0.0).all()


@REPEATABLE
@given(st.lists(number(-1e3, 1e3), min_size=3, max_size=40), number(-1e8, 1e8))
def test_sigma_does_not_cancel(values: list[float], shift: float) -> None:
    column = np.array(values)[:, None] + shift
    exact = np.std(column - column.min(), ddof=1)
    scaling = Scaling.from_values(column, "scale_sigma")
    np.testing.assert_allclose(scaling.sigma, exact, rtol=1e-9, atol=1e-15)


def test_bounds_have_n2p2s_slack() -> None:
    scaling = Scaling.from_values(table(7), "center")
    low, high = scaling.bounds()
    np.testing.assert_array_equal(low, scaling.minimum - RANGE_SLACK)
    np.testing.assert_array_equal(high, scaling.maximum + RANGE_SLACK)
    assert pytest.approx(2.220446049250313e-13, rel=1e-15) == RANGE_SLACK


def test_numbers_cannot_be_changed() -> None:
    training = table(8)
    scaling = Scaling.from_values(training, "scale")
    with pytest.raises(ValueError, match="read-only"):
        scaling.minimum[0] = 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "sigmoid"}, "scaling: expected one of none, scale, .*, found 'sigmoid'"),
        ({"highest": np.inf}, "expected finite numbers, found 0.0 to inf"),
        ({"mean": np.zeros(3)}, r"mean: expected 2 numbers, found an array of \(3,\)"),
        ({"maximum": np.array([1.0, np.nan])}, "maximum of column 2: expected a finite number, found nan"),
        ({"sigma": np.array([np.nan, 1.0])}, "sigma of column 1: expected a finite number, found nan"),
        ({"minimum": np.array([0.0, 2.0])}, "column 2: the minimum 2.0 is above the maximum 1.0"),
    ],
)
def test_errors_name_what_is_wrong(changes: dict, message: str) -> None:
    arguments = {"mode": "scale_sigma", "lowest": 0.0, "highest": 1.0}
    arguments |= {"minimum": np.zeros(2), "maximum": np.ones(2), "mean": np.full(2, 0.5), "sigma": np.ones(2)}
    with pytest.raises(InputError, match=message):
        Scaling(**(arguments | changes))


def test_missing_sigma_is_no_error_where_it_is_not_needed() -> None:
    one = np.ones(2)
    assert len(Scaling("scale", 0.0, 1.0, 0 * one, one, one, one * np.nan)) == 2


def test_errors_of_use() -> None:
    scaling = Scaling.from_values(table(9), "scale")
    with pytest.raises(InputError, match=r"expected an array of shape \(n, 4\), found \(2, 3\)"):
        scaling.apply(np.zeros((2, 3)))
    with pytest.raises(InputError, match="at least one atom"):
        Scaling.from_values(np.zeros((0, 3)), "scale")

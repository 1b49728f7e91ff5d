"""Column statistics in pieces equal those of the whole, also where sums of squares would cancel."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsf.descriptors.statistics import ColumnStatistics, by_group


def merged(table, sizes):
    total = ColumnStatistics.empty(table.shape[1])
    for piece in np.split(table, np.cumsum(sizes)[:-1]):
        total = total.merge(ColumnStatistics.of(piece))
    return total


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    offset=st.sampled_from([0.0, 1.0, -1e6, 1e9]),
    scale=st.sampled_from([1e-8, 1.0, 1e5]),
)
@settings(max_examples=200, deadline=None)
def test_pieces_give_the_statistics_of_the_whole(seed, sizes, offset, scale):
    table = offset + scale * np.random.default_rng(seed).normal(size=(sum(sizes), 3))
    found = merged(table, sizes)
    assert found.count == len(table)
    if len(table) == 0:
        return
    np.testing.assert_array_equal(found.minimum, table.min(axis=0))
    np.testing.assert_array_equal(found.maximum, table.max(axis=0))
    exact = table.astype(np.longdouble)
    np.testing.assert_allclose(found.mean, exact.mean(axis=0).astype(float), rtol=1e-14, atol=1e-14 * scale)
    if len(table) > 1:
        sigma = exact.std(axis=0, ddof=1).astype(float)
        np.testing.assert_allclose(found.sigma, sigma, rtol=1e-9, atol=4e-16 * abs(offset))


def test_large_mean_with_small_spread_does_not_cancel():
    rng = np.random.default_rng(7)
    spread = rng.normal(size=(100_000, 1))
    table = 1e8 + spread
    found = merged(table, [1000] * 100)
    assert found.sigma[0] == pytest.approx(np.std(table - 1e8, ddof=1), rel=1e-9)
    naive = (np.sum(table**2) - np.sum(table) ** 2 / len(table)) / (len(table) - 1)
    assert abs(math.sqrt(abs(naive)) - 1) > 0.1  # the formula that cancels does fail on these data


def test_columns_that_never_change_have_zero_sigma_and_their_own_mean():
    table = np.full((999, 2), 0.1)
    found = merged(table, [333, 333, 333])
    np.testing.assert_array_equal(found.mean, [0.1, 0.1])
    np.testing.assert_array_equal(found.sigma, [0.0, 0.0])


def test_no_rows_and_one_row_have_no_sigma():
    nothing = ColumnStatistics.of(np.empty((0, 2)))
    assert nothing.count == 0
    assert np.isnan([nothing.minimum, nothing.maximum, nothing.mean, nothing.sigma]).all()
    one = ColumnStatistics.of([[1.0, -2.0]])
    np.testing.assert_array_equal(one.mean, [1.0, -2.0])
    assert np.isnan(one.sigma).all()
    assert nothing.merge(one) is one
    assert one.merge(nothing) is one


def test_rows_are_sorted_by_element_and_padding_is_left_out():
    features = np.array([[1.0, 2.0, 3.0], [10.0, 0.0, 0.0], [3.0, 4.0, 5.0], [30.0, 0.0, 0.0]])
    found = by_group(features, np.array([8, 1, 8, 1], dtype=np.uint8), {1: 1, 6: 2, 8: 3})
    np.testing.assert_array_equal(found[8].mean, [2.0, 3.0, 4.0])
    np.testing.assert_array_equal(found[1].mean, [20.0])
    np.testing.assert_array_equal(found[1].sigma, [np.sqrt(200.0)])
    assert found[6].count == 0
    assert found[6].mean.shape == (2,)

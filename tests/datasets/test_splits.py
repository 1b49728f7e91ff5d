"""Splits: shares of groups, names, marks, seeds, and errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.labelled_sets import labelled_set, water
from support.strategies import REPEATABLE

from fastsf.datasets.splits import Named, Split, split, with_sets
from fastsf.errors import InputError


def numbered(groups, **others):
    return labelled_set([water(0)] * len(groups), groups=list(groups), **others)


def all_of(found: Split):
    return np.sort(np.concatenate([found.train, found.validation, found.test]))


@REPEATABLE
@given(
    st.lists(st.sampled_from(["a", "b", ""]), min_size=5, max_size=60),
    st.floats(0.0, 0.5),
    st.floats(0.0, 0.3),
    st.integers(0, 2**32),
)
def test_fractions(groups, validation, test, seed):
    labelled = numbered(groups)
    found = split(labelled, validation, test, seed=seed)
    m = len(groups)
    np.testing.assert_array_equal(all_of(found), np.arange(m))
    for part, fraction in ((found.validation, validation), (found.test, test)):
        assert len(part) == (max(round(fraction * m), 1) if fraction else 0)
        for group in set(groups):
            share = len(part) * groups.count(group) / m
            assert abs(sum(groups[k] == group for k in part) - share) < 2 + 1e-9
    again = split(labelled, validation, test, seed=seed)
    np.testing.assert_array_equal(found.validation, again.validation)
    np.testing.assert_array_equal(found.test, again.test)


def test_seeds_differ():
    labelled = numbered("a" * 100)
    assert split(labelled, 0.2, seed=1).validation.tolist() != split(labelled, 0.2, seed=2).validation.tolist()


def test_empty_validation_is_told():
    found = split(numbered("aaaa"), 0.0)
    assert len(found.validation) == 0
    assert found.train.tolist() == [0, 1, 2, 3]
    assert "cannot stop early" in found.warnings[0]
    assert split(numbered("aaaa"), 0.01).warnings == (), "one structure at least"


def test_groups_and_files():
    files = ["one/x.xyz", "two/x.xyz", "two/x.xyz", "y.xyz", "y.xyz"]
    labelled = numbered("abcab", files=files)
    found = split(labelled, Named("group", ("a",)), Named("group", ("c",)))
    assert (found.train.tolist(), found.validation.tolist(), found.test.tolist()) == ([1, 4], [0, 3], [2])
    found = split(labelled, Named("file", ("two/x.xyz",)), 0.3)
    assert found.validation.tolist() == [1, 2]
    assert len(found.test) == 1
    assert split(labelled, Named("file", ("x.xyz",))).validation.tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="no structure has the group 'd'; there are a, b, c"):
        split(labelled, Named("group", ("d",)))
    with pytest.raises(InputError, match=r"no structure has the file 'z.xyz'; there are one/x.xyz, two/x.xyz, y.xyz"):
        split(labelled, Named("file", ("z.xyz",)))
    with pytest.raises(InputError, match=r"frame 0: expected one part, found 'validation', and 'test' by its group"):
        split(labelled, Named("group", ("a",)), Named("group", ("a", "b")))


def test_marks_win_unless_told_otherwise():
    subsets = ["test", "train", "", "", "validation", "train", "", ""]
    labelled = numbered("abababab", subsets=subsets)
    found = split(labelled, 0.5, 0.5 - 1e-9)
    assert (found.validation.tolist(), found.test.tolist()) == ([4], [0]), "no fraction beside marks"
    subsets[4] = ""
    labelled = numbered("abababab", subsets=subsets)
    found = split(labelled, 0.4)
    assert found.test.tolist() == [0]
    assert len(found.validation) == 2
    assert {1, 5} <= set(found.train.tolist())
    assert len(split(labelled, 0.5, use_marks=False).validation) == 4
    with pytest.raises(InputError, match=r"frame 0: expected one part, found 'test', and .* by its group"):
        split(labelled, Named("group", ("a",)))


@pytest.mark.parametrize(
    ("validation", "test", "reason"),
    [
        (1.0, 0.0, "validation: expected a fraction from 0 to less than 1, found 1.0"),
        (-0.1, 0.0, "validation: expected a fraction"),
        (0.1, float("nan"), "test: expected a fraction"),
        (0.6, 0.5, "expected a sum below 1"),
        (
            Named("group", ("a",)),
            0.0,
            r"no structures .* found 2 for validation and 0 for the test of 2 str.*--set data.validation=0",
        ),
        (0.1, 0.1, "no structures are left .* found 1 for validation and 1 for the test of 2 structures"),
    ],
)
def test_what_cannot_be_divided(validation, test, reason):
    with pytest.raises(InputError, match=reason):
        split(numbered("aa"), validation, test)


def test_sets_that_were_given_apart():
    train, test = numbered("aa"), numbered("bbb")
    found = with_sets(split(train, 0.0), 2, {"test": test})
    assert (found.train.tolist(), found.validation.tolist(), found.test.tolist()) == ([0, 1], [], [2, 3, 4])
    assert len(found.warnings) == 1
    found = with_sets(split(train, 0.5), 2, {"validation": test})
    assert len(found.train) == 1
    assert found.validation.tolist()[-3:] == [2, 3, 4]
    assert found.warnings == ()


def test_one_structure_is_not_enough_for_two_parts():
    with pytest.raises(InputError, match=r"found 1 for validation .* of 1 structure; give more .* validation = 0"):
        split(numbered("a"))
    assert split(numbered("a"), 0.0).train.tolist() == [0]

"""Classes of a choropleth part the values as their names say, and natural breaks are the best there are."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorecard.classing import METHODS, breaks, class_of

VALUES = [1.0, 2.0, 2.0, 3.0, 10.0, 11.0, 12.0, 50.0, 52.0, 100.0]


def test_equal_steps():
    assert breaks(VALUES, "equal", 3) == [1.0, 34.0, 67.0]


def test_equal_numbers_of_areas():
    assert breaks(VALUES, "quantile", 5) == [1.0, 2.0, 10.0, 12.0, 52.0]


def test_natural_breaks():
    assert breaks(VALUES, "natural", 4) == [1.0, 10.0, 50.0, 100.0]


def within(values, least):
    """The sum of squares about the means of the classes."""
    classes = [class_of(value, least) for value in values]
    return sum(
        ((part - part.mean()) ** 2).sum()
        for k in set(classes)
        for part in [np.array([v for v, c in zip(values, classes, strict=True) if c == k])]
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=11), st.integers(2, 4))
def test_no_other_breaks_are_closer_than_natural_ones(values, classes):
    values = [float(value) for value in values]
    distinct = sorted(set(values))
    ours = within(values, breaks(values, "natural", classes))
    every = [[distinct[0], *rest] for k in range(classes) for rest in combinations(distinct[1:], k)]
    assert ours <= min(within(values, least) for least in every) + 1e-6


@pytest.mark.parametrize("method", METHODS)
@given(values=st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")) | st.none(), max_size=40))
@settings(max_examples=40, deadline=None)
def test_every_value_has_a_class_and_what_is_missing_has_none(method, values):
    least = breaks(values, method)
    assert least == sorted(set(least))
    assert len(least) <= 5
    for value in values:
        is_known = value is not None and not np.isnan(value)
        assert (class_of(value, least) > 0) == is_known


def test_many_values_are_classed_at_once():
    values = np.random.default_rng(1).lognormal(size=20_000)
    assert len(breaks(values, "natural")) == 5


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="one of equal"):
        breaks(range(9), "jenkins")

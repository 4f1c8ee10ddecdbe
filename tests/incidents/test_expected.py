"""The usual range of a count is that within which chance alone keeps it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from incidents.expected import usual_range


@pytest.mark.parametrize(
    ("mean", "low", "high"), [(0, 0, 0), (-1, 0, 0), (0.01, 0, 0), (1, 0, 3), (6.2, 2, 11), (100, 81, 120)]
)
def test_known_ranges(mean, low, high):
    assert usual_range(mean) == (low, high)


@given(st.floats(0.001, 500))
def test_the_range_is_that_of_scipys_poisson(mean):
    assert usual_range(mean) == tuple(poisson.ppf([0.025, 0.975], mean).astype(int))


@given(st.floats(500.001, 1e6))
def test_of_large_means_the_range_is_within_two_events(mean):
    low, high = poisson.ppf([0.025, 0.975], mean)
    assert usual_range(mean) == (pytest.approx(low, abs=2), pytest.approx(high, abs=2))

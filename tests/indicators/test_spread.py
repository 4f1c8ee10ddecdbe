"""A year's target comes to its months without losing or inventing anything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.spread import (
    Accumulation,
    Spread,
    largest_remainder,
    plan_target_problem,
    spread_target,
    spread_targets,
)

PROFILE = [5, 5, 10, 10, 10, 10, 10, 10, 10, 10, 5, 5]


def test_equal_spread_adds_up_and_a_rate_stands_in_every_month():
    np.testing.assert_allclose(spread_target(120.0), np.full(12, 10.0))
    np.testing.assert_allclose(spread_target(17.6, adds_up=False), np.full(12, 17.6))


def test_only_measurement_months_carry_a_target():
    np.testing.assert_array_equal(spread_target(8.0, frequency=4), [np.nan, np.nan, 2.0] * 4)
    np.testing.assert_array_equal(spread_target(8.0, frequency=1), [np.nan] * 11 + [8.0])
    np.testing.assert_array_equal(spread_target(8.0, frequency=2, adds_up=False)[[5, 11]], [8.0, 8.0])


def test_seasonal_spread_follows_last_years_profile():
    np.testing.assert_allclose(spread_target(50.0, Spread.SEASONAL, last_year=PROFILE), np.array(PROFILE) / 2)
    quarters = spread_target(50.0, "seasonal", last_year=PROFILE, frequency=4)[2::3]
    np.testing.assert_allclose(quarters, [10, 15, 15, 10])
    rate = spread_target(6.0, "seasonal", last_year=PROFILE, adds_up=False)
    assert rate.mean() == pytest.approx(6.0)
    assert rate[2] == pytest.approx(2 * rate[0])


def test_profile_that_says_nothing_is_refused():
    with pytest.raises(ValueError, match="twelve months"):
        spread_target(5.0, "seasonal")
    with pytest.raises(ValueError, match="no figure above zero"):
        spread_target(5.0, "seasonal", last_year=[0] * 11 + [np.nan])
    with pytest.raises(ValueError, match="negative"):
        spread_target(5.0, "seasonal", last_year=[-1] + [3] * 11)
    with pytest.raises(ValueError, match="not a number"):
        spread_target(float("nan"))


def test_cumulative_spread_goes_from_the_start_to_the_years_target():
    np.testing.assert_allclose(spread_target(24.0, "cumulative"), np.arange(2, 26, 2))
    np.testing.assert_allclose(spread_target(40.0, "cumulative", start=100.0)[[0, 5, 11]], [95, 70, 40])
    np.testing.assert_allclose(spread_target(10.0, "cumulative", frequency=4, whole=True)[2::3], [3, 5, 8, 10])


def test_whole_numbers_by_largest_remainder_ties_to_the_earlier():
    np.testing.assert_array_equal(largest_remainder([1.4, 1.4, 1.2]), [2, 1, 1])
    np.testing.assert_array_equal(spread_target(14.0, whole=True), [2, 2] + [1] * 10)


@given(
    target=st.integers(0, 100_000),
    profile=st.lists(st.integers(0, 500), min_size=12, max_size=12).filter(any),
    frequency=st.sampled_from([1, 2, 4, 12]),
)
def test_whole_months_add_up_to_the_year_and_stay_within_one(target, profile, frequency):
    options = {"last_year": profile, "frequency": frequency}
    whole = spread_target(float(target), "seasonal", whole=True, **options)
    exact = spread_target(float(target), "seasonal", **options)
    assert np.nansum(whole) == target
    measured = whole[~np.isnan(whole)]
    assert len(measured) == frequency
    assert np.all(measured == np.floor(measured))
    assert np.nanmax(np.abs(whole - exact)) < 1.0 + 1e-6


def test_many_units_are_spread_each_by_its_own_profile():
    spread = spread_targets(np.array([12.0, np.nan, 24.0]))
    np.testing.assert_allclose(spread[0], [1.0, np.nan, 2.0])
    last_year = np.stack([PROFILE, PROFILE[::-1]], axis=1)
    np.testing.assert_allclose(spread_targets(np.array([50.0, 100.0]), "seasonal", last_year=last_year)[0], [2.5, 5.0])


@pytest.mark.parametrize(
    ("kind", "years", "plan", "baseline", "says"),
    [
        ("accumulated", [10, 20, 30], 60, None, None),
        ("accumulated", [10, 20, 30], 30, None, "sum of its years, 60"),
        ("capacity", [10, 20, 30], 30, None, None),
        ("flow", [10, 20, 30], 60, None, "last year, 30"),
        ("stock", [95, 95, 95], 95, None, None),
        ("stock", [90, 95, 95], 95, None, "every year"),
        ("reduction", [18, 15, 12], 12, 20, None),
        ("reduction", [18, 19, 12], 12, 20, "never rises"),
        ("reduction", [21, 19, 12], 12, 20, "never rises"),
        ("reduction", [18, 15, 12], 11, 20, "last year's target, 12"),
        ("reduction", [20, 20], 20, 20, "below its baseline"),
        ("stock", [], 95, None, "needs a target"),
        ("accumulated", [1, float("nan")], 1, None, "needs a target"),
    ],
)
def test_plan_target_follows_from_its_years_by_its_type(kind, years, plan, baseline, says):
    problem = plan_target_problem(Accumulation(kind), years, plan, baseline)
    assert problem is None if says is None else says in problem

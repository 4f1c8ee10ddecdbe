"""The year's total: worked cases, missing months, units opened in mid-year, and nothing read of after the origin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks import forecast as back
from indicators.forecast import negative_binomial as nb
from indicators.forecast.level import level
from indicators.forecast.year import calibrate, earlier, forecast, held


def steady(units=20, months=57, mean=6.0, seed=1):
    return np.random.default_rng(seed).poisson(mean, (units, months)).astype(float)


@given(st.integers(0, 300), st.floats(0.1, 200), st.floats(0.005, 3))
def test_chances_are_the_negative_binomials(count, mean, spread):
    law = stats.nbinom(1 / spread, 1 / (1 + spread * mean))
    assert nb.log_chance(count, mean, spread) == pytest.approx(law.logpmf(count), rel=1e-6, abs=1e-6)
    assert nb.at_most(count, mean, spread) == pytest.approx(law.cdf(count), abs=1e-9)


@given(st.floats(0.01, 0.99), st.floats(0.1, 500), st.floats(0.005, 3))
def test_a_quantile_is_the_least_count_that_reaches_its_chance(chance, mean, spread):
    at = nb.quantile(chance, mean, spread)
    assert nb.at_most(at, mean, spread) >= chance
    assert nb.at_most(at - 1, mean, spread) < chance


def test_a_steady_past_goes_on():
    found = forecast(steady(), 9)
    assert found.months.tolist() == [3] * 20
    assert found.mean.mean() == pytest.approx(18, rel=0.1)
    assert found.calibration.years == 3
    assert found.calibration.cells == 60
    assert found.calibration.factor == pytest.approx(1, abs=0.1)


def test_the_interval_holds_what_has_happened_and_widens_with_its_chance():
    found = forecast(steady(), 9)
    low, middle, high = found.quantile(np.array([[0.1], [0.5], [0.9]]))
    assert (found.so_far <= low).all()
    assert (low <= middle).all()
    assert (middle <= high).all()
    assert found.at_most(high) == pytest.approx(np.full(20, 0.93), abs=0.05)
    assert (np.diff([found.at_most(total) for total in (40, 60, 80, 100)], axis=0) >= 0).all()


def test_after_december_the_year_is_what_it_was():
    found = forecast(steady(months=60), 12)
    assert (found.quantile(0.1) == found.so_far).all()
    assert found.at_most(found.so_far).tolist() == [1] * 20
    assert found.at_most(found.so_far - 1).tolist() == [0] * 20


def test_the_level_of_the_few_is_held_by_their_past_and_that_of_the_many_follows_their_months():
    counts = np.vstack((steady(8, 48, 4.0), steady(1, 48, 400.0, 2)))
    counts[0, -2:] = 0
    counts[8, -3:] = 800
    found = level(counts, 1.5)
    assert found[0] > 1
    assert found[8] > 600


def test_a_parents_rise_lifts_a_unit_whose_own_months_say_little():
    counts = steady(30, 48, 3.0)
    counts[:, -4:] *= 2
    counts[0] = 0.0
    counts[0, 10] = counts[0, 20] = 1.0
    risen = level(counts, 1.5)[0]
    counts[1:, -4:] /= 2
    assert risen > level(counts, 1.5)[0]


def test_a_missing_month_is_unknown_and_not_zero():
    counts = steady()
    gap = counts.copy()
    gap[3, -1] = np.nan
    found, whole = forecast(gap, 9), forecast(counts, 9)
    assert found.months[3] == 4
    assert found.so_far[3] == whole.so_far[3] - counts[3, -1]
    assert level(gap, 12.0)[3] == pytest.approx(level(counts, 12.0)[3], rel=0.15)


def test_a_unit_opened_in_mid_year_is_forecast_from_what_is_known_of_it():
    counts = steady()
    counts[5, :-3] = np.nan
    found = forecast(counts, 9)
    assert found.months[5] == 9
    assert found.mean[5] == pytest.approx(54, rel=0.35)
    assert found.calibration.cells == 57


def test_a_unit_of_which_nothing_is_known_has_no_forecast():
    counts = steady()
    counts[5] = np.nan
    found = forecast(counts, 9)
    assert np.isnan(found.quantile(0.5)[5])
    assert np.isnan(found.at_most(10)[5])


def test_zeros_everywhere_still_leave_room():
    found = forecast(np.zeros((5, 45)), 9)
    assert (found.mean > 0).all()
    assert (found.quantile(0.9) == 0).all()


def test_without_earlier_years_the_usual_width_stands_and_says_so():
    found = calibrate(steady(months=14), 10, {3.0: lambda counts, month: level(counts, 3.0)})
    assert (found.years, found.cells) == (0, 0)
    assert found.spread > 0.1


def test_a_year_is_held_against_the_other_years_alone():
    counts = steady(40, 57)
    inside = held(counts, 9)
    assert inside.shape == (120,)
    assert inside.mean() == pytest.approx(0.85, abs=0.08)
    broken = counts.copy()
    broken[:, -12:-9] *= 4  # the rest of last year alone
    assert held(broken, 9)[:40].mean() < 0.2
    assert len(held(counts[:, -30:], 9)) == 0  # one year has no other


def test_months_further_back_than_are_kept_change_nothing():
    counts = steady(10, 72)
    older = np.hstack((steady(10, 24, 90.0), counts))
    assert (forecast(older, 12).mean == forecast(counts, 12).mean).all()
    assert forecast(older, 6).calibration == forecast(counts, 6).calibration


def test_a_calibration_that_is_known_is_not_made_again():
    counts = steady()
    known = calibrate(counts, 9)
    assert (forecast(counts, 9, calibration=known).mean == forecast(counts, 9).mean).all()
    assert [row[0] for row in earlier(counts, 9, {3.0: lambda c, m: level(c, 3.0)})[3.0]] == [0, 1, 2]


@given(st.integers(0, 1000))
def test_nothing_is_read_of_after_the_origin(seed):
    counts = steady(4, 60)
    other = counts.copy()
    other[:, 54:] = np.random.default_rng(seed).poisson(30, (4, 6))
    one, two = (forecast(c[:, :54], 6) for c in (counts, other))
    assert (one.mean == two.mean).all()


@pytest.mark.skipif(not back.FILE.exists(), reason="the Ministry's file is not there")
def test_the_back_test_on_the_districts_beats_the_run_rate():
    counts = back.read_counts()
    assert counts.shape == (140, 120)
    ours, rate = back.back_test(counts, 6), back.back_test(counts, 6, {"run rate": back.run_rate})
    for years in back.SPANS.values():
        assert back._mean(ours, years, 0) < back._mean(rate, years, 0)
    assert 0.75 <= back._mean(ours, back.YEARS, 1) <= 0.85

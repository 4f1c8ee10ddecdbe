"""The year's figure of shares, means, amounts and stocks: worked cases, widths, nothing read of after the origin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.forecast import measure as m


def year_of(values, kind=m.MEAN, period=9, periods=12):
    """Months up to one of a year; its figure is the mean, the sum or the last of them."""
    combine = {m.MEAN: np.nanmean, m.SUM: np.nansum, m.LAST: lambda part: part[~np.isnan(part)][-1]}[kind]
    to_date = [[combine(v[at - at % periods : at + 1]) for at in range(len(v))] for v in values]
    return m.Year(values, np.array(to_date), period, periods, kind)


def steady(units=9, months=57, seed=1):
    return np.random.default_rng(seed).normal(50, 4, (units, months))


@pytest.mark.parametrize(("kind", "middle"), [(m.MEAN, 50), (m.SUM, 600), (m.LAST, 50)])
def test_a_steady_past_goes_on(kind, middle):
    found = m.forecast(year_of(steady(), kind))
    assert found.middle.mean() == pytest.approx(middle, rel=0.03)
    assert found.at_most(found.middle) == pytest.approx(np.full(9, 0.5))
    assert found.at_most(found.quantile(0.9)) == pytest.approx(np.full(9, 0.9))


@pytest.mark.parametrize("kind", [m.MEAN, m.SUM, m.LAST])
@pytest.mark.parametrize("period", [3, 6, 9])
def test_intervals_hold_what_they_say_of_figures_that_vary_about_a_level(kind, period):
    inside = []
    for seed in range(40):
        values = steady(9, 72, seed)
        whole = year_of(values, kind).to_date[:, -1]
        found = m.forecast(year_of(values[:, : 60 + period], kind, period))
        inside.append((found.quantile(0.1) <= whole) & (whole <= found.quantile(0.9)))
    assert 0.75 <= np.mean(inside) <= 0.92


def test_the_rule_that_served_is_kept():
    season = 10 * np.sin(np.arange(57) / 12 * 2 * np.pi)
    assert m.forecast(year_of(steady() / 10 + season)).way.name == "season"
    walk = np.cumsum(np.random.default_rng(1).normal(0, 5, (20, 57)), axis=1)
    assert m.forecast(year_of(walk)).way.name == "three"


def test_a_sum_forecasts_its_missing_months_too_and_a_mean_does_not():
    values = np.full((9, 57), 50.0) + steady() / 100
    values[0, -2] = np.nan
    assert m.after(year_of(values, m.SUM), "year", 3)[0] == pytest.approx(606, rel=0.01)
    assert m.after(year_of(values, m.MEAN), "year", 3)[0] == pytest.approx(50, rel=0.02)


def test_with_too_few_earlier_years_nothing_is_said():
    assert m.forecast(year_of(steady(9, 33))) is None
    assert m.forecast(year_of(steady(1, 45))) is None
    assert len(m.held(year_of(steady(9, 33)))) == 0


def test_a_year_is_held_against_the_other_years_alone():
    values = steady(20, 57)
    assert m.held(year_of(values)).mean() == pytest.approx(0.82, abs=0.12)
    values[:, -12:-9] += 60  # the rest of last year alone
    assert m.held(year_of(values))[:20].mean() == 0


def test_the_interval_opens_from_nothing_to_its_whole_width():
    for kind in (m.MEAN, m.SUM, m.LAST):
        year = year_of(steady(), kind)
        wide = [m.narrower(year, ahead) for ahead in range(4)]
        assert wide == sorted(wide)
        assert (wide[0], wide[-1]) == (0, pytest.approx(1))


@given(st.integers(0, 1000))
def test_nothing_is_read_of_after_the_origin(seed):
    values = steady(4, 60)
    other = values.copy()
    other[:, 54:] = np.random.default_rng(seed).normal(0, 99, (4, 6))
    one, two = (m.forecast(year_of(v[:, :54], period=6)) for v in (values, other))
    assert (one.middle == two.middle).all()

"""Shares compared exactly: worked by hand and against scipy; small cells are left out; chance is not called a find."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from incidents import profile
from incidents.profile import compare, false_discoveries, mid_p, odds_ratio, rising_together, risk_ratio

TABLES = st.tuples(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40)).map(
    lambda t: (min(t[0], t[1]), t[1], min(t[2], t[3]), t[3])
)


@settings(deadline=None)
@given(TABLES)
def test_the_mid_p_lies_half_a_table_below_fishers_exact_p(table):
    n, stated, n0, stated0 = table
    fisher = stats.fisher_exact([[n, stated - n], [n0, stated0 - n0]]).pvalue
    own = stats.hypergeom.pmf(n, stated + stated0, n + n0, stated)
    ways = stats.hypergeom.pmf(np.arange(stated + 1), stated + stated0, n + n0, stated)
    alike = ways[np.isclose(ways, own, rtol=1e-7, atol=0)].sum()
    assert mid_p(*table) == pytest.approx(fisher - alike / 2, abs=1e-9)


def test_the_tea_of_the_lady_worked_by_hand():
    """Eight cups, four of each, three named rightly: tables 1, 16, 36, 16, 1 of 70; mid-p = (2 + 16) / 70."""
    assert mid_p(3, 4, 1, 4) == pytest.approx(18 / 70)


def test_a_large_table_takes_the_normal_form_of_the_same_test():
    table = (30_500, 60_000, 29_500, 60_000)
    exact = stats.norm.sf(abs(30_500 - 29_500) / 60_000 / math.sqrt(0.5 * 0.5 * 2 / 60_000)) * 2
    assert mid_p(*table) == pytest.approx(exact, rel=1e-6)


def test_ratios_are_those_of_scipy():
    found = stats.contingency.relative_risk(30, 100, 20, 200)
    low, high = found.confidence_interval(0.95)
    assert risk_ratio(30, 100, 20, 200) == pytest.approx((3.0, low, high))
    theirs = stats.contingency.odds_ratio([[30, 70], [20, 180]], kind="sample")
    low, high = theirs.confidence_interval(0.95)
    assert odds_ratio(30, 100, 20, 200) == pytest.approx((theirs.statistic, low, high))


@settings(deadline=None)
@given(TABLES)
def test_an_interval_holds_its_ratio_also_where_a_side_has_none(table):
    ratio, low, high = risk_ratio(*table)
    assert 0 < low <= high < math.inf
    if table[0] and table[2]:
        assert low <= ratio <= high
    ratio, low, high = odds_ratio(*table)
    assert 0 < low <= ratio <= high < math.inf


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_false_discoveries_are_those_of_scipy(p):
    assert false_discoveries(p) == pytest.approx(stats.false_discovery_control(p))


def test_nothing_compared_has_no_discoveries():
    assert compare({}, {}) == []


def test_what_differs_most_comes_first_by_the_nearer_end_of_its_interval():
    here = {"weapon": {"gun": 300, "knife": 100}, "sex": {"man": 205, "woman": 195}}
    there = {"weapon": {"gun": 200, "knife": 200}, "sex": {"man": 200, "woman": 200}}
    found = compare(here, there)
    assert (found[0].field, found[0].value, found[0].ratio) == ("weapon", "knife", 0.5)
    assert [one.is_different for one in found] == [True, True, False, False]


@pytest.mark.parametrize("n", [1, 4])
def test_small_cells_and_what_few_state_are_left_out(n):
    here = {"a": {"x": n, "y": 96}, "b": {"x": 10, "y": 9}}
    there = {"a": {"x": 50, "y": 50}, "b": {"x": 10, "y": 90}}
    assert [(one.field, one.value) for one in compare(here, there)] == [("a", "y")]


def test_of_samples_of_one_kind_few_ever_differ():
    """Two hundred profiles where nothing differs: at most one in twenty says that something does."""
    rng = np.random.default_rng(5)
    wrong = 0
    for _n in range(200):
        here, there = ({f: dict(enumerate(rng.multinomial(size, [0.2] * 5).tolist())) for f in "abcd"}
                       for size in (150, 400))  # fmt: skip
        wrong += any(one.is_different for one in compare(here, there))
    assert wrong <= 0.05 * 200 + 2 * math.sqrt(0.05 * 0.95 * 200)


def test_series_that_only_share_a_trend_do_not_rise_together():
    rng = np.random.default_rng(2)
    trend = np.linspace(20, 80, 24)
    series = {name: rng.poisson(trend) for name in "abc"}
    assert rising_together(series) == []
    series["d"] = series["a"] + 5
    found = rising_together(series)
    assert [(pair.one, pair.other) for pair in found] == [("a", "d")]
    assert found[0].rho == pytest.approx(1.0)


def test_short_or_sparse_series_are_not_told():
    steps = [10, 40, 12, 44, 9, 41, 13, 45, 8, 42, 14]
    assert rising_together({"a": steps, "b": steps}) == []
    sparse = [0, 1, 0, 2] * 6
    assert rising_together({"a": sparse, "b": sparse}) == []
    assert profile.is_small(4)
    assert not profile.is_small(0)


def test_months_before_a_feed_began_are_no_months_without_events():
    rng = np.random.default_rng(3)
    late = {name: [0] * 14 + rng.poisson(40, 10).tolist() for name in "ab"}
    assert rising_together(late) == []  # both begin together, ten months ago

"""Whether two counts differ by more than chance: worked cases, properties, and size and power by enumeration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks import change as enumerated
from indicators import change

counts = st.integers(0, 400)
exposures = st.floats(0.1, 50)


@pytest.mark.parametrize(("now", "before", "p"), [(5, 5, 1), (1, 0, 0.5), (3, 0, 0.125), (0, 8, 1 / 256)])
def test_mid_p_by_hand(now, before, p):
    """3 against 0: half of P(X = 3) = 1/16, twice for two sides; 1 against 0: 2 x 1/4 = 0.5."""
    assert change.change(now, before).p == pytest.approx(p)


@given(counts, counts, exposures)
def test_mid_p_is_the_binomials(now, before, exposure):
    share = exposure / (1 + exposure)
    law = stats.binom(now + before, share)
    below = law.cdf(now - 1) + law.pmf(now) / 2
    assert change.change(now, before, exposure).p == pytest.approx(min(1, 2 * min(below, 1 - below)), abs=1e-9)


@given(counts, counts, exposures, st.floats(1, 4))
def test_a_change_is_marked_where_the_interval_leaves_out_one_and_the_interval_holds_the_ratio(now, before, e, spread):
    found = change.change(now, before, e, dispersion=change.Dispersion(spread, np.inf))
    if abs(found.p - change.LEVEL) > 1e-6:
        assert bool(found.is_distinct) == (not found.low <= 1 <= found.high)
    if now + before:
        assert found.low <= found.ratio <= found.high


@given(st.integers(1, 200), st.integers(1, 200))
def test_more_events_move_the_interval_up(now, before):
    one, more = (change.change(x, before) for x in (now, now + 1))
    assert one.low < more.low
    assert one.high < more.high


def test_zeros_and_missing_figures():
    found = change.change([0, 4, 0, np.nan], [0, 0, 4, 3])
    assert np.isnan(found.ratio[0])
    assert (found.low[0], found.high[0], found.p[0]) == (0, np.inf, 1)
    assert found.high[1] == np.inf
    assert found.low[2] == 0
    assert np.isnan([found.p[3], found.low[3], found.high[3]]).all()
    assert list(found.is_distinct) == [False] * 4


def test_exposure_is_taken_out():
    assert change.change(120, 10, 12, 1).ratio == pytest.approx(1)
    assert not change.change(120, 10, 12, 1).is_distinct


def test_dispersion_is_that_of_the_past_and_a_steady_trend_is_none():
    rng = np.random.default_rng(3)
    wild = change.dispersion_of(rng.negative_binomial(20, 1 / 3, (500, 36)))
    assert np.mean(wild.value) == pytest.approx(3, rel=0.05)
    calm = change.dispersion_of(rng.poisson(np.linspace(10, 60, 36), (500, 36)))
    assert np.mean(calm.value) == pytest.approx(1, rel=0.05)
    assert np.isinf(change.dispersion_of([np.nan] * 30 + [3.0, 4.0]).freedom)


def test_size_and_power_of_one_comparison():
    for base in (0.5, 2, 10, 60):
        assert max(enumerated.marked(base, e) for e in (1, 3, 12, 1 / 12)) <= 0.01
    assert enumerated.marked(20, 1, 2) >= 0.9 * 0.51
    assert enumerated.marked(50, 1, 2) >= 0.9 * 0.94


def test_twelve_looks_mark_at_most_three_in_a_hundred():
    assert enumerated.ever_marked(40) <= 0.03


def test_size_with_an_estimated_dispersion():
    assert enumerated.marked_estimated(5, 1, 2.0) <= 0.015


@pytest.mark.parametrize("units", [9, 26])
def test_a_level_that_agrees_gives_back_the_power_that_not_knowing_the_dispersion_costs(units):
    assert enumerated.marked_pooled(20, 1, 1.0, 2.0, units=units) >= 0.9 * 0.507
    assert enumerated.marked_pooled(20, 1, 1.0, units=units) <= 0.01
    assert enumerated.marked_pooled(20, 1, 2.0, units=units) <= 0.015
    assert enumerated.marked_estimated(20, 1, 1.0, 2.0, past=12, drawn=True) < 0.25  # the unit's own year alone


def test_a_level_that_does_not_agree_is_believed_less():
    like, unlike = (enumerated.pooled(20.0, spread, 26) for spread in (1.0, np.where(np.arange(26) % 2, 3.0, 1.0)))
    assert np.median(unlike.freedom) < 40 < np.median(like.freedom)
    wild, calm = unlike.value[1::2].mean(), unlike.value[0::2].mean()
    assert wild > 1.7 * calm


def test_one_unit_alone_is_drawn_to_the_usual_dispersion():
    own = change.Dispersion(np.array([[1.0]]), np.array([[17.0]]))
    assert change.pooled(own) == change.drawn_to_usual(change.Dispersion(np.array([1.0]), np.array([0.0])))


def test_discoveries_by_hand():
    """Of five: 0.02 and 0.04 are at most 10 % x 1/5 and x 2/5, 0.05 at most 0.06; 0.3 and 0.9 are more than theirs."""
    assert change.discoveries([0.9, 0.02, np.nan, 0.05, 0.3, 0.04]).tolist() == [False, True, False, True, False, True]
    assert not change.discoveries([np.nan, np.nan]).any()


def test_of_lists_in_which_nothing_changed_few_mark_anything_and_of_what_lists_mark_little_is_false():
    rng = np.random.default_rng(5)
    one_alone, in_lists, false, marked = 0, 0, 0.0, 0
    for _ in range(300):
        before, now = rng.poisson(30, (2, 100))
        one_alone += change.change(now, before).is_distinct.any()
        in_lists += change.changes(now, before).is_distinct.any()
        now[:10] = rng.poisson(75, 10)
        found = change.changes(now, before).is_distinct
        marked, false = marked + found.sum(), false + found[10:].sum() / max(1, found.sum())
    assert in_lists / 300 <= 0.1 < 0.4 < one_alone / 300
    assert false / 300 <= 0.1
    assert marked / 300 > 9

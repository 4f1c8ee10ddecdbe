"""Control charts: quiet while nothing changes, loud when something does, never judged by what comes later."""

import numpy as np

from indicators.control import FEWEST, RUN, control


def test_of_counts_in_their_usual_state_few_are_signals():
    counts = np.random.default_rng(1).poisson(20, (400, 39))
    charts = [control(row) for row in counts]
    beyond = np.mean([(one.is_above | one.is_below)[FEWEST:] for one in charts])
    assert beyond < 0.01


def test_a_doubling_is_a_signal_at_once():
    counts = np.random.default_rng(2).poisson(40, 39)
    counts[-1] = 100
    assert control(counts).is_above[-1]
    counts[-1] = 4
    assert control(counts).is_below[-1]


def test_a_slow_shift_is_a_run():
    counts = np.concatenate((np.full(26, 20), np.full(RUN, 23)))
    found = control(counts)
    assert found.is_run[-1]
    assert not found.is_run[-2]
    assert not found.is_above.any()


def test_the_first_periods_have_no_limits_and_the_later_change_nothing_before():
    counts = np.random.default_rng(3).poisson(8, 39)
    whole, part = control(counts), control(counts[:20])
    assert np.isnan(whole.centre[:FEWEST]).all()
    assert np.array_equal(whole.high[:20], part.high, equal_nan=True)
    assert whole.low[np.isfinite(whole.low)].min() >= 0


def test_what_does_not_compare_is_neither_a_base_nor_a_signal():
    counts = np.concatenate((np.full(20, 3.0), np.full(12, 500.0)))
    assert control(counts).is_above.any()
    counts[:20] = np.nan
    found = control(counts)
    assert np.isnan(found.centre[: 20 + FEWEST]).all()
    assert found.centre[-1] == 500
    assert not (found.is_above | found.is_below | found.is_run).any()

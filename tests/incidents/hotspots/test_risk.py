"""The next months' risk and how it is held against what came: equal to a slow reference, and blind to the future."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from incidents.hotspots import accuracy, risk
from incidents.hotspots.grid import Grid
from incidents.hotspots.risk import HALF_LIVES, WIDTHS, Ground

GRID = Grid(-79.0, -2.1, 250.0, 24, 20, -2.0)


def points(seed, count=300, days=900):
    """Events of two towns, one of which wakes up in the last third of the days."""
    rng = np.random.default_rng(seed)
    day = np.sort(rng.integers(0, days, count))
    late = (day > 2 * days / 3) & (rng.random(count) < 0.7)
    x = np.where(late, 17.0, 6.0) + rng.normal(0, 1.2, count)
    y = np.where(late, 13.0, 6.0) + rng.normal(0, 1.2, count)
    wide, high = GRID.step
    return GRID.west + x.clip(0.1, 23.9) * wide, GRID.south + y.clip(0.1, 19.9) * high, day


def ground(seed=1, area=None, **about):
    return Ground(GRID, np.ones(GRID.shape, bool) if area is None else area, *points(seed, **about))


def slow_part(one, width, half_life, now):
    """The same by adding up every kernel over every cell, by scipy's normal distribution."""
    x, y = (metres / GRID.cell for metres in GRID.metres(one._longitude, one._latitude))
    found = np.zeros(len(one.cells))
    for k in np.flatnonzero(one.day < now):
        fade = 2 ** (-(now - one.day[k]) / half_life)
        for n, cell in enumerate(one.cells):
            row, column = divmod(int(cell), GRID.columns)
            if width == 0:
                found[n] += fade * (row == int(y[k]) and column == int(x[k]))
            else:
                across = norm.cdf(column + 1, x[k], width) - norm.cdf(column, x[k], width)
                found[n] += fade * across * (norm.cdf(row + 1, y[k], width) - norm.cdf(row, y[k], width))
    return found / found.sum()


@pytest.mark.parametrize(("width", "half_life"), [(0.0, math.inf), (0.5, 60.0), (1.0, math.inf), (4.0, 365.0)])
def test_parts_equal_a_sum_over_every_event_and_cell(width, half_life):
    area = np.zeros(GRID.shape, bool)
    area[2:14, 1:20] = True
    one = ground(area=area, count=12)
    found = one.parts(850)[WIDTHS.index(width) * len(HALF_LIVES) + HALF_LIVES.index(half_life)]
    assert found == pytest.approx(slow_part(one, width, half_life, 850), abs=2e-3 / len(one.cells) * 10)


def test_each_part_and_the_risk_add_up_to_one():
    one = ground()
    assert one.parts(700).sum(1) == pytest.approx(1, abs=1e-4)
    assert one.risk(700).sum() == pytest.approx(1)
    assert one.weights(700).sum() == pytest.approx(1)


@given(st.integers(0, 20), st.integers(200, 800))
@settings(max_examples=15, deadline=None)
def test_what_happens_later_changes_nothing(seed, now):
    longitude, latitude, day = points(seed)
    area = np.ones(GRID.shape, bool)
    whole, past = Ground(GRID, area, longitude, latitude, day), day < now
    known = Ground(GRID, area, longitude[past], latitude[past], day[past])
    for method in accuracy.METHODS:
        of_all = accuracy.surface_of(whole, method, now)
        assert of_all == pytest.approx(accuracy.surface_of(known, method, now), rel=1e-5, abs=1e-9)


def test_windows_to_learn_from_are_over_and_within_the_history():
    one = ground()
    windows = one.windows(700)
    assert len(windows) > 3
    assert all(one.day[0] <= start < end <= 700 for start, end in windows)
    assert one.windows(int(one.day[0])) == []


def test_the_mixture_finds_the_part_that_the_events_came_from():
    rng = np.random.default_rng(3)
    said = rng.dirichlet(np.full(400, 0.2), 3)
    came = rng.multinomial(5000, 0.8 * said[1] + 0.2 * said[2]).astype(float)
    weights = risk.mixture(said, came, steps=200)
    assert weights == pytest.approx([0, 0.8, 0.2], abs=0.03)


def test_no_step_of_the_mixture_makes_the_counts_less_likely():
    rng = np.random.default_rng(4)
    said, came = rng.dirichlet(np.full(60, 0.5), 4), rng.poisson(2, 60).astype(float)
    likely = [came @ np.log(risk.mixture(said, came, steps) @ said) for steps in range(8)]
    assert np.diff(likely).min() > -1e-9


def test_a_town_that_woke_up_is_where_the_risk_is():
    one = ground(seed=7, count=600)
    woken = np.zeros(GRID.shape, bool)
    woken[10:17, 14:21] = True
    on_it = woken.flat[one.cells]
    assert one.risk(900)[on_it].sum() > 1.5 * accuracy.surface_of(one, "density 1", 900)[on_it].sum()


# Held against what came ----------------------------------------------------------------------------------------------


def test_cells_that_tie_are_taken_in_part():
    taken = accuracy.chosen(np.array([5.0, 1.0, 1.0, 1.0, 0.0]), 2)
    assert taken == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])
    assert accuracy.chosen(np.zeros(10), 3) == pytest.approx(np.full(10, 0.3))


def test_scores_by_hand():
    shares = np.array([0.1])
    score = accuracy.Score(shares, *(np.array([[n]]) for n in (20.0, 40.0, 10.0, 100.0, 100.0)))
    assert (score.hit_rate.item(), score.pai.item(), score.pei.item(), score.rri.item()) == (0.2, 2.0, 0.5, 2.0)


def test_a_back_test_holds_each_method_and_none_beats_the_best_cells():
    one = ground(seed=2, count=800)
    days = accuracy.origins(0, 899, 6)
    assert len(days) == 6
    assert (days[0], days[-1]) == (450, 809)
    scores = accuracy.back_test(one, days)
    assert set(scores) == set(accuracy.METHODS)
    for score in scores.values():
        assert score.hits.shape == (6, 3)
        assert (score.hits <= score.best + 1e-9).all()
        assert (np.diff(score.hits, axis=1) >= -1e-9).all(), "more area holds no fewer events"
        assert (score.pei <= 1 + 1e-9).all()


def test_area_is_what_lies_near_events():
    wide, high = GRID.step
    x, y = np.array([10.5]), np.array([8.5])
    area = accuracy.near_events(GRID, GRID.west + x * wide, GRID.south + y * high, 501.0)
    rows, columns = np.nonzero(area)
    assert area.sum() == 13, "the middles of thirteen cells of 250 m lie within 500 m of a middle"
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (6, 10, 8, 12)


def test_an_interval_holds_the_mean_and_narrows_with_windows():
    rng = np.random.default_rng(5)
    few, many = (accuracy.interval(rng.normal(5, 1, n)) for n in (10, 400))
    assert few[1] < few[0] < few[2]
    assert many[2] - many[1] < (few[2] - few[1]) / 3
    assert all(math.isnan(one) for one in accuracy.interval(np.array([np.nan])))

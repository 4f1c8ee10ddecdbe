"""Knox's table is that of a slow count of all pairs, and its p is small only where repeats are near in time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.hotspots import near_repeat
from tests.incidents.hotspots import slow

BANDS = {"distances": (200.0, 400.0), "days": (2, 7, 14)}


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10**6))
def test_it_counts_every_pair_once(n, seed):
    rng = np.random.default_rng(seed)
    x, y, day = rng.integers(0, 12, n) * 100.0, rng.integers(0, 12, n) * 100.0, np.sort(rng.integers(0, 30, n))
    found = near_repeat.knox(x, y, day, shuffles=5, seed=3, **BANDS)
    seen, expected, p = slow.knox(x, y, day, BANDS["distances"], BANDS["days"], 5, 3)
    assert found.observed.tolist() == seen.tolist()
    np.testing.assert_allclose(found.expected, expected)
    np.testing.assert_allclose(found.p, p)


def test_the_same_seed_gives_the_same_p():
    rng = np.random.default_rng(1)
    given = rng.random(200) * 3000, rng.random(200) * 3000, rng.integers(0, 365, 200)
    assert (near_repeat.knox(*given).p == near_repeat.knox(*given).p).all()


def test_repeats_of_the_next_days_are_found():
    rng = np.random.default_rng(2)
    x, y, day = rng.random(150) * 8000, rng.random(150) * 8000, rng.integers(0, 365, 150)
    again = rng.choice(150, 40, replace=False)
    x, y = np.r_[x, x[again] + 50], np.r_[y, y[again]]
    found = near_repeat.knox(x, y, np.r_[day, day[again] + rng.integers(1, 6, 40)])
    assert found.p[0, 0] == pytest.approx(1 / 200)
    assert found.ratio[0, 0] > 3


def test_places_without_memory_are_seldom_called_so():
    rng, called = np.random.default_rng(3), 0
    for seed in range(60):
        x, y, day = rng.random(120) * 3000, rng.random(120) * 3000, rng.integers(0, 180, 120)
        called += near_repeat.knox(x, y, day, shuffles=39, seed=seed).p[0, 0] <= 0.05
    assert called <= 8


@pytest.mark.parametrize("n", [0, 1])
def test_without_pairs_there_is_nothing_to_tell(n):
    found = near_repeat.knox(np.zeros(n), np.zeros(n), np.zeros(n, int))
    assert found.observed.sum() == 0
    assert (found.p == 1).all()


def test_of_very_many_events_the_latest_are_looked_at(monkeypatch):
    monkeypatch.setattr(near_repeat, "MOST_EVENTS", 300)
    monkeypatch.setattr(near_repeat, "MOST_PAIRS", 2000)
    found = near_repeat.knox(np.zeros(1000), np.zeros(1000), np.arange(1000), shuffles=3)
    assert 20 < found.events < 100

"""The density is the sum of normal kernels at every event, within 0.5 % of its peak."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from sklearn.neighbors import KernelDensity

from incidents.hotspots import density, grid
from tests.incidents.hotspots import slow

BOX = (-80.0, -2.2, -79.9, -2.1)


def events(n, seed, of=BOX):
    rng = np.random.default_rng(seed)
    west, south, east, north = of
    centre = rng.random((3, 2)) * [east - west, north - south] + [west, south]
    towns = centre[rng.integers(3, size=n)] + rng.normal(0, 0.006, (n, 2))
    longitude, latitude = towns.T
    if n < 1000:  # some lie on the very edge
        return np.clip(longitude, west, east), np.clip(latitude, south, north)
    inside = (longitude > west) & (longitude < east) & (latitude > south) & (latitude < north)
    return longitude[inside], latitude[inside]


def worst(longitude, latitude, cells, bandwidth):
    """The greatest difference from the slow sum, as a share of the peak, be it at a cell's middle or at an event."""
    ours = density.density(longitude, latitude, cells, bandwidth)
    x, y = cells.metres(longitude, latitude)
    at = cells.metres(*cells.centres(np.arange(cells.size)))
    exact = slow.density(x, y, *at, bandwidth).reshape(cells.shape)
    peak = max(exact.max(), slow.density(x, y, x, y, bandwidth).max())
    return abs(ours - exact).max() / peak


@settings(max_examples=40, deadline=None)
@example(1, 1498, 1000, 200)
@example(1, 832, 1000, 200)  # one event, far from the middle of its cell
@given(st.integers(1, 400), st.integers(0, 10**6), st.sampled_from([250, 500, 1000]), st.sampled_from([200, 500, 1500]))
def test_it_is_the_sum_of_kernels_whatever_the_cells_and_the_bandwidth(n, seed, cell, bandwidth):
    assert worst(*events(n, seed), grid.over(BOX, cell), bandwidth) < 0.005


def test_many_events_are_counted_where_they_fall_and_the_errors_cancel(monkeypatch):
    monkeypatch.setattr(density, "MANY", 1000)
    assert worst(*events(5000, 1), grid.over(BOX, 250), 1500) < 0.005


def test_scikit_learn_says_the_same():
    longitude, latitude = events(2000, 2)
    cells, bandwidth = grid.over(BOX, 250), 500
    x, y = cells.metres(longitude, latitude)
    at = np.column_stack(cells.metres(*cells.centres(np.arange(cells.size))))
    theirs = KernelDensity(bandwidth=bandwidth).fit(np.column_stack((x, y))).score_samples(at)
    theirs = np.exp(theirs).reshape(cells.shape) * 1e6 * len(x)
    assert abs(density.density(longitude, latitude, cells, bandwidth) - theirs).max() < 0.005 * theirs.max()


def test_the_kernel_is_whole_and_does_not_come_in_at_the_other_edge():
    counts = np.zeros((60, 80))
    counts[0, 79] = 5
    smooth = density.smoothed(counts, 4.0)
    expected = gaussian_filter(counts, 4.0, mode="constant", truncate=8)
    np.testing.assert_allclose(smooth, expected, atol=1e-5 * expected.max())


def test_events_well_inside_are_all_in_the_density():
    longitude, latitude = events(300, 3, (-79.96, -2.16, -79.94, -2.14))
    cells = grid.over((-80.05, -2.25, -79.85, -2.05), 250)
    assert density.density(longitude, latitude, cells, 400).sum() * 0.25**2 == pytest.approx(300, rel=0.001)


def test_no_events_no_density():
    assert not density.density(np.empty(0), np.empty(0), grid.over(BOX, 500), 500).any()


@pytest.mark.parametrize(
    ("n", "spread", "expected"), [(1, 1000, 250), (100, 1000, 400), (10_000, 1000, 250), (100, 10**6, 20_000)]
)
def test_the_bandwidth_by_rule(n, spread, expected):
    x = np.random.default_rng(1).normal(0, spread, n)
    y = np.random.default_rng(2).normal(0, spread, n)
    assert density.bandwidth_by_rule(x, y, 250) == pytest.approx(expected, abs=50)


def test_events_at_one_point_have_a_bandwidth():
    assert density.bandwidth_by_rule(np.zeros(9), np.zeros(9), 250) == 250

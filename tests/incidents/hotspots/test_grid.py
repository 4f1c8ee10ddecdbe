"""Points fall into square cells in metres, and none is lost or counted twice."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.hotspots import grid as grids

GUAYAQUIL = (-80.1, -2.35, -79.8, -2.05)


@settings(max_examples=50, deadline=None)
@given(st.floats(-89, 88), st.floats(-179, 178), st.floats(0.001, 0.9), st.sampled_from([100, 250, 1000, 5000]))
def test_every_point_of_the_bounds_is_in_one_cell(south, west, size, cell):
    grid = grids.over((west, south, west + size, south + size), max(cell, 1000 * size))
    rng = np.random.default_rng(1)
    longitude, latitude = west + rng.random(200) * size, south + rng.random(200) * size
    cells = grid.cells_at(longitude, latitude)
    assert (cells >= 0).all()
    assert grid.counts(longitude, latitude).sum() == 200
    east, north = grid.centres(cells)
    wide, high = grid.step
    assert (abs(east - longitude) <= wide * 0.5001).all()
    assert (abs(north - latitude) <= high * 0.5001).all()


def test_points_outside_count_nowhere():
    grid = grids.over(GUAYAQUIL, 500)
    longitude, latitude = np.array([-79.9, -79.9, 10.0, -80.9]), np.array([-2.2, 5.0, -2.2, -2.2])
    assert (grid.cells_at(longitude, latitude) >= 0).tolist() == [True, False, False, False]
    assert grid.counts(longitude, latitude).sum() == 1
    assert grid.counts(np.empty(0), np.empty(0)).sum() == 0


def test_a_cell_is_as_long_on_the_ground_as_it_says():
    grid = grids.over(GUAYAQUIL, 250)
    (west, east), (south, _) = grid.centres(np.array([0, 1]))
    haversine = 2 * 6_371_000 * np.arcsin(np.cos(np.radians(south)) * np.sin(np.radians(east - west) / 2))
    assert haversine == pytest.approx(250, rel=0.001)


def test_neighbouring_territories_share_their_cells():
    one, other = grids.over(GUAYAQUIL, 250), grids.over((-79.95, -2.2, -79.6, -1.9), 250)
    point = np.array([-79.9]), np.array([-2.1])
    centres = [grid.centres(grid.cells_at(*point)) for grid in (one, other)]
    np.testing.assert_allclose(centres[0], centres[1], atol=1e-9)


@pytest.mark.parametrize(("side", "cell"), [(0.02, 250), (0.3, 250), (0.6, 500), (2.2, 2000), (40, 10_000)])
def test_cells_are_as_small_as_the_map_can_show(side, cell):
    assert grids.cell_size(grids.square_metres(shapely.box(-80, -1, -80 + side, -1 + side))) == cell


def test_cells_that_memory_could_not_hold_are_not_offered():
    bounds = (-81.0, -5.0, -75.0, 1.0)
    assert grids.over(bounds, grids.smallest_cell(bounds)).size == pytest.approx(grids.MOST_CELLS, rel=0.01)


def test_cells_within_an_area_have_their_middle_in_it():
    grid = grids.over((0, 0, 0.1, 0.1), 1000)
    inside = grid.within(shapely.box(0, 0, 0.05, 0.1))
    middles = grid.centres(np.arange(grid.size))[0].reshape(grid.shape)
    assert (inside == (middles <= 0.05)).mean() > 0.8
    assert (
        inside.sum()
        == ((middles > 0) & (middles < 0.05) & (grid.centres(np.arange(grid.size))[1].reshape(grid.shape) < 0.1)).sum()
    )


def test_several_boundaries_are_one_area():
    squares = [shapely.geometry.mapping(shapely.box(i, 0, i + 1, 1)) for i in range(3)]
    assert grids.area_of(squares).area == pytest.approx(3)

"""The schematic boundaries are sound shapes that nest exactly and share their edges."""

import json

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from scorecard.sample import boundaries, outline
from scorecard.sample.territories import CIRCUIT, DISTRICT, NATION_CODE, SUBCIRCUIT, SUBZONE, ZONE, country


@pytest.fixture(scope="module")
def shapes():
    return boundaries.geometries()


def codes_at(level):
    return [place.code for place in country().places if place.level == level and place.is_delimited]


def test_every_delimited_place_has_a_valid_boundary_and_no_other_has_one(shapes):
    assert set(shapes) == {place.code for place in country().places if place.is_delimited}
    for code, one in shapes.items():
        assert one.is_valid, code
        assert one.area > 0, code
        assert one.geom_type in ("Polygon", "MultiPolygon"), code


@pytest.mark.parametrize("level", [ZONE, SUBZONE, DISTRICT, CIRCUIT, SUBCIRCUIT])
def test_places_of_a_level_cover_the_nation_without_gap_or_overlap(shapes, level):
    members = np.array([shapes[code] for code in codes_at(level)])
    assert shapely.coverage_is_valid(members)
    assert sum(one.area for one in members) == pytest.approx(shapes[NATION_CODE].area, abs=1e-9)


@pytest.mark.parametrize("level", [SUBZONE, DISTRICT, CIRCUIT, SUBCIRCUIT])
def test_a_place_lies_in_its_parent(shapes, level):
    for place in country().places:
        if place.level == level and place.is_delimited:
            assert shapes[place.code].difference(shapes[place.parent]).area < 1e-9, place


def test_districts_hang_together(shapes):
    """A few have islands or land across the gulf; none is scattered over the map."""
    parts = [len(shapely.get_parts(shapes[code])) for code in codes_at(DISTRICT)]
    assert sum(count > 1 for count in parts) <= 10


def test_only_the_outline_of_our_own_bounds_the_country(shapes):
    west, south, east, north = shapes[NATION_CODE].bounds
    assert -83.5 < west < -82
    assert -5.1 < south < -4.9
    assert 1.2 < north < 1.5
    assert -75.4 < east < -75.1
    assert 60 <= len(outline.MAINLAND) <= 120


def test_coordinates_have_four_decimals_and_the_file_stays_small():
    drawn = boundaries.boundaries()
    text = json.dumps(drawn)
    assert len(text) < 1_500_000
    corner = np.array(drawn["09D08"]["coordinates"][0])
    assert (np.round(corner, 4) == corner).all()
    assert shape(drawn[NATION_CODE]).is_valid


def test_exterior_rings_run_counter_clockwise():
    drawn = boundaries.boundaries()["17D05"]
    assert shapely.is_ccw(shapely.linearrings(drawn["coordinates"][0]))


def test_the_same_drawing_twice():
    first = boundaries.drawing()
    boundaries.drawing.cache_clear()
    again = boundaries.drawing()
    assert (first.points == again.points).all()
    assert shapely.to_wkb(first.cells).tolist() == shapely.to_wkb(again.cells).tolist()


def test_coincident_points_are_pulled_apart():
    points = boundaries.spread(np.zeros((20, 2)))
    assert len(np.unique(points.round(5), axis=0)) == 20


def test_a_point_cut_off_from_its_group_joins_it():
    grid = np.array([(x, y) for x in range(6) for y in range(6)], float) / 20
    labels = np.where(grid[:, 0] < 0.12, 0, 1)
    labels[35] = 0  # the far corner belongs to the left half
    gathered = boundaries.gather(grid, labels[None])
    _, strays = boundaries._towards_main(gathered, boundaries._neighbours(gathered), labels)
    assert not len(strays)

"""A code goes to its territory or to the nearest known one above; a point to the polygon that holds it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, box

from incidents import georeference
from incidents.georeference import UNKNOWN, Gazetteer, locate, precision, resolve

BOOK = Gazetteer(
    ids=np.array([10, 11, 12, 13, 14, 15, 16]),
    codes=["EC", "Z8", "ZND", "09D01", "09D01C01", "09D01C01S01", "000C01S01"],
    levels=np.array([0, 1, 1, 3, 4, 5, 5]),
    delimited=np.array([True, True, False, True, True, True, False]),
)


@pytest.mark.parametrize(
    ("code", "place", "rule"),
    [
        ("09D01C01S01", "09D01C01S01", None),
        ("09D01", "09D01", None),
        ("09D01C01S09", "09D01C01", "place_to_circuit"),
        ("09D01C09S01", "09D01", "place_to_district"),
        ("000C01S01", "000C01S01", "not_delimited"),
        ("000C07S02", "ZND", "not_delimited_code"),
        ("09D99C01S01", None, "district_unknown"),
    ],
)
def test_a_code_is_resolved_to_what_is_known(code, place, rule):
    ordinals, rules = resolve([code], BOOK, "000")
    assert rules == [rule]
    assert (None if ordinals[0] == UNKNOWN else BOOK.codes[ordinals[0]]) == place


def test_precision_says_how_well_the_place_is_known():
    places = np.array([5, 5, 4, 3, 6, UNKNOWN, UNKNOWN])
    has_point = np.array([True, False, False, False, False, False, True])
    assert precision(places, has_point, BOOK).tolist() == [1, 2, 3, 3, 4, 5, 1]


def test_without_a_not_delimited_zone_its_codes_are_unknown():
    book = Gazetteer(np.array([10]), ["EC"], np.array([0]), np.array([True]))
    assert resolve(["000C01S01"], book, "000")[1] == ["district_unknown"]


@given(st.lists(st.tuples(st.floats(-1, 4), st.floats(-1, 4)), min_size=1, max_size=20))
def test_a_point_goes_to_the_first_polygon_that_holds_it(points):
    polygons = [box(x, y, x + 1, y + 1) for x in range(3) for y in range(3)]
    slow = [next((i for i, p in enumerate(polygons) if p.intersects(Point(xy))), UNKNOWN) for xy in points]
    longitude, latitude = np.array(points).T
    assert locate(longitude, latitude, polygons).tolist() == slow


def test_shapes_are_read_from_geojson():
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    assert georeference.shapes([square])[0].area == 1

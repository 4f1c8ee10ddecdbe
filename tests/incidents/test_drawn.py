"""An incident without a point is drawn in the middle of its place, and that is said; what is stored stays."""

from datetime import date
from types import SimpleNamespace

import pytest
import shapely

from incidents import feed, queries
from incidents.drawn import Middles
from incidents.life import life_of
from incidents.models import Incident
from tests.incidents.feed.conftest import NOW, item
from units.models import Boundary, Territory, User

pytestmark = pytest.mark.django_db


def event(place, point=None):
    x, y = point or (None, None)
    return SimpleNamespace(territory_id=place and place.pk, longitude=x, latitude=y)


def bound(place, ring, valid_from=date(2000, 1, 1), valid_to=None):
    geometry = {"type": "Polygon", "coordinates": [ring]}
    Boundary.objects.create(
        territory=place, geometry=geometry, valid_from=valid_from, valid_to=valid_to, source="made"
    )  # fmt: skip


def square(x, y, side):
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def test_a_point_that_is_stated_is_drawn_where_it_is(country, django_assert_num_queries):
    one = event(country.places["09D01C01S01"], (-79.9, -2.2))
    with django_assert_num_queries(0):
        assert Middles([one]).of(one) == (-79.9, -2.2, False)


def test_the_places_own_point_comes_before_its_boundarys_middle(country):
    place = country.places["09D01C01S01"]
    bound(place, square(-80, -3, 1))
    one = event(place)
    assert Middles([one]).of(one) == (-79.5, -2.5, True)
    Territory.objects.filter(pk=place.pk).update(longitude=-79.91, latitude=-2.21)
    assert Middles([one]).of(one) == (-79.91, -2.21, True)


def test_the_latest_boundary_counts(country):
    place = country.places["09D01C01S01"]
    bound(place, square(-80, -3, 1), valid_to=date(2020, 1, 1))
    bound(place, square(-79, -3, 1), valid_from=date(2020, 1, 1))
    one = event(place)
    assert Middles([one]).of(one) == (-78.5, -2.5, True)


def test_the_middle_of_a_crescent_lies_in_it(country):
    place = country.places["09D01C01S01"]
    ring = [[0, 0], [9, 0], [9, 1], [1, 1], [1, 8], [9, 8], [9, 9], [0, 9], [0, 0]]
    bound(place, ring)
    one = event(place)
    x, y, is_approximate = Middles([one]).of(one)
    assert shapely.Polygon(ring).contains(shapely.Point(x, y))
    assert is_approximate


def test_what_is_large_unknown_or_not_delimited_is_not_drawn(country):
    places = [country.places[code] for code in ("EC", "Z8", "000C01S01")]
    for place in places:
        bound(place, square(-80, -3, 1))
    unbound = country.places["09D01C01S02"]
    events = [event(place) for place in (*places, unbound, None)]
    middles = Middles(events)
    assert [middles.of(one) for one in events] == [None] * 5
    circuit = event(country.places["09D01C01"])
    bound(country.places["09D01C01"], square(-80, -3, 1))
    assert Middles([circuit]).of(circuit) == (-79.5, -2.5, True)


def test_it_is_one_question_however_many_places(country, django_assert_num_queries):
    places = [place for place in country.places.values() if place.level >= 3 and place.is_delimited]
    for place in places:
        bound(place, square(-80, -3, 1))
    with django_assert_num_queries(1):
        Middles([event(place) for place in places])


def test_it_is_told_beside_what_is_stated_now_and_in_the_past(country):
    bound(country.places["09D01C01S01"], square(-80, -3, 1))
    user = User.objects.create(username="all", is_superuser=True)
    for channel in ("phone", "video"):
        feed.receive(account=user, institution=country.police, now=NOW, items=[item(channel=channel)])
    pk = Incident.objects.get().id
    told = life_of(pk, user)
    for said in (told, told["revisions"][0], queries.described(Incident.objects.all(), user)[0]):
        assert (said["place_precision"], said["longitude"]) == ("subcircuit", None)
        assert (said["drawn_longitude"], said["drawn_latitude"]) == (-79.5, -2.5)
        assert said["is_drawn_approximately"] is True

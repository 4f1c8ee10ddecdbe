"""Events one by one: every point is sent, the latest first, and a browser without WebGL shows the counted cells."""

import numpy as np
import pytest

from incidents.models import Incident
from scorecard.hotspots import events
from tests.scorecard.country import signed_in, text_of
from tests.scorecard.hotspots.test_page import PAGE, TWO_YEARS
from units.models import Territory

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst(country):
    return signed_in(country.people["analyst"])


def sent(client, query=TWO_YEARS):
    """(N, 2) degrees as the page's script reads them."""
    found = np.frombuffer(client.get(f"{PAGE}points?{query}").content, "<i4")
    return found.reshape(2, -1).T / events.SCALE


def stored():
    here = Territory.objects.filter(code__startswith="01D01").values("pk")
    rows = Incident.objects.filter(
        longitude__isnull=False, occurred_on__range=("2022-03-01", "2023-12-31"), territory_id__in=here
    )
    return list(rows.values_list("longitude", "latitude", "occurred_on"))


def test_every_event_with_a_point_is_sent_to_the_fifth_decimal(analyst):
    expected = sorted((round(x, 5), round(y, 5)) for x, y, _day in stored())
    assert sorted(map(tuple, np.round(sent(analyst), 5).tolist())) == expected
    assert len(expected) > 100


def test_of_more_than_a_map_draws_the_latest_are_sent_and_it_says_so(analyst, monkeypatch):
    monkeypatch.setattr(events, "MOST", 50)
    days = sorted((day for *_point, day in stored()), reverse=True)
    points = {(round(x, 5), round(y, 5)) for x, y, day in stored() if day >= days[49]}
    found = np.round(sent(analyst), 5).tolist()
    assert len(found) == 50
    assert {tuple(one) for one in found} <= points
    assert "The latest 50 of" in text_of(analyst.get(f"{PAGE}?{TWO_YEARS}&method=points"))


def test_the_page_holds_counted_cells_for_browsers_that_cannot_draw_them(analyst):
    response = analyst.get(f"{PAGE}?{TWO_YEARS}&method=points&cell=2000")
    body = response.content.decode()
    assert 'class="k k-h5"' in body
    assert "data-points=" in body
    assert "Events one by one" in text_of(response)
    counted = analyst.get(f"{PAGE}?{TWO_YEARS}&method=counts&cell=2000&format=csv").content
    listed = analyst.get(f"{PAGE}?{TWO_YEARS}&method=points&cell=2000&format=csv").content
    assert counted.splitlines()[-20:] == listed.splitlines()[-20:]


def test_points_are_for_those_who_may_analyse_there(country):
    assert signed_in(country.people["nobody"]).get(f"{PAGE}points?{TWO_YEARS}").status_code == 404

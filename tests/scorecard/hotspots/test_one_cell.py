"""From a cell of the map to its incidents and its profile: the address holds the cell, its window and its filters."""

import re
from html import unescape

import pytest

from tests.scorecard.country import signed_in, text_of
from tests.scorecard.hotspots.test_page import PAGE, TWO_YEARS, rows_of
from tests.scorecard.hotspots.town import town

pytestmark = pytest.mark.django_db
FILTERS = "category=T.ROBBERY&from_hour=6&to_hour=18&day=1&day=2&day=3&day=4&day=5"


@pytest.fixture
def analyst(country):
    return signed_in(country.people["analyst"])


@pytest.fixture
def opened(analyst):
    """(body of the page with its hottest cell opened, events of the cell as its file has them)."""
    asked = f"{TWO_YEARS}&method=counts&{FILTERS}"
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{asked}&format=csv"))
    address = f"{PAGE}?{asked}&spot={rows[0]['longitude']},{rows[0]['latitude']}"
    _notes, events = rows_of(analyst.get(f"{address}&format=csv&table=cell-events"))
    assert len(events) == int(rows[0]["Events"]) > 5
    return analyst.get(address).content.decode(), events


def link(body, start, words):
    return unescape(re.search(rf'<a href="({start}[^"]*)"[^>]*>{words}</a>', body)[1])


def test_the_incidents_of_a_cell_are_those_of_its_table_with_every_filter_kept(analyst, opened):
    body, events = opened
    href = link(body, "/incidents/PN-01D01/", "Incidents of this cell")
    for part in (*FILTERS.split("&"), *TWO_YEARS.split("&"), "spot=", "cell="):
        assert part in href, part
    notes, rows = rows_of(analyst.get(f"{href}&format=csv"))
    assert {row["Number"] for row in rows} == {event["Number"] for event in events}
    assert "m around" in notes["Cell"]
    page = analyst.get(href)
    assert f"{len(events)} incidents in the cell of" in text_of(page)
    assert 'name="spot"' in page.content.decode()
    assert "spot=" in link(page.content.decode(), "/hotspots/PN-01D01/", "Where these events gather")


def test_the_profile_of_a_cell_stands_beside_the_rest_of_its_own_territory(analyst, opened):
    body, events = opened
    href = link(body, "/profile/PN-01D01/", "Profile of this cell")
    response = analyst.get(href)
    words = text_of(response)
    rest = rows_of(analyst.get(f"{PAGE}?{TWO_YEARS}&method=counts&{FILTERS}&format=csv"))[0]["N"]
    others = int(rest.split()[0]) - len(events)
    assert f"{len(events)} events in the cell of" in words
    assert (
        f"beside {others} of the rest of District 1.1" in words
        or f"beside {others} of the rest of Distrito 1.1" in words
    )
    assert "last-year" in response.content.decode()
    notes, _rows = rows_of(analyst.get(f"{href}&format=csv"))
    assert "m around" in notes["Cell"]


def test_an_event_of_the_cell_opens(analyst, opened):
    body, events = opened
    href = re.search(r'<a href="(/incidents/PN-01D01/\d+/)"', body)[1]
    assert href.rstrip("/").rpartition("/")[2] == events[0]["Number"]
    assert analyst.get(href).status_code == 200


@pytest.mark.parametrize("section", ["profile", "incidents"])
def test_a_cell_off_the_map_is_refused_not_taken_for_the_whole(analyst, section):
    assert analyst.get(f"/{section}/PN-01D01/?{TWO_YEARS}&spot=0,0&cell=250").status_code == 400


def test_the_tabs_and_the_links_of_the_page_keep_its_filters(analyst):
    body = analyst.get(f"{PAGE}?{TWO_YEARS}&{FILTERS}").content.decode()
    for words, start in (("Profile", "/profile/PN-01D01/"), ("Incidents", "/incidents/PN-01D01/")):
        href = link(body, start, words)
        assert FILTERS in href
        assert TWO_YEARS in href
    assert FILTERS in link(body, "/profile/PN-01D01/", "The profile of these events")
    assert FILTERS in link(body, "/incidents/PN-01D01/", "These incidents one by one")
    profile = analyst.get(f"/profile/PN-01D01/?{TWO_YEARS}&{FILTERS}").content.decode()
    assert FILTERS in link(profile, "/hotspots/PN-01D01/", "Hot spots")


def test_the_form_of_the_profile_asks_for_weekdays_and_a_variable(analyst):
    body = analyst.get(f"/profile/PN-01D01/?{TWO_YEARS}&{FILTERS}&method=density").content.decode()
    assert len(re.findall(r'name="day" value="\d" checked', body)) == 5
    assert 'name="variable"' in body
    assert '<input type="hidden" name="method" value="density">' in body


def test_cells_of_the_map_share_out_its_events(analyst, country, kinds):
    town(country, kinds["T.FIRE"], seed=3, count=60)
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{TWO_YEARS}&method=counts&cell=5000&format=csv"))
    for row in rows[:5]:
        spot = f"spot={row['longitude']},{row['latitude']}&cell=5000"
        _notes, listed = rows_of(analyst.get(f"/incidents/PN-01D01/?{TWO_YEARS}&{spot}&format=csv"))
        assert len(listed) == int(row["Events"])

"""A place is found by its name or code within the unit, and its map opens with the filters kept."""

import pytest

from tests.scorecard.country import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = "/hotspots/PN-Z1/"
FILTERS = "first=2022-03-01&last=2023-12-31&method=density&category=T.ROBBERY&from_hour=6&to_hour=18&day=1&day=2"


@pytest.fixture
def analyst(country):
    return signed_in(country.people["analyst"])


@pytest.mark.parametrize("place", ["01D01", "PN-01D01", "pn-01d01", "Distrito 1.1", "DISTRITO 1.1"])
def test_a_place_leads_to_its_hot_spots_with_the_filters_kept(analyst, place):
    response = analyst.get(f"{PAGE}?{FILTERS}&cell=2000&bandwidth=500&spot=-80,-2&place={place}")
    assert (response.status_code, response["Location"]) == (302, f"/hotspots/PN-01D01/?{FILTERS}")


def test_of_several_all_are_offered(analyst):
    body = analyst.get(f"{PAGE}?{FILTERS}&place=Circuito").content.decode()
    assert "Several places here match “Circuito”" in body
    for code in ("PN-01D01C01", "PN-01D02C02"):
        assert f'href="/hotspots/{code}/?{FILTERS.replace("&", "&amp;")}"' in body
    assert 'name="day" value="2"' in body, "the form keeps the filters"


@pytest.mark.parametrize("place", ["Nowhere", "02D01", "Zona 2"])
def test_what_is_not_here_is_said(analyst, place):
    assert f"Nothing in Zone 1 is called “{place}”" in text_of(analyst.get(f"{PAGE}?{FILTERS}&place={place}"))


def test_a_unit_with_none_below_offers_no_search(analyst):
    assert 'id="place"' not in analyst.get("/hotspots/PN-01D01C01/").content.decode()

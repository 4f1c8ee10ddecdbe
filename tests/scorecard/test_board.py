"""The live board shows the events of the last hours in the unit's territory, against what is usual at that time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from scorecard import board, board_words
from scorecard.live import ticket as tickets
from tests.scorecard.country import signed_in, text_of
from tests.scorecard.events import categories, happened, weeks_before

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 3, 14, 20, 30, tzinfo=UTC)  # 15:30 in the country
MINUTE = timedelta(minutes=1)


@pytest.fixture
def country(standing_country, english):
    cache.clear()
    return standing_country


@pytest.fixture
def kinds(country):
    return categories()


@pytest.fixture
def at_now(monkeypatch):
    monkeypatch.setattr("scorecard.views.board.timezone.now", lambda: NOW)


@pytest.fixture
def analyst(country, at_now):
    return signed_in(country.people["analyst"])


def made(country, code="PN-Z1", hours=6, now=NOW):
    return board.Board(country.unit(code), hours, now)


def test_it_is_for_those_who_may_analyse_there(country, at_now):
    for person, code, status in (
        ("analyst", "PN-Z1", 200),
        ("analyst", "PN-01D01C01", 200),
        ("analyst", "PN-Z2", 404),
        ("viewer", "PN-Z1", 403),
        ("nobody", "PN-Z1", 404),
    ):
        client = signed_in(country.people[person])
        assert client.get(f"/board/{code}/").status_code == status, (person, code)
        assert client.get(f"/board/{code}/?format=csv").status_code == status, (person, code)


def test_events_of_the_hours_asked_for_in_the_territory_alone(country, kinds):
    robbery, fire = kinds["T.ROBBERY.PERSON"], kinds["T.FIRE"]
    happened(country, robbery, "01D01C01", NOW - 5 * MINUTE, count=2)
    happened(country, fire, "Z1", NOW - 300 * MINUTE)
    happened(country, fire, "01D02C01", NOW - 20 * 60 * MINUTE)  # yesterday
    happened(country, fire, "02D01C01", NOW - 5 * MINUTE)  # of another zone
    happened(country, fire, "01D01C01", NOW + 5 * MINUTE)  # not yet
    happened(country, fire, None, NOW - 5 * MINUTE)  # nowhere
    assert [made(country, hours=hours).count for hours in board.HOURS] == [2, 3, 4]
    assert made(country, "PN-01D01").count == 2
    assert [one.name for one in made(country).groups if one.count] == ["Robbery", "Fire"]
    assert {one.code: one.count for one in made(country).below} == {"PN-01D01": 2, "PN-01D02": 0}


def test_what_is_usual_is_the_mean_of_the_same_hours_of_twelve_weeks(country, kinds):
    robbery = kinds["T.ROBBERY.PERSON"]
    weeks_before(country, robbery, "01D01C01", NOW - 30 * MINUTE, count=6)
    happened(country, robbery, "01D01C01", NOW - timedelta(weeks=2) - 8 * 60 * MINUTE, count=50)  # another hour
    happened(country, robbery, "01D01C01", NOW - timedelta(days=2), count=50)  # another day
    happened(country, robbery, "01D01C01", NOW - 10 * MINUTE, count=12)
    group = next(one for one in made(country).groups if one.name == "Robbery")
    assert (group.count, group.expected, group.low, group.high) == (12, 6.0, 2, 11)
    assert group.standing == "above"
    assert made(country).usual[0] == 12


def test_a_feed_that_began_three_weeks_ago_is_compared_with_three_weeks(country, kinds):
    weeks_before(country, kinds["T.FIRE"], "01D01C01", NOW - 30 * MINUTE, count=2, weeks=3)
    assert made(country).usual[0] == 3
    assert made(country).total.expected == 2.0
    cache.clear()
    assert made(country, "PN-01D02").total.expected is None


def test_the_answer_says_it_in_words(country, kinds, english):
    weeks_before(country, kinds["T.FIRE"], "01D01C01", NOW - 30 * MINUTE, count=6)
    said = "{} events in Zone 1 since 09:30{} 6.0 expected, usual range 2–11."
    assert board_words.answer(made(country)) == said.format(0, ", fewer than usual:")
    happened(country, kinds["T.FIRE"], "01D01C01", NOW - 10 * MINUTE, count=9)
    assert board_words.answer(made(country)) == said.format(9, ";")
    happened(country, kinds["T.FIRE"], "01D01C01", NOW - 10 * MINUTE, count=9)
    assert board_words.answer(made(country)) == said.format(18, ", more than usual:")


def test_the_page_lists_events_with_their_stages_and_the_map_has_their_points(country, kinds, analyst):
    point = (-79.7, -3.7)
    (pk,) = happened(country, kinds["T.FIRE"], "01D01C01", NOW - 5 * MINUTE, point=point, answered=75 * MINUTE / 60)
    response = analyst.get("/board/PN-Z1/?hours=1")
    body, text = response.content.decode(), text_of(response)
    assert f'<tr data-key="{pk}"' in body
    assert f'class="pt recent" data-key="{pk}" d="M' in body
    assert f'href="/incidents/PN-Z1/{pk}/">15:25</a>' in body
    assert analyst.get(f"/incidents/PN-Z1/{pk}/").status_code == 200
    for said in ("15:25", "Fire", "Circuito 1.1.1", "Policía", "citizen security", "1:15", "Distrito 1.1"):
        assert said in text, said
    ticket = tickets.read(body.split('data-ticket="')[1].split('"')[0])
    assert ticket.key == country.territories["Z1"].pk
    assert 'data-every="60"' in body


def test_an_event_without_a_point_is_a_hollow_dot_in_the_middle_of_its_place(country, kinds, analyst):
    place = country.territories["01D01C01"]
    type(place).objects.filter(pk=place.pk).update(longitude=-79.7, latitude=-3.7)
    (about,) = happened(country, kinds["T.FIRE"], "01D01C01", NOW - 5 * MINUTE)
    (exact,) = happened(country, kinds["T.FIRE"], "01D01C01", NOW - 5 * MINUTE, point=(-79.7, -3.7))
    (nowhere,) = happened(country, kinds["T.FIRE"], "Z1", NOW - 5 * MINUTE)
    shown = {one.id: one for one in made(country).shown}
    assert shown[about].point == shown[exact].point != ""
    assert [shown[pk].is_approximate for pk in (about, exact, nowhere)] == [True, False, False]
    assert shown[nowhere].point == ""
    response = analyst.get("/board/PN-Z1/?hours=1")
    body = response.content.decode()
    assert f'<path class="pt recent about" data-key="{about}"' in body
    assert body.count('class="hole"') == 1
    assert "A hollow dot is approximate" in text_of(response)
    row = body.split(f'<tr data-key="{about}"')[1].split("</tr>")[0]
    assert "coarser territory" in row
    lines = analyst.get("/board/PN-Z1/?hours=1&format=csv").content.decode("utf-8-sig").splitlines()
    assert sum("-79.7" in line for line in lines) == 1  # in a file stands what was stated


def test_a_point_is_drawn_where_its_area_is(country, kinds):
    made_here = made(country, "PN-Z1")
    frame = made_here.drawn[1].frame
    width, height = map(float, made_here.drawn[1].view_box.split()[2:])
    assert frame.place(-81.0, 1.0) == pytest.approx((0, 0))
    assert frame.place(-78.0, -5.0) == pytest.approx((width, height), abs=1)


def test_two_hundred_are_shown_and_the_files_hold_all(country, kinds, analyst):
    happened(country, kinds["T.FIRE"], "01D01C01", NOW - 5 * MINUTE, count=203)
    response = analyst.get("/board/PN-Z1/?hours=1")
    assert response.content.decode().count("<tr data-key") == 200 + 2
    assert "3 earlier events are not listed here" in text_of(response)
    lines = analyst.get("/board/PN-Z1/?hours=1&format=csv").content.decode("utf-8-sig").splitlines()
    assert sum("Fire" in line for line in lines) == 203
    assert analyst.get("/board/PN-Z1/?hours=1&format=xlsx").content[:2] == b"PK"


def test_where_nothing_happened_it_says_what_to_do(analyst):
    said = text_of(analyst.get("/board/PN-Z1/?hours=1"))
    assert "Nothing has happened since 14:30" in said
    assert "ask whoever runs the feeds" in said


def test_a_unit_without_a_territory_says_so(country, at_now, standing_country):
    unit = country.unit("PN-01D01C01")
    type(unit).objects.filter(pk=unit.pk).update(territory=None)
    response = signed_in(country.people["analyst"]).get("/board/PN-01D01C01/")
    assert response.status_code == 200
    assert "covers no territory" in text_of(response)


@pytest.mark.parametrize("hours", ["0", "2", "x", "１", "9" * 400])
def test_hours_that_are_not_offered_are_not_found(analyst, hours):
    assert analyst.get(f"/board/PN-Z1/?hours={hours}").status_code == 404


def test_the_page_asks_the_same_number_of_questions_however_many_events(country, kinds, analyst, count_queries):
    analyst.get("/board/PN-Z1/")
    asked = []
    for count in (1, 60):
        happened(country, kinds["T.FIRE"], "01D01C01", NOW - 5 * MINUTE, count=count, point=(-79.7, -3.7))
        cache.clear()
        with count_queries() as queries:
            analyst.get("/board/PN-Z1/")
        asked.append(len(queries.page))
    assert asked[0] == asked[1] <= 17


def test_the_scorecard_leads_to_the_board_those_who_may_see_it(country):
    for person, is_led in (("analyst", True), ("viewer", False)):
        body = signed_in(country.people[person]).get("/units/PN-Z1/?month=2023-10").content.decode()
        assert ('href="/board/PN-Z1/"' in body) is is_led

"""The large map says of every level and month what the scorecards say, and its table, file and slider say the same."""

import calendar
import csv
import io
import json
import math
import re
from datetime import date

import numpy as np
import pytest

from scorecard.models import Card, Position
from tests.scorecard.country import text_of
from units.models import Population, Unit

pytestmark = pytest.mark.django_db
PAGE = "/map/PN-EC/"
OCTOBER = "month=2023-10"


@pytest.fixture
def country(standing_country):
    return standing_country


def areas(response, which="map"):
    """What a screen reader hears of every area of one of the maps, by code."""
    body = response.content.decode()
    drawn = re.search(rf'data-map="{which}".*?</figure>', body, re.S)[0]
    return {code: label for label, code in re.findall(r'aria-label="([^"]*)" data-code="([^"]*)"', drawn)}


def columns(client, query):
    return json.loads(client.get(f"/map/PN-EC/months.json?{query}").content)


def place_of(code):
    return Position.objects.get(indicator__code=code).position


@pytest.mark.parametrize(("steps", "prefix"), [(1, "PN-Z"), (2, "PN-0"), (3, "PN-0")])
def test_every_level_draws_the_units_so_many_steps_below(minister, country, steps, prefix):
    drawn = areas(minister.get(f"{PAGE}?{OCTOBER}&steps={steps}"))
    depth = len(country.unit("PN-EC").path) + steps
    expected = Unit.objects.filter(path__len=depth, institution__code="PN", territory__is_delimited=True)
    assert set(drawn) == set(expected.values_list("code", flat=True))
    assert all(code.startswith(prefix) for code in drawn)


def test_figures_of_all_months_are_those_of_the_cards_one_by_one(minister, country):
    data = columns(minister, f"{OCTOBER}&steps=2&by=PN.HOMICIDES&span=month")
    place = place_of("PN.HOMICIDES")
    cards = {(f"{card.month:%Y-%m}", card.unit.code): card for card in Card.objects.select_related("unit").iterator()}
    seen = 0
    for month, figures, looks in zip(data["months"], data["figures"], data["look"], strict=True):
        for code, figure, look in zip(data["codes"], figures, looks, strict=True):
            card = cards.get((month, code))
            value = card.value[place] if card is not None and len(card.value) > place else math.nan
            assert (figure is None) == math.isnan(value)
            assert figure is None or figure == value
            assert data["looks"][look]["words"]
            seen += figure is not None
    assert seen > 20


def test_what_drives_the_light_is_shown_and_coloured_as_on_the_scorecard(minister):
    for by in ("overall", "PN.HOMICIDES", "PN.SOLVED"):
        large = areas(minister.get(f"{PAGE}?{OCTOBER}&by={by}"))
        body = minister.get(f"/units/PN-EC/?{OCTOBER}&by={by}").content.decode()
        small = {code: label for label, code in re.findall(r'aria-label="([^"]*)" data-code="([^"]*)"', body)}
        assert large == small


def test_a_cited_line_is_drawn_by_the_units_that_answer_for_it(minister, country):
    response = minister.get(f"/map/EST-EC/?{OCTOBER}&by=PN.SOLVED&classes=equal")
    assert response.status_code == 302
    assert response.url == "/map/PN-EC/?month=2023-10&by=PN.SOLVED&classes=equal"
    assert areas(minister.get(response.url))
    assert minister.get(f"/map/EST-EC/?{OCTOBER}").status_code == 200, "the state's own score"
    card = text_of(minister.get(f"/units/EST-EC/?{OCTOBER}&by=PN.SOLVED"))
    assert "Units of another institution answer for this indicator. Their map" in card
    assert "Their map" not in text_of(minister.get(f"/units/PN-EC/?{OCTOBER}&by=PN.SOLVED"))


@pytest.mark.parametrize(("span", "when"), [("month", "October 2023"), ("year", "year to October 2023")])
def test_a_figure_of_the_year_is_not_told_as_one_of_its_month(minister, span, when):
    query = f"{OCTOBER}&by=PN.HOMICIDES&span={span}"
    response = minister.get(f"{PAGE}?{query}")
    assert re.search(rf"of National Police, {when}: from \d", text_of(response))
    assert f"Intentional homicides, {when}" in columns(minister, query)["titles"]
    assert f">{when}<" in response.content.decode(), "the heading of its column"


def test_a_colour_means_the_same_in_both_months_and_in_all(minister):
    response = minister.get(f"{PAGE}?{OCTOBER}&steps=2&by=PN.HOMICIDES&classes=natural&beside=2022-10")
    legends = re.findall(r'<ul class="legend">(.*?)</ul>', response.content.decode(), re.S)
    words = [re.findall(r"</svg> ([^<]*)", legend) for legend in legends]
    assert len(words) == 2
    assert words[0] == words[1]
    assert set(areas(response)) == set(areas(response, "beside"))
    data = columns(minister, f"{OCTOBER}&steps=2&by=PN.HOMICIDES&classes=natural")
    assert [look["words"].strip() for look in data["looks"][1:]] == [one.strip() for one in reversed(words[0])]


def test_a_bubbles_area_is_to_the_largest_as_the_figures_are(minister):
    data = columns(minister, f"{OCTOBER}&steps=2&by=PN.HOMICIDES&drawn=bubbles&span=month")
    body = minister.get(f"{PAGE}?{OCTOBER}&steps=2&by=PN.HOMICIDES&drawn=bubbles&span=month").content.decode()
    drawn = dict(re.findall(r'data-code="([^"]*)"><circle [^>]*r="([0-9.]+)"', body))
    at = data["months"].index("2023-10")
    for code, figure in zip(data["codes"], data["figures"][at], strict=True):
        if code in drawn:
            expected = data["largest"] * math.sqrt((figure or 0) / data["most"])
            assert float(drawn[code]) == pytest.approx(expected, abs=0.06)
    assert data["most"] == max(value for row in data["figures"] for value in row if value is not None)
    assert body.count('class="ground"') == len(drawn) > 2


def test_a_place_is_found_by_name_by_code_or_by_what_lies_in_it(minister):
    by_name = text_of(minister.get(f"{PAGE}?{OCTOBER}&place=zone+1"))
    assert re.search(r"Zone 1: [0-9.]+, ", by_name)
    assert text_of(minister.get(f"{PAGE}?{OCTOBER}&place=PN-Z1")).count("Zone 1: ") >= 1
    within = text_of(minister.get(f"{PAGE}?{OCTOBER}&place=PN-02D01"))
    assert "lies in" in within
    assert "Zone 2: " in within
    body = minister.get(f"{PAGE}?{OCTOBER}&place=PN-Z2").content.decode()
    assert re.search(r'data-code="PN-Z2"><path [^>]*/><path class="sought"', body)
    assert "Nothing here is called Quito" in text_of(minister.get(f"{PAGE}?{OCTOBER}&place=Quito"))


def test_the_files_hold_what_is_drawn_and_all_months(minister):
    query = f"{OCTOBER}&steps=2&by=PN.HOMICIDES&span=month"
    data = columns(minister, query)
    text = minister.get(f"{PAGE}?{query}&format=csv&table=months").content.decode("utf-8-sig")
    rows = [row for row in csv.reader(io.StringIO(text)) if len(row) > 10]
    assert rows[0][2:] == data["months"]
    held = {row[0]: [float(cell) if cell else None for cell in row[2:]] for row in rows[1:]}
    assert held == {code: list(of) for code, of in zip(data["codes"], zip(*data["figures"], strict=True), strict=True)}


def test_the_highest_stands_first_and_the_answer_names_both_ends(minister):
    response = minister.get(f"{PAGE}?{OCTOBER}&steps=2&by=PN.HOMICIDES&span=month")
    figures = [float(v) for v in re.findall(r'<td class="n key" data-v="([^"]*)"', response.content.decode())]
    assert figures == sorted(figures, reverse=True)
    assert len(figures) > 2
    data = columns(minister, f"{OCTOBER}&steps=2&by=PN.HOMICIDES&span=month")
    at = data["figures"][data["months"].index("2023-10")]
    most = data["names"][int(np.nanargmax([math.nan if v is None else v for v in at]))]
    assert f"in {most}." in text_of(response)


def changes_in(response):
    """{code: (figure, figure beside, ratio, what it says)} of the table of a split map."""
    text = response.content.decode("utf-8-sig")
    rows = [row for row in csv.reader(io.StringIO(text)) if len(row) >= 8]
    at = {name: rows[0].index(name) for name in ("Code", "Ratio", "Beyond chance")}
    return {row[at["Code"]]: (row[2], row[4], row[at["Ratio"]], row[at["Beyond chance"]]) for row in rows[1:]}


@pytest.mark.parametrize("span", ["month", "year"])
def test_a_split_map_says_which_counts_changed_by_more_than_chance(minister, country, span):
    query = f"{OCTOBER}&beside=2022-10&steps=3&by=PN.HOMICIDES&span={span}"
    cards = Card.objects.filter(unit__code="PN-01D01C01", month="2023-10-01")
    for card in cards:
        card.value[place_of("PN.HOMICIDES")], card.to_date_value[place_of("PN.HOMICIDES")] = 900, 9000
        card.save()
    found = changes_in(minister.get(f"{PAGE}?{query}&format=csv&table=areas"))
    assert found["PN-01D01C01"][3] == "more"
    assert {says for *_figures, says in found.values()} == {"more", "≈ chance"}
    now, before, ratio, _says = found["PN-01D01C02"]
    days = days_with_figures(minister, "PN-01D01C02", "2023" if span == "year" else "2023-10")
    days /= days_with_figures(minister, "PN-01D01C02", "2022" if span == "year" else "2022-10")
    assert float(ratio.split()[0]) == pytest.approx(float(now) / float(before) / days, abs=0.006)


@pytest.mark.parametrize("span", ["month", "year"])
def test_a_split_map_tries_rates_over_the_population_by_the_events_behind_them(minister, country, span):
    place = Position.objects.get(indicator__code="PN.HOMICIDERATE", institution__code="PN").position
    unit = country.unit("PN-01D01C01")
    people = Population.objects.get(territory=unit.territory, year=2023).people
    for card in Card.objects.filter(unit=unit, month="2023-10-01"):
        card.value[place] = 900 * 100_000 / people
        card.save()
    query = f"{OCTOBER}&beside=2022-10&steps=3&by=PN.HOMICIDERATE&span={span}"
    found = changes_in(minister.get(f"{PAGE}?{query}&format=csv&table=areas"))
    assert found["PN-01D01C01"][3] == "more"
    assert {says for *_figures, says in found.values()} <= {"more", "≈ chance", ""}
    if span == "month":  # as many people and days: the ratio of the rates is that of the events
        now, before, ratio, _says = found["PN-01D01C01"]
        assert float(ratio.split()[0].replace(",", "")) == pytest.approx(float(now) / float(before), rel=0.01)
    assert "by day and inhabitant" in text_of(minister.get(f"{PAGE}?{query}"))


def days_with_figures(client, code, year):
    """Days of the months to October that have a figure of the unit."""
    data = columns(client, f"{OCTOBER}&beside=2022-10&steps=3&by=PN.HOMICIDES&span=month")
    at = data["codes"].index(code)
    known = zip(data["months"], data["figures"], strict=True)
    months = [month for month, row in known if month.startswith(year) and month[5:] <= "10" and row[at] is not None]
    return sum(calendar.monthrange(int(month[:4]), int(month[5:]))[1] for month in months)


def test_what_is_no_count_and_a_month_that_runs_carry_no_word_on_chance(minister, country, monkeypatch):
    for query in ("by=PN.SOLVED", ""):
        body = text_of(minister.get(f"{PAGE}?{OCTOBER}&beside=2022-10&{query}"))
        assert "Beyond chance" not in body
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args: date(2023, 10, 20))
    assert "Beyond chance" not in text_of(minister.get(f"{PAGE}?{OCTOBER}&beside=2022-10&by=PN.HOMICIDES"))


def test_who_may_not_see_the_unit_finds_no_map(country, client):
    assert client.get(PAGE).status_code == 302
    from tests.scorecard.country import signed_in

    commander = signed_in(country.people["nobody"])
    assert commander.get(PAGE).status_code == 404
    assert commander.get("/map/PN-EC/months.json").status_code == 404


def test_a_unit_with_nothing_below_says_what_to_do(minister, country):
    leaf = Unit.objects.filter(institution__code="PN").order_by("-path__len", "code").first()
    assert "Nothing below" in text_of(minister.get(f"/map/{leaf.code}/?{OCTOBER}"))


@pytest.mark.parametrize("steps", [1, 3])
def test_the_page_asks_as_many_questions_of_any_level(minister, django_assert_max_num_queries, steps):
    with django_assert_max_num_queries(9):
        assert minister.get(f"{PAGE}?{OCTOBER}&steps={steps}&beside=2022-10").status_code == 200

"""The page of hot spots: a map with its method printed, the same as a table and a file, and one cell opened."""

import csv
import io
import re
from datetime import date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.cache import cache
from django.utils import translation

from incidents.hotspots import coverage
from incidents.hotspots.analysis import HotSpots
from incidents.hotspots.near_repeat import Knox
from incidents.hotspots.trend import Change
from scorecard.hotspots import asked, cautions, spots, tables
from scorecard.hotspots.words import CHANGES, ONE, answer
from tests.scorecard.country import signed_in, text_of
from tests.scorecard.events import happened
from tests.scorecard.hotspots.town import HERE, middle_of, town
from units.models import Boundary

pytestmark = pytest.mark.django_db
PAGE = "/hotspots/PN-01D01/"
TWO_YEARS = "first=2022-03-01&last=2023-12-31"


@pytest.fixture
def analyst(country):
    return signed_in(country.people["analyst"])


def rows_of(response):
    """(notes by label, rows as dicts) of a CSV file."""
    text = response.content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    split = lines.index([])
    heading = lines[split + 1]
    notes = {line[0].removeprefix("# "): line[1] for line in lines[:split]}
    return notes, [dict(zip(heading, line, strict=True)) for line in lines[split + 2 :]]


def test_it_is_for_those_who_may_analyse_there(country):
    for person, code, status in (
        ("analyst", "PN-Z1", 200),
        ("analyst", "PN-01D01C01", 200),
        ("analyst", "PN-Z2", 404),
        ("viewer", "PN-Z1", 403),
        ("nobody", "PN-Z1", 404),
    ):
        client = signed_in(country.people[person])
        for query in ("", "?format=csv"):
            assert client.get(f"/hotspots/{code}/{query}").status_code == status, (person, code)


METHODS = {  # and what the page says of the bandwidth when 3 km are asked for
    "gi": "3 km, as asked for",
    "density": "3 km, as asked for",
    "counts": "each cell on its own",
    "emerging": "3 km, as asked for",
    "risk": "cells alone and widths from 1 km to 8 km, mixed",
    "points": "each cell on its own",
    "auto": "3 km, as asked for|each cell on its own|cells alone and widths",
}


@pytest.mark.parametrize("method", METHODS)
def test_every_map_prints_its_method_and_settings(analyst, method):
    body = text_of(analyst.get(f"{PAGE}?{TWO_YEARS}&method={method}&bandwidth=3000&cell=2000"))
    for words in ("squares of 2 km", "207 events with a point", "10 % (23 of 230): not on the map", "every category"):
        assert words in body, words
    assert "March 2022 to December 2023" in body
    assert re.search(METHODS[method], body)
    assert len(METHODS) == len(asked.METHODS), "each method is asked here"


@pytest.mark.parametrize("method", METHODS)
def test_a_cell_opens_on_every_map_with_the_figure_that_colours_it(analyst, method):
    address = f"{PAGE}?{TWO_YEARS}&cell=2000&method={method}"
    notes, rows = rows_of(analyst.get(f"{address}&format=csv"))
    assert rows
    assert notes["Method"]
    where = f"{address}&spot={rows[0]['longitude']},{rows[0]['latitude']}"
    body = text_of(analyst.get(where))
    assert "Cell of 2 km" in body
    label = {"gi": "Gi* (z)", "density": "Events/km²", "risk": "Expected/km²"}.get(method, "Events")
    section = re.search(r'id="cell".*?</dl>', analyst.get(where).content.decode(), re.S)[0]
    assert f"<dt>{label}</dt>" in section
    _notes, events = rows_of(analyst.get(f"{where}&format=csv&table=cell-events"))
    assert len(events) == int(rows[0]["Events"])


def test_the_corner_where_most_happens_is_hot(analyst):
    response = analyst.get(f"{PAGE}?{TWO_YEARS}&method=gi&format=csv")
    notes, rows = rows_of(response)
    assert notes["Unit"] == "PN-01D01"
    assert "Getis-Ord" in notes["Method"]
    assert "Silverman" in notes["Bandwidth"]
    assert float(rows[0]["Gi* (z)"]) > 5
    assert float(rows[0]["False discoveries"]) < 0.01
    body = analyst.get(f"{PAGE}?{TWO_YEARS}&method=gi").content.decode()
    shown = re.findall(r'data-v="(-?[\d.]+)"', body)
    assert f"{float(rows[0]['Gi* (z)']):.10g}" in shown


def test_the_class_of_one_cell_is_told_as_of_one():
    with translation.override("es"):
        assert [str(one) for one in ONE.values()] == ["nueva", "en aumento", "persistente", "en descenso", "esporádica"]
        assert str(CHANGES[Change.NEW]) == "nuevas"
    assert ONE.keys() == CHANGES.keys()


@pytest.mark.parametrize("method", METHODS)
def test_the_table_lists_the_cells_that_the_map_links_in_the_same_order(analyst, method):
    body = analyst.get(f"{PAGE}?{TWO_YEARS}&method={method}").content.decode()
    in_map = re.findall(r'<a href="(\?[^"]*spot=[^"]*)" aria-label', body)
    in_table = re.findall(r'<th scope="row"[^>]*><a href="(\?[^"]*spot=[^"]*)">', body)
    assert in_map
    assert in_map == in_table


def test_a_cell_opens_its_events_and_the_units_that_cover_it(analyst):
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{TWO_YEARS}&format=csv&method=counts"))
    spot = f"{rows[0]['longitude']},{rows[0]['latitude']}"
    address = f"{PAGE}?{TWO_YEARS}&method=counts&spot={spot}"
    body = text_of(analyst.get(address))
    assert "Units that cover it" in body
    assert "PN-01D01C01" in body
    _notes, events = rows_of(analyst.get(f"{address}&format=csv&table=cell-events"))
    assert len(events) == int(rows[0]["Events"])
    assert {event["Category"] for event in events} == {"Of persons"}
    assert "Cell of" not in text_of(analyst.get(f"{PAGE}?{TWO_YEARS}&spot=0,0"))  # elsewhere: nothing is opened


def test_filters_are_in_the_address_and_written_on_the_file(analyst, country, kinds):
    happened(country, kinds["T.FIRE"], "01D01C01", datetime(2023, 6, 4, 23, 30, tzinfo=HERE), point=middle_of(country))
    asked = f"{TWO_YEARS}&category=T.FIRE&from_hour=22&to_hour=6&day=7&method=counts"
    notes, rows = rows_of(analyst.get(f"{PAGE}?{asked}&format=csv"))
    assert notes["Filters"] == "Fire; from 22:00 to 06:00; Sunday"
    assert [row["Events"] for row in rows] == ["1"]
    notes, rows = rows_of(analyst.get(f"{PAGE}?{asked.replace('day=7', 'day=1')}&format=csv"))
    assert rows == []


def test_few_events_are_counted_and_the_page_says_why(analyst):
    body = text_of(analyst.get(f"{PAGE}?first=2023-12-01&last=2023-12-31"))
    assert "too few to tell a pattern from chance" in body
    assert "Fewer than 30 events" in body
    assert "Events counted in each cell" in body


def test_without_events_it_says_what_to_do(analyst):
    body = text_of(analyst.get(f"{PAGE}?first=2001-01-01&last=2001-12-31"))
    assert "No event with a point" in body
    assert "Take a longer window" in body


def test_windows_that_do_not_compare_are_warned_of(analyst, country, kinds):
    assert "They do not compare" not in text_of(analyst.get(f"{PAGE}?first=2023-01-01&last=2023-12-31"))
    for day in range(1, 29):
        happened(country, kinds["T.FIRE"], "01D01C01", datetime(2023, 5, day, 12, tzinfo=HERE), count=3)
    cache.clear()  # the months are kept for a while
    assert "They do not compare" in text_of(analyst.get(f"{PAGE}?first=2023-01-01&last=2023-12-31"))


@pytest.mark.parametrize("method", ["density", "emerging", "auto"])
def test_a_map_over_years_of_different_coverage_says_so(analyst, country, kinds, method):
    words = "their share changes within this window"
    asked = f"{PAGE}?{TWO_YEARS}&cell=2000&method={method}"
    assert words not in text_of(analyst.get(asked))
    for month in range(1, 13):
        happened(country, kinds["T.FIRE"], "01D01C01", datetime(2023, month, 5, 12, tzinfo=HERE), count=20)
    cache.clear()  # the months are kept for a while
    body = text_of(analyst.get(asked))
    assert words in body
    low, high = re.search(r"from ([\d.]+) % \([^)]*\) to (\d+) % \([^)]*2023\): what looks empty", body).groups()
    assert float(low) <= 15
    assert float(high) > 60


def test_its_warnings_are_one_notice_and_stand_in_every_file(analyst, country, kinds):
    for month in range(1, 13):
        happened(country, kinds["T.FIRE"], "01D01C01", datetime(2023, month, 5, 12, tzinfo=HERE), count=20)
    cache.clear()  # the months are kept for a while
    address = f"{PAGE}?first=2023-01-01&last=2023-12-31&cell=2000&near=1&test=1"
    page = analyst.get(address).content.decode()
    assert page.count('class="notice"') == 1
    (notice,) = re.findall(r'<(?:ul|p) class="notice">.*?</(?:ul|p)>', page)
    said = re.findall(r"<li>(.*?)</li>", notice) or re.findall(r"<p[^>]*>(.*?)</p>", notice)
    assert any("They do not compare" in text for text in said)
    _notes, rows = rows_of(analyst.get(f"{address}&format=csv"))
    spot = f"{rows[0]['longitude']},{rows[0]['latitude']}"
    for table in ("cells", "near", "tested", "cell-events"):
        text = analyst.get(f"{address}&spot={spot}&format=csv&table={table}").content.decode("utf-8-sig")
        cautions = [line[1] for line in csv.reader(io.StringIO(text)) if line and line[0] == "# Caution"]
        assert cautions == [" ".join(text.split()) for text in said], table


def test_sources_that_began_together_are_one_line_which_is_not_said_twice():
    began = {2: date(2023, 5, 1), 1: date(2023, 5, 1), 3: date(2023, 4, 1)}
    assert cautions._by_month(began) == [(date(2023, 4, 1), [3]), (date(2023, 5, 1), [2, 1])]
    within = coverage.Unevenness(began={1: date(2023, 5, 1)})
    assert cautions._differences(coverage.Difference(new=[1]), within) == []
    assert len(cautions._differences(coverage.Difference(new=[1, 4]), within)) == 1


@pytest.mark.parametrize("query", ["method=auto", "method=risk", "method=gi&test=1"])
def test_what_is_learnt_from_the_past_is_learnt_on_so_many_cells_as_one_waits_for(analyst, monkeypatch, query):
    monkeypatch.setattr(spots, "MOST_LEARNT", 400)
    address = f"{PAGE}?{TWO_YEARS}&cell=250"
    assert "Cells as small as asked for would be too many here" in text_of(analyst.get(f"{address}&{query}"))
    assert "would be too many" not in text_of(analyst.get(f"{address}&method=counts"))


def test_near_repeats_are_tested_when_asked_for(analyst, country, kinds):
    assert "Knox" not in text_of(analyst.get(f"{PAGE}?{TWO_YEARS}"))
    body = text_of(analyst.get(f"{PAGE}?{TWO_YEARS}&near=1"))
    assert "Knox's test of the latest 207 events" in body
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{TWO_YEARS}&near=1&format=csv&table=near"))
    assert len(rows) == 9
    assert {row["In words"] for row in rows} <= {
        "as chance would have it", "more than chance", "more than chance, but little", "no pairs to judge by"
    }  # fmt: skip


def test_the_strip_leads_to_the_window_that_ends_with_each_month(analyst):
    body = analyst.get(f"{PAGE}?first=2023-10-01&last=2023-12-31").content.decode()
    assert body.count('class="bar"') == 24
    assert 'href="?first=2023-09-01&amp;last=2023-11-30' in body
    assert body.count('class="shown"') == 3


@pytest.mark.usefixtures("english")
def test_where_gi_finds_nothing_it_still_says_how_much_lies_where_most_does():
    """Ten cells of 200 with ten events each, none beside another: what gathers in cells is not called chance."""
    counts = np.zeros((10, 20), int)
    counts[::2, ::10] = 10
    surface = SimpleNamespace(is_hot=np.zeros(counts.shape, bool))
    found = HotSpots(None, np.ones(counts.shape, bool), counts, surface, 500.0, 0, 100)
    window = asked.Asked(date(2023, 1, 1), date(2023, 12, 31))
    unit = SimpleNamespace(local_name="North")
    drawn = SimpleNamespace(unit=unit, asked=window, points=range(100), is_too_few=False, method="gi", found=found)
    said = answer(drawn).replace("\u202f", " ")
    assert "do not lie together more than by chance" in said
    assert "The 3.0 % with most of them holds 60 % of 100 events" in said


def test_the_risk_map_answers_where_and_how_much_that_has_held(analyst):
    body = text_of(analyst.get(f"{PAGE}?{TWO_YEARS}&method=risk&cell=2000"))
    assert re.search(r"The next events are likeliest in the [\d.]+ % of .+ that held \d+ % of 207 events", body)


def test_one_day_is_told_as_one(analyst):
    body = text_of(analyst.get(f"{PAGE}?first=2023-12-01&last=2023-12-01"))
    assert "Dec. 1, 2023" in body
    assert "Dec. 1, 2023 to" not in body


def test_an_area_that_is_a_guess_is_said_to_be_one(analyst, country):
    words = "the rectangle around its events"
    assert words not in text_of(analyst.get(f"{PAGE}?{TWO_YEARS}"))
    Boundary.objects.filter(territory__code="01D01").delete()
    assert words in text_of(analyst.get(f"{PAGE}?{TWO_YEARS}"))


def test_a_unit_without_a_territory_says_what_to_do(country):
    unit = country.unit("PN-01D01C02")
    type(unit).objects.filter(pk=unit.pk).update(territory=None)
    body = text_of(signed_in(country.people["analyst"]).get("/hotspots/PN-01D01C02/"))
    assert "covers no territory" in body


def test_questions_do_not_grow_with_the_events(analyst, country, kinds, count_queries):
    def asked():
        cache.clear()
        with count_queries() as queries:
            assert analyst.get(f"{PAGE}?{TWO_YEARS}").status_code == 200
        return len(queries)

    asked()  # the lines of the territories are kept from now on
    few = asked()
    town(country, kinds["T.FIRE"], seed=2, count=300)
    assert asked() == few
    assert few <= 26


def test_what_knox_says_in_words_is_the_strongest_band(country):
    observed = np.array([[40, 20], [20, 20]])
    expected = np.full((2, 2), 20.0)
    found = Knox(100, (200.0, 400.0), (7, 14), 199, observed, expected, np.array([[0.005, 0.5], [0.5, 0.5]]))
    said = tables.knox_words(SimpleNamespace(knox=found))
    assert "0–200 m" in said
    assert "2" in said


def test_the_latest_events_are_those_that_are_shown_by_itself(analyst):
    assert "January 2023 to December 2023" in text_of(analyst.get(PAGE))

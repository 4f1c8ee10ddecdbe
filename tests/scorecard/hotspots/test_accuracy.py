"""The page says how good each method was on the territory's own past, and draws the risk of the next months."""

import re
from datetime import date

import numpy as np
import pytest
from django.core.cache import cache
from django.http import QueryDict

from incidents.hotspots import accuracy
from scorecard.hotspots.asked import read_address
from scorecard.hotspots.spots import Spots
from tests.scorecard.country import signed_in, text_of
from tests.scorecard.hotspots.test_page import PAGE, TWO_YEARS, rows_of
from tests.scorecard.hotspots.town import NOW, box_of
from units.models import Boundary

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst(country):
    return signed_in(country.people["analyst"])


def test_every_method_is_held_against_what_came_next_when_asked(analyst):
    first = analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000&method=gi")
    assert "test=1" in first.content.decode()
    assert "PEI" not in text_of(first)
    body = text_of(analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000&test=1"))
    for words in ("was best here", "PAI at 3 %", "PEI", "RRI", "Hits of one patrol", "Draw it", "next 91 days"):
        assert words in body, words


def test_the_table_as_a_file_has_the_best_method_first(analyst):
    notes, rows = rows_of(analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000&test=1&format=csv&table=tested"))
    assert len(rows) == 7
    assert notes["Unit"] == "PN-01D01"
    figures = [[float(text) for text in list(row.values())[1:]] for row in rows]
    pai = [row[0] for row in figures]
    assert pai == sorted(pai, reverse=True)
    assert pai[0] > 1, "half of the events are in one corner"
    for figures_of in figures:
        triples = [figures_of[n : n + 3] for n in range(0, len(figures_of), 3)]
        assert all(low <= middle <= high for middle, low, high in triples)
        _pai, pei, _rri, at_1, at_3, at_5, patrol = (middle for middle, _low, _high in triples)
        assert 0 <= pei <= 1
        assert 0 <= at_1 <= at_3 <= at_5 <= 100
        assert patrol >= at_5, "a circuit, half of the district, is what a patrol has here"


def test_the_page_shows_every_figure_with_its_interval(analyst):
    address = f"{PAGE}?{TWO_YEARS}&cell=2000&test=1"
    section = re.search(r'id="tested".*?</section>', analyst.get(address).content.decode(), re.S)[0]
    rows = re.findall(r"<tr.*?</tr>", section, re.S)[1:]
    _notes, held = rows_of(analyst.get(f"{address}&format=csv&table=tested"))
    assert len(rows) == len(held) == 7
    for row, numbers in zip(rows, held, strict=True):
        shown = [float(text) for three in re.findall(r"([\d.]+) \(([\d.]+)–([\d.]+)\)", row) for text in three]
        assert shown == pytest.approx([float(text) for text in list(numbers.values())[1:]], abs=0.051)
        assert shown[:9] == pytest.approx([float(text) for text in list(numbers.values())[1:10]], abs=0.0051)


def test_a_patrol_is_the_mean_of_the_lowest_territories_or_as_asked_for(analyst, country):
    address = f"{PAGE}?{TWO_YEARS}&cell=2000&test=1"
    area = re.search(r"One patrol: ([\d,]+) km², the mean area of the 2 lowest", text_of(analyst.get(address)))[1]
    west, south, east, north = box_of(country, "01D01C01")
    degree = 111.195
    assert abs(int(area.replace(",", "")) / ((east - west) * (north - south) * degree**2) - 1) < 0.02
    asked = analyst.get(f"{address}&patrol=5")
    assert "One patrol: 5.00 km², as asked for" in text_of(asked)
    assert "&amp;patrol=5" in asked.content.decode(), "links keep it"
    hits = [
        float(rows_of(analyst.get(f"{address}&patrol={n}&format=csv&table=tested"))[1][0]["Hits of one patrol"])
        for n in (5, 500)
    ]
    assert hits[0] < hits[1]
    Boundary.objects.filter(territory__code__startswith="01D01C").delete()
    cache.clear()
    assert "One patrol: 1.00 km², as no boundary below says it" in text_of(analyst.get(address))
    assert analyst.get(f"{address}&patrol=0").status_code == 400


def test_the_method_that_foretold_best_is_drawn_by_itself_and_says_its_score(analyst):
    response = analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000")
    body = text_of(response)
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000&format=csv&table=tested"))
    best = rows[0]
    name, _comma, width = best["Method"].partition(", ")
    assert f"{name}, March 2022 to December 2023" in body, "the map's title names it"
    if width:
        assert f"{width}, by test" in body, "with the bandwidth that it was tested with"
    assert f"Chosen by test, the best of {len(rows)}. The choosing itself, each time by earlier windows alone" in body
    # Stepping through time keeps the method, so that months compare.
    steps = re.findall(r'href="(\?[^"]*)" data-step', response.content.decode())
    assert steps
    assert all("method=auto" not in step and "method=" in step for step in steps)


@pytest.mark.parametrize("window", [TWO_YEARS, "first=2023-01-01&last=2023-12-31"])
def test_the_score_beside_the_map_is_of_choosing_not_of_the_best_by_hindsight(country, analyst, window):
    asked = read_address(QueryDict(f"{window}&cell=2000"), lambda: date(2024, 1, 9))
    found = Spots(country.unit("PN-01D01"), asked, NOW).tested
    pai, low, high = accuracy.interval(found.choosing)
    assert not np.isnan(found.choosing).any(), "each window of the table has one that was over before it"
    at = accuracy.SHARES.index(accuracy.MAIN)
    each = np.array([score.pai[:, at] for score in found.scores.values()])
    assert (found.choosing <= each.max(0)).all()
    body = text_of(analyst.get(f"{PAGE}?{window}&cell=2000"))
    said = re.search(r"held against the next: PAI ([\d.]+) \(([\d.]+) to ([\d.]+)\) at 3", body).groups()
    assert [float(text) for text in said] == pytest.approx([pai, low, high], abs=0.051)


def test_what_was_chosen_by_test_is_drawn_as_when_it_is_asked_for(analyst):
    chosen = analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000&format=csv")
    body = analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000").content.decode()
    href = re.search(r'id="tested-title".*?<a href="(\?[^"]*)"', body, re.S)[1].replace("&amp;", "&")
    asked = analyst.get(f"{PAGE}{href}&format=csv")
    assert rows_of(chosen)[1] == rows_of(asked)[1]


def test_a_window_too_short_says_so(analyst):
    body = text_of(analyst.get(f"{PAGE}?first=2023-11-01&last=2023-12-15&test=1"))
    assert "too short" in body or "too few" in body


def test_the_risk_of_the_next_months_is_drawn_with_its_method(analyst):
    response = analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000&method=risk")
    body = text_of(response)
    for words in ("Risk of the next months", "likeliest", "expectation-maximisation", "Expected/km²"):
        assert words in body, words
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000&method=risk&format=csv"))
    values = [float(row["Expected/km²"]) for row in rows]
    assert values
    assert values == sorted(values, reverse=True)

"""The page says how good each method was on the territory's own past, and draws the risk of the next months."""

import re

import pytest

from tests.scorecard.country import signed_in, text_of
from tests.scorecard.hotspots.test_page import PAGE, TWO_YEARS, rows_of

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
    for first, low, high, pei, _rri, at_1, at_3, at_5, _patrol in figures:
        assert low <= first <= high
        assert 0 <= pei <= 1
        assert 0 <= at_1 <= at_3 <= at_5 <= 100


def test_the_method_that_foretold_best_is_drawn_by_itself_and_says_its_score(analyst):
    response = analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000")
    body = text_of(response)
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{TWO_YEARS}&cell=2000&format=csv&table=tested"))
    best = rows[0]
    name, _comma, width = best["Method"].partition(", ")
    assert f"{name}, March 2022 to December 2023" in body, "the map's title names it"
    if width:
        assert f"{width}, by test" in body, "with the bandwidth that it was tested with"
    assert f"Chosen by test, the best of {len(rows)}: PAI {float(list(best.values())[1]):.1f}" in body
    # Stepping through time keeps the method, so that months compare.
    steps = re.findall(r'href="(\?[^"]*)" data-step', response.content.decode())
    assert steps
    assert all("method=auto" not in step and "method=" in step for step in steps)


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

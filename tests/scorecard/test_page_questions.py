"""Pages ask as many questions in a large country as in a small one, and say what to do in an empty one."""

import pytest
from django.db import transaction

from tests.factories import small_country
from tests.scorecard.country import signed_in, text_of

pytestmark = pytest.mark.django_db
LARGER = {"zones": 4, "districts": 3, "months": 26}
HOT = [f"/units/PN-EC/{path}{query}" for path in ("", "card.json", "map.json") for query in ("", "?by=PN.SOLVED")]
INDICATOR = "/units/PN-EC/indicators/PN.HOMICIDES/"


class UndoError(Exception):
    pass


@pytest.fixture
def questions(count_queries):
    """{address: how many questions a warm page asks beside session and user}, in a country of some size."""

    def count(addresses, **size):
        found = {}
        try:
            with transaction.atomic():
                client = signed_in(small_country(**size).people["minister"])
                for address in addresses:
                    assert client.get(address).status_code == 200
                    with count_queries() as queries:
                        client.get(address)
                    found[address] = len(queries.page)
                raise UndoError
        except UndoError:
            return found

    return count


def test_a_scorecard_asks_two_questions_however_large_the_country(questions):
    asked = questions(HOT)
    assert set(asked.values()) == {2}
    assert questions(HOT, **LARGER) == asked


def test_an_indicators_questions_do_not_grow_with_the_country(questions):
    asked = questions([INDICATOR])
    assert asked[INDICATOR] <= 16
    assert questions([INDICATOR], **LARGER) == asked


def test_a_unit_without_any_card_says_what_brings_them():
    country = small_country(cards=False)
    body = text_of(signed_in(country.people["minister"]).get("/units/PN-EC/"))
    assert "There are no results of National Police yet" in body
    assert "as soon as a figure" in body

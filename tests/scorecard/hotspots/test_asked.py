"""The address is the state: what it says is what is asked, and what is asked is an address again."""

from datetime import date

import pytest
from django.core.exceptions import BadRequest
from django.http import QueryDict

from incidents import dictionary
from incidents.hotspots import read
from scorecard.hotspots.asked import Asked, read_address, selection

pytestmark = pytest.mark.django_db
YEAR = Asked(date(2023, 1, 1), date(2023, 12, 31))


def latest():
    return date(2024, 3, 14)


@pytest.fixture
def words(db):
    dictionary.ensure()


def asked(text=""):
    return read_address(QueryDict(text), latest)


def test_by_itself_it_is_the_twelve_whole_months_before_the_latest_event():
    assert asked() == Asked(date(2023, 3, 1), date(2024, 2, 29))
    assert read_address(QueryDict(), lambda: date(2024, 2, 29)).last == date(2024, 2, 29)


def test_what_is_asked_is_its_own_address(words):
    text = (
        "first=2023-01-01&last=2023-06-30&method=density&category=ROBBERY&from_hour=18&to_hour=6&day=5&day=6"
        "&variable=victim.sex&value=1&value=2&bandwidth=750&cell=250&spot=-79.90000,-2.20000&near=1&patrol=2.5"
    )
    found = asked(text)
    assert found.hours == (0, 1, 2, 3, 4, 5, 18, 19, 20, 21, 22, 23)
    assert found.conditions == [{"field": "victim.sex", "in": [1, 2]}]
    assert asked(found.query()) == found
    assert asked(asked("variable=victim.age&least=0&most=17,5").query()).conditions == [
        {"field": "victim.age", "from": 0.0, "to": 17.5}
    ]


@pytest.mark.parametrize(
    "text",
    [
        "method=magic", "first=2023-13-01", "first=2023-12-31&last=2023-01-01", "category=NONE", "day=8", "cell=1",
        "from_hour=24", "spot=1", "spot=200,0", "bandwidth=x", "least=much&variable=victim.age", "variable=victim.none",
        "variable=victim.ethnicity&value=1", "first=0001-01-01", "value=99999", "patrol=x", "patrol=-1",
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_with_words(text, words):
    with pytest.raises(BadRequest) as refused:
        asked(text)
    assert str(refused.value)


def test_a_variable_that_has_no_value_yet_filters_nothing(words):
    assert asked("variable=victim.age").conditions == []
    assert selection(asked("variable=victim.sex"), None).such == ("", ())


def test_windows_step_by_their_own_length():
    assert YEAR.before == Asked(date(2022, 1, 1), date(2022, 12, 31))
    assert YEAR.ending(date(2024, 2, 1)) == Asked(date(2023, 3, 1), date(2024, 2, 29))
    week = Asked(date(2023, 5, 8), date(2023, 5, 14))
    assert week.before == Asked(date(2023, 5, 1), date(2023, 5, 7))


def test_the_events_asked_for_have_the_category_and_all_below_it(words):
    found = selection(asked("category=ROBBERY"), (1, 2))
    assert len(found.categories) > 1
    assert found.territories == (1, 2)


def test_weekdays_and_variables_are_asked_of_the_database(words):
    found = selection(asked("day=7&variable=victim.age&least=1&most=17&first=2023-01-01&last=2023-12-31"), None)
    assert len(read.points(found)) == 0
    assert read.months(found) == []

"""Conditions are written and read as words: what is said is what is kept, in either language; faults are named."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from incidents import conditions, dictionary
from incidents.condition_words import Book, _bounds, _bounds_words
from incidents.models import EventRule, Variable
from tests.factories import small_country

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

SAID = [
    {"field": "alert_class", "in": [1]},
    {"field": "victim.sex", "in": [0, 2]},
    {"field": "victim.age", "from": 0, "to": 17},
]


@pytest.fixture(autouse=True)
def in_use():
    dictionary.ensure()


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_written_is_read_again(language):
    with translation.override(language):
        book = Book()
        assert book.read(book.text(SAID)) == SAID
    conditions.check(SAID)


def test_words_of_the_other_language_keys_and_codes_are_read_too():
    book = Book()
    assert book.read("victim: sexo = HOMBRE; not stated\n\nVictim.age = 18 or more\nvictim.sex=2") == [
        {"field": "victim.sex", "in": [1, 0]},
        {"field": "victim.age", "from": 18},
        {"field": "victim.sex", "in": [2]},
    ]


def test_every_variable_and_value_can_be_written():
    book = Book()
    for field, values in book.values.items():
        for code, name in values.items():
            line = book.line({"field": field, "in": [code]})
            [read] = book.read(line)
            assert read["field"] == field, line
            assert str(book.values[field][read["in"][0]]) == str(name), line


@pytest.mark.parametrize(
    ("line", "problem"),
    [("Victim: Mood = good", "Line 1: there is no variable “Victim: Mood”."),
     ("Victim: Sex = Both", "“Both” is no value of “Victim: Sex”. Its values are: not stated;"),
     ("Victim: Age = young", "Line 1: it is a number: write its bounds"),
     ("Victim: Sex", "it needs an equals sign"), ("Victim: Sex = ", "it needs an equals sign"),
     ('[{"field": "victim.sex"}]', "it needs an equals sign")],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_named(line, problem):
    with pytest.raises(ValidationError) as raised:
        Book().read(line)
    assert problem in raised.value.messages[0]


def test_reserved_and_retired_variables_are_not_offered():
    Variable.objects.filter(factor="victim", key="sex").update(is_retired=True)
    labels = [label for label, _values in Book().offered()]
    assert "Victim: Age" in labels
    assert not {"Victim: Sex", "Victim: Ethnicity"} & set(labels)


@given(st.integers(0, 200), st.integers(0, 200))
def test_bounds_are_read_as_they_are_written(low, high):
    pair = {"from": min(low, high), "to": max(low, high)}
    for bounds in (pair, {"from": low}, {"to": high}):
        for language in ("en", "es"):
            with translation.override(language):
                assert _bounds(_bounds_words(bounds)) == bounds


def test_a_rule_is_made_in_words_and_listed_in_words(client):
    country = small_country(zones=1, districts=1, circuits=1, months=2)
    client.force_login(country.people["administrator"])
    client.cookies["django_language"] = "en"
    rule = {"indicator": "PN.PATROLS", "measure": "victims", "category": "HOMICIDE", "from_month": "2023-01"}
    wrong = client.post("/manage/event-rules/new", {**rule, "step": "confirm", "filter": "Victim: Sex = Both"})
    assert "“Both” is no value of “Victim: Sex”." in wrong.content.decode()
    assert "Victim: Sex = Both</textarea>" in wrong.content.decode()
    client.post("/manage/event-rules/new", {**rule, "step": "confirm", "filter": "Victim: Sex = Woman"})
    assert EventRule.objects.get().filter == [{"field": "victim.sex", "in": [2]}]
    listed = client.get("/manage/event-rules/").content.decode()
    assert "Victim: Sex = Woman" in listed
    assert "Patrol cars in service" in listed

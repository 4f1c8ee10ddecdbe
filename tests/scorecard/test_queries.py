"""What scorecard pages read: two questions, real arrays, and nothing that the person may not see."""

from datetime import date

import numpy as np
import pytest
from django.http import Http404

from scorecard.models import Card
from scorecard.queries import RECIPES, Recipes, cards_of, latest_month, shifted, trend_of, unit_here
from tests.factories import MONTH
from tests.scorecard.country import forget_recipes
from units.models import Unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def country(standing_country):
    return standing_country


def test_months_are_shifted_over_the_years():
    assert shifted(date(2023, 1, 1), -1) == date(2022, 12, 1)
    assert shifted(date(2022, 12, 1), 14) == date(2024, 2, 1)


def test_cards_come_as_the_orm_reads_them(country):
    unit = country.unit("PN-EC")
    cards = cards_of(unit, MONTH)
    stored = Card.objects.get(unit=unit, month=MONTH)
    for name in ("value", "target", "attainment", "to_date_value", "high", "objective_score", "approved_attainment"):
        np.testing.assert_array_equal(getattr(cards.own, name), np.array(getattr(stored, name), float))
    for name in ("marks", "to_date_marks", "to_date_months", "reported", "due", "worst_child"):
        assert getattr(cards.own, name).tolist() == getattr(stored, name)
    assert cards.own.score == stored.score


def test_the_months_around_bring_what_a_sparkline_needs(country):
    cards = cards_of(country.unit("PN-EC"), MONTH)
    assert sorted(cards.by_month) == country.months[-13:]
    before = Card.objects.get(unit=country.unit("PN-EC"), month=country.months[-13])
    assert cards.by_month[country.months[-13]].value.tolist() == before.value
    assert cards.by_month[country.months[-13]].attainment is None


def test_children_are_those_of_the_month_with_the_chosen_indicator(country):
    position = unit_here(country.people["minister"], "PN-EC", MONTH, "PN.SOLVED").position
    cards = cards_of(country.unit("PN-EC"), MONTH, position)
    assert [child.code for child in cards.children] == ["PN-Z0", "PN-Z1", "PN-Z2"]
    for child in cards.children:
        stored = Card.objects.get(unit_id=child.unit_id, month=MONTH)
        assert child.value_at == stored.value[position]
        assert child.marks_at == stored.marks[position]


def test_a_recipe_is_read_once(country, count_queries):
    forget_recipes()
    with count_queries() as queries:
        first = cards_of(country.unit("PN-EC"), MONTH)
        second = cards_of(country.unit("PN-EC"), MONTH)
    assert len(queries) == 2
    assert first.own.structure["plan_version"] == 3
    assert second.own.structure is None
    assert second.structure == first.own.structure


def test_a_recipe_forgotten_meanwhile_is_read_again(country):
    cards = cards_of(country.unit("PN-EC"), MONTH)
    forget_recipes()
    assert cards.structure["year"] == MONTH.year


def test_recipes_are_kept_up_to_a_number(monkeypatch):
    monkeypatch.setattr("scorecard.queries.KNOWN_RECIPES", 2)
    recipes = Recipes()
    for number in (1, 2):
        recipes.remember(number, {"n": number})
    recipes.of(1)
    recipes.remember(3, {})
    assert list(recipes) == [1, 3]


def test_a_unit_outside_ones_tree_is_not_there(country):
    for code in ("PN-EC", "PN-Z2", "EST-EC", "NOWHERE"):
        with pytest.raises(Http404):
            unit_here(country.people["viewer"], code)
    assert unit_here(country.people["viewer"], "PN-01D01C01").unit.code == "PN-01D01C01"


def test_the_unit_comes_with_what_stands_around_it(country):
    here = unit_here(country.people["viewer"], "PN-01D01", MONTH, "PN.PATROLS")
    assert [one.code for one in here.above] == ["EST-EC", "PN-EC", "PN-Z1", "PN-01D01"]
    assert [one.code for one in here.beside] == ["PN-01D01", "PN-01D02"]
    assert here.latest == MONTH
    assert here.position is not None
    assert here.sees(country.unit("PN-01D02").path)
    assert not here.sees(country.unit("PN-EC").path)


def test_roots_of_institutions_are_beside_each_other_not_beside_the_states_own_units(country):
    assert [one.code for one in unit_here(country.people["minister"], "PN-EC").beside] == ["PN-EC"]
    assert [one.code for one in unit_here(country.people["minister"], "EST-Z1").beside] == ["EST-Z1", "EST-Z2"]


def test_the_latest_month_is_that_of_the_cards(country):
    unit = country.unit("PN-Z1")
    assert latest_month(unit) == unit_here(country.people["minister"], "PN-Z1").latest == MONTH
    assert latest_month(Unit(pk=0)) is None


def test_a_trend_is_one_element_of_every_card(country):
    unit = country.unit("PN-Z1")
    position = unit_here(country.people["minister"], "PN-Z1", MONTH, "PN.HOMICIDES").position
    rows = trend_of(unit, position, MONTH, 35)
    assert set(country.months) <= set(rows)
    assert max(rows) == MONTH
    for month, row in rows.items():
        stored = Card.objects.get(unit=unit, month=month).value[position]
        assert row.value == pytest.approx(stored, nan_ok=True)


def test_the_version_changes_with_a_card_and_with_a_name(country):
    unit = country.unit("PN-EC")
    before = cards_of(unit, MONTH).version
    assert cards_of(unit, MONTH).version == before
    Unit.objects.filter(code="PN-Z1").update(name="Zona Norte")
    renamed = cards_of(unit, MONTH).version
    assert renamed != before
    Card.objects.filter(unit=country.unit("PN-Z2"), month=MONTH).update(digest=1)
    assert cards_of(unit, MONTH).version not in (before, renamed)


def test_what_is_not_known_yet_is_asked_for(country):
    forget_recipes()
    cards_of(country.unit("PN-EC"), MONTH)
    assert list(RECIPES) == [Card.objects.get(unit=country.unit("PN-EC"), month=MONTH).recipe_id]

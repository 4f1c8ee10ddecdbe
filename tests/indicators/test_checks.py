"""Every rule that a figure must satisfy, by its name."""

from datetime import date

import numpy as np
import pytest

from indicators.checks import RULES, check_figures
from indicators.codes import Rule, Sense
from indicators.models import Assignment, Frequency, Indicator, SheetVersion
from tests.factories import small_country
from units.models import UnitPeriod

pytestmark = pytest.mark.django_db
THIS_MONTH = date(2023, 11, 1)
NAN = float("nan")


@pytest.fixture
def country():
    return small_country(zones=1, districts=1, circuits=2, months=2, cards=False)


@pytest.fixture
def check(country):
    """The rule that one row breaks, "" for none."""

    def of(code="PN.HOMICIDES", unit="PN-01D01C01", month="2023-10", numerator=3.0, denominator=NAN, state=1):
        indicator = country.indicators[code].pk if code else 0
        of_unit = country.units[unit].pk if unit else 0
        refusals = _check([(month, indicator, of_unit, numerator, denominator, state)])
        return refusals[0].rule if refusals else ""

    return of


def _check(rows):
    months, indicators, units, numerators, denominators, states = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    months = months.astype("datetime64[M]")
    found = check_figures(months, indicators, units, numerators, denominators, states, this_month=THIS_MONTH)
    return found.listed(np.arange(2, len(rows) + 2))


def test_a_good_figure_breaks_no_rule(check):
    assert check() == ""
    assert check(numerator=0.0) == ""
    assert check("PN.SOLVED", denominator=7.0) == ""
    assert check("PN.SOLVED", numerator=0.0, denominator=0.0) == ""  # nothing of nothing is said, and not evaluable


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"code": ""}, "unknown_indicator"),
        ({"unit": ""}, "unknown_unit"),
        ({"month": "2023-12"}, "future_month"),
        ({"month": "2019-12"}, "no_sheet"),
        ({"unit": "PN-Z1"}, "not_assigned"),
        ({"numerator": np.inf}, "not_finite"),
        ({"numerator": NAN}, "not_finite"),
        ({"numerator": 1e16}, "too_large"),
        ({"code": "PN.SOLVED", "denominator": 1e16}, "too_large"),
        ({"numerator": -1.0}, "negative_count"),
        ({"numerator": 1.5}, "fractional_count"),
        ({"code": "PN.SOLVED"}, "denominator_missing"),
        ({"code": "PN.SOLVED", "denominator": 0.0}, "division_by_zero"),
        ({"code": "PN.SOLVED", "denominator": -2.0}, "negative_denominator"),
        ({"denominator": 5.0}, "denominator_unwanted"),
        ({"code": "PN.HOMICIDERATE", "denominator": 5.0}, "denominator_unwanted"),
    ],
)
def test_a_rule_is_named(check, given, rule):
    assert check(**given) == rule


@pytest.mark.parametrize("state", [0, 2])
def test_blank_and_not_applicable_need_no_figure_but_must_be_due(check, state):
    assert check(numerator=NAN, state=state) == ""
    assert check("PN.SOLVED", numerator=NAN, state=state) == ""
    assert check(numerator=NAN, state=state, unit="PN-Z1") == "not_assigned"


def test_a_measure_that_is_no_count_may_be_below_zero(check):
    assert check("PN.RESPONSE", numerator=-1.0) == ""


def test_a_closed_unit_takes_no_figure(country, check):
    UnitPeriod.objects.filter(unit=country.units["PN-01D01C01"]).update(to_month=date(2023, 10, 1))
    assert check(month="2023-09") == ""
    assert check(month="2023-10") == "unit_closed"
    assert check(month="2023-10", unit="PN-01D01C02") == ""


def test_a_unit_that_closed_and_opened_again_takes_figures_on_both_sides(country, check):
    unit = country.units["PN-01D01C01"]
    UnitPeriod.objects.filter(unit=unit).update(to_month=date(2021, 1, 1))
    UnitPeriod.objects.create(unit=unit, institution=unit.institution, parent=unit.parent, from_month=date(2023, 9, 1))
    assert [check(month=m) for m in ("2020-12", "2021-01", "2023-08", "2023-09")] == [
        "",
        "unit_closed",
        "unit_closed",
        "",
    ]


def test_an_assignment_ends_with_its_month(country, check):
    Assignment.objects.filter(unit=country.units["PN-01D01C01"]).update(to_month=date(2023, 10, 1))
    assert (check(month="2023-09"), check(month="2023-10")) == ("", "not_assigned")


def test_an_indicator_is_measured_in_the_months_of_its_frequency(country, check):
    SheetVersion.objects.filter(indicator__code="PN.HOMICIDES").update(frequency=Frequency.QUARTERLY)
    found = [check(month=f"2022-{n:02}") for n in range(1, 13)]
    assert found == ["not_measured", "not_measured", ""] * 4


def test_a_sheet_holds_from_its_first_month(country, check):
    SheetVersion.objects.filter(indicator__code="PN.PATROLS").update(valid_to=date(2023, 5, 1))
    assert (check("PN.PATROLS", month="2023-04"), check("PN.PATROLS", month="2023-05")) == ("", "no_sheet")


def test_a_formula_takes_no_figures(country):
    computed = Indicator.objects.create(code="PN.BOTH", institution=country.institutions["PN"])
    SheetVersion.objects.create(
        indicator=computed,
        version=1,
        valid_from=date(2020, 1, 1),
        name="Both",
        formula="[PN.HOMICIDES] + [PN.PATROLS]",
        unit_of_measure="n",
        numerator="n",
        sense=Sense.HIGHER,
        over_units=Rule.NONE,
    )
    unit = country.units["PN-01D01C01"]
    Assignment.objects.create(indicator=computed, unit=unit, from_month=date(2020, 1, 1))
    assert _check([("2023-10", computed.pk, unit.pk, 1.0, NAN, 1)])[0].rule == "computed"


def test_the_second_row_of_a_key_is_repeated_with_its_own_number(country):
    indicator, unit = country.indicators["PN.HOMICIDES"].pk, country.units["PN-01D01C01"].pk
    row = ("2023-10", indicator, unit, 1.0, NAN, 1)
    other = ("2023-09", indicator, unit, 1.0, NAN, 1)
    found = _check([row, other, row])
    assert [(r.row, r.field, r.rule) for r in found] == [(4, "unit", "repeated")]


def test_an_unknown_code_is_not_told_apart_as_repeated(country):
    found = _check([("2023-10", 0, 0, 1.0, NAN, 1)] * 2)
    assert [r.rule for r in found] == ["unknown_indicator", "unknown_indicator"]


def test_every_rule_has_a_field_and_words():
    for rule, (about, words) in RULES.items():
        assert about in {"month", "indicator", "unit", "numerator", "denominator", "value", "low"}, rule
        assert str(words).endswith("."), rule

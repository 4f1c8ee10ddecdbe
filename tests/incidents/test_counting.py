"""Events become figures of the lowest unit that answers for the place; where nothing happened a due unit reports 0."""

import random
from collections import Counter
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents import counting
from incidents.coverage import NOBODY, lowest_covering
from incidents.models import Category, EventRule, Measure
from indicators.models import Assignment, Batch, Measurement, MeasurementPast, SheetVersion, StaleMark
from tests.incidents.conftest import NOW
from tests.incidents.files import row
from units.models import Unit, UnitPeriod

MAY = date(2023, 5, 1)


@given(st.data())
def test_the_lowest_unit_above_a_place_answers_for_it(data):
    size = data.draw(st.integers(1, 12))
    parent = [NOBODY] + [data.draw(st.integers(0, i - 1)) for i in range(1, size)]
    units = data.draw(st.lists(st.sampled_from([NOBODY, 7, 8, 9]), min_size=size, max_size=size))

    def slow(place):
        while place != NOBODY and units[place] == NOBODY:
            place = parent[place]
        return NOBODY if place == NOBODY else units[place]

    found = lowest_covering(np.array(units), np.array(parent))
    assert found.tolist() == [slow(place) for place in range(size)]


def figures(country, month=MAY, indicator=None):
    held = Measurement.objects.filter(indicator=indicator or country.homicides, month=month).select_related("unit")
    return {figure.unit.code: figure.numerator for figure in held}


def test_every_due_unit_has_a_figure_zero_where_nothing_happened(country, take):
    take([row(), row(), row(codigo_subcircuito="09D01C02S02")])
    assert figures(country) == {"PN.09D01": 3, "PN.09D02": 0, "PN.Z0": 0}
    assert figures(country, indicator=country.rate) == figures(country)
    assert set(Measurement.objects.values_list("source", "is_provisional", "denominator")) == {("events", False, None)}


def test_months_without_any_event_inside_the_period_are_zeros(country, take):
    take([row(fecha_infraccion=date(2023, 3, 2)), row(fecha_infraccion=date(2023, 5, 2))])
    assert figures(country, date(2023, 4, 1)) == {"PN.09D01": 0, "PN.09D02": 0, "PN.Z0": 0}
    assert figures(country, date(2023, 6, 1)) == {}


def test_what_is_not_delimited_has_its_own_unit(country, take):
    take([row(codigo_subcircuito="000C01S01"), row(codigo_subcircuito="000C09S01")])
    assert figures(country)["PN.Z0"] == 2


def test_a_place_without_a_lower_unit_goes_to_the_next_one_that_owes_the_figure(country, take):
    nation = country.units["EC"]
    Assignment.objects.filter(unit=country.units["09D01"]).delete()
    Assignment.objects.create(indicator=country.homicides, unit=nation, from_month=date(2014, 1, 1))
    take([row(), row(codigo_subcircuito="09D02C01S01")])
    assert figures(country) == {"PN.EC": 1, "PN.09D02": 1, "PN.Z0": 0}


def test_events_that_no_unit_answers_for_are_reported(country, take):
    Assignment.objects.filter(unit=country.units["09D01"], indicator=country.homicides).delete()
    assert take([row()]).report["without_unit"] == {"PN.HOMICIDES": 1}
    assert figures(country) == {"PN.09D02": 0, "PN.Z0": 0}


def test_units_count_from_the_month_they_open_to_the_month_they_close(country, take):
    """In May the circuit has its own unit, before and after its district answers for it."""
    circuit = Unit.objects.create(
        institution=country.police,
        code="PN.C",
        name="C",
        parent=country.units["09D01"],
        territory=country.places["09D01C01"],
    )
    span = {"from_month": MAY, "to_month": date(2023, 6, 1)}
    UnitPeriod.objects.create(
        unit=circuit, institution=country.police, parent=circuit.parent, territory=circuit.territory, **span
    )
    Assignment.objects.create(indicator=country.homicides, unit=circuit, from_month=date(2023, 1, 1))
    take([row(fecha_infraccion=date(2023, month, 10)) for month in (4, 5, 6)])
    assert figures(country, date(2023, 4, 1))["PN.09D01"] == 1
    assert "PN.C" not in figures(country, date(2023, 4, 1))
    assert (figures(country)["PN.C"], figures(country)["PN.09D01"]) == (1, 0)
    assert figures(country, date(2023, 6, 1))["PN.09D01"] == 1


def test_a_rule_counts_its_category_and_all_below_it_alone(country, take):
    EventRule.objects.filter(indicator=country.rate).update(category=Category.objects.get(code="HOMICIDE.FEMICIDE"))
    take([row(), row(tipo_muerte="FEMICIDIO"), row(tipo_muerte="SICARIATO")])
    assert figures(country)["PN.09D01"] == 3
    assert figures(country, indicator=country.rate)["PN.09D01"] == 1


def test_a_rule_may_count_one_source_alone(country, take):
    EventRule.objects.filter(indicator=country.rate).update(source=country.police)
    take([row()])
    assert figures(country)["PN.09D01"] == 1
    assert figures(country, indicator=country.rate)["PN.09D01"] == 0


def test_a_rule_holds_from_its_month_and_where_a_sheet_is_in_force(country, take):
    EventRule.objects.filter(indicator=country.rate).update(from_month=date(2023, 6, 1))
    SheetVersion.objects.filter(indicator=country.homicides).update(valid_from=MAY)
    take([row(fecha_infraccion=date(2023, month, 10)) for month in (4, 5, 6)])
    assert figures(country, date(2023, 4, 1)) == {}
    assert figures(country)["PN.09D01"] == 1
    assert figures(country, indicator=country.rate) == {}
    assert figures(country, date(2023, 6, 1), country.rate)["PN.09D01"] == 1


def test_victims_and_events_are_counted_apart(country, take):
    from incidents.models import Incident, Victim

    EventRule.objects.filter(indicator=country.rate).update(measure=Measure.EVENTS)
    take([row()])
    incident = Incident.objects.get()
    Victim.objects.create(occurred_on=incident.occurred_on, incident_id=incident.id, ordinal=2, codes=[], numbers=[])
    counting.recount(by=None, start=MAY, end=date(2023, 6, 1), now=NOW)
    assert figures(country)["PN.09D01"] == 2
    assert figures(country, indicator=country.rate)["PN.09D01"] == 1


def test_counting_again_writes_nothing(country, take):
    take([row()])
    before = (Measurement.objects.count(), Batch.objects.count(), StaleMark.objects.count())
    again = counting.recount(by=None, start=MAY, end=date(2023, 6, 1), now=NOW)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 6)
    assert (Measurement.objects.count(), Batch.objects.count(), StaleMark.objects.count()) == before


def test_a_figure_that_changes_marks_its_month_and_keeps_what_it_said(country, take):
    take([row()])
    StaleMark.objects.all().delete()
    take([row(), row(sexo="MUJER", edad=55, arma="ARMA BLANCA", tipo_arma="CUCHILLO", lugar="RIO")])
    assert set(StaleMark.objects.values_list("month", "indicator__code", "institution__code")) == {
        (MAY, "PN.HOMICIDES", "PN"),
        (MAY, "PN.HOMICIDE.RATE", "PN"),
    }
    assert set(MeasurementPast.objects.values_list("unit__code", "numerator")) == {("PN.09D01", 1.0)}


def test_recounting_asks_as_often_for_many_months_as_for_few(country, take, count_queries):
    take([row(fecha_infraccion=date(2023, month, 10)) for month in (1, 12)])
    asked = []
    for end in (date(2023, 2, 1), date(2024, 1, 1)):
        with count_queries() as queries:
            counting.recount(by=None, start=date(2023, 1, 1), end=end, now=NOW)
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 15


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_a_plain_count_one_by_one(country, take, seed):
    """Random events of two years, with a district closed in June 2023 and its events then the nation's."""
    nation, closing, june = country.units["EC"], country.units["09D01"], date(2023, 6, 1)
    Assignment.objects.create(indicator=country.homicides, unit=nation, from_month=date(2022, 3, 1))
    UnitPeriod.objects.filter(unit=closing).update(to_month=june)
    rng = random.Random(seed)
    places = ["09D01C01S01", "09D01C02S02", "09D02C01S01", "000C01S01"]
    rows = [
        row(
            fecha_infraccion=date(rng.choice([2022, 2023]), rng.randint(1, 12), rng.randint(1, 28)),
            codigo_subcircuito=rng.choice(places),
            edad=age,
        )
        for age in range(80)
    ]
    take(rows, covers=(date(2022, 1, 1), date(2024, 1, 1)))
    expected = Counter()
    for event in rows:
        month = event["fecha_infraccion"].replace(day=1)
        place = event["codigo_subcircuito"][:5]
        unit = "PN.Z0" if place.startswith("000") else f"PN.{place}"
        if unit == "PN.09D01" and month >= june:
            unit = "PN.EC"
        expected[month, unit] += 1
    held = Measurement.objects.filter(indicator=country.homicides)
    found = {(figure.month, figure.unit.code): figure.numerator for figure in held.select_related("unit")}
    assert {key: count for key, count in found.items() if count} == dict(expected)
    months = [date(year, month, 1) for year in (2022, 2023) for month in range(1, 13)]
    due = {(month, "PN.09D02") for month in months} | {(month, "PN.Z0") for month in months}
    due |= {(month, "PN.09D01") for month in months if month < june}
    due |= {(month, "PN.EC") for month in months if month >= date(2022, 3, 1)}
    assert set(found) == due

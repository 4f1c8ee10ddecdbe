"""Figures and targets come in: all or nothing, with their history, their stale marks and their batch."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from indicators import actions
from indicators.models import Batch, Measurement, MeasurementPast, StaleMark, Target, TargetPast
from tests.factories import small_country

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
NOW = datetime(2023, 11, 3, 15, tzinfo=UTC)
NAN = float("nan")
UNIT, OTHER = "PN-01D01C01", "PN-01D01C02"


@pytest.fixture
def country():
    made = small_country(zones=1, districts=1, circuits=2, months=2, cards=False)
    Measurement.objects.all().delete()
    Target.objects.all().delete()
    StaleMark.objects.all().delete()
    Batch.objects.all().delete()
    return made


@pytest.fixture
def record(country):
    """Record rows of (code, unit, month, numerator[, denominator[, state]])."""

    def of(*rows, **more):
        full = [(*row, *(NAN, None)[len(row) - 4 :]) for row in rows]
        states = [row[5] if row[5] is not None else (0 if np.isnan(row[3]) else 1) for row in full]
        return actions.record(
            by=country.people["reporter"],
            months=np.array([row[2] for row in full], "datetime64[M]"),
            indicators=[country.indicators[row[0]].pk for row in full],
            units=[country.units[row[1]].pk for row in full],
            numerators=[row[3] for row in full],
            denominators=[row[4] for row in full],
            states=states,
            source="test",
            now=more.pop("now", NOW),
            **more,
        )

    return of


def marks():
    found = StaleMark.objects.order_by("month", "indicator__code").values_list(
        "month", "indicator__code", "institution__code"
    )
    return [(f"{month:%Y-%m}", code, institution) for month, code, institution in found]


def test_blank_zero_and_not_applicable_are_three_things(record, country):
    record(("PN.HOMICIDES", UNIT, "2023-10", 0.0), ("PN.HOMICIDES", OTHER, "2023-10", NAN, NAN, 2))
    said = {m.unit.code: (m.numerator, m.state) for m in Measurement.objects.select_related("unit")}
    assert said == {UNIT: (0.0, 1), OTHER: (None, 2)}
    outcome = record(("PN.HOMICIDES", UNIT, "2023-10", NAN), ("PN.HOMICIDES", OTHER, "2023-10", 0.0))
    assert (outcome.written.blanked, outcome.written.changed) == (1, 1)
    assert {m.unit.code: (m.numerator, m.state) for m in Measurement.objects.all()} == {OTHER: (0.0, 1)}
    assert set(MeasurementPast.objects.values_list("numerator", "state")) == {(0.0, 1), (None, 2)}


def test_not_applicable_keeps_no_figure(record):
    record(("PN.SOLVED", UNIT, "2023-10", 5.0, 9.0, 2))
    found = Measurement.objects.get()
    assert (found.numerator, found.denominator, found.state) == (None, None, 2)


def test_only_what_really_changed_is_marked_stale(record):
    record(
        ("PN.HOMICIDES", UNIT, "2023-10", 3.0),
        ("PN.HOMICIDES", OTHER, "2023-10", 4.0),
        ("PN.PATROLS", UNIT, "2023-09", 7.0),
    )
    assert marks() == [("2023-09", "PN.PATROLS", "PN"), ("2023-10", "PN.HOMICIDES", "PN")]
    StaleMark.objects.all().delete()
    record(
        ("PN.HOMICIDES", UNIT, "2023-10", 3.0),
        ("PN.PATROLS", UNIT, "2023-09", 8.0),
        ("PN.PATROLS", UNIT, "2023-10", 8.0),
    )
    assert marks() == [("2023-09", "PN.PATROLS", "PN"), ("2023-10", "PN.PATROLS", "PN")]


def test_a_changed_denominator_is_a_change(record):
    record(("PN.SOLVED", UNIT, "2023-10", 5.0, 10.0))
    outcome = record(("PN.SOLVED", UNIT, "2023-10", 5.0, 11.0))
    assert outcome.written.changed == 1
    assert MeasurementPast.objects.get().denominator == 10.0


def test_one_bad_row_stops_all(record):
    outcome = record(("PN.HOMICIDES", UNIT, "2023-10", 3.0), ("PN.HOMICIDES", OTHER, "2023-10", -3.0), rows=[7, 8])
    assert [(r.row, r.field, r.rule) for r in outcome.refused] == [(8, "numerator", "negative_count")]
    assert not outcome.is_written
    assert (Measurement.objects.count(), StaleMark.objects.count(), Batch.objects.count()) == (0, 0, 0)


def test_accept_valid_takes_the_good_rows_and_names_the_others(record):
    outcome = record(
        ("PN.HOMICIDES", UNIT, "2023-10", 3.0), ("PN.HOMICIDES", OTHER, "2023-10", -3.0), accept_valid=True
    )
    assert (outcome.written.created, [r.rule for r in outcome.refused]) == (1, ["negative_count"])
    assert Measurement.objects.get().unit.code == UNIT


def test_a_dry_run_says_what_would_change_and_writes_nothing(record):
    record(("PN.HOMICIDES", UNIT, "2023-10", 3.0))
    StaleMark.objects.all().delete()
    batches = Batch.objects.count()
    outcome = record(("PN.HOMICIDES", UNIT, "2023-10", 4.0), ("PN.HOMICIDES", OTHER, "2023-10", 4.0), dry_run=True)
    assert (outcome.written.created, outcome.written.changed, outcome.is_written) == (1, 1, False)
    assert Measurement.objects.get().numerator == 3.0
    assert (MeasurementPast.objects.count(), StaleMark.objects.count(), Batch.objects.count()) == (0, 0, batches)


def test_a_batch_says_who_when_and_what_came_of_it(record, country):
    outcome = record(("PN.HOMICIDES", UNIT, "2023-10", 3.0), kind="values", name="october.csv", sha256="ab" * 32)
    batch = Batch.objects.get()
    assert (batch.by, batch.at, batch.kind, batch.name) == (country.people["reporter"], NOW, "values", "october.csv")
    assert batch.report == {"created": 1, "changed": 0, "blanked": 0}
    figure = Measurement.objects.get()
    assert (figure.batch_id, figure.recorded_by_id, figure.recorded_at) == (outcome.batch.pk, batch.by_id, NOW)
    assert (figure.source, figure.is_provisional) == ("test", True)


def test_the_month_of_now_is_the_countrys(record):
    """At three in the morning of 1 December by UTC it is still November in Guayaquil."""
    night = datetime(2023, 12, 1, 3, tzinfo=UTC)
    outcome = record(("PN.HOMICIDES", UNIT, "2023-12", 3.0), now=night)
    assert [r.rule for r in outcome.refused] == ["future_month"]
    assert record(("PN.HOMICIDES", UNIT, "2023-11", 3.0), now=night).is_written


def test_approving_a_figure_changes_who_said_it_nothing_else(record, country):
    record(("PN.HOMICIDES", UNIT, "2023-10", 3.0), ("PN.HOMICIDES", OTHER, "2023-10", 4.0))
    StaleMark.objects.all().delete()
    keys = {
        "months": ["2023-10"],
        "indicators": [country.indicators["PN.HOMICIDES"].pk],
        "units": [country.units[UNIT].pk],
    }
    outcome = actions.approve(by=country.people["approver"], now=NOW, **keys)
    assert outcome.written.changed == 1
    assert {m.unit.code: (m.numerator, m.is_provisional) for m in Measurement.objects.all()} == {
        UNIT: (3.0, False),
        OTHER: (4.0, True),
    }
    past = MeasurementPast.objects.get()
    assert (past.numerator, past.is_provisional, past.replaced_by_id) == (3.0, True, country.people["approver"].pk)
    assert marks() == [("2023-10", "PN.HOMICIDES", "PN")]
    assert actions.approve(by=country.people["approver"], now=NOW, **keys).written.changed == 0


def test_a_figure_that_was_approved_and_is_changed_is_provisional_again(record, country):
    keys = {
        "months": ["2023-10"],
        "indicators": [country.indicators["PN.HOMICIDES"].pk],
        "units": [country.units[UNIT].pk],
    }
    record(("PN.HOMICIDES", UNIT, "2023-10", 3.0))
    actions.approve(by=country.people["approver"], now=NOW, **keys)
    record(("PN.HOMICIDES", UNIT, "2023-10", 3.0))
    assert not Measurement.objects.get().is_provisional  # the same figure said again takes nothing back
    record(("PN.HOMICIDES", UNIT, "2023-10", 5.0))
    assert Measurement.objects.get().is_provisional


def targets(country, *values, **more):
    """Targets of PN.HOMICIDES of UNIT from January 2023, a month each."""
    months = np.arange("2023-01", "2024-01", dtype="datetime64[M]")[: len(values)]
    empty = [NAN] * len(values)
    return actions.set_targets(
        by=country.people["administrator"],
        months=months,
        indicators=[country.indicators["PN.HOMICIDES"].pk] * len(values),
        units=[country.units[UNIT].pk] * len(values),
        values=values,
        low=more.pop("low", empty),
        high=more.pop("high", empty),
        baseline=more.pop("baseline", empty),
        now=NOW,
        **more,
    )


def test_targets_keep_their_past_and_mark_what_changed(country):
    assert targets(country, 5.0, 6.0).written.created == 2
    StaleMark.objects.all().delete()
    outcome = targets(country, 5.0, 7.0, reason="agreed in March")
    assert (outcome.written.changed, outcome.written.unchanged) == (1, 1)
    assert marks() == [("2023-02", "PN.HOMICIDES", "PN")]
    assert TargetPast.objects.values_list("value", "reason").get() == (6.0, "agreed in March")
    outcome = targets(country, NAN, 7.0)
    assert outcome.written.blanked == 1
    assert Target.objects.get().month == date(2023, 2, 1)


def test_a_target_of_an_unknown_unit_or_a_crossed_range_is_refused(country):
    outcome = actions.set_targets(
        by=None,
        months=["2023-01"],
        indicators=[0],
        units=[1],
        values=[1.0],
        low=[NAN],
        high=[NAN],
        baseline=[NAN],
        now=NOW,
    )
    assert [r.rule for r in outcome.refused] == ["unknown_indicator"]
    outcome = targets(country, NAN, low=[5.0], high=[4.0])
    assert [r.rule for r in outcome.refused] == ["range_crossed"]
    assert not Target.objects.exists()

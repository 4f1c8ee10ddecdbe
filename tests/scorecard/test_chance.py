"""The mark beside a change against last year: what chance alone may bring, with its interval."""

import re
from datetime import date

import numpy as np
import pytest

from indicators.codes import Rule
from indicators.models import SheetVersion
from scorecard import wording
from scorecard.chance import changes_of, parts_of
from scorecard.queries import cards_of, unit_here
from scorecard.reading import HISTORY, Reading
from scorecard.spread import level_of
from tests.factories import MONTH
from tests.scorecard.country import signed_in

pytestmark = pytest.mark.django_db
LATER = date(2023, 11, 20)
PAGE = "/units/PN-EC/?month=2023-10"


@pytest.fixture
def reading(standing_country):
    here = unit_here(standing_country.people["minister"], "PN-EC", MONTH)
    return Reading(here, cards_of(here.unit, MONTH))


def homicides(reading, values):
    line = next(line for line in reading.lines if line.about["code"] == "PN.HOMICIDES")
    line.values = list(values)
    return changes_of(reading, LATER).get("PN.HOMICIDES")


@pytest.mark.parametrize(
    ("before", "now", "is_distinct"), [(20, 24, False), (20, 90, True), (0, 2, False), (60, 8, True)]
)
def test_a_large_change_is_told_from_chance_and_a_small_one_is_not(reading, before, now, is_distinct):
    calm = [before, *np.random.default_rng(1).poisson(max(before, 1), HISTORY - 1), now]
    found = homicides(reading, calm)
    assert found.is_distinct == is_distinct
    assert found.is_distinct != (found.low <= 1 <= found.high)


def test_a_wild_past_asks_for_more(reading):
    calm, wild = ([30, *past, 70] for past in ([30] * 11, [5, 80, 2, 90, 10, 60, 1, 75, 8, 66, 3]))
    assert homicides(reading, calm).is_distinct
    assert not homicides(reading, wild).is_distinct


def test_without_one_of_the_two_figures_nothing_is_said(reading):
    assert homicides(reading, [np.nan, *[20] * 11, 30]) is None
    assert homicides(reading, [20] * 12 + [np.nan]) is None


def test_a_month_that_still_runs_is_not_compared(reading):
    assert changes_of(reading, date(2023, 10, 20)) == {}


@pytest.mark.usefixtures("english")
def test_a_month_that_still_runs_stands_beside_as_many_days_of_last_year(reading):
    assert parts_of(reading, LATER) == {}
    parts = parts_of(reading, date(MONTH.year, MONTH.month, 11))
    lines = {line.about["code"]: line for line in reading.lines}
    grow = SheetVersion.objects.filter(over_time=Rule.SUM).values_list("indicator__code", flat=True)
    assert lines.keys() - parts.keys() == lines.keys() - set(grow) - {"PN.HOMICIDERATE"}, "shares, stocks, medians"
    assert "PN.SOLVED" not in parts
    assert set(parts.values()) == {10 / 31}
    line = lines["PN.HOMICIDES"]
    line.reported -= 1
    of_ten_days = parts_of(reading, date(MONTH.year, MONTH.month, 11))
    assert np.isnan(of_ten_days["PN.HOMICIDES"]), "figures are still to come"
    line = lines["PN.HOMICIDES"]
    line.values[-1 - HISTORY], line.values[-1] = 310.0, 110.0
    assert wording.component_line(line, reading).change == "\N{MINUS SIGN}65\u202f%"
    assert wording.component_line(line, reading, part=10 / 31).change == "+10\u202f%"
    line.values[-1 - HISTORY], line.values[-1] = 20.0, 5.0
    assert wording.component_line(line, reading, part=10 / 31).change == "\N{MINUS SIGN}1"
    assert wording.component_line(line, reading, part=float("nan")).change == ""
    assert wording.change_base(reading, is_part=True) == "vs the same part of Oct 2022"
    assert np.isnan(list(parts_of(reading, MONTH).values())).all(), "no whole day is over"


def test_of_counts_and_of_counts_over_the_population(reading):
    counted = {line.about["code"] for line in reading.lines if line.about["is_count"]}
    assert set(changes_of(reading, LATER)) == counted | {"PN.HOMICIDERATE"}


def test_a_rate_is_tried_by_the_events_behind_it_and_their_people(reading):
    """As many events of ten times the people are a tenth of the rate: a change that the same rate's noise is not."""
    line = next(line for line in reading.lines if line.about["code"] == "PN.HOMICIDERATE")
    level = level_of(reading.unit, MONTH, LATER)
    here, scale = reading.unit.pk, line.about["scale"]
    people, before = level.people[here, MONTH.year], level.people[here, MONTH.year - 1]
    line.values = [40 * scale / before] * (HISTORY - 9) + [40 * scale / people] * 9 + [41 * scale / people]
    found = changes_of(reading, LATER)["PN.HOMICIDERATE"]
    assert found.ratio == pytest.approx(41 / 40 * before / people)
    assert not found.is_distinct
    line.values[-1] = 110 * scale / people
    assert changes_of(reading, LATER)["PN.HOMICIDERATE"].is_distinct
    line.values[-1] = 110.4 * scale / people  # no whole number of events: not what it seems
    assert "PN.HOMICIDERATE" not in changes_of(reading, LATER)


def test_the_level_is_read_once_a_day(reading, count_queries):
    level_of(reading.unit, MONTH, LATER)
    with count_queries() as asked:
        assert level_of(reading.unit, MONTH, LATER) is level_of(reading.unit, date(2023, 12, 1), LATER)
    assert not asked.page
    with count_queries() as asked:
        level_of(reading.unit, MONTH, date(2023, 11, 21))
    assert len(asked.page) <= 3


def test_the_page_carries_the_interval_beside_the_change_and_the_file_its_ends(standing_country):
    client = signed_in(standing_country.people["minister"])
    body = client.get(PAGE).content.decode()
    assert re.search(
        r'class="noted" tabindex="0" data-note="[\d.]+ times last year, 99 % interval [\d.]+ to [\d.]+', body
    )
    file = client.get(PAGE + "&format=csv").content.decode("utf-8-sig")
    assert "Month, times the same month last year" in file
    assert re.search(r"(not distinguishable from|more than) chance", file)

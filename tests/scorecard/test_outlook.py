"""Will the year's target be met: the forecast on an indicator's page, and the judgement that stands beside it."""

import json
import re
from datetime import date

import numpy as np
import pytest

from indicators.codes import Sense
from indicators.models import Target
from scorecard import trajectory as t
from scorecard.models import Judgement
from scorecard.queries import cards_of, unit_here
from scorecard.reading import Reading
from tests.factories import MONTH, NOW
from tests.scorecard.country import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = "/units/PN-EC/indicators/PN.HOMICIDES/?month=2023-10"
JUDGE = "/units/PN-01D01/indicators/PN.HOMICIDES/judgement?month=2023-10"
SEPTEMBER = date(2023, 9, 1)


@pytest.fixture
def country(standing_country):
    return standing_country


def panel(units=6, months=57, mean=5.0, last=SEPTEMBER):
    counts = np.random.default_rng(4).poisson(mean, (units, months)).astype(float)
    return t.Panel(counts[:, :, None], 2, last)


def test_the_path_starts_at_what_happened_and_its_interval_widens():
    found = t.trajectory(panel(), t.Asked(Sense.LOWER, [5.0] * 12))
    so_far = found.actual[8]
    assert (found.low[8], found.middle[8], found.high[8]) == (so_far, so_far, so_far)
    assert np.isnan(found.low[:8]).all()
    assert found.low[8:] == sorted(found.low[8:])
    assert (np.diff(np.subtract(found.high, found.low)[8:]) >= 0).all()
    assert found.promised[-1] == found.target == 60
    assert found.needed == (60 - so_far) / 3


def test_a_lower_target_is_met_less_often_and_a_higher_one_the_other_way_round():
    lower = [t.trajectory(panel(), t.Asked(Sense.LOWER, [m] * 12)).chance for m in (4.0, 5.0, 6.0)]
    assert lower == sorted(lower)
    below, above = (t.trajectory(panel(), t.Asked(sense, [5.0] * 12)).chance for sense in (Sense.LOWER, Sense.HIGHER))
    assert 1 <= below + above < 1.3


def test_without_a_whole_years_targets_no_chance_is_given():
    found = t.trajectory(panel(), t.Asked(Sense.LOWER, [5.0] * 11 + [np.nan]))
    assert np.isnan(found.chance)
    assert found.promised[10] == 55


def test_after_december_it_is_known():
    found = t.trajectory(panel(months=60, last=date(2023, 12, 1)), t.Asked(Sense.LOWER, [1.0] * 12))
    assert found.months_left == 0
    assert found.chance == 0
    assert found.total == (found.actual[-1],) * 3


def test_a_missing_month_is_forecast_and_named():
    some = panel()
    some.values[2, -2] = np.nan
    found = t.trajectory(some, t.Asked(Sense.LOWER, [5.0] * 12))
    assert found.missing == [date(2023, 8, 1)]
    assert found.months_left == 4


def test_a_unit_of_which_nothing_is_known_has_none():
    some = panel()
    some.values[2] = np.nan
    assert t.trajectory(some, t.Asked(Sense.LOWER, [5.0] * 12)) is None


def test_a_month_that_still_runs_is_not_taken_for_a_whole_one():
    assert t.last_whole(MONTH, date(2023, 10, 20)) == SEPTEMBER
    assert t.last_whole(MONTH, date(2023, 11, 1)) == MONTH


def test_targets_below_count_where_none_stands_above_them(country):
    unit, indicator = country.unit("PN-EC"), country.indicators["PN.HOMICIDES"]
    said = t.targets_of(unit, indicator, 2023)
    assert not np.isnan(said[:10]).any()
    own = t.own_targets(unit, ["PN.HOMICIDES"], 2023)["PN.HOMICIDES"]
    Target.objects.filter(unit=unit, indicator=indicator, month=SEPTEMBER).delete()
    rows = Target.objects.filter(indicator=indicator, month=SEPTEMBER, value__isnull=False).exclude(unit=unit)
    rows = list(rows.select_related("unit"))
    held = {row.unit_id for row in rows}
    highest = [row.value for row in rows if not held & set(row.unit.path[:-1])]
    assert t.targets_of(unit, indicator, 2023)[8] == pytest.approx(sum(highest))
    assert len(own) == 12


def test_the_page_says_what_the_year_will_come_to_and_by_what_model(minister):
    response = minister.get(PAGE)
    said = text_of(response)
    assert re.search(r"2023 is expected to end with [\d,]+ victims \(80.% interval: [\d,]+ to [\d,]+\)", said)
    assert "Model" in said
    drawn = json.loads(re.search(r'id="trajectory-data"[^>]*>(.*?)</script>', response.content.decode(), re.S)[1])
    series = {one["role"]: one["y"] for one in drawn["series"]}
    assert set(series) == {"low", "high", "target", "before", "actual"}
    assert series["actual"][9] == series["low"][9]
    assert series["actual"][10] is None
    assert series["low"][11] <= series["before"][11] <= series["high"][11]


def test_what_is_no_count_of_events_has_no_forecast(minister):
    assert "be met?" not in text_of(minister.get("/units/PN-EC/indicators/PN.RESPONSE/?month=2023-10"))


def test_a_judgement_stands_beside_the_forecast_with_its_reason_and_history(country):
    client = signed_in(country.people["reporter"])
    unit = country.unit("PN-01D01C01")
    address = JUDGE.replace("PN-01D01", "PN-01D01C01")
    before = text_of(client.get(address.replace("judgement", "")))
    for outlook, reason in (("2", "two gangs fight over the market"), ("1", "the fight has spread to the port")):
        assert client.post(address, {"outlook": outlook, "reason": reason}).status_code == 302
    assert Judgement.objects.filter(unit=unit).count() == 2
    said = text_of(client.get(address.replace("judgement", "")))
    assert said.index("the fight has spread") < said.index("two gangs fight")
    assert "will not be met" in said
    sentence = re.compile(r"2023 is expected to end with.*?\)")
    assert sentence.findall(said) == sentence.findall(before)


@pytest.mark.parametrize("sent", [{}, {"outlook": "3", "reason": "so"}, {"outlook": "5", "reason": "more patrols"}])
def test_a_judgement_without_choice_or_reason_is_not_kept(country, sent):
    client = signed_in(country.people["reporter"])
    response = client.post(JUDGE.replace("PN-01D01", "PN-01D01C01"), sent)
    assert response.status_code == 200
    assert not Judgement.objects.exists()


def test_who_may_only_look_does_not_judge(country):
    client = signed_in(country.people["viewer"])
    address = JUDGE.replace("PN-01D01", "PN-Z1")
    assert client.get(address).status_code == 403
    assert "judgement?month" not in client.get(address.replace("judgement", "")).content.decode()
    assert client.get(JUDGE.replace("PN-01D01", "PN-Z2")).status_code == 404


def test_leaderships_home_says_what_is_least_likely_to_be_met_first(country):
    here = unit_here(country.people["minister"], "PN-EC", MONTH)
    reading = Reading(here, cards_of(here.unit, MONTH))
    homicides = country.indicators["PN.HOMICIDES"]
    Target.objects.filter(unit=here.unit, indicator=homicides, month__year=2023).delete()
    Target.objects.bulk_create(
        Target(month=date(2023, n, 1), indicator=homicides, unit=here.unit, value=5, recorded_at=NOW)
        for n in range(1, 13)
    )
    found = t.prospects(reading, date(2023, 11, 20))
    assert [one.found.chance for one in found] == sorted(one.found.chance for one in found)
    assert found[0].line.about["code"] == "PN.HOMICIDES"
    assert found[0].found.target == 60
    assert t.prospects(reading, date(2023, 1, 20)) == []


def test_the_year_to_date_is_held_against_last_years_same_months():
    some = panel(mean=20.0)
    some.values[2, -21:-12] = 20
    some.values[2, -9:] = 21
    calm = t.trajectory(some, t.Asked(Sense.LOWER, [5.0] * 12))
    assert calm.before == 180
    assert not calm.against.is_distinct
    some.values[2, -9:] = 45
    assert t.trajectory(some, t.Asked(Sense.LOWER, [5.0] * 12)).against.is_distinct
    some.values[2, -15] = np.nan
    assert t.trajectory(some, t.Asked(Sense.LOWER, [5.0] * 12)).against is None

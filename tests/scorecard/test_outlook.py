"""Will the year's target be met: the forecast on an indicator's page, and the judgement that stands beside it."""

import json
import re
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from indicators.codes import Rule, Sense
from indicators.models import Target
from scorecard import expected, outlook, promised
from scorecard import trajectory as t
from scorecard.models import Card, Judgement
from scorecard.queries import cards_of, sheets_of, unit_here
from scorecard.reading import Reading
from tests.factories import MONTH, NOW
from tests.scorecard.country import signed_in, text_of
from units.models import Population, Unit

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


def year_of(some, sense=Sense.LOWER, targets=(5.0,) * 12, high=(np.nan,) * 12, **options):
    """The trajectory of the panel's unit, of counts that add up."""
    asked = promised.Asked(sense, list(targets), list(high))
    sheet = SimpleNamespace(over_time=Rule.SUM, denominator_kind=0, frequency=12)
    return t.trajectory(some.one(0), some.row, some.last, asked, promised.goal_of(sheet, asked), **options)


def test_the_path_starts_at_what_happened_and_its_interval_widens():
    found = year_of(panel())
    so_far = found.actual[8]
    assert (found.low[8], found.middle[8], found.high[8]) == (so_far, so_far, so_far)
    assert np.isnan(found.low[:8]).all()
    assert found.low[8:] == sorted(found.low[8:])
    assert (np.diff(np.subtract(found.high, found.low)[8:]) >= 0).all()
    assert found.goal.path[-1] == found.goal.target == 60
    assert found.needed == (60 - so_far) / 3


def test_a_lower_target_is_met_less_often_and_a_higher_one_the_other_way_round():
    lower = [year_of(panel(), targets=[m] * 12).chance for m in (4.0, 5.0, 6.0)]
    assert lower == sorted(lower)
    below, above = (year_of(panel(), sense).chance for sense in (Sense.LOWER, Sense.HIGHER))
    assert 1 <= below + above < 1.3


def test_without_a_whole_years_targets_no_chance_is_given():
    found = year_of(panel(), targets=[5.0] * 11 + [np.nan])
    assert np.isnan(found.chance)
    assert found.goal.path[10] == 55


def test_after_december_it_is_known():
    found = year_of(panel(months=60, last=date(2023, 12, 1)), targets=[1.0] * 12)
    assert found.months_left == 0
    assert found.chance == 0
    assert found.total == (found.actual[-1],) * 3


def test_a_missing_month_is_forecast_and_named():
    some = panel()
    some.values[2, -2] = np.nan
    found = year_of(some)
    assert found.missing == [date(2023, 8, 1)]
    assert found.months_left == 4


def test_a_unit_of_which_nothing_is_known_has_none():
    some = panel()
    some.values[2] = np.nan
    assert year_of(some) is None


def test_a_month_that_still_runs_is_not_taken_for_a_whole_one():
    assert t.last_whole(MONTH, date(2023, 10, 20)) == SEPTEMBER
    assert t.last_whole(MONTH, date(2023, 11, 1)) == MONTH


def test_targets_below_count_where_none_stands_above_them(country):
    unit, indicator = country.unit("PN-EC"), country.indicators["PN.HOMICIDES"]
    sheet = sheets_of("PN.HOMICIDES")[-1]
    said = promised.targets_of(unit, sheet, 2023, {}).targets
    assert not np.isnan(said[:10]).any()
    own = promised.own_targets(unit, ["PN.HOMICIDES"], 2023)["PN.HOMICIDES"][0]
    Target.objects.filter(unit=unit, indicator=indicator, month=SEPTEMBER).delete()
    rows = Target.objects.filter(indicator=indicator, month=SEPTEMBER, value__isnull=False).exclude(unit=unit)
    rows = list(rows.select_related("unit"))
    held = {row.unit_id for row in rows}
    highest = [row.value for row in rows if not held & set(row.unit.path[:-1])]
    assert promised.targets_of(unit, sheet, 2023, {}).targets[8] == pytest.approx(sum(highest))
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


def test_a_rate_is_foretold_by_its_events_and_shown_as_a_rate(minister):
    rate, count = (text_of(minister.get(PAGE.replace("HOMICIDES", code))) for code in ("HOMICIDERATE", "HOMICIDES"))
    assert re.search(r"2023 is expected to end with [\d.]+ per 100,000 \(80.% interval", rate)
    assert re.search(r"A month so far [\d.]+, which is [\d.]+ events", rate)
    assert re.search(r"A month so far [\d.]+ ", count)


def test_a_rates_year_is_its_events_over_this_years_people():
    some = panel(mean=20.0)
    found, rate = year_of(some), year_of(some, targets=[5.0 / 50] * 12, per=1 / 50, growth=1.02)
    assert np.array(rate.total) * 50 == pytest.approx(found.total)
    assert rate.chance == found.chance
    assert rate.needed * 50 == pytest.approx(found.needed)
    assert rate.against.ratio == pytest.approx(found.against.ratio / 1.02)
    assert rate.before * 50 == pytest.approx(found.before * 1.02)


def test_rates_that_are_no_events_over_these_people_are_taken_for_none():
    found = t.events_of(np.array([[2.0, 2.25, 0.0]]), np.array([[150_000.0] * 3]), 100_000)
    assert found[0, [0, 2]].tolist() == [3, 0]
    assert np.isnan(found[0, 1])


def test_what_is_no_count_of_events_shows_its_promised_path(minister):
    response = minister.get(PAGE.replace("HOMICIDES", "RESPONSE"))
    drawn = json.loads(re.search(r'id="trajectory-data"[^>]*>(.*?)</script>', response.content.decode(), re.S)[1])
    assert {"target", "actual"} <= {one["role"] for one in drawn["series"]}
    said = text_of(response)
    assert "be met?" in said
    assert "January to October 2023" in said, "the months that it tells of, which a month that still runs is not"


def test_before_the_first_whole_month_the_promised_path_stands_alone(country):
    unit, sheet = country.unit("PN-01D01C01"), sheets_of("PN.HOMICIDES")[-1]
    found = expected.trajectory_of(unit, unit, sheet, 0, date(2023, 1, 1), date(2022, 12, 1))
    assert found.why_not == expected.EARLY
    assert not found.is_foretold
    assert np.isnan(found.actual).all()
    assert not np.isnan(found.goal.path[9])


def measured(values, sheet, targets, high=(np.nan,) * 12, month=9, row=2):
    """The year of what is no count: values (N, T) up to the month, each year's figure the mean of its months."""
    to_date = np.array([[v[at - at % 12 : at + 1].mean() for at in range(len(v))] for v in values])
    some = t.Panel(values[:, :, None], row, date(2023, month, 1), to_date)
    asked = promised.Asked(sheet.sense, list(targets), list(high))
    return expected.measured(some, sheet, asked, promised.goal_of(sheet, asked))


def share(sense=Sense.HIGHER, over_time=Rule.MEAN, frequency=12):
    return SimpleNamespace(
        sense=sense, over_time=over_time, frequency=frequency, denominator_kind=0, unit_of_measure="%"
    )


def test_a_share_is_foretold_where_its_own_earlier_years_bear_it_out():
    values = np.random.default_rng(3).normal(70, 3, (9, 57))
    found = measured(values, share(), [70.0] * 12)
    assert found.low[-1] < found.middle[-1] < found.high[-1]
    assert found.low[8] == found.middle[8] == found.high[8] == found.actual[8]
    assert 0 < found.chance < 1
    assert found.tested == 27
    assert found.needed == pytest.approx(70 + (70 - found.actual[8]) * 9 / 3)
    within = measured(values, share(Sense.WITHIN), [68.0] * 12, [72.0] * 12)
    above, below = (measured(values, share(Sense.HIGHER), [v] * 12).chance for v in (68.0, 72.0))
    assert within.chance == pytest.approx(above - below, abs=1e-9)


def test_without_earlier_years_a_share_has_a_path_and_no_forecast():
    found = measured(np.random.default_rng(3).normal(70, 3, (9, 21)), share(), [70.0] * 12)
    assert found.why_not == expected.SHORT
    assert found.goal.target == 70
    assert not np.isnan(found.actual[8])
    assert np.isnan(found.chance)


def test_where_earlier_years_do_not_bear_it_out_neither_interval_nor_chance_is_given(monkeypatch):
    values = np.random.default_rng(3).normal(70, 3, (1, 69))
    known = measured(values, share(), [70.0] * 12, row=0)
    assert known.tested == 4
    monkeypatch.setattr(expected, "LEAST_SHARE", 0.0)
    assert measured(values, share(), [70.0] * 12, row=0).chance > 0
    monkeypatch.setattr(expected, "LEAST_SHARE", known.share + 0.1)
    found = measured(values, share(), [70.0] * 12, row=0)
    assert found.middle == pytest.approx(known.middle, nan_ok=True)
    assert np.isnan(found.chance)
    assert np.isnan(found.low[-1])


@pytest.mark.parametrize(
    ("sheet", "why"),
    [
        (share(over_time=Rule.NONE), expected.MONTHS),
        (share(over_time=Rule.MAX), expected.HIGHEST),
        (share(Sense.MILESTONE), expected.DONE),
    ],
)
def test_what_cannot_be_foretold_says_why(sheet, why):
    assert measured(np.full((3, 57), 70.0), sheet, [70.0] * 12).why_not == why


def test_a_quarterly_figure_is_foretold_by_quarters():
    values = np.full((9, 57), np.nan)
    values[:, 2::3] = np.random.default_rng(3).normal(70, 3, (9, 19))
    found = measured(values, share(over_time=Rule.LAST, frequency=4), [70.0] * 12)
    assert np.flatnonzero(~np.isnan(found.middle)).tolist() == [8, 11]
    assert np.flatnonzero(~np.isnan(found.goal.path)).tolist() == [2, 5, 8, 11]
    assert found.calibration.years >= 2


def test_a_quarterly_path_is_drawn_from_one_quarter_to_the_next():
    values = np.full((9, 57), np.nan)
    values[:, 2::3] = np.random.default_rng(3).normal(70, 3, (9, 19))
    sheet = share(over_time=Rule.LAST, frequency=4)
    sheet.local_unit_of_measure, sheet.decimals, sheet.is_count = "%", 1, False
    drawn = outlook._chart(measured(values, sheet, [70.0] * 12), sheet, 2023)
    assert [month[5:7] for month in drawn.x] == ["03", "06", "09", "12"]
    assert all(len(one.values) == 4 for one in drawn.series)


def test_the_promised_path_follows_the_rule_over_months():
    asked = promised.Asked(Sense.HIGHER, [float(n) for n in range(1, 13)])
    paths = {rule: promised.goal_of(share(over_time=rule), asked) for rule in Rule}
    assert paths[Rule.SUM].target == 78
    assert paths[Rule.MEAN].path[:3] == [1, 1.5, 2]
    assert paths[Rule.MEAN].target == paths[Rule.RATIO].target == 6.5
    assert paths[Rule.LAST].target == paths[Rule.MAX].target == 12
    assert np.isnan(paths[Rule.NONE].target)
    weighed = promised.goal_of(share(over_time=Rule.RATIO), asked, 3, (2.5, np.nan))
    assert weighed.path[2] == 2.5
    assert weighed.target == pytest.approx((3 * 2.5 + sum(range(4, 13))) / 12)


def test_a_range_with_an_end_for_a_part_of_the_year_has_no_target():
    open_end = promised.Asked(Sense.WITHIN, [90.0] * 12)
    half = promised.Asked(Sense.WITHIN, [90.0] * 12, [105.0] * 11 + [np.nan])
    assert promised.goal_of(share(Sense.WITHIN), open_end).target == 90
    assert np.isnan(promised.goal_of(share(Sense.WITHIN), half).target)


def test_a_panel_is_all_of_the_level_or_of_the_highest_unit_above_with_no_more_than_may_be(country, monkeypatch):
    unit = country.unit("PN-01D01C01")
    level = {
        one.pk: one for one in Unit.objects.filter(institution=unit.institution) if len(one.path) == len(unit.path)
    }
    carded = set(Card.objects.filter(unit__in=level, month=SEPTEMBER).values_list("unit_id", flat=True))
    assert set(t.panel_of(unit, SEPTEMBER, 0).ids) == carded
    monkeypatch.setattr(t, "MOST_UNITS", len(level) - 1)
    below = [[pk for pk in level if level[pk].path[at] == unit.path[at]] for at in range(len(unit.path))]
    first = next(ids for ids in below if len(ids) < len(level))
    assert set(t.panel_of(unit, SEPTEMBER, 0).ids) == carded & set(first)


def test_people_are_the_territorys_own_or_those_right_below(country):
    unit = country.unit("PN-01D01")
    some = t.panel_of(unit, SEPTEMBER, 0)
    before = t.people_of(some)[some.row, -1]
    here = Population.objects.filter(territory=unit.territory, year=2023)
    right_below = Population.objects.filter(territory__parent=unit.territory, year=2023)
    assert before == (here.get().people if here.exists() else sum(right_below.values_list("people", flat=True)))
    here.delete()
    assert t.people_of(some)[some.row, -1] == sum(right_below.values_list("people", flat=True))


def test_a_judgement_stands_beside_the_forecast_with_its_reason_and_history(country):
    client = signed_in(country.people["reporter"])
    unit = country.unit("PN-01D01C01")
    address = JUDGE.replace("PN-01D01", "PN-01D01C01")
    before = text_of(client.get(address.replace("judgement", "")))
    for choice, reason in (("2", "two gangs fight over the market"), ("1", "the fight has spread to the port")):
        assert client.post(address, {"outlook": choice, "reason": reason}).status_code == 302
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
    calm = year_of(some)
    assert calm.before == 180
    assert not calm.against.is_distinct
    some.values[2, -9:] = 45
    assert year_of(some).against.is_distinct
    some.values[2, -15] = np.nan
    assert year_of(some).against is None


def test_the_year_to_date_is_tried_with_what_the_level_knows_of_its_dispersion():
    """Beside units that vary by chance alone a clear change is marked, which the unit's own three years would not."""
    counts = np.random.default_rng(3).poisson(2.0, (40, 60)).astype(float)
    counts[0, -18:-6], counts[0, -6:] = 2.0, 5.0
    before, among = t._against(counts, 0, 6, 1.0)
    _same, alone = t._against(counts[:1], 0, 6, 1.0)
    assert before == 12.0
    assert among.ratio == alone.ratio == pytest.approx(2.5)
    assert among.low > alone.low
    assert among.high < alone.high

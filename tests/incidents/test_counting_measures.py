"""What event rules measure, against plain Python on events drawn at random: filters, shares, medians, percentiles."""

import random
import re
from datetime import UTC, date, datetime, timedelta
from statistics import median, quantiles

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from incidents import counting, event_rules, feed, measures, rule_queries
from incidents.coverage import NOBODY
from incidents.models import Category, CountMark, EventRule, Measure
from indicators.codes import Rule
from indicators.models import Assignment, Denominator, Measurement, SheetVersion
from tests.incidents.conftest import NOW
from units.models import User

pytestmark = pytest.mark.django_db
NOVEMBER, DECEMBER = date(2024, 11, 1), date(2024, 12, 1)
PLACES = ["09D01C01S01", "09D01C02S02", "09D02C01S01", "000C01S01"]
FEMALE = [{"field": "victim.sex", "in": [2]}]


def drawn(seed, n=60):
    """Events as a feed says them."""
    rng = random.Random(seed)
    items = []
    for number in range(n):
        received = datetime(2024, 11, rng.randint(1, 28), rng.randint(6, 20), tzinfo=UTC)
        item = {
            "external_id": f"E-{number}",
            "category": rng.choice(["HOMICIDE.MURDER", "HOMICIDE.FEMICIDE", "ROBBERY.HOMES"]),
            "occurred_on": received.date().isoformat(),
            "place": rng.choice(PLACES),
            "received_at": received.isoformat(),
            "service": rng.choice(["security", "health"]),
            "victims": [
                {"sex": rng.choice(["HOMBRE", "MUJER"]), "age": rng.randint(1, 80)} for _ in range(rng.randint(0, 3))
            ],
        }
        if rng.random() < 0.8:
            item["arrived_at"] = (received + timedelta(seconds=rng.randint(30, 5000))).isoformat()
        items.append(item)
    return items


@pytest.fixture
def send(country):
    account = User.objects.create(username="feed.pn")

    def receive(items):
        outcome = feed.receive(account=account, institution=country.police, now=NOW, items=items)
        assert set(outcome.results) == {"created"}

    return receive


@pytest.fixture
def rule(country):
    """`rule(measure=..., ...)`: the homicides' indicator counts so, its sheet made to fit."""

    def change(**how):
        sheet = SheetVersion.objects.get(indicator=country.homicides)
        if how["measure"] == Measure.SHARE:
            sheet.denominator_kind, sheet.over_units, sheet.over_time = Denominator.REPORTED, Rule.RATIO, Rule.RATIO
            sheet.scale, sheet.is_count = 100, False
        if how["measure"] in (Measure.MEDIAN, Measure.P90):
            sheet.over_units, sheet.over_time, sheet.is_count = Rule.NONE, Rule.NONE, False
            Assignment.objects.create(indicator=country.homicides, unit=country.units["EC"], from_month=NOVEMBER)
            how = {"from_stage": "received", "to_stage": "arrived", **how}
        sheet.save()
        held = EventRule.objects.get(indicator=country.homicides)
        for name, value in how.items():
            setattr(held, name, value)
        event_rules.check(held)
        held.save()
        return held

    return change


def drained():
    while counting.drain(now=NOW)[0]:
        pass


def said(country, *fields):
    held = Measurement.objects.filter(indicator=country.homicides, month=NOVEMBER).select_related("unit")
    return {figure.unit.code: tuple(getattr(figure, name) for name in fields) for figure in held}


def unit_of(item):
    return "PN.Z0" if item["place"].startswith("000") else f"PN.{item['place'][:5]}"


def is_homicide(item):
    return item["category"].startswith("HOMICIDE")


def by_unit(items, value):
    found = {"PN.09D01": 0, "PN.09D02": 0, "PN.Z0": 0}
    for item in items:
        found[unit_of(item)] += value(item)
    return found


RULES = {
    "events with a woman among the victims": (
        {"measure": Measure.EVENTS, "filter": FEMALE},
        lambda item: any(victim["sex"] == "MUJER" for victim in item["victims"]),
    ),
    "women": (
        {"measure": Measure.VICTIMS, "filter": FEMALE},
        lambda item: sum(victim["sex"] == "MUJER" for victim in item["victims"]),
    ),
    "minors in events of health": (
        {
            "measure": Measure.VICTIMS,
            "filter": [{"field": "victim.age", "from": 0, "to": 17}, {"field": "service", "in": [2]}],
        },
        lambda item: sum(victim["age"] <= 17 for victim in item["victims"]) * (item["service"] == "health"),
    ),
    "events that state no channel": (
        {"measure": Measure.EVENTS, "filter": [{"field": "channel", "in": [0]}]},
        lambda _item: 1,
    ),
    "victimizers": ({"measure": Measure.VICTIMIZERS}, lambda _item: 0),
}


@pytest.mark.parametrize("name", RULES)
def test_a_filter_takes_what_plain_python_takes(country, send, rule, name):
    how, value = RULES[name]
    rule(**how)
    items = drawn(name)
    send(items)
    drained()
    expected = by_unit(filter(is_homicide, items), value)
    assert said(country, "numerator") == {unit: (count,) for unit, count in expected.items()}


@pytest.mark.parametrize("seed", range(3))
def test_a_share_brings_its_part_and_all_that_it_is_of(country, send, rule, seed):
    rule(measure=Measure.SHARE, part=FEMALE, filter=[{"field": "service", "in": [1]}])
    items = drawn(seed)
    send(items)
    drained()
    wanted = [item for item in items if is_homicide(item) and item["service"] == "security"]
    women = by_unit(wanted, lambda item: sum(victim["sex"] == "MUJER" for victim in item["victims"]))
    every = by_unit(wanted, lambda item: len(item["victims"]))
    assert said(country, "numerator", "denominator") == {unit: (women[unit], every[unit]) for unit in every}


def minutes_of(item):
    span = datetime.fromisoformat(item["arrived_at"]) - datetime.fromisoformat(item["received_at"])
    return span.total_seconds() / 60


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("measure", [Measure.MEDIAN, Measure.P90])
def test_a_median_is_of_all_events_below_at_every_level(country, send, rule, measure, seed):
    rule(measure=measure)
    items = drawn(seed)
    send(items)
    drained()
    below = {"PN.EC": []}
    for item in items:
        if is_homicide(item) and "arrived_at" in item:
            below.setdefault(unit_of(item), []).append(minutes_of(item))
            below["PN.EC"].append(minutes_of(item))
    middle = median if measure == Measure.MEDIAN else lambda xs: quantiles([*xs], n=10, method="inclusive")[8]
    expected = {unit: pytest.approx(middle(times) if len(times) > 1 else times[0]) for unit, times in below.items()}
    assert {unit: value for unit, (value,) in said(country, "numerator").items()} == expected


def test_a_median_that_loses_its_last_event_is_taken_back(country, send, rule):
    rule(measure=Measure.MEDIAN)
    item = next(item for item in drawn(1) if is_homicide(item) and "arrived_at" in item)
    send([item])
    drained()
    assert set(said(country, "numerator")) == {unit_of(item), "PN.EC"}
    account = User.objects.get(username="feed.pn")
    gone = {"external_id": item["external_id"], "action": "retract", "reason": "mistake"}
    feed.receive(account=account, institution=country.police, now=NOW, items=[gone])
    drained()
    assert said(country, "numerator") == {}


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3, NOBODY]), st.floats(0, 1e4)), max_size=30), st.floats(0, 100))
def test_percentiles_are_those_of_numpy(events, percent):
    chains = {1: [1, 9], 2: [2, 9], 3: [3]}
    units, minutes = (np.array(column) for column in zip(*events, strict=True)) if events else (np.array([]),) * 2
    found = dict(zip(*(c.tolist() for c in measures.middles(units, minutes, chains, percent)), strict=True))
    for owner in (1, 2, 3, 9):
        mine = [value for unit, value in events if unit != NOBODY and owner in chains[unit]]
        assert (owner in found) == bool(mine)
        if mine:
            assert found[owner] == pytest.approx(np.percentile(mine, percent), abs=1e-6)


def test_marks_are_taken_and_only_their_months_and_rules_counted(country, send):
    send(drawn(5))
    assert CountMark.objects.exists()
    Measurement.objects.all().delete()
    marks, recount = counting.drain(now=NOW)
    assert marks
    assert not CountMark.objects.exists()
    assert set(Measurement.objects.values_list("month", flat=True)) == {NOVEMBER}
    assert recount.created == 6  # two indicators of three units
    assert counting.drain(now=NOW)[0] == 0


def test_a_mark_of_a_month_that_has_not_begun_waits_for_it(country):
    category = Category.objects.get(code="HOMICIDE")
    CountMark.objects.create(month=date(2025, 1, 1), category=category, marked_at=NOW)
    assert counting.drain(now=NOW)[0] == 0
    assert not counting.has_marks(now=NOW)
    assert counting.drain(now=datetime(2025, 1, 2, 12, tzinfo=UTC))[0] == 1


def test_what_was_drained_event_by_event_equals_a_recount_from_scratch(country, send):
    for item in drawn(8, n=25):
        send([item])
        drained()
    before = Measurement.objects.count()
    again = counting.recount(by=None, start=NOVEMBER, end=DECEMBER, now=NOW)
    assert (again.created, again.changed, again.unchanged) == (0, 0, before)


# Rules


def refused(country, **how):
    draft = {"indicator": country.rate, "measure": Measure.EVENTS, "from_month": NOVEMBER}
    draft["category"] = Category.objects.get(code="HOMICIDE")
    EventRule.objects.filter(indicator=country.rate).delete()
    with pytest.raises(ValidationError) as error:
        event_rules.check(EventRule(**draft | how))
    return set(error.value.message_dict)


STAGES = {"from_stage": "received", "to_stage": "arrived"}
IMPOSSIBLE = {
    "a median of a sheet that is rolled up": ({"measure": Measure.MEDIAN, **STAGES}, "measure"),
    "minutes that run backwards": (
        {"measure": Measure.P90, "from_stage": "closed", "to_stage": "received"},
        "to_stage",
    ),
    "minutes without stages": ({"measure": Measure.P90}, None),
    "a count with stages": (STAGES, None),
    "a share without a part": ({"measure": Measure.SHARE}, None),
    "a share whose sheet has no reported denominator": ({"measure": Measure.SHARE, "part": FEMALE}, "measure"),
    "an unknown field": ({"filter": [{"field": "victim.shoe", "in": [1]}]}, "filter"),
    "a reserved variable": ({"filter": [{"field": "victim.ethnicity", "in": [1]}]}, "filter"),
    "codes that are none": ({"filter": [{"field": "service", "in": [8]}]}, "filter"),
    "bounds that cross": ({"filter": [{"field": "victim.age", "from": 9, "to": 3}]}, "filter"),
    "what is no list": ({"filter": {"field": "service"}}, "filter"),
    "months without a sheet": ({"from_month": date(2013, 1, 1), "to_month": date(2013, 6, 1)}, "indicator"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_rule_that_cannot_be_counted_is_refused(country, name):
    how, field = IMPOSSIBLE[name]
    assert refused(country, **how) == {field or "__all__"}


def test_a_new_rule_counts_from_the_first_event_on_and_an_ended_one_no_longer(country, send):
    EventRule.objects.filter(indicator=country.rate).delete()
    send(drawn(3))
    drained()
    draft = EventRule(
        indicator=country.rate,
        measure=Measure.EVENTS,
        category=Category.objects.get(code="ROBBERY"),
        from_month=date(2020, 1, 1),
    )
    preview = event_rules.preview(draft, now=NOW)
    rule = event_rules.add(by=None, rule=draft, now=NOW)
    assert set(CountMark.objects.values_list("month", flat=True)) == {NOVEMBER, DECEMBER}
    drained()
    held = Measurement.objects.filter(indicator=country.rate, month=NOVEMBER)
    robberies = sum(item["category"].startswith("ROBBERY") for item in drawn(3))
    assert sum(held.values_list("numerator", flat=True)) == robberies
    assert (NOVEMBER, 3, robberies, None, 0) in preview
    event_rules.end(by=None, rule=rule, to_month=DECEMBER, now=NOW)
    send([item | {"external_id": f"L-{n}", "occurred_on": "2024-12-01"} for n, item in enumerate(drawn(3))])
    Measurement.objects.filter(month=DECEMBER).delete()
    drained()
    assert not Measurement.objects.filter(indicator=country.rate, month=DECEMBER).exists()


# What pages ask


def test_times_by_stage_say_how_many_events_state_them(country, send, rule):
    held = rule(measure=Measure.MEDIAN)
    items = drawn(4)
    send(items)
    for unit in ("09D01", "EC"):
        mine = [i for i in items if is_homicide(i) and unit in ("EC", i["place"][:5])]
        times = [minutes_of(item) for item in mine if "arrived_at" in item]
        (found,) = rule_queries.stages(held, country.units[unit], NOVEMBER, DECEMBER)
        assert (found.from_stage, found.to_stage, found.n, found.of) == ("received", "arrived", len(times), len(mine))
        assert found.median == pytest.approx(median(times))
        assert found.p90 == pytest.approx(np.percentile(times, 90))
        assert found.missing == pytest.approx(1 - len(times) / len(mine))


def test_the_same_days_end_with_shorter_months(country, send):
    held = EventRule.objects.get(indicator=country.homicides)
    base = {"category": "HOMICIDE.MURDER", "place": PLACES[0], "victims": [{"sex": "MUJER"}]}
    days = ["2024-03-01", "2024-03-31", "2024-02-29", "2024-02-01", "2023-03-30", "2023-04-01"]
    send([{**base, "external_id": f"D-{n}", "occurred_on": day} for n, day in enumerate(days)])
    march, february, before = rule_queries.same_days(held, country.units["EC"], date(2024, 3, 31))
    assert (march.count, february.count, before.count) == (2, 2, 1)
    assert (february.first, february.last) == (date(2024, 2, 1), date(2024, 2, 29))
    march, february, before = rule_queries.same_days(held, country.units["09D01"], date(2024, 3, 30))
    assert (march.count, february.count, before.count) == (1, 2, 1)
    assert rule_queries.same_days(held, country.units["09D02"], date(2024, 3, 30))[0].value == 0


def test_the_same_days_are_counted_by_the_rule_that_held_in_their_month(country, send):
    held, nation, day = EventRule.objects.get(indicator=country.homicides), country.units["EC"], date(2024, 3, 5)
    base = {"category": "HOMICIDE.MURDER", "place": PLACES[0], "victims": [{"sex": "MUJER"}]}
    days = ["2024-03-01", "2024-02-02", "2023-03-01"]
    send([{**base, "external_id": f"D-{n}", "occurred_on": at} for n, at in enumerate(days)])
    EventRule.objects.filter(pk=held.pk).update(from_month=date(2024, 2, 1))
    held.refresh_from_db()
    assert [span.value for span in rule_queries.same_days(held, nation, day)] == [1, 1, None]
    of_robberies = EventRule.objects.get(pk=held.pk)
    of_robberies.pk, of_robberies.category = None, Category.objects.get(code="ROBBERY.HOMES")
    of_robberies.from_month, of_robberies.to_month = date(2020, 1, 1), held.from_month
    of_robberies.save()
    assert [span.value for span in rule_queries.same_days(held, nation, day)] == [1, 1, 0]


def test_the_running_month_is_compared_by_whole_days_alone():
    assert rule_queries.last_whole_day(NOVEMBER, date(2024, 11, 1)) is None
    assert rule_queries.last_whole_day(NOVEMBER, date(2024, 11, 2)) == NOVEMBER
    assert rule_queries.last_whole_day(NOVEMBER, date(2025, 3, 5)) == date(2024, 11, 30)


@pytest.mark.parametrize(
    "asked",
    [
        {"measure": Measure.VICTIMS},
        {"measure": Measure.EVENTS, "filter": FEMALE},
        {"measure": Measure.SHARE, "part": [*FEMALE, {"field": "victimizer.sex", "in": [1]}]},
    ],
    ids=["victims", "events with a victim", "share"],
)
def test_a_month_reads_the_persons_of_its_own_year_alone(country, asked):
    rule = EventRule(category=Category.objects.get(code="HOMICIDE"), **asked)
    counted = measures.counted_by(rule)
    part, part_values = measures.part_of(rule, counted, (NOVEMBER, DECEMBER))
    from_, values = measures.from_where(rule, counted, [rule.category_id], NOVEMBER, DECEMBER)
    with connection.cursor() as cursor:
        sql = measures.COUNTS.format(month=measures.MONTH, part=part, from_=from_)
        cursor.execute(f"EXPLAIN {sql}", [*part_values, *values])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    years = set(re.findall(r"on (incidents_victim(?:izer)?_\w+)", plan))
    assert years
    assert all(year.endswith("_2024") for year in years), plan

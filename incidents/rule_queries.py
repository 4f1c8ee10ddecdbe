"""What pages ask of an event rule beside its figures: response times by stage, and the same days of other periods."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from incidents import measures
from incidents.counting import STANDING
from incidents.coverage import month_number
from incidents.models import TIMED, EventRule, Measure, Stage
from indicators.months import add_months

MIDDLE = {Measure.MEDIAN: 0.5, Measure.P90: 0.9}
COUNT = "SELECT count(*) FILTER (WHERE {part}), count(*) {from_} AND i.territory_id = ANY(%s)"
BETWEEN = "i.{since}_at IS NOT NULL AND i.{to}_at >= i.{since}_at"
MINUTES = "extract(epoch FROM i.{to}_at - i.{since}_at)::float8 / 60"
MIDDLES = """count(*) FILTER (WHERE {between}),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY {minutes}) FILTER (WHERE {between}),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY {minutes}) FILTER (WHERE {between})"""


@dataclass(frozen=True)
class StageTimes:
    """Minutes from a stage to a later one: median and 90th percentile of the `n` events that state both, of `of`."""

    from_stage: str
    to_stage: str
    median: float | None
    p90: float | None
    n: int
    of: int

    @property
    def missing(self):
        """The share of events that do not state both times, 0..1; None where there is no event."""
        return 1 - self.n / self.of if self.of else None


@dataclass(frozen=True)
class Days:
    """What a rule counts from one day to another, both included. `of`: all of which a share is taken, or the events
    that state their times; value: what the rule says of the days, None for nothing.
    """

    first: date
    last: date
    count: int
    of: int
    value: float | None


def rule_of(indicator, month):
    """The rule that counts for an indicator in a month, or None."""
    held = EventRule.objects.filter(indicator=indicator, from_month__lte=month).exclude(to_month__lte=month)
    return held.select_related("indicator", "category", "source").first()


def stages(rule, unit, start, end):
    """StageTimes of the events that a rule takes in [start, end), of a unit and all below it: each stage to the next
    of those stated, and the rule's own span.
    """
    if end <= start:
        return []
    spans = list(zip(Stage.values, Stage.values[1:], strict=False))
    if rule.from_stage and (rule.from_stage, rule.to_stage) not in spans:
        spans.append((rule.from_stage, rule.to_stage))
    columns = [_middles(since, to) for since, to in spans]
    row = _ask(f"SELECT count(*), {', '.join(columns)} {{from_}} AND i.territory_id = ANY(%s)", rule, unit, start, end)
    parts = [row[1 + 3 * n : 4 + 3 * n] for n in range(len(spans))]
    found = [
        StageTimes(since, to, median, p90, n, row[0])
        for (since, to), (n, median, p90) in zip(spans, parts, strict=True)
    ]
    return [
        times for times in found if times.n or (times.from_stage, times.to_stage) == (rule.from_stage, rule.to_stage)
    ]


def _middles(since, to):
    between = BETWEEN.format(since=since, to=to)
    return MIDDLES.format(between=between, minutes=MINUTES.format(since=since, to=to))


def same_days(rule, unit, as_of):
    """A month's days up to `as_of`, included, and the same days of the month before and of the year before.

    A month without that many days is taken whole. Each month's events are counted by the rule of that month, and go to
    units by its tree; where no rule of the same measure held, there is no value.
    """
    months = [as_of.replace(day=1)]
    months += [add_months(months[0], -1), add_months(months[0], -12)]
    found = []
    for month in months:
        held = rule if month == months[0] else rule_of(rule.indicator, month)
        last = month.replace(day=min(as_of.day, monthrange(month.year, month.month)[1]))
        is_alike = held is not None and held.measure == rule.measure
        found.append(_days(held, unit, month, last) if is_alike else Days(month, last, 0, 0, None))
    return found


def last_whole_day(month, today):
    """The last day of a month that is over: its end, or yesterday in the running one; None where none is."""
    last = min(add_months(month, 1) - timedelta(days=1), today - timedelta(days=1))
    return last if last >= month else None


def _days(rule, unit, first, last):
    end = last + timedelta(days=1)
    if rule.measure in TIMED:
        between = BETWEEN.format(since=rule.from_stage, to=rule.to_stage)
        minutes = MINUTES.format(since=rule.from_stage, to=rule.to_stage)
        middle = f"percentile_cont({MIDDLE[rule.measure]}) WITHIN GROUP (ORDER BY {minutes}) FILTER (WHERE {between})"
        sql = f"SELECT count(*), count(*) FILTER (WHERE {between}), {middle} {{from_}} AND i.territory_id = ANY(%s)"
        count, of, value = _ask(sql, rule, unit, first, end)
        return Days(first, last, count, of, value)
    count, of = _ask(COUNT, rule, unit, first, end)
    if rule.measure == Measure.SHARE:
        return Days(first, last, count, of, count / of if of else None)
    return Days(first, last, count, of, float(count))


def _ask(sql, rule, unit, start, end):
    standing = STANDING.fresh()
    coverage = standing.coverage(rule.indicator)
    places = coverage.places(unit.pk, month_number(start), by_due=rule.measure not in TIMED)
    counted = measures.counted_by(rule)
    part, part_values = measures.part_of(rule, counted, (start, end))
    from_, values = measures.from_where(rule, counted, standing.categories(rule), start, end)
    if "{part}" not in sql:
        part_values = []
    with connection.cursor() as cursor:
        cursor.execute(sql.format(part=part, from_=from_), [*part_values, *values, places.tolist()])
        return cursor.fetchone()

"""The events behind an indicator's figure: grouped for a decomposition, listed one by one.

What counts is what the indicator's rules count, month by month, by the tree and the coverage of each span's first
month. Read from PostgreSQL set-wise: a question a rule in force, whatever the number of events.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from incidents import conditions, measures
from incidents.conditions import ALIAS, EVENT, JOINED, PERSONS
from incidents.counting import STANDING
from incidents.coverage import month_number
from incidents.models import EventRule, Kind, Measure, Variable

GROUPED = "SELECT {key}, count(*) FILTER (WHERE {part}), count(*) {from_} AND i.territory_id = ANY(%s) GROUP BY 1"
# Of several persons the first speaks for the event, so that each event stands in one group.
FIRST = """LEFT JOIN LATERAL (
    SELECT {alias}.codes, {alias}.numbers FROM {table} {alias} WHERE {joined} ORDER BY {alias}.ordinal LIMIT 1
) f ON true"""
HOURS = 3  # of a band
NOT_STATED = -1
AGES = (0, 12, 18, 30, 45, 65)  # where bands of a number of years begin
NUMBERS = (0, 1, 2, 5, 10, 100, 500, 1000, 5000)  # of any other number


class Grouping(NamedTuple):
    """How events are told apart: SQL of a key, what must be joined, and of bands where each begins."""

    key: str
    join: str = ""
    bands: tuple[int, ...] = ()


class Numbers(NamedTuple):
    """Of a group: how many of the part that a share counts (all, for other measures), and how many in all."""

    part: int
    every: int


BY_CATEGORY = Grouping("i.category_id")
BY_HOUR = Grouping(f"coalesce(date_part('hour', i.occurred_at)::int / {HOURS}, {NOT_STATED})")


def by_variable(variable: Variable, counted: str) -> Grouping:
    """Events by the code of a variable, 0 for not stated; by the band of a number, NOT_STATED for none."""
    own, join = _alias_of(variable.factor, counted)
    if variable.kind == Kind.CATEGORY:
        return Grouping(f"coalesce({own}.codes[{variable.position + 1}], 0)::int", join)
    bands = AGES if variable.key == "age" else NUMBERS
    value = f"nullif({own}.numbers[{variable.position + 1}], 'NaN')"
    edges = ", ".join(str(edge) for edge in bands)
    key = f"CASE WHEN {value} >= 0 THEN width_bucket({value}, ARRAY[{edges}]::float8[]) - 1 ELSE {NOT_STATED} END"
    return Grouping(key, join, bands)


def _alias_of(factor: str, counted: str) -> tuple[str, str]:
    if factor not in PERSONS:
        return ALIAS[EVENT], ""
    if factor == counted:
        return ALIAS[factor], ""
    alias = ALIAS[factor]
    return "f", FIRST.format(alias=alias, table=PERSONS[factor], joined=JOINED.format(alias=alias))


def rules_in(indicator, start: date, end: date) -> list[EventRule]:
    """The rules that count for an indicator in any of [start, end), the earliest first."""
    held = EventRule.objects.filter(indicator=indicator, from_month__lt=end).exclude(to_month__lte=start)
    return list(held.select_related("indicator", "category", "source").order_by("from_month"))


@dataclass(frozen=True)
class Span:
    """A rule, the days [start, end) for which it is asked, and the ids of the territories whose events it takes."""

    rule: EventRule
    start: date
    end: date
    places: list[int]
    categories: list[int]


def spans(rules: list[EventRule], unit, start: date, end: date) -> list[Span]:
    """Each rule with its own part of [start, end), and what counts for the unit there."""
    standing, found = STANDING.fresh(), []
    for rule in rules:
        first, last = max(start, rule.from_month), min(end, rule.to_month or end)
        if first < last:
            coverage = standing.coverage(rule.indicator)
            places = coverage.places(unit.pk, month_number(first), by_due=not measures.is_timed(rule))
            found.append(Span(rule, first, last, places.tolist(), standing.categories(rule)))
    return found


def grouped(of: list[Span], grouping) -> dict[int, Numbers]:
    """{key: Numbers} over all spans. grouping: a Grouping, or a function of what a rule counts that gives one."""
    part, every = Counter(), Counter()
    for span in of:
        counted = measures.counted_by(span.rule)
        by = grouping(counted) if callable(grouping) else grouping
        for key, some, all_of in _ask(span, counted, by):
            part[key] += some
            every[key] += all_of
    return {key: Numbers(part[key], every[key]) for key in every}


def _ask(span: Span, counted: str, by: Grouping) -> list[tuple[int, int, int]]:
    part, part_values = measures.part_of(span.rule, counted, (span.start, span.end))
    from_, values = measures.from_where(span.rule, counted, span.categories, span.start, span.end)
    if by.join:
        head, where = from_.split("WHERE", 1)
        from_ = f"{head} {by.join} WHERE{where}"
    sql = GROUPED.format(key=by.key, part=part, from_=from_)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*part_values, *values, span.places])
        return cursor.fetchall()


# One by one ----------------------------------------------------------------------------------------------------------


def where(of: list[Span], part: bool | None = None) -> tuple[str, list[Any]]:
    """SQL over incidents `i`, and its parameters, of the events that the spans count.

    part: of a share, only those that count above (True), or only those that do not (False); of all else, all and none.
    """
    parts, parameters = [], []
    for span in of:
        rule, days = span.rule, (span.start, span.end)
        is_share = rule.measure == Measure.SHARE
        clause, values = conditions.where([*rule.filter, *(rule.part if is_share and part else ())], EVENT, days)
        if part is False:
            counted, more = conditions.where(rule.part, EVENT, days) if is_share else ("true", [])
            clause, values = f"{clause} AND ({counted}) IS NOT TRUE", [*values, *more]  # also where it is not stated
        source = " AND i.source_id = %s" if rule.source_id else ""
        parts.append(
            "(i.occurred_on >= %s AND i.occurred_on < %s AND i.category_id = ANY(%s) "
            f"AND i.territory_id = ANY(%s){source} AND {clause})"
        )
        parameters += [span.start, span.end, span.categories, span.places]
        parameters += [rule.source_id] if rule.source_id else []
        parameters += values
    return (f"({' OR '.join(parts)})", parameters) if parts else ("false", [])

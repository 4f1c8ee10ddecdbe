"""What a profile counts, out of PostgreSQL: values of every variable, hours of the week, ages, crossings, months.

Reserved variables are not read at all. Each question is one statement, whatever the number of events.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date

import numpy as np

from incidents.behind import AGES, NUMBERS
from incidents.conditions import PERSONS
from incidents.hotspots.read import Selection, fetch
from incidents.models import Factor, Kind, Variable
from indicators.models import Sensitivity

HOUR, WEEKDAY = "hour", "weekday"
HOURS = 3  # of a band that is compared
PERSON = "JOIN {table} p ON p.occurred_on = i.occurred_on AND p.incident_id = i.id"
CODES = """
SELECT u.position::int, u.code::int, count(*)::int
FROM incidents_incident i {person} CROSS JOIN LATERAL unnest({alias}.codes) WITH ORDINALITY u(code, position)
WHERE {where} AND u.code <> 0 GROUP BY 1, 2
"""
BANDS = """
SELECT u.position::int,
    width_bucket(u.number, CASE WHEN u.position = %(age)s THEN %(ages)s::float8[] ELSE %(numbers)s::float8[] END) - 1,
    count(*)::int
FROM incidents_incident i {person} CROSS JOIN LATERAL unnest({alias}.numbers) WITH ORDINALITY u(number, position)
WHERE {where} AND u.number >= 0 AND u.number <> 'NaN' GROUP BY 1, 2
"""
CLOCK = """
SELECT date_part('isodow', i.occurred_on)::int, date_part('hour', i.occurred_at)::int, count(*)::int
FROM incidents_incident i WHERE {where} GROUP BY 1, 2
"""
PYRAMID = """
SELECT coalesce(p.codes[{sex}], 0)::int, width_bucket(p.numbers[{age}], %(ages)s::float8[]) - 1, count(*)::int
FROM incidents_incident i {person} WHERE {where} AND p.numbers[{age}] >= 0 AND p.numbers[{age}] <> 'NaN' GROUP BY 1, 2
"""
CROSSED = """
SELECT i.codes[{one}]::int, i.codes[{other}]::int, count(*)::int
FROM incidents_incident i WHERE {where} AND i.codes[{one}] <> 0 AND i.codes[{other}] <> 0 GROUP BY 1, 2
"""
MONTHS = """
SELECT i.category_id, date_trunc('month', i.occurred_on)::date, count(*)::int
FROM incidents_incident i WHERE {where} GROUP BY 1, 2
"""
Counts = dict[str, dict[int, int]]


def open_variables() -> list[Variable]:
    """Variables that may be told: kept in arrays, and not reserved. One query."""
    held = Variable.objects.exclude(kind=Kind.COLUMN).exclude(sensitivity=Sensitivity.RESERVED)
    return list(held.order_by("factor", "key"))


def _where(selection: Selection) -> str:
    return f"{selection.where} AND {selection.hours_where}"


def values(selection: Selection, variables: list[Variable]) -> Counts:
    """{field: {code or band: n}} of what is stated. Of a person's variables, n counts persons. Six questions."""
    found: Counts = {}
    for factor in Factor.values:
        of = [one for one in variables if one.factor == factor]
        alias = "p" if factor in PERSONS else "i"
        person = PERSON.format(table=PERSONS[factor]) if factor in PERSONS else ""
        for kind, statement in ((Kind.CATEGORY, CODES), (Kind.NUMBER, BANDS)):
            fields = {one.position + 1: f"{factor}.{one.key}" for one in of if one.kind == kind}
            age = next((at for at, field in fields.items() if field.endswith(".age")), 0)
            given = {**selection.parameters, "age": age, "ages": list(AGES), "numbers": list(NUMBERS)}
            sql = statement.format(person=person, alias=alias, where=_where(selection))
            for position, value, n in fetch(sql, given):
                if position in fields:
                    found.setdefault(fields[position], {})[value] = n
    return found


def clock(selection: Selection) -> tuple[np.ndarray, int]:
    """Events by weekday and hour, int64 (7, 24), Monday first; and how many state no hour. One question."""
    table, without = np.zeros((7, 24), np.int64), 0
    for weekday, hour, n in fetch(CLOCK.format(where=_where(selection)), selection.parameters):
        if hour is None:
            without += n
        else:
            table[weekday - 1, hour] = n
    return table, without


def times(table: np.ndarray) -> Counts:
    """The hours of the week as values that are compared: bands of hours, and weekdays."""
    bands = table.sum(axis=0).reshape(-1, HOURS).sum(axis=1)
    return {
        HOUR: {n: int(count) for n, count in enumerate(bands)},
        WEEKDAY: {n: int(count) for n, count in enumerate(table.sum(axis=1), start=1)},
    }


def pyramid(selection: Selection, variables: list[Variable]) -> dict[tuple[int, int], int]:
    """Victims by (code of the sex, 0 for not stated; band of AGES). One question."""
    at = {f"{one.factor}.{one.key}": one.position + 1 for one in variables}
    if not {"victim.sex", "victim.age"} <= at.keys():
        return {}
    sql = PYRAMID.format(
        sex=at["victim.sex"],
        age=at["victim.age"],
        person=PERSON.format(table=PERSONS[Factor.VICTIM]),
        where=_where(selection),
    )
    return {(sex, band): n for sex, band, n in fetch(sql, {**selection.parameters, "ages": list(AGES)})}


def crossed(selection: Selection, one: Variable, other: Variable) -> dict[tuple[int, int], int]:
    """Events by the codes of two variables of the surroundings, both stated. One question."""
    sql = CROSSED.format(one=one.position + 1, other=other.position + 1, where=_where(selection))
    return {(a, b): n for a, b, n in fetch(sql, selection.parameters)}


def by_month(selection: Selection, months: list[date]) -> dict[int, list[int]]:
    """{category id: events of each month}, of every category, whatever the selection's own is. One question."""
    whole = replace(selection, start=months[0], categories=None)
    at = {month: n for n, month in enumerate(months)}
    found: dict[int, list[int]] = defaultdict(lambda: [0] * len(months))
    for category, month, n in fetch(MONTHS.format(where=_where(whole)), whole.parameters):
        if month in at:
            found[category][at[month]] = n
    return dict(found)

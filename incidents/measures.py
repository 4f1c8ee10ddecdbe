"""What event rules count, asked of PostgreSQL by month and place; and the middle of waiting times, worked out here.

Each rule reads the partitions of its months alone. Rules that ask the same are asked once in a run.
"""

from dataclasses import dataclass, field

import numpy as np
from django.db import connection

from incidents import conditions
from incidents.conditions import ALIAS, EVENT, PERSONS, VICTIM, VICTIMIZER
from incidents.coverage import NOBODY
from incidents.models import TIMED, Measure

MONTH = "(extract(year FROM i.occurred_on) - 1970)::int * 12 + extract(month FROM i.occurred_on)::int - 1"
FROM = """
FROM incidents_incident i {person}
WHERE i.occurred_on >= %s AND i.occurred_on < %s AND i.category_id = ANY(%s) {source} AND {where}
"""
# Packed side by side: one row comes back, however many months and places there are.
COUNTS = """
SELECT string_agg(int4send(month), ''), string_agg(int4send(place), ''), string_agg(int8send(part), ''),
    string_agg(int8send(every), '')
FROM (SELECT {month} AS month, coalesce(i.territory_id, 0) AS place, count(*) FILTER (WHERE {part}) AS part,
    count(*) AS every {from_} GROUP BY 1, 2) counts
"""
MINUTES = """
SELECT string_agg(int4send({month}), ''), string_agg(int4send(coalesce(i.territory_id, 0)), ''),
    string_agg(float8send(extract(epoch FROM i.{to} - i.{since})::float8 / 60), '')
{from_} AND i.{to} >= i.{since}
"""
PERCENT = {Measure.MEDIAN: 50.0, Measure.P90: 90.0}


@dataclass
class Counts:
    """Arrays (R,) by month number and territory id (0 for none): how many of the part, and of all."""

    month: np.ndarray
    place: np.ndarray
    part: np.ndarray
    every: np.ndarray


@dataclass
class Asked:
    """The questions of one run and their answers: rules that count the same share them."""

    answers: dict = field(default_factory=dict)

    def counts(self, rule, categories, start, end):
        counted = counted_by(rule)
        part, part_values = part_of(rule, counted, (start, end))
        from_, values = from_where(rule, counted, categories, start, end)
        found = self._ask(
            COUNTS.format(month=MONTH, part=part, from_=from_), [*part_values, *values], (">i4", ">i4", ">i8", ">i8")
        )
        return Counts(*found)

    def minutes(self, rule, categories, start, end):
        """Arrays of month numbers, territory ids (0 for none) and minutes, of events that state both times."""
        from_, values = from_where(rule, EVENT, categories, start, end)
        sql = MINUTES.format(month=MONTH, since=f"{rule.from_stage}_at", to=f"{rule.to_stage}_at", from_=from_)
        return self._ask(sql, values, (">i4", ">i4", ">f8"))

    def _ask(self, sql, parameters, kinds):
        key = sql, repr(parameters)
        if key not in self.answers:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                row = cursor.fetchone()
            native = {">i4": np.int64, ">i8": np.int64, ">f8": np.float64}
            self.answers[key] = [
                np.frombuffer(part or b"", kind).astype(native[kind]) for part, kind in zip(row, kinds, strict=True)
            ]
        return self.answers[key]


def counted_by(rule):
    """What a rule counts: events, victims or victimizers. A share is of those whom its part speaks of."""
    if rule.measure in (Measure.VICTIMS, Measure.VICTIMIZERS):
        return VICTIM if rule.measure == Measure.VICTIMS else VICTIMIZER
    if rule.measure == Measure.SHARE:
        owners = {conditions.whose(condition) for condition in rule.part} - {EVENT}
        return owners.pop() if len(owners) == 1 else EVENT
    return EVENT


def part_of(rule, counted, days):
    """The condition of what a share counts above, and its parameters; true for all else."""
    return conditions.where(rule.part, counted, days) if rule.part else ("true", [])


def from_where(rule, counted, categories, start, end):
    person, bounds = "", []
    if counted != EVENT:
        of_it, bounds = conditions.joined(counted, (start, end))
        person = f"JOIN {PERSONS[counted]} {ALIAS[counted]} ON {of_it}"
    where, values = conditions.where(rule.filter, counted, (start, end))
    source = "AND i.source_id = %s" if rule.source_id else ""
    parameters = [*bounds, start, end, list(categories), *([rule.source_id] if rule.source_id else []), *values]
    return FROM.format(person=person, source=source, where=where), parameters


def middles(units, minutes, chains, percent):
    """The percentile of the minutes of each unit with all below it: (unit ids, percentiles).

    units (R,): ids of the units where events happened, NOBODY for none; chains: {unit: itself and all above}. Between
    two events by straight line, as PostgreSQL's percentile_cont does.
    """
    known = units != NOBODY
    units, minutes = units[known], minutes[known]
    if not len(units):
        return np.empty(0, np.int64), np.empty(0)
    here, which = np.unique(units, return_inverse=True)
    depth = max(len(chains[unit]) for unit in here.tolist())
    above = np.full((len(here), depth), NOBODY, np.int64)
    for row, unit in enumerate(here.tolist()):
        above[row, : len(chains[unit])] = chains[unit]
    every = above[which]
    owner, minutes = every.ravel(), np.repeat(minutes, depth)
    minutes, owner = minutes[owner != NOBODY], owner[owner != NOBODY]
    order = np.lexsort((minutes, owner))
    owner, minutes = owner[order], minutes[order]
    found, start, count = np.unique(owner, return_index=True, return_counts=True)
    place = (count - 1) * (percent / 100)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, count - 1)
    below, over = minutes[start + low], minutes[start + high]
    return found, below + (over - below) * (place - low)


def is_timed(rule):
    return rule.measure in TIMED

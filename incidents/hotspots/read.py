"""Points out of PostgreSQL, packed: one row a year's partition, whatever the number of events."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import psycopg
from django.db import connection
from django.db.models import Max

from incidents.models import Incident

EPOCH = date(2000, 1, 1)
# Of each partition one row of columns in the machine's own binary form, a point's two numbers together. All are filled
# from the same scan, and put together in one order, also by parallel workers; a row without a point is in none of them.
POINTS = """
SELECT min(i.occurred_on), count(*) FILTER (WHERE {hours}), count(*) FILTER (WHERE i.occurred_at IS NULL),
    string_agg(point_send(point(i.longitude, i.latitude)), ''::bytea) FILTER (WHERE {usable}),
    {day}, {territory}
FROM incidents_incident i
WHERE {where}
GROUP BY i.tableoid
ORDER BY 1
"""
DAY = "string_agg(int4send(i.occurred_on - %(epoch)s::date), ''::bytea) FILTER (WHERE {usable})"
TERRITORY = "string_agg(int4send(coalesce(i.territory_id, 0)), ''::bytea) FILTER (WHERE {usable})"
HOURS = "date_part('hour', i.occurred_at)::int = ANY(%(hours)s)"
WEEKDAYS = "date_part('isodow', i.occurred_on)::int = ANY(%(weekdays)s)"
BOX = "i.longitude >= %(west)s AND i.longitude < %(east)s AND i.latitude >= %(south)s AND i.latitude < %(north)s"
SIDES = ("west", "south", "east", "north")
MONTHS = """
SELECT date_trunc('month', i.occurred_on)::date, i.source_id, count(*)::int, count(i.longitude)::int
FROM incidents_incident i
WHERE {where} AND {hours}
GROUP BY 1, 2
ORDER BY 1, 2
"""
LISTED = """
SELECT i.id, i.occurred_on, i.occurred_at, i.category_id, i.territory_id, i.longitude, i.latitude
FROM incidents_incident i
WHERE {where} AND {hours}
ORDER BY i.occurred_on DESC, i.occurred_at DESC NULLS LAST, i.id DESC
LIMIT %(limit)s
"""
BELOW = """
WITH RECURSIVE below(id) AS (
    SELECT %s::int UNION ALL SELECT t.id FROM units_territory t JOIN below ON t.parent_id = below.id
) SELECT id FROM below
"""
# Up from each place; of each institution's units that cover it this month, the nearest.
COVERING = """
WITH RECURSIVE up(origin, id, parent_id, far) AS (
    SELECT t.id, t.id, t.parent_id, 0 FROM units_territory t WHERE t.id = ANY(%(places)s)
    UNION ALL
    SELECT up.origin, t.id, t.parent_id, up.far + 1 FROM up JOIN units_territory t ON t.id = up.parent_id
)
SELECT DISTINCT ON (up.origin, i.code) up.origin, i.short_name, u.code, u.name, u.name_en
FROM up
JOIN units_unitperiod p ON p.territory_id = up.id
    AND p.from_month <= %(month)s AND (p.to_month IS NULL OR p.to_month > %(month)s)
JOIN units_unit u ON u.id = p.unit_id
JOIN units_institution i ON i.id = p.institution_id AND NOT i.is_state
ORDER BY up.origin, i.code, up.far
"""


@dataclass(frozen=True)
class Selection:
    """Which events: days [start, end), and where given, categories, territories, hours of the day, days of the week.

    weekdays: 1 Monday to 7 Sunday. such: what else is asked, as incidents.conditions.where says it of an event.
    box: (west, south, east, north) in degrees, without its upper edges; is_outside: what has a point, but not in it.
    """

    start: date
    end: date
    categories: tuple[int, ...] | None = None
    territories: tuple[int, ...] | None = None
    hours: tuple[int, ...] | None = None
    weekdays: tuple[int, ...] | None = None
    such: tuple[str, tuple] = ("", ())
    box: tuple[float, float, float, float] | None = None
    is_outside: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "categories": list(self.categories or ()),
            "territories": list(self.territories or ()),
            "hours": list(self.hours or ()),
            "weekdays": list(self.weekdays or ()),
            "epoch": EPOCH,
            **{f"such{n}": value for n, value in enumerate(self.such[1])},
            **dict(zip(SIDES, self.box or (), strict=False)),
        }

    @property
    def where(self) -> str:
        parts = ["i.occurred_on >= %(start)s AND i.occurred_on < %(end)s"]
        if self.categories is not None:
            parts.append("i.category_id = ANY(%(categories)s)")
        if self.territories is not None:
            parts.append("i.territory_id = ANY(%(territories)s)")
        if self.weekdays is not None:
            parts.append(WEEKDAYS)
        if self.box is not None:
            parts.append(f"NOT ({BOX})" if self.is_outside else BOX)
        if self.such[0]:
            names = iter(range(len(self.such[1])))
            parts.append(re.sub("%s", lambda _: f"%(such{next(names)})s", self.such[0]))
        return " AND ".join(parts)

    @property
    def hours_where(self) -> str:
        return "TRUE" if self.hours is None else f"coalesce({HOURS}, FALSE)"


class Year(NamedTuple):
    """How many events of a year were asked for, and of how many no point is known."""

    year: int
    events: int
    missing: int


class Month(NamedTuple):
    """Of one source, how many events of a month there are, and how many with a point."""

    month: date
    source: int
    events: int
    located: int


@dataclass
class Points:
    """Events that have a point, as columns (N,): degrees; days and territory ids where asked for, 0 for no territory.

    `events` counts those without a point as well; `without_hour` those that a band of hours could not take.
    """

    longitude: np.ndarray
    latitude: np.ndarray
    day: np.ndarray | None
    territory: np.ndarray | None = None
    years: list[Year] = field(default_factory=list)
    without_hour: int = 0

    def __len__(self) -> int:
        return len(self.longitude)

    @property
    def events(self) -> int:
        return sum(year.events for year in self.years)

    @property
    def missing_share(self) -> float:
        """Of the events asked for, which share has no point; 0 where there are none."""
        return sum(year.missing for year in self.years) / self.events if self.events else 0.0

    def between(self, start: date, end: date) -> np.ndarray:
        """Which points are of the days [start, end)."""
        return (self.day >= np.datetime64(start)) & (self.day < np.datetime64(end))


class _Cursor(psycopg.Cursor):
    """Rows in binary form; parameters bound by the server."""

    def __init__(self, wrapped):
        super().__init__(wrapped)
        self.format = psycopg.pq.Format.BINARY


def fetch(statement: str, parameters: Any) -> list[tuple]:
    """Rows in binary form, counted and logged as Django's own queries are."""
    connection.ensure_connection()
    cursor = _Cursor(connection.connection)
    wrapped = connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
    with wrapped:
        wrapped.execute(statement, parameters)
        return wrapped.fetchall()


def points(asked: Selection, *, with_days: bool = True, with_territories: bool = False) -> Points:
    """The events asked for, one question. Days and territories cost as much as the points: None where not read."""
    usable = (
        f"i.longitude IS NOT NULL AND {asked.hours_where}" if asked.hours is not None else "i.longitude IS NOT NULL"
    )
    statement = POINTS.format(
        hours=asked.hours_where,
        usable=usable,
        day=DAY.format(usable=usable) if with_days else "NULL::bytea",
        territory=TERRITORY.format(usable=usable) if with_territories else "NULL::bytea",
        where=asked.where,
    )
    rows = fetch(statement, asked.parameters)
    places = np.frombuffer(b"".join(row[3] or b"" for row in rows), ">f8").reshape(-1, 2)
    day, territory = (
        np.frombuffer(b"".join(row[n] or b"" for row in rows), ">i4") if is_read else None
        for n, is_read in ((4, with_days), (5, with_territories))
    )
    years = [Year(row[0].year, row[1], row[1] - len(row[3] or b"") // 16) for row in rows]
    return Points(
        places[:, 0].astype(np.float64),
        places[:, 1].astype(np.float64),
        None if day is None else np.datetime64(EPOCH) + day.astype(np.int64),
        None if territory is None else territory.astype(np.int64),
        [year for year in years if year.events],
        sum(row[2] for row in rows) if asked.hours is not None else 0,
    )


def listed(asked: Selection, limit: int) -> list[tuple]:
    """The latest events: number, day, time, category, territory, longitude, latitude; the latest first."""
    statement = LISTED.format(where=asked.where, hours=asked.hours_where)
    return fetch(statement, {**asked.parameters, "limit": limit})


def below(territory) -> tuple[int, ...] | None:
    """Ids of a territory and of all within it; None for the whole country, which needs no such bound."""
    if territory.parent_id is None:
        return None
    return tuple(row[0] for row in fetch(BELOW, [territory.pk]))


def covering(places: list[int], month: date) -> dict[int, list[tuple[str, str, str, str]]]:
    """Of each territory: (institution, code, name, English name) of each institution's nearest unit that covers it."""
    found: dict[int, list[tuple[str, str, str, str]]] = {}
    if places:
        for origin, *unit in fetch(COVERING, {"places": list(places), "month": month}):
            found.setdefault(origin, []).append(tuple(unit))
    return found


def months(asked: Selection) -> list[Month]:
    """By month and source: events, and those with a point; one question."""
    rows = fetch(MONTHS.format(where=asked.where, hours=asked.hours_where), asked.parameters)
    return [Month(*row) for row in rows]


def latest_day() -> date | None:
    """The day of the latest event of all."""
    return Incident.objects.aggregate(latest=Max("occurred_on"))["latest"]


def next_day(day: date) -> date:
    return day + timedelta(days=1)

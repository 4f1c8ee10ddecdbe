"""Accounts of feeds in the database, many at a time: keys claimed in one order, what was said before kept.

Columns go as one text each, split by the database: a tenth of the cost of a list of parameters.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from incidents.feed.decide import Key
from incidents.models import STAGES

SEPARATOR = "\x1f"  # no identifier has control characters
CHANNEL = "tablero_incidents"
TOLD = 60  # incidents told of in one message; of more, only that they are many
CHOICES = ("channel", "alert_class", "service", "video")


def _column(values):
    return SEPARATOR.join(["" if value is None else str(value) for value in values])


def _named(rows, width):
    columns = map(_column, zip(*rows, strict=True)) if rows else [""] * width
    return {f"c{n}": column for n, column in enumerate(columns)}


def unnest(*kinds):
    """SQL: columns sent as texts, c0, c1 and so on, as a table."""
    return (
        "unnest("
        + ", ".join(f"string_to_array(%(c{n})s, E'\\x1f', '')::{kind}[]" for n, kind in enumerate(kinds))
        + ")"
    )


def span(alias):
    """SQL: within the days that the rows are of, so that the years beside are not even planned for."""
    return f"{alias}.occurred_on BETWEEN %(first)s AND %(last)s"


def dated(rows, width, day=0):
    """Parameters of rows that have a day, and the first and last of these."""
    days = [row[day] for row in rows]
    return {**_named(rows, width), "first": min(days), "last": max(days)}


# In the order of the identifiers, as HELD locks: two bodies with the same keys wait for one another, never crosswise.
CLAIM = f"""
INSERT INTO incidents_incidentkey (source_id, external_id, incident_id, occurred_on, digest, version)
SELECT %(source)s, t.e, nextval('incidents_incident_id_seq'), t.d, t.g, t.v
FROM {unnest("text", "date", "bigint", "bigint")} WITH ORDINALITY AS t(e, d, g, v, n)
ORDER BY t.n
ON CONFLICT DO NOTHING RETURNING external_id, incident_id
"""
HELD = """
SELECT external_id, incident_id, occurred_on, digest, version, is_retracted FROM incidents_incidentkey
WHERE source_id = %s AND external_id = ANY(string_to_array(%s, E'\\x1f'))
ORDER BY external_id COLLATE "C" FOR UPDATE
"""


def claim(cursor, source, rows):
    """New keys for (identifier, day, digest, version), sorted: {identifier: incident id} of those that were not there.

    Waits for whoever claims the same at this moment.
    """
    cursor.execute(CLAIM, {**_named(rows, 4), "source": source})
    return dict(cursor.fetchall())


def held(cursor, source, external_ids):
    """{identifier: Key} of those that are there, locked in the order of the identifiers."""
    if not external_ids:
        return {}
    cursor.execute(HELD, [source, _column(external_ids)])
    return {external_id: Key(*row) for external_id, *row in cursor.fetchall()}


class Old(NamedTuple):
    """An account as it is stored."""

    occurred_at: object
    category: int
    territory: int | None
    place_code: int | None
    longitude: float | None
    latitude: float | None
    stages: list
    choices: list
    codes: list
    numbers: list
    victims: list
    victimizers: list


_PEOPLE = """coalesce((SELECT jsonb_agg(jsonb_build_array(p.codes, p.numbers) ORDER BY p.ordinal)
    FROM {table} p WHERE p.occurred_on = i.occurred_on AND p.incident_id = i.id
        AND {span}), '[]')"""
READ = f"""
SELECT i.id, i.occurred_at, i.category_id, i.territory_id, i.place_code_id, i.longitude, i.latitude,
    ARRAY[{", ".join(f"i.{stage}" for stage in STAGES)}], ARRAY[{", ".join(f"i.{choice}" for choice in CHOICES)}],
    i.codes, i.numbers, {_PEOPLE.format(table="incidents_victim", span=span("p"))},
    {_PEOPLE.format(table="incidents_victimizer", span=span("p"))}
FROM {unnest("date", "bigint")} AS t(d, id)
JOIN incidents_incident i ON i.occurred_on = t.d AND i.id = t.id AND {span("i")}
"""


def read(cursor, rows):
    """{incident id: Old} of (day, incident id)."""
    if not rows:
        return {}
    cursor.execute(READ, dated(rows, 2))
    return {row[0]: Old(*row[1:-2], *map(_list, row[-2:])) for row in cursor.fetchall()}


def _list(value):
    return json.loads(value) if isinstance(value, str) else value


SAID_BEFORE = """
SELECT DISTINCT incident_id, digest FROM incidents_incidentpast
WHERE incident_id = ANY(string_to_array(%s, E'\\x1f')::bigint[]) AND digest IS NOT NULL
"""


def said_before(cursor, incident_ids):
    """{(incident id, digest)} of the accounts that later ones replaced."""
    if not incident_ids:
        return set()
    cursor.execute(SAID_BEFORE, [_column(incident_ids)])
    return set(cursor.fetchall())


class Kept(NamedTuple):
    """An account that goes to the past: why, in what what replaces it differs, and the reason that was given."""

    day: object
    incident_id: int
    digest: int | None
    fate: str
    changes: str
    reason: str


_FIELDS = ", ".join([
    "occurred_on", "occurred_at", "time_precision", "source_id", "category_id", "territory_id", "place_code_id",
    "place_precision", "longitude", "latitude", *STAGES, *CHOICES, "codes", "numbers",
])  # fmt: skip
_PERSONS = """coalesce((SELECT jsonb_agg(jsonb_build_object('ordinal', p.ordinal, 'codes', p.codes,
        'numbers', p.numbers) ORDER BY p.ordinal)
    FROM {table} p WHERE p.occurred_on = i.occurred_on AND p.incident_id = i.id
        AND {span}), '[]')"""
KEEP = f"""
INSERT INTO incidents_incidentpast (incident_id, {_FIELDS}, said_by_id, victims, victimizers, digest, fate, changes,
    reason, replaced_at, replaced_by_account_id)
SELECT i.id, {", ".join(f"i.{name}" for name in _FIELDS.split(", "))}, i.publication_id,
    {_PERSONS.format(table="incidents_victim", span=span("p"))},
    {_PERSONS.format(table="incidents_victimizer", span=span("p"))},
    t.g, t.fate, string_to_array(coalesce(t.changes, ''), ','), coalesce(t.reason, ''), %(now)s, %(account)s
FROM {unnest("date", "bigint", "bigint", "text", "text", "text")} AS t(d, id, g, fate, changes, reason)
JOIN incidents_incident i ON i.occurred_on = t.d AND i.id = t.id AND {span("i")}
"""
TAKE_AWAY = f"""
WITH t AS MATERIALIZED (SELECT * FROM {unnest("date", "bigint")} AS t(d, id)),
v AS (DELETE FROM incidents_victim p USING t
    WHERE p.occurred_on = t.d AND p.incident_id = t.id AND {span("p")}),
w AS (DELETE FROM incidents_victimizer p USING t
    WHERE p.occurred_on = t.d AND p.incident_id = t.id AND {span("p")})
DELETE FROM incidents_incident i USING t WHERE i.occurred_on = t.d AND i.id = t.id AND {span("i")}
"""
RECLASSIFY = f"""
UPDATE incidents_incident i SET category_id = t.category, publication_id = NULL
FROM {unnest("date", "bigint", "int")} AS t(d, id, category)
WHERE i.occurred_on = t.d AND i.id = t.id AND {span("i")}
"""
SET_KEYS = f"""
UPDATE incidents_incidentkey k SET occurred_on = t.d, digest = t.g, version = t.v, is_retracted = t.r
FROM {unnest("bigint", "date", "bigint", "bigint", "bool")} AS t(id, d, g, v, r) WHERE k.incident_id = t.id
"""


def keep(cursor, rows, *, account, now):
    """Accounts (list of Kept) to the past, with their people as they were."""
    if rows:
        safe = [row._replace(reason=row.reason.replace(SEPARATOR, " ")) for row in rows]
        cursor.execute(KEEP, {**dated(safe, 6), "now": now, "account": account})


def take_away(cursor, rows):
    """(day, incident id): the incident and its people."""
    if rows:
        cursor.execute(TAKE_AWAY, dated(rows, 2))


def reclassify(cursor, rows):
    """(day, incident id, category)."""
    if rows:
        cursor.execute(RECLASSIFY, dated(rows, 3))


def set_keys(cursor, rows):
    """(incident id, day, digest, version, is retracted)."""
    if rows:
        cursor.execute(SET_KEYS, _named(rows, 5))


INCIDENT = ", ".join([
    "id", "source_id", "occurred_at", "longitude", "latitude", *STAGES, "occurred_on", "category_id", "territory_id",
    "place_code_id", "time_precision", "place_precision", *CHOICES, "codes", "numbers",
])  # fmt: skip


def array(values):
    """As PostgreSQL writes an array."""
    return "{" + ",".join(map(str, values)) + "}" if values else "{}"


MARK = f"""
INSERT INTO incidents_countmark (month, category_id, marked_at)
SELECT t.month, t.category, %(now)s FROM {unnest("date", "int")} AS t(month, category)
"""


def mark(cursor, pairs, now):
    """Mark (month, category) pairs for counting."""
    if pairs:
        cursor.execute(MARK, {**_named(sorted(pairs), 2), "now": now})


def tell(cursor, touched):
    """Tell who listens of incidents (id, day, territory, category), at the commit."""
    if touched:
        told = None if len(touched) > TOLD else [[pk, str(day), place, kind] for pk, day, place, kind in touched]
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps({"i": told}, separators=(",", ":"))])


PLACES = f"""
INSERT INTO incidents_placecode (code, territory_id)
SELECT t.code, t.territory FROM {unnest("text", "int")} AS t(code, territory) ORDER BY t.code COLLATE "C"
ON CONFLICT (code) DO UPDATE SET territory_id = excluded.territory_id RETURNING code, id
"""


def name_places(cursor, pairs):
    """Ids of place codes that no territory has, kept so that a later catalogue can place them better: {code: id}."""
    if not pairs:
        return {}
    cursor.execute(PLACES, _named(pairs, 2))
    return dict(cursor.fetchall())

"""Incidents between the database and columns: read by period, written by COPY, what was said before kept."""

from dataclasses import dataclass, fields

import numpy as np
from django.db import connection

from incidents.layout import CHOICES, STAGES
from units.pgcopy import Column, copy_in

LOCK_CLASS = 7401
NO_TIME = -1
NO_STAGE = -(1 << 62)
EPOCH = np.datetime64("1970-01-01", "D")
SINCE_2000 = 946_684_800_000_000  # microseconds from 1970 to 2000


@dataclass
class Accounts:
    """What is said of R incidents with one victim or victimizer each, by columns.

    Ids and codes of 0, NaN and NO_STAGE are "nothing".
    """

    ids: np.ndarray
    days: np.ndarray  # datetime64[D]
    seconds: np.ndarray
    category: np.ndarray  # ids
    territory: np.ndarray  # ids, 0 for none
    place_code: np.ndarray  # ids of PlaceCode, 0 where the territory's own code was given
    place_precision: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    stages: np.ndarray  # (R, stages) microseconds since 1970 in UTC
    choices: np.ndarray  # (R, 4) channel, alert class, service, video
    codes: np.ndarray  # (R, positions)
    numbers: np.ndarray
    victim_codes: np.ndarray
    victim_numbers: np.ndarray
    victimizer_codes: np.ndarray
    victimizer_numbers: np.ndarray

    def __len__(self):
        return len(self.ids)

    def take(self, index):
        return Accounts(*(getattr(self, column.name)[index] for column in fields(self)))


READ = """
SELECT i.id, i.occurred_on - DATE '1970-01-01', coalesce(extract(epoch FROM i.occurred_at)::int, -1), i.category_id,
    coalesce(i.territory_id, 0), coalesce(i.place_code_id, 0), i.place_precision, i.longitude, i.latitude,
    i.codes, i.numbers, v.codes, v.numbers, z.codes, z.numbers, i.channel, i.alert_class, i.service, i.video,
    {stages}
FROM incidents_incident i
LEFT JOIN incidents_victim v ON v.occurred_on = i.occurred_on AND v.incident_id = i.id AND v.ordinal = 1
LEFT JOIN incidents_victimizer z ON z.occurred_on = i.occurred_on AND z.incident_id = i.id AND z.ordinal = 1
WHERE i.occurred_on >= %s AND i.occurred_on < %s AND i.source_id = %s AND i.category_id = ANY(%s)
ORDER BY i.id
""".format(stages=", ".join(f"(extract(epoch FROM i.{stage}_at) * 1000000)::bigint" for stage in STAGES))
COLUMNS_READ = 9 + 6 + len(CHOICES) + len(STAGES)


def read(*, source, categories, start, end, widths):
    """Accounts of a source's incidents in [start, end), in order of id. widths: of the six arrays, padded."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [start, end, source, list(categories)])
        rows = cursor.fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [()] * COLUMNS_READ
    ints = [np.array(columns[i], np.int64) for i in range(7)]
    degrees = [np.array([np.nan if x is None else x for x in columns[i]], np.float64) for i in (7, 8)]
    arrays = [_padded(columns[9 + i], width, i % 2) for i, width in enumerate(widths)]
    choices = np.array(columns[15:19], np.int16).T.reshape(len(rows), len(CHOICES))
    stages = [[NO_STAGE if at is None else at for at in column] for column in columns[19:]]
    stages = np.array(stages, np.int64).T.reshape(len(rows), len(STAGES))
    ids, days, seconds, category, territory, place_code, precision = ints
    return Accounts(
        ids,
        EPOCH + days.astype("timedelta64[D]"),
        seconds,
        category,
        territory,
        place_code,
        precision,
        *degrees,
        stages,
        choices,
        *arrays,
    )


def _padded(column, width, is_number):
    table = np.full((len(column), width), np.nan if is_number else 0, np.float32 if is_number else np.int16)
    for row, values in enumerate(column):
        if values:
            table[row, : len(values)] = values[:width]
    return table


INCIDENT = (
    "occurred_on", "occurred_at", "category_id", "territory_id", "place_code_id", "time_precision", "place_precision",
    "longitude", "latitude", "channel", "alert_class", "service", "video", *(f"{stage}_at" for stage in STAGES),
    "codes", "numbers",
)  # fmt: skip


def _columns(accounts):
    """COPY columns of INCIDENT. A time is sent as microseconds since midnight, which is its binary form."""
    no_time = accounts.seconds == NO_TIME
    return [
        Column("date", accounts.days),
        Column("int8", accounts.seconds * 1_000_000, no_time),
        Column("int4", accounts.category),
        Column("int4", accounts.territory, accounts.territory == 0),
        Column("int4", accounts.place_code, accounts.place_code == 0),
        Column("int2", _time_precision(accounts.seconds)),
        Column("int2", accounts.place_precision),
        Column("float8", accounts.longitude, np.isnan(accounts.longitude)),
        Column("float8", accounts.latitude, np.isnan(accounts.latitude)),
        *(Column("int2", accounts.choices[:, at]) for at in range(len(CHOICES))),
        *(_instant(accounts.stages[:, at]) for at in range(len(STAGES))),
        Column("int2[]", _trimmed(accounts.codes)),
        Column("float4[]", _trimmed(accounts.numbers)),
    ]


def _instant(microseconds):
    """A COPY column of instants: PostgreSQL counts from 2000, in microseconds."""
    no_stage = microseconds == NO_STAGE
    return Column("int8", np.where(no_stage, 0, microseconds - SINCE_2000), no_stage)


def _trimmed(table):
    """Without the last positions that no row says anything of: a shorter array says nothing of them either."""
    said = np.flatnonzero((~np.isnan(table) if table.dtype.kind == "f" else table != 0).any(axis=0))
    return np.ascontiguousarray(table[:, : said[-1] + 1 if len(said) else 0])


def _time_precision(seconds):
    """DAY without a time, SECOND where seconds are told, MINUTE else (files round to the hour without saying so)."""
    return np.where(seconds == NO_TIME, 1, np.where(seconds % 60 == 0, 3, 4))


def lock(source):
    """Publications of one source follow one another: each is matched with what the one before has written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, source])


def lock_out_publications(cursor, source):
    """No publication of the source is matched while single incidents of it change; feeds do not wait for each other."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [LOCK_CLASS, source])


def new_ids(count):
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('incidents_incident_id_seq') FROM generate_series(1, %s)", [count])
        return np.array([row[0] for row in cursor.fetchall()], np.int64)


def insert(accounts, *, source, publication, person="victim"):
    """Add incidents, each with one person of the kind that the layout's rows are about, if any."""
    if not len(accounts):
        return
    with connection.cursor() as cursor:
        columns = [
            Column("int8", accounts.ids),
            Column("int4", source),
            Column("int4", publication),
            *_columns(accounts),
        ]
        copy_in(cursor, "incidents_incident", ("id", "source_id", "publication_id", *INCIDENT), columns, len(accounts))
        if not person:
            return
        people = [
            Column("int8", accounts.ids),
            Column("date", accounts.days),
            Column("int2", 1),
            Column("int2[]", _trimmed(getattr(accounts, f"{person}_codes"))),
            Column("float4[]", _trimmed(getattr(accounts, f"{person}_numbers"))),
        ]
        names = ("incident_id", "occurred_on", "ordinal", "codes", "numbers")
        copy_in(cursor, f"incidents_{person}", names, people, len(accounts))


STAGE = """
CREATE TEMPORARY TABLE touched (
    id bigint, was_on date, changes bigint, occurred_on date, occurred_at time, category_id int, territory_id int,
    place_code_id int, time_precision smallint, place_precision smallint, longitude float8, latitude float8,
    channel smallint, alert_class smallint, service smallint, video smallint, reported_at timestamptz,
    received_at timestamptz, answered_at timestamptz, dispatched_at timestamptz, arrived_at timestamptz,
    closed_at timestamptz, codes smallint[], numbers real[], victim_codes smallint[], victim_numbers real[],
    victimizer_codes smallint[], victimizer_numbers real[]
) ON COMMIT DROP
"""
PEOPLE = """
coalesce((SELECT jsonb_agg(jsonb_build_object('ordinal', p.ordinal, 'codes', p.codes, 'numbers', p.numbers)
                           ORDER BY p.ordinal)
          FROM {table} p WHERE p.occurred_on = i.occurred_on AND p.incident_id = i.id), '[]')
"""
# What was said before goes to the past first, with the people as they were.
KEEP = """
INSERT INTO incidents_incidentpast (incident_id, occurred_on, occurred_at, time_precision, source_id, category_id,
    territory_id, place_code_id, place_precision, longitude, latitude, reported_at, received_at, answered_at,
    dispatched_at, arrived_at, closed_at, channel, alert_class, service, video, codes, numbers, said_by_id, victims,
    victimizers, digest, fate, changes, replaced_at, replaced_by_id)
SELECT i.id, i.occurred_on, i.occurred_at, i.time_precision, i.source_id, i.category_id, i.territory_id,
    i.place_code_id, i.place_precision, i.longitude, i.latitude, i.reported_at, i.received_at, i.answered_at,
    i.dispatched_at, i.arrived_at, i.closed_at, i.channel, i.alert_class, i.service, i.video, i.codes, i.numbers,
    i.publication_id, {victims}, {victimizers},
    (SELECT k.digest FROM incidents_incidentkey k WHERE k.incident_id = i.id),
    %(fate)s,
    ARRAY(SELECT fact FROM unnest(%(facts)s::text[]) WITH ORDINALITY AS f(fact, n)
          WHERE t.changes & (1::bigint << (n - 1)::int) <> 0 ORDER BY n),
    %(now)s, %(publication)s
FROM touched t JOIN incidents_incident i ON i.occurred_on = t.was_on AND i.id = t.id
""".format(victims=PEOPLE.format(table="incidents_victim"), victimizers=PEOPLE.format(table="incidents_victimizer"))
CHANGE = """
UPDATE incidents_incident i SET occurred_on = t.occurred_on, occurred_at = t.occurred_at, category_id = t.category_id,
    territory_id = t.territory_id, place_code_id = t.place_code_id, time_precision = t.time_precision,
    place_precision = t.place_precision, longitude = t.longitude, latitude = t.latitude, codes = t.codes,
    numbers = t.numbers, channel = t.channel, alert_class = t.alert_class, service = t.service, video = t.video,
    reported_at = t.reported_at, received_at = t.received_at, answered_at = t.answered_at,
    dispatched_at = t.dispatched_at, arrived_at = t.arrived_at, closed_at = t.closed_at,
    publication_id = %(publication)s
FROM touched t WHERE i.occurred_on = t.was_on AND i.id = t.id
"""
CHANGE_VICTIMS = """
UPDATE incidents_victim v SET occurred_on = t.occurred_on,
    codes = CASE WHEN v.ordinal = 1 THEN t.victim_codes ELSE v.codes END,
    numbers = CASE WHEN v.ordinal = 1 THEN t.victim_numbers ELSE v.numbers END
FROM touched t WHERE v.occurred_on = t.was_on AND v.incident_id = t.id
"""
CHANGE_VICTIMIZERS = """
UPDATE incidents_victimizer v SET occurred_on = t.occurred_on,
    codes = CASE WHEN v.ordinal = 1 THEN t.victimizer_codes ELSE v.codes END,
    numbers = CASE WHEN v.ordinal = 1 THEN t.victimizer_numbers ELSE v.numbers END
FROM touched t WHERE v.occurred_on = t.was_on AND v.incident_id = t.id
"""
# What a feed said last is not what is said now: its next account is compared anew.
CHANGE_KEYS = """
UPDATE incidents_incidentkey k SET occurred_on = t.occurred_on, digest = NULL FROM touched t WHERE k.incident_id = t.id
"""
CHANGES = (CHANGE, CHANGE_VICTIMS, CHANGE_VICTIMIZERS, CHANGE_KEYS)
REMOVE = (
    "DELETE FROM incidents_victimizer v USING touched t WHERE v.occurred_on = t.was_on AND v.incident_id = t.id",
    "DELETE FROM incidents_victim v USING touched t WHERE v.occurred_on = t.was_on AND v.incident_id = t.id",
    "DELETE FROM incidents_incident i USING touched t WHERE i.occurred_on = t.was_on AND i.id = t.id",
    "DELETE FROM incidents_incidentkey k USING touched t WHERE k.incident_id = t.id",
)


def change(accounts, *, was_on, changes, facts, publication, now):
    """Replace what is said of incidents. was_on: their days so far; changes: bits (R,) over `facts`, their names."""
    _touch(accounts, was_on, changes, "changed", facts, publication, now, CHANGES)


def remove(accounts, *, publication, now):
    """Take incidents away; what was said of them stays in the past."""
    none = np.zeros(len(accounts), np.int64)
    _touch(accounts, accounts.days, none, "removed", [], publication, now, REMOVE)


def _touch(accounts, was_on, changes, fate, facts, publication, now, statements):
    if not len(accounts):
        return
    columns = [
        Column("int8", accounts.ids),
        Column("date", was_on),
        Column("int8", changes),
        *_columns(accounts),
        Column("int2[]", _trimmed(accounts.victim_codes)),
        Column("float4[]", _trimmed(accounts.victim_numbers)),
        Column("int2[]", _trimmed(accounts.victimizer_codes)),
        Column("float4[]", _trimmed(accounts.victimizer_numbers)),
    ]
    people = ("victim_codes", "victim_numbers", "victimizer_codes", "victimizer_numbers")
    names = ("id", "was_on", "changes", *INCIDENT, *people)
    about = {"fate": fate, "facts": list(facts), "publication": publication, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        copy_in(cursor, "touched", names, columns, len(accounts))
        cursor.execute("ANALYZE touched")
        cursor.execute(KEEP, about)
        for statement in statements:
            cursor.execute(statement, about)
        cursor.execute("DROP TABLE touched")


SENTINEL = -(1 << 62)


def as_integers(values, scale):
    """Numbers as whole ones, to be compared exactly: rounded to 1/scale, SENTINEL for NaN."""
    values = np.asarray(values, np.float64)
    missing = np.isnan(values)
    return np.where(missing, SENTINEL, np.rint(np.where(missing, 0, values) * scale).astype(np.int64))

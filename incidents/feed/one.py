"""One new event in one statement: key, incident, people, mark and notice, all or none; nothing where it is known."""

from __future__ import annotations

from incidents.feed import write
from incidents.feed.write import CHANNEL, array
from units import prepared

_INCIDENT = """%(time)s::time, %(longitude)s::float8, %(latitude)s::float8,
    %(reported_at)s::timestamptz, %(received_at)s::timestamptz, %(answered_at)s::timestamptz,
    %(dispatched_at)s::timestamptz, %(arrived_at)s::timestamptz, %(closed_at)s::timestamptz, %(day)s::date,
    %(category)s::int, %(territory)s::int, %(place_code)s::int, %(time_precision)s::smallint,
    %(place_precision)s::smallint, %(channel)s::smallint, %(alert_class)s::smallint, %(service)s::smallint,
    %(video)s::smallint, %(codes)s::smallint[], %(numbers)s::real[]"""
_PEOPLE = """INSERT INTO {table} (incident_id, occurred_on, ordinal, codes, numbers)
    SELECT k.incident_id, %(day)s::date, u.n, u.codes::smallint[], u.numbers::real[]
    FROM k, unnest(string_to_array(%({name}_codes)s, '|'), string_to_array(%({name}_numbers)s, '|'))
        WITH ORDINALITY AS u(codes, numbers, n)"""
NEW = f"""
WITH k AS (
    INSERT INTO incidents_incidentkey (source_id, external_id, incident_id, occurred_on, digest, version)
    VALUES (%(source)s::int, %(external_id)s::text, nextval('incidents_incident_id_seq'), %(day)s::date,
        %(digest)s::bigint, %(version)s::bigint)
    ON CONFLICT DO NOTHING RETURNING incident_id
), i AS (
    INSERT INTO incidents_incident ({write.INCIDENT})
    SELECT k.incident_id, %(source)s::int, {_INCIDENT} FROM k
), v AS (
    {_PEOPLE.format(table="incidents_victim", name="victims")}
), w AS (
    {_PEOPLE.format(table="incidents_victimizer", name="victimizers")}
), m AS (
    INSERT INTO incidents_countmark (month, category_id, marked_at)
    SELECT date_trunc('month', %(day)s::date), %(category)s::int, %(now)s::timestamptz FROM k
)
SELECT k.incident_id, pg_notify('{CHANNEL}', '{{"i":[[' || k.incident_id || %(told)s::text || ']]}}') FROM k
"""


def add(*, source, said, now):
    """The id of a new event, None where the source spoke of it before. One round trip."""
    place = "null" if said.territory is None else said.territory
    channel, alert_class, service, video = said.choices
    reported, received, answered, dispatched, arrived, closed = said.stages
    row = prepared.row(NEW, {
        "source": source, "external_id": said.external_id, "day": said.day, "digest": said.digest,
        "version": said.version, "time": said.time, "longitude": said.longitude, "latitude": said.latitude,
        "reported_at": reported, "received_at": received, "answered_at": answered, "dispatched_at": dispatched,
        "arrived_at": arrived, "closed_at": closed, "category": said.category, "territory": said.territory,
        "place_code": said.place_code, "time_precision": int(said.time_precision),
        "place_precision": int(said.place_precision), "channel": channel, "alert_class": alert_class,
        "service": service, "video": video, "codes": array(said.codes), "numbers": array(said.numbers),
        **_people("victims", said.victims), **_people("victimizers", said.victimizers), "now": now,
        "told": f',"{said.day}",{place},{said.category}',
    })  # fmt: skip
    return row and row[0]


def _people(name, people):
    return {
        f"{name}_codes": "|".join(array(codes) for codes, _ in people),
        f"{name}_numbers": "|".join(array(numbers) for _, numbers in people),
    }

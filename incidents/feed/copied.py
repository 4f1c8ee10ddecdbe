"""New accounts into their tables by binary COPY, whole columns at a time."""

from __future__ import annotations

from itertools import chain

import numpy as np

from incidents.feed.write import CHOICES
from incidents.models import STAGES
from units.pgcopy import Column, copy_in

SINCE_2000 = 946_684_800_000_000  # microseconds from 1970, which Python counts from, to 2000, which PostgreSQL does
INCIDENT = (
    "id", "source_id", "occurred_at", "longitude", "latitude", *STAGES, "occurred_on", "category_id", "territory_id",
    "place_code_id", "time_precision", "place_precision", *CHOICES, "codes", "numbers",
)  # fmt: skip
PERSON = ("incident_id", "occurred_on", "ordinal", "codes", "numbers")


def add(cursor, source, rows):
    """(incident id, Said): the incident and its people."""
    if not rows:
        return
    ids = np.array([pk for pk, _ in rows], np.int64)
    accounts = [said for _, said in rows]
    days = np.array([said.day for said in accounts], "datetime64[D]")
    copy_in(cursor, "incidents_incident", INCIDENT, _incidents(ids, source, days, accounts), len(rows))
    for table, name in (("incidents_victim", "victims"), ("incidents_victimizer", "victimizers")):
        _add_people(cursor, table, ids, days, [getattr(said, name) for said in accounts])


def _incidents(ids, source, days, accounts):
    stages = zip(*[said.stages for said in accounts], strict=True)
    choices = np.array([said.choices for said in accounts], np.int16)
    return [
        Column("int8", ids),
        Column("int4", source),
        _times([said.time for said in accounts]),
        _maybe("float8", [said.longitude for said in accounts]),
        _maybe("float8", [said.latitude for said in accounts]),
        *map(_instants, stages),
        Column("date", days),
        Column("int4", np.array([said.category for said in accounts], np.int32)),
        _maybe("int4", [said.territory for said in accounts]),
        _maybe("int4", [said.place_code for said in accounts]),
        Column("int2", np.array([said.time_precision for said in accounts], np.int16)),
        Column("int2", np.array([said.place_precision for said in accounts], np.int16)),
        *(Column("int2", choices[:, n]) for n in range(len(CHOICES))),
        Column("int2[]", _table([said.codes for said in accounts], np.int16, 0)),
        Column("float4[]", _table([said.numbers for said in accounts], np.float32, np.nan)),
    ]


def _add_people(cursor, table, ids, days, people):
    """people: of each incident the list of its persons, as (codes, numbers)."""
    count = np.array([len(persons) for persons in people], np.int64)
    total = int(count.sum())
    if not total:
        return
    ordinal = np.arange(total) - np.repeat(np.cumsum(count) - count, count) + 1
    every = list(chain.from_iterable(people))
    columns = [
        Column("int8", np.repeat(ids, count)),
        Column("date", np.repeat(days, count)),
        Column("int2", ordinal),
        Column("int2[]", _table([codes for codes, _ in every], np.int16, 0)),
        Column("float4[]", _table([numbers for _, numbers in every], np.float32, np.nan)),
    ]
    copy_in(cursor, table, PERSON, columns, total)


def _maybe(kind, values):
    """A column of numbers, None where nothing is said."""
    null = np.array([value is None for value in values]) if None in values else None
    if null is not None:
        values = [0 if value is None else value for value in values]
    return Column(kind, np.array(values, np.float64 if kind == "float8" else np.int32), null)


def _instants(values):
    """Aware datetimes, in microseconds since 2000: seconds as a float64 tell microseconds apart for centuries."""
    null = np.array([value is None for value in values]) if None in values else None
    seconds = np.array([0.0 if value is None else value.timestamp() for value in values])
    return Column("int8", np.rint(seconds * 1e6).astype(np.int64) - SINCE_2000, null)


def _times(values):
    """Times of day as text, in microseconds since midnight."""
    null = np.array([value is None for value in values]) if None in values else None
    texts = [f"1970-01-01T{value or '00:00:00'}" for value in values]
    return Column("int8", np.array(texts, "datetime64[us]").astype(np.int64), null)


def _table(lists, dtype, nothing):
    """Lists of any lengths as rows (R, n), as wide as the longest: a position beyond a list says nothing."""
    lengths = np.array([len(values) for values in lists], np.int64)
    width = int(lengths.max(initial=0))
    table = np.full((len(lists), width), nothing, dtype)
    if width:
        flat = np.array(list(chain.from_iterable(lists)), dtype)
        row = np.repeat(np.arange(len(lists)), lengths)
        table[row, np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)] = flat
    return table

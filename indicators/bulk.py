"""Bulk writes of figures and targets: one temporary table, a few set-wise statements, what was said before kept.

The rows of a key (month, indicator, unit) come at most once in a call. A writer takes a lock an indicator, in order,
so that two writers of one figure follow one another and no earlier figure is lost between them.
"""

from dataclasses import dataclass

import numpy as np
from django.db import connection

from indicators import bulk_few
from units.pgcopy import Column, copy_in

KEY = ("month", "indicator_id", "unit_id")
LOCK_CLASS = 7301
FEW = 200  # rows that go as parameters, without temporary tables


@dataclass(frozen=True)
class Table:
    """A table of rows by key: the columns that say something, the columns that say who said it, and its past."""

    name: str
    past: str
    said: tuple  # ((column, kind), ...)
    about: tuple  # columns that are the same for a whole call

    @property
    def columns(self):
        return (*KEY, *(name for name, _ in self.said), *self.about)


FIGURES = Table(
    "indicators_measurement",
    "indicators_measurementpast",
    (("numerator", "float8"), ("denominator", "float8"), ("state", "int2")),
    ("is_provisional", "source", "batch_id", "recorded_by_id", "recorded_at"),
)
TARGETS = Table(
    "indicators_target",
    "indicators_targetpast",
    (("value", "float8"), ("low", "float8"), ("high", "float8"), ("baseline", "float8")),
    ("batch_id", "recorded_by_id", "recorded_at"),
)
KINDS = {
    "is_provisional": "bool",
    "source": "text",
    "batch_id": "int4",
    "recorded_by_id": "int4",
    "recorded_at": "timestamptz",
}


@dataclass
class Written:
    """How many rows were new, changed, blanked, and said what was said already."""

    created: int = 0
    changed: int = 0
    blanked: int = 0
    unchanged: int = 0


def write(table, keys, said, blank, about, reason=""):
    """Write rows of a bulk table, inside the caller's transaction.

    keys: (months datetime64[M], indicator ids, unit ids), arrays (R,). said: arrays (R,) in the order of
    `table.said`, NaN
    for NULL. blank: bool (R,), rows to take back. about: dict of values for the whole call. Returns (Written, touched),
    touched: set of (month as date, indicator id) whose rows really changed.
    """
    rows = len(keys[1])
    if not rows:
        return Written(), set()
    with connection.cursor() as cursor:
        _lock(cursor, keys[1])
        if rows <= FEW:
            created, changed, blanked, touched = bulk_few.merge(cursor, table, keys, said, blank, about, reason)
            return Written(created, changed, blanked, rows - created - changed - blanked), touched
        if not blank.any() and not _any_there(cursor, table, keys):
            _copy(cursor, table.name, table.columns, _columns(table, keys, said, about), rows)
            return Written(created=rows), _pairs(keys)
        _stage(cursor, table, keys, said, blank)
        counts, touched = _merge(cursor, table, about, reason)
    counts.unchanged = rows - counts.created - counts.changed - counts.blanked
    return counts, touched


def approve(keys, about, as_shown, reason):
    """Take the mark "provisional" off figures not recorded after `as_shown`; what they said before goes to the past.

    Inside the caller's transaction. keys and about as in `write`. Returns (Written, touched).
    """
    months, indicators, units = keys
    if not len(indicators):
        return Written(), set()
    old = ", ".join(f"t.{name}" for name in FIGURES.columns)
    parameters = {**about, "reason": reason, "as_shown": as_shown}
    parameters["months"] = months.astype("datetime64[D]").astype(object).tolist()
    parameters["indicators"], parameters["units"] = indicators.tolist(), units.tolist()
    with connection.cursor() as cursor:
        _lock(cursor, indicators)
        cursor.execute(
            f"""WITH wanted AS (
                SELECT DISTINCT * FROM unnest(%(months)s::date[], %(indicators)s::int[], %(units)s::int[])
                AS k(month, indicator_id, unit_id)
            ), old AS (
                INSERT INTO {FIGURES.past} ({", ".join(FIGURES.columns)}, replaced_at, replaced_by_id, reason)
                SELECT {old}, %(recorded_at)s, %(recorded_by_id)s, %(reason)s
                FROM {FIGURES.name} t JOIN wanted USING (month, indicator_id, unit_id)
                WHERE t.is_provisional AND t.recorded_at <= %(as_shown)s
                RETURNING month, indicator_id, unit_id
            )
            UPDATE {FIGURES.name} t SET is_provisional = false FROM old WHERE {_same_key("t", "old")}
            RETURNING t.month, t.indicator_id""",
            parameters,
        )
        found = cursor.fetchall()
    return Written(changed=len(found), unchanged=len(indicators) - len(found)), set(found)


def lock(indicators):
    """Hold these indicators against other writers to the end of the transaction, as `write` itself does."""
    with connection.cursor() as cursor:
        _lock(cursor, np.asarray(indicators))


def _lock(cursor, indicators):
    ids = np.unique(indicators)
    cursor.execute(
        "SELECT pg_advisory_xact_lock(%s, id) FROM (SELECT unnest(%s::int[]) AS id ORDER BY 1) ids",
        [LOCK_CLASS, ids.tolist()],
    )


def _pairs(keys):
    months, indicators, _ = keys
    packed = np.unique(months.astype("datetime64[M]").astype(np.int64) << 32 | np.asarray(indicators, np.int64))
    return {((p >> 32).astype("datetime64[M]").astype("datetime64[D]").item(), int(p & 0xFFFFFFFF)) for p in packed}


def _any_there(cursor, table, keys):
    """Whether any row of these months and indicators exists: without one, plain COPY will do."""
    pairs = sorted(_pairs(keys))
    cursor.execute(
        f"""SELECT EXISTS (
            SELECT FROM unnest(%s::date[], %s::int[]) AS k(month, indicator_id)
            CROSS JOIN LATERAL (
                SELECT FROM {table.name} t WHERE t.month = k.month AND t.indicator_id = k.indicator_id LIMIT 1
            ) found
        )""",
        [[month for month, _ in pairs], [indicator for _, indicator in pairs]],
    )
    return cursor.fetchone()[0]


def _columns(table, keys, said, about):
    months, indicators, units = keys
    columns = [Column("date", months), Column("int4", indicators), Column("int4", units)]
    for (_, kind), values in zip(table.said, said, strict=True):
        values = np.asarray(values)
        columns.append(Column(kind, values, np.isnan(values) if kind == "float8" else None))
    return [*columns, *(Column(KINDS[name], about[name]) for name in table.about)]


def _copy(cursor, name, names, columns, rows):
    copy_in(cursor, name, names, columns, rows)


def _stage(cursor, table, keys, said, blank):
    types = {"float8": "double precision", "int2": "smallint"}
    fields = ", ".join(f"{name} {types[kind]}" for name, kind in table.said)
    cursor.execute("DROP TABLE IF EXISTS staged")
    cursor.execute(
        "CREATE TEMPORARY TABLE staged "
        f"(month date, indicator_id int, unit_id int, {fields}, blank boolean) ON COMMIT DROP"
    )
    names = [*KEY, *(name for name, _ in table.said), "blank"]
    columns = [*_columns(table, keys, said, dict.fromkeys(table.about))[: len(names) - 1], Column("bool", blank)]
    _copy(cursor, "staged", names, columns, len(blank))
    cursor.execute("ANALYZE staged")


def _merge(cursor, table, about, reason):
    """What differs moves to the past and is replaced; blanks are taken back. Four statements, one order of keys."""
    said = [name for name, _ in table.said]
    now_says, will_say = (", ".join(f"{alias}.{name}" for name in said) for alias in ("t", "s"))
    old = ", ".join(f"t.{name}" for name in table.columns)
    cursor.execute(
        f"""CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
        SELECT s.*, t.month IS NOT NULL AS existed FROM staged s LEFT JOIN {table.name} t USING (month, indicator_id,
        unit_id) WHERE CASE WHEN s.blank THEN t.month IS NOT NULL
                   ELSE t.month IS NULL OR ({now_says}) IS DISTINCT FROM ({will_say}) END"""
    )
    cursor.execute(
        f"""INSERT INTO {table.past} ({", ".join(table.columns)}, replaced_at, replaced_by_id, reason)
        SELECT {old}, %(recorded_at)s, %(recorded_by_id)s, %(reason)s
        FROM {table.name} t JOIN differing d USING (month, indicator_id, unit_id)""",
        {**about, "reason": reason},
    )
    cursor.execute(f"DELETE FROM {table.name} t USING differing d WHERE d.blank AND {_same_key('t', 'd')}")
    values = [*(f"d.{name}" for name in (*KEY, *said)), *(f"%({name})s" for name in table.about)]
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*said, *table.about))
    cursor.execute(
        f"""INSERT INTO {table.name} ({", ".join(table.columns)})
        SELECT {", ".join(values)} FROM differing d WHERE NOT d.blank ORDER BY month, indicator_id, unit_id
        ON CONFLICT (month, indicator_id, unit_id) DO UPDATE SET {updates}""",
        about,
    )
    cursor.execute(
        """SELECT month, indicator_id, count(*) FILTER (WHERE NOT existed), count(*) FILTER (WHERE existed AND NOT
        blank), count(*) FILTER (WHERE blank) FROM differing GROUP BY 1, 2"""
    )
    found = cursor.fetchall()
    cursor.execute("DROP TABLE staged, differing")
    created, changed, blanked = (sum(row[i] for row in found) for i in (2, 3, 4))
    return Written(created, changed, blanked), {(month, indicator) for month, indicator, *_ in found}


def _same_key(left, right):
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in KEY)

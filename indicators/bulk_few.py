"""The bulk write of a handful of rows: as parameters, without temporary tables. The single figure of a live event.

It must say the same as bulk's own path, to the row; a test holds them to it.
"""

import numpy as np

TYPES = {"float8": "float8", "int2": "int2"}


def merge(cursor, table, keys, said, blank, about, reason):
    """What differs moves to the past and is replaced; blanks are taken back. Inside the caller's transaction and lock.

    Arguments as of bulk.write. Returns (created, changed, blanked, set of (month as date, indicator id) touched).
    """
    columns = _columns(table, keys, said, blank)
    existed = _differing(cursor, table, columns)
    if not existed:
        return 0, 0, 0, set()
    old = [row for row, was_there in existed.items() if was_there]
    gone = [row for row in old if columns["blank"][row]]
    new = [row for row in existed if not columns["blank"][row]]
    parameters = {**about, "reason": reason}
    if old:
        kept = ", ".join(f"t.{name}" for name in table.columns)
        cursor.execute(
            f"""INSERT INTO {table.past} ({", ".join(table.columns)}, replaced_at, replaced_by_id, reason)
            SELECT {kept}, %(recorded_at)s, %(recorded_by_id)s, %(reason)s
            FROM {_given(table)} JOIN {table.name} t USING (month, indicator_id, unit_id) WHERE {_months(columns)}""",
            parameters | _picked(columns, old),
        )
    if gone:
        cursor.execute(
            f"""DELETE FROM {table.name} t USING {_given(table)} WHERE t.month = s.month AND {_months(columns)}
            AND t.indicator_id = s.indicator_id AND t.unit_id = s.unit_id""",
            _picked(columns, gone),
        )
    if new:
        _put(cursor, table, parameters | _picked(columns, new))
    touched = {(columns["month"][row], columns["indicator_id"][row]) for row in existed}
    return len(existed) - len(old), len(old) - len(gone), len(gone), touched


def _put(cursor, table, parameters):
    names = [*_key(table), *(name for name, _ in table.said)]
    values = [*(f"s.{name}" for name in names), *(f"%({name})s" for name in table.about)]
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*names[3:], *table.about))
    cursor.execute(
        f"""INSERT INTO {table.name} ({", ".join(table.columns)})
        SELECT {", ".join(values)} FROM {_given(table)} ORDER BY month, indicator_id, unit_id
        ON CONFLICT (month, indicator_id, unit_id) DO UPDATE SET {updates}""",
        parameters,
    )


def _key(table):
    return table.columns[:3]


def _columns(table, keys, said, blank):
    """Lists by column name; NaN is None."""
    months, indicators, units = keys
    columns = {
        "month": months.astype("datetime64[D]").tolist(),
        "indicator_id": np.asarray(indicators).tolist(),
        "unit_id": np.asarray(units).tolist(),
    }
    for (name, kind), values in zip(table.said, said, strict=True):
        values = np.asarray(values).tolist()
        columns[name] = [None if v != v else v for v in values] if kind == "float8" else values
    return {**columns, "blank": np.asarray(blank).tolist()}


def _picked(columns, rows):
    return {f"s_{name}": [values[row] for row in rows] for name, values in columns.items()}


def _given(table, more=""):
    kinds = {"month": "date", "indicator_id": "int4", "unit_id": "int4", **dict(table.said), "blank": "bool"}
    arrays = ", ".join(f"%(s_{name})s::{kind}[]" for name, kind in kinds.items())
    return f"unnest({arrays}) {more} AS s({', '.join(kinds)}{', row' if more else ''})"


def _months(columns):
    """The months as constants, so that the other years' partitions are out of it before anything is planned."""
    return f"t.month >= '{min(columns['month'])}' AND t.month <= '{max(columns['month'])}'"


def _differing(cursor, table, columns):
    """{row: whether there was one} of the rows that differ from what is said."""
    names = [name for name, _ in table.said]
    now_says, will_say = (", ".join(f"{alias}.{name}" for name in names) for alias in ("t", "s"))
    cursor.execute(
        f"""SELECT s.row - 1, t.month IS NOT NULL FROM {_given(table, "WITH ORDINALITY")}
        LEFT JOIN {table.name} t ON t.month = s.month AND t.indicator_id = s.indicator_id AND t.unit_id = s.unit_id
            AND {_months(columns)}
        WHERE CASE WHEN s.blank THEN t.month IS NOT NULL
            ELSE t.month IS NULL OR ({now_says}) IS DISTINCT FROM ({will_say}) END
        ORDER BY s.row""",
        _picked(columns, range(len(columns["month"]))),
    )
    return dict(cursor.fetchall())

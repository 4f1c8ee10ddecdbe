"""Figures, targets and what is due of an institution's year, out of PostgreSQL into arrays (12 months, K, N units)."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import psycopg
from django.db import connection

from indicators.codes import Sense, Sheet, SheetTable
from indicators.models import Denominator, SheetVersion
from indicators.year import Figures, Targets
from scorecard.refresh.axis import month_number

# One row a month and indicator, its units and figures packed side by side: six times as fast as row by row.
# Aggregates of
# one SELECT see the rows in one order, so nothing need be sorted; string_agg skips NULL, so a missing figure is a NaN.
PACKED = """
SELECT extract(month FROM month)::int2, indicator_id, string_agg(int4send(unit_id), ''), {columns}
FROM {table} WHERE month >= %s AND month < %s AND indicator_id = ANY(%s) GROUP BY month, indicator_id
"""
ASSIGNED = """
SELECT a.indicator_id, a.from_month, a.to_month, string_agg(int4send(a.unit_id), '')
FROM indicators_assignment a JOIN indicators_indicator i ON i.id = a.indicator_id
WHERE i.institution_id = %s GROUP BY 1, 2, 3
"""
FLOATS = "string_agg(float8send(coalesce({0}, 'NaN')), '')"
FLAGS = """CASE WHEN bool_or(state <> 1 OR is_provisional)
    THEN string_agg(int2send((CASE WHEN state = 2 THEN 1 ELSE 0 END + CASE WHEN is_provisional THEN 2 ELSE 0
    END)::int2), '') END"""


@dataclass(frozen=True)
class Sheets:
    """The sheets of K indicators in one month: ids, versions (the rows of SheetVersion), scoring table, frequencies."""

    ids: tuple
    versions: tuple
    table: SheetTable
    frequency: np.ndarray

    def take(self, rows):
        """The sheets at some rows."""
        rows = np.asarray(rows, np.int64)
        ids, versions = (tuple(part[k] for k in rows) for part in (self.ids, self.versions))
        return Sheets(ids, versions, self.table.take(rows), self.frequency[rows])


def scoring_sheet(version):
    """What scoring needs of a sheet's version. A formula's value stands at every unit and is not rolled up."""
    return Sheet(
        sense=version.sense,
        over_units=0 if version.formula else version.over_units,
        over_time=version.over_time,
        den_over_units=0 if version.formula else version.denominator_over_units,
        den_over_time=version.denominator_over_time,
        scale=version.scale,
        tolerance=np.nan if version.tolerance is None else version.tolerance,
        light_by=version.light_by,
        is_count=version.is_count,
        has_denominator=version.denominator_kind != Denominator.NONE,
        population_denominator=version.denominator_kind == Denominator.POPULATION,
    )


def read_versions(institution_id):
    """All sheet versions of an institution's indicators."""
    return list(
        SheetVersion.objects.filter(indicator__institution_id=institution_id)
        .select_related("indicator")
        .order_by("indicator_id", "version")
    )


def sheets_of_month(versions, month):
    """The sheets in force in a month, by indicator id."""
    held = [v for v in versions if v.valid_from <= month and (v.valid_to is None or month < v.valid_to)]
    table = SheetTable.of([scoring_sheet(v) for v in held])
    ids = tuple(v.indicator_id for v in held)
    return Sheets(ids, tuple(held), table, np.array([v.frequency for v in held], np.int64))


def read_assignments(institution_id):
    """Assignments of an institution's indicators as an int64 array (A, 4): indicator, unit, from, to (month
    numbers).
    """
    with connection.cursor() as cursor:
        cursor.execute(ASSIGNED, [institution_id])
        rows = cursor.fetchall()
    found = []
    for indicator, start, end, units in rows:
        units = np.frombuffer(units, ">i4").astype(np.int64)
        spans = indicator, month_number(start), month_number(end) if end else 1 << 30
        found.append(np.stack([np.full(len(units), spans[0]), units, *(np.full(len(units), m) for m in spans[1:])], 1))
    return np.concatenate(found) if found else np.empty((0, 4), np.int64)


def due_of_year(assignments, axis, ids, frequency):
    """What is due of units themselves, bool (12, K, N): assigned, standing in the tree, and in a measurement month."""
    first = month_number(date(axis.year, 1, 1))
    place = np.full(max(ids, default=0) + 1, -1, np.int64)
    place[list(ids)] = np.arange(len(ids))
    inside = assignments[:, 0] < len(place)
    rows = assignments[inside]
    indicator, unit = place[rows[:, 0]], axis.ordinals(rows[:, 1])
    held = (indicator >= 0) & (unit >= 0)
    indicator, unit, start, end = indicator[held], unit[held], rows[held, 2], rows[held, 3]
    due = np.zeros((12, len(ids), len(axis)), bool)
    for month in range(12):
        now = (start <= first + month) & (first + month < end)
        due[month, indicator[now], unit[now]] = True
    due &= axis.is_open[:, None, :]
    measured = (np.arange(1, 13)[:, None] % (12 // frequency)[None, :]) == 0
    return due & measured[:, :, None]


def read_figures(axis, sheets, first=0):
    """Own figures of the year's months from `first` on. Figures (12, K, N); population is not among them."""
    table = sheets.table
    shape = (12, len(sheets.ids), len(axis))
    numerator = np.full(shape, np.nan)
    denominator = np.full(shape, np.nan) if table.has_denominator.any() else None
    declared = np.zeros(shape, bool)
    provisional = np.zeros(shape, bool)
    reported = table.has_denominator & ~table.population_denominator
    seen = [False, False]
    for rows, den_wanted in ((np.flatnonzero(~reported), False), (np.flatnonzero(reported), True)):
        ids = [sheets.ids[k] for k in rows]
        columns = [FLOATS.format("numerator"), *([FLOATS.format("denominator")] if den_wanted else []), FLAGS]
        for month, k, units, packed in _packed("indicators_measurement", axis, ids, rows, columns, first):
            *floats, flags = packed
            numerator[month, k, units] = floats[0]
            if den_wanted:
                denominator[month, k, units] = floats[1]
            if flags is not None:
                declared[month, k, units] = (flags & 1) != 0
                provisional[month, k, units] = (flags & 2) != 0
                seen = [seen[0] or bool((flags & 1).any()), seen[1] or bool((flags & 2).any())]
    return Figures(numerator, denominator, declared if seen[0] else None, provisional if seen[1] else None)


def fill_population(figures, axis, sheets, people):
    """Population as denominator, of every unit by the territory that it covers in the month; in place."""
    if sheets.table.population_denominator.any():
        by_territory = people.of(axis.year)[axis.territory]
        figures.denominator[:, sheets.table.population_denominator] = by_territory[:, None, :]


def read_targets(axis, sheets, first=0):
    """Own targets of the year's months from `first` on; ranges and baselines only where a sheet needs them. Targets
    (12, K, N).
    """
    sense = sheets.table.sense
    everything = np.arange(len(sense))
    improves = np.isin(sense, (Sense.IMPROVE_HIGHER, Sense.IMPROVE_LOWER))
    found = {"value": _read_target(axis, sheets, everything, "value", first)}
    for name, mask in (("low", sense == Sense.WITHIN), ("high", sense == Sense.WITHIN), ("baseline", improves)):
        found[name] = _read_target(axis, sheets, np.flatnonzero(mask), name, first) if mask.any() else None
    return Targets(**found)


def _read_target(axis, sheets, rows, name, first):
    values = np.full((12, len(sheets.ids), len(axis)), np.nan)
    ids = [sheets.ids[k] for k in rows]
    for month, k, units, packed in _packed("indicators_target", axis, ids, rows, [FLOATS.format(name)], first):
        values[month, k, units] = packed[0]
    return values


def _packed(table, axis, ids, rows, columns, first):
    """Yield (month 0..11, k, unit ordinals, list of arrays) of every month and indicator that has rows."""
    if not ids:
        return
    place = dict(zip(ids, rows.tolist(), strict=True))
    sql = PACKED.format(table=table, columns=", ".join(columns))
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, [date(axis.year, first + 1, 1), date(axis.year + 1, 1, 1), list(ids)], binary=True)
        for month, indicator, units, *packed in cursor:
            ordinals = axis.ordinals(np.frombuffer(units, ">i4"))
            kinds = [">i2" if "int2send" in column else ">f8" for column in columns]
            arrays = [None if p is None else np.frombuffer(p, kind) for p, kind in zip(packed, kinds, strict=True)]
            if (ordinals < 0).any():  # figures of units that no longer stand in the tree of the year
                known = ordinals >= 0
                ordinals = ordinals[known]
                arrays = [None if array is None else array[known] for array in arrays]
            yield month - 1, place[indicator], ordinals, arrays

"""`manage.py bench ingest`: figures in bulk through `actions.record`, beside a raw binary COPY of the same rows.

`record` checks every row against sheets, assignments and open units, keeps what it replaces, and marks what is stale,
all in
one transaction. The raw COPY writes ready-made rows into the same table, with the same key and constraints, and
nothing else.
"""

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from benchmarks import national
from benchmarks.database import scratch_database
from benchmarks.harness import alternate, bench
from benchmarks.refresh import SIZES, measured
from indicators import actions
from indicators.models import StaleMark
from units.pgcopy import Column, copy_in

MONTHS = 9  # of the national size: some million rows
CHANGED = 0.1


@bench("ingest")
def ingest(report, options):
    """New figures, and the same figures again with a tenth of them changed; medians of three runs in turn."""
    with scratch_database():
        size = SIZES[options["size"]] | {"months": MONTHS}
        country = national.load(**size)
        parts = [national.measurement_columns(country, month) for month in range(MONTHS)]
        keys = [np.concatenate([part[0][n] for part in parts]) for n in range(3)]
        rows = _Rows(keys, np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts]))
        report.fact("figures a run", len(rows), "rows")
        ours, copied = alternate(_New(rows), _Copied(rows), measure=measured)
        _rates(report, "new figures", rows, ours, copied)
        again, copied = alternate(_Again(rows), _Copied(rows), measure=measured)
        _rates(report, "the same figures, a tenth changed", rows, again, copied)


def _rates(report, name, rows, ours, copied):
    """Rows a second, so that more is better."""
    mine, theirs = ([len(rows) / seconds for seconds in taken] for taken in (ours, copied))
    report.times(name, mine, unit="rows/s", beside="raw binary COPY", peer=theirs, at_least=0.2)


class _Rows:
    def __init__(self, keys, numerator, denominator):
        self.keys, self.numerator, self.denominator = keys, numerator, denominator

    def __len__(self):
        return len(self.numerator)

    def record(self, numerator):
        outcome = actions.record(
            by=None,
            months=self.keys[0],
            indicators=self.keys[1],
            units=self.keys[2],
            numerators=numerator,
            denominators=self.denominator,
            source="bench",
            now=timezone.now(),
        )
        if outcome.refused:
            raise AssertionError(str(outcome.refused[0]))
        return outcome.written

    def copy(self):
        months, indicators, units = self.keys
        names = ["month", "indicator_id", "unit_id", "numerator", "denominator", "state", "is_provisional", "source"]
        columns = [
            Column("date", months),
            Column("int4", indicators),
            Column("int4", units),
            Column("float8", self.numerator),
            Column("float8", self.denominator, np.isnan(self.denominator)),
            Column("int2", 1),
            Column("bool", True),
            Column("text", "bench"),
            Column("timestamptz", timezone.now()),
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            copy_in(cursor, "indicators_measurement", [*names, "recorded_at"], columns, len(self))


def _empty():
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE indicators_measurement, indicators_measurementpast, indicators_stalemark")
        cursor.execute("CHECKPOINT")


class _Copied:
    def __init__(self, rows):
        self.rows = rows

    def prepare(self):
        _empty()

    def __call__(self):
        self.rows.copy()


class _New:
    def __init__(self, rows):
        self.rows = rows

    def prepare(self):
        _empty()

    def __call__(self):
        written = self.rows.record(self.rows.numerator)
        assert written.created == len(self.rows), written
        assert StaleMark.objects.exists()


class _Again:
    """Every row again; a tenth says something else."""

    def __init__(self, rows):
        self.rows = rows
        self.changed = rows.numerator + (np.random.default_rng(1).random(len(rows)) < CHANGED)

    def prepare(self):
        _empty()
        self.rows.copy()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE indicators_measurement")

    def __call__(self):
        written = self.rows.record(self.changed)
        assert written.changed == int((self.changed != self.rows.numerator).sum()), written

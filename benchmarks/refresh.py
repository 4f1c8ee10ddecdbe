"""`manage.py bench refresh`: cards from figures, PostgreSQL to PostgreSQL, beside DuckDB doing the same work in memory.

DuckDB starts with every figure and target in its own tables and leaves its cells in a table: it neither reads nor
writes our database, and makes neither card scores, worst children nor marks of chance.
"""

import gc
import time
from pathlib import Path

import numpy as np
from django.db import connection
from django.utils import timezone

from benchmarks import national
from benchmarks.database import scratch_database
from benchmarks.harness import alternate, bench
from indicators.models import StaleMark
from scorecard import refresh as cards

SIZES = {
    "national": {},
    "year": {"months": 12},
    "small": {"levels": (1, 2, 4, 8, 24, 60), "indicators": 20, "months": 24},
}
SQL = (Path(__file__).parent / "sql" / "duckdb_cells.sql").read_text()
DEEPEST = len(national.LEVELS) - 1


class Peer:
    """DuckDB with the country's figures and targets in memory; kinds as in national.MAKES."""

    def __init__(self, country):
        import duckdb

        self.country = country
        self.db = duckdb.connect(":memory:", config={"threads": 2})
        self._fill(country)

    def _fill(self, country):
        leaves = np.bincount(np.concatenate(list(_ancestors(country))), minlength=len(country.parent))
        self._table(
            "units",
            u=np.arange(len(country.parent)),
            parent=country.parent,
            level=country.level,
            people=country.people.astype(float),
            leaves=leaves,
        )
        self._table("sheets", k=np.arange(len(country.kinds)), kind=country.kinds)
        months, k, leaf = np.nonzero(~np.isnan(country.numerator))
        den = country.denominator[months, k, leaf]
        self._table(
            "figures",
            month=months,
            k=k,
            u=country.leaves[leaf],
            num=country.numerator[months, k, leaf],
            den=np.ma.masked_invalid(den),
        )
        months, k, unit = np.nonzero(~np.isnan(country.target))
        self._table("targets", month=months, k=k, u=unit, target=country.target[months, k, unit])

    def _table(self, name, **columns):
        import pyarrow as pa

        arrays = {
            key: pa.array(np.asarray(c), mask=np.ma.getmaskarray(c) if np.ma.isMaskedArray(c) else None)
            for key, c in ((key, c.astype(np.int32) if c.dtype.kind == "i" else c) for key, c in columns.items())
        }
        self.db.register("arrays", pa.table(arrays))
        self.db.execute(f"CREATE TABLE {name} AS SELECT * FROM arrays")

    def run(self, scope="true", wanted="true"):
        """All cells of the scope's months into a table."""
        parts = []
        for level in range(DEEPEST - 1, -1, -1):
            source = "leaf" if level == DEEPEST - 1 else f"level{level + 1}"
            parts.append(
                f"level{level} AS (SELECT month, k, n.parent AS u, CASE WHEN any_value(s.kind) = 4 THEN max(num) "
                f"ELSE sum(num) END AS num, sum(den) AS den, sum(reported) AS reported FROM {source} "
                f"JOIN units n USING (u) JOIN sheets s USING (k) GROUP BY month, k, n.parent)"
            )
        rolled = " UNION ALL ".join(
            f"SELECT * FROM {name}" for name in ("leaf", *(f"level{n}" for n in range(DEEPEST)))
        )
        sql = SQL.format(
            scope=scope,
            wanted=wanted,
            levels=",\n".join(parts),
            rolled=rolled,
            attainment_month=_attainment("value", "target"),
            attainment_to_date=_attainment("ytd_value", "ytd_target"),
        )
        self.db.execute(f"CREATE OR REPLACE TABLE cells AS {sql}")


def _attainment(v, m):
    return (
        f"CASE WHEN kind IN (0, 1) THEN CASE WHEN {m} > 0 THEN 100 * (2 - {v} / {m}) "
        f"WHEN {m} = 0 AND {v} IS NOT NULL THEN CASE WHEN {v} <= 0 THEN 100 ELSE 0 END END "
        f"WHEN {m} > 0 THEN 100 * {v} / {m} END"
    )


def _ancestors(country):
    """Each leaf's chain of units, itself first, level by level."""
    at = country.leaves
    while len(at):
        yield at
        at = country.parent[at]
        at = at[at >= 0]


def greatest_difference(country, peer, months):
    """The greatest difference of any figure of some months between our cards and the peer's cells, relative beyond
    1.
    """
    worst = 0.0
    ordinal_of = {int(unit): i for i, unit in enumerate(country.unit_ids)}
    names = {
        "value": "value",
        "target": "target",
        "attainment": "attainment",
        "to_date_value": "ytd_value",
        "to_date_target": "ytd_target",
        "to_date_attainment": "ytd_attainment",
    }
    for month in months:
        theirs = {ours: np.full((len(country.parent), len(country.kinds)), np.nan) for ours in names}
        found = peer.db.execute(
            f"SELECT k, u, {', '.join(names.values())} FROM cells WHERE month = {month}"
        ).fetchnumpy()
        for ours, name in names.items():
            theirs[ours][found["u"], found["k"]] = np.ma.filled(found[name].astype(float), np.nan)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT unit_id, {', '.join(names)} FROM scorecard_card WHERE month = %s",
                [country.months[month].astype("datetime64[D]").item()],
            )
            rows = cursor.fetchall()
        assert len(rows) == len(country.parent), f"{len(rows)} cards in month {month}"
        order = [ordinal_of[row[0]] for row in rows]
        for n, ours in enumerate(names, start=1):
            mine = np.array([row[n] for row in rows], float)
            yours = theirs[ours][order]
            assert (np.isnan(mine) == np.isnan(yours)).all(), f"{ours} is missing in one of the two, month {month}"
            scale = np.maximum(1, np.abs(yours))
            worst = max(worst, float(np.nanmax(np.abs(mine - yours) / scale, initial=0)))
    return worst


@bench("refresh")
def refresh(report, options):
    """All months, one month, and one stale column; medians of three runs in turn."""
    with scratch_database():
        country = national.load(**SIZES[options["size"]])
        peer = Peer(country)
        last = len(country.months) - 1
        month = last - 7  # May of the last year
        ours_all, peer_all = alternate(_All(), peer.run, measure=measured)
        report.times("refresh all months", ours_all, beside="duckdb in memory", peer=peer_all, at_most=3)
        report.fact(
            "greatest difference of any figure", greatest_difference(country, peer, [0, month, last]), "", at_most=1e-9
        )
        day = country.months[month].astype("datetime64[D]").item()
        year = f"month // 12 = {month // 12}"
        one = lambda: cards.refresh(now=timezone.now(), from_month=day, to_month=day)  # noqa: E731
        ours_one, peer_one = alternate(
            _Month(day, one), lambda: peer.run(f"{year} AND month <= {month}", f"month = {month}"), measure=measured
        )
        report.times("refresh one month", ours_one, beside="duckdb in memory", peer=peer_one, at_most=10)
        ours_column, peer_column = alternate(
            _Column(country, day), lambda: peer.run(f"{year} AND k = 0", f"month >= {month}"), measure=measured
        )
        report.times("drain one stale column", ours_column, beside="duckdb in memory", peer=peer_column, at_most=10)
        report.fact("cards", _count(), "rows")
        report.fact("cards on disk", _size() / max(_count(), 1), "bytes a row")


def measured(work):
    """Seconds of work(), after what has to be put back first."""
    getattr(work, "prepare", lambda: None)()
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class _All:
    def prepare(self):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE scorecard_card")
            cursor.execute("CHECKPOINT")

    def __call__(self):
        cards.refresh(now=timezone.now(), jobs=2)


class _Month:
    def __init__(self, day, work):
        self.day, self.work = day, work

    def prepare(self):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM scorecard_card WHERE month = %s", [self.day])

    def __call__(self):
        self.work()


class _Column:
    """A figure changes; its column is drained."""

    def __init__(self, country, day):
        self.country, self.day = country, day

    def prepare(self):
        indicator, unit = int(self.country.indicator_ids[0]), int(self.country.unit_ids[self.country.leaves[0]])
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE indicators_measurement SET numerator = numerator + 1 "
                "WHERE month = %s AND indicator_id = %s AND unit_id = %s",
                [self.day, indicator, unit],
            )
        StaleMark.objects.create(
            month=self.day, institution=self.country.institution, indicator_id=indicator, marked_at=timezone.now()
        )

    def __call__(self):
        cards.drain(now=timezone.now())


def _count():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM scorecard_card")
        return cursor.fetchone()[0]


def _size():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'scorecard_card'::regclass"
        )
        return int(cursor.fetchone()[0])

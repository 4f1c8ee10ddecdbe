"""`manage.py bench storage`: what five million events with all their variables weigh, and what a month of them costs.

Half a million events a year, each with a point, stage times, every variable of the dictionary and a victim: two years
of them, then ten. A month's event indicators are counted anew after each; that must cost the same.
"""

from datetime import date

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from benchmarks import national
from benchmarks.database import scratch_database
from benchmarks.harness import alternate, bench
from benchmarks.incidents import CATEGORIES, squares
from incidents import counting, dictionary
from incidents.models import Category, EventRule, Factor, Kind, Measure, Variable
from units.models import Unit
from units.pgcopy import Column, copy_in

SIZES = {"national": (national.LEVELS, 500_000), "small": ((1, 9, 26, 60), 5_000)}
STAGES = ("reported_at", "received_at", "answered_at", "dispatched_at", "arrived_at", "closed_at")
FIRST, YEARS, SHORT = 2014, 10, 2
RUNS = 5


@bench("storage")
def storage(report, options):
    """Bytes an event, indexes and victims included; seconds to count a month at two years and at ten."""
    levels, a_year = SIZES[options["size"]]
    with scratch_database():
        events = Events(levels, a_year)
        for year in range(FIRST, FIRST + SHORT):
            events.add(year)
        events.settle()
        early = alternate(events.count, runs=RUNS)[0]
        for year in range(FIRST + SHORT, FIRST + YEARS):
            events.add(year)
        events.settle()
        late = alternate(events.count, runs=RUNS)[0]
        rows, size, bare = events.sizes()
        report.fact("events", rows, "rows")
        report.fact("one event with its victim and indexes", size / rows, "bytes")
        report.fact("the event's own row", bare / rows, "bytes")
        report.times("a month counted, ten years", late, beside="two years", peer=early, at_most=1.15)


class Events:
    """Events of a national country, written straight into their tables by years."""

    def __init__(self, levels, a_year):
        self.country = national.load(levels=levels, indicators=3, months=1)
        dictionary.ensure()
        self.rng, self.a_year, self.following = np.random.default_rng(11), a_year, 1
        self.corners = np.array(squares(self.country))
        leaves = self.country.unit_ids[self.country.leaves].tolist()
        units = Unit.objects.in_bulk(leaves)
        self.places = np.array([units[unit].territory_id for unit in leaves])
        categories = [Category.objects.get(code=code) for code in CATEGORIES]
        self.categories = np.array([category.pk for category in categories])
        for indicator, category in zip(self.country.indicator_ids.tolist(), categories, strict=True):
            EventRule.objects.create(
                indicator_id=indicator, measure=Measure.EVENTS, category=category, from_month=date(FIRST, 1, 1)
            )
        self.source = self.country.institution.pk

    def add(self, year):
        """A year's events, each with one victim."""
        n, rng = self.a_year, self.rng
        days = np.sort(rng.integers(0, 365, n)).astype("timedelta64[D]") + np.datetime64(f"{year}-01-01")
        seconds = rng.integers(0, 86_400, n)
        at = days.astype("datetime64[us]") + seconds.astype("timedelta64[s]")
        place = rng.integers(0, len(self.places), n)
        ids = np.arange(self.following, self.following + n)
        self.following += n
        point = self.corners[place] + rng.random((n, 2)) / 10
        stages = {name: at + np.timedelta64(30 * (k + 1), "s") for k, name in enumerate(STAGES)}
        incident = {
            "id": Column("int8", ids), "occurred_on": Column("date", days),
            "occurred_at": Column("int8", seconds * 1_000_000), "time_precision": Column("int2", 4),
            "source_id": Column("int4", self.source), "category_id": Column("int4", self.categories[place % 3]),
            "territory_id": Column("int4", self.places[place]), "place_precision": Column("int2", 1),
            "longitude": Column("float8", point[:, 0]), "latitude": Column("float8", point[:, 1]),
            "channel": Column("int2", 1), "service": Column("int2", 1),
            **{name: Column("int8", _instant(value)) for name, value in stages.items()},
            "codes": Column("int2[]", self._codes(Factor.ENVIRONMENT, n)),
            "numbers": Column("float4[]", self._numbers(Factor.ENVIRONMENT, n)),
        }  # fmt: skip
        victim = {
            "incident_id": Column("int8", ids), "occurred_on": Column("date", days), "ordinal": Column("int2", 1),
            "codes": Column("int2[]", self._codes(Factor.VICTIM, n)),
            "numbers": Column("float4[]", self._numbers(Factor.VICTIM, n)),
        }  # fmt: skip
        victimizer = {
            **victim,
            "codes": Column("int2[]", self._codes(Factor.VICTIMIZER, n)),
            "numbers": Column("float4[]", self._numbers(Factor.VICTIMIZER, n)),
        }
        tables = {"incidents_incident": incident, "incidents_victim": victim, "incidents_victimizer": victimizer}
        with transaction.atomic(), connection.cursor() as cursor:
            for table, columns in tables.items():
                copy_in(cursor, table, list(columns), list(columns.values()), n)

    def _codes(self, factor, n):
        return self.rng.integers(1, 20, (n, _width(factor, Kind.CATEGORY)), np.int16)

    def _numbers(self, factor, n):
        return self.rng.random((n, _width(factor, Kind.NUMBER)), np.float32)

    def settle(self):
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) incidents_incident, incidents_victim")

    def count(self):
        """A month's figures from events, taken back again so that each run writes the same."""
        with transaction.atomic():
            month = date(FIRST + 1, 6, 1)
            done = counting.recount(by=None, start=month, end=date(FIRST + 1, 7, 1), now=timezone.now())
            if not done.created:
                raise AssertionError("nothing was counted")
            transaction.set_rollback(True)

    def sizes(self):
        """Rows, bytes of all tables with their indexes, bytes of the incidents' rows alone."""
        tables = "('incidents_incident'::regclass, 'incidents_victim'::regclass, 'incidents_victimizer'::regclass)"
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT (SELECT count(*) FROM incidents_incident),
                sum(pg_total_relation_size(inhrelid)),
                sum(pg_relation_size(inhrelid)) FILTER (WHERE inhparent = 'incidents_incident'::regclass)
                FROM pg_inherits WHERE inhparent IN {tables}"""
            )
            rows, total, bare = cursor.fetchone()
            return rows, float(total), float(bare)


def _width(factor, kind):
    return Variable.objects.filter(factor=factor, kind=kind).count()


def _instant(value):
    """Microseconds since 2000, which is a timestamp's binary form."""
    return value.astype(np.int64) - 946_684_800_000_000

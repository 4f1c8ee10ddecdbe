"""`manage.py bench storage`: what five million events with all their variables weigh, and what a month of them costs.

Half a million events a year as a feed leaves them: each with a point, six stage times, a key of its source, a victim
and a victimizer, and every category and number of the dictionary stated. Two years of them, then ten. What is weighed
is all tables of incidents with all their indexes; nothing was revised, so the table of the past is empty. A month is
counted anew after each, by rules of every kind (KINDS), one kind at a time; that must cost the same.
"""

from datetime import date

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from benchmarks import national
from benchmarks.database import scratch_database
from benchmarks.harness import alternate, bench
from benchmarks.incidents import CATEGORIES, squares
from incidents import counting, dictionary, event_rules
from incidents.models import Category, EventRule, Factor, Kind, Measure, Stage, Variable
from indicators.codes import Rule
from indicators.models import Denominator, SheetVersion
from units.models import Unit
from units.pgcopy import Column, copy_in

SIZES = {"national": (national.LEVELS, 500_000), "small": ((1, 9, 26, 60), 5_000)}
STAGES = ("reported_at", "received_at", "answered_at", "dispatched_at", "arrived_at", "closed_at")
FIRST, YEARS, SHORT = 2014, 10, 2
RUNS = 5
KEYS = """
INSERT INTO incidents_incidentkey (source_id, external_id, incident_id, occurred_on, digest, version)
SELECT source_id, %s || lpad(id::text, 9, '0'), id, occurred_on, hashint8extended(id, 0), 1
FROM incidents_incident WHERE id >= %s AND occurred_on BETWEEN %s AND %s
"""


TABLES = (
    "incidents_incident", "incidents_incidentkey", "incidents_victim", "incidents_victimizer", "incidents_incidentpast"
)  # fmt: skip
GUNS = [{"field": "environment.weapon", "in": [1, 2, 3]}]
YOUNG_WOMEN = [{"field": "victim.sex", "in": [2]}, {"field": "victim.age", "from": 0, "to": 29}]
WAIT = {"from_stage": Stage.RECEIVED, "to_stage": Stage.ARRIVED}
COUNT = {"denominator_kind": Denominator.NONE, "over_units": Rule.SUM, "over_time": Rule.SUM, "is_count": True}
RATIO = {**COUNT, "denominator_kind": Denominator.REPORTED, "over_units": Rule.RATIO, "over_time": Rule.RATIO}
NOT_MADE = {**COUNT, "over_units": Rule.NONE, "over_time": Rule.NONE, "is_count": False}
# The rules of a kind, (category, what is asked), and the sheet of their indicators.
KINDS = {
    "events of three categories": ([(code, {"measure": Measure.EVENTS}) for code in CATEGORIES], COUNT),
    "events by a variable": ([("ROBBERY", {"measure": Measure.EVENTS, "filter": GUNS})], COUNT),
    "victims by sex and age": ([("ROBBERY", {"measure": Measure.VICTIMS, "filter": YOUNG_WOMEN})], COUNT),
    "share": ([("ROBBERY", {"measure": Measure.SHARE, "part": GUNS})], RATIO),
    "median of received to arrived": ([("ROBBERY", {"measure": Measure.MEDIAN, **WAIT})], NOT_MADE),
    "90th percentile of received to arrived": ([("ROBBERY", {"measure": Measure.P90, **WAIT})], NOT_MADE),
}


@bench("storage")
def storage(report, options):
    """Bytes an event, by table, indexes included; seconds to count a month at two years and at ten, by kind of rule."""
    levels, a_year = SIZES[options["size"]]
    with scratch_database():
        events = Events(levels, a_year)
        for year in range(FIRST, FIRST + SHORT):
            events.add(year)
        events.settle()
        early = {kind: events.counted(kind) for kind in KINDS}
        for year in range(FIRST + SHORT, FIRST + YEARS):
            events.add(year)
        events.settle()
        late = {kind: events.counted(kind) for kind in KINDS}
        rows, sizes, bare = events.sizes()
        report.fact("events", rows, "rows")
        report.fact("one event with its key, victim, victimizer and all indexes", sum(sizes.values()) / rows, "bytes")
        for table, size in sizes.items():
            report.fact(f"of that {table.removeprefix('incidents_')}", size / rows, "bytes")
        report.fact("the event's own row", bare / rows, "bytes")
        for kind in KINDS:
            report.times(
                f"a month counted, ten years: {kind}", late[kind], beside="two years", peer=early[kind], at_most=1.15
            )


class Events:
    """Events of a national country, written straight into their tables by years."""

    def __init__(self, levels, a_year):
        self.country = national.load(levels=levels, indicators=len(CATEGORIES), months=1)
        dictionary.ensure()
        self.rng, self.a_year, self.following = np.random.default_rng(11), a_year, 1
        self.corners = np.array(squares(self.country))
        leaves = self.country.unit_ids[self.country.leaves].tolist()
        units = Unit.objects.in_bulk(leaves)
        self.places = np.array([units[unit].territory_id for unit in leaves])
        categories = [Category.objects.get(code=code) for code in CATEGORIES]
        self.categories = np.array([category.pk for category in categories])
        self.source = self.country.institution.pk

    def add(self, year):
        """A year's events, each with its key, a victim and a victimizer."""
        n, rng = self.a_year, self.rng
        days = np.sort(rng.integers(0, 365, n)).astype("timedelta64[D]") + np.datetime64(f"{year}-01-01")
        seconds = rng.integers(0, 86_400, n)
        at = days.astype("datetime64[us]") + seconds.astype("timedelta64[s]")
        place = rng.integers(0, len(self.places), n)
        ids = np.arange(self.following, self.following + n)
        self.following += n
        point = self.corners[place] + rng.random((n, 2)) / 10
        waits = np.cumsum(rng.exponential(240, (n, len(STAGES))), axis=1).astype("timedelta64[s]")
        stages = {name: at + waits[:, k] for k, name in enumerate(STAGES)}
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
            cursor.execute(KEYS, [f"{year}-", ids[0].item(), f"{year}-01-01", f"{year}-12-31"])

    def _codes(self, factor, n):
        return self.rng.integers(1, 20, (n, _width(factor, Kind.CATEGORY)), np.int16)

    def _numbers(self, factor, n):
        return 100 * self.rng.random((n, _width(factor, Kind.NUMBER)), np.float32)

    def settle(self):
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM (ANALYZE) {', '.join(TABLES)}")
            cursor.execute("CHECKPOINT")

    def counted(self, kind):
        """Seconds of counting a month by the rules of a kind, once they are known."""
        rules, sheet = KINDS[kind]
        indicators = self.country.indicator_ids[: len(rules)].tolist()
        SheetVersion.objects.filter(indicator__in=indicators).update(**sheet)
        EventRule.objects.all().delete()
        for indicator, (code, asked) in zip(indicators, rules, strict=True):
            rule = EventRule(
                indicator_id=indicator, category=Category.objects.get(code=code), from_month=date(FIRST, 1, 1), **asked
            )
            event_rules.check(rule)
            rule.save()
        self.count()
        return alternate(self.count, runs=RUNS)[0]

    def count(self):
        """A month's figures from events, taken back again so that each run writes the same."""
        with transaction.atomic():
            month = date(FIRST + 1, 6, 1)
            done = counting.recount(by=None, start=month, end=date(FIRST + 1, 7, 1), now=timezone.now())
            if not done.created:
                raise AssertionError("nothing was counted")
            transaction.set_rollback(True)

    def sizes(self):
        """Rows, bytes by table with its indexes, bytes of the incidents' rows alone."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM incidents_incident")
            (rows,) = cursor.fetchone()
            found = {table: self._size(cursor, "pg_total_relation_size", table) for table in TABLES}
            return rows, found, self._size(cursor, "pg_relation_size", "incidents_incident")

    def _size(self, cursor, of, table):
        parts = f"(SELECT sum({of}(relid)) FROM pg_partition_tree(%(table)s::regclass) WHERE isleaf)"
        cursor.execute(f"SELECT coalesce({parts}, {of}(%(table)s::regclass))", {"table": table})
        return float(cursor.fetchone()[0])


def _width(factor, kind):
    return Variable.objects.filter(factor=factor, kind=kind).count()


def _instant(value):
    """Microseconds since 2000, which is a timestamp's binary form."""
    return value.astype(np.int64) - 946_684_800_000_000

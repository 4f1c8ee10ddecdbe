"""The units of an institution in a year, as ordinals: parents before children, and the tree of each month."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256

import numpy as np
from django.db import connection

from indicators.rollup import Tree
from units.models import Territory, UnitPeriod

SINCE = 1970
PEOPLE = """
SELECT string_agg(int4send(territory_id), '' ORDER BY territory_id), string_agg(int4send(people), '' ORDER BY
    territory_id) FROM units_population WHERE year = %s
"""


def month_number(day):
    """Months since January 1970."""
    return (day.year - SINCE) * 12 + day.month - 1


@dataclass
class Axis:
    """N units. parent (12, N): ordinals, -1 for a root or a unit that does not stand that month. territory (12, N):
    ids, 0
    for none. is_open (12, N). trees: 12, the same object for months of the same tree. digests: 12, of the tree."""

    year: int
    unit_ids: np.ndarray
    parent: np.ndarray
    territory: np.ndarray
    is_open: np.ndarray
    trees: list = field(default_factory=list)
    digests: list = field(default_factory=list)

    def __post_init__(self):
        self.ordinal_of = np.full(int(self.unit_ids.max(initial=0)) + 1, -1, np.int64)
        self.ordinal_of[self.unit_ids] = np.arange(len(self.unit_ids))
        made = {}
        for month in range(12):
            digest = self._digest(month)
            if digest not in made:
                made[digest] = Tree(self.parent[month])
            self.trees.append(made[digest])
            self.digests.append(digest)

    def _digest(self, month):
        """Of the month's own tree: what changes in another month of the year does not change it."""
        stand = np.flatnonzero(self.is_open[month])
        rows = np.stack([self.unit_ids[stand], self.parent_ids(month)[stand], self.territory[month, stand]])
        return sha256(rows[:, np.argsort(rows[0])].tobytes()).hexdigest()[:16]

    def __len__(self):
        return len(self.unit_ids)

    def ordinals(self, unit_ids):
        """Ordinals of unit ids, -1 where the unit is not of this institution or stands in no month of the year."""
        unit_ids = np.asarray(unit_ids, np.int64)
        known = unit_ids < len(self.ordinal_of)
        return np.where(known, self.ordinal_of[np.where(known, unit_ids, 0)], -1)

    def parent_ids(self, month):
        """Ids of the parents in a month (0..11), 0 for none."""
        above = self.parent[month]
        return np.where(above >= 0, self.unit_ids[above], 0)


def read_periods(institution_id):
    """All periods of an institution's units, once for as many years as are wanted: list of tuples."""
    rows = UnitPeriod.objects.filter(institution_id=institution_id).values_list(
        "unit_id", "unit__code", "parent_id", "territory_id", "from_month", "to_month"
    )
    return [
        (unit, code, parent or 0, territory or 0, month_number(start), month_number(end) if end else 1 << 30)
        for unit, code, parent, territory, start, end in rows
    ]


def make_axis(periods, year):
    """The axis of a year from an institution's periods."""
    first = (year - SINCE) * 12
    periods = [p for p in periods if p[4] < first + 12 and p[5] > first]
    order = _in_order(periods)
    ordinal = {unit: i for i, unit in enumerate(order)}
    n = len(order)
    parent = np.full((12, n), -1, np.int64)
    territory = np.zeros((12, n), np.int64)
    is_open = np.zeros((12, n), bool)
    for unit, _code, above, place, start, end in periods:
        months = slice(max(start - first, 0), min(end - first, 12))
        at = ordinal[unit]
        parent[months, at] = ordinal.get(above, -1)
        territory[months, at] = place
        is_open[months, at] = True
    stands = (parent >= 0) & np.take_along_axis(is_open, np.maximum(parent, 0), axis=1)
    return Axis(year, np.array(order, np.int64), np.where(stands, parent, -1), territory, is_open)


def _in_order(periods):
    """Unit ids, parents before children in every month of the year, siblings by code.

    Where two units stood above and below each other in different months, no such order exists: then all by code.
    """
    code = {unit: code for unit, code, *_ in periods}
    graph = defaultdict(set)
    for unit, _code, above, *_ in periods:
        graph[unit] |= {above} & code.keys()
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError:
        return sorted(code, key=code.__getitem__)
    order = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=code.__getitem__)
        order += ready
        sorter.done(*ready)
    return order


class People:
    """Population of territories by year: a territory's own figure, else the sum of those below it.

    Figures of population have no history that would tell of a change: they are read again after each `look_again`.
    """

    def __init__(self):
        self.parents = dict(Territory.objects.order_by("-level").values_list("pk", "parent_id"))
        self.known, self.seen = {}, set()

    def look_again(self):
        self.seen = set()

    def of(self, year):
        """Array by territory id of people in that year, NaN where unknown. Years are never carried over."""
        if year not in self.seen:
            with connection.cursor() as cursor:
                cursor.execute(PEOPLE, [year])
                packed = cursor.fetchone()
            if year not in self.known or self.known[year][0] != packed:
                self.known[year] = packed, self._summed(*packed)
            self.seen.add(year)
        return self.known[year][1]

    def _summed(self, territories, people):
        ids, counts = (np.frombuffer(part or b"", ">i4").tolist() for part in (territories, people))
        own, below = dict(zip(ids, counts, strict=True)), {}
        found = np.full(max(self.parents, default=0) + 1, np.nan)
        for territory, parent in self.parents.items():  # deepest level first
            count = own.get(territory, below.get(territory))
            if count is not None:
                found[territory] = count
                if parent:
                    below[parent] = below.get(parent, 0) + count
        found[0] = np.nan
        return found


def months_of(year):
    return [date(year, month, 1) for month in range(1, 13)]

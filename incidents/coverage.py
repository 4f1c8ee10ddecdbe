"""Which unit answers for a place in a month: the lowest that covers it, of those to which an indicator is assigned.

The tree of territories is today's; units cover them by month, and assignments hold by month.
"""

from dataclasses import dataclass

import numpy as np

from indicators.models import Assignment
from units.models import Territory, UnitPeriod

NEVER = 1 << 20
NOBODY = -1


def month_number(day):
    """Months since January 1970."""
    return (day.year - 1970) * 12 + day.month - 1


@dataclass
class Land:
    """The territories (N,), parents before children: sorted ids, each one's parent as an ordinal, NOBODY at the top."""

    ids: np.ndarray
    order: np.ndarray
    parent: np.ndarray

    def ordinals(self, ids):
        """Ordinals of territory ids, NOBODY for ids that are none."""
        if not len(self.ids):
            return np.full(len(ids), NOBODY, np.int64)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, self.order[at], NOBODY)


def read_land():
    rows = list(Territory.objects.order_by("level", "pk").values_list("pk", "parent_id"))
    at = {pk: i for i, (pk, _) in enumerate(rows)}
    ids = np.array([pk for pk, _ in rows], np.int64)
    order = np.argsort(ids)
    return Land(ids[order], order, np.array([at.get(parent, NOBODY) for _, parent in rows], np.int64))


def lowest_covering(units_at, parent):
    """The unit of each territory (N,): its own where it has one, else that of the nearest territory above that has.

    units_at: unit ids by ordinal, NOBODY for none; parent: ordinals, NOBODY at the top, each before its children.
    """
    found = units_at.copy()
    pending = np.flatnonzero((found == NOBODY) & (parent != NOBODY))
    above = parent.copy()
    while len(pending):
        found[pending] = units_at[above[pending]]
        above[pending] = parent[above[pending]]
        pending = pending[(found[pending] == NOBODY) & (above[pending] != NOBODY)]
    return found


def _spans(rows):
    """Columns of (key, ..., from month, to month) rows, months as numbers, an open end as NEVER; no key as NOBODY."""
    table = [
        (*(NOBODY if key is None else key for key in keys), month_number(start), month_number(end) if end else NEVER)
        for *keys, start, end in rows
    ]
    return np.array(table, np.int64).reshape(len(table), -1)


def _active(table, month):
    return (table[:, -2] <= month) & (month < table[:, -1]) if len(table) else np.empty(0, bool)


class Coverage:
    """Which unit answers for each territory, month by month; equal months share one walk up the tree."""

    def __init__(self, indicator, land):
        self.land, self.known = land, {}
        self.assigned = _spans(
            Assignment.objects.filter(indicator=indicator)
            .order_by("unit_id")
            .values_list("unit_id", "from_month", "to_month")
        )
        self.periods = _spans(
            UnitPeriod.objects.filter(institution=indicator.institution_id)
            .order_by("unit_id").values_list("unit_id", "territory_id", "parent_id", "from_month", "to_month")
        )  # fmt: skip
        self.open = _spans(
            UnitPeriod.objects.filter(unit__assignments__indicator=indicator)
            .order_by("unit_id").distinct().values_list("unit_id", "from_month", "to_month")
        )  # fmt: skip

    def of(self, month):
        """(units that owe the figure, sorted; unit of each territory (N,) of those) in a month."""
        return self._kept("due", month, self._walk)

    def chains(self, month):
        """(units that owe the figure, unit of each territory (N,) of all that stand, {unit: itself and all above}).

        For what is not rolled up: an event counts for every unit above it, by the tree of units of that month.
        """
        return self._kept("chains", month, self._climb)

    def places(self, unit_id, month, *, by_due):
        """Ids of the territories whose events count for a unit, in itself or below it. by_due: an event goes to the
        lowest unit that owes the figure, as counts do; else to the lowest that stands.
        """
        _due, of_all, chains = self.chains(month)
        unit_of = self.of(month)[1] if by_due else of_all
        below = [unit for unit, chain in chains.items() if unit_id in chain]
        places = np.empty(len(self.land.ids), np.int64)
        places[self.land.order] = self.land.ids  # ids by ordinal
        return places[np.isin(unit_of, below)]

    def _kept(self, name, month, make):
        active = [_active(table, month) for table in (self.assigned, self.periods, self.open)]
        key = name, b"".join(part.tobytes() for part in active)
        if key not in self.known:
            self.known[key] = make(*active)
        return self.known[key]

    def _due(self, assigned, open_):
        if not len(self.open) or not len(self.assigned):
            return np.empty(0, np.int64)
        return np.intersect1d(self.assigned[assigned, 0], self.open[open_, 0])

    def _walk(self, assigned, periods, open_):
        due = self._due(assigned, open_)
        held = self.periods[periods] if len(self.periods) else np.empty((0, 5), np.int64)
        return due, self._answering(held[np.isin(held[:, 0], due)])

    def _answering(self, held):
        held = held[held[:, 1] != NOBODY]
        units_at = np.full(len(self.land.parent), NOBODY, np.int64)
        at = self.land.ordinals(held[:, 1])
        units_at[at[at != NOBODY]] = held[at != NOBODY, 0]
        return lowest_covering(units_at, self.land.parent)

    def _climb(self, assigned, periods, open_):
        held = self.periods[periods] if len(self.periods) else np.empty((0, 5), np.int64)
        parent = dict(held[:, [0, 2]].tolist())
        chains = {}
        for unit in parent:
            chain = []
            while unit != NOBODY and unit not in chain:
                chain.append(unit)
                unit = parent.get(unit, NOBODY)
            chains[chain[0]] = chain
        return self._due(assigned, open_), self._answering(held), chains

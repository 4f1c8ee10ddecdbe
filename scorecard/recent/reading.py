"""What the page of the last 28 days rests on: events by day and category, read once. No clock."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from incidents.dictionary import subtree
from incidents.hotspots import grid, read
from incidents.models import Category
from incidents.recent import by_day, by_place
from indicators.change import (
    Change,
    Dispersion,
    changes,
    dispersion_of,
    drawn_to_usual,
    look_level,
    poisson_interval,
    pooled,
)
from indicators.control import Control, control
from units.models import Population, Territory, Unit

SPAN = 28  # days: four of each weekday
PERIODS = 39  # of SPAN days on the control chart: three years
PEERS = 10
YEAR = 365
EXPECTED = 10  # events by its own mean, without any of which a category is taken not to have been sent yet
FAINT = 0.1  # of what comes by day since a feed began: so much may bear an earlier date
PART = 0.05  # of a sum: what a part that began later must be for the sum not to be compared with what was before
MOST_SHAPED = 300  # units whose boundaries are measured


@dataclass(frozen=True)
class Row:
    """A category: events of the last SPAN days, of as many before, of the same days a year before, and of the year.

    since: the day from which its counts are whole, where a part of it had not begun before (see `_begun`).
    """

    category: Category | None
    depth: int
    counts: np.ndarray  # (PERIODS,), the last is now
    year_ago: int
    to_date: int
    to_date_before: int
    since: date | None = None
    is_whole: np.ndarray | bool = True  # (PERIODS,)

    @property
    def known(self) -> np.ndarray:
        """Counts of the periods that compare, (PERIODS,): NaN of those before a part of it began."""
        return np.where(self.is_whole, self.counts, np.nan)


# People a square kilometre from which a place is a town, and a city: those of the degree of urbanisation (UN 2020),
# which speaks of cells of 1 km²; here of the unit's whole territory.
TOWN, CITY = 300, 1500


@dataclass(frozen=True)
class Peer:
    unit: Unit
    people: int
    density: float | None  # people a square kilometre
    events: int

    @property
    def rate(self) -> float:
        """Events per 100,000 people in a year."""
        return 1e5 * self.events / self.people

    @property
    def rate_ends(self) -> tuple[float, float]:
        """The rate's exact 95 % Poisson interval: what so few events may stand for."""
        low, high = poisson_interval(self.events)
        return 1e5 * float(low) / self.people, 1e5 * float(high) / self.people

    @property
    def setting(self) -> str:
        """rural, town or city; empty where the area is not known."""
        if self.density is None:
            return ""
        return "city" if self.density >= CITY else "town" if self.density >= TOWN else "rural"


def _begun(series: np.ndarray) -> int:
    """The day, counted from 0, from which a feed came: 0 unless so long without any had EXPECTED events by its mean."""
    first, events = int(np.argmax(series > 0)), int(series.sum())
    return first if events * first >= EXPECTED * (len(series) - first) else 0


def _is_faint(series: np.ndarray, day: int) -> bool:
    """Whether there were by day less than FAINT as many events before this day as there are since."""
    return series[:day].mean() < FAINT * series[day:].mean()


def _since(parts: list[tuple[np.ndarray, int]]) -> int:
    """The day from which a sum of (series, day) is whole: those that are PART of it or more have all begun."""
    whole = sum(int(series.sum()) for series, _day in parts)
    return max((day for series, day in parts if series.sum() >= PART * whole), default=0)


def _some(counts: np.ndarray) -> np.ndarray:
    """Missing where there is none."""
    return np.where(counts > 0, counts, np.nan)


@dataclass
class Recent:
    """Of a unit's territory, up to and including the day `last`; category: its events and those below it, or all."""

    unit: Unit
    last: date
    category: Category | None = None

    @cached_property
    def start(self) -> date:
        return self.last + timedelta(days=1 - SPAN * PERIODS)

    @cached_property
    def territories(self) -> tuple[int, ...] | None:
        return read.below(self.unit.territory)

    @cached_property
    def days(self) -> dict[int, np.ndarray]:
        """Events by category id and day since `first`, (days,)."""
        found: dict[int, np.ndarray] = defaultdict(lambda: np.zeros(self._length, np.int64))
        asked = read.Selection(self.first, self.last + timedelta(days=1), territories=self.territories)
        for day, category, events in by_day(asked):
            found[category][(day - self.first).days] += events
        return dict(found)

    @cached_property
    def begun(self) -> dict[int, int]:
        """Of categories that were not sent from the first day on, by id, the day from which they were.

        A category that others had long before was sent: what is new here is the events, and they are compared.
        """
        found = {pk: day for pk, series in self.days.items() if (day := _begun(series))}
        if not found or self.territories is None:
            return found
        anywhere = {pk: np.zeros(self._length, np.int64) for pk in found}
        for day, category, events in by_day(read.Selection(self.first, self.last + timedelta(days=1), tuple(found))):
            anywhere[category][(day - self.first).days] += events
        return {pk: day for pk, day in found.items() if _is_faint(anywhere[pk], day)}

    @cached_property
    def first(self) -> date:
        """The first day that anything here needs."""
        return min(self.start, date(self.last.year - 1, 1, 1))

    @property
    def _length(self):
        return (self.last - self.first).days + 1

    def _sum(self, series, first: date, last: date) -> int:
        start, end = (first - self.first).days, (last - self.first).days + 1
        return int(series[max(0, start) : max(0, end)].sum())

    @cached_property
    def rows(self) -> list[Row]:
        """All events, then every category that had any, in the order of the tree; what has none is left out."""
        nothing = np.zeros(self._length, np.int64)
        found: list[Row] = []
        by_parent = defaultdict(list)
        for one in Category.objects.order_by("code"):
            by_parent[one.parent_id].append(one)

        def add(parent, depth) -> tuple[np.ndarray, int]:
            """The categories below; (events by day, the day from which they are whole) of all of them."""
            parts = []
            for one in by_parent[parent]:
                at, own = len(found), self.days.get(one.pk, nothing)
                below = add(one.pk, depth + 1)
                series, since = own + below[0], _since([(own, self.begun.get(one.pk, 0)), below])
                if np.any(series):
                    found.insert(at, self._row(one, depth, series, since))
                parts.append((series, since))
            return sum((series for series, _day in parts), nothing), _since(parts)

        everything, since = add(None, 1)
        return [self._row(None, 0, everything, since), *found]

    def _row(self, category, depth, series, since):
        counts = series[-SPAN * PERIODS :].reshape(PERIODS, SPAN).sum(1)
        ago = self.last - timedelta(days=YEAR - 1)  # 364 days: the same weekdays
        begun = self.first + timedelta(days=since)
        starts = np.array([self.period(n)[0] for n in range(PERIODS)])
        return Row(
            category,
            depth,
            counts,
            self._sum(series, ago - timedelta(days=SPAN - 1), ago),
            self._sum(series, date(self.last.year, 1, 1), self.last),
            self._sum(series, date(self.last.year - 1, 1, 1), self.same_day_last_year),
            begun if since else None,
            starts >= begun,
        )

    @property
    def same_day_last_year(self) -> date:
        day = 28 if (self.last.month, self.last.day) == (2, 29) else self.last.day
        return date(self.last.year - 1, self.last.month, day)

    @cached_property
    def changes(self) -> tuple[Change, Change]:
        """Of every row, as two lists: the last SPAN days to those before, and the year to date to last year's.

        Of a row without any before, or of which a part began only since, nothing is said. Dispersion is that of the
        row's own periods, drawn to that of the unit's categories as strongly as they agree.
        """
        counts = np.array([row.known for row in self.rows], float)
        own = dispersion_of(counts[:, :-2])
        finest = self.finest
        spread: Dispersion = drawn_to_usual(own, pooled(Dispersion(own.value[finest], own.freedom[finest])))
        short = changes(counts[:, -1], _some(counts[:, -2]), dispersion=spread)
        year = date(self.last.year - 1, 1, 1)
        now = np.array([row.to_date for row in self.rows], float)
        before = np.array(
            [np.nan if row.since and row.since > year else row.to_date_before for row in self.rows], float
        )
        lengths = [(one - date(one.year, 1, 1)).days + 1 for one in (self.last, self.same_day_last_year)]
        level = look_level(self.last.month)
        return short, changes(now, _some(before), *lengths, dispersion=spread, level=level)

    @property
    def finest(self) -> list[int]:
        """Rows without a narrower one below them: no event is in two."""
        depths = [row.depth for row in self.rows] + [0]
        return [n for n in range(len(self.rows)) if depths[n + 1] <= depths[n]]

    # Control chart

    @cached_property
    def charted(self) -> Row:
        """The row of the category asked for; all events where none is, or where it has none."""
        wanted = self.category and self.category.pk
        return next((row for row in self.rows if row.category and row.category.pk == wanted), self.rows[0])

    @cached_property
    def control(self) -> Control:
        return control(self.charted.known)

    def period(self, n: int) -> tuple[date, date]:
        """First and last day of the n-th period of the chart."""
        first = self.start + timedelta(days=SPAN * n)
        return first, first + timedelta(days=SPAN - 1)

    # Units like this one

    @cached_property
    def of_level(self) -> list[Peer]:
        """The institution's units of the same level with people in their territory, this one too."""
        level = self.unit.territory.level
        units = {
            one.territory_id: one
            for one in Unit.objects.filter(institution=self.unit.institution_id, territory__level=level)
        }
        years = Population.objects.filter(territory__in=units, year__lte=self.last.year, people__gt=0).order_by("year")
        people = dict(years.values_list("territory_id", "people"))  # the latest year stays
        categories = tuple(subtree(self.category.pk)) if self.category else None
        start = self.last - timedelta(days=YEAR - 1)
        asked = read.Selection(start, self.last + timedelta(days=1), categories)
        events = by_place(asked, level)
        areas = self._areas(list(people)) if len(people) <= MOST_SHAPED else {}
        return [
            Peer(units[pk], number, number / areas[pk] if areas.get(pk) else None, events.get(pk, 0))
            for pk, number in people.items()
        ]

    def _areas(self, territories) -> dict[int, float]:
        """Square kilometres of those with a boundary."""
        shapes = Territory.objects.with_boundary(self.last).filter(pk__in=territories, geometry__isnull=False)
        found = shapes.values_list("pk", "geometry")
        return {pk: grid.square_metres(grid.area_of([geometry])) / 1e6 for pk, geometry in found}

    @property
    def of_less_than_a_year(self) -> date | None:
        """The day from which the events behind the rates of units alike came, where that was not the whole year."""
        since = self.charted.since
        return since if since and since > self.last - timedelta(days=YEAR - 1) else None

    @cached_property
    def own(self) -> Peer | None:
        return next((one for one in self.of_level if one.unit.pk == self.unit.pk), None)

    @cached_property
    def peers(self) -> list[Peer]:
        """The PEERS units most like this one, this one among them, the highest rate first.

        Those of its setting come before others; then those nearest in people and density (logarithms, added up).
        """
        if self.own is None:
            return []
        nearest = sorted(self.of_level, key=self._unlike)[: PEERS + 1]
        return sorted(nearest, key=lambda one: -one.rate)

    def _unlike(self, other: Peer) -> tuple[bool, float]:
        apart = abs(np.log(other.people / self.own.people))
        if self.own.density and other.density:
            apart += abs(np.log(other.density / self.own.density))
        return other.setting != self.own.setting, float(apart)

    def decile(self, peer: Peer) -> int:
        """1 to 10 among all units of the level: 10 has the highest rates."""
        return self._decile_of(peer.rate)

    def decile_ends(self, peer: Peer) -> tuple[int, int]:
        """The deciles of the ends of its rate's interval, were all others as they are."""
        low, high = (self._decile_of(rate, beside=peer) for rate in peer.rate_ends)
        return low, high

    def _decile_of(self, rate: float, beside: Peer | None = None) -> int:
        lower = sum(one.rate < rate for one in self.of_level if one is not beside)
        return 1 + min(9, 10 * lower // len(self.of_level))

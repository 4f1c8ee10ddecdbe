"""A selection of events and its comparison, read: what is compared, the clock, the pyramid, crossings, series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cached_property

from incidents import profile, profile_read
from incidents.hotspots import coverage, read
from incidents.models import Category, Factor, Variable, VariableCode
from scorecard.hotspots.asked import Asked, selection
from scorecard.hotspots.spots import OneCell
from scorecard.queries import shifted
from units.models import Unit

REST, LAST_YEAR = "rest", "last-year"
SERIES_MONTHS = 24
CROSSINGS = (
    ("presumed_motive", "weapon"),
    ("place", "weapon"),
    ("kind_of_place", "weapon"),
    ("presumed_motive", "place"),
)


class Profile:
    """against: the rest of the territory above, or the same days a year before. At most some thirty questions.

    cell: one cell of the unit's territory alone; its rest is then that of the unit's own territory.
    """

    def __init__(self, unit: Unit, asked: Asked, against: str, cell: OneCell | None = None):
        self.unit, self.asked, self.cell = unit, asked, cell
        self.above = _above(unit) if cell is None else unit
        self.against = against if against == LAST_YEAR or self.above is not None else LAST_YEAR
        self.here = replace(selection(asked, read.below(unit.territory)), box=cell.box if cell else None)
        self.there = self._comparison()
        self.variables = profile_read.open_variables()

    def _comparison(self) -> read.Selection:
        if self.against == REST and self.cell:
            return replace(self.here, is_outside=True)
        if self.against == REST:
            within = set(self.here.territories or ())
            whole = _all_below(self.above.territory)
            return replace(self.here, territories=tuple(sorted(whole - within)))
        return replace(self.here, start=_year_before(self.here.start), end=_year_before(self.here.end))

    @cached_property
    def clock(self):
        """((7, 24) counts, without an hour) of the selection."""
        return profile_read.clock(self.here)

    @cached_property
    def clock_there(self):
        return profile_read.clock(self.there)

    @property
    def events(self) -> int:
        return int(self.clock[0].sum()) + self.clock[1]

    @property
    def events_there(self) -> int:
        return int(self.clock_there[0].sum()) + self.clock_there[1]

    @cached_property
    def compared(self) -> list[profile.Compared]:
        """Every value of every variable, and of the hours of the week, in both."""
        sides = []
        for one, (table, _without) in ((self.here, self.clock), (self.there, self.clock_there)):
            sides.append({**profile_read.values(one, self.variables), **profile_read.times(table)})
        return profile.compare(*sides)

    @property
    def different(self) -> list[profile.Compared]:
        return [one for one in self.compared if one.is_different]

    @cached_property
    def difference(self) -> coverage.Difference:
        """What makes the two hard to compare: a source or a month that only one of them has. Two questions."""
        return coverage.difference(*(_window(one) for one in (self.here, self.there)))

    @cached_property
    def pyramid(self) -> dict[tuple[int, int], int]:
        return profile_read.pyramid(self.here, self.variables)

    @cached_property
    def crossings(self) -> list[tuple[Variable, Variable, dict[tuple[int, int], int]]]:
        """(rows' variable, columns' variable, counts by their codes) of crossings that hold anything."""
        by_key = {one.key: one for one in self.variables if one.factor == Factor.ENVIRONMENT}
        found = []
        for row, column in CROSSINGS:
            if row in by_key and column in by_key:
                counts = profile_read.crossed(self.here, by_key[row], by_key[column])
                if counts:
                    found.append((by_key[row], by_key[column], counts))
        return found

    @cached_property
    def months(self) -> list[date]:
        """The whole months up to the end of the window whose series are compared."""
        end = self.here.end.replace(day=1)  # the day after the last, so the month that is not whole is left out
        return [shifted(end, n - SERIES_MONTHS) for n in range(SERIES_MONTHS)]

    @cached_property
    def together(self) -> list[profile.Together]:
        """Categories whose events rise and fall together in the territory."""
        of = replace(self.here, end=shifted(self.months[-1], 1), hours=None, weekdays=None, such=("", ()), box=None)
        return profile.rising_together(profile_read.by_month(of, self.months))

    # Names

    @cached_property
    def fields(self) -> dict[str, Variable]:
        return {f"{one.factor}.{one.key}": one for one in self.variables}

    @cached_property
    def codes(self) -> dict[tuple[int, int], str]:
        held = VariableCode.objects.filter(variable__in=self.variables)
        return {(one.variable_id, one.code): one.local_name for one in held}

    @cached_property
    def categories(self) -> dict[int, str]:
        return {one.pk: one.local_name for one in Category.objects.all()}


def _window(of: read.Selection) -> coverage.Window:
    first, last = of.start.replace(day=1), of.end
    months = [shifted(first, n) for n in range((last.year - first.year) * 12 + last.month - first.month)]
    return coverage.window(read.months(of), months)


def _above(unit: Unit) -> Unit | None:
    """The nearest unit above whose territory is larger."""
    above = Unit.objects.filter(pk__in=unit.path[:-1], territory__isnull=False).exclude(territory=unit.territory_id)
    return above.select_related("territory").order_by("-path").first()


def _all_below(territory) -> set[int]:
    return {row[0] for row in read.fetch(read.BELOW, [territory.pk])}


def _year_before(day: date) -> date:
    """The same day of the year before; the day before a 29 February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)

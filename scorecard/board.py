"""The live board of a unit: what happened in its territory in the last hours, against what is usual at this time.

The clock is passed in. A fixed number of questions, however many events there are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents import board_queries
from incidents.drawn import Drawn, Middles
from incidents.expected import usual_range
from incidents.models import STAGES, Incident, PlacePrecision, Service
from scorecard import board_words, components, geometry
from scorecard.html import current_language
from scorecard.mapping import Projected
from units.models import Boundary, Territory, Unit
from units.tables import Column, Table

HOURS = (1, 6, 24)
SHOWN, FILED = 200, 20_000  # events on the page, and in a file
KEPT = 60  # seconds that what is usual is kept for all who look at the territory
RECENT = 1 / 6  # of the hours shown: later events are drawn stronger


class Group(NamedTuple):
    """A kind of event: how many now, how many are usual, and the range within which chance keeps them."""

    name: str
    count: int
    expected: float | None
    low: int
    high: int

    @property
    def expected_text(self) -> str:
        return components.number(self.expected, 1, current_language())

    @property
    def standing(self) -> str:
        if self.expected is None:
            return ""
        return "above" if self.count > self.high else "below" if self.count < self.low else "usual"


class Below(NamedTuple):
    """A unit below, its events and where its own board is."""

    code: str
    name: str
    count: int
    href: str
    path: str

    @property
    def count_text(self) -> str:
        return ngettext("%(n)s event", "%(n)s events", self.count) % {"n": self.count}


class Event(NamedTuple):
    """An event as the board lists it; x and y where it is on the map, or but the middle of its place."""

    id: int
    day: str
    time: str
    category: str
    place: str
    source: str
    service: str
    stages: list[tuple[str, str]]
    point: str
    is_recent: bool
    is_approximate: bool
    precision: str


@dataclass
class Board:
    """The events of a unit's territory in the last hours. `now` is an instant."""

    unit: Unit
    hours: int
    now: datetime

    @cached_property
    def until(self) -> datetime:
        return timezone.localtime(self.now).replace(tzinfo=None)

    @cached_property
    def since(self) -> datetime:
        return self.until.replace(second=0, microsecond=0) - timedelta(hours=self.hours)

    @cached_property
    def events(self):
        return board_queries.events_in(self.unit.territory, self.since, self.until)

    @cached_property
    def latest(self) -> list[Incident]:
        return board_queries.latest(self.events, SHOWN)

    @cached_property
    def counts(self) -> Counter:
        return board_queries.counts(self.events)

    @property
    def count(self) -> int:
        return self.counts.total()

    @property
    def rest(self) -> int:
        return max(0, self.count - len(self.latest))

    # What is usual

    @cached_property
    def usual(self) -> tuple[int, Counter]:
        key = f"board-usual-{self.unit.territory_id}-{self.hours}-{self.since:%Y%m%d%H%M}"
        found = cache.get(key)
        if found is None:
            weeks, by_category = board_queries.same_hours_before(self.unit.territory, self.since, self.minute)
            found = weeks, dict(by_category)
            cache.set(key, found, KEPT)
        return found[0], Counter(found[1])

    @property
    def minute(self) -> datetime:
        return self.until.replace(second=0, microsecond=0)

    @cached_property
    def total(self) -> Group:
        weeks, before = self.usual
        return _group(_("All events"), self.count, before.total(), weeks)

    @cached_property
    def groups(self) -> list[Group]:
        """Kinds of events, what stands out first, then the most frequent."""
        tops, every = board_queries.groups()
        weeks, before = self.usual
        now, then = Counter(), Counter()
        for (category, _place), n in self.counts.items():
            now[tops[category]] += n
        for category, n in before.items():
            then[tops[category]] += n
        found = [_group(every[top].local_name, now[top], then[top], weeks) for top in now | then]
        return sorted(found, key=lambda g: (g.standing != "above", -g.count, -(g.expected or 0), g.name))

    # The map

    @cached_property
    def territories(self) -> dict[int, int | None]:
        return dict(Territory.objects.values_list("pk", "parent_id"))

    @cached_property
    def drawn(self) -> tuple[list[Any], Projected]:
        """Units below with a boundary of today, or the unit itself where there is none, and their paths."""
        today = self.until.date()
        below = Unit.objects.filter(parent=self.unit, territory__isnull=False).exclude(territory=self.unit.territory_id)
        rows = _with_boundary(below, today) or _with_boundary(Unit.objects.filter(pk=self.unit.pk), today)
        return rows, geometry.paths_of(rows)

    @cached_property
    def below(self) -> list[Below]:
        rows, drawn = self.drawn
        holders = {row.territory_id: row for row in rows}
        held: Counter = Counter()
        for (_category, place), n in self.counts.items():
            while place is not None and place not in holders:
                place = self.territories.get(place)
            held[place] += n
        found = [
            Below(row.code, row.local_name, held[row.territory_id], self._href(row), drawn.paths.get(row.unit_id, ""))
            for row in rows
        ]
        return sorted(found, key=lambda one: (-one.count, one.code))

    def _href(self, row) -> str:
        return "" if row.pk == self.unit.pk else f"/board/{row.code}/?hours={self.hours}"

    # The list

    @cached_property
    def shown(self) -> list[Event]:
        frame = self.drawn[1].frame
        recent, middles = self.until - timedelta(hours=self.hours * RECENT), Middles(self.latest)
        return [_event(one, frame, middles.of(one), self.until.date(), recent) for one in self.latest]

    def file(self) -> Table:
        """The events as a file: instants whole, in the country's time."""
        stages = [Column(stage, str(Incident._meta.get_field(stage).verbose_name).capitalize()) for stage in STAGES]
        events = board_queries.latest(self.events, FILED)
        said = {
            "unit": self.unit.local_name,
            "since": f"{self.since:%Y-%m-%d %H:%M}",
            "until": f"{self.until:%Y-%m-%d %H:%M}",
        }
        notes = [(_("Unit"), f"{self.unit.code} {self.unit.local_name}"), (_("Method"), board_words.method())]
        if len(events) < self.count:
            notes.append((_("Rows"), _("The latest %(n)s of %(all)s.") % {"n": len(events), "all": self.count}))
        return Table(
            title=_("Events in %(unit)s, %(since)s to %(until)s") % said,
            columns=[
                Column("occurred", _("Time")),
                Column("category", _("Category")),
                Column("place", _("Place")),
                Column("source", _("Source institution")),
                Column("service", _("Service")),
                *stages,
                Column("longitude", _("longitude"), "number"),
                Column("latitude", _("latitude"), "number"),
            ],
            rows=[_file_row(one) for one in events],
            notes=notes,
            id="events",
            name=f"{self.unit.code} {self.until:%Y-%m-%d %H%M} {self.hours} h",
        )


def _group(name: str, count: int, before: int, weeks: int) -> Group:
    if not weeks:
        return Group(name, count, None, 0, 0)
    mean = before / weeks
    return Group(name, count, mean, *usual_range(mean))


def _with_boundary(units, on: date) -> list[Any]:
    """Units with the version of their place's boundary, as scorecard.geometry draws rows of cards. One query."""
    version = (
        "(SELECT b.id || '.' || b.xmin::text || b.ctid::text FROM units_boundary b WHERE b.territory_id = "
        '"units_unit"."territory_id" AND b.valid_from <= %s AND (b.valid_to IS NULL OR b.valid_to > %s))'
    )
    found = units.annotate(boundary=RawSQL(version, [on, on])).order_by("code")  # noqa: S611 - values go apart
    rows = [unit for unit in found if unit.boundary]
    for row in rows:
        row.unit_id = row.pk
    return rows


def is_schematic(rows) -> bool:
    ids = [int(row.boundary.partition(".")[0]) for row in rows]
    return Boundary.objects.filter(pk__in=ids, is_schematic=True).exists()


def _event(one: Incident, frame, drawn: Drawn | None, today: date, recent: datetime) -> Event:
    happened = datetime.combine(one.occurred_on, one.occurred_at)
    x_y = frame.place(drawn.longitude, drawn.latitude) if frame and drawn else None
    return Event(
        id=one.id,
        day="" if one.occurred_on == today else date_format(one.occurred_on, "j M"),
        time=f"{one.occurred_at:%H:%M}",
        category=one.category.local_name,
        place=one.territory.local_name if one.territory else "",
        source=_local_short(one.source),
        service=service_name(one.service),
        stages=_stages(one),
        point=f"{x_y[0]:.1f} {x_y[1]:.1f}" if x_y else "",
        is_recent=happened >= recent,
        is_approximate=x_y is not None and drawn is not None and drawn.is_approximate,
        precision="" if one.longitude is not None else str(PlacePrecision(one.place_precision).label),
    )


def _local_short(institution) -> str:
    return institution.short_name or institution.local_name


def service_name(code: int) -> str:
    return str(Service(code).label) if code else ""


def _stages(one: Incident) -> list[tuple[str, str]]:
    """How long after the call each stage came: (its name, "+minutes:seconds")."""
    call = one.received_at or one.reported_at
    found = []
    for stage in ("answered_at", "dispatched_at", "arrived_at", "closed_at"):
        at = getattr(one, stage)
        if call is not None and at is not None and at >= call:
            found.append((str(Incident._meta.get_field(stage).verbose_name), _lasted(at - call)))
    return found


def _lasted(time: timedelta) -> str:
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"+{hours}:{minutes:02}:{seconds:02}" if hours else f"+{minutes}:{seconds:02}"


def _file_row(one: Incident) -> list[Any]:
    return [
        datetime.combine(one.occurred_on, one.occurred_at),
        one.category.local_name,
        one.territory.local_name if one.territory else "",
        _local_short(one.source),
        service_name(one.service),
        *(getattr(one, stage) for stage in STAGES),
        one.longitude,
        one.latitude,
    ]

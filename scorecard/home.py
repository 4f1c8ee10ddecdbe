"""What stands on a person's home page: a section a kind of work, from the roles held, highest unit first.

Reads only; the clock and the instant of the last visit are passed in. A section asks a fixed number of questions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Count, Min
from django.utils.translation import gettext

from incidents.connect.queries import feeds_of
from indicators import entry, months
from indicators import queries as figures
from indicators.models import Batch, Measurement, MeasurementPast, MeasurementState, StaleMark
from scorecard import components, founding, trail, wording
from scorecard.chance import moved_by_chance
from scorecard.html import current_language
from scorecard.models import Card
from scorecard.outlook import chance_words
from scorecard.queries import cards_of, shifted, unit_here
from scorecard.reading import Child, Line, Reading, shown_attainment
from scorecard.trajectory import prospects
from units.access import ROOT
from units.models import Institution, Unit, UnitUserObjectPermission, User
from units.permissions import VERBS, Permission, Role, roles_of

LIGHTS_SHOWN = 8
MOVERS_SHOWN = 3
WORST_SHOWN = 5
MOVED_SHOWN = 6
PROSPECTS_SHOWN = 6
NEWS_SHOWN = 8
MOVED_BY = 2.0  # standard deviations
MONTHS_NEEDED = 6
LEAST_MOVE = 1.0  # points of attainment

# Kinds of work in the order of the page, and the roles that have it.
KINDS = (
    ("commander", (Role.REPORTER, Role.APPROVER)),
    ("leadership", (Role.VIEWER,)),
    ("analyst", (Role.ANALYST,)),
    ("auditor", (Role.AUDITOR,)),
    ("administrator", (Role.ADMINISTRATOR, Role.UNIT_ADMINISTRATOR, Role.INTEGRATOR)),
)


@dataclass
class Section:
    """A kind of work in a unit. `others`: further units in which the person has the same work."""

    kind: str
    unit: Unit
    roles: list[Role]
    others: list[Unit] = field(default_factory=list)
    month: date | None = None
    about: dict[str, Any] = field(default_factory=dict)


class Mover(NamedTuple):
    """A line whose attainment rose or fell since the month before, in points; is_chance: None where no test is."""

    line: Line
    href: str
    change: float
    is_chance: bool | None = None

    @property
    def change_text(self) -> str:
        return components.number(self.change, 1, current_language(), sign=True)


class Moved(NamedTuple):
    """A series whose month lies far from the twelve before it."""

    line: Line
    href: str
    mean: float
    deviations: float

    @property
    def deviations_text(self) -> str:
        return components.number(self.deviations, 1, current_language(), sign=True)


class Shown(NamedTuple):
    """A line as the home page lists it: what drives its light."""

    line: Line
    href: str
    value: float
    target: str
    basis: str


class News(NamedTuple):
    """A figure that came in or changed: where, what it says, who said so."""

    unit: Unit
    indicator: str
    href: str
    month: date
    text: str
    by: str
    at: datetime


def sections(user, *, now, since) -> list[Section]:
    """A section for each kind of work that the person has, in order."""
    held = roles_of(user)
    found = []
    for kind, roles in KINDS:
        mine = [(role, unit) for role, unit in held if role in roles]
        if mine:
            units = list(dict.fromkeys(unit for _role, unit in mine))
            own = [role for role, unit in mine if unit == units[0]]
            section = Section(kind, units[0], own, units[1:])
            FILLERS[kind](section, user, now, since)
            found.append(section)
    return found


def whom_to_ask() -> list[User]:
    """Three administrators, those of the highest units first: for a person without any role."""
    codename = f"hold_{Role.ADMINISTRATOR}"
    grants = UnitUserObjectPermission.objects.filter(permission__codename=codename, user__is_active=True)
    ordered = sorted(grants.select_related("user", "content_object"), key=lambda g: (len(g.content_object.path), g.pk))
    return list(dict.fromkeys(grant.user for grant in ordered))[:3]


# Reading a unit's cards ----------------------------------------------------------------------------------------------


def reading_of(user, unit, month=None) -> Reading | None:
    """The unit's cards of a month, its latest by default; None where it has none. Two questions."""
    here = unit_here(user, unit.code, month)
    month = month or here.latest
    if month is None:
        return None
    reading = Reading(here, cards_of(here.unit, month))
    return reading if reading.own is not None else None


def worst_first(reading: Reading) -> list[Line]:
    """Lines from the lowest attainment up; those without a light last."""
    return sorted(reading.lines, key=lambda line: _low(line.driving.attainment))


def shown_lines(reading: Reading, lines) -> list[Shown]:
    """Lines with the figure and target that drive their light, and whether that is the month or the year to date."""
    return [
        Shown(
            line,
            wording.indicator_href(reading.unit.code, line.about["code"], reading.month),
            line.driving.value,
            _target(line),
            wording.driver_words(line.is_by_month),
        )
        for line in lines
    ]


def _target(line):
    said = wording.target_of(line.driving, line.about["decimals"], is_range=line.is_range)
    return said if isinstance(said, str) else wording.number(said, line.about["decimals"])


def _low(attainment):
    return math.inf if math.isnan(attainment) else attainment


def movers(now: Reading, before: Reading | None, today: date) -> tuple[list[Mover], list[Mover]]:
    """Lines whose attainment rose most, and fell most, since the month before: what may be chance comes last."""
    if before is None:
        return [], []
    was = {line.about["code"]: line for line in before.lines}
    pairs = [(line, was[line.about["code"]]) for line in now.lines if line.about["code"] in was]
    pairs = [(line, old) for line, old in pairs if line.is_by_month == old.is_by_month]
    chance = moved_by_chance(now, pairs, today)
    found = []
    for line, old in pairs:
        code = line.about["code"]
        change = shown_attainment(line.driving, line.about) - shown_attainment(old.driving, old.about)
        if abs(change) >= LEAST_MOVE:
            href = wording.indicator_href(now.unit.code, code, now.month)
            found.append(Mover(line, href, change, chance.get(code)))
    found.sort(key=lambda mover: (mover.is_chance is True, -abs(mover.change)))
    fell = [mover for mover in found if mover.change < 0]
    rose = [mover for mover in found if mover.change > 0]
    return rose[:MOVERS_SHOWN], fell[:MOVERS_SHOWN]


def moved_series(reading: Reading) -> list[Moved]:
    """Series whose month lies more than two deviations from the mean of the twelve before, the farthest first.

    A count's deviation is never below that of chance, the root of its mean.
    """
    found = []
    for line in reading.lines:
        past = np.array([value for value in line.values[:-1] if not math.isnan(value)])
        now = line.values[-1]
        if math.isnan(now) or len(past) < MONTHS_NEEDED:
            continue
        mean, deviation = float(past.mean()), float(past.std(ddof=1))
        if line.about["is_count"]:
            deviation = max(deviation, math.sqrt(max(mean, 1.0)))
        if deviation > 0 and abs(now - mean) > MOVED_BY * deviation:
            href = wording.indicator_href(reading.unit.code, line.about["code"], reading.month)
            found.append(Moved(line, href, mean, (now - mean) / deviation))
    return sorted(found, key=lambda moved: -abs(moved.deviations))[:MOVED_SHOWN]


def worst_children(reading: Reading) -> list[Child]:
    """Units below that are at risk or off target, worst first."""
    return [child for child in reading.children if child.band.name in ("red", "amber")][:WORST_SHOWN]


# What changed --------------------------------------------------------------------------------------------------------


def news(unit: Unit, month: date, *, since, by) -> list[News]:
    """Figures of this month and the one before that others entered or changed in the tree since then, newest first."""
    span = {"month__in": [month, months.add_months(month, -1)], "unit__path__contains": [unit.pk]}
    rows = Measurement.objects.filter(recorded_at__gt=since, **span).exclude(recorded_by_id=by.pk)
    rows = rows.exclude(source="").select_related("unit", "indicator").order_by("-recorded_at")[:NEWS_SHOWN]
    rows = list(rows)
    before = _before(rows)
    names = figures.people_names(row.recorded_by_id for row in rows)
    called = figures.indicator_names((row.indicator_id for row in rows), month) if rows else {}
    return [_news(row, before, names, called) for row in rows]


def _before(rows):
    """What each figure said before: {key: numerator}."""
    keys = {(row.month, row.indicator_id, row.unit_id, row.recorded_at): row for row in rows}
    past = MeasurementPast.objects.filter(
        indicator_id__in={row.indicator_id for row in rows},
        unit_id__in={row.unit_id for row in rows},
        month__in={row.month for row in rows},
    )
    found = {(p.month, p.indicator_id, p.unit_id, p.replaced_at): p for p in past}
    return {key: found[key] for key in keys if key in found}


def _news(row, before, names, called):
    old = before.get((row.month, row.indicator_id, row.unit_id, row.recorded_at))
    text = said(row) if old is None else f"{said(old)} → {said(row)}"
    href = wording.indicator_href(row.unit.code, row.indicator.code, row.month)
    by = names.get(row.recorded_by_id, "")
    name = called.get(row.indicator_id) or row.indicator.code
    return News(row.unit, name, href, row.month, text, by, row.recorded_at)


def said(figure) -> str:
    """What a figure says, in a few characters, with every decimal that it has."""
    if figure.state == MeasurementState.NOT_APPLICABLE:
        return gettext("not applicable")
    return " / ".join(_whole(value) for value in (figure.numerator, figure.denominator) if value is not None)


def _whole(value) -> str:
    return wording.number(value, len(f"{value:.15g}".partition(".")[2]))


# Sections ------------------------------------------------------------------------------------------------------------


def _commander(section, user, now, since):
    unit = section.unit
    reading = reading_of(user, unit)
    month = reading.month if reading else figures.latest_figure_month(unit.institution)
    section.month = month
    today = entry.today_of(now)
    if month is None:
        return
    groups = entry.grid([unit], month, today=today)
    lines = groups[0].lines if groups else []
    by = entry.due_by(lines, month)
    section.about = {
        "reading": reading,
        "lines": lines,
        "entered": sum(line.is_entered for line in lines),
        "missing": [line for line in lines if not line.is_entered],
        "due_by": by,
        "days_left": (by - today).days if by else None,
        "reported": sum(line.reported for line in reading.lines) if reading else 0,
        "due": sum(line.due for line in reading.lines) if reading else 0,
        "lights": shown_lines(reading, worst_first(reading)[:LIGHTS_SHOWN]) if reading else [],
        "news": news(unit, month, since=since, by=user),
        "is_approver": Role.APPROVER in section.roles,
        "waiting": 0,
    }
    if section.about["is_approver"]:
        section.about["waiting"] = figures.provisional_below(unit, month).count()


def _leadership(section, user, now, since):
    reading = reading_of(user, section.unit)
    if reading is None:
        return
    section.month = reading.month
    before = reading_of(user, section.unit, shifted(reading.month, -1))
    rose, fell = movers(reading, before, entry.today_of(now))
    section.about = {
        "reading": reading,
        "answer": wording.answer(reading),
        "counts": wording.counts_words(reading),
        "objectives": [(wording.objective_name(o.about), o) for o in reading.objectives if o.depth == 0],
        "rose": rose,
        "fell": fell,
        "worst": worst_children(reading),
        "prospects": [_prospect(one, reading) for one in prospects(reading, entry.today_of(now))[:PROSPECTS_SHOWN]],
    }


def _prospect(one, reading):
    """A line with its chance, what is expected and what was promised, as printed."""
    low, middle, high = (wording.number(value, 0) for value in one.found.total)
    href = wording.indicator_href(reading.unit.code, one.line.about["code"], reading.month) + "#outlook"
    target = wording.number(one.found.target, 0)
    return {
        "name": one.line.name,
        "href": href,
        "chance": chance_words(one.found.chance),
        "expected": middle,
        "interval": f"{low}–{high}",
        "target": target,
    }


def _analyst(section, user, now, since):
    """The latest month that is over: one that runs would seem to have fallen in everything."""
    reading = reading_of(user, section.unit)
    running = months.month_of(entry.today_of(now))
    if reading and reading.month >= running:
        reading = reading_of(user, section.unit, months.add_months(running, -1)) or reading
    if reading is None:
        return
    section.month = reading.month
    section.about = {"reading": reading, "moved": moved_series(reading), "series": len(reading.lines)}


def _auditor(section, user, now, since):
    section.month = figures.latest_figure_month(section.unit.institution)
    changes, _has_more = trail.read(user, trail.Asked(without_counts=True), count=NEWS_SHOWN)
    waiting = Measurement.objects.filter(is_provisional=True, unit__path__contains=[section.unit.pk])
    if section.month:
        waiting = waiting.filter(month__gte=months.add_months(section.month, -2), month__lte=section.month)
    by_month = waiting.values_list("month", "indicator__institution__short_name").annotate(n=Count("unit"))
    section.about = {"changes": changes, "waiting": list(by_month.order_by("-month", "indicator__institution__code"))}


def _administrator(section, user, now, since):
    verbs = set().union(*(VERBS[role] for role in section.roles))
    about = {"verbs": {str(verb) for verb in verbs}, "batches": None}
    below = Unit.objects.below(section.unit)
    if Permission.MANAGE_PEOPLE in verbs:
        grants = UnitUserObjectPermission.objects.filter(content_object__in=below)
        about |= grants.aggregate(grants=Count("pk"), people=Count("user", distinct=True))
        about["never"] = grants.filter(user__last_login=None).values("user").distinct().count()
    if section.unit.institution.is_state and Permission.MANAGE_PLANS in verbs:
        steps = founding.steps()
        about["steps"] = [] if all(step.is_done for step in steps) else steps
        about["steps_done"] = sum(step.is_done for step in steps)
    about["quality"] = quality(below)
    institutions = Institution.objects.filter(units__in=below.filter(ROOT)).distinct()
    marks = StaleMark.objects.filter(institution__in=institutions).aggregate(n=Count("pk"), oldest=Min("marked_at"))
    about["stale"], about["stale_since"] = marks["n"], marks["oldest"]
    if Permission.MANAGE_FEEDS in verbs:
        held = feeds_of(institutions, now=now)
        about["feeds"] = {
            "count": len(held),
            "troubled": sum(feed.is_troubled for feed in held),
            "waiting": sum(feed.waiting for feed in held),
        }
    if {Permission.MANAGE_PLANS, Permission.INTEGRATE} & verbs:
        batches = Batch.objects.select_related("by").exclude(kind__in=["entry", "approval"]).order_by("-pk")
        batches = batches.exclude(kind="events", name="")  # what feeds bring is counted again and again
        if not section.unit.institution.is_state:
            people = UnitUserObjectPermission.objects.filter(content_object__in=below).values("user_id")
            batches = batches.filter(by_id__in=people)
        about["batches"] = [loaded(batch) for batch in batches[:NEWS_SHOWN]]
    section.about = about


class Loaded(NamedTuple):
    """A load, with how many rows were new and changed."""

    batch: Batch
    created: int
    changed: int


def loaded(batch) -> Loaded:
    return Loaded(batch, batch.report.get("created") or 0, batch.report.get("changed") or 0)


class Quality(NamedTuple):
    """How much of what was due of an institution came in, in its latest month."""

    unit: Unit
    month: date
    reported: int
    due: int
    is_provisional: bool

    @property
    def percent(self):
        """Whole, and 100 only where nothing is missing."""
        return 100 * self.reported // self.due if self.due else math.nan


def quality(units) -> list[Quality]:
    """Coverage by figures of each institution whose head is among the units, in its latest month; the least first."""
    roots = list(units.filter(ROOT).select_related("institution").order_by("code"))
    latest = Card.objects.filter(unit_id__in=[root.pk for root in roots]).order_by("unit_id", "-month")
    cards = {card.unit_id: card for card in latest.distinct("unit_id").only("reported", "due", "is_provisional")}
    found = []
    for root in roots:
        card = cards.get(root.pk)
        if card is not None:
            found.append(Quality(root, card.month, sum(card.reported), sum(card.due), card.is_provisional))
    return sorted(found, key=lambda one: one.reported / one.due if one.due else math.inf)


FILLERS = {
    "commander": _commander,
    "leadership": _leadership,
    "analyst": _analyst,
    "auditor": _auditor,
    "administrator": _administrator,
}

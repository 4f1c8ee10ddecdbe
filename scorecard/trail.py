"""The trail of every change, for those who audit: the history of dimensions, and what figures and targets replaced.

Nobody reads further than the tree in which they audit: what belongs to a unit there, to an institution at its head, and
what belongs to the whole country at the State's.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from operator import itemgetter

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from pghistory.models import Context

from indicators.models import Measurement, MeasurementPast, Target, TargetPast
from scorecard import changes
from scorecard.changes import CHANGED, REMOVED, Change, FieldChange, value_words
from units.access import institutions_in
from units.models import Institution, Unit, UnitUserObjectPermission, User
from units.permissions import Permission

PAST = {"MeasurementPast": (MeasurementPast, Measurement), "TargetPast": (TargetPast, Target)}
# Where a word is looked for, by what is tracked.
SEARCHED = {
    "Institution": ("code", "name"),
    "Territory": ("code", "name"),
    "Unit": ("code", "name"),
    "UnitPeriod": ("unit__code", "unit__name"),
    "User": ("username", "last_name", "first_name"),
    "UnitUserObjectPermission": ("user__username", "user__last_name", "content_object__code"),
    "Indicator": ("code",),
    "SheetVersion": ("indicator__code", "name"),
    "Assignment": ("indicator__code", "unit__code"),
    "Plan": ("institution__code", "institution__name"),
    "Perspective": ("name", "plan__institution__code"),
    "Objective": ("what", "means", "plan__institution__code"),
    "PlanLine": ("indicator__code", "plan__institution__code"),
    "MeasurementPast": ("indicator__code", "unit__code"),
    "TargetPast": ("indicator__code", "unit__code"),
}


@dataclass
class Asked:
    """What the auditor asks for: a kind of object, words of its name, a person, days from and to, both included.

    without_counts: not the figures that were counted anew as events came in, which nobody changed.
    """

    model: str = ""
    words: str = ""
    person: User | None = None
    first: object = None
    last: object = None
    without_counts: bool = False

    @property
    def span(self):
        zone = timezone.get_current_timezone()
        start = datetime.combine(self.first, time.min, zone) if self.first else datetime.min.replace(tzinfo=UTC)
        end = datetime.combine(self.last + timedelta(days=1), time.min, zone) if self.last else None
        return start, end


@dataclass
class Scope:
    """What a person may audit."""

    user: User
    is_whole: bool = field(init=False)

    def __post_init__(self):
        self.units = Unit.objects.visible_to(self.user, Permission.AUDIT).values("pk")
        self.institutions = institutions_in(self.user, Permission.AUDIT).values("pk")
        state = Institution.objects.filter(pk__in=self.institutions, is_state=True)
        self.is_whole = self.user.is_superuser or state.exists()

    def of(self, name) -> Q | None:
        """Filter on the events of a kind; None where the person may read none of them."""
        if self.user.is_superuser:
            return Q()
        if name in ("UnitPeriod", "Assignment", *PAST):
            return Q(unit__in=self.units)
        if name == "Unit":
            return Q(pgh_obj_id__in=self.units)
        if name == "UnitUserObjectPermission":
            return Q(content_object__in=self.units)
        if name == "User":
            return Q(pgh_obj_id__in=self._people())
        if name in ("Plan", "Indicator", "Connector"):
            return Q(institution__in=self.institutions)
        if name == "SheetVersion":
            return Q(indicator__institution__in=self.institutions)
        if name in ("Perspective", "Objective", "PlanLine"):
            return Q(plan__institution__in=self.institutions)
        if name == "Institution":
            return Q(pgh_obj_id__in=self.institutions)
        return Q() if self.is_whole else None

    def _people(self):
        """People who hold a role in the units, or held one."""
        grants = UnitUserObjectPermission.pgh_event_model.objects.filter(content_object__in=self.units)
        return grants.values("user_id")


def kinds() -> list[tuple[str, str]]:
    """What may be asked for: name, and the words for it."""
    tracked = [(name, model.pgh_tracked_model._meta.verbose_name) for name, model in changes.tracked_events().items()]
    past = [(name, model._meta.verbose_name) for name, (model, _now) in PAST.items()]
    return sorted(((name, str(label)) for name, label in [*tracked, *past]), key=itemgetter(1))


def read(user, asked: Asked, *, start=0, count=50) -> tuple[list[Change], bool]:
    """Changes start..start+count-1 of what is asked, newest first, and whether there are more.

    Each kind gives its newest keys, the keys are merged, and only the rows that are shown are read whole.
    """
    scope = Scope(user)
    depth = start + count + 1
    streams = [_keys(name, model, scope, asked, depth) for name, model in _wanted(asked)]
    merged = list(heapq.merge(*streams, reverse=True))[start:depth]
    shown = merged[:count]
    by_kind = {}
    for _at, name, pk in shown:
        by_kind.setdefault(name, []).append(pk)
    found = {}
    for name, pks in by_kind.items():
        found |= _past(name, pks) if name in PAST else _events(name, pks)
    return [found[name, pk] for _at, name, pk in shown if (name, pk) in found], len(merged) > count


def _wanted(asked):
    models = {**changes.tracked_events(), **{name: past for name, (past, _now) in PAST.items()}}
    return [(name, model) for name, model in sorted(models.items()) if asked.model in ("", name)]


def _keys(name, model, scope, asked, depth):
    """(instant, kind, id), newest first."""
    allowed = scope.of(name)
    if allowed is None:
        return []
    at, pk = ("replaced_at", "pk") if name in PAST else ("pgh_created_at", "pgh_id")
    rows = model.objects.filter(allowed)
    start, end = asked.span
    if asked.first:
        rows = rows.filter(**{f"{at}__gte": start})
    if end:
        rows = rows.filter(**{f"{at}__lt": end})
    if asked.words:
        rows = rows.filter(_named(name, asked.words))
    if asked.person is not None:
        rows = rows.filter(_by(name, asked.person))
    if asked.without_counts and name == "MeasurementPast":
        rows = rows.exclude(replaced_by_id=None)
    return [(when, name, key) for when, key in rows.order_by(f"-{at}", f"-{pk}").values_list(at, pk)[:depth]]


def _named(name, words):
    found = Q(pk__in=[])
    for path in SEARCHED.get(name, ()):
        found |= Q(**{f"{path}__icontains": words})
    return found


def _by(name, person):
    if name in PAST:
        return Q(replaced_by_id=person.pk)
    return Q(pgh_context__in=Context.objects.filter(metadata__user=person.pk).values("pk"))


def _events(name, pks):
    """Events with what each replaced, in words: {(kind, id): Change}."""
    model = changes.tracked_events()[name]
    rows = changes.of_events(model, list(model.objects.filter(pgh_id__in=pks)))
    described = changes.described(rows, keep_all=True)
    return {(name, row[3].pgh_id): change for row, change in zip(rows, described, strict=True)}


# Figures and targets -------------------------------------------------------------------------------------------------


def _past(name, pks):
    """Figures or targets that were replaced, with what came after them: {(kind, id): Change}."""
    past, now = PAST[name]
    rows = list(past.objects.filter(pk__in=pks).select_related("indicator", "unit"))
    after = _following(past, now, rows)
    people = User.objects.in_bulk({row.replaced_by_id for row in rows} - {None})
    found = {}
    for row in rows:
        later = after.get(row.pk)
        by = people.get(row.replaced_by_id)
        found[name, row.pk] = Change(
            model=name,
            label=str(past._meta.verbose_name),
            name=_("%(code)s in %(unit)s, %(month)s")
            % {"code": row.indicator.code, "unit": row.unit.code, "month": value_words(row.month)},
            kind=REMOVED if later is None else CHANGED,
            fields=_said(row, later),
            at=row.replaced_at,
            by=str(by) if by else "",
            reason=row.reason,
        )
    return found


def _following(past, now, rows):
    """What replaced each past row: the next past one of its key, or what stands now; none where it was taken back."""
    keys = {(row.month, row.indicator_id, row.unit_id) for row in rows}
    parts = [{key[i] for key in keys} for i in range(3)]
    about = {"month__in": parts[0], "indicator__in": parts[1], "unit__in": parts[2]}
    later = {}
    for other in past.objects.filter(**about).order_by("pk"):
        later.setdefault((other.month, other.indicator_id, other.unit_id), []).append(other)
    standing = {(o.month, o.indicator_id, o.unit_id): o for o in now.objects.filter(**about)}
    found = {}
    for row in rows:
        key = (row.month, row.indicator_id, row.unit_id)
        follows = next((other for other in later[key] if other.pk > row.pk), None)
        # A row that was recorded after this one was replaced: between them nothing stood.
        follows = follows or standing.get(key)
        if follows is not None and follows.recorded_at <= row.replaced_at:
            found[row.pk] = follows
    return found


def _said(row, later):
    names = ("numerator", "denominator", "state", "is_provisional") if hasattr(row, "numerator") else None
    names = names or ("value", "low", "high", "baseline")
    said = []
    for name in names:
        column = row._meta.get_field(name)
        was, now = (_words(one, column) for one in (row, later))
        if was != now:
            label = str(column.verbose_name)
            said.append(FieldChange(label[:1].upper() + label[1:], was, now))
    return said


def _words(one, column):
    if one is None:
        return ""
    value = getattr(one, column.name)
    return str(dict(column.flatchoices).get(value, value)) if column.choices else value_words(value)

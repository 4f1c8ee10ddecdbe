"""What the history says, in words: who changed which object, each field as it was and as it became."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from pghistory.core import event_models
from pghistory.models import Context

from scorecard import components
from scorecard.html import current_language
from units.models import User
from units.permissions import Role

ADDED, CHANGED, REMOVED = "insert", "update", "delete"
KINDS = {
    ADDED: pgettext_lazy("a change", "added"),
    CHANGED: pgettext_lazy("a change", "changed"),
    REMOVED: pgettext_lazy("a change", "removed"),
}
HIDDEN = {"id", "path", "date_joined", "object_pk", "is_staff", "approved_at"}
# Links between objects, which their models leave without words.
LINKS = {
    "parent": gettext_lazy("stands below"),
    "institution": gettext_lazy("institution"),
    "territory": gettext_lazy("territory"),
    "unit": gettext_lazy("unit"),
    "permission": gettext_lazy("role"),
    "user": gettext_lazy("person"),
    "content_object": gettext_lazy("unit"),
    "account": gettext_lazy("account"),
    "created_by": gettext_lazy("issued by"),
    "indicator": gettext_lazy("indicator"),
    "variable": gettext_lazy("variable"),
    "category": gettext_lazy("category"),
    "source": gettext_lazy("source"),
    "plan": gettext_lazy("plan"),
    "perspective": gettext_lazy("perspective"),
    "objective": gettext_lazy("objective"),
    "approved_by": gettext_lazy("approved by"),
    "contributes_to": gettext_lazy("contributes to"),
    "responsible": gettext_lazy("responsible"),
}
# What the name of an object needs beside its own columns.
NAMED_BY = {
    "Unit": [],
    "Plan": ["institution"],
    "PlanLine": ["plan__institution", "indicator"],
    "Perspective": ["plan__institution"],
    "Objective": ["plan__institution"],
    "SheetVersion": ["indicator"],
}


@dataclass(frozen=True)
class FieldChange:
    """A field by its name, as it was and as it became; "" where it held nothing."""

    label: str
    before: str
    after: str


@dataclass
class Change:
    """One object that was added, changed or removed. `at`, `by` and `reason` are those of its last event."""

    model: str
    label: str
    name: str
    kind: str
    fields: list[FieldChange] = field(default_factory=list)
    pk: int | None = None
    at: datetime | None = None
    by: str = ""
    reason: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def kind_word(self) -> str:
        return str(KINDS[self.kind])


def tracked_events() -> dict[str, type[models.Model]]:
    """Event models by the name of what they track."""
    return {model.pgh_tracked_model.__name__: model for model in event_models()}


def in_context(context_id) -> list[Change]:
    """Everything that one transaction changed, an object once, from before it to after it."""
    found = []
    for model in tracked_events().values():
        events = list(model.objects.filter(pgh_context_id=context_id).order_by("pgh_id"))
        if events:
            found += _merged(model, events)
    return described(found)


def _merged(model, events: Sequence[models.Model]):
    """(model, state before or None, state after or None, last event) an object, of events in order."""
    by_object = defaultdict(list)
    for event in events:
        by_object[event.pgh_obj_id].append(event)
    firsts = [own[0] for own in by_object.values() if own[0].pgh_label != ADDED]
    before = previous_of(model, firsts)
    merged = []
    for own in by_object.values():
        first, last = own[0], own[-1]
        was = before.get(first.pgh_id)
        now = None if last.pgh_label == REMOVED else last
        if was is not None or now is not None:
            merged.append((model, was, now, last))
    return merged


def previous_of(model, events: Sequence[models.Model]) -> dict[int, models.Model]:
    """The event before each of these, of the same object: {pgh_id: event}. Two queries."""
    earlier = model.objects.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id")).order_by("-pgh_id")
    pairs = dict(
        model.objects.filter(pgh_id__in=[event.pgh_id for event in events])
        .annotate(earlier=Subquery(earlier.values("pgh_id")[:1]))
        .values_list("pgh_id", "earlier")
    )
    rows = model.objects.in_bulk([pk for pk in pairs.values() if pk])
    return {pk: rows[previous] for pk, previous in pairs.items() if previous}


def of_events(model, events: Sequence[models.Model]) -> list[tuple]:
    """Each event with what it replaced, as `described` takes them."""
    before = previous_of(model, [event for event in events if event.pgh_label != ADDED])
    return [(model, before.get(event.pgh_id), None if event.pgh_label == REMOVED else event, event) for event in events]


def described(rows: Iterable[tuple], *, keep_all=False) -> list[Change]:
    """Rows (event model, before, after, last event) in words; what changed nothing that people read is left out."""
    rows = list(rows)
    names = _Names(rows)
    contexts = Context.objects.in_bulk({row[3].pgh_context_id for row in rows if row[3].pgh_context_id})
    people = User.objects.in_bulk({context.metadata.get("user") for context in contexts.values()} - {None})
    found = []
    for model, before, after, last in rows:
        fields = _fields(model.pgh_tracked_model, before, after, names)
        if before is not None and after is not None and not fields and not keep_all:
            continue
        context = contexts.get(last.pgh_context_id)
        metadata = context.metadata if context else {}
        by = people.get(metadata.get("user"))
        found.append(
            Change(
                model=model.pgh_tracked_model.__name__,
                label=str(model.pgh_tracked_model._meta.verbose_name),
                name=names.of_object(model.pgh_tracked_model, after or before or last),
                kind=ADDED if before is None else REMOVED if after is None else CHANGED,
                fields=fields,
                pk=last.pgh_obj_id,
                at=last.pgh_created_at,
                by=str(by) if by else "",
                reason=metadata.get("reason") or "",
                before=_state(model, before),
                after=_state(model, after),
            )
        )
    return found


def _columns(tracked, event_model):
    kept = {f.attname for f in event_model._meta.concrete_fields}
    return [f for f in tracked._meta.concrete_fields if f.attname in kept]


def _state(event_model, event) -> dict[str, Any]:
    if event is None:
        return {}
    return {f.attname: getattr(event, f.attname) for f in _columns(event_model.pgh_tracked_model, event_model)}


def _fields(tracked, before, after, names) -> list[FieldChange]:
    changed = []
    for column in _columns(tracked, type(after or before)) if (after or before) is not None else []:
        if column.name in HIDDEN:
            continue
        was = getattr(before, column.attname) if before is not None else None
        now = getattr(after, column.attname) if after is not None else None
        if was == now or (was in (None, "") and now in (None, "")):
            continue
        label = str(LINKS.get(column.name, column.verbose_name))
        changed.append(
            FieldChange(label[:1].upper() + label[1:], names.of_value(column, was), names.of_value(column, now))
        )
    return changed


def value_words(value: Any) -> str:
    """A value as people read it: a month by its name, a number in the reader's language, yes and no."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return date_format(localtime(value) if is_aware(value) else value, "SHORT_DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "YEAR_MONTH_FORMAT" if value.day == 1 else "DATE_FORMAT")
    if isinstance(value, float):
        places = len(f"{value:.4f}".rstrip("0").partition(".")[2])
        return components.number(value, places, current_language())
    return str(value)


class _Names:
    """Names of everything that some rows of history refer to, read in one query a model."""

    def __init__(self, rows):
        wanted = defaultdict(set)
        for model, before, after, last in rows:
            tracked = model.pgh_tracked_model
            for column in _columns(tracked, model):
                if column.is_relation:
                    for event in (before, after, last):
                        if event is not None and (pk := getattr(event, column.attname)) is not None:
                            wanted[column.related_model].add(pk)
        self.found = {
            model: model._default_manager.select_related(*NAMED_BY.get(model.__name__, [])).in_bulk(list(pks))
            for model, pks in wanted.items()
        }

    def related(self, column, pk):
        return self.found.get(column.related_model, {}).get(pk)

    def of_value(self, column, value) -> str:
        if value is None or value == "":
            return ""
        if column.is_relation:
            other = self.related(column, value)
            return _named(other) if other is not None else f"#{value}"
        if column.choices:
            return str(dict(column.flatchoices).get(value, value))
        return value_words(value)

    def of_object(self, tracked, event) -> str:
        """The name of an object from a row of its history, which may be all that is left of it."""
        one = tracked(**{f.attname: getattr(event, f.attname) for f in _columns(tracked, type(event))})
        for column in tracked._meta.concrete_fields:
            if column.is_relation and (other := self.related(column, getattr(one, column.attname, None))) is not None:
                setattr(one, column.name, other)
        return _named(one)


def _named(one: models.Model) -> str:
    """An object by the name people know it by: codes before names, since names repeat."""
    name = type(one).__name__
    if name in _NAMES:
        return _NAMES[name](one)
    if hasattr(one, "code") and hasattr(one, "local_name"):
        return f"{one.code} {one.local_name}"
    return str(one)


def _of(one, relation):
    """A relation of a row of history; empty where the other end is gone."""
    other = one._state.fields_cache.get(relation)
    return _named(other) if other is not None else f"#{getattr(one, relation + '_id')}"


_NAMES = {
    "Institution": lambda one: one.local_name,
    "UnitPeriod": lambda one: _of(one, "unit"),
    "UnitUserObjectPermission": lambda one: (
        _("%(user)s in %(unit)s")
        % {
            "user": _of(one, "user"),
            "unit": _of(one, "content_object"),
        }
    ),
    "Permission": lambda one: (
        str(Role(one.codename.removeprefix("hold_")).label) if one.codename.startswith("hold_") else one.name
    ),
    "Indicator": lambda one: one.code,
    "SheetVersion": lambda one: _("%(code)s, version %(n)s") % {"code": _of(one, "indicator"), "n": one.version},
    "Assignment": lambda one: _("%(code)s in %(unit)s") % {"code": _of(one, "indicator"), "unit": _of(one, "unit")},
    "Plan": lambda one: f"{_of(one, 'institution')} {one.year}",
    "PlanLine": lambda one: f"{_of(one, 'indicator')} · {_of(one, 'plan')}",
    "Perspective": lambda one: f"{one.local_name} · {_of(one, 'plan')}",
    "Objective": lambda one: f"{one} · {_of(one, 'plan')}",
    "User": lambda one: f"{one.get_full_name()} ({one.username})" if one.get_full_name() else one.username,
}

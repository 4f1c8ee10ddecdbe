"""What a change does, before it is saved: it is carried out in a transaction, described, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pghistory
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from indicators.models import Indicator, StaleMark, Target, TargetPast
from scorecard import changes
from scorecard.changes import Change, value_words
from scorecard.preview_effects import access_words, figures_touched, orphan_words, orphans_of
from scorecard.preview_lights import LightChange, changed_lights, lights_recomputed
from scorecard.refresh import figures_span
from units.models import Institution, Unit, UnitPeriod

SHOWN = 60  # rows of a kind on the page; the rest are counted


@dataclass(frozen=True)
class TargetChange:
    """The target of a month, as it is and as it would be."""

    indicator: str
    unit: str
    month: str
    before: str
    after: str


@dataclass(frozen=True)
class Recomputed:
    """Cards of an institution that are computed again: from a month on, so many of them."""

    institution: str
    from_month: date
    cards: int


@dataclass
class Preview:
    """What a change would do. `result` is what the action returned; it stands on nothing any more."""

    result: Any = None
    changes: list[Change] = field(default_factory=list)
    targets: list[TargetChange] = field(default_factory=list)
    recomputed: list[Recomputed] = field(default_factory=list)
    access: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    lights: list[LightChange] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.changes or self.targets)

    @property
    def shown_changes(self) -> list[Change]:
        return self.changes[:SHOWN]

    @property
    def more_changes(self) -> int:
        return max(0, len(self.changes) - SHOWN)

    @property
    def shown_targets(self) -> list[TargetChange]:
        return self.targets[:SHOWN]

    @property
    def more_targets(self) -> int:
        return max(0, len(self.targets) - SHOWN)

    @property
    def shown_lights(self) -> list[LightChange]:
        return self.lights[:SHOWN]

    @property
    def more_lights(self) -> int:
        return max(0, len(self.lights) - SHOWN)

    @property
    def sentence(self) -> str:
        """The whole of it in one sentence."""
        if self.is_nothing:
            return _("Nothing would change: all of this stands as it is already.")
        parts = []
        if self.changes:
            count = len(self.changes)
            parts.append(ngettext("%(n)s entry changes", "%(n)s entries change", count) % {"n": count})
        if self.targets:
            count = len(self.targets)
            parts.append(ngettext("%(n)s target changes", "%(n)s targets change", count) % {"n": count})
        cards = sum(item.cards for item in self.recomputed)
        if cards:
            shown = value_words(float(cards))
            parts.append(
                ngettext("%(n)s card is computed again", "%(n)s cards are computed again", cards) % {"n": shown}
            )
        if self.lights:
            count = len(self.lights)
            parts.append(ngettext("%(n)s light changes", "%(n)s lights change", count) % {"n": count})
        return ", ".join(parts) + "."


def preview(action: Callable[..., Any], *, now: datetime) -> Preview:
    """Carry out `action(now=now)`, say what it did, take it back. Its ValidationErrors are raised as they are.

    What it wrote is told by the history's context and by `now`, the instant that its figures, targets and marks carry.
    """
    found = Preview()
    with transaction.atomic(), pghistory.context(preview=True) as context:
        here = transaction.savepoint()
        found.result = action(now=now)
        connection.check_constraints()
        found.changes = changes.in_context(context.id)
        marks = list(StaleMark.objects.filter(marked_at=now).select_related("institution"))
        found.targets = _targets(marks, now)
        found.recomputed = _recomputed(marks)
        found.access = access_words(found.changes)
        touched = figures_touched(found.changes)
        orphans = orphans_of(touched)
        lights = lights_recomputed(marks, now)
        transaction.savepoint_rollback(here)
        found.orphans = orphan_words(orphans, orphans_of(touched) if any(orphans.values()) else {})
        found.lights = changed_lights(lights)
        transaction.set_rollback(True)
    return found


# Targets -------------------------------------------------------------------------------------------------------------


def _promise(row) -> str:
    if row is None:
        return ""
    if row.low is not None or row.high is not None:
        return f"{value_words(row.low) or '…'} – {value_words(row.high) or '…'}"
    return value_words(row.value)


def _targets(marks, now) -> list[TargetChange]:
    """Targets written at this instant, with what they replace."""
    months, indicators = {m.month for m in marks}, {m.indicator_id for m in marks if m.indicator_id}
    if not indicators:
        return []
    new = {
        (t.month, t.indicator_id, t.unit_id): t
        for t in Target.objects.filter(month__in=months, indicator__in=indicators, recorded_at=now)
    }
    old = {(t.month, t.indicator_id, t.unit_id): t for t in TargetPast.objects.filter(replaced_at=now)}
    codes = dict(Indicator.objects.filter(pk__in={k[1] for k in new.keys() | old.keys()}).values_list("pk", "code"))
    units = Unit.objects.in_bulk({k[2] for k in new.keys() | old.keys()})
    rows = []
    for key in sorted(new.keys() | old.keys(), key=lambda k: (codes[k[1]], units[k[2]].code, k[0])):
        month, indicator, unit = key
        said = _promise(old.get(key)), _promise(new.get(key))
        rows.append(TargetChange(codes[indicator], f"{units[unit].code} {units[unit]}", value_words(month), *said))
    return rows


# Cards ---------------------------------------------------------------------------------------------------------------


def _recomputed(marks) -> list[Recomputed]:
    """How many cards each institution's marks reach: from the mark's month to its year's end, as far as figures go."""
    span = figures_span()
    if span is None:
        return []
    first = {}
    for mark in marks:
        key = (mark.institution, mark.month.year)
        first[key] = min(mark.month, first.get(key, mark.month))
    found = {}
    for (institution, year), month in first.items():
        last = min(date(year, 12, 1), span[1])
        start, cards = found.get(institution, (month, 0))
        found[institution] = (min(start, month), cards + _cards(institution, month, last))
    return [Recomputed(i.local_name, *found[i]) for i in sorted(found, key=lambda i: i.code) if found[i][1]]


def _cards(institution: Institution, first: date, last: date) -> int:
    """Cards, one a unit and month, of an institution from one month to another, both included."""
    periods = UnitPeriod.objects.filter(institution=institution, from_month__lte=last).values_list(
        "from_month", "to_month"
    )
    count = 0
    for start, end in periods:
        begin = _ordinal(max(start, first))
        count += max(0, min(_ordinal(end) if end else 1 << 30, _ordinal(last) + 1) - begin)
    return count


def _ordinal(month: date) -> int:
    return month.year * 12 + month.month

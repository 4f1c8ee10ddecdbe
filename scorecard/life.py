"""The life of a figure: who said it, when, from what, and what it said before; the same of its target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from indicators.models import (
    Batch,
    Indicator,
    Measurement,
    MeasurementPast,
    MeasurementState,
    SheetVersion,
    Target,
    TargetPast,
)
from scorecard.components import number
from scorecard.html import current_language
from units.models import Unit, UnitPeriod, User


@dataclass
class Event:
    """One thing that was said, as the component draws it."""

    at: str
    datetime: str
    what: str
    who: str = ""
    detail: str = ""
    is_current: bool = False


@dataclass
class Life:
    """A figure's events and its target's, the latest first; is_own where the unit itself said something."""

    figure: list[Event]
    target: list[Event]

    @property
    def is_own(self) -> bool:
        return bool(self.figure)


def owners_unit(unit: Unit, indicator: Indicator, month: date) -> Unit | None:
    """The unit that answers for the indicator: itself, or the owner's that covers the same place that month."""
    if indicator.institution_id == unit.institution_id:
        return unit
    stands = Q(from_month__lte=month) & (Q(to_month=None) | Q(to_month__gt=month))
    place = UnitPeriod.objects.filter(stands, unit=unit).values("territory_id")
    period = UnitPeriod.objects.filter(stands, institution=indicator.institution_id, territory_id__in=place)
    found = period.select_related("unit").first()
    return found.unit if found else None


def life_of(unit: Unit, indicator: Indicator, month: date, sheet: SheetVersion | None) -> Life:
    """Six questions, however long the life."""
    key = {"month": month, "indicator": indicator, "unit": unit}
    figures = [
        *Measurement.objects.filter(**key),
        *MeasurementPast.objects.filter(**key).order_by("-replaced_at", "-pk"),
    ]
    targets = [*Target.objects.filter(**key), *TargetPast.objects.filter(**key).order_by("-replaced_at", "-pk")]
    rows = [*figures, *targets]
    people = User.objects.in_bulk({pk for row in rows for pk in _people(row) if pk})
    batches = Batch.objects.in_bulk({row.batch_id for row in rows if row.batch_id})
    decimals = sheet.decimals if sheet else None
    return Life(
        [_event(row, _figure_words(row, decimals), people, batches) for row in figures],
        [_event(row, _target_words(row, decimals), people, batches) for row in targets],
    )


def _people(row: Any) -> tuple[int | None, ...]:
    return row.recorded_by_id, getattr(row, "replaced_by_id", None)


def _said(value: float | None, decimals: int | None) -> str:
    return number(value, decimals, current_language())


def _figure_words(row: Any, decimals: int | None) -> str:
    if row.state == MeasurementState.NOT_APPLICABLE:
        return _("not applicable")
    text = _said(row.numerator, None)
    if row.denominator is not None:
        text = _("%(numerator)s over %(denominator)s") % {
            "numerator": text,
            "denominator": _said(row.denominator, None),
        }
    return f"{text} ({_('provisional')})" if row.is_provisional else text


def _target_words(row: Any, decimals: int | None) -> str:
    if row.low is not None or row.high is not None:
        words = _("target from %(low)s to %(high)s")
        text = words % {"low": _said(row.low, decimals) or "–", "high": _said(row.high, decimals) or "–"}
    else:
        text = _("target %(value)s") % {"value": _said(row.value, decimals) or "–"}
    if row.baseline is not None:
        text += ", " + _("baseline %(value)s") % {"value": _said(row.baseline, decimals)}
    return text


def _event(row: Any, what: str, people: dict, batches: dict) -> Event:
    at = localtime(row.recorded_at)
    who, batch = people.get(row.recorded_by_id), batches.get(row.batch_id)
    details = []
    if batch is not None:
        kind = f"{batch.kind_words} {batch.name}".strip()
        details.append(_("batch %(number)s: %(what)s") % {"number": batch.pk, "what": kind})
        if batch.is_simulated:
            details.append(_("simulated"))
    elif getattr(row, "source", ""):
        details.append(_("source: %(source)s") % {"source": Batch.KINDS.get(row.source, row.source)})
    replaced_at = getattr(row, "replaced_at", None)
    if replaced_at is not None:
        until = {
            "at": date_format(localtime(replaced_at), "SHORT_DATETIME_FORMAT"),
            "who": people.get(row.replaced_by_id),
        }
        details.append(_("replaced on %(at)s by %(who)s") % until if until["who"] else _("replaced on %(at)s") % until)
        if row.reason:
            details.append(row.reason)
    return Event(
        at=date_format(at, "SHORT_DATETIME_FORMAT"),
        datetime=at.isoformat(timespec="seconds"),
        what=what,
        who=str(who) if who else "",
        detail=" · ".join(details),
        is_current=replaced_at is None,
    )

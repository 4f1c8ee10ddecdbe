"""What a person expects of a year's target, beside the model's forecast and never mixed with it."""

from __future__ import annotations

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from scorecard.models import Judgement, Outlook

LEAST_REASON = 10  # letters: a reason that says something
SHOWN = 10


def judge(*, by, unit, indicator, month: date, outlook: int, reason: str, now: datetime) -> Judgement:
    """Say what one expects of the month's year, and why. What was said before stays."""
    reason = " ".join(reason.split())
    if len(reason) < LEAST_REASON:
        raise ValidationError({"reason": _("Say why, in a few words: the next reader has only this.")})
    if outlook not in Outlook.values:
        raise ValidationError({"outlook": _("Choose one of the four.")})
    return Judgement.objects.create(
        by=by, unit=unit, indicator=indicator, year=month.year, outlook=outlook, reason=reason[:500], at=now
    )


def judgements_of(unit, indicator, year: int) -> list[Judgement]:
    """What was said of the year, the latest first. One question."""
    found = Judgement.objects.filter(unit=unit, indicator=indicator, year=year).select_related("by")
    return list(found[:SHOWN])

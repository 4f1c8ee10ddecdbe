"""An indicator sheet in words: every field of it, and the formula by which its light comes about."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from indicators.codes import Rule, Sense
from indicators.models import Denominator, SheetVersion
from scorecard import wording

Items = list[tuple[str, str]]


def attainment_words(sheet: SheetVersion) -> str:
    """How attainment is computed, for the sheet's direction; v actual, m target, b baseline, T tolerance."""
    return {
        Sense.HIGHER: _("100 v / m"),
        Sense.LOWER: _("100 (2 - v / m); with a target of 0: 100 if v is 0, else 0"),
        Sense.LOWER_INVERSE: _("100 m / v, at most 200"),
        Sense.IMPROVE_HIGHER: _("100 (v - b) / (m - b) where m is above b; otherwise 100 v / m"),
        Sense.IMPROVE_LOWER: _("100 (v - b) / (m - b) where m is below b; otherwise 100 (2 - v / m)"),
        Sense.WITHIN: _("100 inside the range, bounds included; outside 100 (1 - distance / T), at least 0"),
        Sense.MILESTONE: _("done: 100; due and not done: 0; before its date: not applicable"),
    }[Sense(sheet.sense)]


def value_words(sheet: SheetVersion) -> str:
    """How the value is computed."""
    if sheet.formula:
        return sheet.formula
    if sheet.denominator_kind == Denominator.NONE:
        return sheet.numerator
    if Rule.WEIGHTED_MEAN in (sheet.over_units, sheet.over_time):
        return _("%(numerator)s, weighed by %(denominator)s") % {
            "numerator": sheet.numerator,
            "denominator": sheet.denominator,
        }
    scale = "" if sheet.scale == 1 else f"{wording.number(sheet.scale)} × "
    return f"{scale}{sheet.numerator} / {sheet.denominator}"


def _named(*pairs) -> Items:
    """Fields that say something."""
    return [(label, str(text)) for label, text in pairs if text not in ("", None)]


def definition(sheet: SheetVersion) -> Items:
    """What is measured, and where it comes from."""
    return _named(
        (_("What it measures"), sheet.local_description),
        (_("Unit of measure"), sheet.local_unit_of_measure),
        (_("Formula of the value"), value_words(sheet)),
        (_("Numerator"), sheet.numerator),
        (_("Source of the numerator"), sheet.numerator_source),
        (_("Denominator"), sheet.denominator),
        (_("Kind of denominator"), sheet.get_denominator_kind_display() if sheet.denominator_kind else ""),
        (_("Source of the denominator"), sheet.denominator_source),
        (_("Hierarchy"), sheet.get_hierarchy_display()),
        (_("Behaviour"), sheet.get_behaviour_display()),
        (_("Sensitivity"), sheet.get_sensitivity_display()),
        (_("Frequency"), sheet.get_frequency_display()),
        (_("Data exist after"), _("%(days)s days") % {"days": sheet.lag_days}),
        (_("Responsible"), sheet.responsible),
        (_("Approver"), sheet.approver),
        (_("Evidence required"), _("yes") if sheet.evidence_required else _("no")),
        (_("Entered by hand"), _("yes") if sheet.is_entered else _("no")),
    )


def scoring(sheet: SheetVersion) -> Items:
    """How its light comes about."""
    denominator = bool(sheet.denominator_kind)
    return _named(
        (_("Direction"), sheet.get_sense_display()),
        (_("Attainment, %"), attainment_words(sheet)),
        (_("Tolerance T"), "" if sheet.tolerance is None else wording.number(sheet.tolerance, sheet.decimals)),
        (_("Light by"), sheet.get_light_by_display()),
        (_("Roll-up over units"), sheet.get_over_units_display()),
        (_("Roll-up over time"), sheet.get_over_time_display()),
        (_("Denominator over units"), sheet.get_denominator_over_units_display() if denominator else ""),
        (_("Denominator over time"), sheet.get_denominator_over_time_display() if denominator else ""),
        (_("Count of events"), _("yes") if sheet.is_count else _("no")),
        (_("Accumulation over years"), sheet.get_accumulation_display() if sheet.accumulation else ""),
        (_("Baseline"), _baseline(sheet)),
    )


def _baseline(sheet: SheetVersion) -> str:
    if sheet.baseline_value is None:
        because = sheet.baseline_none_because
        return _("none, because: %(why)s") % {"why": because} if because else _("none")
    parts = [wording.number(sheet.baseline_value, sheet.decimals)]
    if sheet.baseline_on:
        parts.append(wording.month_name(sheet.baseline_on))
    return ", ".join([*parts, *filter(None, [sheet.baseline_source])])


def versions(sheets: list[SheetVersion], current: SheetVersion) -> list[tuple[str, str, bool]]:
    """(version, from when to when, whether it is the one shown), the latest first."""
    return [(str(sheet.version), span(sheet), sheet.pk == current.pk) for sheet in reversed(sheets)]


def span(sheet: SheetVersion) -> str:
    """The months in which a version holds."""
    start = date_format(sheet.valid_from, "YEAR_MONTH_FORMAT")
    if sheet.valid_to is None:
        return _("from %(start)s") % {"start": start}
    end = date_format(sheet.valid_to, "YEAR_MONTH_FORMAT")
    return _("from %(start)s until %(end)s, not included") % {"start": start, "end": end}

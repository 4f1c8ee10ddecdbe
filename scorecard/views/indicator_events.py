"""What an indicator's page says of the events behind it: the same days of other periods, and times by stage."""

from __future__ import annotations

import math
from datetime import date, timedelta
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incidents import rule_queries
from incidents.models import TIMED, Measure, Stage
from indicators.change import changes
from scorecard import wording
from scorecard.chance import told
from scorecard.life import owners_unit
from scorecard.models import Position
from scorecard.spread import level_of
from units.tables import Cell, Column, Table


def tables(unit, sheet, month: date, code: str) -> list[Table]:
    """The tables of an event indicator, none for others, for units that do not answer for it, and before a whole day
    of the month is over.
    """
    rule = rule_queries.rule_of(sheet.indicator, month)
    owner = rule and owners_unit(unit, sheet.indicator, month)
    last = rule_queries.last_whole_day(month, timezone.localdate())
    if owner is None or last is None:
        return []
    name = f"{unit.code} {code} {month:%Y-%m}"
    found = [_same_days(rule, owner, sheet, last, name)]
    if rule.from_stage:
        found.append(_stages(rule, owner, month, last, name))
    return found


def hotspots_href(unit, sheet, month: date) -> str:
    """Where the events that the indicator counts gather in the unit's territory; "" where it counts none."""
    rule = rule_queries.rule_of(sheet.indicator, month) if unit.territory_id else None
    if rule is None:
        return ""
    first = month.replace(year=month.year - 1) + timedelta(days=31)
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    asked = {"first": first.replace(day=1), "last": last, "category": rule.category.code}
    return f"/hotspots/{unit.code}/?{urlencode(asked)}"


def _same_days(rule, unit, sheet, last, name) -> Table:
    spans = rule_queries.same_days(rule, unit, last)
    decimals, label, scale = _figure(rule, sheet)
    labels = (_("This month"), _("Same days of the month before"), _("Same days of the year before"))
    values = [None if span.value is None else span.value * scale for span in spans]
    is_count = rule.measure not in (*TIMED, Measure.SHARE)
    rows = []
    noted = _noted(spans, unit, sheet) if is_count else []
    for n, span in enumerate(spans):
        moved = _moved(values[0], values[n], rule, is_count=is_count) if n else ""
        rows.append([Cell(labels[n], note=_days(span)), values[n], *([] if is_count else [span.of]), moved])
        if is_count:
            rows[-1] += told(*noted[n - 1]) if n else ["", ""]
    columns = [
        Column("days", _("Days")),
        Column("figure", label, "number", decimals),
        *([] if is_count else [Column("of", _of_words(rule), "number", 0)]),
        Column("change", _("This month against it"), align="right"),
        *([Column("ratio", _("Ratio"), say=str), Column("says", _("Beyond chance"))] if is_count else []),
    ]
    notes = [
        (_("Counted"), _rule_words(rule)),
        (_("Base"), _("the same days, whole days only; the base is in the row")),
    ]
    if is_count:
        text = _("ratio of rates with its 99 % interval: exact (mid-p), widened by the unit's own dispersion")
        notes.append((_("Change"), text))
    return Table(_("Same days"), columns, rows, notes, id="same-days", name=f"{name} same-days")


def _moved(now: float | None, before: float | None, rule, *, is_count: bool) -> str:
    if now is None or before is None:
        return ""
    return wording.changed(now, before, wording.PERCENT if rule.measure == Measure.SHARE else "", is_count=is_count)


def _noted(spans, unit, sheet) -> list[tuple[float, float, float, bool]]:
    """(ratio, low, high, more than chance) of this month's days against each other span, days being the exposure."""
    month = spans[0].first
    place = Position.objects.filter(institution=unit.institution_id, indicator=sheet.indicator_id).first()
    if place is None:
        return [(math.nan, math.nan, math.nan, False)] * (len(spans) - 1)
    spread = level_of(unit, month, timezone.localdate()).of(unit.pk, [place.position])
    counts = [math.nan if span.value is None else span.value for span in spans]
    days = [(span.last - span.first).days + 1 for span in spans]
    found = changes(counts[0], counts[1:], days[0], days[1:], dispersion=spread)
    return [
        (*ends, bool(said)) for *ends, said in zip(found.ratio, found.low, found.high, found.is_distinct, strict=True)
    ]


def _figure(rule, sheet):
    """Decimals, heading and factor of the figures."""
    if rule.measure in TIMED:
        return 1, _("Minutes"), 1.0
    if rule.measure == Measure.SHARE:
        return max(1, sheet.decimals), sheet.local_unit_of_measure, sheet.scale
    return 0, rule.get_measure_display(), 1.0


def _of_words(rule):
    return _("Events with both times") if rule.measure in TIMED else _("Out of")


def _days(span) -> str:
    if span.first == span.last:
        return date_format(span.first, "SHORT_DATE_FORMAT")
    said = {"first": date_format(span.first, "SHORT_DATE_FORMAT"), "last": date_format(span.last, "SHORT_DATE_FORMAT")}
    return _("%(first)s to %(last)s") % said


def _rule_words(rule) -> str:
    said = {"measure": rule.get_measure_display(), "category": rule.category.local_name}
    if rule.source_id:
        return _("%(measure)s: %(category)s, by %(source)s") % {**said, "source": rule.source.local_name}
    return "{measure}: {category}".format(**said)


def _stages(rule, unit, month, last, name) -> Table:
    words = dict(Stage.choices)
    rows = []
    for times in rule_queries.stages(rule, unit, month, last + timedelta(days=1)):
        span = _("from %(from)s to %(to)s") % {"from": words[times.from_stage], "to": words[times.to_stage]}
        is_own = (times.from_stage, times.to_stage) == (rule.from_stage, rule.to_stage)
        note = _("what this indicator measures") if is_own else ""
        missing = None if times.missing is None else 100 * times.missing
        rows.append([Cell(span, note=note), times.median, times.p90, times.n, missing])
    columns = [
        Column("stage", _("Stage")),
        Column("median", _("Median"), "number", 1, unit=_("minutes")),
        Column("p90", _("90th percentile"), "number", 1, unit=_("minutes")),
        Column("n", _("Events with both times"), "number", 0),
        Column("missing", _("Without them"), "percent", 1),
    ]
    note = _("Events that do not state both times are left out of the median, and counted in the last column.")
    return Table(
        _("Response times by stage"), columns, rows, [(_("Counted"), note)],
        id="stages", name=f"{name} stages", method=note,
    )  # fmt: skip

"""The trajectory as a page says it: the sentence, the chart with its table, the model and how it has done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from indicators.months import months_of_year
from scorecard import judgements, wording
from scorecard.components import Chart, Series
from scorecard.html import current_language
from scorecard.trajectory import HIGHER, LOWER, Asked, Trajectory, is_forecast, last_whole, panel_of, targets_of
from scorecard.trajectory import trajectory as computed
from units.permissions import Permission, can

SURE = 0.01  # chances nearer to 0 or 1 than this are not told apart: the model does not know that well


@dataclass
class Outlook:
    """What the section shows. sentence is the answer; rows are figures by name; method is printed below."""

    sentence: str
    rows: list[tuple[str, str]]
    chart: Chart | None
    method: list[tuple[str, str]]
    judgements: list[Any]
    judge_href: str
    year: int


def outlook_of(user, unit, owner, sheet, position: int | None, month: date, today: date) -> Outlook | None:
    """The section of an indicator's page; None for what is no count of events. At most five questions."""
    if position is None or owner is None or not is_forecast(sheet):
        return None
    last = last_whole(month, today)
    found = None
    if last.year == month.year and (panel := panel_of(unit, last, position + 1, position + 1)):
        targets = targets_of(owner, sheet.indicator, month.year)
        found = computed(panel, Asked(sheet.sense, targets))
    href = reverse("judgement", args=[unit.code, sheet.indicator.code]) + f"?month={month:%Y-%m}"
    return Outlook(
        sentence(found, sheet, month.year),
        _rows(found, sheet) if found else [],
        _chart(found, sheet, month.year) if found else None,
        method(found) if found else [],
        judgements.judgements_of(unit, sheet.indicator, month.year),
        href if can(user, Permission.ENTER, unit) else "",
        month.year,
    )


def sentence(found: Trajectory | None, sheet: Any, year: int) -> str:
    """Whether the year's target will be met, in one sentence."""
    if found is None:
        return _("A forecast appears after the year's first whole month with a figure.")
    low, middle, high = (whole(value) for value in found.total)
    said = {"year": year, "low": low, "middle": middle, "high": high, "unit": sheet.local_unit_of_measure}
    if found.months_left == 0:
        return _("%(year)s ended with %(middle)s %(unit)s.") % said
    first = _("%(year)s is expected to end with %(middle)s %(unit)s (80 %% interval: %(low)s to %(high)s).") % said
    if math.isnan(found.chance):
        return first
    said |= {"target": whole(found.target), "chance": chance_words(found.chance)}
    return first + " " + _("Chance of meeting the target of %(target)s: %(chance)s.") % said


def whole(value: float) -> str:
    return wording.number(value, 0)


def chance_words(chance: float) -> str:
    """A chance as printed: never surer than the model can be."""
    if math.isnan(chance):
        return ""
    if chance < SURE:
        return _("below %(share)s") % {"share": wording.percent(100 * SURE)}
    if chance > 1 - SURE:
        return _("above %(share)s") % {"share": wording.percent(100 * (1 - SURE))}
    return wording.percent(100 * chance)


def _rows(found: Trajectory, sheet: Any) -> list[tuple[str, str]]:
    rows = [(_("So far this year"), whole(found.actual[found.last.month - 1]))]
    if found.against is not None:
        rows.append((_("Last year to the same month"), f"{whole(found.before)} ({_against(found.against)})"))
    if found.months_left:
        rows.append((_("A month so far"), wording.number(found.pace, 1)))
    if not math.isnan(found.target) and found.months_left:
        rows.insert(0, (_("Promised by the year's end"), whole(found.target)))
        rows.append((_("A month from now on to meet it"), _needed(found, sheet)))
    if found.missing:
        rows.append((_("Forecast as well: no figure"), ", ".join(wording.short_month(m) for m in found.missing)))
    return rows


def _against(found: Any) -> str:
    """The change to date with its interval, at the level of one of twelve looks."""
    if math.isnan(found.ratio):
        return _("nothing to compare")
    ends = ["∞" if math.isinf(end) else wording.number(float(end), 2) for end in (found.low, found.high)]
    said = {"ratio": "∞" if math.isinf(found.ratio) else wording.number(float(found.ratio), 2), "ends": "–".join(ends)}
    if found.is_distinct:
        return _("now %(ratio)s times, interval %(ends)s: more than chance") % said
    return _("now %(ratio)s times, interval %(ends)s: not distinguishable from chance") % said


def _needed(found: Trajectory, sheet: Any) -> str:
    said = {"figure": wording.number(max(found.needed, 0.0), 1)}
    if sheet.sense in LOWER:
        return _("out of reach: already exceeded") if found.needed < 0 else _("at most %(figure)s") % said
    if sheet.sense in HIGHER:
        return _("already met") if found.needed <= 0 else _("at least %(figure)s") % said
    return said["figure"]


def _chart(found: Trajectory, sheet: Any, year: int) -> Chart:
    months = months_of_year(year)
    series = [
        Series(_("80 % interval, lower end"), found.low, "low"),
        Series(_("80 % interval, upper end"), found.high, "high"),
        Series(_("Promised path"), found.promised, "target"),
        Series(_("Expected"), found.middle, "before"),
        Series(_("Actual"), found.actual),
    ]
    return Chart(
        id="trajectory",
        title=_("Added up from January: promised, actual, and expected to the year's end"),
        x=[month.isoformat() for month in months],
        labels=[wording.short_month(month) for month in months],
        series=series,
        unit=sheet.local_unit_of_measure,
        decimals=0,
    )


def method(found: Trajectory) -> list[tuple[str, str]]:
    """The model, by what it was calibrated, and how earlier years fitted."""
    known = found.calibration
    memory = wording.number(known.memory, 1)
    units = ngettext("%(n)s unit of the same level", "%(n)s units of the same level", found.units)
    if found.units > 1:
        model = _("counts with a level that borrows from %(units)s and from the longer past; memory %(months)s months")
    else:
        model = _("counts with a level that borrows from the longer past; memory %(months)s months")
    items = [(_("Model"), model % {"units": units % {"n": found.units}, "months": memory})]
    if not known.years:
        items.append((_("Calibration"), _("none yet: no earlier year is whole; the usual width stands")))
        return items
    years = ngettext("%(n)s earlier year", "%(n)s earlier years", known.years) % {"n": known.years}
    said = {"years": years, "cells": known.cells, "share": wording.percent(100 * found.share)}
    text = _("on %(years)s (%(cells)s totals) forecast from as many months")
    if not math.isnan(found.share):
        text = _(
            "on %(years)s (%(cells)s totals) forecast from as many months; %(share)s fell within the 80 %% interval "
            "that the other years gave"
        )
    items.append((_("Calibration"), text % said))
    off = _("all totals together came out %(factor)s times the forecast, corrected by as much")
    items.append((_("Common error"), off % {"factor": _factor(known.factor)}))
    return items


def _factor(value: float) -> str:
    return f"{value:.2f}".replace(".", "," if current_language() == "es" else ".")

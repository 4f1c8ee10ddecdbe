"""The trajectory as a page says it: the sentence, the chart with its table, the model and how it has done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from indicators.codes import Sense
from indicators.forecast.measure import Way
from indicators.months import measurement_months, months_of_year, same_month_last_year
from scorecard import judgements, wording
from scorecard.components import Chart, Series
from scorecard.expected import DONE, EARLY, HIGHEST, MONTHS, SHORT, trajectory_of
from scorecard.html import current_language
from scorecard.promised import HIGHER, LOWER, adds_up, is_rate
from scorecard.trajectory import Trajectory, is_counted, last_whole
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
    """The section of an indicator's page; None where it is not due of the unit. At most seven questions."""
    if position is None or owner is None:
        return None
    found = trajectory_of(unit, owner, sheet, position, month, last_whole(month, today))
    href = reverse("judgement", args=[unit.code, sheet.indicator.code]) + f"?month={month:%Y-%m}"
    return Outlook(
        sentence(found, sheet, month.year),
        _rows(found, sheet),
        _chart(found, sheet, month.year) if _is_drawn(found) else None,
        method(found, sheet) if found.calibration else [],
        judgements.judgements_of(unit, sheet.indicator, month.year),
        href if can(user, Permission.ENTER, unit) else "",
        month.year,
    )


def sentence(found: Trajectory, sheet: Any, year: int) -> str:
    """Whether the year's target will be met, in one sentence."""
    if not found.is_foretold:
        return _why_not(found)
    low, middle, high = (figure(value, sheet) for value in found.total)
    said = {"year": year, "low": low, "middle": middle, "high": high, "unit": sheet.local_unit_of_measure}
    if found.months_left == 0:
        return _("%(year)s ended with %(middle)s %(unit)s.") % said
    if math.isnan(found.low[-1]):
        first = _("%(year)s is expected to end with %(middle)s %(unit)s.") % said
        return first + " " + _("Neither interval nor chance is given: earlier years do not bear one out.")
    first = _("%(year)s is expected to end with %(middle)s %(unit)s (80 %% interval: %(low)s to %(high)s).") % said
    if math.isnan(found.chance):
        return first
    said |= {"target": _promised(found, sheet), "chance": chance_words(found.chance)}
    return first + " " + _("Chance of meeting the target of %(target)s: %(chance)s.") % said


def _why_not(found: Trajectory) -> str:
    return {
        EARLY: _("A forecast appears after the year's first whole month with a figure."),
        SHORT: _("No forecast: too few earlier years are known to say how far off one may be."),
        MONTHS: _("No forecast: the sheet has no rule over months, so each month stands alone against its target."),
        HIGHEST: _("No forecast: the year's figure is its highest month, which one month alone may decide."),
        DONE: _("No forecast: a milestone is done or not done by its date."),
    }[found.why_not or EARLY]


def decimals_of(sheet: Any) -> int:
    """Decimals of the year's figure: none of a count of events."""
    return 0 if is_counted(sheet) and not is_rate(sheet) else sheet.decimals


def figure(value: float, sheet: Any) -> str:
    return wording.number(value, decimals_of(sheet))


def _promised(found: Trajectory, sheet: Any) -> str:
    """The year's target as printed; of a range both ends, an open one as such."""
    goal = found.goal
    if sheet.sense != Sense.WITHIN:
        return figure(goal.target, sheet)
    if math.isnan(goal.high):
        return _("at least %(figure)s") % {"figure": figure(goal.target, sheet)}
    if math.isnan(goal.target):
        return _("at most %(figure)s") % {"figure": figure(goal.high, sheet)}
    return f"{figure(goal.target, sheet)}–{figure(goal.high, sheet)}"


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
    rows, has_target = [], not (math.isnan(found.goal.target) and math.isnan(found.goal.high))
    if has_target:
        rows.append((_("Promised by the year's end"), _promised(found, sheet)))
    if not math.isnan(found.so_far):
        rows.append((_to(found.last), figure(found.so_far, sheet)))
    if found.against is not None:
        rows.append(
            (_to(same_month_last_year(found.last)), f"{figure(found.before, sheet)} ({_against(found.against)})")
        )
    if found.months_left and not math.isnan(found.pace):
        rows.append((_("A month so far"), _monthly(found.pace, found, sheet)))
    if has_target and found.months_left and (needed := _needed(found, sheet)):
        rows.append((_("A month from now on to meet it"), needed))
    if found.missing:
        rows.append((_("Forecast as well: no figure"), ", ".join(wording.short_month(m) for m in found.missing)))
    return rows


def _to(month: date) -> str:
    """The months of a year until this one, in words: a month that still runs is not among them."""
    return _("January to %(month)s") % {"month": wording.month_name(month)}


def _monthly(value: float, found: Trajectory, sheet: Any) -> str:
    """A month's figure; of a rate, the events that it is as well."""
    said = wording.number(value, sheet.decimals if is_rate(sheet) else max(1, sheet.decimals))
    if not is_rate(sheet):
        return said
    events = wording.number(value / found.events, 1)
    return _("%(figure)s, which is %(events)s events") % {"figure": said, "events": events}


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
    if sheet.sense == Sense.WITHIN:
        ends = [value for value in (found.needed, found.needed_high) if not math.isnan(value)]
        return "–".join(_monthly(max(value, 0.0), found, sheet) for value in ends)
    if math.isnan(found.needed):
        return ""
    said = {"figure": _monthly(max(found.needed, 0.0), found, sheet)}
    if sheet.sense in LOWER:
        return _("out of reach: already exceeded") if found.needed < 0 else _("at most %(figure)s") % said
    if sheet.sense in HIGHER:
        if sheet.unit_of_measure == "%" and found.needed > 100:
            return _("out of reach: above all of them")
        return _("already met") if found.needed <= 0 else _("at least %(figure)s") % said
    return said["figure"]


def _is_drawn(found: Trajectory) -> bool:
    """Whether there is anything to draw."""
    goal = found.goal
    return any(not math.isnan(v) for line in (goal.path, goal.high_path, found.actual) for v in line)


def _chart(found: Trajectory, sheet: Any, year: int) -> Chart:
    series, due = [], [n - 1 for n in measurement_months(sheet.frequency)]
    months = [months_of_year(year)[n] for n in due]
    if not math.isnan(found.low[-1]):
        series.append(Series(_("80 % interval, lower end"), found.low, "low"))
        series.append(Series(_("80 % interval, upper end"), found.high, "high"))
    if sheet.sense == Sense.WITHIN:
        series.append(Series(_("Promised path, lower end"), found.goal.path, "target"))
        series.append(Series(_("Promised path, upper end"), found.goal.high_path, "target"))
    else:
        series.append(Series(_("Promised path"), found.goal.path, "target"))
    if found.is_foretold:
        series.append(Series(_("Expected"), found.middle, "before"))
    series.append(Series(_("Actual"), found.actual))
    for one in series:
        one.values = [one.values[n] for n in due]  # a line is drawn from one due month to the next
    return Chart(
        id="trajectory",
        title=_title(found, sheet),
        x=[month.isoformat() for month in months],
        labels=[wording.short_month(month) for month in months],
        series=series,
        unit=sheet.local_unit_of_measure,
        decimals=decimals_of(sheet),
    )


def _title(found: Trajectory, sheet: Any) -> str:
    if not found.is_foretold:
        return _("The year's path: promised and actual")
    if adds_up(sheet):
        return _("Added up from January: promised, actual, and expected to the year's end")
    return _("The year's path: promised, actual, and expected to the year's end")


def method(found: Trajectory, sheet: Any) -> list[tuple[str, str]]:
    """The model, by what it was calibrated, and how earlier years fitted."""
    known = found.calibration
    if isinstance(known, Way):
        return _measured(found, known)
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


def _measured(found: Trajectory, known: Way) -> list[tuple[str, str]]:
    """The same of what is no count of events."""
    ways = {
        "three": _("months to come stand where the last ones did"),
        "date": _("months to come stand where this year's have stood so far"),
        "year": _("months to come stand at the mean of the last year"),
        "season": _("months to come stand where last year's same months did, moved as this year has moved so far"),
    }
    units = ngettext("%(n)s unit of the same level", "%(n)s units of the same level", found.units) % {"n": found.units}
    years = ngettext("%(n)s earlier year", "%(n)s earlier years", known.years) % {"n": known.years}
    said = {"years": years, "units": units, "cells": known.cells}
    text = _("on %(years)s of %(units)s (%(cells)s figures), which also chose the rule")
    if found.tested:
        said |= {"within": wording.number(found.share * found.tested, 0), "tested": found.tested}
        text = _(
            "on %(years)s of %(units)s (%(cells)s figures), which also chose the rule; %(within)s of %(tested)s fell "
            "within the 80 %% interval that the other years gave"
        )
    return [(_("Model"), ways[known.name]), (_("Calibration"), text % said)]

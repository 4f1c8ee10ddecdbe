"""Whether a gap against last year is more than chance: of counts, the month or the year to date."""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from indicators.change import LEVEL, change, look_level
from indicators.codes import Rule
from scorecard.chance import Noted, noted_of
from scorecard.queries import HISTORY, months_before, shifted
from scorecard.spread import days_of, drawn, level_of
from scorecard.why import asked as ways
from scorecard.why.gaps import Why


def noted(why: Why, today: date) -> Noted | None:
    """None of what is no count, of a month that runs, and against a target. Exposure: days of the months with a figure;
    the year to date stands at the level of its month's look.
    """
    asked, sheet, figures = why.asked, why.sheet, why.figures
    place = figures.here.position
    if asked.against != ways.LAST_YEAR or not sheet.is_count or place is None or asked.month >= today.replace(day=1):
        return None
    is_year = asked.span == ways.YEAR
    if is_year and sheet.over_time != Rule.SUM:
        return None
    now, before = (_days(why, shifted(asked.start, by), shifted(asked.month, by)) for by in (0, -HISTORY))
    past = months_before(asked.month, HISTORY)[:-1]
    own = np.array([[_value(why, month) for month in past]])
    beside = level_of(why.unit, asked.month, today).of(why.unit.pk, [place])
    spread = drawn(own, days_of(tuple(past)), beside)
    level = look_level(asked.month.month) if is_year else LEVEL
    return noted_of(change([why.actual], [why.base], now, before, dispersion=spread, level=level))[0]


def _days(why: Why, first: date, last: date) -> float:
    months = tuple(months_before(last, (last.year - first.year) * 12 + last.month - first.month))
    known = [not math.isnan(_value(why, month)) for month in months]
    return float(days_of(months) @ known) or math.nan


def _value(why: Why, month: date) -> float:
    row = why.figures.rows.get(month)
    return math.nan if row is None or row.value is None else row.value

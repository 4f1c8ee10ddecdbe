"""Whether a gap against last year is more than chance: of counts, and of counts over the population.

The month, or the year to date.
"""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from indicators.change import LEVEL, change, look_level
from indicators.codes import Rule
from scorecard.chance import Noted, noted_of
from scorecard.queries import HISTORY, months_before
from scorecard.spread import Level, days_of, drawn, level_of
from scorecard.trajectory import events_of
from scorecard.why import asked as ways
from scorecard.why.gaps import Why


def noted(why: Why, today: date) -> Noted | None:
    """None of other indicators, of a month that runs, and against a target. Exposure: days of the months with a figure,
    of a count over the population days x people; the year to date stands at the level of its month's look.
    """
    asked, sheet, place = why.asked, why.sheet, why.figures.here.position
    if asked.against != ways.LAST_YEAR or place is None or asked.month >= today.replace(day=1):
        return None
    is_year = asked.span == ways.YEAR
    level = level_of(why.unit, asked.month, today)
    if (sheet.indicator_id, sheet.version) in level.rates:
        own = _over_people(why, level)
    elif sheet.is_count and not (is_year and sheet.over_time != Rule.SUM):
        own = _counted(why)
    else:
        return None
    events, exposures = own
    now = slice(-(asked.month.month if is_year else 1), None)
    before = slice(now.start - HISTORY, -HISTORY)
    spread = drawn(events[None, -HISTORY - 1 : -1], exposures[-HISTORY - 1 : -1], level.of(why.unit.pk, [place]))
    exposed = np.where(np.isnan(events), 0, exposures)
    (x, e), (y, f) = ((np.nansum(events[span]), exposed[span].sum()) for span in (now, before))
    if not (e and f):
        return None
    at = look_level(asked.month.month) if is_year else LEVEL
    return noted_of(change([x], [y], e, f, dispersion=spread, level=at))[0]


def _counted(why: Why) -> tuple[np.ndarray, np.ndarray]:
    """Events and days of the months of two years, the last the month asked for; NaN events where there is no figure."""
    months = tuple(months_before(why.asked.month, 2 * HISTORY - 1))
    return np.array([_value(why, month) for month in months]), days_of(months)


def _over_people(why: Why, level: Level) -> tuple[np.ndarray, np.ndarray]:
    """As _counted, of a count over the population: the events behind each rate, and days x people."""
    rates, days = _counted(why)
    months = months_before(why.asked.month, 2 * HISTORY - 1)
    people = np.array([level.people.get((why.unit.pk, month.year)) or math.nan for month in months], float)
    return events_of(rates, people, why.sheet.scale), days * people


def _value(why: Why, month: date) -> float:
    row = why.figures.rows.get(month)
    return math.nan if row is None or row.value is None else row.value

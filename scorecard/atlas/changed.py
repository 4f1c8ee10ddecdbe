"""Whether the units of a split map changed from one of its months to the other by more than chance, as one list."""

from __future__ import annotations

from datetime import date

import numpy as np

from indicators.change import Change, changes, dispersion_of, drawn_to_usual, pooled
from indicators.codes import Rule
from indicators.models import SheetVersion
from scorecard.atlas.figures import Atlas, Figures
from scorecard.queries import fetch_arrays, months_before, sql
from scorecard.spread import PAST, days_of
from scorecard.trajectory import events_of


def changed(atlas: Atlas, today: date) -> Change | None:
    """Of every unit that is drawn, in their order, from the month beside to the month; None where nothing is tried.

    Of counts and of counts over the population, and where both figures are a month's or both to date; nothing of months
    that still run. Exposure is the days of the months that have a figure, of a count over the population days x people.
    Dispersion is the unit's own of three years, drawn to that of all drawn.
    """
    month, beside, figures = atlas.month, atlas.asked.beside, atlas.figures
    if beside is None or not atlas.is_counted:
        return None
    at, other = figures.at(month), figures.at(beside)
    if at is None or other is None or max(month, beside) >= today.replace(day=1):
        return None
    is_alike = figures.is_month[at] == figures.is_month[other]
    if atlas.sheet.over_time not in (Rule.SUM, Rule.RATIO):
        is_alike = is_alike & figures.is_month[at]
    past = months_before(max(month, beside), PAST)[:-1]
    events, exposures = _counted(figures, atlas.sheet, sorted({one.year for one in (month, beside, *past)}))
    (x, e), (y, f) = (_span(figures, n, events, exposures) for n in (at, other))
    places = [n for n, one in enumerate(figures.months) if one in past]
    own = dispersion_of(events[places].T, exposures[places].T)
    return changes(np.where(is_alike, x, np.nan), y, e, f, dispersion=drawn_to_usual(own, pooled(own)))


def _counted(figures: Figures, sheet: SheetVersion, years: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """(months, units): events, NaN where there is no figure, and the days, or days x people, behind them.

    years: those whose people are asked for.
    """
    values = np.where(figures.monthly >= 0, figures.monthly, np.nan)
    days = np.repeat(days_of(tuple(figures.months))[:, None], values.shape[1], axis=1)
    if sheet.is_count:
        return values, days
    of_month = np.array([month.year for month in figures.months])
    people, place = np.full(values.shape, np.nan), {unit: n for n, unit in enumerate(figures.units)}
    for row in fetch_arrays(sql("level_people"), {"units": figures.units, "years": years}):
        if row.people:
            people[of_month == row.year, place[row.unit_id]] = row.people
    return events_of(values, people, sheet.scale), days * people


def _span(figures: Figures, at: int, events: np.ndarray, exposures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each unit's events and what is behind them: of the month, or of its year's months with a figure until then."""
    month = figures.months[at]
    year = [n for n, one in enumerate(figures.months) if one.year == month.year and one <= month]
    exposed = np.where(np.isnan(events[year]), 0, exposures[year]).sum(axis=0)
    exposed = np.where((exposed > 0) & (len(year) == month.month), exposed, np.nan)
    is_month = figures.is_month[at]
    return np.where(is_month, events[at], np.nansum(events[year], axis=0)), np.where(is_month, exposures[at], exposed)

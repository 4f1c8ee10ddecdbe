"""Whether the units of a split map changed from one of its months to the other by more than chance, as one list."""

from __future__ import annotations

from datetime import date

import numpy as np

from indicators.change import Change, changes, dispersion_of, drawn_to_usual, pooled
from indicators.codes import Rule
from indicators.models import SheetVersion
from scorecard.atlas.figures import Atlas, Figures
from scorecard.queries import months_before
from scorecard.spread import PAST, days_of


def changed(atlas: Atlas, today: date) -> Change | None:
    """Of every unit that is drawn, in their order, from the month beside to the month; None where nothing is tried.

    Of counts, and where both figures are a month's or both to date; nothing of months that still run. Exposure is the
    days of the months that have a figure. Dispersion is the unit's own of three years, drawn to that of all drawn.
    """
    month, beside, figures = atlas.month, atlas.asked.beside, atlas.figures
    if beside is None or atlas.chosen is None or not atlas.chosen["is_count"]:
        return None
    at, other = figures.at(month), figures.at(beside)
    if at is None or other is None or max(month, beside) >= today.replace(day=1):
        return None
    is_alike = figures.is_month[at] == figures.is_month[other]
    if not (is_alike & figures.is_month[at]).all() and not _adds_up(atlas):
        is_alike = is_alike & figures.is_month[at]
    values = np.where(is_alike & (figures.value >= 0), figures.value, np.nan)
    spans = [_days(figures, n) for n in (at, other)]
    past = months_before(max(month, beside), PAST)[:-1]
    places = [n for n, one in enumerate(figures.months) if one in past]
    monthly = np.where(figures.monthly[places] >= 0, figures.monthly[places], np.nan).T
    own = dispersion_of(monthly, days_of(tuple(figures.months[n] for n in places)))
    return changes(values[at], values[other], *spans, dispersion=drawn_to_usual(own, pooled(own)))


def _days(figures: Figures, at: int) -> np.ndarray:
    """Days behind each unit's figure: of the month, or of its year's months with a figure; NaN where one is missing."""
    month = figures.months[at]
    year = [n for n, one in enumerate(figures.months) if one.year == month.year and one <= month]
    days = days_of(tuple(figures.months[n] for n in year))
    to_date = days @ ~np.isnan(figures.monthly[year]) if len(year) == month.month else np.nan
    return np.where(figures.is_month[at], days[-1], np.where(np.equal(to_date, 0), np.nan, to_date))


def _adds_up(atlas: Atlas) -> bool:
    about = atlas.chosen or {}
    held = SheetVersion.objects.filter(indicator=about["indicator"], version=about["version"])
    return held.filter(over_time=Rule.SUM).exists()

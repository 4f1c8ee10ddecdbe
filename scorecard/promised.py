"""What was promised for each month of a year, and the path of promises that the year to date is held against."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from indicators.codes import Rule, Sense
from indicators.models import Denominator
from indicators.months import measurement_months, months_of_year
from scorecard.queries import fetch_arrays, sql

NAN = math.nan
LOWER = {Sense.LOWER, Sense.LOWER_INVERSE, Sense.IMPROVE_LOWER}
HIGHER = {Sense.HIGHER, Sense.IMPROVE_HIGHER}
AVERAGED = {Rule.MEAN, Rule.RATIO, Rule.WEIGHTED_MEAN}


@dataclass(frozen=True)
class Asked:
    """What decides a trajectory beside the figures: which way is better, and the monthly targets of the year.

    Of a range `targets` are the lower ends and `high` the upper ones; an end that is NaN all year is open.
    """

    sense: int
    targets: list[float]
    high: list[float] = field(default_factory=lambda: [NAN] * 12)

    @property
    def is_range(self) -> bool:
        return self.sense == Sense.WITHIN


@dataclass
class Goal:
    """The year's target, and the path to it by month; of a range both ends. NaN where a month that is due has none."""

    path: list[float]
    high_path: list[float]
    target: float
    high: float

    def chance(self, sense: int, at_most, at_least) -> float:
        """The chance that the year's figure meets it, from the chances of a figure at most, and at least, so high."""
        if sense in LOWER:
            return NAN if math.isnan(self.target) else at_most(self.target)
        if sense in HIGHER:
            return NAN if math.isnan(self.target) else at_least(self.target)
        if sense != Sense.WITHIN or (math.isnan(self.target) and math.isnan(self.high)):
            return NAN
        above = 1.0 if math.isnan(self.target) else at_least(self.target)
        below = 1.0 if math.isnan(self.high) else at_most(self.high)
        return max(0.0, above + below - 1)


def is_rate(sheet: Any) -> bool:
    """Events over the year's population: months add up to the year's rate."""
    return (
        sheet.denominator_kind == Denominator.POPULATION
        and sheet.over_time == Rule.RATIO
        and sheet.denominator_over_time in (Rule.LAST, Rule.MEAN, Rule.MAX)
    )


def adds_up(sheet: Any) -> bool:
    """Whether the targets of months add up to the year's."""
    return sheet.over_time == Rule.SUM or is_rate(sheet)


# Reading -------------------------------------------------------------------------------------------------------------


def own_targets(unit, codes: list[str], year: int) -> dict[str, tuple[list[float], list[float]]]:
    """Monthly targets (or lower ends) and upper ends by indicator: those of the unit or its place. One question."""
    asked = {"months": months_of_year(year), "codes": codes, "unit": unit.pk, "territory": unit.territory_id}
    found: dict[str, tuple[list[float], list[float]]] = {code: ([NAN] * 12, [NAN] * 12) for code in codes}
    for row in fetch_arrays(sql("own_targets"), asked):
        values, high = found[row.code]
        values[row.month.month - 1] = _number(row.low if row.value is None else row.value)
        high[row.month.month - 1] = _number(row.high)
    return found


def targets_of(unit, sheet, year: int, cards: dict[int, tuple[float, float]]) -> Asked:
    """Monthly targets of the year: the unit's own, else those of the highest units below that have one.

    Counts add up. Of anything else the cards know what months so far were scored against, (target, upper end) by month;
    months to come move from there as the mean of those below does.
    """
    own, high = own_targets(unit, [sheet.indicator.code], year)[sheet.indicator.code]
    due = [n - 1 for n in measurement_months(sheet.frequency)]
    if all(not math.isnan(own[n]) or not math.isnan(high[n]) for n in due):
        return Asked(sheet.sense, own, high)
    asked = {"indicator": sheet.indicator_id, "unit": unit.pk, "months": months_of_year(year)}
    below = {row.month.month: row for row in fetch_arrays(sql("year_targets"), asked)}
    last = max((n for n in cards if n in below and not math.isnan(cards[n][0])), default=0)
    for n in due:
        if math.isnan(own[n]) and math.isnan(high[n]):
            own[n], high[n] = _derived(sheet, n + 1, below, cards, last)
    return Asked(sheet.sense, own, high)


def _derived(sheet, month: int, below, cards, last: int) -> tuple[float, float]:
    row = below.get(month)
    if sheet.over_time == Rule.SUM and sheet.over_units == Rule.SUM and sheet.sense != Sense.WITHIN:
        return (NAN, NAN) if row is None else (_number(row.total), NAN)
    if month in cards and not math.isnan(cards[month][0]):
        return cards[month]
    if row is None or not last:
        return NAN, NAN
    name = "low" if sheet.sense == Sense.WITHIN else "mean"
    now, then = (_number(getattr(below[n], name)) for n in (month, last))
    target, high = cards[last]
    return (target * now / then if then else NAN), high


# The path ------------------------------------------------------------------------------------------------------------


def goal_of(sheet, asked: Asked, last: int = 0, so_far: tuple[float, float] = (NAN, NAN)) -> Goal:
    """The path of promises by the sheet's rule over months, and where it ends.

    so_far: the target (and upper end) to date of month `last`, as scored, which weighs months by their denominators;
    months to come are taken to weigh as much as those so far.
    """
    ends = []
    for targets, scored in ((asked.targets, so_far[0]), (asked.high, so_far[1])):
        ends.append(_path(sheet, np.array(targets), last, scored))
    (path, target), (high_path, high) = ends
    halves = [np.isnan(of).all() != math.isnan(end) for end, of in ((target, path), (high, high_path))]
    if asked.is_range and any(halves):
        target = high = NAN  # promised for a part of the year alone: no open end
    return Goal(path.tolist(), high_path.tolist(), target, high)


def _path(sheet, targets: np.ndarray, last: int, scored: float) -> tuple[np.ndarray, float]:
    due = np.array(measurement_months(sheet.frequency)) - 1
    path, these = np.full(12, NAN), targets[due]
    if adds_up(sheet):
        path[due] = np.cumsum(these)
    elif sheet.over_time == Rule.MAX:
        path[due] = np.maximum.accumulate(these)
    elif sheet.over_time in AVERAGED:
        done = int((due < last).sum())
        total = np.cumsum(these)
        if done and not math.isnan(scored):
            total[done - 1 :] = scored * done + np.cumsum(np.append(0.0, these[done:]))
        path[due] = total / np.arange(1, len(due) + 1)
    else:
        path[due] = these
        return path, NAN if sheet.over_time == Rule.NONE else float(these[-1])
    return path, float(path[due[-1]])


def _number(value) -> float:
    return NAN if value is None else float(value)

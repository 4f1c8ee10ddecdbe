"""An indicator's trajectory, whatever it is: events and their rates by count, all else by its own earlier years."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np

from indicators.codes import Rule, Sense
from indicators.forecast import measure
from indicators.months import measurement_months
from scorecard.promised import AVERAGED, Asked, Goal, goal_of, is_rate, targets_of
from scorecard.queries import trend_of
from scorecard.trajectory import NAN, Panel, Trajectory, events_of, is_counted, panel_of, people_of, trajectory

KINDS = {Rule.SUM: measure.SUM, Rule.LAST: measure.LAST, **dict.fromkeys(AVERAGED, measure.MEAN)}
LEAST_TESTED, LEAST_SHARE = (
    4,
    0.6,
)  # earlier figures tried, and those within: else neither interval nor chance
EARLY, SHORT, MONTHS, HIGHEST, DONE = "early", "short", "months", "highest", "done"  # why nothing is foretold


def trajectory_of(unit, owner, sheet: Any, position: int, month: date, last: date) -> Trajectory | None:
    """The year of the month, known to `last`; None where nothing was promised nor said. At most six questions."""
    year = month.year
    rows = {at.month: row for at, row in trend_of(unit, position, month, 11).items() if at.year == year and at <= last}
    cards = {n: (_number(row.target), _number(row.high)) for n, row in rows.items()}
    asked = targets_of(owner, sheet, year, cards)
    scored = (NAN, NAN)
    if row := rows.get(last.month):
        scored = _number(row.to_date_target), _number(row.to_date_high)
    goal = goal_of(sheet, asked, last.month if rows else 0, scored)
    if last.year != year:
        return _untold(last, goal, [NAN] * 12, EARLY)
    return _foretold(unit, sheet, position, last, asked, goal) or _untold(last, goal, _actual(rows, sheet), EARLY)


def _foretold(unit, sheet, position, last, asked, goal) -> Trajectory | None:
    panel = panel_of(unit, last, position)
    if panel is None:
        return None
    if is_counted(sheet):
        if is_rate(sheet):
            return _rate(panel, sheet, asked, goal)
        return trajectory(panel.one(0), panel.row, last, asked, goal)
    return measured(panel, sheet, asked, goal)


def _rate(panel: Panel, sheet, asked: Asked, goal: Goal) -> Trajectory | None:
    """The year of events over the year's population: the events are foretold, and divided by this year's people."""
    people = people_of(panel)
    now, before = people[panel.row, -1], people[panel.row, -13]
    if math.isnan(now):
        return None
    growth = 1.0 if math.isnan(before) else now / before
    counts = events_of(panel.one(0), people, sheet.scale)
    return trajectory(counts, panel.row, panel.last, asked, goal, per=sheet.scale / now, growth=growth)


def _actual(rows, sheet) -> list[float]:
    """The year to date by month; of what has none, and of stocks, the months."""
    name = "value" if sheet.over_time in (Rule.NONE, Rule.LAST) else "to_date_value"
    found = [_number(getattr(rows[n], name)) if n in rows else NAN for n in range(1, 13)]
    known = [not math.isnan(_number(rows[n].value)) if n in rows else False for n in range(1, 13)]
    return [value if here else NAN for value, here in zip(found, known, strict=True)]


def measured(panel: Panel, sheet: Any, asked: Asked, goal: Goal) -> Trajectory | None:
    """The year of what is no count: its figure to date, and what earlier years let one expect where they do."""
    values, last = panel.one(0), panel.last
    stands = values if sheet.over_time in (Rule.NONE, Rule.LAST) else panel.to_date
    stands = np.where(np.isnan(values), NAN, stands)
    actual = [*stands[panel.row, -last.month :].tolist(), *[NAN] * (12 - last.month)]
    if np.isnan(values[panel.row, -last.month :]).all():
        return None
    if sheet.sense == Sense.MILESTONE or sheet.over_time not in KINDS:
        why = DONE if sheet.sense == Sense.MILESTONE else HIGHEST if sheet.over_time == Rule.MAX else MONTHS
        return _untold(last, goal, actual, why)
    due = [n for n in measurement_months(sheet.frequency) if n <= last.month]
    if not due:
        return None
    columns = values.shape[1] - 1 - last.month + due[-1]  # of the last month that was due
    step = 12 // sheet.frequency
    taken = slice(columns % step, columns + 1, step)
    year = measure.Year(values[:, taken], stands[:, taken], len(due), sheet.frequency, KINDS[Rule(sheet.over_time)])
    return _ahead(year, panel, sheet, asked, goal, actual)


def _ahead(year: measure.Year, panel: Panel, sheet, asked: Asked, goal: Goal, actual) -> Trajectory:
    some = ~np.isnan(year.values).all(1)
    row, found = int(some[: panel.row].sum()), Trajectory(panel.last, goal, actual)
    year = year._replace(values=year.values[some], to_date=year.to_date[some])
    found.units, left = int(some.sum()), year.periods - year.period
    found.months_left = left
    if not left:
        end = float(measure.after(year, measure.WAYS[0], 0)[row])
        found.low[-1] = found.middle[-1] = found.high[-1] = end
        return found
    _needed(found, year, row, left)
    said = measure.forecast(year)
    if said is None or math.isnan(said.middle[row]):
        found.why_not = SHORT
        return found
    inside = measure.held(year)
    found.calibration, found.tested = said.way, len(inside)
    found.share = float(inside.mean()) if len(inside) else NAN
    is_borne_out = found.tested >= LEAST_TESTED and found.share >= LEAST_SHARE
    bounds = _bounds(year.values, sheet)
    for ahead, month in enumerate(_months(year)):
        middle = measure.after(year, said.way.name, ahead)[row]
        wide = measure.narrower(year, ahead) * (said.quantile(0.9) - said.middle)[row] if is_borne_out else NAN
        ends = (float(np.clip(v, *bounds)) for v in (middle - wide, middle, middle + wide))
        found.low[month - 1], found.middle[month - 1], found.high[month - 1] = ends
    if is_borne_out:

        def at_most(figure: float) -> float:
            return float(said.at_most(figure)[row])

        found.chance = goal.chance(asked.sense, at_most, lambda figure: 1 - at_most(figure))
    return found


def _months(year: measure.Year) -> list[int]:
    """Months that are due from the last one known on."""
    return list(measurement_months(year.periods))[year.period - 1 :]


def _needed(found: Trajectory, year: measure.Year, row: int, left: int) -> None:
    """What the periods to come have to be, each, to just meet the target; of a stock that is the target itself."""
    if year.kind == measure.LAST:
        return
    known = int((~np.isnan(year.values[row, -year.period :])).sum())
    ends = found.goal.target, found.goal.high
    if year.kind == measure.SUM:
        found.needed, found.needed_high = ((end - found.so_far) / (year.periods - known) for end in ends)
        found.pace = found.so_far / known
    else:
        found.needed, found.needed_high = (end + (end - found.so_far) * known / left for end in ends)


def _bounds(values: np.ndarray, sheet) -> tuple[float, float]:
    """What has never been below zero, or a percentage above 100, is not expected there."""
    low = 0.0 if np.nanmin(values) >= 0 else -math.inf
    return low, 100.0 if sheet.unit_of_measure == "%" and np.nanmax(values) <= 100 else math.inf


def _untold(last: date, goal: Goal, actual: list[float], why: str) -> Trajectory:
    return Trajectory(last, goal, actual, why_not=why)


def _number(value) -> float:
    return NAN if value is None else float(value)

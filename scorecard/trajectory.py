"""Will the year's target be met: what was promised, what happened, what is expected, and how well that is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from indicators.change import Change, change, dispersion_of, drawn_to_usual, look_level, pooled
from indicators.codes import Rule
from indicators.forecast.measure import Way
from indicators.forecast.year import KEPT, Calibration, Forecast, forecast, held
from scorecard.promised import HIGHER, LOWER, Asked, Goal, is_rate, own_targets
from scorecard.queries import fetch_arrays, months_before, shifted, sql

MOST_UNITS = 200  # of a level that are read and forecast together
LEAST_BUT_ONE = 1000  # past the end of any card's arrays
NAN = math.nan
NEARLY_WHOLE = 0.05  # of an event: a rate times its people that is further from a whole number is no count


@dataclass
class Trajectory:
    """The year of an indicator, from January on by month (12 each, NaN where nothing is said).

    goal: the promised path. actual: to date. low, middle, high: to be expected, 80 % between low and high; NaN all year
    where nothing is foretold, then `why_not` says why. chance: of meeting the target. needed, needed_high: a month from
    now on that just meets it (of a range its ends); pace: a month so far. events: what the figures have to be divided
    by to be events, 1 but for rates. calibration: what earlier years taught; tested: of how many of their figures was
    it tried without their own year, share: how many fell within their interval. before: last year to the same month;
    against: the change since, where both are known whole, at the level of that month's look.
    """

    last: date
    goal: Goal
    actual: list[float]
    low: list[float] = field(default_factory=lambda: [NAN] * 12)
    middle: list[float] = field(default_factory=lambda: [NAN] * 12)
    high: list[float] = field(default_factory=lambda: [NAN] * 12)
    chance: float = NAN
    needed: float = NAN
    needed_high: float = NAN
    pace: float = NAN
    events: float = 1.0
    calibration: Calibration | Way | None = None
    tested: int = 0
    share: float = NAN
    units: int = 0
    months_left: int = 0
    before: float = NAN
    against: Change | None = None
    missing: list[date] = field(default_factory=list)
    why_not: str = ""

    @property
    def total(self) -> tuple[float, float, float]:
        """The year's figure: the ends of its 80 % interval around the middle."""
        return self.low[-1], self.middle[-1], self.high[-1]

    @property
    def target(self) -> float:
        """What was promised of the whole year; NaN where a month has no target."""
        return self.goal.target

    @property
    def is_foretold(self) -> bool:
        return not math.isnan(self.middle[-1])

    @property
    def so_far(self) -> float:
        """The last figure to date that is known."""
        return next((value for value in reversed(self.actual) if not math.isnan(value)), NAN)


def is_counted(sheet: Any) -> bool:
    """Counts of events that add up over units and months, or their rates over the year's population."""
    return is_rate(sheet) or (bool(sheet.is_count) and sheet.over_time == Rule.SUM and sheet.over_units == Rule.SUM)


def last_whole(month: date, today: date) -> date:
    """The month, or the last one that was over by today."""
    running = today.replace(day=1)
    return month if month < running else shifted(running, -1)


# Reading -------------------------------------------------------------------------------------------------------------


@dataclass
class Panel:
    """Figures of a unit and its level: values (N, T, K) up to `last`, NaN missing; row: where the unit stands.

    to_date (N, T): those of the one indicator that was asked for; ids (N,) of the units.
    """

    values: np.ndarray
    row: int
    last: date
    to_date: np.ndarray | None = None
    ids: list[int] = field(default_factory=list)

    def one(self, column: int) -> np.ndarray:
        """One indicator's figures, (N, T)."""
        shape = self.values.shape
        return self.values[:, :, column] if column < shape[2] else np.full(shape[:2], NAN)


def panel_of(unit, last: date, position: int | None = None) -> Panel | None:
    """Figures of the unit and its level: of the indicator at a position, else of all. None without a card of its own.

    One question.
    """
    months = months_before(last, KEPT - 1)
    low, high = (1, LEAST_BUT_ONE) if position is None else (position + 1, position + 1)
    asked = {"unit": unit.pk, "months": months, "low": low, "high": high, "most": MOST_UNITS}
    rows = fetch_arrays(sql("level_values"), asked | {"to_date": 0 if position is None else position + 1})
    ids = sorted({row.unit_id for row in rows})
    if unit.pk not in ids:
        return None
    place, at = {pk: n for n, pk in enumerate(ids)}, {month: n for n, month in enumerate(months)}
    values = np.full((len(ids), len(months), max(len(row.value) for row in rows)), NAN)
    to_date = np.full(values.shape[:2], NAN)
    for row in rows:
        cell = place[row.unit_id], at[row.month]
        values[cell][: len(row.value)] = row.value
        if len(row.to_date):
            to_date[cell] = row.to_date[0]
    return Panel(values, place[unit.pk], last, to_date, ids)


def people_of(panel: Panel) -> np.ndarray:
    """People of the year of each month in each unit's territory, (N, T), NaN where unknown. One question."""
    years = [month.year for month in months_before(panel.last, panel.values.shape[1] - 1)]
    place, found = {pk: n for n, pk in enumerate(panel.ids)}, np.full(panel.values.shape[:2], NAN)
    for row in fetch_arrays(sql("level_people"), {"units": panel.ids, "years": sorted(set(years))}):
        if row.people:
            found[place[row.unit_id], np.array(years) == row.year] = row.people
    return found


def events_of(rates: np.ndarray, people: np.ndarray, scale: float) -> np.ndarray:
    """The events behind rates: whole numbers; NaN where they are none, as people or figures are not what they seem."""
    events = rates * people / scale
    whole = np.round(events)
    return np.where(np.abs(events - whole) <= NEARLY_WHOLE, whole, NAN)


# Computing -----------------------------------------------------------------------------------------------------------


def trajectory(counts: np.ndarray, row: int, last: date, asked: Asked, goal: Goal, *, per=1.0, growth=1.0, tests=True):
    """The year of one unit's events, counts (N, T) of its level; None where too little is known, or it is no count.

    per: what events are multiplied by to be the figure (a rate's scale / people); growth: people beside last year's.
    tests: whether to say how earlier years fitted, which takes longer than the forecast.
    """
    known, month = ~np.isnan(counts), last.month
    if not known[row].any() or np.nanmin(counts) < 0:
        return None
    first = min(int(known.any(0).argmax()), counts.shape[1] - month)
    counts, row = counts[known.any(1), first:], int(known[:row].any(1).sum())
    said = forecast(counts, month)
    of_year = counts[row, -month:]
    so_far = (np.nancumsum(of_year) * per).tolist()
    months = int((~np.isnan(of_year)).sum())
    inside = held(counts, month) if tests else np.zeros(0)
    found = Trajectory(last, goal, [*so_far, *[NAN] * (12 - month)])
    found.low, found.middle, found.high = (
        [v * float(per) for v in _ahead(said, row, at, month)] for at in (0.1, 0.5, 0.9)
    )
    found.chance = goal.chance(asked.sense, *_chances(said, row, per))
    found.months_left = left = 12 - months
    if left:
        found.needed, found.needed_high = ((end - so_far[-1]) / left for end in (goal.target, goal.high))
    found.pace, found.events = so_far[-1] / months if months else NAN, per
    found.calibration, found.units = said.calibration, len(counts)
    found.tested, found.share = len(inside), float(inside.mean()) if len(inside) else NAN
    found.before, found.against = _against(counts, row, month, growth)
    found.before *= per * growth
    found.missing = [last.replace(month=n + 1) for n in range(month) if math.isnan(of_year[n])]
    return found


def _chances(said: Forecast, row: int, per: float):
    """The chances of a figure at most, and at least, so high."""
    return (
        lambda figure: float(said.at_most(math.floor(figure / per + 1e-9))[row]),
        lambda figure: float(1 - said.at_most(math.ceil(figure / per - 1e-9) - 1)[row]),
    )


def _ahead(said: Forecast, row: int, chance: float, month: int) -> list[float]:
    """Cumulated to the year's end from the last whole month on, which is what is known; NaN before."""
    found = [NAN] * (month - 1) + [float(said.so_far[row])]
    whole = said.months[row]
    for ahead in range(month + 1, 13):
        found.append(float(said.path(chance, whole - (12 - ahead))[row]))
    if month == 12:
        found[-1] = float(said.quantile(chance)[row])
    return found


def _against(counts: np.ndarray, row: int, month: int, growth: float) -> tuple[float, Change | None]:
    """Last year to the same month, and the change since, of one of the level's units (units, months).

    The dispersion is the unit's own over the three years before this one, drawn to that of all of the level.
    """
    now, before = counts[row, -month:], counts[row, -12 - month : -12]
    if len(before) < month or np.isnan([now, before]).any():
        return NAN, None
    past = counts[:, -36 - month : -month]
    spread = drawn_to_usual(dispersion_of(past[row]), pooled(dispersion_of(past)))
    return float(before.sum()), change(now.sum(), before.sum(), growth, dispersion=spread, level=look_level(month))


# A scorecard's counts ------------------------------------------------------------------------------------------------


@dataclass
class Prospect:
    """A line of a scorecard with its trajectory."""

    line: Any
    found: Trajectory


def prospects(reading: Any, today: date) -> list[Prospect]:
    """Lines that count events and have a whole year's targets, the least likely to be met first. Two questions."""
    last = last_whole(reading.month, today)
    lines = [line for line in reading.lines if line.about["is_count"] and line.about["sense"] in LOWER | HIGHER]
    if not lines or last.year != reading.month.year or (panel := panel_of(reading.unit, last)) is None:
        return []
    targets = own_targets(reading.unit, [line.about["code"] for line in lines], last.year)
    found = []
    for line in lines:
        asked = Asked(line.about["sense"], targets[line.about["code"]][0])
        if any(map(math.isnan, asked.targets)):
            continue
        path = np.cumsum(asked.targets).tolist()
        counts = panel.one(line.about["position"])
        one = trajectory(counts, panel.row, last, asked, Goal(path, [NAN] * 12, path[-1], NAN), tests=False)
        if one is not None:
            found.append(Prospect(line, one))
    return sorted(found, key=lambda prospect: prospect.found.chance)

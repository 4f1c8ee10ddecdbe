"""Will the year's target be met: what was promised, what happened, what is expected, and how well that is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from indicators.change import Change, change, dispersion_of, drawn_to_usual, look_level
from indicators.codes import Rule, Sense
from indicators.forecast.year import KEPT, Calibration, Forecast, forecast, held
from indicators.months import months_of_year
from scorecard.queries import fetch_arrays, months_before, shifted, sql

MOST_UNITS = 200  # of a level that are read and forecast together
LEAST_BUT_ONE = 1000  # past the end of any card's arrays
LOWER = {Sense.LOWER, Sense.LOWER_INVERSE, Sense.IMPROVE_LOWER}
HIGHER = {Sense.HIGHER, Sense.IMPROVE_HIGHER}
NAN = math.nan


@dataclass
class Trajectory:
    """The year of a counted indicator, cumulated by month (12 each, NaN where nothing is said).

    promised, actual, low, middle, high: events from January on; low to high holds 80 %. target: of the whole year, NaN
    where a month has none. chance: of meeting it. needed: events a month from now on that just meet it. pace: a month
    so far. share: of the totals of earlier years that fell within their interval, each fitted without its own year.
    before: last year to the same month; against: the change since, where both are known whole, at the level of that
    month's look.
    """

    last: date
    promised: list[float]
    actual: list[float]
    low: list[float]
    middle: list[float]
    high: list[float]
    target: float
    chance: float
    needed: float
    pace: float
    calibration: Calibration
    share: float
    units: int
    before: float = NAN
    against: Change | None = None
    missing: list[date] = field(default_factory=list)

    @property
    def total(self) -> tuple[float, float, float]:
        """The year's total: the ends of its 80 % interval around the middle."""
        return self.low[-1], self.middle[-1], self.high[-1]

    @property
    def months_left(self) -> int:
        return 12 - self.last.month + len(self.missing)


@dataclass(frozen=True)
class Asked:
    """What decides a trajectory beside the figures: which way is better, and the monthly targets of the year."""

    sense: int
    targets: list[float]


def is_forecast(sheet: Any) -> bool:
    """Counts of events that add up over units and months; of anything else no year's total is foretold."""
    return bool(sheet.is_count) and sheet.over_time == Rule.SUM and sheet.over_units == Rule.SUM


def last_whole(month: date, today: date) -> date:
    """The month, or the last one that was over by today."""
    running = today.replace(day=1)
    return month if month < running else shifted(running, -1)


# Reading -------------------------------------------------------------------------------------------------------------


@dataclass
class Panel:
    """Figures of a unit and its level: values (N, T, K) up to `last`, NaN missing; row: where the unit stands."""

    values: np.ndarray
    row: int
    last: date


def panel_of(unit, last: date, low: int = 1, high: int = LEAST_BUT_ONE) -> Panel | None:
    """Elements low..high (from 1) of the values of the unit and its level; None without any card. One question."""
    months = months_before(last, KEPT - 1)
    asked = {"unit": unit.pk, "months": months, "low": low, "high": high, "most": MOST_UNITS}
    rows = fetch_arrays(sql("level_values"), asked)
    ids = sorted({row.unit_id for row in rows})
    if unit.pk not in ids:
        return None
    place, at = {pk: n for n, pk in enumerate(ids)}, {month: n for n, month in enumerate(months)}
    width = max(len(row.value) for row in rows)
    values = np.full((len(ids), len(months), width), NAN)
    for row in rows:
        values[place[row.unit_id], at[row.month], : len(row.value)] = row.value
    return Panel(values, place[unit.pk], last)


def own_targets(unit, codes: list[str], year: int) -> dict[str, list[float]]:
    """Monthly targets of the year by indicator, as held at the unit or at the owner's for its place. One question."""
    asked = {"months": months_of_year(year), "codes": codes, "unit": unit.pk, "territory": unit.territory_id}
    found: dict[str, list[float]] = {code: [NAN] * 12 for code in codes}
    for row in fetch_arrays(sql("own_targets"), asked):
        found[row.code][row.month.month - 1] = row.value
    return found


def targets_of(unit, indicator, year: int) -> list[float]:
    """Monthly targets of the year: the unit's own, else those of the highest units below that have one."""
    own = own_targets(unit, [indicator.code], year)[indicator.code]
    if not any(map(math.isnan, own)):
        return own
    asked = {"indicator": indicator.pk, "unit": unit.pk, "months": months_of_year(year)}
    below = {row.month.month - 1: float(row.value) for row in fetch_arrays(sql("year_targets"), asked)}
    return [below.get(n, NAN) if math.isnan(value) else value for n, value in enumerate(own)]


# Computing -----------------------------------------------------------------------------------------------------------


def trajectory(panel: Panel, asked: Asked, column: int = 0) -> Trajectory | None:
    """The year of one indicator of the panel's unit; None where too little is known of it, or it is no count."""
    counts = panel.values[:, :, column] if column < panel.values.shape[2] else np.full(panel.values.shape[:2], NAN)
    known, month = ~np.isnan(counts), panel.last.month
    if not known[panel.row].any() or np.nanmin(counts) < 0:
        return None
    first = min(int(known.any(0).argmax()), counts.shape[1] - month)
    counts, row = counts[known.any(1), first:], int(known[: panel.row].any(1).sum())
    said = forecast(counts, month)
    of_year = counts[row, -month:]
    so_far = np.nancumsum(of_year)
    ends = [_ahead(said, row, chance, month) for chance in (0.1, 0.5, 0.9)]
    target, tested = float(np.sum(asked.targets)), held(counts, month)
    months = int((~np.isnan(of_year)).sum())
    left = 12 - months
    return Trajectory(
        panel.last,
        list(np.cumsum(asked.targets)),
        [*so_far, *[NAN] * (12 - month)],
        *ends,
        target,
        chance_of(said, row, target, asked.sense),
        (target - so_far[-1]) / left if left else NAN,
        so_far[-1] / months if months else NAN,
        said.calibration,
        float(tested.mean()) if len(tested) else NAN,
        len(counts),
        *_against(counts[row], month),
        [panel.last.replace(month=n + 1) for n in range(month) if math.isnan(of_year[n])],
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


def _against(counts: np.ndarray, month: int) -> tuple[float, Change | None]:
    """Last year to the same month, and the change since: the dispersion is that of the three years before this one."""
    now, before = counts[-month:], counts[-12 - month : -12]
    if len(before) < month or np.isnan([now, before]).any():
        return NAN, None
    spread = drawn_to_usual(dispersion_of(counts[-36 - month : -month]))
    return float(before.sum()), change(now.sum(), before.sum(), dispersion=spread, level=look_level(month))


def chance_of(said: Forecast, row: int, target: float, sense: int) -> float:
    """The chance that the year's total meets its target; NaN where there is none, or a sense that is neither way."""
    if math.isnan(target) or sense not in LOWER | HIGHER:
        return NAN
    if sense in LOWER:
        return float(said.at_most(math.floor(target + 1e-9))[row])
    return float(1 - said.at_most(math.ceil(target - 1e-9) - 1)[row])


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
        asked = Asked(line.about["sense"], targets[line.about["code"]])
        if any(map(math.isnan, asked.targets)):
            continue
        one = trajectory(panel, asked, line.about["position"])
        if one is not None:
            found.append(Prospect(line, one))
    return sorted(found, key=lambda prospect: prospect.found.chance)

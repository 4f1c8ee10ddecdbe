"""Figures, targets and assignments of the sample country up to now, as arrays ready to be loaded.

Yearly victims by district are real; every other figure is simulated from a fixed seed and carries that label. Some two
or three in a hundred were never sent; the month that runs is told to date, and is still being entered.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from indicators.codes import Rule
from scorecard.sample import counts, homicides, recent, services, targets
from scorecard.sample.cubes import Cube, units_at
from scorecard.sample.institutions import POLICE, positions, units
from scorecard.sample.sheets import POSITION, SHEETS
from scorecard.sample.territories import DISTRICT, SOURCE_SIMULATED, country, national
from scorecard.sample.years import LOADED, each_month, months, stream, years_to

SOURCE = SOURCE_SIMULATED

FIGURE = np.dtype(
    [
        ("month", "M8[D]"), ("indicator", "i2"), ("unit", "i4"), ("numerator", "f8"), ("denominator", "f8"),
        ("state", "i1"), ("is_provisional", "?"),
    ]
)  # fmt: skip
TARGET = np.dtype(
    [
        ("month", "M8[D]"), ("indicator", "i2"), ("unit", "i4"), ("value", "f8"), ("low", "f8"), ("high", "f8"),
        ("baseline", "f8"),
    ]
)  # fmt: skip
ASSIGNMENT = np.dtype([("indicator", "i2"), ("unit", "i4"), ("from_month", "M8[D]")])

IS_FIGURE, IS_NOT_APPLICABLE = 1, 2
NEVER_SENT = 0.025
WAITING_DISTRICT = "09D08"  # none of its circuits has entered the running month yet
WAITING_UNITS = ("EST-Z8", "FGE-SZ09", "CJ-SZ01")
WAITING_SHARE = 0.15  # of all other circuits
LATE_APPROVAL = 0.15  # of the month before it


@dataclass(frozen=True)
class Sample:
    """Everything that is loaded. `indicator` is a position in `sheets.SHEETS`, `unit` in `institutions.units()`.

    `victims` (homicides.VICTIM) are of the years loaded, `events` (recent.EVENT) what feeds brought beside them.
    `measurements` (FIGURE) and `targets` (TARGET) are in order of month, indicator, unit: that of their key.
    `baselines`: each indicator's national figure of the first year.
    """

    victims: np.ndarray
    events: np.ndarray
    measurements: np.ndarray
    targets: np.ndarray
    assignments: np.ndarray
    baselines: dict[str, float]


def build(now: datetime, seed=1) -> Sample:
    """The whole sample up to now, a time of the country, from one seed; the same seed gives the same bytes.

    What was entered or published is told here; what is counted from the events of feeds is left to the counting.
    """
    years = years_to(now)
    found = homicides.victims(years, seed)
    cubes = complete(found, years, seed)
    marked = _with_gaps([_up_to(cube, years, now, seed) for cube in cubes], years, now, seed)
    first = np.datetime64(f"{years[-LOADED]}-01-01")
    here = homicides.until(found[found["date"] >= first], now)
    figures = _in_order([_figures(cube, years, now, seed) for cube in marked])
    promised = _in_order([_targets(goals, years) for goals in goals_of(cubes, years)])
    return Sample(
        victims=here,
        events=recent.events(now, by_code(cubes), years, seed),
        measurements=figures[figures["month"] >= first],
        targets=promised[promised["month"] >= first],
        assignments=np.concatenate([_assigned(cube) for cube in cubes]),
        baselines={cube.code: _first_year(cube, years) for cube in cubes},
    )


def complete(found, years, seed=1) -> list[Cube]:
    """All cubes without gaps, the running year whole, in the order of the sheets."""
    stolen = counts.robberies(years, seed)
    of_emergencies = services.services(years, seed)
    every = by_code([*of_victims(found, years), *stolen, *counts.results(years, stolen, seed), *of_emergencies])
    return [every[sheet.code] for sheet in SHEETS]


def by_code(cubes) -> dict[str, Cube]:
    return {cube.code: cube for cube in cubes}


def of_victims(found, years) -> list[Cube]:
    """The count by subcircuit and the rate's numerator by district (its denominator is the population, held apart)."""
    here = country()
    monthly = homicides.monthly(found, years)
    districts = here.at(DISTRICT)
    by_district = here.roll_up(monthly.T)[districts].T
    return [
        Cube("PN.HOMICIDES", units_at(POLICE, here.subcircuits), monthly.astype(float)),
        Cube("PN.HOMICIDERATE", units_at(POLICE, districts), by_district.astype(float)),
    ]


def goals_of(cubes, years) -> list[targets.Goals]:
    """Targets of every indicator, in the order of the sheets."""
    out = []
    for cube in cubes:
        if cube.code == "PN.HOMICIDERATE":
            out.append(targets.of_rate(out[POSITION["PN.HOMICIDES"]], cube.code, years))
        elif cube.sheet.over_units == Rule.NONE:
            out.append(targets.of_times(cube, years))
        elif cube.denominator is None and cube.sheet.institution == POLICE:
            out.append(targets.of_counts(cube, years))
        elif cube.denominator is None:
            out.append(targets.of_totals(cube, years))
        else:
            out.append(targets.of_shares(cube, years))
    return out


def measured(sheet, years) -> np.ndarray:
    """Months in which a sheet is measured, (M,) bool: from its first month, the last of each period."""
    number = np.arange(12 * len(years)) % 12 + 1
    return (number % (12 // sheet.frequency) == 0) & (months(years) >= np.datetime64(sheet.valid_from))


def running(years, now) -> int:
    """Index of the month that runs."""
    return (now.year - years[0]) * 12 + now.month - 1


def _up_to(cube, years, now, seed):
    """A cube up to now: the running month's events so far, and shares of as many cases as there were so far.

    What is told of the end of a period is not told before.
    """
    at = running(years, now)
    start = np.datetime64(f"{now:%Y-%m-01}")
    over = float((np.datetime64(now.replace(tzinfo=None)) - start) / (start.astype("M8[M]") + 1 - start))
    top, below = cube.numerator.copy(), None if cube.denominator is None else cube.denominator.copy()
    rng = stream(seed, "to date", cube.code, at)
    if cube.sheet.over_time == Rule.LAST:
        at -= 1
    elif below is None and cube.sheet.over_time == Rule.SUM:
        top[at] = rng.binomial(top[at].astype(int), over)
    elif below is None:
        pass  # a time, or a rate, is counted anew
    elif cube.code == "MDI.BUDGET":
        top[at], below[at] = np.round(top[at] * over, 1), np.round(below[at] * over, 1)
    else:
        share = top[at] / below[at]
        below[at] = rng.binomial(below[at].astype(int), over)
        top[at] = rng.binomial(below[at].astype(int), share)
    top[at + 1 :] = np.nan
    return replace(cube, numerator=top, denominator=below)


def _with_gaps(cubes, years, now, seed):
    """Events are complete; the rest lacks what was never sent, and what commanders still owe for the running month."""
    robbery_gap = None
    waiting = _waiting(seed)
    out = []
    for cube in cubes:
        shape = cube.numerator.shape
        absent = np.zeros(shape, bool)
        blank = np.isnan(cube.numerator) | (False if cube.denominator is None else cube.denominator == 0)
        if cube.code.startswith("PN.ROBBERY"):
            if robbery_gap is None:
                robbery_gap = _never(years, seed, "robberies", NEVER_SENT - 0.005, shape)
            blank |= robbery_gap | _never(years, seed, cube.code, 0.005, shape)
        elif not cube.code.startswith("PN.HOMICIDE"):
            blank |= _never(years, seed, cube.code, NEVER_SENT, shape)
        if cube.sheet.is_entered:
            blank[running(years, now)] |= waiting[cube.units]
        if cube.code in recent.COUNTED:
            blank[months(years) >= recent.since(now)] = True
        if cube.code == "PN.CARSFOUND":
            absent[:] = np.array([units()[unit].place.startswith("20D01") for unit in cube.units])
            absent[running(years, now) + 1 :] = False
        out.append(cube.with_marks(blank & ~absent, absent))
    return out


def _never(years, seed, what, share, shape):
    return each_month(years, seed, "never sent", what, draw=lambda rng: rng.random((12, shape[1])) < share)


def _waiting(seed):
    """Units that have not entered the running month, (units,) bool."""
    names = np.array([unit.place for unit in units()])
    circuits = np.array([unit.institution == POLICE and len(unit.place) in (5, 8) for unit in units()])
    late = circuits & (stream(seed, "waiting").random(len(names)) < WAITING_SHARE)
    late |= circuits & np.char.startswith(names, WAITING_DISTRICT)
    late[[positions()[code] for code in WAITING_UNITS]] = True
    return late


def _figures(cube, years, now, seed):
    """A cube's figures as rows: a blank is no row, a zero is one."""
    sheet = cube.sheet
    keep = measured(sheet, years)[:, None] & ~cube.blank
    month, column = np.nonzero(keep)
    out = np.zeros(len(month), FIGURE)
    out["month"], out["indicator"], out["unit"] = months(years)[month], POSITION[cube.code], cube.units[column]
    absent = cube.not_applicable[keep]
    out["numerator"] = np.where(absent, np.nan, cube.numerator[keep])
    out["denominator"] = np.nan if cube.denominator is None else np.where(absent, np.nan, cube.denominator[keep])
    out["state"] = np.where(absent, IS_NOT_APPLICABLE, IS_FIGURE)
    if sheet.is_entered:
        last = running(years, now)
        late = stream(seed, "late", cube.code).random(len(cube.units))[column] < LATE_APPROVAL
        out["is_provisional"] = (month == last) | ((month == last - 1) & late)
    return out


def _targets(goals, years):
    """Goals as rows, for the months in which the sheet is measured."""
    month, column = np.nonzero(
        np.broadcast_to(measured(SHEETS[POSITION[goals.code]], years)[:, None], goals.value.shape)
    )
    out = np.empty(len(month), TARGET)
    out["month"], out["indicator"], out["unit"] = months(years)[month], POSITION[goals.code], goals.units[column]
    out["value"], out["baseline"] = goals.value[month, column], goals.baseline[month, column]
    out["low"] = np.nan if goals.low is None else goals.low
    out["high"] = np.nan if goals.high is None else goals.high
    return out


def _assigned(cube):
    out = np.empty(len(cube.units), ASSIGNMENT)
    out["indicator"], out["unit"] = POSITION[cube.code], cube.units
    out["from_month"] = np.datetime64(cube.sheet.valid_from)
    return out


def _in_order(parts):
    """Rows of all indicators in order of month, indicator, unit."""
    rows = np.concatenate([part[np.argsort(part["unit"], kind="stable")] for part in parts])
    return rows[np.argsort(rows["month"], kind="stable")]


def _first_year(cube, years):
    """The nation's figure of the first year: a total, a rate with that year's people, or a ratio of sums."""
    if cube.code == "PN.HOMICIDERATE":
        people = national(years[0]).people
        return round(float(cube.numerator[:12].sum() / people * cube.sheet.scale), 2)
    if cube.sheet.over_units == Rule.NONE:
        return round(float(cube.numerator[:12, 0].mean()), 2)
    if cube.denominator is None:
        return float(cube.numerator[:12].sum())
    return round(float(cube.sheet.scale * cube.numerator[:12].sum() / cube.denominator[:12].sum()), 2)

"""Shares and times of the other institutions: emergency service, prosecutors, courts, ministry, State. All simulated.

Each unit starts at a level of its own and moves through the years with the nation's trend and its own drift.
"""

from dataclasses import dataclass

import numpy as np

from scorecard.sample import recent
from scorecard.sample.counts import exposure
from scorecard.sample.cubes import Cube, units_at
from scorecard.sample.institutions import EMERGENCY, LOCAL_CENTRES, ZONAL_CENTRES
from scorecard.sample.sheets import POSITION, SHEETS
from scorecard.sample.territories import NATION_CODE, SUBCIRCUIT, country, subcircuit_weights
from scorecard.sample.years import confinement, course, each_month, each_year, stream, year_of


@dataclass(frozen=True)
class Course:
    """A share in the nation (2014, 2019, 2023, then level), how many cases a month it is taken of, how units differ."""

    shares: tuple[float, float, float]
    cases: float
    spread: float = 0.30
    by_people: bool = True


COURSES = {
    "ECU.ANSWERED": Course((0.86, 0.93, 0.91), 620_000, 0.25),
    "ECU.DISPATCHED": Course((0.71, 0.82, 0.79), 18_000, 0.25),
    "FGE.RESOLVED": Course((0.62, 0.70, 0.64), 24_000),
    "FGE.CHARGED": Course((0.41, 0.47, 0.33), 180),
    "CJ.ONTIME": Course((0.74, 0.83, 0.80), 15_000),
    "CJ.FLAGRANCY": Course((0.87, 0.93, 0.92), 3_200),
    "CJ.EVIDENCE": Course((0.66, 0.84, 0.90), 1_900),
    "MDI.UPC": Course((0.58, 0.74, 0.70), 0, 0.35),
    "MDI.PATROLS": Course((0.81, 0.78, 0.69), 0, 0.30),
    "MDI.BUDGET": Course((0.93, 0.95, 0.90), 0, 0.10),
    "EST.AGREEMENTS": Course((0.70, 0.82, 0.78), 110, 0.30, False),
}


def services(years, seed=1) -> list[Cube]:
    """Every cube of shares and times, in the order of the sheets."""
    cubes = {code: _share(years, seed, code, about) for code, about in COURSES.items()}
    cubes.update({cube.code: cube for cube in (*_times(years, seed), _security(years, seed))})
    return [cubes[sheet.code] for sheet in SHEETS if sheet.code in cubes]


def _places(sheet):
    here = country()
    if sheet.institution == EMERGENCY:
        return np.array([here.position[code] for code in (*ZONAL_CENTRES, *LOCAL_CENTRES)])
    return np.array([i for i in here.at(sheet.levels[0]) if here.is_delimited[i]])


def _people(places):
    """Share of the nation's people that each place answers for, (U,)."""
    return _own(country().roll_up(subcircuit_weights())[places], places)


def _own(share, places):
    """What each place answers for itself, (U,): a zonal centre's without its local ones'."""
    here, share = country(), share.copy()
    for i, place in enumerate(places):
        parent = np.flatnonzero(places == here.parent[place])
        share[parent] -= share[i]
    return share


def _drift(years, seed, what, step, units):
    """What moves a unit from year to year, by month: (M, U)."""
    steps = each_year(years, seed, "drift", what, draw=lambda rng: rng.normal(0, step, units))
    return np.cumsum(steps, axis=0)[year_of(years)]


def _noise(years, seed, what, spread, units):
    """What moves it from month to month: (M, U)."""
    return each_month(years, seed, "noise", what, draw=lambda rng: rng.normal(0, spread, (12, units)))


def _level(years, seed, code, about, units):
    """The share itself by month and unit, (M, U)."""
    nation = course(years, dict(zip((2014, 2019, 2023), about.shares, strict=True)))
    logit = np.log(nation / (1 - nation))[:, None] + stream(seed, "level", code).normal(0, about.spread, units)
    drift = _drift(years, seed, code, about.spread * 0.30, units)
    slump = 0.5 * (confinement(years) - 1)[:, None]
    return 1 / (1 + np.exp(-(logit + drift + slump + _noise(years, seed, code, about.spread * 0.2, units))))


def _share(years, seed, code, about):
    sheet = SHEETS[POSITION[code]]
    places = _places(sheet)
    level = _level(years, seed, code, about, len(places))
    units = units_at(sheet.institution, places)
    if code == "MDI.BUDGET":
        return _budget(years, seed, units, level)
    cases = _cases(years, seed, code, about, places)
    of_year = zip(cases.reshape(len(years), 12, -1), level.reshape(len(years), 12, -1), strict=True)
    part = each_month(years, seed, "part", code, draw=lambda rng: rng.binomial(*next(of_year)))
    return Cube(code, units, part.astype(float), cases.astype(float))


def _cases(years, seed, code, about, places):
    """What the share is taken of, whole numbers (M, U): cases of the month, or a stock of buildings or vehicles."""
    here = country()
    stations = here.roll_up((here.level[here.subcircuits] == SUBCIRCUIT).astype(int))[places]
    if code == "MDI.UPC":
        return np.broadcast_to(stations, (12 * len(years), len(places)))
    if code == "MDI.PATROLS":
        return np.round(stations * course(years, {2014: 2.1, 2023: 2.6})[:, None]).astype(int)
    weight = _people(places) if about.by_people else np.full(len(places), 1 / len(places))
    growth = course(years, {2014: 0.92, 2023: 1.12}) * (0.4 + 0.6 * confinement(years))
    return _around(years, seed, code, about.cases * np.outer(growth, weight))


def _around(years, seed, what, expected):
    """Whole numbers around what is expected, one at least: (M, U)."""
    of_year = iter(expected.reshape(len(years), 12, -1))
    return 1 + each_month(years, seed, "cases", what, draw=lambda rng: rng.poisson(next(of_year)))


def _budget(years, seed, units, level):
    """Thousands of dollars: little is spent early in a year and some zones overshoot at its end."""
    plan = stream(seed, "budget").uniform(700, 2400, len(units))
    scheduled = np.round(plan * course(years, {2014: 0.9, 2023: 1.2})[:, None], 1)
    season = np.array([0.80, 0.90, 0.97, 1.0, 1.0, 1.02, 1.0, 1.02, 1.03, 1.05, 1.08, 1.12])
    spent = scheduled * level * np.tile(season, len(years))[:, None]
    spent *= 1.03 + _noise(years, seed, "budget", 0.06, len(units))
    return Cube("MDI.BUDGET", units, np.round(spent, 1), scheduled)


def _security(years, seed):
    """Emergencies of citizen security by centre: before they are counted from events, as many as those would be."""
    places = _places(SHEETS[POSITION["ECU.SECURITY"]])
    chance = _own(country().roll_up(exposure())[places], places)
    a_month = 365 / 12 * recent.A_DAY * recent.SERVICE_SHARE[0] * recent.CLASS_SHARE[0]
    growth = course(years, {2014: 0.85, 2023: 1.0}) * (0.5 + 0.5 * confinement(years))
    found = _around(years, seed, "security", a_month * np.outer(growth, chance / exposure().sum()))
    return Cube("ECU.SECURITY", units_at(EMERGENCY, places), found.astype(float))


def _times(years, seed):
    """Median and 90th percentile of response in minutes: of each centre, and of all of them in the nation."""
    places = _places(SHEETS[POSITION["ECU.RESPONSE"]])
    size = len(places)
    nation = course(years, {2014: 13.8, 2018: 11.2, 2020: 10.9, 2023: 12.6})
    own = stream(seed, "times").normal(0, 0.15, size) + _drift(years, seed, "times", 0.04, size)
    median = nation[:, None] * np.exp(own + _noise(years, seed, "times", 0.03, size))
    tail = stream(seed, "tails").normal(np.log(1.87), 0.06, size) + _noise(years, seed, "tails", 0.04, size)
    for code, minutes in (("ECU.RESPONSE", median), ("ECU.RESPONSE90", median * np.exp(tail))):
        whole = minutes @ _people(places)
        everywhere = np.concatenate([[country().position[NATION_CODE]], places])
        yield Cube(code, units_at(EMERGENCY, everywhere), np.round(np.column_stack([whole, minutes]), 1))

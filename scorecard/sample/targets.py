"""Targets and baselines of every month and unit, by one stated rule a kind of indicator.

Counts: last year's total of the district, 5 % lower for crimes and 3 % higher for results, shared among its units
half by their last three years and half by their usual weight, spread over months by their days. Parents: the sum.
Shares: last year's figure of the same unit and two points more. Times: last year's, 3 % lower. Budget: a range.
What came before the first year is taken from that year and is simulated.
"""

from dataclasses import dataclass

import numpy as np

from indicators.codes import Sense
from scorecard.sample.cubes import Cube, units_at
from scorecard.sample.institutions import POLICE, positions, units
from scorecard.sample.territories import DISTRICT, country, population, subcircuit_weights
from scorecard.sample.years import months, year_of, yearly

FALL, RISE = 0.95, 1.03
BEFORE = {Sense.LOWER: 1.06, Sense.HIGHER: 0.97}  # the year before the first, as a multiple of the first
MORE_POINTS, MORE_POINTS_STOCK, CEILING = 2.0, 3.0, 98.0
FASTER = 0.97
LEAST = 0.001
BUDGET_RANGE = (90.0, 105.0)


@dataclass(frozen=True)
class Goals:
    """Targets of one indicator: `units` (U,); `value`, `baseline` (M, U), NaN where there is none; a range or None."""

    code: str
    units: np.ndarray
    value: np.ndarray
    baseline: np.ndarray
    low: float | None = None
    high: float | None = None


def of_counts(cube: Cube, years) -> Goals:
    """Targets of a count for its units and all above them; sums of children are their parent's target exactly."""
    here = country()
    leaves = _places(cube)
    reference = _reference(cube, leaves, years)
    factor = FALL if cube.sheet.sense == Sense.LOWER else RISE
    leaf = np.maximum(np.round(reference * factor, 3), LEAST)  # a target of 0 would make any event the worst
    places, value = _all_above(here, leaves, leaf)
    _, baseline = _all_above(here, leaves, reference)
    return Goals(cube.code, units_at(POLICE, places), np.round(value, 3), np.round(baseline, 3))


def of_rate(goals: Goals, code, years, down_to=DISTRICT) -> Goals:
    """Targets of a rate per 100,000 from those of its count, for units that have people, down to a level."""
    here = country()
    people = np.full((len(years), len(here.places)), np.nan)
    rows = population(years)
    people[rows["year"] - years[0], rows["place"]] = rows["people"]
    places = np.array([here.position[units()[unit].place] for unit in goals.units])
    keep = (here.level[places] <= down_to) & here.is_delimited[places]
    per = 100_000 / people[:, places[keep]][year_of(years)]
    value, baseline = (np.round(of[:, keep] * per, 3) for of in (goals.value, goals.baseline))
    return Goals(code, goals.units[keep], value, baseline)


def of_shares(cube: Cube, years) -> Goals:
    """Targets of a share for its units and all above them, from last year's own figure."""
    unit, numerator, denominator = _rolled_up(cube)
    scale = cube.sheet.scale
    last_year = scale * yearly(numerator) / yearly(denominator)
    step = MORE_POINTS_STOCK if cube.sheet.sense == Sense.IMPROVE_HIGHER else MORE_POINTS
    reference = _year_before(last_year, last_year[:1] - 1)
    value = np.maximum(np.minimum(reference + step, CEILING), reference)
    value, baseline = (np.round(of[year_of(years)], 2) for of in (value, reference))
    if cube.sheet.sense == Sense.WITHIN:
        return Goals(cube.code, unit, np.full_like(value, np.nan), baseline, *BUDGET_RANGE)
    return Goals(cube.code, unit, value, baseline)


def of_totals(cube: Cube, years) -> Goals:
    """Targets of a count that no police unit owes: each unit's own total of last year, changed, over months by days."""
    unit, numerator, _ = _rolled_up(cube)
    total = yearly(numerator)
    reference = _year_before(total, BEFORE[cube.sheet.sense] * total[:1])[year_of(years)] * _part_of_year(years)
    factor = FALL if cube.sheet.sense == Sense.LOWER else RISE
    return Goals(cube.code, unit, np.round(reference * factor, 3), np.round(reference, 3))


def of_times(cube: Cube, years) -> Goals:
    """Targets of a time, which each unit reports by itself: its mean of last year, shorter."""
    mean = yearly(cube.numerator) / 12
    reference = _year_before(mean, 1.02 * mean[:1])[year_of(years)]
    return Goals(cube.code, cube.units, np.round(FASTER * reference, 2), np.round(reference, 2))


def _places(cube):
    here = country()
    return np.array([here.position[units()[unit].place] for unit in cube.units])


def _year_before(by_year, first):
    return np.concatenate([first, by_year[:-1]])


def _reference(cube, leaves, years):
    """What each unit had in the year before, smoothed, by month: (M, U)."""
    here = country()
    year = yearly(cube.numerator)
    year = np.concatenate([year[:1] * BEFORE[cube.sheet.sense], year])  # row 0: the year before the first
    labels, district = np.unique(here.ancestor(DISTRICT)[leaves], return_inverse=True)
    weight = _usual(cube, leaves)
    usual = weight / np.bincount(district, weight)[district]
    out = np.empty((len(years), len(leaves)))
    for i in range(len(years)):
        recent = year[max(0, i - 2) : i + 1].mean(axis=0)
        total = np.bincount(district, year[i], len(labels))
        several = np.bincount(district, recent, len(labels))
        share = 0.5 * recent / np.maximum(several, 1e-9)[district] + 0.5 * usual
        share /= np.bincount(district, share)[district]
        out[i] = np.maximum.reduce([total, several / 2, np.full(len(labels), 0.5)])[district] * share
    return out[year_of(years)] * _part_of_year(years)


def _part_of_year(years):
    """Each month's part of its year, by days: (M, 1)."""
    days = np.diff(np.append(months(years), months(years)[-1] + 31)).astype(int)
    return (days / np.bincount(year_of(years), days)[year_of(years)])[:, None]


def _usual(cube, leaves):
    """A unit's usual weight in its district: its people, or one each where every circuit does the same."""
    here = country()
    if cube.code in ("PN.MEETINGS", "PN.ASSEMBLIES"):
        return np.ones(len(leaves))
    return here.roll_up(subcircuit_weights())[leaves] + 1e-9


def _all_above(here, leaves, values):
    """Values of places and of all their ancestors as sums. (M, U) -> positions (P,), (M, P)."""
    places, sums = [], []
    for level in range(here.level[leaves[0]] + 1):
        above, owner = np.unique(here.ancestor(level)[leaves], return_inverse=True)
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], np.arange(len(above)))
        places.append(above)
        sums.append(np.add.reduceat(values[:, order], starts, axis=1))
    return np.concatenate(places), np.concatenate(sums, axis=1)


def _rolled_up(cube):
    """Numerators and denominators of the cube's units and all above them in the institution."""
    tree, at = units(), positions()
    owners = {}
    for column, unit in enumerate(cube.units):
        one = tree[unit]
        while one is not None and one.institution == cube.sheet.institution:
            owners.setdefault(at[one.code], []).append(column)
            one = tree[at[one.parent]] if one.parent else None
    found = np.array(sorted(owners), np.int32)
    numerator = np.stack([cube.numerator[:, owners[unit]].sum(axis=1) for unit in found], axis=1)
    if cube.denominator is None:
        return found, numerator, None
    denominator = np.stack([cube.denominator[:, owners[unit]].sum(axis=1) for unit in found], axis=1)
    return found, numerator, denominator

"""Counts of the police scorecard: robberies by subcircuit and results of circuits and districts. All simulated.

National levels are plausible orders of magnitude, not published figures.
"""

from functools import cache

import numpy as np

from scorecard.sample.boundaries import drawing
from scorecard.sample.cubes import Cube, units_at
from scorecard.sample.institutions import POLICE
from scorecard.sample.territories import CIRCUIT, DISTRICT, ZONE, country, subcircuit_weights
from scorecard.sample.years import FIRST, confinement, course, each_month, each_year, stream, year_of, yearly

# Robberies a year in the nation, from 2014 on; later years as the last
ROBBERIES = {
    "PERSONS": (30100, 28200, 27600, 28700, 29900, 33600, 24100, 27000, 31600, 33100, 29400, 28200, 27600),
    "HOMES": (13900, 12400, 11900, 11700, 11300, 11000, 8300, 8500, 8100, 8500, 7900, 7600, 7400),
    "CARS": (5300, 4700, 4600, 5000, 5400, 6100, 5100, 7000, 10400, 12100, 10800, 9900, 9600),
    "MOTORCYCLES": (7400, 6800, 6500, 6800, 7300, 8500, 7300, 10700, 16400, 18300, 17100, 16600, 16900),
    "BUSINESSES": (6900, 6100, 5400, 5100, 4900, 5200, 4100, 4400, 5100, 5700, 5200, 5000, 4900),
    "PARTS": (11800, 9900, 9000, 9200, 9600, 10600, 7700, 8100, 9000, 9300, 8400, 8200, 8000),
}
CONCENTRATION = {"PERSONS": 0.75, "HOMES": 0.5, "CARS": 0.8, "MOTORCYCLES": 0.75, "BUSINESSES": 0.65, "PARTS": 0.7}
SEASON = {
    "PERSONS": (0.97, 0.94, 1.0, 0.98, 1.0, 0.98, 1.01, 1.0, 1.0, 1.03, 1.04, 1.05),
    "HOMES": (1.03, 1.02, 1.03, 1.0, 0.99, 0.96, 1.0, 1.02, 0.98, 0.98, 0.98, 1.01),
}
EVEN = (1.0,) * 12

# Results a year in the nation: 2014 and 2023 (on a straight line between, level from then on); how unequal units are
RESULTS = {
    "WANTED": (5400, 7300, 0.5),
    "FIREARMS": (5900, 9800, 0.5),
    "MEETINGS": (23500, 27500, 0.25),
    "ASSEMBLIES": (6100, 7000, 0.25),
    "GANGS": (980, 1500, 0.5),
}
FOUND = {"CARSFOUND": ("CARS", 0.44, 0.36), "MOTORCYCLESFOUND": ("MOTORCYCLES", 0.31, 0.27)}  # share of the stolen


def robberies(years, seed=1) -> list[Cube]:
    """The six robberies by month and subcircuit, the nation's yearly totals exact."""
    here = country()
    units = units_at(POLICE, here.subcircuits)
    base = exposure()
    labels, zone = np.unique(here.ancestor(ZONE)[here.subcircuits], return_inverse=True)
    cubes = []
    for name in ROBBERIES:
        weight = base * stream(seed, "robberies", name).lognormal(0, CONCENTRATION[name], len(base))
        steps = each_year(years, seed, "zones", name, draw=lambda rng: rng.normal(0, 0.06, len(labels)))
        cubes.append(Cube(f"PN.ROBBERY.{name}", units, _spread(years, seed, name, weight, steps[:, zone])))
    return cubes


@cache
def exposure():
    """How much there is to steal in each subcircuit, (S,): people, more where cells are small, which is in towns."""
    here, drawn = country(), drawing()
    reach = dict(zip(drawn.codes, drawn.reach, strict=True))
    size = np.array([reach.get(here.places[place].code, 0.05) for place in here.subcircuits])
    return (subcircuit_weights() + 1e-6) * np.clip(0.01 / size, 0.3, 2.5)


def _spread(years, seed, name, weight, steps):
    """Yearly totals dealt out to months and subcircuits, (M, S): places drift, zones have trends of their own."""
    trend = np.exp(np.cumsum(steps, axis=0))
    months = (np.array(SEASON.get(name, EVEN)) * confinement(years).reshape(-1, 12)).tolist()
    return np.concatenate([
        _deal_out(stream(seed, "robberies", name, year), ROBBERIES[name], year, weight * place, month)
        for year, place, month in zip(years, trend, months, strict=True)
    ]).astype(float)  # fmt: skip


def _deal_out(rng, totals, year, place, month):
    """A year's total, (12, S)."""
    place = place * rng.lognormal(0, 0.18, len(place))
    chance = np.outer(month * rng.lognormal(0, 0.03, 12), place) * rng.lognormal(0, 0.2, (12, len(place)))
    total = totals[min(year - FIRST, len(totals) - 1)]
    return rng.multinomial(total, (chance / chance.sum()).ravel()).reshape(chance.shape)


def results(years, stolen, seed=1) -> list[Cube]:
    """What circuits and districts report by hand. `stolen` are the robbery cubes: what is found had been taken."""
    cubes = [_counted(years, seed, name, *of) for name, of in RESULTS.items()]
    taken = {cube.code: cube.numerator for cube in stolen}
    cubes += [_found(years, seed, name, taken[f"PN.ROBBERY.{of}"], *shares) for name, (of, *shares) in FOUND.items()]
    return cubes


def _reporting(level):
    here = country()
    places = here.at(level)
    return places[here.is_delimited[places]]


def _counted(years, seed, name, first, last, unequal):
    """Events of chance around an expected number, except meetings and assemblies, which a circuit holds by plan."""
    here = country()
    places = _reporting(DISTRICT if name == "GANGS" else CIRCUIT)
    weight = stream(seed, "results", name).lognormal(0, unequal, len(places))
    if name not in ("MEETINGS", "ASSEMBLIES"):
        weight *= here.roll_up(subcircuit_weights())[places] ** 0.7
    nation = course(years, {2014: first, 2023: last}) / 12
    steps = each_year(years, seed, "effort", name, draw=lambda rng: rng.normal(0, 0.07, len(places)))
    effort = np.exp(np.cumsum(steps, axis=0))[year_of(years)]
    quiet = np.minimum(1, confinement(years) + (0.25 if name in ("WANTED", "FIREARMS", "GANGS") else -0.1))
    expected = np.outer(nation * quiet, weight / weight.sum()) * effort
    return Cube(f"PN.{name}", units_at(POLICE, places), _by_chance(years, seed, name, expected))


def _found(years, seed, name, stolen, first, last):
    here = country()
    places = _reporting(CIRCUIT)
    rolled = here.roll_up(stolen.T)[places].T
    smooth = 0.6 * rolled + 0.4 * yearly(rolled)[year_of(years)] / 12
    own = stream(seed, "found", name).lognormal(0, 0.25, len(places))
    share = np.outer(course(years, {2014: first, 2023: last}), own)
    return Cube(f"PN.{name}", units_at(POLICE, places), _by_chance(years, seed, name, smooth * share))


def _by_chance(years, seed, name, expected):
    """Counts around what is expected, (M, U)."""
    of_year = iter(expected.reshape(len(years), 12, -1))
    return each_month(years, seed, "counts", name, draw=lambda rng: rng.poisson(next(of_year))).astype(float)

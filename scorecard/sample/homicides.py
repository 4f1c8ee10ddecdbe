"""Victims of intentional homicide, one row each: real totals by district and year, everything finer simulated.

Subcircuit, day, hour, place and person are drawn from a fixed seed, after patterns seen in the published files: heavy
concentration in few subcircuits, nights and weekends, years that start low and end high while violence grows.
"""

from functools import cache

import numpy as np
import shapely

from scorecard.sample import outline
from scorecard.sample.boundaries import ISLANDS, drawing, land
from scorecard.sample.territories import DISTRICT, country, national, stretches, subcircuit_weights
from scorecard.sample.years import FIRST, stream

KINDS = ("ASESINATO", "HOMICIDIO", "FEMICIDIO", "SICARIATO")
WEAPONS = ("ARMA DE FUEGO", "ARMA BLANCA", "ARMA CONTUNDENTE", "CONSTRICTORA", "OTROS")
MOTIVES = ("DELINCUENCIA COMUN", "VIOLENCIA COMUNITARIA", "VIOLENCIA INTRAFAMILIAR")
SEXES = ("HOMBRE", "MUJER", "NO DETERMINADO")
AREAS = ("URBANO", "RURAL")
SETTINGS = ("PUBLICO", "PRIVADO")

VICTIM = np.dtype(
    [
        ("date", "M8[D]"), ("hour", "i1"), ("minute", "i1"), ("place", "i4"), ("latitude", "f8"), ("longitude", "f8"),
        ("kind", "i1"), ("weapon", "i1"), ("motive", "i1"), ("area", "i1"), ("setting", "i1"), ("sex", "i1"),
        ("age", "i2"),
    ]
)  # fmt: skip

CONCENTRATION = 0.64  # spread (log) of subcircuits' weights in a district: 5 % of them hold some 28 % of victims
KIND_SHARE = np.array(  # 2014-2023, in the order of KINDS; later years as the last
    [
        [0.65, 0.31, 0.02, 0.02], [0.79, 0.13, 0.05, 0.03], [0.77, 0.15, 0.07, 0.01], [0.77, 0.12, 0.10, 0.01],
        [0.71, 0.21, 0.07, 0.01], [0.75, 0.19, 0.05, 0.01], [0.75, 0.19, 0.05, 0.01], [0.86, 0.10, 0.03, 0.01],
        [0.90, 0.07, 0.02, 0.01], [0.92, 0.06, 0.014, 0.006],
    ]
)  # fmt: skip
FIREARM_SHARE = np.array(  # 2014-2023
    [0.53, 0.52, 0.47, 0.52, 0.47, 0.55, 0.59, 0.73, 0.83, 0.86]
)  # fmt: skip
OTHER_WEAPONS = np.array([0.64, 0.14, 0.08, 0.14])
HOURS = np.array(
    [11.1, 9.2, 8.3, 7.6, 6.4, 5.4, 5.6, 4.8, 4.6, 5.1, 6.1, 6.9, 7.8, 8.3, 8.3, 9.3, 9.8, 10.8, 12.6, 15.7, 17.7, 17.3,
     17.0, 15.7]
)  # fmt: skip
WEEKDAYS = np.array([0.90, 0.88, 0.84, 0.85, 0.98, 1.17, 1.38])  # Monday first
MONTHS = np.array([0.99, 0.97, 1.0, 1.01, 1.01, 0.98, 0.99, 0.96, 1.01, 1.02, 1.02, 1.05])
NO_POINT = 0.02  # share of victims without coordinates


def victims(years, seed=1) -> np.ndarray:
    """All victims of these years, structured VICTIM, in order of date; the days to come of a running year included.

    `place` is a position in `country().places`; coordinates NaN and hour, minute, age -1 where unknown; `kind`,
    `weapon`, `motive`, `sex`, `area`, `setting` are positions in the tuples above.
    """
    return np.concatenate([_of_year(year, seed) for year in years])


def _of_year(year, seed):
    rng = stream(seed, "victims", year)
    weight = _weights(seed) * rng.lognormal(0, 0.25, len(country().subcircuits))
    parts = [(_places(rng, weight, part.victims), _days(rng, year, part)) for part in stretches(year)]
    place, days = (np.concatenate(of) for of in zip(*parts, strict=True))
    out = np.empty(len(place), VICTIM)
    out["place"], out["date"] = place, days
    out["hour"] = np.where(rng.random(len(out)) < 0.01, -1, rng.choice(24, len(out), p=HOURS / HOURS.sum()))
    out["minute"] = np.where(out["hour"] < 0, -1, rng.choice([0, 10, 15, 20, 30, 40, 45, 50], len(out)))
    _people(rng, out, min(year - FIRST, len(KIND_SHARE) - 1))
    out["latitude"], out["longitude"], reach = points(rng, place, seed)
    out["area"] = reach > 0.012
    return out[np.argsort(out["date"], kind="stable")]


def until(found, now) -> np.ndarray:
    """Those of the victims that were found by now, a time of the country; without an hour, once the day is over."""
    today, minute = np.datetime64(now.date()), now.hour * 60 + now.minute
    is_over = (found["hour"] >= 0) & (found["hour"].astype(int) * 60 + found["minute"] <= minute)
    return found[(found["date"] < today) | ((found["date"] == today) & is_over)]


@cache
def _weights(seed):
    """How violent each subcircuit is in the long run, (S,)."""
    people = subcircuit_weights() + 1e-6
    return people * stream(seed, "violence").lognormal(0, CONCENTRATION, len(people))


def _places(rng, weight, totals):
    """Subcircuit of every victim: the districts' totals exact, subcircuits by weight within the district."""
    here = country()
    district = here.ancestor(DISTRICT)[here.subcircuits]
    order = np.argsort(district, kind="stable")
    top = np.cumsum(weight[order])
    ends = np.append(top, top[-1])
    chosen = []
    for place, total in zip(here.at(DISTRICT), totals, strict=True):
        first, last = np.searchsorted(district[order], [place, place + 1])
        low, high = (top[first - 1] if first else 0.0), ends[last - 1]
        draw = np.searchsorted(top, low + rng.random(total) * (high - low), side="right")
        chosen.append(here.subcircuits[order[np.clip(draw, first, last - 1)]])
    return np.concatenate(chosen)


def _days(rng, year, part):
    """Days of a stretch for its victims: the trend between years, month, weekday."""
    days = np.arange(part.start, part.end)
    top = np.cumsum(day_weights(year, days))
    found = np.searchsorted(top, rng.random(part.victims.sum()) * top[-1], side="right")
    return days[np.minimum(found, len(days) - 1)]


def day_weights(year, days) -> np.ndarray:
    """How likely each of a year's days is, (N,)."""
    around = [max(FIRST, year - 1), year, year + 1]
    middles = np.array([f"{one}-07-01" for one in around], "M8[D]")
    trend = np.interp(days.astype(int), middles.astype(int), np.log([national(one).victims for one in around]))
    month = days.astype("M8[M]").astype(int) % 12
    weekday = (days.astype(int) + 3) % 7  # 1 January 1970 was a Thursday
    return np.exp(trend) * MONTHS[month] * WEEKDAYS[weekday]


def _people(rng, out, year):
    size = len(out)
    out["kind"] = rng.choice(len(KINDS), size, p=KIND_SHARE[year] / KIND_SHARE[year].sum())
    femicide = out["kind"] == KINDS.index("FEMICIDIO")
    firearm = rng.random(size) < np.where(femicide, 0.22, FIREARM_SHARE[year] * 1.01)
    out["weapon"] = np.where(firearm, 0, 1 + rng.choice(4, size, p=OTHER_WEAPONS))
    out["sex"] = np.where(femicide, 1, rng.choice(3, size, p=[0.922, 0.075, 0.003]))
    motive = rng.choice(3, size, p=[0.73, 0.23, 0.04])
    out["motive"] = np.where(femicide, 2, motive)
    age = np.exp(rng.normal(np.log(30), 0.38, size)).clip(0, 95)
    out["age"] = np.where(rng.random(size) < 0.01, -1, age)
    out["setting"] = rng.random(size) < np.where(femicide, 0.75, 0.32)


def points(rng, place, seed=1):
    """Latitude, longitude (four decimals) and the reach of the cell, (N,) each: near few micro-places of the cell."""
    drawn, here = drawing(), country()
    spot = {code: i for i, code in enumerate(drawn.codes)}
    cell = np.array([spot.get(here.places[i].code, -1) for i in range(len(here.places))])[place]
    fixed = np.array([(one.longitude, one.latitude) for one in here.places])
    inside = cell >= 0
    centre = np.where(inside[:, None], drawn.points[cell], fixed[place])
    reach = np.where(inside, drawn.reach[cell], 0.02)
    anchors = _micro_places(seed)
    near = anchors[place, rng.choice(3, len(place), p=[0.5, 0.3, 0.2])] + rng.normal(0, 0.08, (len(place), 2))
    offset = np.where(rng.random((len(place), 1)) < 0.65, near, _in_disc(rng, len(place)))
    offset /= np.maximum(1, np.linalg.norm(offset, axis=1, keepdims=True) / 0.95)
    found = _ashore(np.round(centre + offset * reach[:, None], 4), centre, inside)
    islands = np.array([one.code.startswith(ISLANDS) for one in here.places])[place]
    found[islands] -= outline.GALAPAGOS_INSET  # the map's inset is no place where things happen
    found[rng.random(len(found)) < NO_POINT] = np.nan
    return found[:, 1].round(4), found[:, 0].round(4), reach


@cache
def _micro_places(seed):
    """Three spots in each cell where most of what happens does, as parts of its reach, (P, 3, 2)."""
    return _in_disc(stream(seed, "micro-places"), (len(country().places), 3)) * 0.6


def _ashore(points, centre, inside):
    wet = inside & ~shapely.contains_xy(land(), points)
    points[wet] = centre[wet]
    return points


def _in_disc(rng, shape):
    """Even draws from the unit disc, (..., 2)."""
    turn, radius = rng.random(shape) * 2 * np.pi, np.sqrt(rng.random(shape))
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=-1)


def monthly(found, years) -> np.ndarray:
    """Victims by month and subcircuit. VICTIM rows -> (M, S) int64 in order of `country().subcircuits`."""
    here = country()
    column = np.full(len(here.places), -1)
    column[here.subcircuits] = np.arange(len(here.subcircuits))
    month = found["date"].astype("M8[M]").astype(int) - (years[0] - 1970) * 12
    size = (len(years) * 12, len(here.subcircuits))
    return np.bincount(month * size[1] + column[found["place"]], minlength=size[0] * size[1]).reshape(size)

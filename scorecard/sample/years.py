"""The years of the sample, and chance that is the same whatever day it is loaded on.

Figures are made from 2014, with which the real totals begin, to the end of the year that runs, whole; the last ten
years are loaded, the running one up to now. Each year draws from a stream of its own, so that a year that is over is
the same in every load.
"""

import zlib

import numpy as np

FIRST = 2014
LOADED = 10


def years_to(day) -> tuple[int, ...]:
    """The years that are made for a load on this day."""
    return tuple(range(FIRST, max(day.year, FIRST + LOADED - 1) + 1))


def months(years) -> np.ndarray:
    """First days of the years' months, (M,) M8[D]."""
    first = np.datetime64(f"{years[0]}-01")
    return np.arange(first, first + 12 * len(years)).astype("M8[D]")


def year_of(years) -> np.ndarray:
    """Index of each month's year, (M,)."""
    return np.arange(12 * len(years)) // 12


def yearly(monthly) -> np.ndarray:
    """Sums by calendar year: (M, ...) -> (Y, ...)."""
    return monthly.reshape(-1, 12, *monthly.shape[1:]).sum(axis=1)


def course(years, points) -> np.ndarray:
    """A level that runs straight between what it was at the middle of some years, {year: level}; (M,)."""
    at = np.arange(12 * len(years)) / 12 + years[0]
    return np.interp(at, [year + 0.5 for year in points], list(points.values()))


def confinement(years) -> np.ndarray:
    """Share of ordinary activity that went on in each month, (M,): the months of confinement of 2020 stand out."""
    level = np.ones(12 * len(years))
    if 2020 in years:
        start = years.index(2020) * 12 + 2
        level[start : start + 6] = [0.6, 0.3, 0.4, 0.6, 0.75, 0.85]
    return level


def stream(seed, *what) -> np.random.Generator:
    """Random numbers of their own for one thing that is drawn: a name, or a name and a year."""
    return np.random.default_rng([seed, *(zlib.crc32(str(one).encode()) for one in what)])


def each_year(years, seed, *what, draw) -> np.ndarray:
    """draw(random numbers of the year) of every year, stacked: (Y, ...)."""
    return np.stack([draw(stream(seed, *what, year)) for year in years])


def each_month(years, seed, *what, draw) -> np.ndarray:
    """As each_year, where a draw is of twelve months: (M, ...)."""
    return np.concatenate([draw(stream(seed, *what, year)) for year in years])

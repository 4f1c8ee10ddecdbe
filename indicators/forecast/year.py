"""The total of a year from its months so far: its mean from the level, its width from how earlier years came out.

Everything that is fitted - which memory, how far forecasts were off together, how wide they must be - comes from
forecasts of earlier years made from as many months. A year back counts three times as much as the year before it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import negative_binomial as nb
from .level import LEAST, level

MEMORIES = (1.5, 3.0, 12.0)  # months
USUAL_MEMORY = 3.0
FADE = 1 / 3  # what a year counts beside the one after it
HELD = 1.0  # years without any error that hold the correction back
WIDER = 1.2  # the spread comes from few years: so much wider
HISTORY = 12  # months needed before the origin
KEPT = 72  # months looked back on: five earlier years
MONTHS = 12


class Calibration(NamedTuple):
    """What earlier years taught. years: how many; cells: units x years; factor: how far off all were together."""

    memory: float
    factor: float
    spread: float
    years: int
    cells: int


class Forecast(NamedTuple):
    """Of each unit: events so far in the year, and mean and spread of what is to come in `months` months, (N,)."""

    so_far: np.ndarray
    mean: np.ndarray
    months: np.ndarray
    calibration: Calibration

    def quantile(self, chance):
        """The year's total that is reached with at most this chance; chance broadcasts against (N,)."""
        done = self.mean == 0
        mean = np.where(done | np.isnan(self.mean), 1.0, self.mean)
        found = np.where(done, 0.0, nb.quantile(chance, mean, self.calibration.spread))
        return np.where(np.isnan(self.mean), np.nan, self.so_far + found)

    def at_most(self, total):
        """The chance that the year's total is `total` or less."""
        left = np.asarray(total, float) - self.so_far
        done = self.mean == 0
        found = nb.at_most(left, np.where(done, 1.0, self.mean), self.calibration.spread)
        return np.where(done, (left >= 0) * 1.0, np.where(np.isnan(self.mean + left), np.nan, found))

    def path(self, chance, month):
        """The total after `month` further months, as `quantile` says it of the last."""
        part = np.divide(month, self.months, out=np.ones(np.shape(self.mean)), where=self.months > 0)
        return Forecast(self.so_far, self.mean * np.minimum(part, 1.0), self.months, self.calibration).quantile(chance)


def forecast(counts: np.ndarray, month: int, rates=None, calibration: Calibration | None = None) -> Forecast:
    """The year's total of units that are siblings, from counts (N, T) up to month 1..12 of the year; NaN missing.

    The last column is the last month known; the last KEPT count. `rates` maps a name to a function of (counts, month)
    that gives events a month; by default the level with each of MEMORIES. Missing months of the year are forecast with
    the rest. calibration: where it is known already.
    """
    counts = np.asarray(counts, float)[:, -KEPT:]
    rates = rates or _LEVELS
    calibration = calibration or calibrate(counts, month, rates)
    so_far, left = _so_far(counts, month)
    rate = np.maximum(rates[calibration.memory](counts, month), LEAST) * calibration.factor
    return Forecast(so_far, rate * left, left, calibration)


def calibrate(counts: np.ndarray, month: int, rates=None) -> Calibration:
    """The rate that served earlier years best, by their log score, and its factor and spread."""
    return _calibrated(earlier(counts, month, rates or _LEVELS))


def _calibrated(past: dict, but: int | None = None) -> Calibration:
    """The calibration by earlier years, without the one that lies `but` years back."""
    usual = USUAL_MEMORY if USUAL_MEMORY in past else next(iter(past))
    best, best_score = Calibration(usual, 1.0, nb.UNTRIED_SPREAD * WIDER, 0, 0), -np.inf
    for name, every in past.items():
        rows = [row for row in every if row[0] != but]
        if not rows:
            continue
        weight = np.array([FADE**back for back, _mean, _came in rows])
        off = np.array([np.log((came.sum() + HELD) / (mean.sum() + HELD)) for _back, mean, came in rows])
        factor = float(np.exp((weight * off).sum() / (weight.sum() + HELD)))
        mean, came = (np.concatenate([row[part] for row in rows]) for part in (1, 2))
        weights = np.repeat(weight, [len(row[1]) for row in rows])
        spread, score = nb.fit_spread(came, mean * factor, weights)
        if score > best_score:
            best, best_score = Calibration(name, factor, spread * WIDER, len(rows), len(mean)), score
    return best


def earlier(counts: np.ndarray, month: int, rates) -> dict:
    """What would have been forecast in earlier years: rate -> [(years back, mean, what came)], the last year first.

    Of units whose rest of that year is known whole.
    """
    found: dict = {name: [] for name in rates}
    left, back = MONTHS - month, 1
    if not left:
        return found
    while (end := counts.shape[1] - MONTHS * back) >= HISTORY:
        came = counts[:, end : end + left].sum(1)
        for name, rate in rates.items():
            mean = np.maximum(rate(counts[:, :end], month), LEAST) * left
            use = ~np.isnan(mean + came)
            if use.any():
                found[name].append((back - 1, mean[use], came[use]))
        back += 1
    return found


def _so_far(counts, month):
    this_year = counts[:, -month:]
    known = ~np.isnan(this_year)
    return np.where(known, this_year, 0.0).sum(1), MONTHS - known.sum(1)


def _with(memory):
    return lambda counts, _month: level(counts, memory)


_LEVELS = {memory: _with(memory) for memory in MEMORIES}


def held(counts: np.ndarray, month: int, rates=None) -> np.ndarray:
    """Of each total of earlier years, how much fell within its 80 % interval, 0..1 (randomised PIT, in expectation).

    Each year by what the other years teach, its own left out. (years x units,); empty with fewer than two of them.
    """
    past = earlier(np.asarray(counts, float)[:, -KEPT:], month, rates or _LEVELS)
    inside = []
    for at in sorted({row[0] for rows in past.values() for row in rows}):
        known = _calibrated(past, but=at)
        if not known.years:
            return np.zeros(0)
        mean, came = next(row[1:] for row in past[known.memory] if row[0] == at)
        inside.append(within(*(nb.at_most(came - less, mean * known.factor, known.spread) for less in (1, 0))))
    return np.concatenate(inside) if inside else np.zeros(0)


def within(low, high):
    """How much of the chance between low and high, those below and up to what came, lies from 10 to 90 %."""
    part = np.clip(np.minimum(high, 0.9) - np.maximum(low, 0.1), 0, None) / np.maximum(high - low, 1e-12)
    return np.minimum(part, 1)

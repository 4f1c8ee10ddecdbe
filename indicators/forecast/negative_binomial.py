"""Counts whose variance is mean + spread x mean²: chances, quantiles, and the spread that past forecasts show."""

from __future__ import annotations

import numpy as np
from scipy import special

SPREADS = np.geomspace(0.002, 4.0, 48)
COARSE = 5  # every fifth is tried first, then those around the best
USUAL_SPREAD, USUAL_WIDTH = 0.05, 1.0  # where little is known: its middle, and the standard deviation of its logarithm
UNTRIED_SPREAD = 0.1  # where nothing is: no earlier year


def log_chance(count, mean, spread):
    """Log probability of a count."""
    size = 1.0 / spread
    both = special.gammaln(count + size) - special.gammaln(size) - special.gammaln(count + 1)
    return both + size * np.log(size / (size + mean)) + special.xlogy(count, mean / (size + mean))


def at_most(count, mean, spread):
    """Probability of `count` or fewer; 0 below zero."""
    size = 1.0 / np.asarray(spread, float)
    whole = np.floor(np.maximum(count, 0.0))
    return np.where(np.asarray(count) < 0, 0.0, special.betainc(size, whole + 1, size / (size + mean)))


def quantile(chance, mean, spread):
    """The least count at or below which at least `chance` lies; arrays broadcast. Bisection over whole numbers."""
    chance, mean, spread = np.broadcast_arrays(*(np.asarray(a, float) for a in (chance, mean, spread)))
    low = np.full(chance.shape, -1.0)
    high = np.ceil(mean + 12 * np.sqrt(mean + spread * mean**2) + 12)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        reached = at_most(middle, mean, spread) >= chance
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def fit_spread(count, mean, weight):
    """(spread, log score): the spread by which past counts were likeliest, drawn to the usual one where few."""
    scores = np.full(len(SPREADS), -np.inf)

    def score(at):
        drawn = (np.log(SPREADS[at] / USUAL_SPREAD) / USUAL_WIDTH) ** 2 / 2
        scores[at] = (log_chance(count, mean, SPREADS[at]) * weight).sum() - drawn

    for at in range(0, len(SPREADS), COARSE):
        score(at)
    near = int(np.argmax(scores))
    for at in range(max(near - COARSE + 1, 0), min(near + COARSE, len(SPREADS))):
        score(at)
    best = int(np.argmax(scores))
    return float(SPREADS[best]), float(scores[best])

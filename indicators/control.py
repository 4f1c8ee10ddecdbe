"""Control charts of counts: what a process in its usual state does, and what is a signal. Pure.

The centre is the mean of the periods before each one (at most BASE of them), so that none is judged by itself.
Limits are those that a Poisson count stays within 99.73 times of 100, widened by the dispersion of the past (a scaled
Poisson): the chance of three standard deviations of a normal. Shewhart (1931); Benneyan (1998) for counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import poisson

from indicators.change import dispersion_of, drawn_to_usual

BASE = 26  # periods before, at most
FEWEST = 6  # periods before, at least
TAIL = 0.00135
RUN = 8  # periods in a row on one side of the centre


class Control(NamedTuple):
    """Of each period (T,): centre, low, high (NaN where too little came before), and three kinds of signals."""

    centre: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_above: np.ndarray
    is_below: np.ndarray
    is_run: np.ndarray


def control(counts: np.ndarray) -> Control:
    """counts (T,) of periods of the same length, in order of time; NaN of those that do not compare."""
    counts = np.asarray(counts, float)
    centre, low, high = (np.full(counts.shape, np.nan) for _ in range(3))
    for n in range(FEWEST, len(counts)):
        past = counts[max(0, n - BASE) : n]
        past = past[~np.isnan(past)]
        if len(past) < FEWEST:
            continue
        centre[n] = past.mean()
        spread = max(1.0, float(drawn_to_usual(dispersion_of(past)).value))
        low[n], high[n] = (spread * poisson.ppf(tail, centre[n] / spread) for tail in (TAIL, 1 - TAIL))
    side = np.sign(np.nan_to_num(counts - centre))
    return Control(centre, low, high, counts > high, counts < low, _runs(side))


def _runs(side):
    """Whether a period ends at least RUN in a row on its side of the centre."""
    found, length = np.zeros(side.shape, bool), 0
    for n, one in enumerate(side):
        length = 0 if one == 0 else length + 1 if n and one == side[n - 1] else 1
        found[n] = length >= RUN
    return found

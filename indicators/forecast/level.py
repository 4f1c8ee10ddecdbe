"""How many events a month to expect of each unit: its own recent months, held up by its longer past and its parent's.

Two gamma-Poisson steps. A unit's long level, remembered with a half-life of two years, is drawn to the mean of all
units; its level now, from a short memory, is drawn to the long level as strongly as `HOLD` events would. Units of many
events follow their own recent months, units of few their longer past and their parent. Before either step the parent's
own movement is taken out of the past, so that old months speak at the level of today.
"""

from __future__ import annotations

import numpy as np

LONG = 24.0  # months: half-life of the memory for the long level
SMOOTH = 2.0  # months: half-life, both ways, by which the parent's own level is smoothed
HOLD, HOLD_LONG = 6.0, 0.5  # events: how strongly a level is drawn to the one above it
LEAST = 0.002  # events a month: what has never happened may


def level(counts: np.ndarray, memory: float) -> np.ndarray:
    """Expected events a month of each unit just after the last month. counts (N, T), NaN missing; (N,).

    memory: half-life in months of the short memory. NaN for a unit without a single known month.
    """
    known = ~np.isnan(counts)
    seen = np.where(known, counts, 0.0)
    exposure = known * parents_level(counts)
    age = np.arange(counts.shape[1])[::-1]
    events, months = (a @ 0.5 ** (age / LONG) for a in (seen, exposure))
    mean = max(events.sum() / max(months.sum(), 1e-9), LEAST)
    long = np.maximum((events + HOLD_LONG) / (months + HOLD_LONG / mean), LEAST)
    events, months = (a @ 0.5 ** (age / memory) for a in (seen, exposure))
    found = (events + HOLD) / (months + HOLD / long)
    return np.where(known.any(1), np.maximum(found, LEAST), np.nan)


def parents_level(counts: np.ndarray) -> np.ndarray:
    """The level of all units together in each month beside that of the last, (T,): smoothed over time.

    A month in which some units are missing is filled up by what they hold on average.
    """
    known = ~np.isnan(counts)
    usual = np.where(known, counts, 0.0).sum(1) / np.maximum(known.sum(1), 1) + 1e-6
    share = (known * usual[:, None]).sum(0) / usual.sum()
    months = np.arange(counts.shape[1])
    near = 0.5 ** (np.abs(months[:, None] - months) / SMOOTH) * share  # a month in which little is known says little
    total = np.where(known, counts, 0.0).sum(0) / np.maximum(share, 1e-9)
    smooth = (near @ total) / np.maximum(near.sum(1), 1e-9)
    smooth = np.maximum(smooth, 0.5 * len(counts) * LEAST)
    return smooth / smooth[-1]

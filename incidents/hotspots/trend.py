"""How hot spots change over slices of time: Mann-Kendall on each cell's Gi*, and a class for each hot cell. Pure."""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

FEWEST_SLICES = 4
STEADY = 0.8  # share of the slices in which a persistent hot spot is hot
ALPHA = 0.05


class Trend(NamedTuple):
    """Mann-Kendall of each series: S, its standardised z (sign of the trend), two-sided p."""

    s: np.ndarray
    z: np.ndarray
    p: np.ndarray


class Change(IntEnum):
    """What a hot spot does over time; see `emerging`."""

    NONE = 0
    NEW = 1
    INTENSIFYING = 2
    PERSISTENT = 3
    DIMINISHING = 4
    SPORADIC = 5


def mann_kendall(series: np.ndarray) -> Trend:
    """Mann (1945) and Kendall (1975) along the first axis, (slices, ...), with the correction for ties and continuity.

    S = sum over i < j of sign(x_j - x_i); var = (n(n-1)(2n+5) - sum t(t-1)(2t+5)) / 18; z = (S - sign S) / sqrt var.
    """
    n = len(series)
    s = np.zeros(series.shape[1:])
    for i in range(n - 1):
        s += np.sign(series[i + 1 :] - series[i]).sum(axis=0)
    variance = np.maximum(n * (n - 1) * (2 * n + 5) - _ties(series), 0) / 18
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0, (s - np.sign(s)) / np.sqrt(variance), 0.0)
    return Trend(s, z, 2 * ndtr(-np.abs(z)))


def _ties(series):
    """Sum of t(t-1)(2t+5) over groups of equal values, along the first axis."""
    ordered = np.sort(series, axis=0)
    run, total = np.ones(series.shape[1:]), np.zeros(series.shape[1:])
    for before, after in pairwise(ordered):
        same = before == after
        total += np.where(same, 0, run * (run - 1) * (2 * run + 5))
        run = np.where(same, run + 1, 1)
    return total + run * (run - 1) * (2 * run + 5)


def emerging(z: np.ndarray, is_hot: np.ndarray) -> np.ndarray:
    """The class of each cell from z and hotness by slice, (slices, ...): a Change a cell; the first that holds.

    new: hot in the last slice alone. intensifying: hot in the last, Gi* rising (Mann-Kendall, ALPHA). diminishing: hot
    in at least two, Gi* falling. persistent: hot in STEADY of the slices, and in the last. sporadic: hot in others.
    Fewer than FEWEST_SLICES tell nothing: NONE.
    """
    found = np.zeros(is_hot.shape[1:], np.int8)
    slices = len(is_hot)
    if slices < FEWEST_SLICES:
        return found
    times, last = is_hot.sum(axis=0), is_hot[-1]
    trend = mann_kendall(np.nan_to_num(z))
    is_moving = trend.p <= ALPHA
    rules = [
        (Change.NEW, last & (times == 1)),
        (Change.INTENSIFYING, last & is_moving & (trend.z > 0)),
        (Change.DIMINISHING, (times > 1) & is_moving & (trend.z < 0)),
        (Change.PERSISTENT, last & (times >= STEADY * slices)),
        (Change.SPORADIC, times > 0),
    ]
    return np.select([holds for _, holds in rules], [change for change, _ in rules], found).astype(np.int8)

"""Classes of a choropleth: where each begins, by equal steps, by equal numbers of areas, or at natural breaks. Pure.

Natural breaks are Fisher's (1958), which Jenks brought to maps: the classes whose values lie closest to their means.
The optimum is found exactly, by dynamic programming; other programs' "Jenks" may stop short of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

METHODS = ("equal", "quantile", "natural")
CLASSES = 5
MOST_NATURAL = 1500  # values beyond which natural breaks look at evenly taken ones


def breaks(values: Sequence[float], method: str, classes: int = CLASSES) -> list[float]:
    """The least value of each class, ascending, at most `classes` of them; empty where there are no values.

    Missing values (NaN) are in no class. Equal values are never parted, so there may be fewer classes.
    """
    known = np.sort([value for value in values if value is not None and math.isfinite(value)])
    if not len(known):
        return []
    distinct = np.unique(known)
    if len(distinct) <= classes and method != "equal":
        return distinct.tolist()
    if method == "equal":
        return np.unique(np.linspace(known[0], known[-1], classes + 1)[:-1]).tolist()
    if method == "quantile":
        first = (np.arange(classes) * len(known)) // classes
        return np.unique(known[first]).tolist()
    if method == "natural":
        return _natural(known, classes)
    raise ValueError(f"Unknown classing {method!r}: one of {', '.join(METHODS)}")


def _natural(known: np.ndarray, classes: int) -> list[float]:
    """Classes of sorted values with the least sum of squares about their means; best[k, j] of k classes of the first j.

    Sums of squares come from running sums, so the whole costs classes x values^2 additions.
    """
    if len(known) > MOST_NATURAL:
        known = np.unique(known[np.linspace(0, len(known) - 1, MOST_NATURAL).astype(int)])
    n = len(known)
    shifted = known - known.mean()
    sums, squares = np.concatenate(([0], np.cumsum(shifted))), np.concatenate(([0], np.cumsum(shifted**2)))
    ends = np.arange(n + 1)
    best = np.full((classes + 1, n + 1), np.inf)
    best[0, 0] = 0.0
    start = np.zeros((classes + 1, n + 1), int)
    for k in range(1, classes + 1):
        for j in range(k, n + 1):
            i = ends[k - 1 : j]
            spread = squares[j] - squares[i] - (sums[j] - sums[i]) ** 2 / (j - i)
            total = best[k - 1, i] + spread
            at = int(total.argmin())
            best[k, j], start[k, j] = total[at], i[at]
    found, j = [], n
    for k in range(classes, 0, -1):
        j = start[k, j]
        found.append(float(known[j]))
    return sorted(set(found))


def class_of(value: float | None, least: Sequence[float]) -> int:
    """The class of a value, 1 the lowest; 0 where it is missing."""
    if value is None or math.isnan(value) or not least:
        return 0
    return max(1, int(np.searchsorted(least, value, side="right")))

"""Near repeats: whether events close in place are close in time more often than chance would have it. Pure.

Knox (1964): pairs by band of distance and of days; the expectation by Monte Carlo, dates shuffled among places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

DISTANCES = (200.0, 400.0, 800.0)  # upper edges of the bands, metres
DAYS = (7, 14, 28)  # upper edges, whole days
SHUFFLES = 199
MOST_EVENTS = 4000  # beyond these, the latest are looked at
MOST_PAIRS = 60_000


@dataclass(frozen=True)
class Knox:
    """Tables (distances, spans): pairs seen, the mean of the shuffles, how many shuffles reach what was seen, and p."""

    events: int
    distances: tuple[float, ...]
    days: tuple[int, ...]
    shuffles: int
    observed: np.ndarray
    expected: np.ndarray
    p: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """Seen over expected; NaN where nothing is expected."""
        return np.divide(
            self.observed, self.expected, out=np.full(self.expected.shape, np.nan), where=self.expected > 0
        )


def knox(x, y, day, *, distances=DISTANCES, days=DAYS, shuffles=SHUFFLES, seed=1) -> Knox:
    """x, y in metres and day in whole days, (N,); bands end at, and include, their upper edge.

    p = (1 + shuffles that reach the count seen) / (1 + shuffles), one-sided. The same seed gives the same p for ever.
    """
    x, y, day = _bounded(np.asarray(x), np.asarray(y), np.asarray(day, np.int64), distances[-1])
    pairs = cKDTree(np.column_stack((x, y))).query_pairs(distances[-1], output_type="ndarray")
    if not len(pairs):
        none = np.zeros((len(distances), len(days)))
        return Knox(len(x), tuple(distances), tuple(days), shuffles, none.astype(int), none, np.ones(none.shape))
    apart = np.hypot(x[pairs[:, 0]] - x[pairs[:, 1]], y[pairs[:, 0]] - y[pairs[:, 1]])
    band = np.searchsorted(distances, apart)
    inside = band < len(distances)  # rounding may leave a pair beyond the last edge
    first, second, band = pairs[inside, 0], pairs[inside, 1], band[inside]
    edges, width = np.asarray(days), len(days) + 1
    spans = np.searchsorted(edges, np.arange(int(np.ptp(day)) + 1))  # the band of each number of days between

    def table(when):
        span = spans[np.abs(when[first] - when[second])]
        return np.bincount(band * width + span, minlength=len(distances) * width).reshape(-1, width)[:, :-1]

    observed, rng = table(day), np.random.default_rng(seed)
    total, reached = np.zeros(observed.shape), np.zeros(observed.shape, int)
    for _ in range(shuffles):
        counts = table(rng.permutation(day))
        total += counts
        reached += counts >= observed
    p = (1 + reached) / (1 + shuffles)
    return Knox(len(x), tuple(distances), tuple(days), shuffles, observed, total / max(shuffles, 1), p)


def _bounded(x, y, day, farthest):
    """The latest events, so few that an answer comes at once."""
    order = np.argsort(day, kind="stable")[-MOST_EVENTS:]
    while len(order) > 50:
        tree = cKDTree(np.column_stack((x[order], y[order])))
        if (tree.count_neighbors(tree, farthest) - len(order)) // 2 <= MOST_PAIRS:
            break
        order = order[len(order) // 2 :]
    return x[order], y[order], day[order]

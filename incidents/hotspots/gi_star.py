"""Getis-Ord Gi*: where the sum of a square neighbourhood, the cell itself included, is more than chance explains. Pure.

z_i = (sum_j w_ij x_j - m W_i) / (s sqrt((n W_i - W_i^2) / (n - 1))), w in {0, 1}, W_i = sum_j w_ij, m and s
the mean and population deviation over the n cells of the area. Getis and Ord (1992), Ord and Getis (1995).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincc, ndtr

FEW_KEYS = 1_000_000  # up to which a table is quicker than sorting
LEVELS = (0.01, 0.05, 0.10)  # false discoveries among what is called hot, by which classes are told apart


def box_sums(values: np.ndarray, reach: int) -> np.ndarray:
    """Sums over the square of cells at most `reach` away in each direction, along the last two axes; outside is 0."""
    return _sums_along(_sums_along(values, reach, -1), reach, -2)


def _sums_along(values, reach, axis):
    n = values.shape[axis]
    if reach <= 2:  # some shifted additions are quicker than two passes of a running sum
        total = values.copy()
        for step in range(1, min(reach, n - 1) + 1):
            ahead, behind = _part(axis, slice(step, None)), _part(axis, slice(None, n - step))
            total[behind] += values[ahead]
            total[ahead] += values[behind]
        return total
    running = np.cumsum(values, axis=axis)
    total = np.take(running, np.minimum(np.arange(n) + reach, n - 1), axis=axis)
    later = _part(axis, slice(reach + 1, None))
    if reach + 1 < n:
        total[later] -= running[_part(axis, slice(None, n - reach - 1))]
    return total


def _part(axis, part):
    return (..., part) if axis == -1 else (..., part, slice(None))


def gi_star(values: np.ndarray, reach: int = 1, area: np.ndarray | None = None) -> np.ndarray:
    """z of every cell; values (rows, columns) or (slices, rows, columns), area (rows, columns) bool.

    Cells outside the area are no neighbours and have NaN. Where all cells are alike there is nothing to tell: NaN.
    """
    if area is None:
        n = values.shape[-1] * values.shape[-2]
        weights = np.outer(*(_reached(side, reach) for side in values.shape[-2:]))
        inside = values.astype(np.float64, copy=True)
        mean = inside.mean(axis=(-2, -1), keepdims=True)
        inside -= mean
    else:
        n = int(area.sum())
        weights = box_sums(area.astype(np.float64), reach)
        mean = np.where(area, values, 0).sum(axis=(-2, -1), keepdims=True) / max(n, 1)
        inside = np.where(area, values - mean, 0.0)
    # Deviations from the mean are summed: the mean's own share of the sum is gone, and with it the lost digits.
    deviation = np.sqrt(np.einsum("...ij,...ij->...", inside, inside) / max(n, 1))[..., None, None]
    scale = np.sqrt(np.maximum(n * weights - weights * weights, 0) / max(n - 1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1 / scale
    scale[~np.isfinite(scale)] = np.nan
    if area is not None:
        scale[~area] = np.nan
    z = box_sums(inside, reach)
    z *= scale
    z /= np.where(deviation > 1e-12 * np.maximum(np.abs(mean), 1e-300), deviation, np.nan)
    return z


def _reached(side, reach):
    """How many cells of a line are within reach of each, itself included."""
    at = np.arange(side)
    return (np.minimum(at + reach, side - 1) - np.maximum(at - reach, 0) + 1).astype(np.float64)


def gi_star_of(values: np.ndarray, neighbours: list[list[int]]) -> np.ndarray:
    """z of areas of any shape (n,), from the list of each one's neighbours, itself not named. For few areas."""
    n = len(values)
    centred = values - values.mean()
    s = np.sqrt((centred**2).mean())
    z = np.empty(n)
    for i, near in enumerate(neighbours):
        own = sorted({i, *near})
        w = len(own)
        z[i] = centred[own].sum() / (s * np.sqrt((n * w - w * w) / (n - 1)))
    return z


def chance(counts: np.ndarray, reach: int = 1, area: np.ndarray | None = None) -> np.ndarray:
    """Two-sided chance of each cell's sum where counts are shuffled among the cells of the area, (rows, columns); NaN
    where z has none.

    Few events make sums skewed, and z's normal tail then calls hot what is chance. The sum of W of n cells drawn
    without replacement has mean W m, variance s^2 W (n - W) / (n - 1) and a known third moment: a Pearson type III
    curve with these three gives the tail, half a count off for whole numbers. That curve ends below: for cold cells the
    larger of its tail and the normal one counts. Each sum is worked out once.
    """
    area = np.ones(counts.shape, bool) if area is None else area
    whole = np.where(area, counts, 0).astype(np.int64)
    sums, weights = box_sums(whole, reach), box_sums(area.astype(np.int64), reach)
    values, n = whole[area], int(area.sum())
    deviation = values.std() if n else 0.0
    told = area & (weights < n)
    found = np.full(counts.shape, np.nan)
    if n < 3 or not deviation > 0 or not told.any():
        return found
    third = float(((values - values.mean()) ** 3).mean()) / deviation**3
    width = int(sums[told].max()) + 1
    pairs, place = _distinct(weights[told] * width + sums[told])
    found[told] = _tails(pairs % width, pairs // width, n, float(values.mean()), float(deviation), third)[place]
    return found


def _distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct keys and the place of each among them; without sorting, where the largest is not too large."""
    largest = int(keys.max())
    if largest > FEW_KEYS:
        return np.unique(keys, return_inverse=True)
    seen = np.zeros(largest + 1, np.int64)
    seen[keys] = 1
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[keys]


def _tails(sums, w, n: int, mean: float, deviation: float, third: float) -> np.ndarray:
    """Two-sided chance of sums (P,) of w (P,) of n values drawn without replacement."""
    spread = deviation * np.sqrt(w * (n - w) / (n - 1))
    skew = third * (1 - 2 * w / n) * np.sqrt((n - 1) / (w * (n - w))) * n / (n - 2)
    apart = sums - w * mean
    upper = _beyond((apart - 0.5) / spread, skew)
    lower = np.maximum(1 - _beyond((apart + 0.5) / spread, skew), ndtr(apart / spread))
    return np.minimum(1, 2 * np.minimum(upper, lower))


def _beyond(t: np.ndarray, skew: np.ndarray) -> np.ndarray:
    """The chance that a standardised Pearson type III variable of this skewness is at least t."""
    flipped = np.where(skew < 0, -1.0, 1.0)
    size = np.maximum(np.abs(skew), 1e-4)  # less cannot be told from the normal curve
    shape = 4 / size**2
    tail = gammaincc(shape, np.maximum(shape + 2 * flipped * t / size, 0))
    return np.where(size <= 1e-4, ndtr(-t), np.where(flipped > 0, tail, 1 - tail))


def two_sided(z: np.ndarray) -> np.ndarray:
    """The chance of a z at least as far from 0; NaN where there is none."""
    return 2 * ndtr(-np.abs(z))


def adjusted(p: np.ndarray) -> np.ndarray:
    """The smallest share of false discoveries at which each p counts as one (Benjamini and Hochberg 1995); NaN stays.

    q_(i) = min over j >= i of n p_(j) / j, at most 1.
    """
    out = np.full(p.shape, np.nan)
    told = ~np.isnan(p)
    some = p[told]
    if not len(some):
        return out
    order = np.argsort(some)
    ranked = some[order] * len(some) / np.arange(1, len(some) + 1)
    q = np.empty(len(some))
    q[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)
    out[told] = q
    return out


def classes(z: np.ndarray, q: np.ndarray) -> np.ndarray:
    """3, 2, 1 for hot at the three LEVELS of false discoveries, -1 to -3 for cold, 0 for neither, NaN's too."""
    found = sum((q <= level).astype(np.int8) for level in LEVELS)
    return np.where(np.isnan(z), 0, found * np.sign(np.nan_to_num(z))).astype(np.int8)

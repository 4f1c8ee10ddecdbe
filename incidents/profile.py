"""What is peculiar to some events beside others: shares compared exactly, many at once, small cells left out.

No Django, no clock. Counts in, figures out. Two samples without a common event are taken for granted.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from scipy.stats import spearmanr

SMALL = 5  # a cell of 1 to 4 is not told
LEAST_STATED = 20  # events that state a variable, from which it is compared
LEVEL = 0.05  # of false discoveries among what is called different
Z95 = 1.959963984540054
LONGEST = 2_000  # outcomes of the exact test; beyond, the normal form of the same test
LEAST_A_MONTH = 5.0
LEAST_MONTHS = 12
LEAST_RHO = 0.5


@dataclass(frozen=True)
class Compared:
    """A value's share in a selection, n of stated, against another, n0 of stated0.

    ratio: of the shares, with its 95 % interval; p: two-sided mid-p of Fisher's exact test; q: the share of false
    discoveries among all that is as small.
    """

    field: Hashable
    value: Hashable
    n: int
    stated: int
    n0: int
    stated0: int
    ratio: float
    low: float
    high: float
    p: float
    q: float = math.nan

    @property
    def is_different(self) -> bool:
        """Whether it may be said: not chance, and the interval agrees."""
        return self.q <= LEVEL and not self.low <= 1 <= self.high


def is_small(n: int) -> bool:
    """Whether a count is of so few that it is not told."""
    return 0 < n < SMALL


def risk_ratio(n: int, stated: int, n0: int, stated0: int) -> tuple[float, float, float]:
    """(ratio of shares, low, high): the 95 % interval of Katz on the logarithm, halves added where a count is 0.

    Katz, Baptista, Azen, Pike (1978); infinite or 0 where one side has none, its interval still finite.
    """
    half = 0.5 if not (n and n0) else 0.0
    a, c, m, k = n + half, n0 + half, stated + half, stated0 + half
    middle = math.log((a / m) / (c / k))
    error = math.sqrt(max(1 / a - 1 / m + 1 / c - 1 / k, 0.0))
    ratio = (n / stated) / (n0 / stated0) if n0 else math.inf if n else math.nan
    return ratio, math.exp(middle - Z95 * error), math.exp(middle + Z95 * error)


def odds_ratio(n: int, stated: int, n0: int, stated0: int) -> tuple[float, float, float]:
    """(odds ratio, low, high) by Woolf, halves added to all four cells where any is 0 (Haldane, Anscombe)."""
    cells = [n, stated - n, n0, stated0 - n0]
    if 0 in cells:
        cells = [cell + 0.5 for cell in cells]
    a, b, c, d = cells
    middle, error = math.log(a * d / (b * c)), math.sqrt(sum(1 / cell for cell in cells))
    return math.exp(middle), math.exp(middle - Z95 * error), math.exp(middle + Z95 * error)


def mid_p(n: int, stated: int, n0: int, stated0: int) -> float:
    """Two-sided mid-p of Fisher's exact test: all tables less likely than this, and half of those as likely."""
    whole, having = stated + stated0, n + n0
    low, high = max(0, having - stated0), min(stated, having)
    if high - low > LONGEST:
        return _normal_p(n, stated, n0, stated0)
    k = np.arange(low, high + 1)
    chances = np.exp(_ways(having, k) + _ways(whole - having, stated - k) - _ways(whole, stated))
    own = chances[n - low]
    is_alike = np.isclose(chances, own, rtol=1e-7, atol=0)
    return float(min(1.0, chances[(chances < own) & ~is_alike].sum() + 0.5 * chances[is_alike].sum()))


def _ways(of, taken):
    """The logarithm of how many ways there are to take so many of so many."""
    return gammaln(of + 1) - gammaln(taken + 1) - gammaln(of - taken + 1)


def _normal_p(n: int, stated: int, n0: int, stated0: int) -> float:
    pooled = (n + n0) / (stated + stated0)
    error = math.sqrt(pooled * (1 - pooled) * (1 / stated + 1 / stated0))
    return math.erfc(abs(n / stated - n0 / stated0) / error / math.sqrt(2)) if error else 1.0


def false_discoveries(p: Sequence[float]) -> np.ndarray:
    """q of each p (N,): the smallest level at which it would still be called a discovery. Benjamini, Hochberg 1995."""
    p = np.asarray(p, float)
    order = np.argsort(p)
    raised = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return q


def compare(
    here: Mapping[Hashable, Mapping[Hashable, int]], there: Mapping[Hashable, Mapping[Hashable, int]]
) -> list[Compared]:
    """Every value of every field in both, {field: {value: n}}, only what is stated: those that differ most first.

    Left out: fields that fewer than LEAST_STATED state on either side; values of a small cell on either side; a field
    of one value, which cannot differ.
    """
    found = []
    for field in sorted(here.keys() & there.keys(), key=str):
        ours, theirs = here[field], there[field]
        stated, stated0 = sum(ours.values()), sum(theirs.values())
        values = sorted(ours.keys() | theirs.keys(), key=str)
        if min(stated, stated0) < LEAST_STATED or len(values) < 2:
            continue
        for value in values:
            n, n0 = ours.get(value, 0), theirs.get(value, 0)
            if is_small(n) or is_small(n0) or not n + n0:
                continue
            numbers = n, stated, n0, stated0
            found.append(Compared(field, value, *numbers, *risk_ratio(*numbers), mid_p(*numbers)))
    q = false_discoveries([one.p for one in found])
    found = [Compared(**{**vars(one), "q": float(q)}) for one, q in zip(found, q, strict=True)]
    return sorted(found, key=_most_different_first)


def _most_different_first(one: Compared):
    """By how far the interval's nearer end is from 1, so that a large ratio of few does not lead."""
    near = one.low if one.low > 1 else one.high if one.high < 1 else 1.0
    return not one.is_different, -abs(math.log(near)), str(one.field), str(one.value)


@dataclass(frozen=True)
class Together:
    """Two series whose changes from month to month go the same way. rho: Spearman's, of those changes."""

    one: Hashable
    other: Hashable
    rho: float
    months: int
    q: float


def rising_together(series: Mapping[Hashable, Sequence[float]]) -> list[Together]:
    """Pairs of monthly series that move together, the closest first. Of changes, so that a common trend is no proof.

    A series begins with its first event: before it, nobody may have sent any. Of a pair the months since both have
    begun count, LEAST_MONTHS or more, each with a mean of LEAST_A_MONTH; rho of LEAST_RHO, false discoveries at LEVEL.
    """
    begun = {key: int(np.flatnonzero(values)[0]) for key, values in series.items() if np.any(values)}
    keys = sorted(begun, key=str)
    tested = []
    for i, one in enumerate(keys):
        for other in keys[i + 1 :]:
            pair = [np.asarray(series[key], float)[max(begun[one], begun[other]) :] for key in (one, other)]
            if all(_is_enough(values) for values in pair):
                found = spearmanr(np.diff(pair[0]), np.diff(pair[1]))
                tested.append((one, other, float(found.statistic), len(pair[0]), found.pvalue))
    q = false_discoveries([p for *_, p in tested])
    kept = [
        Together(one, other, rho, months, float(level))
        for (one, other, rho, months, _p), level in zip(tested, q, strict=True)
        if rho >= LEAST_RHO and level <= LEVEL
    ]
    return sorted(kept, key=lambda pair: (-pair.rho, str(pair.one), str(pair.other)))


def _is_enough(values: np.ndarray) -> bool:
    return len(values) >= LEAST_MONTHS and values.mean() >= LEAST_A_MONTH and np.ptp(np.diff(values)) > 0

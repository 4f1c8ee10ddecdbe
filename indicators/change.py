"""Whether two counts differ by more than chance: the ratio of their rates with its interval, exact and overdispersed.

Given the total of both counts, the later one is binomial: its share is r e / (r e + e') with r the ratio of the rates
and e, e' the exposures (days, or days x people). Two-sided mid-p by inversion of both tails (Lancaster 1961; Fay 2010).
Overdispersed counts are divided by their dispersion, which makes the same formulas quasi-likelihood; a dispersion that
was estimated widens them as Student's t widens the normal. Arrays broadcast; a missing figure (NaN) gives NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special, stats

LEVEL = 0.0099  # nominal, of one comparison: by exact enumeration at most 1 % at every base and exposure
LOOKS = 12
_STEPS = 50  # halvings of an interval's end: 1e-15 of the share
FALSE_SHARE = 0.1  # of the changes that a list marks
MUCH = 4  # times what is known of the usual dispersion, from which on that is not asked
PAST_NEEDED = 6  # comparisons of the unit's past without which its dispersion is not known


class Change(NamedTuple):
    """Of each comparison: ratio of rates (now / before), its interval's ends, p, whether it is more than chance."""

    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    is_distinct: np.ndarray


class Dispersion(NamedTuple):
    """Variance over mean, and the degrees of freedom by which it is known (inf: given)."""

    value: np.ndarray
    freedom: np.ndarray


POISSON = Dispersion(np.float64(1.0), np.float64(np.inf))


def change(now, before, exposure=1.0, exposure_before=1.0, *, dispersion: Dispersion = POISSON, level=LEVEL) -> Change:
    """The change from `before` to `now`. Both zero: nothing can be said (ratio NaN, interval 0 to inf, p 1)."""
    arrays = (np.asarray(a, float) for a in (now, before, exposure, exposure_before, level))
    x, y, e, f, level = np.broadcast_arrays(*arrays)
    spread = effective_dispersion(dispersion, level)
    p = mid_p(x / spread, y / spread, e / (e + f))
    low, high = _interval(x / spread, y / spread, e / f, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (x / e) / (y / f)
    return Change(ratio, low, high, p, p < level)


def mid_p(x, y, share):
    """Two-sided mid-p of x out of x + y with an expected share; counts may be divided by a dispersion."""
    below = _mid_below(x, y, share)
    return np.where(np.isnan(x + y), np.nan, np.minimum(1.0, 2 * np.minimum(below, 1 - below)))


def _mid_below(x, y, share):
    """P(X < x) + P(X = x) / 2 for X binomial of x + y: the mean of two beta tails, which also serves fractions."""
    at_least = np.where(x > 0, special.betainc(np.maximum(x, 1e-300), y + 1, share), 1.0)
    more = np.where(y > 0, special.betainc(x + 1, np.maximum(y, 1e-300), share), 0.0)
    return 1 - (at_least + more) / 2


def _interval(x, y, exposures, level):
    """Ratios of rates that the mid-p test of this level does not refuse: from 0 where x is 0, to inf where y is 0."""
    ends = []
    for tail, is_open, open_end in ((1 - level / 2, x <= 0, 0.0), (level / 2, y <= 0, np.inf)):
        low, high = np.zeros(np.shape(x)), np.ones(np.shape(x))
        for _ in range(_STEPS):
            middle = (low + high) / 2
            is_low = _mid_below(x, y, middle) > tail  # falls as the share grows
            low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
        share = (low + high) / 2
        with np.errstate(divide="ignore"):
            end = np.where(is_open, open_end, share / (1 - share) / exposures)
        ends.append(np.where(np.isnan(x + y), np.nan, end))
    return ends


def poisson_interval(count, level=0.05):
    """Means of which so many events are not too few nor too many, exactly (Garwood 1936): low and high ends."""
    count = np.asarray(count, float)
    low = np.where(count > 0, special.gammaincinv(np.maximum(count, 1e-300), level / 2), 0.0)
    return low, special.gammaincinv(count + 1, 1 - level / 2)


def effective_dispersion(dispersion: Dispersion, level):
    """The dispersion as it counts at a level: widened by (t / z)² for the freedom by which it is known, at least 1."""
    value, freedom = (np.asarray(part, float) for part in dispersion)
    known = np.isfinite(freedom)
    t = special.stdtrit(np.where(known, freedom, 1.0), 1 - level / 2)
    return np.maximum(value * np.where(known, (t / special.ndtri(1 - level / 2)) ** 2, 1.0), 1.0)


def dispersion_of(counts, exposures=1.0) -> Dispersion:
    """Dispersion from a unit's own past, (..., T) counts of successive periods: neighbours compared two by two.

    Each disjoint pair gives (x - s n)² / (n s (1 - s)), whose mean is the dispersion whatever the level; a slow trend
    cancels. Pairs without events or with a missing month say nothing. Below PAST_NEEDED pairs: 1, taken as known.
    """
    counts = np.asarray(counts, float)
    exposures = np.broadcast_to(np.asarray(exposures, float), counts.shape)
    even = counts.shape[-1] // 2 * 2
    x, y = counts[..., -even:][..., 0::2], counts[..., -even:][..., 1::2]
    e, f = exposures[..., -even:][..., 0::2], exposures[..., -even:][..., 1::2]
    n, share = x + y, e / (e + f)
    says = n > 0
    weight = np.where(says, n * share * (1 - share), 1.0)
    square = np.where(says, (x - share * n) ** 2 / weight, 0.0)
    pairs = says.sum(-1)
    # A pair of few events varies less freely than its one degree: mean of squares weighed by n, freedom as Welch's.
    held = np.where(says, n, 0.0)
    total = held.sum(-1)
    value = np.where(pairs >= PAST_NEEDED, (square * held).sum(-1) / np.maximum(total, 1), 1.0)
    freedom = total**2 / np.maximum((held**2).sum(-1), 1)
    enough = pairs >= PAST_NEEDED
    return Dispersion(value, np.where(enough, freedom, np.inf))


def look_level(month):
    """The level of the year to date after 1..12 months: what is spent early is little, the year's end keeps the whole.

    Of units in which nothing changed at most 3 % are ever marked in twelve looks (exact enumeration: bench change).
    """
    return LEVEL * (np.asarray(month, float) / LOOKS)


# Many units, many changes ---------------------------------------------------------------------------------------------

USUAL = Dispersion(np.float64(1.5), np.float64(12.0))  # of districts by month: 1.04-1.25 in 2014-20, 1.8-2.1 in 2021-23


def drawn_to_usual(found: Dispersion, usual: Dispersion = USUAL) -> Dispersion:
    """A dispersion known from few months, drawn to the usual one as strongly as that is known."""
    known = np.where(np.isinf(found.freedom), 0.0, found.freedom)
    freedom = known + usual.freedom
    return Dispersion((known * found.value + usual.freedom * usual.value) / freedom, freedom)


def pooled(found: Dispersion) -> Dispersion:
    """What the dispersions of units alike, (N, ...), say of one of them: their mean, and how far they agree, (...).

    Freedom is that of all the units' pasts but one, or less where they differ by more than so short pasts explain
    (DerSimonian and Laird's variance between them; Smyth 2004 for the idea). Little known: drawn to the usual one.
    """
    value, freedom = found.value, np.where(np.isinf(found.freedom), 0.0, found.freedom)
    every, units = freedom.sum(0), (freedom > 0).sum(0)
    known = np.maximum(every, 1e-9)
    mean = (value * freedom).sum(0) / known
    apart = (freedom * (value - mean) ** 2).sum(0) - 2 * mean**2 * np.maximum(units - 1, 0)
    between = np.maximum(0.0, apart / np.maximum(every - (freedom**2).sum(0) / known, 1e-9))
    agreed = np.where(between > 0, 2 * mean**2 / np.maximum(between, 1e-9), np.inf)
    one_less = every * np.maximum(units - 1, 0) / np.maximum(units, 1)
    of_all = Dispersion(mean, np.minimum(one_less, agreed))
    drawn = drawn_to_usual(of_all)
    is_much = one_less >= MUCH * USUAL.freedom
    return Dispersion(np.where(is_much, mean, drawn.value), np.where(is_much, of_all.freedom, drawn.freedom))


def discoveries(p, share=FALSE_SHARE) -> np.ndarray:
    """Which of a list of p values hold where at most this share of those kept may be false (Benjamini, Hochberg)."""
    p = np.asarray(p, float)
    kept, known = np.zeros(p.shape, bool), ~np.isnan(p)
    if known.any():
        kept[known] = stats.false_discovery_control(p[known]) <= share
    return kept


def changes(now, before, exposure=1.0, exposure_before=1.0, *, dispersion: Dispersion = POISSON, level=LEVEL) -> Change:
    """Changes that stand in one list: distinct is what is so by itself and one of the list's discoveries."""
    x, y, e, f = (np.asarray(a, float) for a in (now, before, exposure, exposure_before))
    found = change(x, y, e, f, dispersion=dispersion, level=level)
    many = max(1, int((~np.isnan(found.p)).sum()))
    spread = effective_dispersion(dispersion, FALSE_SHARE / many)  # widened as the strictest of the list asks
    return found._replace(is_distinct=found.is_distinct & discoveries(mid_p(x / spread, y / spread, e / (e + f))))

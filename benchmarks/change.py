"""`manage.py bench change`: how often the change test marks what did not change, and what did.

Poisson figures are enumerated: every pair of counts with its probability, no simulation. Where the dispersion is
estimated, the unit's past is drawn (the same draws for every pair of counts) and the counts compared are enumerated.
"""

import numpy as np
from scipy import stats
from scipy.linalg import toeplitz

from benchmarks.harness import bench
from indicators import change

BASES = np.unique(np.r_[np.geomspace(0.5, 100, 40), 1, 2, 5, 10, 20, 50])
EXPOSURES = (1.0, 2.0, 3.0, 6.0, 12.0)
YEARS = (6.0, 12.0, 24.0, 50.0, 100.0, 200.0)  # events a year of units whose twelve looks are followed
PAST, DRAWS, SPREAD = 36, 4000, 2.0
SOME_BASES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
PEER = 0.01  # the conditional mid-p test's nominal level


@bench("change")
def change_test(report, options):
    """Size and power of one comparison, of twelve looks, and with a dispersion estimated from the past."""
    sizes = {(b, r): marked(b, r) for b in BASES for e in EXPOSURES for r in {e, 1 / e}}
    worst = max(sizes, key=sizes.get)
    name = f"size, worst of {len(sizes)} pairs of base and exposure (base {worst[0]:.3g}, 1:{worst[1]:.3g})"
    report.fact(name, sizes[worst], "of unchanged", at_most=0.01)
    for base in SOME_BASES:
        row = [marked(base, e) for e in EXPOSURES]
        report.fact(f"size at base {base:g}, worst of exposures 1:1 to 1:12", max(row), "of unchanged", at_most=0.01)
    for base in (10.0, 20.0, 50.0):
        ours, peer = marked(base, 1.0, 2.0), marked(base, 1.0, 2.0, PEER)
        report.times(f"power, a doubling from base {base:g}", [ours], unit="marked", beside="conditional mid-p",
                     peer=[peer], at_least=0.9)  # fmt: skip
    for year in YEARS:
        report.fact(f"ever marked in twelve looks, {year:g} events a year", ever_marked(year), "of unchanged",
                    at_most=0.03)  # fmt: skip
    for year in (20.0, 50.0):
        ours, peer = ever_marked(year, 2.0), marked(year, 1.0, 2.0, PEER)
        report.times(f"power in twelve looks, a doubling from {year:g} a year", [ours], unit="marked",
                     beside="conditional mid-p at the year's end", peer=[peer], at_least=0.9)  # fmt: skip
    _overdispersed(report)


def _overdispersed(report):
    for base in SOME_BASES:
        row = [marked_estimated(base, e, SPREAD) for e in EXPOSURES]
        report.fact(f"size at variance twice the mean, base {base:g}, dispersion estimated", max(row), "of unchanged",
                    at_most=0.015)  # fmt: skip
    for base in SOME_BASES[:-1]:
        row = [marked_estimated(base, e, SPREAD, past=12, drawn=True) for e in EXPOSURES]
        name = f"size at variance twice the mean, base {base:g}, twelve months of past drawn to the usual dispersion"
        report.fact(name, max(row), "of unchanged", at_most=0.015)
    for base in (20.0, 50.0):
        report.fact(f"size without the dispersion at variance twice the mean, base {base:g}",
                    marked(base, 1.0, spread=SPREAD), "of unchanged")  # fmt: skip
        report.fact(f"power at variance twice the mean, a doubling from base {base:g}",
                    marked_estimated(base, 1.0, SPREAD, 2.0), "marked")  # fmt: skip
        report.fact(f"power at variance equal to the mean, dispersion estimated, a doubling from base {base:g}",
                    marked_estimated(base, 1.0, 1.0, 2.0), "marked")  # fmt: skip
        for past in (12, 36):  # a scorecard's, and three years'
            name = f"power with {past} months drawn to the usual dispersion, Poisson in truth, a doubling from {base:g}"
            found = marked_estimated(base, 1.0, 1.0, 2.0, past=past, drawn=True)
            report.times(name, [found], unit="marked", beside="dispersion known", peer=[marked(base, 1.0, 2.0)])


def chances(mean, counts, spread=1.0):
    """Probability of each count: Poisson, or negative binomial with variance `spread` times the mean."""
    if spread == 1.0:
        return stats.poisson.pmf(counts, mean)
    return stats.nbinom.pmf(counts, mean / (spread - 1), 1 / spread)


def grid(now, before, spread):
    """All counts that matter, as a column and a row."""
    x, y = (np.arange(int(m + 10 * np.sqrt(m * spread) + 15), dtype=float) for m in (now, before))
    return x[:, None], y[None, :]


def marked(base, exposure, times=1.0, level=change.LEVEL, spread=1.0):
    """How often a change by a factor is marked; the base has exposure 1. Exact."""
    now = base * exposure * times
    x, y = grid(now, base, spread)
    is_marked = change.mid_p(x, y, exposure / (1 + exposure)) < level
    return float((chances(now, x, spread) * chances(base, y, spread) * is_marked).sum())


def ever_marked(year, times=1.0):
    """How often any of twelve looks, this year to date against last year's same months, is marked. Exact."""
    size = int(year * times + 9 * np.sqrt(year * times) + 15)
    counts = np.arange(size, dtype=float)
    grow = [np.tril(toeplitz(chances(year / 12 * factor, counts))) for factor in (times, 1.0)]
    standing = np.zeros((size, size))
    standing[0, 0] = 1.0
    p, found = change.mid_p(counts[:, None], counts[None, :], 0.5), 0.0
    for look in range(1, change.LOOKS + 1):
        standing = grow[0] @ standing @ grow[1].T
        is_marked = p < change.look_level(look)
        found += standing[is_marked].sum()
        standing[is_marked] = 0.0
    return float(found)


def marked_estimated(base, exposure, spread, times=1.0, *, past=PAST, drawn=False):
    """As `marked`, with the dispersion estimated from the unit's own past of so many such periods."""
    rng = np.random.default_rng(7)
    shape = (DRAWS, past)
    seen = rng.poisson(base, shape) if spread == 1.0 else rng.negative_binomial(base / (spread - 1), 1 / spread, shape)
    found = change.dispersion_of(seen)
    found = change.drawn_to_usual(found) if drawn else found
    known = np.sort(change.effective_dispersion(found, change.LEVEL))
    now = base * exposure * times
    x, y = grid(now, base, spread)
    share = exposure / (1 + exposure)
    low, high = np.full(np.broadcast_shapes(x.shape, y.shape), 1.0), 200.0
    high = np.full_like(low, high)
    refused = change.mid_p(x, y, share) < change.LEVEL
    for _ in range(24):  # the dispersion from which on a pair of counts is no longer marked
        middle = (low + high) / 2
        is_marked = change.mid_p(x / middle, y / middle, share) < change.LEVEL
        low, high = np.where(is_marked, middle, low), np.where(is_marked, high, middle)
    often = np.where(refused, np.searchsorted(known, low) / len(known), 0.0)
    return float((chances(now, x, spread) * chances(base, y, spread) * often).sum())

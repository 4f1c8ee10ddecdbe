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
YEAR = 12  # months that a scorecard holds itself
UNITS = (1, 9, 26, 140)  # of a level: the nation, zones, subzones, districts
LIKELY = 15  # dispersions over which twelve looks are averaged
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
    _as_pages_have_it(report)


def _as_pages_have_it(report):
    """What scorecards and lists use, and what pages that hold the unit's own past alone use."""
    for base in (10.0, 20.0, 50.0):
        peer = marked(base, 1.0, 2.0, PEER)
        for past in (12, PAST):
            found = marked_estimated(base, 1.0, 1.0, 2.0, past=past, drawn=True)
            name = f"power, Poisson in truth, own {past} months drawn to the usual dispersion, a doubling from {base:g}"
            report.times(name, [found], unit="marked", beside="conditional mid-p", peer=[peer])
            for spread in (1.0, SPREAD):
                size = max(marked_estimated(base, e, spread, past=past, drawn=True) for e in EXPOSURES)
                name = f"size at variance {spread:g} x the mean, own {past} months drawn to the usual, base {base:g}"
                report.fact(name, size, "of unchanged", at_most=0.01 if spread == 1 else 0.015)
        for units in UNITS:
            found = marked_pooled(base, 1.0, 1.0, 2.0, units=units)
            name = f"power, Poisson in truth, drawn to {units} units' of the level, a doubling from {base:g}"
            goal = 0.9 if units > 1 and base >= 20 else None
            report.times(name, [found], unit="marked", beside="conditional mid-p", peer=[peer], at_least=goal)
            found = marked_pooled(base, 1.0, SPREAD, 2.0, units=units)
            report.fact(f"power at variance twice the mean, {units} units, a doubling from {base:g}", found, "marked")
    for units in UNITS:
        for spread, goal in ((1.0, 0.01), (SPREAD, 0.015)):
            worst = max(marked_pooled(b, e, spread, units=units) for b in SOME_BASES[:-1] for e in EXPOSURES)
            name = f"size at variance {spread:g} x the mean, drawn to {units} units', worst of bases 0.5 to 50"
            report.fact(name, worst, "of unchanged", at_most=goal)
    for units in UNITS[1:]:
        _unlike(report, units)
    _twelve_looks_estimated(report)


def _unlike(report, units):
    """Units of a level that differ: one in nine at three times the mean, or each other one."""
    for name, every in (("one in nine", 9), ("every other", 2)):
        spread = np.where(np.arange(units) % every == 0, 3.0, 1.0)
        found = pooled(20.0, spread, units)
        size = {
            one: _marked_by(change.Dispersion(*(part[spread == one] for part in found)), 20.0, 1.0, one, 1.0)
            for one in (1.0, 3.0)
        }
        mean = sum(size[one] * np.mean(spread == one) for one in size)
        name = f"variance thrice the mean in {name} of {units} units, base 20"
        report.fact(f"size, {name}: all units", float(mean), "of unchanged", at_most=0.015)
        report.fact(f"size, {name}: those units", size[3.0], "of unchanged")


def _twelve_looks_estimated(report):
    ways = [("own 36 months drawn to the usual", lambda base, spread: change.drawn_to_usual(
        change.dispersion_of(_past(base, spread, (DRAWS, PAST)))))]  # fmt: skip
    ways += [(f"drawn to {n} units'", lambda base, spread, n=n: pooled(base, spread, n)) for n in UNITS[1:]]
    for name, find in ways:
        for spread in (1.0, SPREAD):
            worst = max(ever_marked(year, spread=spread, found=find(year / 12, spread)) for year in YEARS)
            said = (
                f"ever marked in twelve looks, variance {spread:g} x the mean, {name}, worst of 6 to 200 events a year"
            )
            report.fact(said, worst, "of unchanged", at_most=0.03)
        for year in (20.0, 50.0):
            ours = ever_marked(year, 2.0, found=find(year / 12, 1.0))
            said = f"power in twelve looks, Poisson in truth, {name}, a doubling from {year:g} a year"
            peer = marked(year, 1.0, 2.0, PEER)
            report.times(said, [ours], unit="marked", beside="conditional mid-p at the year's end", peer=[peer])


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


def ever_marked(year, times=1.0, *, spread=1.0, found=change.POISSON):
    """How often any of twelve looks, this year to date against last year's same months, is marked. Exact but for the
    dispersion: a mean over equally likely ones of those found.
    """
    size = int(year * times + 9 * np.sqrt(year * times * spread) + 15)
    counts = np.arange(size, dtype=float)
    grow = [np.tril(toeplitz(chances(year / 12 * factor, counts, spread))) for factor in (times, 1.0)]
    freedom = np.median(found.freedom)
    values = np.quantile(found.value, (np.arange(LIKELY) + 0.5) / LIKELY) if np.size(found.value) > 1 else [found.value]
    often = [_ever_marked_by(change.Dispersion(np.float64(value), freedom), counts, grow) for value in values]
    return float(np.mean(often))


def _ever_marked_by(dispersion, counts, grow):
    standing, found = np.zeros((len(counts), len(counts))), 0.0
    standing[0, 0] = 1.0
    for look in range(1, change.LOOKS + 1):
        standing = grow[0] @ standing @ grow[1].T
        level = change.look_level(look)
        spread = change.effective_dispersion(dispersion, level)
        is_marked = change.mid_p(counts[:, None] / spread, counts[None, :] / spread, 0.5) < level
        found += standing[is_marked].sum()
        standing[is_marked] = 0.0
    return found


def marked_estimated(base, exposure, spread, times=1.0, *, past=PAST, drawn=False):
    """As `marked`, with the dispersion estimated from the unit's own past of so many such periods."""
    found = change.dispersion_of(_past(base, spread, (DRAWS, past)))
    return _marked_by(change.drawn_to_usual(found) if drawn else found, base, exposure, spread, times)


def marked_pooled(base, exposure, spread, times=1.0, *, units):
    """As `marked`, with the dispersion that a scorecard takes: drawn to that of so many units of the level."""
    return _marked_by(pooled(base, spread, units), base, exposure, spread, times)


def pooled(base, spread, units):
    """What units know of their dispersion, (units, levels): as scorecard/spread.py has it. spread: one, or by unit."""
    seen = _past(base, spread, (units, max(60, DRAWS // 2 // units), PAST))
    level = change.pooled(change.dispersion_of(seen))
    early = change.drawn_to_usual(change.dispersion_of(seen[..., :-YEAR]), level)
    return change.drawn_to_usual(change.dispersion_of(seen[..., -YEAR:]), early)


def _past(base, spread, shape):
    """Counts of periods in which nothing changed, the same draws every time."""
    rng, spread = np.random.default_rng(7), np.asarray(spread, float)
    more = spread.reshape(spread.shape + (1,) * (len(shape) - spread.ndim if spread.ndim else 0)) - 1
    means = np.where(more > 0, rng.gamma(base / np.maximum(more, 1e-9), np.maximum(more, 1e-9), shape), base)
    return rng.poisson(means).astype(float)


def _marked_by(found, base, exposure, spread, times):
    known = np.sort(change.effective_dispersion(found, change.LEVEL), axis=None)
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

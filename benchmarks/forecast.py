"""`manage.py bench forecast`: the year's total of 140 districts, 2016-2023, forecast from earlier months only.

Counts come from the Ministry's file in ../shared/data; without it the benchmark says so and measures nothing. Every
series is forecast at the end of March, June and September; run rate, last twelve months and last year get negative
binomial intervals by the very calibration that ours has, and by one that corrects no common error, whichever is better.
Districts are forecast as pages forecast them, all of the level together; beside it in the company of their zone alone,
the nine zones, and the nation by itself. Of what is no count, the share of victims killed with firearms stands for all.
"""

import csv
import datetime
from pathlib import Path

import numpy as np

from benchmarks.harness import bench
from indicators.forecast import measure, year

FILE = Path(__file__).resolve().parents[2] / "shared/data/ecuador/mdi_homicidiosintencionales_pm_2014-2023.xlsx"
DISTRICTS = FILE.parent / "codes/planning_districts_140.csv"
FIRST, YEARS, ORIGINS = 2014, range(2016, 2024), {3: "March", 6: "June", 9: "September"}
DECILES = np.arange(1, 10) / 10
SPANS = {"2016-20": range(2016, 2021), "2021-23": range(2021, 2024)}


def run_rate(counts, month):
    return counts[:, -month:].mean(1)


def last_twelve(counts, month):
    return counts[:, -12:].mean(1)


def last_year(counts, month):
    return counts[:, -month - 12 : -month].mean(1)


BASELINES = {"run rate": run_rate, "last twelve months": last_twelve, "last year": last_year}


@bench("forecast")
def forecasts(report, options):
    """Decile loss beside the best baseline, and how often the year fell into its 80 % interval."""
    if not FILE.exists():
        report.fact("the Ministry's file is not there; districts", 0, "districts")
        return
    counts = read_counts()
    report.fact("districts", len(counts), "districts")
    report.fact("homicides 2014-2023", int(counts.sum()), "victims")
    zones = read_zones()
    ours = {month: back_test(counts, month) for month in ORIGINS}
    _losses(report, counts, ours, "", at_most=0.96)
    _coverage(report, ours)
    by_zone = {month: back_test(counts, month, groups=zones) for month in ORIGINS}
    _arrangement(report, "districts, only those of their zone together", by_zone, ours)
    above = np.array([counts[group].sum(0) for group in zones])
    for label, some in (("zones together", above), ("nation alone", counts.sum(0)[None])):
        found = {month: back_test(some, month) for month in ORIGINS}
        _losses(report, some, found, f"{label}, ")
        for month, name in ORIGINS.items():
            report.fact(f"{label}, coverage, end of {name}, all years", _mean(found[month], YEARS, 1), "of units")
    armed = read_counts("FUEGO")
    zone_shares = np.array([armed[group].sum(0) for group in zones]), above
    _shares(report, "firearm share, nine zones", *zone_shares)
    _shares(report, "firearm share, nation alone", *(part.sum(0)[None] for part in zone_shares))


def _losses(report, counts, ours, label, at_most=None):
    """Decile loss of each origin and span of years beside the best baseline on the same counts."""
    for month, name in ORIGINS.items():
        peers = {}
        for peer, rate in BASELINES.items():
            for corrects in (True, False):
                peers[peer, corrects] = back_test(counts, month, {peer: rate}, corrects=corrects)
        for span, years in SPANS.items():
            loss = {key: _mean(rows, years, 0) for key, rows in peers.items()}
            best = min(loss, key=loss.get)
            report.times(f"{label}decile loss {span}, end of {name}", [_mean(ours[month], years, 0)], unit="victims",
                         beside=f"best: {best[0]}", peer=[loss[best]], at_most=at_most)  # fmt: skip


def _shares(report, label, top, under):
    """Percentages, whose year is a ratio of sums: mean error beside the share to date, and how many fell within."""
    with np.errstate(invalid="ignore"):
        values = 100 * top / under
        to_date = [np.cumsum(part.reshape(len(part), -1, 12), 2) for part in (top, under)]
        to_date = (to_date[0] / to_date[1] * 100).reshape(values.shape)
    for month, name in ORIGINS.items():
        off, peer, inside = [], [], []
        for end in range(12 + month, values.shape[1], 12):
            some, came = slice(max(0, end - year.KEPT), end), to_date[:, end - month + 11]
            known = measure.Year(values[:, some], to_date[:, some], month, 12, measure.MEAN)
            if (said := measure.forecast(known)) is None:
                continue
            off.append(np.abs(came - said.middle).mean())
            peer.append(np.abs(came - to_date[:, end - 1]).mean())
            inside.append((said.quantile(0.1) <= came) & (came <= said.quantile(0.9)))
        report.times(f"{label}, mean error, end of {name}", [float(np.mean(off))], unit="points",
                     beside="to date", peer=[float(np.mean(peer))])  # fmt: skip
        report.fact(f"{label}, within the 80 % interval, end of {name}", float(np.mean(inside)), "of figures")
        report.fact(f"{label}, figures forecast, end of {name}", int(np.size(inside)), "figures")


def _arrangement(report, label, found, ours):
    """The same units forecast in smaller company, beside all of them together."""
    for month, name in ORIGINS.items():
        for span, years in SPANS.items():
            report.times(f"{label}, decile loss {span}, end of {name}", [_mean(found[month], years, 0)], unit="victims",
                         beside="all together", peer=[_mean(ours[month], years, 0)])  # fmt: skip
        report.fact(f"{label}, coverage, end of {name}, all years", _mean(found[month], YEARS, 1), "of districts")


def _coverage(report, ours):
    late = [rows for month, rows in ours.items() if month >= 6]
    whole = float(np.mean([_mean(rows, YEARS, 1) for rows in late]))
    report.fact("coverage of the 80 % interval, randomised PIT, from June on", whole, "of districts", at_least=0.75)
    report.fact("coverage of the 80 % interval, randomised PIT, from June on (upper bound)", whole, "of districts",
                at_most=0.85)  # fmt: skip
    for one in YEARS:
        value = float(np.mean([_mean(rows, [one], 1) for rows in late]))
        report.fact(f"coverage {one}, randomised PIT, from June on", value, "of districts")
        raw = float(np.mean([_mean(rows, [one], 2) for rows in late]))
        report.fact(f"coverage {one}, raw, from June on", raw, "of districts")
    for month, name in ORIGINS.items():
        report.fact(f"coverage, end of {name}, all years", _mean(ours[month], YEARS, 1), "of districts")
        report.fact(f"coverage raw, end of {name}, all years", _mean(ours[month], YEARS, 2), "of districts")


def _mean(rows, years, part):
    return float(np.mean([rows[one][part] for one in years]))


def back_test(counts, month, rates=None, *, corrects=True, groups=None):
    """{year: (decile loss, PIT coverage, raw coverage)}, each year from the months before its origin alone.

    groups: rows that are forecast together, each group by itself; all together by default.
    """
    groups, found = groups or [np.arange(len(counts))], {}
    for one in YEARS:
        end = (one - FIRST) * 12 + month
        parts = []
        for rows in groups:
            some = counts[rows]
            came = some[:, end - month : end - month + 12].sum(1)
            held = year.HELD
            try:
                year.HELD = held if corrects else 1e9
                said = year.forecast(some[:, :end], month, rates)
            finally:
                year.HELD = held
            parts.append(judged(said, came))
        found[one] = tuple(np.average(parts, axis=0, weights=[len(rows) for rows in groups]).tolist())
    return found


def judged(said, came):
    """Mean decile loss; share within the 80 % interval by randomised PIT (its expectation), and by counting alone."""
    deciles = said.quantile(DECILES[:, None])
    off = came - deciles
    loss = np.maximum(DECILES[:, None] * off, (DECILES[:, None] - 1) * off).mean()
    inside = year.within(said.at_most(came - 1), said.at_most(came))
    raw = (came >= deciles[0]) & (came <= deciles[-1])
    return float(loss), float(inside.mean()), float(raw.mean())


def read_zones():
    """Rows of `read_counts` by the zone that the districts belong to."""
    with DISTRICTS.open() as file:
        zone = {row["district_code"]: row["zone"] for row in csv.DictReader(file)}
    zones = np.array([zone[code] for code in sorted(zone)])
    return [np.flatnonzero(zones == one) for one in sorted(set(zone.values()))]


def read_counts(weapon=""):
    """Homicides of the 140 districts by month, (140, 120): one row of the file is one victim; by a weapon alone."""
    from python_calamine import CalamineWorkbook

    with DISTRICTS.open() as file:
        codes = sorted(row["district_code"] for row in csv.DictReader(file))
    place = {code: at for at, code in enumerate(codes)}
    head, *rows = CalamineWorkbook.from_path(FILE).get_sheet_by_index(0).to_python()
    code, day, arm = (head.index(name) for name in ("codigo_subcircuito", "fecha_infraccion", "arma"))
    counts = np.zeros((len(codes), 12 * (YEARS[-1] - FIRST + 1)))
    for row in rows:
        at = place.get(str(row[code]).strip()[:5])
        if at is not None and weapon in str(row[arm]).upper():
            on = row[day] if isinstance(row[day], datetime.date) else datetime.date.fromisoformat(str(row[day])[:10])
            counts[at, (on.year - FIRST) * 12 + on.month - 1] += 1
    return counts

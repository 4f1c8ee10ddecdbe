"""`manage.py bench accuracy`: hot spots held against what came next, on five series of real events.

Ecuador's homicides with a place (2014-17, 2023-24), Medellin's homicides, New York's shootings, Memphis' robberies, all
in ../shared/data; a series whose file is not there is left out and said to be. Cells of 250 m within 500 m of any event
before the first origin; the hot cells are 3 % of them; the next three months; twenty windows over the second half of
each series, each on four lattices (half a cell apart), since where cells begin moves every figure by some percent. All
methods get the same history, all of it; the weights of ours are learnt from windows that ended before the origin.
Hit rates are told at 1, 3 and 5 % of the area and at one square kilometre, as the page takes for one patrol where the
territories that it looks after are not known: none of the cities publishes its beats with these files.
"""

import csv
import gzip
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import numpy as np
from python_calamine import CalamineWorkbook

from benchmarks.harness import bench
from incidents.hotspots import accuracy
from incidents.hotspots.grid import over
from incidents.hotspots.risk import Ground

DATA = Path(__file__).resolve().parents[2] / "shared/data"
CELL, WINDOWS = 250.0, 20
PATROL = 1.0  # square kilometres
CITIES = {
    "Medellin, homicides 2010-19": "medellin_homicides",
    "New York, shootings 2006-23": "nyc_shootings_2006_on",
    "Memphis, robberies 2019": "memphis_robberies_2019",
}
ECUADOR = {"Ecuador, homicides 2014-17": (2014, 2017), "Ecuador, homicides 2023-24": (2023, 2024)}
GOALS = {"counts": 1.04, "density 1": 1.12, "gi": 1.20}
MARGIN = 0.01  # degrees
LATTICES = ((0, 0), (0.5, 0.5), (0.5, 0), (0, 0.5))  # of a cell, to the west and to the south


@bench("accuracy")
def accuracies(report, options):
    """PAI and PEI of each method at 3 % of the area, ours beside cell counts, a density of 250 m and Gi*."""
    rows = []
    for name, points in _series(report):
        days, scores = _scores(*points)
        rows.append({method: float(score.pai[:, 1].mean()) for method, score in scores.items()})
        for method, score in scores.items():
            _say(report, name, method, score)
        pai = np.array([score.pai[:, 1] for score in scores.values()])
        mean, low, high = accuracy.interval(accuracy.choosing(pai, days))
        report.fact(f"{name}: PAI of choosing by windows that were over (90 %: {low:.2f}-{high:.2f})", mean, "PAI")
    if not rows:
        return
    for baseline, goal in GOALS.items():
        ratios = [row["risk"] / row[baseline] for row in rows]
        report.fact(f"PAI of risk over {baseline}, geometric mean of {len(rows)} series",
                    float(np.exp(np.mean(np.log(ratios)))), "ratio", at_least=goal)  # fmt: skip
    worst = min(row["risk"] / max(row[one] for one in GOALS) for row in rows)
    report.fact("PAI of risk over the best of the three, worst series", worst, "ratio", at_least=0.97)


def _say(report, name, method, score):
    for measure in ("pai", "pei", "rri"):
        mean, low, high = accuracy.interval(getattr(score, measure)[:, 1])
        report.fact(f"{name}: {measure.upper()} of {method} (90 %: {low:.2f}-{high:.2f})", mean, measure.upper())
    rates = " / ".join(_rate(of_windows) for of_windows in score.hit_rate.T)
    report.fact(
        f"{name}: hit rate of {method} at 1 / 3 / 5 % of the area / {PATROL:g} km2, percent (90 %): {rates}",
        float(score.hit_rate[:, 1].mean()),
        "share",
    )


def _rate(of_windows):
    mean, low, high = (100 * value for value in accuracy.interval(of_windows))
    return f"{mean:.1f} ({low:.1f}-{high:.1f})"


def _scores(day, longitude, latitude):
    """(first days of the windows, score of each method by its name)."""
    days = accuracy.origins(int(day.min()), int(day.max()), WINDOWS)
    bounds = longitude.min() - MARGIN, latitude.min() - MARGIN, longitude.max() + MARGIN, latitude.max() + MARGIN
    first, past, found = over(bounds, CELL), day < days[0], []
    wide, high = first.step
    for west, south in LATTICES:
        grid = replace(first, west=first.west - west * wide, south=first.south - south * high,
                       columns=first.columns + 1, rows=first.rows + 1)  # fmt: skip
        area = accuracy.near_events(grid, longitude[past], latitude[past])
        ground = Ground(grid, area, longitude, latitude, day)
        shares = (*accuracy.SHARES, PATROL / (len(ground.cells) * (CELL / 1000) ** 2))
        found.append(accuracy.back_test(ground, days, shares=shares))
    return days, {method: _together([one[method] for one in found]) for method in found[0]}


def _together(scores):
    """A window's figures are the means over the lattices."""
    return accuracy.Score(
        *(np.mean([getattr(one, field.name) for one in scores], 0) for field in fields(accuracy.Score))
    )


def _series(report):
    for name, stem in CITIES.items():
        file = DATA / f"other-cities/{stem}.csv.gz"
        if not file.exists():
            report.fact(f"not there: {name}", 0, "events")
            continue
        with gzip.open(file, "rt") as opened:
            rows = [(row["date"][:10], float(row["lon"]), float(row["lat"])) for row in csv.DictReader(opened)]
        yield name, _arrays(rows)
    files = sorted(DATA.glob("ecuador/mdi_homicidios*.xlsx"))
    if not files:
        report.fact("not there: Ecuador", 0, "events")
        return
    rows = [row for file in files for row in _ministry(file)]
    for name, (first, last) in ECUADOR.items():
        yield name, _arrays([row for row in rows if first <= row[0].year <= last])


def _arrays(rows):
    days, longitude, latitude = zip(*rows, strict=True)
    return np.array(days, "datetime64[D]").astype(np.int64), np.array(longitude), np.array(latitude)


def _ministry(file):
    """(day, longitude, latitude) of the rows of a file of the Ministry that have a place on the mainland."""
    head, *rows = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    names = [str(name).strip().lower() for name in head]
    day, x, y = (names.index(name) for name in ("fecha_infraccion", "coordenada_x", "coordenada_y"))
    for row in rows:
        is_placed = isinstance(row[x], float) and isinstance(row[y], float)
        if isinstance(row[day], date) and is_placed and -81.2 < row[x] < -75 and -5.1 < row[y] < 1.6:
            yield row[day], row[x], row[y]

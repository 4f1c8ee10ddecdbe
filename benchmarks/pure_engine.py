"""Times the pure engine at national size: 1,924 subcircuits x 60 indicators x 120 months, no database.

Processor time of one core, so that a busy machine says the same as a quiet one.

python benchmarks/pure_engine.py [years]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from indicators.cards import PlanTree, score_cards
from indicators.codes import LightBy, Rule, Sense, Sheet, SheetTable
from indicators.rollup import Tree
from indicators.year import Figures, Targets, score_year

LEVELS = (1, 9, 26, 140, 1134, 1924)
INDICATORS = 60


def country(rng) -> np.ndarray:
    """Parents of 3,234 units, level after level."""
    parents, former, size = [-1], np.array([0]), 1
    for count in LEVELS[1:]:
        above = np.sort(np.r_[former, rng.choice(former, count - len(former))])
        parents.extend(above)
        former = np.arange(size, size + count)
        size += count
    return np.array(parents)


def sheets() -> SheetTable:
    """Two thirds counts, one third ratios; every direction, some within a range, some against a baseline."""
    counts = [Sheet(Sense.LOWER if k % 2 else Sense.HIGHER, is_count=True) for k in range(40)]
    ratio = {"over_units": Rule.RATIO, "over_time": Rule.RATIO, "scale": 100.0, "has_denominator": True}
    ratios = [Sheet(Sense.HIGHER, light_by=LightBy.MONTH if k % 2 else LightBy.TO_DATE, **ratio) for k in range(12)]
    rate = ratio | {"scale": 1e5, "den_over_time": Rule.LAST, "population_denominator": True}
    rates = [Sheet(Sense.LOWER, **rate) for _ in range(4)]
    others = [Sheet(Sense.WITHIN, tolerance=10.0, **ratio), Sheet(Sense.IMPROVE_LOWER, is_count=True)]
    others += [Sheet(Sense.LOWER, Rule.MEAN, Rule.MEAN), Sheet(Sense.LOWER, Rule.MAX, Rule.MAX)]
    return SheetTable.of(counts + ratios + rates + others)


def a_year(rng, parent, table) -> tuple[Figures, Targets, np.ndarray]:
    shape = (12, len(table), len(parent))
    leaves = np.ones(len(parent), bool)
    leaves[parent[1:]] = False
    due = np.broadcast_to(leaves, shape).copy()
    numerator = rng.poisson(20.0, shape).astype(float)
    numerator[rng.random(shape) < 0.05] = np.nan
    denominator = numerator + rng.poisson(10.0, shape)
    denominator[:, ~table.has_denominator] = np.nan
    denominator[:, table.population_denominator] = 5e4
    below = Tree(parent).sum_up(leaves[None].astype(float))[0]
    target = np.where(table.divides[:, None], 60.0, 20.0 * below) * rng.uniform(0.9, 1.1, shape)
    bounds = np.full(shape, np.nan), np.full(shape, np.nan)
    bounds[0][:, 56], bounds[1][:, 56] = 55.0, 75.0
    return Figures(numerator, denominator), Targets(target, *bounds, baseline=target * 1.5), due


def median(times) -> float:
    return float(np.median(times))


def main(years: int = 10) -> None:
    rng = np.random.default_rng(2016)
    parent, table = country(rng), sheets()
    tree = Tree(parent)
    objectives = [1 + k % 10 for k in range(INDICATORS)]
    plan = PlanTree.of([-1] + [0] * 10, [0] + [10] * 10, objectives, [100 / 6] * INDICATORS)
    data = [a_year(rng, parent, table) for _ in range(min(years, 2))]
    result, spent, carded = None, [], []
    for year in range(years):
        figures, targets, due = data[year % len(data)]
        begun = time.process_time()
        result = score_year(table, tree, figures, targets, due, year=2014 + year, out=result)
        middle = time.process_time()
        score_cards(plan, result.driver_attainment, result.driver_marks)
        spent.append(middle - begun)
        carded.append(time.process_time() - middle)
    print(f"{INDICATORS} indicators x {len(parent)} units x {12 * years} months")
    print(f"roll up, score, to date: {sum(spent):.2f} s ({1000 * median(spent) / 12:.1f} ms a month)")
    print(f"cards: {sum(carded):.2f} s ({1000 * median(carded) / 12:.1f} ms a month)")
    figures, targets, due = data[0]
    column = [array[:, :1] for array in (figures.numerator, figures.denominator, targets.value, due)]
    for name, first in (("January and the year's later months", 0), ("December", 11)):
        times = []
        for _ in range(9):
            begun = time.process_time()
            one = Figures(column[0], column[1]), Targets(column[2]), column[3]
            score_year(table.take([0]), tree, *one, year=2014, first=first)
            times.append(time.process_time() - begun)
        print(f"one stale column, {name}: {1000 * median(times):.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)

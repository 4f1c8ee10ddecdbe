"""A generated country of national size: 1,924 subcircuits below 1,134 circuits, 140 districts, 26 subzones and 9 zones;
60 indicators, 120 months, 5 % of figures missing, targets at every level. The same arrays go to PostgreSQL and to
peers.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pgtrigger
from django.db import connection, transaction
from django.utils import timezone

from indicators.models import Assignment, Indicator, SheetVersion
from scorecard.models import Objective, Perspective, Plan, PlanLine
from units.models import Institution, Population, Territory, Unit, UnitPeriod
from units.pgcopy import Column, copy_in

LEVELS = (1, 9, 26, 140, 1134, 1924)
FIRST_YEAR = 2014
MISSING = 0.05
# (share of indicators, fields of the sheet): counts, rates on population, ratios, levels.
MAKES = (
    (0.50, {"sense": 2, "over_units": 1, "over_time": 1, "is_count": True}),
    (
        0.10,
        {"sense": 2, "over_units": 4, "over_time": 4, "denominator_kind": 2, "denominator_over_time": 5, "scale": 1e5},
    ),
    (0.20, {"sense": 1, "over_units": 4, "over_time": 4, "denominator_kind": 1, "scale": 100}),
    (0.10, {"sense": 1, "over_units": 1, "over_time": 5, "light_by": 1}),
    (0.10, {"sense": 1, "over_units": 6, "over_time": 6}),
)


@dataclass
class Country:
    """parent (N,) ordinals, -1 for the root; level (N,); unit_ids (N,); indicator_ids (K,); kinds (K,) index into
    MAKES.

    numerator, denominator (M, K, leaves) and target (M, K, N): NaN where missing. leaves: ordinals. people (N,).
    """

    parent: np.ndarray
    level: np.ndarray
    unit_ids: np.ndarray
    indicator_ids: np.ndarray
    kinds: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray
    target: np.ndarray
    leaves: np.ndarray
    people: np.ndarray
    institution: object
    months: np.ndarray


def tree(levels):
    """Parent ordinals and levels of a country in which each level is spread evenly below the one above."""
    parent, level, before = [-1], [0], [0]
    for depth, count in enumerate(levels[1:], start=1):
        start = len(parent)
        parent += [before[i * len(before) // count] for i in range(count)]
        level += [depth] * count
        before = list(range(start, start + count))
    return np.array(parent), np.array(level)


def figures(rng, parent, level, kinds, months, people):
    """Figures of the leaves and targets of all units, made from one seed."""
    leaves = np.flatnonzero(level == level.max())
    shape = (months, len(kinds), len(leaves))
    numerator = rng.poisson(rng.gamma(2.0, 4.0, (1, len(kinds), len(leaves))), shape).astype(np.float64)
    denominator = np.full(shape, np.nan)
    ratio = np.flatnonzero(kinds == 2)
    denominator[:, ratio] = numerator[:, ratio] + rng.integers(1, 20, (months, len(ratio), len(leaves)))
    numerator[rng.random(shape) < MISSING] = np.nan
    target = np.empty((months, len(kinds), len(parent)))
    means = np.nan_to_num(numerator).mean(axis=0)
    below = means_at_every_level(parent, level, leaves, means, kinds, np.nan_to_num(denominator).mean(axis=0), people)
    target[:] = below * rng.uniform(0.8, 1.2, (months, 1, 1))
    return leaves, numerator, denominator, target


def means_at_every_level(parent, level, leaves, means, kinds, denominators, people):
    """A plausible target (K, N): what the leaves below give on average, by the indicator's kind."""
    k, n = len(kinds), len(parent)
    total, under = np.zeros((k, n)), np.zeros((k, n))
    total[:, leaves], under[:, leaves] = means, denominators
    for unit in range(n - 1, 0, -1):
        combine = np.where(
            kinds == 4, np.maximum(total[:, parent[unit]], total[:, unit]), total[:, parent[unit]] + total[:, unit]
        )
        total[:, parent[unit]] = combine
        under[:, parent[unit]] += under[:, unit]
    rate, ratio = kinds == 1, kinds == 2
    total[rate] = 1e5 * total[rate] / people
    total[ratio] = 100 * total[ratio] / under[ratio]
    return total


@pgtrigger.ignore()
@transaction.atomic
def load(*, levels=LEVELS, indicators=60, months=120, seed=20141):
    """Write the country into an empty database and return its arrays."""
    rng = np.random.default_rng(seed)
    parent, level = tree(levels)
    start = date(FIRST_YEAR, 1, 1)
    body = Institution.objects.create(code="BENCH", name="Bench", short_name="Bench")
    territories, units = _places(body, parent, level, start)
    people = _people(rng, parent, level, territories, months)
    shares = np.cumsum([share for share, _ in MAKES])
    kinds = np.searchsorted(shares, (np.arange(indicators) + 0.5) / indicators)
    sheets = _sheets(body, kinds, start)
    leaves, numerator, denominator, target = figures(rng, parent, level, kinds, months, people)
    Assignment.objects.bulk_create(
        (Assignment(indicator_id=i, unit_id=units[leaf], from_month=start) for i in sheets for leaf in leaves.tolist()),
        batch_size=20_000,
    )
    for year in range(FIRST_YEAR, FIRST_YEAR + -(-months // 12)):
        _plan(body, year, sheets)
    axis = np.datetime64(start, "M") + np.arange(months)
    country = Country(
        parent,
        level,
        np.array(units),
        np.array(sheets),
        kinds,
        numerator,
        denominator,
        target,
        leaves,
        people,
        body,
        axis,
    )
    _copy(country)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return country


def _places(body, parent, level, start):
    territories, units = [], []
    made = Territory.objects.bulk_create(
        [Territory(code=f"T{i}", name=f"Territory {i}", level=int(level[i])) for i in range(len(parent))]
    )
    for i, territory in enumerate(made):
        territory.parent_id = made[parent[i]].pk if parent[i] >= 0 else None
        territories.append(territory.pk)
    Territory.objects.bulk_update(made, ["parent"], batch_size=1000)
    rows = Unit.objects.bulk_create(
        [Unit(institution=body, code=f"U{i}", name=f"Unit {i}", territory=made[i]) for i in range(len(parent))]
    )
    for i, unit in enumerate(rows):
        above = rows[parent[i]] if parent[i] >= 0 else None
        unit.parent, unit.path = above, [*(above.path if above else []), unit.pk]
        units.append(unit.pk)
    Unit.objects.bulk_update(rows, ["parent", "path"], batch_size=1000)
    UnitPeriod.objects.bulk_create(
        UnitPeriod(unit=u, institution=body, parent=u.parent, territory=u.territory, from_month=start) for u in rows
    )
    return territories, units


def _people(rng, parent, level, territories, months):
    people = np.zeros(len(parent), np.int64)
    leaves = level == level.max()
    people[leaves] = rng.integers(2_000, 20_000, leaves.sum())
    for unit in range(len(parent) - 1, 0, -1):
        people[parent[unit]] += people[unit]
    Population.objects.bulk_create(
        (
            Population(territory_id=territory, year=year, people=int(count), source="generated")
            for year in range(FIRST_YEAR, FIRST_YEAR + -(-months // 12))
            for territory, count in zip(territories, people, strict=True)
        ),
        batch_size=10_000,
    )
    return people


def _sheets(body, kinds, start):
    made = Indicator.objects.bulk_create(Indicator(institution=body, code=f"B.I{k}") for k in range(len(kinds)))
    SheetVersion.objects.bulk_create(
        SheetVersion(
            indicator=indicator,
            version=1,
            valid_from=start,
            name=f"Indicator {k}",
            unit_of_measure="cases",
            numerator="cases",
            **MAKES[kinds[k]][1],
        )
        for k, indicator in enumerate(made)
    )
    return [indicator.pk for indicator in made]


def _plan(body, year, sheets):
    plan = Plan.objects.create(institution=body, year=year, status="approved")
    perspective = Perspective.objects.create(plan=plan, name="Results", order=1)
    groups = np.array_split(np.array(sheets), max(1, len(sheets) // 10))
    for n, group in enumerate(groups):
        objective = Objective.objects.create(
            plan=plan,
            perspective=perspective,
            verb="reduce",
            what=f"matter {n}",
            means="patrols",
            weight=100 / len(groups),
            order=n,
        )
        PlanLine.objects.bulk_create(
            PlanLine(plan=plan, objective=objective, indicator_id=int(i), weight=100 / len(group), order=k)
            for k, i in enumerate(group)
        )


def measurement_columns(country, month):
    """The rows of a month's figures: keys (months, indicators, units), numerators, denominators; missing ones left
    out.
    """
    k, leaf = np.nonzero(~np.isnan(country.numerator[month]))
    months = np.full(len(k), country.months[month])
    keys = months, country.indicator_ids[k], country.unit_ids[country.leaves[leaf]]
    return keys, country.numerator[month][k, leaf], country.denominator[month][k, leaf]


def _copy(country):
    now = timezone.now()
    with connection.cursor() as cursor:
        for month in range(len(country.months)):
            (months, indicators, units), numerator, denominator = measurement_columns(country, month)
            copy_in(
                cursor,
                "indicators_measurement",
                [
                    "month",
                    "indicator_id",
                    "unit_id",
                    "numerator",
                    "denominator",
                    "state",
                    "is_provisional",
                    "source",
                    "recorded_at",
                ],
                [
                    Column("date", months),
                    Column("int4", indicators),
                    Column("int4", units),
                    Column("float8", numerator),
                    Column("float8", denominator, np.isnan(denominator)),
                    Column("int2", 1),
                    Column("bool", False),
                    Column("text", "generated"),
                    Column("timestamptz", now),
                ],
                len(units),
            )
            k, unit = np.nonzero(~np.isnan(country.target[month]))
            copy_in(
                cursor,
                "indicators_target",
                ["month", "indicator_id", "unit_id", "value", "recorded_at"],
                [
                    Column("date", np.full(len(k), country.months[month])),
                    Column("int4", country.indicator_ids[k]),
                    Column("int4", country.unit_ids[unit]),
                    Column("float8", country.target[month][k, unit]),
                    Column("timestamptz", now),
                ],
                len(k),
            )

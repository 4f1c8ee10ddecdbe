"""A year's target spread over its twelve months, and checks of a plan's targets over the years.

Targets of a year are spread so that the months add up to it (counts, flows) or each month carries it (rates, stocks);
only measurement months carry a target, the others are NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import numpy as np

from .months import measurement_months


class Spread(StrEnum):
    """How a year's target comes to its months."""

    EQUAL = "equal"
    SEASONAL = "seasonal"
    CUMULATIVE = "cumulative"


class Accumulation(StrEnum):
    """How the targets of a plan's years make up the target of the whole plan."""

    ACCUMULATED = "accumulated"
    CAPACITY = "capacity"
    FLOW = "flow"
    STOCK = "stock"
    REDUCTION = "reduction"


def spread_target(
    year_target: float,
    rule: Spread | str = Spread.EQUAL,
    *,
    adds_up: bool = True,
    frequency: int = 12,
    last_year: Sequence[float] | None = None,
    whole: bool = False,
    start: float = 0.0,
) -> np.ndarray:
    """Twelve monthly targets of a year's target, (12,), NaN outside the measurement months.

    EQUAL: the same share a measurement month if it adds up, else the year's target itself in each. SEASONAL: in
    proportion to last year's profile (12 figures, missing as no weight); a rate keeps the profile around its mean.
    CUMULATIVE: the part of the way from `start` to the year's target to be reached by each month. whole: integers that
    add up, by largest remainder. Raises ValueError where the profile says nothing.
    """
    if not np.isfinite(year_target):
        raise ValueError("The year's target is not a number.")
    months = np.array(measurement_months(frequency)) - 1
    rule = Spread(rule)
    if rule == Spread.CUMULATIVE:
        parts = start + (year_target - start) * (months + 1) / 12.0
        parts = np.floor(parts + 0.5) if whole else parts
    else:
        shares = _profile(last_year, frequency) if rule == Spread.SEASONAL else np.ones(len(months))
        parts = year_target * shares / (shares.sum() if adds_up else shares.mean())
        if whole:
            parts = largest_remainder(parts) if adds_up else np.floor(parts + 0.5)
    spread = np.full(12, np.nan)
    spread[months] = parts
    return spread


def spread_targets(year_targets, rule: Spread | str = Spread.EQUAL, *, last_year=None, **options) -> np.ndarray:
    """`spread_target` for many units: year targets (N,), last year (12, N) or None -> (12, N); NaN stays NaN."""
    spread = np.full((12, len(year_targets)), np.nan)
    for unit in np.flatnonzero(~np.isnan(year_targets)):
        profile = None if last_year is None else np.asarray(last_year)[:, unit]
        spread[:, unit] = spread_target(float(year_targets[unit]), rule, last_year=profile, **options)
    return spread


def _profile(last_year: Sequence[float] | None, frequency: int) -> np.ndarray:
    """Last year's figures gathered into the measurement months: those of the months each one closes."""
    if last_year is None or len(last_year) != 12:
        raise ValueError("A seasonal spread needs last year's twelve months.")
    figures = np.nan_to_num(np.asarray(last_year, np.float64))
    if np.any(figures < 0):
        raise ValueError("A seasonal spread needs figures of zero or more; last year has negative ones.")
    shares = figures.reshape(frequency, 12 // frequency).sum(axis=1)
    if shares.sum() <= 0:
        raise ValueError("Last year has no figure above zero: it gives no profile to spread by.")
    return shares


def largest_remainder(parts: np.ndarray) -> np.ndarray:
    """Whole numbers nearest to parts that add up to their sum (rounded half up); ties to the earlier."""
    parts = np.asarray(parts, np.float64)
    floors = np.floor(parts + 1e-9)
    missing = int(np.floor(parts.sum() + 0.5 + 1e-9) - floors.sum())
    order = np.argsort(-np.round(parts - floors, 9), kind="stable")
    floors[order[:missing]] += 1
    return floors


def plan_target_problem(
    kind: Accumulation | str, year_targets: Sequence[float], plan_target: float, baseline: float | None = None
) -> str | None:
    """Why a plan's target does not follow from its years' by its type, as an English sentence; None if it does.

    Accumulated: the sum of the years. Capacity, flow: the last year. Stock: every year. Reduction: the last year, each
    year no higher than the one before (nor than the baseline). After Colombia's types of accumulation.
    """
    kind, years = Accumulation(kind), [float(target) for target in year_targets]
    if not years or any(not np.isfinite(target) for target in (*years, plan_target)):
        return "Every year of the plan, and the plan itself, needs a target."
    if kind == Accumulation.ACCUMULATED and not _same(sum(years), plan_target):
        return f"An accumulated target is the sum of its years, {sum(years):g}, not {plan_target:g}."
    if kind in (Accumulation.CAPACITY, Accumulation.FLOW) and not _same(years[-1], plan_target):
        return f"A target of capacity or flow is that of its last year, {years[-1]:g}, not {plan_target:g}."
    if kind == Accumulation.STOCK and not all(_same(target, plan_target) for target in years):
        return f"A stock is kept every year: each year's target is the plan's, {plan_target:g}."
    if kind == Accumulation.REDUCTION:
        return _reduction_problem(years, plan_target, baseline)
    return None


def _reduction_problem(years: list[float], plan_target: float, baseline: float | None) -> str | None:
    if not _same(years[-1], plan_target):
        return f"A reduction ends at its last year's target, {years[-1]:g}, not {plan_target:g}."
    path = years if baseline is None else [float(baseline), *years]
    if any(later > earlier and not _same(later, earlier) for earlier, later in pairwise(path)):
        return "A reduction never rises: a year's target is above the one before it or the baseline."
    if baseline is not None and _same(baseline, plan_target):
        return "A reduction ends below its baseline."
    return None


def _same(a: float, b: float) -> bool:
    return bool(np.isclose(a, b, rtol=1e-9, atol=1e-9))

"""Figures of units combined into their parents: one backward pass over the tree of that month.

Units are ordinals 0..N-1, parents before children. Arrays are (K indicators, N units) of one month. NaN is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy import sparse

from .codes import Rule, SheetTable
from .scoring import rows_where

_FIELD = 2.0**17  # three counts packed in one float: exact while a unit has fewer than 131,072 leaf figures below it


class Level(NamedTuple):
    """Children of one depth, sorted by parent, heavier first; where each parent's children start; those parents."""

    children: slice | np.ndarray
    starts: np.ndarray
    parents: slice | np.ndarray


def _compact(ordinals: np.ndarray) -> slice | np.ndarray:
    """Ordinals as a slice where they run on without a gap, so that arrays are viewed and not copied."""
    if len(ordinals) and np.array_equal(ordinals, np.arange(ordinals[0], ordinals[0] + len(ordinals))):
        return slice(int(ordinals[0]), int(ordinals[-1]) + 1)
    return ordinals


class Tree:
    """The units of one month: parent ordinals (N,), -1 for roots. Parents before children is quicker, and not needed.

    A unit that is not in the tree that month (closed, not yet open) is a root without children and simply not due.
    weight (N,), optional: breaks ties of the worst child, heavier first. Raises ValueError naming a unit that stands
    below itself.
    """

    def __init__(self, parent, weight=None):
        self.parent = np.asarray(parent, np.int64)
        self.size = len(self.parent)
        if len(self.parent) and not -1 <= self.parent.min() <= self.parent.max() < self.size:
            raise ValueError("A parent is not among the units.")
        weight = np.zeros(self.size) if weight is None else np.nan_to_num(np.asarray(weight, np.float64))
        children = np.flatnonzero(self.parent >= 0)
        order = np.lexsort((children, -weight[children], self.parent[children]))
        self.children = children[order]
        self.siblings = self._in_turn(self._level(self.children))
        self._climb()

    def _level(self, children: np.ndarray) -> Level:
        of = self.parent[children]
        starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]]) if len(of) else np.zeros(0, np.intp)
        return Level(_compact(children), starts, _compact(of[starts]))

    def _in_turn(self, families: Level) -> list[np.ndarray]:
        """Parents, largest families first; then their first children, their second (of those that have one), and on."""
        sizes = np.diff(np.r_[families.starts, len(self.children)])
        order = np.argsort(-sizes, kind="stable")
        starts, sizes = families.starts[order], sizes[order]
        turns = [self.children[starts[sizes > turn] + turn] for turn in range(sizes.max(initial=0))]
        return [self.parent[self.children[starts]], *(children.astype(np.int32) for children in turns)]

    def _climb(self) -> None:
        """Depth of every unit, levels from the deepest up, and the sparse matrix of each unit with all below it."""
        unit = above = np.arange(self.size)
        self.depth = np.full(self.size, -1)
        pairs = []
        while len(unit):
            pairs.append((above, unit))
            self.depth[unit] += 1
            up = self.parent[above]
            if (up == unit).any():
                raise ValueError(f"Unit {int(unit[up == unit][0])} stands below itself.")
            unit, above = unit[up >= 0], up[up >= 0]
        none = (np.zeros(0, np.intp), np.zeros(0, np.intp))  # an institution without units in that year
        rows, columns = (np.concatenate(side) for side in zip(*pairs, strict=True)) if pairs else none
        self._below = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(self.size, self.size))
        depth_of = self.depth[self.children]
        self.levels = [self._level(self.children[depth_of == d]) for d in range(self.depth.max(initial=0), 0, -1)]
        self.is_parent = np.zeros(self.size, bool)
        self.is_parent[self.parent[self.children]] = True

    def sum_up(self, own: np.ndarray) -> np.ndarray:
        """Own figure plus all below, (K, N) float without NaN -> (K, N): one sparse product."""
        return np.ascontiguousarray((self._below @ np.ascontiguousarray(own.T)).T)


@dataclass
class RolledMonth:
    """One month of figures rolled up; arrays (K, N).

    reported of due leaf figures have come in; provisional of them are entered and not approved (int64).
    """

    numerator: np.ndarray
    denominator: np.ndarray | None
    value: np.ndarray
    reported: np.ndarray
    due: np.ndarray
    provisional: np.ndarray


@dataclass
class UnitRules:
    """Rows of a sheet table grouped by how their figures combine over units: worked out once, used every month."""

    sheets: SheetTable
    added: np.ndarray = field(init=False)  # numerators add up
    weighed: np.ndarray = field(init=False)  # values weighed by rolled-up weights
    valued: np.ndarray = field(init=False)  # values combine level by level: mean, max, mean by given weights
    alone: np.ndarray = field(init=False)  # no roll-up

    def __post_init__(self):
        s = self.sheets
        if np.any(s.over_units == Rule.LAST):
            raise ValueError("The rule 'last' is for months; it cannot combine units.")
        self.alone = s.over_units == Rule.NONE
        self.added = np.isin(s.over_units, (Rule.SUM, Rule.RATIO))
        self.weighed = (s.over_units == Rule.WEIGHTED_MEAN) & ~s.den_is_given
        self.valued = ~(self.alone | self.added | self.weighed)
        self.den_added = s.has_denominator & ~self.alone & ~s.den_is_given & (s.den_over_units == Rule.SUM)
        self.den_added |= self.weighed
        self.den_valued = s.has_denominator & ~self.alone & ~s.den_is_given & ~self.den_added
        self.needs_both = s.has_denominator & ~s.den_is_given
        self.all_added = bool(self.added.all())
        self.any_alone = bool(self.alone.any())


def have_figure(rules: UnitRules, numerator, denominator, counted) -> np.ndarray:
    """Where a whole own figure counts: due, not declared away, and with its denominator where that rolls up."""
    have = counted & ~np.isnan(numerator)
    if denominator is not None and rules.needs_both.any():
        rows = rows_where(rules.needs_both)
        have[rows] &= ~np.isnan(denominator[rows])
    return have


def roll_up_figures(sheets, tree: Tree, numerator, denominator, have, due, provisional) -> RolledMonth:
    """Own figure and children's combined by each sheet's rule over units, bottom up.

    sheets: SheetTable or its UnitRules; numerator, denominator (K, N) float, denominator None if no sheet has one;
    have (K, N) bool where an own figure counts; due (K, N) bool where a leaf figure is expected; provisional (K, N)
    bool or None, only where have.
    """
    rules = sheets if isinstance(sheets, UnitRules) else UnitRules(sheets)
    reported, expected, waiting = _coverage(rules, tree, have, due, provisional)
    rolled = RolledMonth(np.where(have, numerator, 0.0), None, None, reported, expected, waiting)
    if denominator is not None:
        rolled.denominator = _denominators(rules, tree, denominator, have)
    _add_up(rules, tree, rolled, denominator)
    np.copyto(rolled.numerator, np.nan, where=reported == 0)
    rolled.value = values(rules.sheets, rolled.numerator, rolled.denominator)
    if rules.valued.any():
        _combine_values(rules, tree, rolled, numerator, denominator, have)
    return rolled


def _coverage(rules: UnitRules, tree: Tree, have, due, provisional) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leaf figures reported, due and provisional, counted up the tree in one product."""
    packed = have + _FIELD * due
    if provisional is not None:
        packed += _FIELD * _FIELD * provisional
    total = tree.sum_up(packed)
    if rules.any_alone:
        total[rules.alone] = packed[rules.alone]
    counts = total.astype(np.int64)
    mask = (1 << 17) - 1
    return (counts & mask), ((counts >> 17) & mask), (counts >> 34)


def _denominators(rules: UnitRules, tree: Tree, denominator, have) -> np.ndarray:
    """Denominators rolled up by their own rule; as given where every unit brings its own. (K, N), NaN where none."""
    result = np.where(rules.sheets.has_denominator[:, None], denominator, np.nan)
    if rules.den_added.any():
        rows = rows_where(rules.den_added)
        total = tree.sum_up(np.where(have[rows], denominator[rows], 0.0))
        anything = tree.sum_up(have[rows].astype(np.float64)) > 0
        result[rows] = np.where(anything, total, np.nan)
    for rule in (Rule.MEAN, Rule.MAX):
        here = rules.den_valued & (rules.sheets.den_over_units == rule)
        if here.any():
            rows = rows_where(here)
            own = np.where(have[rows], denominator[rows], np.nan)
            result[rows] = _max_up(tree, own) if rule == Rule.MAX else _mean_up(tree, own)
    return result


def _add_up(rules: UnitRules, tree: Tree, rolled: RolledMonth, denominator) -> None:
    """Sums of numerators, and values weighed by their denominators, over all below; in place."""
    if rules.all_added:
        rolled.numerator = tree.sum_up(rolled.numerator)
        return
    if rules.added.any():
        rows = rows_where(rules.added)
        rolled.numerator[rows] = tree.sum_up(rolled.numerator[rows])
    if rules.weighed.any():
        rows = rows_where(rules.weighed)
        weight = np.where(np.isnan(denominator[rows]), 0.0, denominator[rows])
        total, below = tree.sum_up(rolled.numerator[rows] * weight), rolled.denominator[rows]
        rolled.numerator[rows] = np.divide(total, below, out=np.full_like(total, np.nan), where=below > 0)


def values(sheets: SheetTable, numerator, denominator) -> np.ndarray:
    """scale * numerator / denominator where it divides and is positive, else the numerator; (K, N), NaN where none."""
    if denominator is None or not sheets.has_denominator.any():
        return numerator
    value = numerator.copy()
    rows = rows_where(sheets.has_denominator)
    below = denominator[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = sheets.scale[rows, None] * numerator[rows] / below
    value[rows] = np.where(below > 0, np.where(sheets.divides[rows, None], ratio, numerator[rows]), np.nan)
    return value


def _combine_values(rules: UnitRules, tree: Tree, rolled: RolledMonth, numerator, denominator, have) -> None:
    """Mean, maximum, or mean by given weights of values, level by level; the numerator is put back to match."""
    sheets = rules.sheets
    for rule in np.unique(sheets.over_units[rules.valued]):
        rows = np.flatnonzero(rules.valued & (sheets.over_units == rule))
        part = sheets.take(rows)
        own_den = None if denominator is None else denominator[rows]
        own = values(part, np.where(have[rows], numerator[rows], np.nan), own_den)
        if rule == Rule.MAX:
            value = _max_up(tree, own)
        else:
            value = _mean_up(tree, own, rolled.denominator[rows] if rule == Rule.WEIGHTED_MEAN else None)
        rolled.value[rows] = rolled.numerator[rows] = value
        if part.divides.any():
            ratio = value * rolled.denominator[rows] / part.scale[:, None]
            rolled.numerator[rows] = np.where(part.divides[:, None], ratio, value)


def _mean_up(tree: Tree, own, weight=None) -> np.ndarray:
    """Mean of the own value and the children's, each child once (or by its weight), bottom up; NaN is missing."""
    weight = np.ones(own.shape) if weight is None else np.where(weight > 0, weight, 0.0)
    weight_here = np.where(np.isnan(own), 0.0, weight)
    total = np.where(np.isnan(own), 0.0, own) * weight_here
    mean = np.array(own)
    for level in tree.levels:
        below = mean[:, level.children]
        known = ~np.isnan(below)
        counted = np.where(known, weight[:, level.children], 0.0)
        total[:, level.parents] += np.add.reduceat(np.where(known, below, 0.0) * counted, level.starts, axis=1)
        weight_here[:, level.parents] += np.add.reduceat(counted, level.starts, axis=1)
        over = weight_here[:, level.parents]
        mean[:, level.parents] = np.divide(
            total[:, level.parents], over, out=np.full(over.shape, np.nan), where=over > 0
        )
    return mean


def _max_up(tree: Tree, own) -> np.ndarray:
    """Largest of the own value and the children's, bottom up; NaN is missing."""
    top = np.array(own)
    for level in tree.levels:
        below = np.fmax.reduceat(top[:, level.children], level.starts, axis=1)
        top[:, level.parents] = np.fmax(top[:, level.parents], below)
    return top


def derive_targets(
    sheets: SheetTable, tree: Tree, own, rolled: RolledMonth, have, is_set=None, among=True
) -> tuple[np.ndarray, np.ndarray | None]:
    """Own target where set, else rolled up from the children that have a figure; and where it was derived.

    own (K, N) float, NaN where not set (is_set (K, N) bool, where an open bound of a range is NaN and yet set); have
    (K, N) bool: units with a figure of their own; among (K,) bool: the rows to look at. Returns (target (K, N) float,
    derived (K, N) bool or None where nowhere). A child that has a figure and no target, or an own figure of the
    parent's beside the children's, leaves the parent without: half a promise would flatter. Ratios and weighted means
    weigh by the children's denominators.
    """
    wanted = np.isnan(own) if is_set is None else ~is_set
    wanted &= tree.is_parent
    asked = wanted.any(axis=1) & among & (sheets.over_units != Rule.NONE) & ~sheets.milestone
    if not asked.any():
        return own, None
    wanted &= asked[:, None] & (rolled.reported > 0) & ~have
    target = own.copy()
    for combine, here in _target_rules(sheets):
        _derive_rows(combine, np.flatnonzero(asked & here), tree, target, rolled, wanted)
    return target, wanted & ~np.isnan(target)


def _target_rules(sheets: SheetTable) -> tuple[tuple[str, np.ndarray], ...]:
    """How targets combine over units, and the rows that do so, (K,) bool."""
    ratio = (sheets.over_units == Rule.RATIO) | ((sheets.over_units == Rule.SUM) & sheets.divides)
    return (
        ("sum", (sheets.over_units == Rule.SUM) & ~sheets.divides),
        ("mean", sheets.over_units == Rule.MEAN),
        ("weighed", ratio | (sheets.over_units == Rule.WEIGHTED_MEAN)),
        ("max", sheets.over_units == Rule.MAX),
    )


def _derive_rows(combine: str, rows, tree: Tree, target, rolled: RolledMonth, wanted) -> None:
    """Derived targets of some rows, in place, from the deepest level up."""
    if not len(rows):
        return
    part, wanted = target[rows], wanted[rows]
    known = ~np.isnan(rolled.value[rows])
    weight = None
    if combine == "weighed":
        weight = rolled.denominator[rows]
        known &= weight > 0
    for level in tree.levels:
        here = wanted[:, level.parents]
        if here.any():
            below, counted = part[:, level.children], known[:, level.children]
            heavy = None if weight is None else weight[:, level.children]
            found = _combine_targets(combine, below, counted, heavy, level.starts)
            part[:, level.parents] = np.where(here, found, part[:, level.parents])
    target[rows] = part


def _combine_targets(combine: str, below, counted, weight, starts) -> np.ndarray:
    """One level of children's targets combined; NaN where none of them counts, or one that counts has no target."""
    if combine == "max":
        top = np.maximum.reduceat(np.where(counted, below, -np.inf), starts, axis=1)
        return np.where(np.isneginf(top), np.nan, top)
    share = counted.astype(np.float64) if weight is None else np.where(counted, weight, 0.0)
    total = np.add.reduceat(np.where(counted, below, 0.0) * share, starts, axis=1)
    shares = np.add.reduceat(share, starts, axis=1)
    over = np.where(shares > 0, 1.0 if combine == "sum" else shares, np.nan)
    return total / over


def worst_child(tree: Tree, raw) -> tuple[np.ndarray, np.ndarray]:
    """The child of lowest raw attainment, ties to the heavier, then the first; and that attainment.

    raw (K, N) float, NaN where it does not count. Returns ordinals (K, N) int32, -1 none, and (K, N) float, NaN none.
    """
    shape = raw.shape[::-1]  # a unit's indicators side by side: families are gathered row by row
    worst, lowest = np.full(shape, -1, np.int32), np.full(shape, np.nan)
    if len(tree.children):
        by_unit = np.ascontiguousarray(np.where(np.isnan(raw), np.inf, raw).T)
        parents, firsts, *others = tree.siblings
        low, place = by_unit[firsts], np.repeat(firsts[:, None], shape[1], axis=1)
        for children in others:
            rows, families = by_unit[children], slice(len(children))
            np.copyto(place[families], children[:, None], where=rows < low[families])
            np.minimum(low[families], rows, out=low[families])
        none = np.isinf(low)
        low[none], place[none] = np.nan, -1
        worst[parents], lowest[parents] = place, low
    return np.ascontiguousarray(worst.T), np.ascontiguousarray(lowest.T)

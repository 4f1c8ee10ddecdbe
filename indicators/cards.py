"""A card's score: its lines weighed into objectives, objectives into the whole, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from scipy import sparse

from . import scoring
from .codes import LIGHT_MASK, LIGHT_SHIFT, STATE_MASK, Light, Mark, State, pack_marks

_GUARD = 1e-9
TIED = 9  # attainments that agree to so many decimals are tied for worst
_FIELD = 2.0**10  # five counts of lines packed in one float: a plan has fewer than 1,024 lines


@dataclass(frozen=True)
class PlanTree:
    """A plan's objectives (G, node 0 is the whole card) and lines (L), with weights among siblings.

    node_parent (G,) int, -1 for node 0 alone, parents before children; node_weight (G,), that of node 0 unused;
    line_node (L,) the objective a line stands under; line_weight (L,). Lines and objectives under one node are
    siblings. Make it with `of`, which checks.
    """

    node_parent: np.ndarray
    node_weight: np.ndarray
    line_node: np.ndarray
    line_weight: np.ndarray

    @classmethod
    def of(cls, node_parent: Sequence, node_weight: Sequence, line_node: Sequence, line_weight: Sequence) -> PlanTree:
        """A checked plan tree; ValueError says what is wrong with it."""
        integers = [np.asarray(column, np.int64) for column in (node_parent, line_node)]
        weights = [np.asarray(column, np.float64) for column in (node_weight, line_weight)]
        plan = cls(integers[0], weights[0], integers[1], weights[1])
        plan.check()
        return plan

    def check(self) -> None:
        nodes = np.arange(len(self.node_parent))
        if not len(nodes) or self.node_parent[0] != -1:
            raise ValueError("Node 0 is the whole card and has no parent.")
        wrong = np.flatnonzero((self.node_parent[1:] >= nodes[1:]) | (self.node_parent[1:] < 0)) + 1
        if len(wrong):
            raise ValueError(f"Objective {int(wrong[0])} does not follow its parent: parents come first.")
        if np.any((self.line_node < 0) | (self.line_node >= len(nodes))):
            raise ValueError("A line stands under an objective that is not in the plan.")
        if len(self.line_node) >= _FIELD:
            raise ValueError("A plan has at most 1,023 lines.")
        weights = np.r_[self.node_weight[1:], self.line_weight]
        if np.any(~np.isfinite(weights) | (weights < 0)):
            raise ValueError("Weights are numbers of zero or more.")

    @cached_property
    def weighing(self) -> sparse.csr_array:
        """Weights of the lines under each node itself, (G, L)."""
        return self._matrix(self.line_weight)

    @cached_property
    def counting(self) -> sparse.csr_array:
        """1 for every line under each node itself, (G, L)."""
        return self._matrix(np.ones(len(self.line_node)))

    def _matrix(self, entries) -> sparse.csr_array:
        shape = (len(self.node_parent), len(self.line_node))
        return sparse.csr_array((entries, (self.line_node, np.arange(shape[1]))), shape=shape)

    @cached_property
    def lines_below(self) -> list[np.ndarray]:
        """For each node all lines below it, the heaviest in that node first, then in the plan's order."""
        above, weights = np.r_[self.node_parent[1:], self.line_node], np.r_[self.node_weight[1:], self.line_weight]
        siblings = np.bincount(above, weights, len(self.node_parent))
        found = []
        for node in range(len(self.node_parent)):
            lines, shares = [], []
            for line, above in enumerate(self.line_node):
                share = self._share_in(node, int(above), self.line_weight[line], siblings)
                if share is not None:
                    lines.append(line)
                    shares.append(round(share, 12))
            found.append(np.array(lines, np.int64)[np.argsort(-np.array(shares), kind="stable")])
        return found

    def _share_in(self, node: int, above: int, weight: float, siblings) -> float | None:
        """A line's share of a node's weight, product of its shares among siblings on the way up; None if elsewhere."""
        share = 1.0
        while True:
            share *= weight / siblings[above] if siblings[above] else 0.0
            if above == node:
                return share
            weight, above = self.node_weight[above], int(self.node_parent[above])
            if above < 0:
                return None


@dataclass
class CardScores:
    """Scores of every node for every unit, (..., G, N); node 0 is the card's total.

    score: %, NaN where none or withheld. low, high: the score if the missing were 0, and 100. coverage: 0..1, NaN
    where nothing is due or all weights are zero. marks: int16 (state, light, PROVISIONAL, RED_BELOW). has_red: bool, a
    red line below: never plain green. without_data, not_evaluable: due lines below of that state (withheld ones have
    no data), int16. worst_line: index of the line of lowest raw attainment, ties to the heavier; int16, -1 none.
    """

    score: np.ndarray
    low: np.ndarray
    high: np.ndarray
    coverage: np.ndarray
    marks: np.ndarray
    has_red: np.ndarray
    without_data: np.ndarray
    not_evaluable: np.ndarray
    worst_line: np.ndarray


_KINDS = {"marks": np.int16, "has_red": np.bool_, "without_data": np.int16, "not_evaluable": np.int16}
_KINDS |= {"worst_line": np.int16}


def score_cards(plan: PlanTree, attainment: np.ndarray, marks: np.ndarray) -> CardScores:
    """Cards of all units from their lines' driving attainment and marks, (..., L, N) in the plan's order.

    A node's score is the weighted mean of what has a score below it, weights renormalised among siblings; a line that
    is withheld, and an objective under 60 % coverage, count as no data above. A node's coverage is the weight that
    entered its score over the weight due, that of its objectives times their own coverage.
    """
    *lead, lines, units = attainment.shape
    if lines != len(plan.line_node):
        raise ValueError(f"The plan has {len(plan.line_node)} lines; {lines} were given.")
    shape = (int(np.prod(lead)), len(plan.node_parent), units)
    blank = {f.name: np.empty(shape, _KINDS.get(f.name, np.float64)) for f in fields(CardScores)}
    raws, cells = attainment.reshape(shape[0], lines, units), marks.reshape(shape[0], lines, units)
    for at in range(shape[0]):
        _score_month(plan, raws[at], cells[at], {name: array[at] for name, array in blank.items()})
    return CardScores(**{name: array.reshape(*lead, *shape[1:]) for name, array in blank.items()})


def _score_month(plan: PlanTree, raw, marks, out: dict[str, np.ndarray]) -> None:
    """One month's cards, (L, N) -> (G, N) arrays of out."""
    states, lights = marks & STATE_MASK, (marks & LIGHT_MASK) >> LIGHT_SHIFT
    due = (states != State.NOT_APPLICABLE).astype(np.float64)
    counted = (states == State.EVALUATED) & (lights != Light.WITHHELD)
    score = np.where(counted, scoring.in_rollup(raw), 0.0)
    nodes = _Nodes(plan, due, counted.astype(np.float64), score)
    nodes.count(due, counted, states, lights == Light.RED, (marks & Mark.PROVISIONAL) != 0)
    for node in range(len(plan.node_parent) - 1, -1, -1):
        nodes.settle(node, out)
    _worst_lines(plan, np.where(counted, np.round(raw, TIED), np.inf), out["worst_line"])


class _Nodes:
    """Weights and sums gathered at each node, (G, N), while the tree is walked from the leaves to the root."""

    def __init__(self, plan: PlanTree, due, counted, score):
        self.plan = plan
        self.due = plan.weighing @ due
        self.scored = plan.weighing @ counted
        self.covered = self.scored.copy()
        self.total = plan.weighing @ score
        self.low = self.total.copy()
        self.high = self.total + 100.0 * (self.due - self.scored)

    def count(self, due, counted, states, red, provisional) -> None:
        """Numbers of lines below each node: due, without data, not evaluable, red, provisional."""
        missing = due.astype(bool) & ~counted
        not_evaluable = missing & (states == State.NOT_EVALUABLE)
        no_data = missing & ~not_evaluable
        packed = due
        for step, flags in enumerate((no_data, not_evaluable, red & counted, provisional & counted), start=1):
            packed = packed + _FIELD**step * flags
        counts = (self.plan.counting @ packed).astype(np.int64)
        for node in range(len(counts) - 1, 0, -1):
            counts[self.plan.node_parent[node]] += counts[node]
        mask = int(_FIELD) - 1
        self.lines, self.no_data, self.not_evaluable, self.red, self.provisional = (
            (counts >> (10 * step)) & mask for step in range(5)
        )

    def settle(self, node: int, out: dict[str, np.ndarray]) -> None:
        """A node's score from what was gathered, written to out and handed to its parent."""
        weight, scored = self.due[node], self.scored[node]
        weighed, is_scored = weight > 0, scored > 0
        coverage = _over(self.covered[node], weight)
        withheld = coverage < scoring.COVERAGE_NEEDED - _GUARD
        score = _over(self.total[node], scored)
        score[withheld] = np.nan
        low, high = _over(self.low[node], weight), _over(self.high[node], weight)
        state = np.where(self.no_data[node] > 0, State.NO_DATA, State.NOT_EVALUABLE)
        state = np.where(weighed, np.where(is_scored, State.EVALUATED, state), State.NOT_EVALUABLE)
        state = np.where(self.lines[node] > 0, state, State.NOT_APPLICABLE)
        lights = np.where(withheld & is_scored, Light.WITHHELD, scoring.light(score))
        flags = {"provisional": (self.provisional[node] > 0) & is_scored, "red_below": self.red[node] > 0}
        out["marks"][node] = pack_marks(state, lights, **flags)
        out["has_red"][node] = self.red[node] > 0
        out["without_data"][node], out["not_evaluable"][node] = self.no_data[node], self.not_evaluable[node]
        out["score"][node], out["coverage"][node], out["low"][node], out["high"][node] = score, coverage, low, high
        if node:
            self._hand_up(node, score, coverage, low, high)

    def _hand_up(self, node: int, score, coverage, low, high) -> None:
        weight, above = self.plan.node_weight[node], self.plan.node_parent[node]
        due = self.lines[node] > 0
        scored = ~np.isnan(score)
        self.due[above] += weight * due
        self.scored[above] += weight * scored
        self.covered[above] += weight * np.where(scored, coverage, 0.0)
        self.total[above] += weight * np.where(scored, score, 0.0)
        self.low[above] += weight * np.where(np.isnan(low), 0.0, low)
        self.high[above] += weight * np.where(np.isnan(high), 100.0 * due, high)


def _over(top, under) -> np.ndarray:
    """top / under, NaN where under is not positive."""
    return np.divide(top, under, out=np.full(top.shape, np.nan), where=under > 0)


def _worst_lines(plan: PlanTree, raw, out) -> None:
    """The line of lowest raw attainment below each node, ties to the heavier; raw (L, N), inf where none."""
    for node, lines in enumerate(plan.lines_below):
        if not len(lines):
            out[node] = -1
            continue
        worst, lowest = np.full(raw.shape[1], -1, np.int16), np.full(raw.shape[1], np.inf)
        for line in lines:
            lower = raw[line] < lowest
            np.copyto(worst, np.int16(line), where=lower)
            np.copyto(lowest, raw[line], where=lower)
        out[node] = worst

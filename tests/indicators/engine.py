"""The same small year put to both engines: arrays for the fast one, mappings for the slow one."""

from __future__ import annotations

import numpy as np

from indicators import codes, slow
from indicators.rollup import Tree
from indicators.year import Figures, Targets

BARE = float("nan")


class Case:
    """One institution-year: K sheets, N units, parents by month (12, N); every array (12, K, N), NaN is missing."""

    def __init__(self, sheets, parents, weight=None):
        self.sheets = list(sheets)
        self.parents = np.broadcast_to(np.asarray(parents), (12, np.shape(parents)[-1]))
        self.shape = (12, len(self.sheets), self.parents.shape[1])
        self.weight = weight
        for name in ("numerator", "denominator", "target", "low", "high", "baseline"):
            setattr(self, name, np.full(self.shape, BARE))
        self.declared_na, self.provisional, self.due = (np.zeros(self.shape, bool) for _ in range(3))

    @property
    def table(self):
        return codes.SheetTable.of(self.sheets)

    @property
    def trees(self):
        return [Tree(parent, self.weight) for parent in self.parents]

    @property
    def figures(self):
        return Figures(self.numerator, self.denominator, self.declared_na, self.provisional)

    @property
    def targets(self):
        return Targets(self.target, self.low, self.high, self.baseline)

    def slow(self, k, **options):
        """The slow engine's cells of one indicator."""
        months, units = range(12), range(self.shape[2])
        trees = {i + 1: {n: int(p) if p >= 0 else None for n, p in enumerate(self.parents[i])} for i in months}
        at = [(i, n) for i in months for n in units]
        figures = {
            (i + 1, n): slow.SlowFigure(*(array[i, k, n] for array in vars(self.figures).values())) for i, n in at
        }
        targets = {
            (i + 1, n): slow.SlowTarget(*(array[i, k, n] for array in vars(self.targets).values())) for i, n in at
        }
        due = {(i + 1, n) for i, n in at if self.due[i, k, n]}
        weights = {} if self.weight is None else {n: self.weight[n] for n in units}
        return slow.slow_year(self.sheets[k], trees, figures, targets, due, weights=weights, **options)


def number(exact):
    return np.nan if exact is None else float(exact)


def assert_cell(result, index, cell):
    """One cell of the fast engine's result against the slow engine's."""
    where = f"month {index[0] + 1}, indicator {index[1]}, unit {index[2]}"
    counts = {name: getattr(result, name)[index] for name in ("reported", "due", "months_reported", "months_due")}
    assert counts == {name: getattr(cell, name) for name in counts}, where
    assert result.last_month[index] == cell.last_month, where
    assert_span(result.month, index, cell.month, cell.red_below, f"{where}, month")
    assert_span(result.to_date, index, cell.to_date, cell.red_below, f"{where}, to date")
    worst = -1 if cell.worst_child is None else cell.worst_child
    assert result.worst_child[index] == worst, where


def assert_span(span, index, expected, red_below, where):
    found = codes.unpack_marks(span.marks[index])
    assert (found.state, found.light) == (expected.state, expected.light), where
    for name in ("provisional", "chance", "derived_target", "small", "direct_form"):
        assert getattr(found, name) == getattr(expected, name), f"{where}: {name}"
    assert found.red_below == red_below, where
    pairs = [(span.value, expected.value), (span.attainment, expected.attainment)]
    if expected.state == codes.State.EVALUATED:
        pairs.append((span.target, expected.goal.value))
    for array, exact in pairs:
        np.testing.assert_allclose(array[index], number(exact), rtol=1e-9, atol=1e-9, err_msg=where)

"""The year to date: each month's figure and target taken up by the sheet's rule over time. Arrays (K, N).

Only months that have a figure enter, with their own targets: missing months must not flatter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .codes import Rule, Sense, SheetTable
from .scoring import rows_where


@dataclass
class MonthFigures:
    """One month of one tree, rolled up, with the targets it is scored against; arrays (K, N) or None for nowhere."""

    numerator: np.ndarray
    denominator: np.ndarray | None
    value: np.ndarray
    reported: np.ndarray
    due: np.ndarray
    provisional: np.ndarray
    target: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    baseline: np.ndarray | None
    derived: np.ndarray | None


class _Series:
    """One quantity of some rows taken up month by month: added, kept as the last, or as the largest."""

    def __init__(self, rows, shape, kind: str):
        self.rows, self.kind = rows, kind
        start = {"last": np.nan, "max": -np.inf}.get(kind, 0.0)
        self.held = np.full((len(np.arange(shape[0])[rows]), shape[1]), start)

    def add(self, quantity, has, weight=None) -> None:
        if self.kind == "last":
            np.copyto(self.held, quantity, where=has)
        elif self.kind == "max":
            self.held = np.where(has, np.maximum(self.held, quantity), self.held)
        elif self.kind == "weighed":
            self.held += np.where(has, quantity * weight, 0.0)
        else:
            self.held += np.where(has, quantity, 0.0)

    def read(self, months, weight=None) -> np.ndarray:
        """What is held, after `months` months with a figure; NaN where there was none."""
        if self.kind == "last":
            return self.held
        if self.kind in ("mean", "weighed"):
            over = months if self.kind == "mean" else weight
            return np.divide(self.held, over, out=np.full(self.held.shape, np.nan), where=over > 0)
        return np.where(months > 0, self.held, np.nan)


class _Group:
    """Rows of one rule over time: their values, and targets of every kind the rows need."""

    def __init__(self, sheets: SheetTable, mask, shape, kind: str, base: str | None = None):
        self.rows = rows_where(mask)
        self.sheets = sheets.take(self.rows)
        self.base = base
        self.kind = kind
        self.figure = _Series(self.rows, shape, "sum" if base or kind == "weighed" else kind)
        self.under = _Series(self.rows, shape, base) if base else None
        self.weight = _Series(self.rows, shape, "sum") if kind == "weighed" else None
        improves = np.isin(sheets.sense, (Sense.IMPROVE_HIGHER, Sense.IMPROVE_LOWER))
        needs = {"target": mask, "baseline": mask & improves}
        needs["low"] = needs["high"] = mask & (sheets.sense == Sense.WITHIN)
        self.targets = {name: _Series(rows_where(rows), shape, kind) for name, rows in needs.items() if rows.any()}

    def add(self, month: MonthFigures, has) -> None:
        rows, here = self.rows, has[self.rows]
        if self.weight is not None:
            self.figure.add(self._weighed_figure(month), here)
            self.weight.add(month.denominator[rows], here)
        elif self.under is not None:
            self.figure.add(month.numerator[rows], here)
            self.under.add(month.denominator[rows], here)
        else:
            self.figure.add(month.value[rows], here)
        for name, series in self.targets.items():
            quantity = getattr(month, name)
            if quantity is not None:
                weight = month.denominator[series.rows] if self.weight is not None else None
                series.add(quantity[series.rows], has[series.rows], weight)

    def _weighed_figure(self, month: MonthFigures) -> np.ndarray:
        """scale * numerator where it divides, value * weight where it weighs."""
        top = month.numerator[self.rows]
        if self.sheets.divides.all():
            return self.sheets.scale[:, None] * top
        weighed = top * month.denominator[self.rows]
        return np.where(self.sheets.divides[:, None], self.sheets.scale[:, None] * top, weighed)

    def read(self, months, out: dict) -> None:
        here = months[self.rows]
        weight = self.weight.held if self.weight is not None else None
        figure = self.figure.read(here)
        if weight is not None:
            figure = np.divide(figure, weight, out=np.full(figure.shape, np.nan), where=weight > 0)
        elif self.under is not None:
            under = self.under.read(here)
            top = np.where(self.sheets.divides[:, None], self.sheets.scale[:, None], 1.0) * figure
            figure = np.divide(top, under, out=np.full(figure.shape, np.nan), where=under > 0)
        out["value"][self.rows] = figure
        for name, series in self.targets.items():
            if out[name] is not None:
                over = None if weight is None else self._weights_of(series)
                out[name][series.rows] = series.read(months[series.rows], over)

    def _weights_of(self, series: _Series) -> np.ndarray:
        if series.held.shape == self.weight.held.shape:
            return self.weight.held
        return self.weight.held[np.isin(_ordinals(self.rows), _ordinals(series.rows))]


def _ordinals(rows) -> np.ndarray:
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


class ToDate:
    """Months of one year taken up in order, read after each as the figures January to that month."""

    def __init__(self, sheets: SheetTable, shape: tuple[int, int]):
        self.groups = [_Group(sheets, mask, shape, *how) for how, mask in _rules_over_time(sheets) if mask.any()]
        self.last_rows = np.flatnonzero(sheets.over_time == Rule.LAST)
        self.months = np.zeros(shape, np.int8)
        self.months_due = np.zeros(shape, np.int8)
        self.last_month = np.zeros(shape, np.int8)
        self.reported = np.zeros(shape, np.int64)
        self.due = np.zeros(shape, np.int64)
        self.is_reported = np.zeros(shape, bool)
        self.provisional = np.zeros(shape, bool)
        self.derived = np.zeros(shape, bool)

    def add(self, number: int, month: MonthFigures, has: np.ndarray) -> None:
        """Take up calendar month `number`; has (K, N) bool: where its figure counts."""
        for group in self.groups:
            group.add(month, has)
        self.months += has
        self.months_due += month.due > 0
        np.putmask(self.last_month, has, number)
        self.is_reported |= month.reported > 0
        reported, due = month.reported * has, month.due * has
        provisional = (month.provisional > 0) & has
        derived = has & month.derived if month.derived is not None else None
        self._forget_former(has)
        self.reported += reported
        self.due += due
        self.provisional |= provisional
        if derived is not None:
            self.derived |= derived

    def _forget_former(self, has) -> None:
        """Of rows that keep the last month alone, its coverage and marks stand alone too."""
        rows = self.last_rows
        if len(rows):
            keep = ~has[rows]
            for held in (self.reported, self.due, self.provisional, self.derived):
                held[rows] *= keep

    def read(self, out: dict) -> None:
        """Value and targets to date into out's arrays (value, target, low, high, baseline; None: not wanted)."""
        for group in self.groups:
            group.read(self.months, out)


def _rules_over_time(sheets: SheetTable) -> list[tuple[tuple, np.ndarray]]:
    """How rows are taken up over time: (kind, rule of the denominator), and the rows, (K,) bool."""
    over = sheets.over_time
    shared = np.isin(over, (Rule.RATIO, Rule.WEIGHTED_MEAN))
    if np.any(shared & ~sheets.has_denominator):
        row = int(np.flatnonzero(shared & ~sheets.has_denominator)[0])
        raise ValueError(f"Row {row}: a ratio of sums or a weighted mean over time needs a denominator.")
    weighed = (over == Rule.WEIGHTED_MEAN) | (shared & (sheets.weighs | (sheets.den_over_time == Rule.SUM)))
    rate = shared & ~weighed
    bases = ((Rule.LAST, "last"), (Rule.MEAN, "mean"), (Rule.MAX, "max"))
    return [
        (("sum",), over == Rule.SUM),
        (("mean",), over == Rule.MEAN),
        (("weighed",), weighed),
        (("last",), over == Rule.LAST),
        (("max",), over == Rule.MAX),
        *((("sum", base), rate & (sheets.den_over_time == rule)) for rule, base in bases),
    ]

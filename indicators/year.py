"""One institution's year: figures in, every month and the year to date out, scored.

Shapes: M months, K indicators, N units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from functools import reduce

import numpy as np

from . import scoring
from .codes import LIGHT_MASK, LIGHT_SHIFT, Light, Mark, Sense, SheetTable, pack_marks
from .months import elapsed_share
from .rollup import Tree, UnitRules, derive_targets, have_figure, roll_up_figures, worst_child
from .todate import MonthFigures, ToDate

TIED = 9  # attainments that agree to so many decimals are tied for worst


@dataclass
class Figures:
    """Own figures of units as reported, (12, K, N); NaN where nothing was entered. Flags may be None: nowhere.

    denominator may be None where no sheet has one. A population denominator is given at every unit, parents included.
    """

    numerator: np.ndarray
    denominator: np.ndarray | None = None
    declared_na: np.ndarray | None = None
    provisional: np.ndarray | None = None


@dataclass
class Targets:
    """Own targets of units, (12, K, N) whole months; NaN where not set. low, high, baseline may be None: nowhere.

    Of a range, one bound set is a range with the other open. A milestone's target is 0 before its date and 1 (or not
    set) from its date on; its figure is 1 when done.
    """

    value: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    baseline: np.ndarray | None = None


@dataclass
class Span:
    """Results of one kind of span (the month, or the year to date) for M months; arrays (M, K, N).

    value, target, low, high, baseline: as scored (a running month's target is the part of its days). low and high are
    filled for senses within a range, baseline for improvements, NaN elsewhere, and None where none was given.
    attainment: raw %, NaN unless evaluated. marks: int16 (codes.pack_marks).
    """

    value: np.ndarray
    target: np.ndarray
    attainment: np.ndarray
    marks: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    baseline: np.ndarray | None = None


@dataclass
class YearResult:
    """A year's cells for months first..last-1 (0 is January), arrays (M, K, N).

    numerator, denominator: rolled up, float64. month, to_date: Span. reported, due: leaf figures, int32.
    months_reported, months_due, last_month (1..12, 0 none: the last month with a figure): int8, January to that month.
    worst_child: ordinal of the child with the lowest driving attainment, int32, -1 none.
    """

    first: int
    numerator: np.ndarray
    denominator: np.ndarray | None
    month: Span
    to_date: Span
    reported: np.ndarray
    due: np.ndarray
    months_reported: np.ndarray
    months_due: np.ndarray
    last_month: np.ndarray
    worst_child: np.ndarray
    driver_attainment: np.ndarray  # raw % that paints the line and enters the card (month's or to date's), NaN if none
    driver_marks: np.ndarray


def score_year(
    sheets: SheetTable,
    trees: Tree | Sequence[Tree],
    figures: Figures,
    targets: Targets,
    due: np.ndarray,
    *,
    year: int,
    as_of: date | None = None,
    approved_only: bool = False,
    first: int = 0,
    last: int = 12,
    out: YearResult | None = None,
) -> YearResult:
    """All cells of one institution-year, months first..last-1, from own figures of January on.

    trees: one for all months, or 12. due (12, K, N) bool: own assignments that fall due (parents become due by their
    children). as_of: today; the month it falls in meets the part of its target for whole days elapsed, later months
    are not due; None: every month is whole. approved_only: provisional figures count as missing. K may be 1.
    out: a former result of the same shape whose arrays are filled anew.
    """
    shape = due.shape[1:]
    trees = [trees] * 12 if isinstance(trees, Tree) else list(trees)
    result = out or _blank(figures, targets, (last - first, *shape), first)
    result.first = first
    todate = ToDate(sheets, shape)
    rules = UnitRules(sheets)
    for index in range(last):
        share = _share(date(year, index + 1, 1), as_of)
        month = _roll_month(rules, trees[index], figures, targets, due, index, share, approved_only)
        todate.add(index + 1, month, _taken_up(sheets, month, share))
        if index >= first:
            _score_cells(sheets, trees[index], month, todate, result, index - first)
    return result


def _taken_up(sheets: SheetTable, month: MonthFigures, share: float | None) -> np.ndarray:
    """Where a month's figure enters the year to date: it has a value, and its weight where months are weighed."""
    has = ~np.isnan(month.value)
    if sheets.weighs_months.any():
        rows = scoring.rows_where(sheets.weighs_months)
        has[rows] &= month.denominator[rows] > 0
    if share == 0.0:
        has &= ~sheets.accrues[:, None]
    return has


def score_year_pair(sheets: SheetTable, trees, figures: Figures, targets: Targets, due, **options):
    """The same year twice: with provisional figures, and of approved ones only. Two results, never mixed.

    Only the indicators that have a provisional figure are computed again; without any, both are the same object.
    """
    every = score_year(sheets, trees, figures, targets, due, **options)
    last = options.get("last", 12)
    waiting = figures.provisional
    rows = np.flatnonzero(waiting[:last].any(axis=(0, 2))) if waiting is not None else []
    if not len(rows):
        return every, every
    options = {**options, "approved_only": True, "out": None}
    part = score_year(sheets.take(rows), trees, _take(figures, rows), _take(targets, rows), due[:, rows], **options)
    return every, _patched(every, part, rows)


def _take(arrays, rows):
    """Some rows (indicators) of a dataclass of (M, K, N) arrays."""
    picked = {f.name: getattr(arrays, f.name) for f in fields(arrays)}
    return type(arrays)(**{name: array if array is None else array[:, rows] for name, array in picked.items()})


def _patched(whole, part, rows):
    """A copy of a result with some rows put in their place."""
    changed = {}
    for f in fields(whole):
        old, new = getattr(whole, f.name), getattr(part, f.name)
        if is_dataclass(old):
            changed[f.name] = _patched(old, new, rows)
        elif isinstance(old, np.ndarray):
            changed[f.name] = old.copy()
            changed[f.name][:, rows] = new
    return replace(whole, **changed)


def _blank(figures: Figures, targets: Targets, shape, first: int) -> YearResult:
    """Empty arrays for a result; every cell is written later."""

    def empty(kind=np.float64, like=figures.numerator):
        return None if like is None else np.empty(shape, kind)

    def span() -> Span:
        kinds = {name: empty(like=getattr(targets, name)) for name in ("low", "high", "baseline")}
        return Span(empty(), empty(), empty(), empty(np.int16), **kinds)

    counts = [empty(np.int32) for _ in range(2)]
    months = [empty(np.int8) for _ in range(3)]
    numbers = (empty(), empty(like=figures.denominator))
    return YearResult(first, *numbers, span(), span(), *counts, *months, empty(np.int32), empty(), empty(np.int16))


def _share(month: date, as_of: date | None) -> float | None:
    """The part of a month that is over on the day as_of; None for a month that has not begun."""
    return None if as_of is not None and as_of < month else elapsed_share(month, as_of)


def _roll_month(
    rules: UnitRules, tree: Tree, figures: Figures, targets: Targets, due, index: int, share, approved_only: bool
) -> MonthFigures:
    """Figures of one month rolled up, with the targets they meet."""
    sheets = rules.sheets
    pick = _Month(figures, targets, index)
    expected = due[index] if share is not None else np.zeros_like(due[index])
    if pick.declared_na is not None:
        expected = expected & ~pick.declared_na
    expected = _without_ahead(sheets, expected, pick.numerator, pick.value)
    have = have_figure(rules, pick.numerator, pick.denominator, expected)
    waiting = pick.provisional
    if waiting is not None:
        waiting = waiting & have
        if approved_only:
            have, waiting = have & ~waiting, None
    rolled = roll_up_figures(rules, tree, pick.numerator, pick.denominator, have, expected, waiting)
    target, low, high, baseline, derived = _targets(sheets, tree, pick, rolled, have)
    month = MonthFigures(**vars(rolled), target=target, low=low, high=high, baseline=baseline, derived=derived)
    if share is not None and share < 1.0:
        _shorten(sheets, month, share)
    return month


class _Month:
    """Views of one month of figures and targets."""

    def __init__(self, figures: Figures, targets: Targets, index: int):
        for source in (figures, targets):
            for f in fields(source):
                array = getattr(source, f.name)
                setattr(self, f.name, None if array is None else array[index])


def _without_ahead(sheets: SheetTable, due, numerator, target) -> np.ndarray:
    """Due cells without milestones that are before their date and not done: nothing applies to them yet."""
    rows = sheets.milestone
    if not rows.any():
        return due
    due = due.copy()
    due[rows] &= ~scoring.is_ahead(Sense.MILESTONE, numerator[rows], target[rows])
    return due


def _targets(sheets: SheetTable, tree: Tree, pick: _Month, rolled, have):
    """Target, range and baseline of every unit, derived where none is set; and where one was derived."""

    def derive(own, among, is_set=None):
        if own is None or not among.any():
            return own
        found, where = derive_targets(sheets, tree, own, rolled, have, is_set, among)
        if where is not None:
            flags.append(where)
        return found

    flags: list[np.ndarray] = []
    target = derive(pick.value, ~sheets.within)
    baseline = derive(pick.baseline, sheets.improves)
    low, high = pick.low, pick.high
    if sheets.within.any() and (low is not None or high is not None):
        open_end = np.full(pick.value.shape, np.nan)
        low, high = (open_end if bound is None else bound for bound in (low, high))
        is_set = ~(np.isnan(low) & np.isnan(high))
        low, high = derive(low, sheets.within, is_set), derive(high, sheets.within, is_set)
    return target, low, high, baseline, reduce(np.logical_or, flags) if flags else None


def _shorten(sheets: SheetTable, month: MonthFigures, share: float) -> None:
    """A running month's targets cut to the part of its days that is over; none before a whole day is."""
    rows = (sheets.accrues & ~sheets.milestone)[:, None]
    part = share if share > 0 else np.nan
    for name in ("target", "low", "high", "baseline"):
        whole = getattr(month, name)
        if whole is not None:
            setattr(month, name, np.where(rows, whole * part, whole))


def _score_cells(sheets: SheetTable, tree: Tree, month: MonthFigures, todate: ToDate, result: YearResult, at: int):
    """One month and its year to date, scored and written at index `at` of the result."""
    result.numerator[at] = month.numerator
    if result.denominator is not None:
        result.denominator[at] = month.denominator
    result.reported[at], result.due[at] = month.reported, month.due
    result.months_reported[at], result.months_due[at] = todate.months, todate.months_due
    result.last_month[at] = todate.last_month
    spans = _month_span(sheets, month, result.month, at), _to_date_span(sheets, todate, result.to_date, at)
    raw_month, raw_to_date = spans
    marks, marks_to_date = result.month.marks[at], result.to_date.marks[at]
    small = (marks & Mark.SMALL) != 0
    np.copyto(marks, (marks & ~LIGHT_MASK) | (marks_to_date & LIGHT_MASK), where=small)
    rows = scoring.rows_where(sheets.by_month)
    raw, driving = raw_to_date.copy(), marks_to_date.copy()
    raw[rows] = np.where(small[rows], raw_to_date[rows], raw_month[rows])
    driving[rows] = np.where(small[rows], marks_to_date[rows], marks[rows])
    lit = (driving & LIGHT_MASK) != (Light.WITHHELD << LIGHT_SHIFT)
    worst, lowest = worst_child(tree, np.where(lit, np.round(raw, TIED), np.nan))
    red = scoring.is_red(lowest) * np.int16(Mark.RED_BELOW)
    for cells in (marks, marks_to_date, driving):
        cells |= red
    result.worst_child[at], result.driver_attainment[at], result.driver_marks[at] = worst, raw, driving


def _month_span(sheets: SheetTable, month: MonthFigures, span: Span, at: int) -> np.ndarray:
    """The month's own cells; returns raw attainment."""
    span.value[at], span.target[at] = month.value, month.target
    for name, mask in _needs(sheets).items():
        cells = getattr(span, name)
        if cells is not None:
            cells[at][~mask] = np.nan
            cells[at][mask] = getattr(month, name)[mask]
    due, reported = month.due, month.reported
    waiting = month.provisional > 0
    return _light_up(sheets, span, at, (due > 0, reported > 0), (reported, due), waiting, month.derived, is_month=True)


def _needs(sheets: SheetTable) -> dict[str, np.ndarray]:
    """The rows that are scored by a range, and by a baseline, (K,) bool."""
    return {"low": sheets.within, "high": sheets.within, "baseline": sheets.improves}


def _to_date_span(sheets: SheetTable, todate: ToDate, span: Span, at: int) -> np.ndarray:
    """The cells of the year to date; returns raw attainment."""
    names = ("value", "target", "low", "high", "baseline")
    out = {name: None if getattr(span, name) is None else getattr(span, name)[at] for name in names}
    exists = sheets.has_to_date[:, None]
    for name, cells in out.items():
        if cells is not None:
            cells[~(_needs(sheets).get(name, True) & sheets.has_to_date)] = np.nan
    todate.read(out)
    happened = ((todate.months_due > 0) & exists, todate.is_reported)
    counts = (todate.reported, todate.due)
    return _light_up(sheets, span, at, happened, counts, todate.provisional, todate.derived, is_month=False)


def _light_up(sheets: SheetTable, span: Span, at: int, happened, counts, waiting, derived, *, is_month) -> np.ndarray:
    """Attainment, state, light and marks of a span's cells, written at `at`; returns raw attainment."""
    value, target = span.value[at], span.target[at]
    low, high, baseline = (None if kind is None else kind[at] for kind in (span.low, span.high, span.baseline))
    raw = scoring.attainment_rows(sheets.sense, value, target, baseline, low, high, sheets.tolerance)
    due, reported = happened
    due = _without_ahead(sheets, due, value, target)
    raw[~due] = np.nan
    evaluated = ~np.isnan(raw)
    lights = scoring.light(raw)
    lights[scoring.is_withheld(*counts) & evaluated] = Light.WITHHELD
    marks = pack_marks(scoring.state(due, reported, raw), lights, provisional=waiting & evaluated)
    if derived is not None:
        marks |= (derived & evaluated) * np.int16(Mark.DERIVED_TARGET)
    _mark_counts(sheets, marks, value, target, raw, is_month)
    _mark_direct_form(sheets, marks, target, baseline, evaluated)
    span.attainment[at], span.marks[at] = raw, marks
    return raw


def _mark_counts(sheets: SheetTable, marks, value, target, raw, is_month: bool) -> None:
    """Marks of small counts, and of counts that cannot be told from chance, in place."""
    for sense in np.unique(sheets.sense[sheets.counts]):
        rows = scoring.rows_where(sheets.counts & (sheets.sense == sense))
        chance = scoring.is_chance(int(sense), value[rows], target[rows], raw[rows])
        marks[rows] |= chance * np.int16(Mark.CHANCE)
        if is_month:
            small = scoring.is_small(target[rows]) & ~np.isnan(raw[rows]) & sheets.has_to_date[rows, None]
            marks[rows] |= small * np.int16(Mark.SMALL)


def _mark_direct_form(sheets: SheetTable, marks, target, baseline, evaluated) -> None:
    """Marks of improvements judged by the form of their direction, in place."""
    if sheets.improves.any() and baseline is not None:
        rows = scoring.rows_where(sheets.improves)
        direct = scoring.is_direct_form(sheets.sense[rows, None], target[rows], baseline[rows])
        marks[rows] |= (direct & evaluated[rows]) * np.int16(Mark.DIRECT_FORM)

"""Columns of an institution's cards computed anew: own ones from figures, cited ones from their owners' cards."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from indicators.codes import Mark, Sense
from indicators.year import score_year, score_year_pair
from scorecard.refresh import figures as reads
from scorecard.refresh import formulas
from scorecard.refresh.axis import make_axis, months_of, read_periods
from scorecard.refresh.rows import CELLS, KINDS, MONTHS_SHIFT, RANGES, Store


class Source:
    """What is read once of an institution, for as many of its years as are wanted."""

    def __init__(self, institution_id, people):
        self.institution_id, self.people = institution_id, people
        self.periods = read_periods(institution_id)
        self.versions = reads.read_versions(institution_id)
        self.assignments = reads.read_assignments(institution_id)
        self.axes = {}
        self.sheets = {}
        self.by_day = {}
        self.drivers = {}
        self.kept = {}  # KeptYear by year

    def axis(self, year):
        if year not in self.axes:
            self.axes = {year: make_axis(self.periods, year)}  # years come one after another: one is enough
        return self.axes[year]

    @property
    def indicator_ids(self):
        return list(dict.fromkeys(version.indicator_id for version in self.versions))

    def in_force(self, month):
        """The sheets in force in a month; the same object for months of the same sheets."""
        if month not in self.by_day:
            held = tuple(
                v.pk for v in self.versions if v.valid_from <= month and (v.valid_to is None or month < v.valid_to)
            )
            if held not in self.sheets:
                self.sheets[held] = reads.sheets_of_month(self.versions, month)
            self.by_day[month] = self.sheets[held]
        return self.by_day[month]

    def by_month(self, year):
        """Whether the month drives the light, {indicator id: bool (12,)}."""
        if year not in self.drivers:
            found = {indicator: np.zeros(12, bool) for indicator in self.indicator_ids}
            for month in range(12):
                sheets = self.in_force(date(year, month + 1, 1))
                for indicator, drives in zip(sheets.ids, sheets.table.by_month, strict=True):
                    found[indicator][month] = drives
            self.drivers[year] = found
        return self.drivers[year]


@dataclass
class Grid:
    """Columns for months first..last-1: cells {name: (M, N, C)}; approved attainment and marks (M, N, C); positions
    (C,). keeps_approved: whether approved figures may be other than those that drive the lights.
    """

    first: int
    positions: np.ndarray
    cells: dict
    approved: tuple
    keeps_approved: bool = False

    @classmethod
    def blank(cls, first, last, units, positions, ranges, *, is_covered):
        """A grid without figures. is_covered: every cell of `CELLS` but the ranges' will be written, so none need be
        blank.
        """
        shape = (last - first, units, len(positions))

        def empty(name, fill, dtype):
            here = shape if name not in RANGES or ranges else (*shape[:2], 0)
            return np.empty(here, dtype) if is_covered and name not in RANGES else np.full(here, fill, dtype)

        cells = {name: empty(name, fill, dtype) for name, (_, dtype, fill) in KINDS.items()}
        approved = empty("", np.nan, np.float64), empty("", 0, np.int16)
        return cls(first, np.asarray(positions), cells, approved)


def drive(cells, approved_or_none, by_month, positions=slice(None)):
    """Attainment and marks that paint the lines: the month's where the sheet says so and its target is not small,
    else to date.
    """
    if approved_or_none is not None:
        return approved_or_none[0][..., positions], approved_or_none[1][..., positions]
    marks = cells["marks"][..., positions]
    use_month = by_month & ((marks & Mark.SMALL) == 0)
    return (
        np.where(use_month, cells["attainment"][..., positions], cells["to_date_attainment"][..., positions]),
        np.where(use_month, marks, cells["to_date_marks"][..., positions]),
    )


def segments(source, year, first, last):
    """Months first..last-1 cut where a sheet's version changes: list of [first, last, Sheets]."""
    found = []
    for month in range(first, last):
        sheets = source.in_force(months_of(year)[month])
        if found and found[-1][2] is sheets:
            found[-1][1] = month + 1
        else:
            found.append([month, month + 1, sheets])
    return found


def fill_own(grid, source, year, last, wanted, column_of, as_of, own):
    """Own columns into the grid. wanted: indicator ids; column_of: {indicator id: column of the grid}; own: where own
    figures and targets come from, Plainly or Kept.
    """
    axis = source.axis(year)
    for first, end, sheets in segments(source, year, grid.first, last):
        for ids, result in _computed(source, axis, sheets, wanted, first, end, as_of, own):
            _fill(
                grid,
                axis,
                result,
                sheets,
                ids,
                [column_of[i] for i in ids],
                slice(first - grid.first, end - grid.first),
            )


def _computed(source, axis, sheets, wanted, first, last, as_of, own):
    """Yield (indicator ids, (every, approved)): reported indicators, then those with a formula over others."""
    formula_of = {v.indicator_id: v.formula for v in sheets.versions if v.formula}
    plain = [i for i in sheets.ids if i in wanted and i not in formula_of]
    options = {"year": axis.year, "as_of": as_of}
    if plain:
        yield plain, _score(source, axis, sheets, plain, own, first=first, last=last, **options)
    computed = [i for i in sheets.ids if i in wanted and i in formula_of]
    if computed:
        inputs = formulas.inputs(sheets, computed)
        pair = _score(source, axis, sheets, inputs, own, first=0, last=last, **options)
        chosen = _chosen(sheets, computed)
        targets = own.targets(axis, chosen)
        due = formulas.due(sheets, computed, inputs, pair[0], axis)
        waiting = formulas.waiting(sheets, computed, inputs, *pair, shape=due.shape)

        def scored(results, provisional):
            evaluated = formulas.evaluate(sheets, computed, inputs, results, provisional)
            return score_year(chosen.table, axis.trees, evaluated, targets, due, first=first, last=last, **options)

        every = scored(pair[0], waiting)
        yield computed, (every, scored(pair[1], None) if waiting is not None else every)


def _chosen(sheets, ids):
    return sheets if list(sheets.ids) == list(ids) else sheets.take([sheets.ids.index(i) for i in ids])


def _score(source, axis, sheets, ids, own, **options):
    chosen = _chosen(sheets, ids)
    due = reads.due_of_year(source.assignments, axis, chosen.ids, chosen.frequency)
    figures = own.figures(axis, chosen)
    reads.fill_population(figures, axis, chosen, source.people)
    return score_year_pair(chosen.table, axis.trees, figures, own.targets(axis, chosen), due, **options)


def _fill(grid, axis, results, sheets, ids, columns, months):
    every, approved = results
    grid.keeps_approved |= approved is not every
    within = np.array([sheets.table.sense[sheets.ids.index(i)] == Sense.WITHIN for i in ids])
    contiguous = columns == list(range(columns[0], columns[0] + len(columns)))
    columns = slice(columns[0], columns[0] + len(columns)) if contiguous else columns

    def put(name, array):
        grid.cells[name][months, :, columns] = array.transpose(0, 2, 1)

    for span, prefix in ((every.month, ""), (every.to_date, "to_date_")):
        put(f"{prefix}value", span.value)
        put(f"{prefix}attainment", span.attainment)
        put(f"{prefix}marks", span.marks)
        target = span.target
        if within.any() and span.low is not None:
            target = np.where(within[:, None], span.low, target)
            put(f"{prefix}high", np.where(within[:, None], span.high, np.nan))
        put(f"{prefix}target", target)
    put("to_date_months", every.months_reported.astype(np.int16) << MONTHS_SHIFT | every.months_due)
    put("reported", every.reported)
    put("due", every.due)
    put("worst_child", np.where(every.worst_child >= 0, axis.unit_ids[every.worst_child], 0))
    for part, driver in zip(grid.approved, (approved.driver_attainment, approved.driver_marks), strict=True):
        part[months, :, columns] = driver.transpose(0, 2, 1)


def fill_cited(grid, axis, owner, year, last, column_of, owner_positions, owner_shape):
    """Cited columns into the grid: the cells of the owner's unit that covers the same territory in that month."""
    owner_axis = owner.axis(year)
    mine, theirs = _same_places(axis, owner_axis, grid.first, last)
    if not len(mine[0]):
        return
    size, ranges = owner_shape
    cells, approved, has_approved = Store(owner.institution_id, owner_axis).read(*theirs, size, ranges)
    ids = list(column_of)
    columns, positions = [column_of[i] for i in ids], [owner_positions[i] for i in ids]
    by_month = by_month_of(owner, ids, year)[theirs[0]]
    every = drive({n: cells[n][:, positions] for n in CELLS if cells[n].shape[1]}, None, by_month)
    month, ordinal = mine[0][:, None] - grid.first, mine[1][:, None]
    for name in CELLS:
        if cells[name].shape[1] and grid.cells[name].shape[2]:
            grid.cells[name][month, ordinal, np.array(columns)[None, :]] = cells[name][:, positions]
    grid.keeps_approved |= bool(has_approved.any())
    for k in (0, 1):
        value = np.where(has_approved[:, None], approved[k][:, positions], every[k])
        grid.approved[k][month, ordinal, np.array(columns)[None, :]] = value


def by_month_of(source, ids, year):
    """Whether the month drives the light of indicators, bool (12, len(ids))."""
    held = source.by_month(year)
    none = np.zeros(12, bool)
    return np.stack([held.get(i, none) for i in ids], axis=1) if len(ids) else np.zeros((12, 0), bool)


def _same_places(axis, other, first, last):
    """Pairs of (month, ordinal) in this axis and in another that cover the same territory in that month."""
    mine, theirs = ([], []), ([], [])
    for month in range(first, last):
        place = {int(t): i for i, t in enumerate(other.territory[month]) if t and other.is_open[month, i]}
        for ordinal in np.flatnonzero(axis.is_open[month]):
            match = place.get(int(axis.territory[month, ordinal]))
            if match is not None:
                mine[0].append(month)
                mine[1].append(ordinal)
                theirs[0].append(month)
                theirs[1].append(match)
    return tuple(np.array(x, np.int64) for x in mine), tuple(np.array(x, np.int64) for x in theirs)

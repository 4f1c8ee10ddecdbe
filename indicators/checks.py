"""What a figure must satisfy before it is written; each rule by name, each refusal by row and field. Vectorised."""

import numpy as np
from django.utils.translation import gettext_lazy

from indicators.models import Assignment, Denominator, SheetVersion
from units.models import UnitPeriod
from units.refusals import Refusal

RULES = {
    "unknown_indicator": ("indicator", gettext_lazy("There is no indicator of this code.")),
    "unknown_unit": ("unit", gettext_lazy("There is no unit of this code.")),
    "repeated": ("unit", gettext_lazy("The same month, indicator and unit stand in an earlier row.")),
    "future_month": ("month", gettext_lazy("The month has not begun.")),
    "no_sheet": ("month", gettext_lazy("The indicator has no sheet in force in this month.")),
    "unit_closed": ("unit", gettext_lazy("The unit was closed, or not yet open, in this month.")),
    "not_assigned": ("unit", gettext_lazy("The indicator is not assigned to this unit in this month.")),
    "not_measured": ("month", gettext_lazy("The indicator is not measured in this month of its frequency.")),
    "computed": ("indicator", gettext_lazy("The indicator is computed by its formula; it takes no figures.")),
    "not_finite": ("numerator", gettext_lazy("The figure is not a number.")),
    "too_large": ("numerator", gettext_lazy("The figure is larger than any that can be.")),
    "negative_count": ("numerator", gettext_lazy("A count cannot be below zero.")),
    "fractional_count": ("numerator", gettext_lazy("A count is a whole number.")),
    "denominator_missing": ("denominator", gettext_lazy("This indicator needs a denominator.")),
    "division_by_zero": ("denominator", gettext_lazy("The denominator is zero: the value cannot be computed.")),
    "negative_denominator": ("denominator", gettext_lazy("A denominator cannot be below zero.")),
    "range_crossed": ("low", gettext_lazy("The range ends below where it begins.")),
    "target_not_finite": ("value", gettext_lazy("The target is not a number.")),
    "denominator_unwanted": ("denominator", gettext_lazy("This indicator takes no denominator.")),
}
LARGEST = 1e15  # up to which whole numbers are exact, and sums of a country's figures are finite


class Refusals:
    """The first rule that each row breaks."""

    def __init__(self, rows):
        self.rule = np.zeros(rows, np.int8)
        self.names = list(RULES)

    def refuse(self, name, where):
        self.rule[where & (self.rule == 0)] = self.names.index(name) + 1

    @property
    def good(self):
        return self.rule == 0

    def listed(self, row_numbers):
        found = []
        for i in np.flatnonzero(self.rule):
            name = self.names[self.rule[i] - 1]
            field, message = RULES[name]
            found.append(Refusal(int(row_numbers[i]), field, name, str(message)))
        return found


def check_figures(months, indicators, units, numerators, denominators, states, *, this_month):
    """Which rows break which rule. Arrays (R,); ids of 0 are unknown codes; states 0 blank, 1 figure, 2 not
    applicable.
    """
    refusals = Refusals(len(months))
    refusals.refuse("unknown_indicator", indicators == 0)
    refusals.refuse("unknown_unit", units == 0)
    refusals.refuse("repeated", repeated(months, indicators, units))
    refusals.refuse("future_month", months > np.datetime64(this_month, "M"))
    _check_sheets(refusals, months, indicators, numerators, denominators, states)
    _check_due(refusals, months, indicators, units)
    return refusals


def check_targets(months, indicators, units, values, low, high, baseline):
    """Which rows of targets break which rule. Arrays (R,), NaN for none; ids of 0 are unknown codes."""
    refusals = Refusals(len(months))
    refusals.refuse("unknown_indicator", indicators == 0)
    refusals.refuse("unknown_unit", units == 0)
    refusals.refuse("repeated", repeated(months, indicators, units))
    refusals.refuse("target_not_finite", np.isinf(values) | np.isinf(low) | np.isinf(high) | np.isinf(baseline))
    refusals.refuse("range_crossed", low > high)
    return refusals


def repeated(months, indicators, units):
    order = np.lexsort((np.arange(len(months)), units, indicators, months))
    same = np.zeros(len(months), bool)
    if len(order) > 1:
        a, b = order[1:], order[:-1]
        same[a] = (months[a] == months[b]) & (indicators[a] == indicators[b]) & (units[a] == units[b])
    return same


def _check_sheets(refusals, months, indicators, numerators, denominators, states):
    ids = np.unique(indicators)
    months_int = months.astype("datetime64[M]").astype(np.int64)
    covered = np.zeros(len(months), bool)
    figure = states == 1
    refusals.refuse("not_finite", figure & ~np.isfinite(numerators))
    for figures in (numerators, denominators):
        refusals.refuse("too_large", figure & (np.abs(figures) > LARGEST))
    for sheet in SheetVersion.objects.filter(indicator_id__in=ids.tolist()):
        rows = (indicators == sheet.indicator_id) & (months_int >= _month(sheet.valid_from))
        if sheet.valid_to:
            rows &= months_int < _month(sheet.valid_to)
        covered |= rows
        if sheet.formula:
            refusals.refuse("computed", rows)
        if sheet.frequency != 12:
            refusals.refuse("not_measured", rows & ((months_int % 12 + 1) % (12 // sheet.frequency) != 0))
        if sheet.is_count:
            refusals.refuse("negative_count", rows & figure & (numerators < 0))
            refusals.refuse("fractional_count", rows & figure & (numerators != np.rint(numerators)))
        if sheet.denominator_kind == Denominator.REPORTED:
            refusals.refuse("denominator_missing", rows & figure & ~np.isfinite(denominators))
            refusals.refuse("negative_denominator", rows & figure & (denominators < 0))
            refusals.refuse("division_by_zero", rows & figure & (denominators == 0) & (numerators != 0))
        else:
            refusals.refuse("denominator_unwanted", rows & figure & np.isfinite(denominators))
    refusals.refuse("no_sheet", ~covered)


def _check_due(refusals, months, indicators, units):
    months_int = months.astype("datetime64[M]").astype(np.int64)
    unit_ids, indicator_ids = np.unique(units).tolist(), np.unique(indicators).tolist()
    periods = UnitPeriod.objects.filter(unit_id__in=unit_ids).values_list("unit_id", "from_month", "to_month")
    refusals.refuse("unit_closed", ~_within(units, months_int, periods))
    assigned = Assignment.objects.filter(indicator_id__in=indicator_ids, unit_id__in=unit_ids)
    spans = (
        ((indicator << 32) | unit, start, end)
        for indicator, unit, start, end in assigned.values_list("indicator_id", "unit_id", "from_month", "to_month")
    )
    keys = (indicators.astype(np.int64) << 32) | units.astype(np.int64)
    refusals.refuse("not_assigned", ~_within(keys, months_int, spans))


def _within(keys, months, spans):
    """Whether (key, month) lies in one of the spans (key, from date, to date or None); spans of a key do not
    overlap.
    """
    table = [(key, _month(start), _month(end) if end else 1 << 20) for key, start, end in spans]
    if not table:
        return np.zeros(len(keys), bool)
    spans = np.array(sorted(table), np.int64)
    # One sorted axis: key and first month packed together; the span that could hold is the last that is not later.
    ranks, key_rank = np.unique(spans[:, 0], return_inverse=True)
    starts = key_rank.astype(np.int64) * (1 << 21) + spans[:, 1]
    rank = np.searchsorted(ranks, keys)
    rank_safe = np.minimum(rank, len(ranks) - 1)
    known = ranks[rank_safe] == keys
    found = np.searchsorted(starts, rank_safe.astype(np.int64) * (1 << 21) + months, side="right") - 1
    safe = np.maximum(found, 0)
    return known & (found >= 0) & (spans[safe, 0] == keys) & (months < spans[safe, 2])


def _month(day):
    return (day.year - 1970) * 12 + day.month - 1

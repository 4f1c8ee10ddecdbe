"""Targets of a year as a grid of units by months: what stands, what last year was, and a year's target spread."""

import math
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from indicators import actions
from indicators.codes import Rule, Sense
from indicators.models import Denominator, Measurement, SheetVersion, Target
from indicators.months import is_measured, months_of_year
from indicators.spread import Spread, spread_target
from units.models import Unit, UnitPeriod

# An indicator whose months are summed would count cumulative targets many times over.
CUMULATIVE_RULES = (Rule.LAST, Rule.MAX, Rule.NONE)


@dataclass
class Row:
    """Targets of one unit: month -> Target, of this year and the last; figures of last year; months open to targets."""

    unit: Unit
    targets: dict = field(default_factory=dict)
    before: dict = field(default_factory=dict)
    figures: dict = field(default_factory=dict)
    open_months: set = field(default_factory=set)


@dataclass
class Grid:
    """The targets of an indicator in a year for some units."""

    indicator: object
    sheet: SheetVersion
    year: int
    rows: list

    @property
    def months(self):
        return [month for month in months_of_year(self.year) if is_measured(month, self.sheet.frequency)]

    @property
    def is_range(self):
        return self.sheet.sense == Sense.WITHIN

    @property
    def parts(self):
        """The columns of a target that are typed: a value, or both ends of a range."""
        return ("low", "high") if self.is_range else ("value",)

    @property
    def adds_up(self):
        return self.sheet.over_time == Rule.SUM


def sheet_of_year(indicator, year):
    """The version of the sheet that holds at the end of the year, or the last one that held in it; None without any."""
    held = indicator.sheets.overlapping(date(year, 1, 1), date(year + 1, 1, 1))
    return held.order_by("-valid_from").first()


def grid(*, indicator, units, year):
    """The grid of some units, as it stands. Five queries, whatever the number of units."""
    sheet = sheet_of_year(indicator, year)
    if sheet is None:
        raise ValidationError({"year": _("The indicator has no sheet in force in that year.")})
    rows = {unit.pk: Row(unit) for unit in units}
    months = months_of_year(year)
    _read_open_months(rows, months, sheet)
    _read_targets(rows, indicator, months, "targets")
    _read_targets(rows, indicator, months_of_year(year - 1), "before")
    _read_figures(rows, indicator, sheet, months_of_year(year - 1))
    return Grid(indicator, sheet, year, list(rows.values()))


def _read_open_months(rows, months, sheet):
    spans = UnitPeriod.objects.filter(unit__in=rows).values_list("unit_id", "from_month", "to_month")
    for unit, start, end in spans:
        for month in months:
            if start <= month and (end is None or month < end) and is_measured(month, sheet.frequency):
                rows[unit].open_months.add(month)


def _read_targets(rows, indicator, months, name):
    for target in Target.objects.filter(month__in=months, indicator=indicator, unit__in=rows):
        getattr(rows[target.unit_id], name)[target.month] = target


def _read_figures(rows, indicator, sheet, months):
    found = Measurement.objects.filter(month__in=months, indicator=indicator, unit__in=rows, state=1)
    for unit, month, numerator, denominator in found.values_list("unit_id", "month", "numerator", "denominator"):
        rows[unit].figures[month] = _value(sheet, numerator, denominator)


def _value(sheet, numerator, denominator):
    """A figure as it is targeted. With the population as denominator the numerator gives the profile just as well."""
    if sheet.denominator_kind != Denominator.REPORTED or Rule.WEIGHTED_MEAN in (sheet.over_units, sheet.over_time):
        return numerator
    return sheet.scale * numerator / denominator if denominator else math.nan


def spread(*, found, row, year_target, rule, part):
    """A year's target of a unit spread over its months: {month: target}. Raises ValidationError where it cannot be."""
    rule = Spread(rule)
    if rule == Spread.CUMULATIVE and found.sheet.over_time not in CUMULATIVE_RULES:
        raise ValidationError(
            _("Cumulative targets are for indicators whose last month counts: the months of this one are combined.")
        )
    last_year = [row.figures.get(month, math.nan) for month in months_of_year(found.year - 1)]
    december = row.before.get(date(found.year - 1, 12, 1))
    start = getattr(december, part, None) if december else None
    try:
        months = spread_target(
            year_target,
            rule,
            adds_up=found.adds_up,
            frequency=found.sheet.frequency,
            last_year=last_year,
            whole=found.sheet.decimals == 0,
            start=start if start is not None else 0.0,
        )
    except ValueError as error:
        raise ValidationError(_why_not_spread(str(error))) from error
    places = found.sheet.decimals
    return {
        month: round(float(value), places)
        for month, value in zip(months_of_year(found.year), months, strict=True)
        if not math.isnan(value) and month in row.open_months
    }


def _why_not_spread(words):
    if words.startswith("Last year has no figure"):
        return _("Last year has no figure above zero: it gives no profile to spread by.")
    if words.startswith("The year's target"):
        return _("The target is not a number.")
    if "negative" in words:
        return _("A seasonal spread needs figures of zero or more; last year has negative ones.")
    return words


def save(*, by, found, typed, now, reason=""):
    """Write the grid as typed: {(unit id, month): {part: value or None}}. What is blank takes a target back."""
    keys = sorted(typed)
    rows = {row.unit.pk: row for row in found.rows}

    def column(part):
        values = [typed[key].get(part) for key in keys]
        return [math.nan if value is None else value for value in values]

    standing = [rows[unit].targets.get(month) for unit, month in keys]
    baseline = [math.nan if t is None or t.baseline is None else t.baseline for t in standing]
    outcome = actions.set_targets(
        by=by,
        months=np.array([month for _unit, month in keys], "datetime64[M]"),
        indicators=[found.indicator.pk] * len(keys),
        units=[unit for unit, _month in keys],
        values=column("value"),
        low=column("low"),
        high=column("high"),
        baseline=baseline,
        now=now,
        name=f"{found.indicator.code} {found.year}",
        reason=reason,
    )
    if outcome.refused:
        raise ValidationError([str(refusal) for refusal in outcome.refused])
    return outcome

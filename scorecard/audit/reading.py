"""What an audit reads: the country through the models, row by row, in plain dictionaries; no code of the refresh."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import cache

from django.db.models import Max, Min

from indicators.codes import Rule, Sheet
from indicators.models import Assignment, Denominator, Measurement, MeasurementState, SheetVersion, Target
from indicators.slow import SlowFigure, SlowTarget
from scorecard.models import Plan, Position
from units.models import Population, Territory, UnitPeriod


def span_of_figures():
    """January of the first year that has figures, and the last month that has any; None without figures."""
    found = Measurement.objects.aggregate(first=Min("month"), last=Max("month"))
    return (found["first"].replace(month=1), found["last"]) if found["first"] else None


def holds(start, end, month):
    """Whether a period from one month up to, not including, another holds in a month."""
    return start <= month and (end is None or month < end)


class Register:
    """Who stands where, what is measured how, how many people live where: the whole country, read once."""

    def __init__(self):
        self.periods = defaultdict(list)
        for period in UnitPeriod.objects.select_related("unit").order_by("unit__code", "from_month"):
            self.periods[period.institution_id].append(period)
        self.sheets = defaultdict(list)
        for version in SheetVersion.objects.select_related("indicator"):
            self.sheets[version.indicator.institution_id].append(version)
        self.parts = defaultdict(list)
        for territory, parent in Territory.objects.values_list("pk", "parent_id"):
            self.parts[parent].append(territory)
        self.counted = {(p.territory_id, p.year): p.people for p in Population.objects.iterator()}
        self.people = cache(self._people)
        self.standing = cache(self._standing)
        self.sheets_in = cache(self._sheets_in)

    def _people(self, territory, year):
        """People of a territory in a year: its own count, else the sum of its parts' that are known; None of none."""
        own = self.counted.get((territory, year))
        if own is not None or territory is None:
            return own
        parts = [self.people(part, year) for part in self.parts[territory]]
        known = [people for people in parts if people is not None]
        return sum(known) if known else None

    def _standing(self, institution, month):
        """{unit id: (code, parent id or None, territory id or None)} of units that stand in a month, by code."""
        held = {p.unit_id: p for p in self.periods[institution] if holds(p.from_month, p.to_month, month)}
        return {
            unit: (p.unit.code, p.parent_id if p.parent_id in held else None, p.territory_id)
            for unit, p in held.items()
        }

    def _sheets_in(self, institution, month):
        """{indicator code: version in force in a month}."""
        versions = self.sheets[institution]
        return {v.indicator.code: v for v in versions if holds(v.valid_from, v.valid_to, month)}


def scoring_sheet(version):
    """A version as the slow engine takes it. A formula's value is made at every unit, from what was rolled up there."""
    return Sheet(
        sense=version.sense,
        over_units=Rule.NONE if version.formula else version.over_units,
        over_time=version.over_time,
        den_over_units=Rule.NONE if version.formula else version.denominator_over_units,
        den_over_time=version.denominator_over_time,
        scale=version.scale,
        tolerance=float("nan") if version.tolerance is None else version.tolerance,
        light_by=version.light_by,
        is_count=version.is_count,
        has_denominator=version.denominator_kind != Denominator.NONE,
        population_denominator=version.denominator_kind == Denominator.POPULATION,
    )


def read_figures(indicators, year, last, units):
    """{indicator: {(month 1..12, unit): SlowFigure}} of some units, January to `last`."""
    found = defaultdict(dict)
    for row in _rows(Measurement, indicators, year, last, units):
        found[row.indicator_id][row.month.month, row.unit_id] = SlowFigure(
            row.numerator, row.denominator, row.state == MeasurementState.NOT_APPLICABLE, row.is_provisional
        )
    return found


def read_targets(indicators, year, last, units):
    """{indicator: {(month 1..12, unit): SlowTarget}} of some units, January to `last`."""
    found = defaultdict(dict)
    for row in _rows(Target, indicators, year, last, units):
        goal = SlowTarget(row.value, row.low, row.high, row.baseline)
        found[row.indicator_id][row.month.month, row.unit_id] = goal
    return found


def _rows(model, indicators, year, last, units):
    months = (date(year, 1, 1), date(year, last, 1))
    rows = model.objects.filter(indicator__in=list(indicators), month__range=months)
    if units is not None:
        rows = rows.filter(unit__in=list(units))
    return rows.iterator()


def read_assignments(indicators):
    """{indicator: [Assignment]}."""
    found = defaultdict(list)
    for row in Assignment.objects.filter(indicator__in=list(indicators)).iterator():
        found[row.indicator_id].append(row)
    return found


class PlanOfYear:
    """An institution's plan of a year: objectives in order, each with its own lines, and the places in its arrays."""

    def __init__(self, institution, year):
        self.plan = Plan.objects.filter(institution=institution, year=year).first()
        self.positions = dict(Position.objects.filter(institution=institution).values_list("indicator", "position"))
        self.lines = list(self.plan.lines.select_related("indicator").order_by("order", "pk")) if self.plan else []
        objectives = list(self.plan.objectives.order_by("order", "pk")) if self.plan else []
        self.children = {one.pk: [o for o in objectives if o.parent_id == one.pk] for one in objectives}
        self.top = [one for one in objectives if one.parent_id is None]
        self.lines_of = {one.pk: [line for line in self.lines if line.objective_id == one.pk] for one in objectives}

    def in_order(self):
        """Every objective, each before those below it."""
        waiting = self.top[::-1]
        while waiting:
            one = waiting.pop()
            yield one
            waiting += self.children[one.pk][::-1]

    def lines_in_order(self):
        return [line for objective in self.in_order() for line in self.lines_of[objective.pk]]

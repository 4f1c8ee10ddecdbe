"""What entry and approval pages read of figures. Each function a fixed number of queries, however many units."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Q

from indicators import months
from indicators.models import Assignment, Denominator, Measurement, MeasurementPast, SheetVersion, Target
from units.models import Population, Unit, UnitPeriod, User


@dataclass
class EntryReads:
    """Figures and targets of some units from January to a month, and of the two months they are compared with.

    Keys of figures: (month, indicator id, unit id). due: {(indicator id, unit id): set of months of this year}.
    """

    month: date
    sheets: dict = field(default_factory=dict)  # indicator id -> SheetVersion in force in the month
    due: dict = field(default_factory=dict)
    figures: dict = field(default_factory=dict)
    targets: dict = field(default_factory=dict)
    people: dict = field(default_factory=dict)  # territory id -> people of the year
    names: dict = field(default_factory=dict)  # user id -> name of who recorded
    open_units: set = field(default_factory=set)


def entry_reads(units, month):
    """All that the entry page of these units shows of this month: 7 queries."""
    found = EntryReads(month)
    ids = [unit.pk for unit in units]
    span = Q(to_month=None) | Q(to_month__gt=date(month.year, 1, 1))
    assigned = Assignment.objects.filter(span, unit_id__in=ids, from_month__lte=month)
    rows = list(assigned.values_list("indicator_id", "unit_id", "from_month", "to_month"))
    found.sheets = sheets_entered({row[0] for row in rows}, month)
    standing = UnitPeriod.objects.filter(_in_month(month), unit_id__in=ids)
    found.open_units = set(standing.values_list("unit_id", flat=True))
    found.due = _due(rows, found, month)
    wanted = {"indicator_id__in": {i for i, _u in found.due}, "unit_id__in": {u for _i, u in found.due}}
    year = list(months.month_range(date(month.year, 1, 1), month))
    compared = {*year, months.add_months(month, -1), months.same_month_last_year(month)}
    for row in Measurement.objects.filter(month__in=compared, **wanted):
        found.figures[row.month, row.indicator_id, row.unit_id] = row
    for row in Target.objects.filter(month__in=year, **wanted):
        found.targets[row.month, row.indicator_id, row.unit_id] = row
    if any(sheet.denominator_kind == Denominator.POPULATION for sheet in found.sheets.values()):
        places = [unit.territory_id for unit in units if unit.territory_id]
        there = Population.objects.filter(territory_id__in=places, year=month.year)
        found.people = dict(there.values_list("territory_id", "people"))
    found.names = people_names(row.recorded_by_id for row in found.figures.values() if row.month == month)
    return found


def sheets_entered(indicator_ids, month):
    """Sheets in force in a month of what is entered by hand: {indicator id: SheetVersion}."""
    held = SheetVersion.objects.in_month(month).filter(indicator_id__in=indicator_ids, is_entered=True, formula="")
    return {sheet.indicator_id: sheet for sheet in held.select_related("indicator").order_by("indicator__code")}


def _in_month(month):
    return Q(from_month__lte=month) & (Q(to_month=None) | Q(to_month__gt=month))


def _due(rows, found, month):
    """{(indicator, unit): months of the year up to this one in which it is due}, of what is due in this month."""
    year = list(months.month_range(date(month.year, 1, 1), month))
    due = defaultdict(set)
    for indicator, unit, start, end in rows:
        sheet = found.sheets.get(indicator)
        if sheet is None or unit not in found.open_units:
            continue
        for m in year:
            if start <= m and (end is None or m < end) and months.is_measured(m, sheet.frequency):
                due[indicator, unit].add(m)
    return {key: found_months for key, found_months in due.items() if month in found_months}


def people_names(ids):
    """{user id: name} of those who recorded or approved."""
    wanted = {pk for pk in ids if pk}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=wanted)} if wanted else {}


def indicator_names(ids, month):
    """{indicator id: its name in the reader's language} by this month's sheets; one without a sheet is left out."""
    sheets = SheetVersion.objects.in_month(month).filter(indicator_id__in=set(ids))
    return {sheet.indicator_id: sheet.local_name for sheet in sheets}


def latest_figure_month(institution):
    """The latest month for which the institution has any figure, or None. Two queries."""
    ids = list(institution.indicators.values_list("pk", flat=True))
    figures = Measurement.objects.filter(indicator_id__in=ids).order_by("-month")
    return figures.values_list("month", flat=True).first()


def units_reporting_below(unit, month):
    """Units at and below this one that have anything to enter by hand in this month, in the order of the tree."""
    sheets = SheetVersion.objects.in_month(month).filter(is_entered=True, formula="")
    assigned = Assignment.objects.filter(_in_month(month), indicator_id__in=sheets.values("indicator_id"))
    below = Unit.objects.below(unit).filter(pk__in=assigned.values("unit_id"))
    return below.select_related("territory", "institution").order_by("path")


def provisional_below(unit, month, indicator=None):
    """Figures of a month that wait for approval at and below a unit, with unit and indicator, in the order of codes."""
    rows = Measurement.objects.filter(month=month, is_provisional=True, unit__path__contains=[unit.pk])
    if indicator:
        rows = rows.filter(indicator__code=indicator)
    return rows.select_related("unit", "indicator").order_by("indicator__code", "unit__code")


def past_of(month, indicator_id, unit_id):
    """What a figure said before, the latest first."""
    past = MeasurementPast.objects.filter(month=month, indicator_id=indicator_id, unit_id=unit_id)
    return past.order_by("-replaced_at", "-pk")


def has_own(unit, month):
    """Whether anything is entered by hand for the unit itself in this month."""
    sheets = SheetVersion.objects.in_month(month).filter(is_entered=True, formula="")
    due = Assignment.objects.filter(_in_month(month), unit=unit, indicator_id__in=sheets.values("indicator_id"))
    return due.exists()


def sheets_in_force(indicator_ids, month):
    """Sheets in force in a month: {indicator id: SheetVersion}."""
    held = SheetVersion.objects.in_month(month).filter(indicator_id__in=indicator_ids).select_related("indicator")
    return {sheet.indicator_id: sheet for sheet in held}


def figures_of(rows, month):
    """Figures of another month for the indicators and units of some rows: {(indicator id, unit id): Measurement}."""
    indicators, units = {row.indicator_id for row in rows}, {row.unit_id for row in rows}
    found = Measurement.objects.filter(month=month, indicator_id__in=indicators, unit_id__in=units)
    return {(row.indicator_id, row.unit_id): row for row in found}


def indicators_waiting(unit, month):
    """Indicators with figures that wait for approval at and below a unit: [(code, name, how many)]."""
    waiting = Measurement.objects.filter(month=month, is_provisional=True, unit__path__contains=[unit.pk])
    rows = waiting.values_list("indicator_id", "indicator__code").annotate(n=Count("unit")).order_by("indicator__code")
    rows = list(rows)
    names = indicator_names((pk for pk, _code, _n in rows), month)
    return [(code, names.get(pk, code), n) for pk, code, n in rows]


def among(figures, keys):
    """Those of the figures that have one of the keys (indicator id, unit id)."""
    wanted = Q()
    by_indicator = defaultdict(list)
    for indicator, unit in keys:
        by_indicator[indicator].append(unit)
    for indicator, units in by_indicator.items():
        wanted |= Q(indicator_id=indicator, unit_id__in=units)
    return figures.filter(wanted) if by_indicator else figures.none()

"""Entry by hand: the grid of what is due of units in a month, what it is compared with, and its light at once."""

import math
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from indicators import months
from indicators.codes import SheetTable
from indicators.models import Denominator, Measurement, MeasurementState, Sense
from indicators.queries import EntryReads, entry_reads
from indicators.rollup import Tree
from indicators.sheets import sheet_of
from indicators.year import Figures, Targets, score_year

NAN = float("nan")


@dataclass
class Span:
    """The month, or the year to date, of one line as scored."""

    value: float
    target: float
    high: float
    attainment: float
    marks: int


@dataclass
class Line:
    """One cell of the grid: an indicator due of a unit, what is there, what it is compared with, and its light."""

    unit: object
    sheet: object
    figure: Measurement | None
    by: str = ""
    last_month: float = NAN
    last_year: float = NAN
    target: object = None
    month: Span | None = None
    to_date: Span | None = None
    marks: int = 0
    error: object = None
    typed: dict | None = None

    @property
    def key(self):
        return f"{self.sheet.indicator_id}-{self.unit.pk}"

    @property
    def code(self):
        return self.sheet.indicator.code

    @property
    def has_denominator(self):
        return self.sheet.denominator_kind == Denominator.REPORTED

    @property
    def is_not_applicable(self):
        return self.figure is not None and self.figure.state == MeasurementState.NOT_APPLICABLE

    @property
    def is_entered(self):
        """Whether something was said of it: a figure, a zero among them, or that it does not apply."""
        return self.figure is not None

    @property
    def is_provisional(self):
        return self.figure is not None and self.figure.is_provisional

    @property
    def numerator(self):
        return self.figure.numerator if self.figure else None

    @property
    def denominator(self):
        return self.figure.denominator if self.figure else None

    @property
    def shown(self):
        """What stands in the fields: what was just typed and refused, else the figure as one would type it."""
        return self.typed or as_typed(self.figure)

    @property
    def original(self):
        """What the fields say before anyone types, in one text."""
        return "|".join(as_typed(self.figure).values())

    @property
    def value(self):
        """The value that numerator and denominator make; NaN where the figure is the value itself."""
        return value_of(self.sheet, self.figure) if self.has_denominator else NAN

    @property
    def target_text(self):
        """The month's target, or its range, as one reads it; "" for none."""
        if self.target is None:
            return ""
        if not self.is_range:
            return self._rounded(self.target.value)
        return f"{self._rounded(self.target.low) or '…'} – {self._rounded(self.target.high) or '…'}"

    def _rounded(self, value):
        """A target as printed: one decimal more than the sheet's at most."""
        return "" if value is None or math.isnan(value) else plain(round(value, self.sheet.decimals + 1))

    @property
    def to_date_target(self):
        """The target of the year to date, or its range, as printed; "" for none."""
        span = self.to_date
        if math.isnan(span.target) and math.isnan(span.high):
            return ""
        low = plain(round(span.target, self.sheet.decimals + 1)) if not math.isnan(span.target) else "…"
        if not self.is_range:
            return low
        return f"{low} – {'…' if math.isnan(span.high) else plain(round(span.high, self.sheet.decimals + 1))}"

    @property
    def stamp(self):
        return stamp_of(self.figure)

    @property
    def is_range(self):
        return self.sheet.sense == Sense.WITHIN


@dataclass
class Group:
    """A unit with its lines."""

    unit: object
    lines: list = field(default_factory=list)

    @property
    def entered(self):
        return sum(line.is_entered for line in self.lines)


def as_typed(figure):
    """A figure as one would type it in the reader's language, whole: {"numerator", "denominator", "state"}."""
    is_na = figure is not None and figure.state == MeasurementState.NOT_APPLICABLE
    said = [None, None] if figure is None else [figure.numerator, figure.denominator]
    return {"numerator": plain(said[0]), "denominator": plain(said[1]), "state": "na" if is_na else ""}


def plain(value):
    """A number as one would type it: no thousands apart, the reader's decimal mark; "" for none."""
    if value is None:
        return ""
    text = f"{value:.15g}"
    return text.replace(".", ",") if has_decimal_comma() else text


def has_decimal_comma():
    return (get_language() or "")[:2] == "es"


def stamp_of(figure):
    """Names what holds of a cell now: when it was recorded and whether it waits; "" for a blank."""
    if figure is None:
        return ""
    return f"{figure.recorded_at.timestamp():.6f}{'p' if figure.is_provisional else 'a'}"


def default_month(latest, today):
    """The month that entry opens with: the latest that has figures, else the last one that has ended."""
    return latest or months.add_months(months.month_of(today), -1)


# The grid ------------------------------------------------------------------------------------------------------------


def grid(units, month, *, today):
    """Groups of lines, a group a unit that has anything due, in the order of `units`."""
    reads = entry_reads(units, month)
    by_unit = {unit.pk: Group(unit) for unit in units}
    spans = _scored(units, reads, today)
    for indicator, sheet in reads.sheets.items():
        for unit in units:
            if (indicator, unit.pk) in reads.due:
                by_unit[unit.pk].lines.append(_line(unit, sheet, reads, spans))
    return [group for group in by_unit.values() if group.lines]


def line_of(unit, indicator_id, month, *, today):
    """One line of the grid, as it stands now; None where it is not due."""
    found = (line for group in grid([unit], month, today=today) for line in group.lines)
    return next((line for line in found if line.sheet.indicator_id == indicator_id), None)


def _line(unit, sheet, reads, spans):
    month, key = reads.month, (sheet.indicator_id, unit.pk)
    figure = reads.figures.get((month, *key))
    before = reads.figures.get((months.add_months(month, -1), *key))
    last_year = reads.figures.get((months.same_month_last_year(month), *key))
    span, to_date, marks = spans[key]
    return Line(
        unit=unit,
        sheet=sheet,
        figure=figure,
        by=reads.names.get(figure.recorded_by_id, "") if figure else "",
        last_month=value_of(sheet, before, reads.people.get(unit.territory_id)),
        last_year=value_of(sheet, last_year, reads.people.get(unit.territory_id)),
        target=reads.targets.get((month, *key)),
        month=span,
        to_date=to_date,
        marks=marks,
    )


def value_of(sheet, figure, people=None):
    """The value of a reported figure: scale x numerator / denominator where its denominator divides; NaN for none."""
    if figure is None or figure.numerator is None:
        return NAN
    table = SheetTable.of([sheet_of(sheet)])
    if not table.divides[0]:
        return figure.numerator
    below = people if sheet.denominator_kind == Denominator.POPULATION else figure.denominator
    return sheet.scale * figure.numerator / below if below else NAN


def _scored(units, reads: EntryReads, today):
    """{(indicator, unit): (month's Span, to date's Span, marks of the light)}, of each unit's own line."""
    ids = list(reads.sheets)
    if not ids or not units:
        return {}
    table = SheetTable.of([sheet_of(sheet) for sheet in reads.sheets.values()])
    at = reads.month.month - 1
    figures, targets, due = _arrays(units, reads, table, ids)
    tree = Tree(np.full(len(units), -1))
    result = score_year(table, tree, figures, targets, due, year=reads.month.year, as_of=today, first=at, last=at + 1)
    found = {}
    for k, indicator in enumerate(ids):
        for n, unit in enumerate(units):
            spans = [_span(span, k, n) for span in (result.month, result.to_date)]
            found[indicator, unit.pk] = (*spans, int(result.driver_marks[0, k, n]))
    return found


def _span(span, k, n):
    low = NAN if span.low is None else float(span.low[0, k, n])
    high = NAN if span.high is None else float(span.high[0, k, n])
    target = float(span.target[0, k, n])
    return Span(
        value=float(span.value[0, k, n]),
        target=low if math.isnan(target) else target,
        high=high,
        attainment=float(span.attainment[0, k, n]),
        marks=int(span.marks[0, k, n]),
    )


def _arrays(units, reads, table, ids):
    """Figures, Targets and what is due, (12, K, N), of the units' own reports from January on."""
    shape = (12, len(ids), len(units))
    place = {(i, unit.pk): (k, n) for k, i in enumerate(ids) for n, unit in enumerate(units)}
    numerator, denominator = np.full(shape, NAN), np.full(shape, NAN)
    declared, provisional, due = (np.zeros(shape, bool) for _n in range(3))
    for (m, indicator, unit), figure in reads.figures.items():
        if m.year == reads.month.year and (indicator, unit) in place:
            cell = (m.month - 1, *place[indicator, unit])
            numerator[cell] = NAN if figure.numerator is None else figure.numerator
            denominator[cell] = NAN if figure.denominator is None else figure.denominator
            declared[cell] = figure.state == MeasurementState.NOT_APPLICABLE
            provisional[cell] = figure.is_provisional
    people = np.array([reads.people.get(unit.territory_id, NAN) for unit in units], float)
    denominator[:, table.population_denominator] = people
    for key, when in reads.due.items():
        for m in when:
            due[m.month - 1, *place[key]] = True
    promised = {name: np.full(shape, NAN) for name in ("value", "low", "high", "baseline")}
    for (m, indicator, unit), target in reads.targets.items():
        if (indicator, unit) in place:
            for name, array in promised.items():
                said = getattr(target, name)
                array[m.month - 1, *place[indicator, unit]] = NAN if said is None else said
    has_denominator = denominator if table.has_denominator.any() else None
    return Figures(numerator, has_denominator, declared, provisional), Targets(**promised), due


# Who may, and when ---------------------------------------------------------------------------------------------------


def month_problem(month, today):
    """Why nothing can be entered in a month, in words; "" where it can."""
    if month > months.month_of(today):
        return _("%(month)s has not begun: there is nothing to enter yet.") % {"month": months.format_month(month)}
    return ""


def due_by(lines, month):
    """The last day for entry: the latest of what is due, by the lag of each sheet. None without lines."""
    return max((months.entry_due_on(month, line.sheet.lag_days) for line in lines), default=None)


def today_of(now) -> date:
    """The day it is in the country."""
    return timezone.localtime(now).date()

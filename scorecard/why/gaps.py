"""The gap of an indicator of a unit, read and put in parts: by units below from cards, by the rest from events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from incidents import behind, measures
from incidents.models import Measure
from indicators import decompose
from indicators.codes import Rule, Sense
from indicators.models import Denominator, SheetVersion
from scorecard.queries import HISTORY, cards_of, fetch_arrays, shifted, sql, trend_of
from scorecard.reading import Span, driver
from scorecard.refresh.axis import People
from scorecard.why import asked as ways
from scorecard.why.asked import Asked

NAN = math.nan


class NoGapError(Exception):
    """There is no gap to put in parts; the message says why, and what to do, in the reader's words."""


@dataclass(frozen=True)
class Cell:
    """The indicator's figure of a month, alone and to date, as the card has it."""

    month: Span
    to_date: Span
    is_by_month: bool

    def of(self, span: str) -> Span:
        return self.month if span == ways.MONTH else self.to_date

    @property
    def usual_span(self) -> str:
        return ways.MONTH if self.is_by_month else ways.YEAR


class Figures:
    """The unit's figures of the indicator: of this year's months and of the year before. One question."""

    def __init__(self, here, sheet: SheetVersion, month: date):
        self.here, self.unit, self.sheet, self.month = here, here.unit, sheet, month
        self.rows = trend_of(self.unit, here.position, month, 2 * HISTORY - 1) if here.position is not None else {}

    @cached_property
    def cell(self) -> Cell | None:
        return self._cell(self.month)

    @property
    def before(self) -> Cell | None:
        return self._cell(shifted(self.month, -HISTORY))

    def _cell(self, month):
        row = self.rows.get(month)
        if row is None or row.marks is None:
            return None
        spans = [
            Span(*(_number(getattr(row, prefix + name)) for name in ("value", "target", "high", "attainment")), marks)
            for prefix, marks in (("", row.marks), ("to_date_", row.to_date_marks))
        ]
        return Cell(*spans, driver(*spans, self.sheet.light_by))


def _number(value: float | None) -> float:
    return NAN if value is None else value


class Why:
    """A gap and its parts. `actual` against `base`: floats of the sheet's unit of measure. NoGapError where none."""

    def __init__(self, figures: Figures, asked: Asked):
        self.figures, self.asked = figures, asked
        self.unit, self.sheet, self.month = figures.unit, figures.sheet, figures.month
        if figures.cell is None or not figures.cell.of(asked.span).is_due:
            raise NoGapError(_("The indicator is not due of this unit in this month."))
        self.span = figures.cell.of(asked.span)
        self.actual = self.span.value
        if math.isnan(self.actual):
            raise NoGapError(_("There is no figure yet: enter it, or wait for the feed that counts it."))
        self.base = self._base()

    def _base(self) -> float:
        if self.asked.against == ways.LAST_YEAR:
            before = self.figures.before
            found = before.of(self.asked.span).value if before else NAN
            if math.isnan(found):
                raise NoGapError(_("There is no figure of last year to compare with: take the target."))
            return found
        found = self.span.high if self._is_high else self.span.target
        if math.isnan(found):
            raise NoGapError(_("There is no target to hold the figure against: compare with last year."))
        return found

    @cached_property
    def _is_high(self) -> bool:
        """Of a range, whether the figure is held against its upper end: beyond it, or there is no other."""
        span = self.span
        return self.sheet.sense == Sense.WITHIN and (span.value > span.high or math.isnan(span.target))

    @property
    def is_of_rates(self) -> bool:
        """Whether items weigh differently: a gap has a level and a mix."""
        by_unit = self.asked.by == ways.UNIT
        return self._weighs if by_unit else self.sheet.denominator_kind == Denominator.REPORTED

    @property
    def _weighs(self) -> bool:
        return self.sheet.over_units != Rule.SUM or self.sheet.denominator_kind != Denominator.NONE

    @cached_property
    def gap(self) -> decompose.Gap:
        return self._by_unit() if self.asked.by == ways.UNIT else self._by_events()

    # By unit

    @cached_property
    def children(self) -> dict[int, Any]:
        """Cards' rows of the units below, by id."""
        found = cards_of(self.unit, self.month, self.figures.here.position).children
        return {row.unit_id: row for row in found}

    @cached_property
    def children_before(self) -> dict[int, Any]:
        found = cards_of(self.unit, shifted(self.month, -HISTORY), self.figures.here.position).children
        return {row.unit_id: row for row in found}

    @property
    def children_before_if_used(self) -> dict[int, Any]:
        """Units that stood below a year ago, where the gap is against that year."""
        return self.children_before if self.asked.against == ways.LAST_YEAR else {}

    def _by_unit(self) -> decompose.Gap:
        if self.sheet.formula or self.sheet.over_units not in (Rule.SUM, Rule.RATIO, Rule.WEIGHTED_MEAN, Rule.MEAN):
            raise NoGapError(
                _("This figure does not add up from those of the units below: look at each of them in the table.")
            )
        if not self.children:
            raise NoGapError(_("There is no unit below: the events behind the figure say more."))
        name = "value_at" if self.asked.span == ways.MONTH else "to_date_value_at"
        actual = {unit: getattr(row, name) for unit, row in self.children.items()}
        if self.asked.against == ways.TARGET:
            goal = ("high_at" if self._is_high else "target_at") if self.asked.span == ways.MONTH else ""
            goal = goal or ("to_date_high_at" if self._is_high else "to_date_target_at")
            base = {unit: getattr(row, goal) for unit, row in self.children.items()}
        else:
            base = {unit: getattr(row, name) for unit, row in self.children_before.items()}
        actual, base = _due(actual), _due(base)
        if not self._weighs:
            return decompose.of_counts(actual, base, self.actual, self.base)
        now = self._weights(self.children, self.asked.start, self.asked.end)
        was = now
        if self.asked.against == ways.LAST_YEAR:
            dates = (shifted(day, -HISTORY) for day in (self.asked.start, self.asked.end))
            was = self._weights(self.children_before, *dates)
        return decompose.of_rates(_pairs(actual, now), _pairs(base, was), self.actual, self.base)

    def _weights(self, rows: dict[int, Any], start: date, end: date) -> dict[int, float]:
        """What each unit below weighs in the rate: people, the reported denominator, or figures reported."""
        if self.sheet.denominator_kind == Denominator.POPULATION:
            people = People().of(shifted(end, -1).year)
            return {unit: float(people[row.territory_id or 0]) for unit, row in rows.items()}
        if self.sheet.denominator_kind == Denominator.REPORTED:
            months = [shifted(start, n) for n in range((end.year - start.year) * 12 + end.month - start.month)]
            given = {"unit": self.unit.pk, "months": months, "indicator": self.sheet.indicator_id}
            found = {row.child: row.weight for row in fetch_arrays(sql("weights_below"), given)}
            return {unit: found.get(unit, NAN) for unit in rows}
        return {unit: float(row.reported_at or 0) for unit, row in rows.items()}

    # By what is known of events

    @cached_property
    def events(self) -> list[behind.Span]:
        """The rules and places that the figure of the span is counted from; none where it is not counted."""
        return self._spans(self.asked.start, self.asked.end)

    def _spans(self, start: date, end: date) -> list[behind.Span]:
        return behind.spans(behind.rules_in(self.sheet.indicator, start, end), self.unit, start, end)

    def _by_events(self) -> decompose.Gap:
        if not self.events:
            raise NoGapError(_("The figure is reported, not counted from events: it can be told by unit alone."))
        if any(measures.is_timed(one.rule) for one in self.events):
            raise NoGapError(_("A median does not add up from parts: look at the list of events."))
        now = behind.grouped(self.events, self._grouping)
        earlier = self._spans(*(shifted(day, -HISTORY) for day in (self.asked.start, self.asked.end)))
        was = behind.grouped(earlier, self._grouping)
        keys = now.keys() | was.keys()
        none = behind.Numbers(0, 0)
        now, was = ({key: side.get(key, none) for key in keys} for side in (now, was))
        if any(one.rule.measure == Measure.SHARE for one in self.events):
            return self._of_shares(now, was)
        return self._of_numbers(now, was)

    def _of_shares(self, now, was) -> decompose.Gap:
        actual = {key: self._rate(n) for key, n in now.items()}
        if self.asked.against == ways.TARGET:  # the same target for all
            base = {key: (self.base, n.every) for key, n in now.items()}
        else:
            base = {key: self._rate(n) for key, n in was.items()}
        return decompose.of_rates(actual, base, self.actual, self.base)

    def _rate(self, n: behind.Numbers) -> tuple[float | None, int]:
        return (self.sheet.scale * n.part / n.every if n.every else None), n.every

    def _of_numbers(self, now, was) -> decompose.Gap:
        end = self.asked.end
        actual = {key: n.every * self._per(end) for key, n in now.items()}
        if self.asked.against == ways.TARGET:
            base = decompose.shared_out(self.base, {key: n.every for key, n in was.items()})
            if not base:
                raise NoGapError(_("Without events last year the target cannot be shared out: compare with last year."))
        else:
            base = {key: n.every * self._per(shifted(end, -HISTORY)) for key, n in was.items()}
        return decompose.of_counts(actual, base, self.actual, self.base)

    def _per(self, end: date) -> float:
        """What one event adds to the figure."""
        if self.sheet.denominator_kind != Denominator.POPULATION:
            return 1
        people = float(People().of(shifted(end, -1).year)[self.unit.territory_id or 0])
        if math.isnan(people):
            raise NoGapError(_("The population of this territory is not known: import it first."))
        return self.sheet.scale / people

    def _grouping(self, counted: str) -> behind.Grouping:
        if self.asked.by == ways.CATEGORY:
            return behind.BY_CATEGORY
        if self.asked.by == ways.HOUR:
            return behind.BY_HOUR
        return behind.by_variable(ways.variable_of(self.asked.field), counted)


def _due(figures: dict[int, float | None]) -> dict[int, float | None]:
    return {unit: value for unit, value in figures.items() if value is not None and not math.isnan(value)}


def _pairs(figures: dict[int, float], weights: dict[int, float]) -> dict[int, tuple[float | None, float | None]]:
    return {unit: (figures.get(unit), weight) for unit, weight in weights.items()}

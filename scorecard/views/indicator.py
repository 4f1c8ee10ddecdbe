"""One indicator of one unit: its sheet, its way against target and last year, who is worst below, a figure's life."""

from __future__ import annotations

import math
from datetime import date
from typing import Any, NamedTuple

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from indicators.codes import Sense, accrues
from indicators.models import SheetVersion
from scorecard import sheet_words, wording
from scorecard.addresses import asked_month
from scorecard.chance import part_of
from scorecard.components import Chart, Crumb, Series
from scorecard.context import labelled
from scorecard.html import band_words
from scorecard.life import life_of, owners_unit
from scorecard.live import pages
from scorecard.live.ticket import for_card
from scorecard.outlook import outlook_of
from scorecard.queries import CODE, HISTORY, cards_of, months_before, sheets_of, trend_of, unit_here
from scorecard.reading import MONTHS_MASK, MONTHS_SHIFT, Reading, Span, driver, shown_attainment
from scorecard.views import exports, indicator_events
from scorecard.views.scorecard import children_on_screen, crumbs
from units.tables import Column, Table, respond_with

SHOWN = 36  # months of the trend
NAN = math.nan


class Cell(NamedTuple):
    """An indicator of a unit in a month: the month, the year to date, which of them drives the light, and counts."""

    month: Span
    to_date: Span
    is_by_month: bool
    months: int
    months_due: int
    reported: int
    due: int

    @property
    def driving(self) -> Span:
        return self.month if self.is_by_month else self.to_date


@require_safe
def indicator(request, code: str, indicator: str) -> HttpResponse:
    here = unit_here(request.user, code, month := asked_month(request), indicator)
    sheets = sheets_of(indicator) if CODE.fullmatch(indicator) else []
    if not sheets or (here.position is None and sheets[0].indicator.institution_id != here.unit.institution_id):
        raise Http404(_("There is no indicator %(code)s for this unit.") % {"code": indicator[:40]})
    month = month or here.latest or sheets[-1].valid_from
    page = Page(here, sheets, month)
    if request.GET.get("format"):
        return respond_with(page.files(), request)
    ticket = for_card(user=request.user, unit=here.unit, month=month)
    return pages.respond(request, "scorecard/indicator.html", page.context(request), ticket=ticket)


class Page:
    """What the page shows, read in questions whose number does not depend on the country."""

    def __init__(self, here, sheets: list[SheetVersion], month: date):
        self.here, self.unit, self.month, self.sheets = here, here.unit, month, sheets
        self.sheet = sheet_of(sheets, month)
        self.about = _about(self.sheet)
        self.code = self.sheet.indicator.code
        self.rows, self.reading = {}, None
        if here.position is not None:
            rows = trend_of(self.unit, here.position, month, SHOWN - 1 + HISTORY)
            self.rows = {at: row for at, row in rows.items() if row.marks is not None}  # cards made before it was
            self.reading = Reading(here, cards_of(self.unit, month, here.position), self.code)
            self.reading.chosen = self.reading.chosen or {**self.about, "position": here.position}
            self.reading.by = self.code
        self.cell = _cell(self.rows.get(month), self.about)

    # On screen

    def context(self, request) -> dict[str, Any]:
        sheet, month = self.sheet, self.month
        owner = owners_unit(self.unit, sheet.indicator, month)
        life = life_of(owner, sheet.indicator, month, sheet) if owner else None
        children = self.reading.children if self.reading else []
        return {
            "unit": self.unit,
            "indicator": sheet.indicator,
            "sheet": sheet,
            "month": month,
            "kicker": f"{self.unit.local_name} · {self.code}",
            "crumbs": self._crumbs(),
            "stepper_href": f"/units/{self.unit.code}/indicators/{self.code}/?month={{month}}",
            "first_month": months_before(month, 24)[0],
            "last_month": max(self.here.latest or month, month),
            "answer": self.answer(),
            "beside": self._to_date_words() if self.cell and self.cell.is_by_month else "",
            "cell": self.cell,
            "facts": self._facts(),
            "chart": self._chart() if any(not _is_blank(row) for row in self.rows.values()) else None,
            "trend_hrefs": self.trend_table().offered_at(request),
            "children": children_on_screen(self.reading) if children else None,
            "outlook": outlook_of(
                request.user, self.unit, owner, sheet, self.here.position, month, timezone.localdate()
            ),
            "events": [table.offered_at(request) for table in self.event_tables()],
            "definition": sheet_words.definition(sheet),
            "method_items": [*sheet_words.scoring(sheet), *self._page_method()],
            "versions": sheet_words.versions(self.sheets, sheet),
            "life": life,
            "life_unit": owner,
            "life_note": self._life_note(life),
            "scorecard_href": wording.scorecard_href(self.unit.code, month),
            "why_href": self._why_href(),
            "hotspots_href": self.here.can_analyse and indicator_events.hotspots_href(self.unit, sheet, month),
            "simulated": bool(self.reading and self.reading.is_simulated),
        }

    def _why_href(self) -> str:
        if self.cell is None or self.cell.driving.band.name not in wording.NOT_GREEN:
            return ""
        return wording.why_href(self.unit.code, self.code, self.month)

    def _crumbs(self) -> list[Crumb]:
        found = [crumb._replace(siblings=()) for crumb in crumbs(self.here, self.month, "overall")]
        return [*found, Crumb(self.sheet.local_name)]

    def answer(self) -> str:
        """The indicator in one sentence."""
        said = {
            "indicator": self.sheet.local_name,
            "month": wording.month_name(self.month),
            "unit": self.unit.local_name,
        }
        if self.cell is None or not self.cell.month.is_due:
            return _("%(indicator)s is not due of %(unit)s in %(month)s.") % said
        span = self.cell.month
        if math.isnan(span.value):
            return _("%(indicator)s of %(unit)s: no figure for %(month)s yet.") % said
        said["value"] = self._figure(span.value)
        said["light"] = band_words(self.cell.month.band)
        said["target"] = self._target(span)
        if not said["target"]:
            return _("%(indicator)s of %(unit)s in %(month)s: %(value)s, without a target.") % said
        if self.cell.is_by_month:
            return (
                _("%(indicator)s of %(unit)s in %(month)s: %(value)s against a target of %(target)s, %(light)s.") % said
            )
        first = _("%(indicator)s of %(unit)s in %(month)s: %(value)s against a target of %(target)s.") % said
        return f"{first} {self._to_date_words()}"

    def _figure(self, value: float) -> str:
        return f"{wording.number(value, self.sheet.decimals)} {self.sheet.local_unit_of_measure}"

    def _target(self, span: Span) -> str:
        target = wording.target_of(span, self.sheet.decimals, is_range=self.sheet.sense == Sense.WITHIN)
        return target if isinstance(target, str) else wording.number(target, self.sheet.decimals)

    def _to_date_words(self) -> str:
        if self.cell is None or not self.cell.to_date.is_due:
            return ""
        span = self.cell.to_date
        said = {
            "value": wording.number(span.value, self.sheet.decimals) or "–",
            "target": self._target(span) or "–",
            "light": band_words(span.band),
            "months": wording.months_words(self.cell.months, self.cell.months_due),
        }
        return _("Year to date: %(value)s against %(target)s, %(light)s (%(months)s).") % said

    def _facts(self) -> list[tuple[str, str]]:
        if self.cell is None:
            return []
        cell, year_before = self.cell, self.rows.get(months_before(self.month, HISTORY)[0])
        before = NAN if year_before is None else _number(year_before.value)
        attained = wording.percent(shown_attainment(cell.driving, self.about), 1)
        raw = wording.number(cell.driving.attainment, 1)
        if attained and cell.driving.attainment < 0:
            attained += " " + _("(raw %(figure)s)") % {"figure": raw}
        facts = [
            (_("Light by"), wording.driver_words(cell.is_by_month)),
            (_("Attained"), attained),
            (_("Coverage"), _("%(n)s of %(of)s figures") % {"n": cell.reported, "of": cell.due} if cell.due else ""),
        ]
        grows = accrues(self.sheet.over_time, self.sheet.denominator_over_time)
        part = part_of(self.month, timezone.localdate(), cell.reported >= cell.due) if grows else 1.0
        before = wording.part_of_base(before, part, is_count=self.sheet.is_count)
        moved = wording.changed(cell.month.value, before, self.sheet.unit_of_measure, is_count=self.sheet.is_count)
        if moved:
            said = {"month": wording.short_month(months_before(self.month, HISTORY)[0])}
            base = _("the same part of %(month)s") % said if part != 1 else said["month"]
            was = wording.number(before, self.sheet.decimals)
            facts.append((_("Against last year"), f"{moved} ({base}: {was})"))
        return [(label, text) for label, text in facts if text]

    def _chart(self) -> Chart:
        months = months_before(self.month, SHOWN - 1)
        series = [Series(_("Actual"), self._series(months, "value"))]
        if self.sheet.sense == Sense.WITHIN:
            series.append(Series(_("Target, lower end"), self._series(months, "target"), "low"))
            series.append(Series(_("Target, upper end"), self._series(months, "high"), "high"))
        else:
            series.append(Series(_("Target"), self._series(months, "target"), "target"))
        before = months_before(self.month, SHOWN - 1 + HISTORY)[:SHOWN]
        series.append(Series(_("A year before"), self._series(before, "value"), "before"))
        return Chart(
            id="trend",
            title=_("By month, against target and the year before"),
            x=[month.isoformat() for month in months],
            labels=[wording.short_month(month) for month in months],
            series=series,
            unit=self.sheet.local_unit_of_measure,
            decimals=self.sheet.decimals,
            source=self.sheet.numerator_source,
        )

    def _series(self, months: list[date], name: str) -> list[float]:
        return [NAN if (row := self.rows.get(month)) is None else _number(getattr(row, name)) for month in months]

    def _page_method(self) -> list[tuple[str, str]]:
        return wording.method(self.reading) if self.reading and self.reading.own is not None else []

    def _life_note(self, life) -> str:
        """Where the figure of the month came from, where the unit itself said nothing."""
        if life is not None and life.is_own:
            return ""
        if self.cell is not None and self.cell.reported:
            said = {"n": self.cell.reported, "of": self.cell.due}
            return _("Rolled up from %(n)s of %(of)s figures of the units below.") % said
        return _("Nothing was reported for this month.")

    # As files

    def files(self) -> list[Table]:
        tables = [self.trend_table(), *labelled(self.event_tables())]
        if self.reading and self.reading.own is not None:
            tables.append(exports.children_table(self.reading))
        return tables

    def event_tables(self) -> list[Table]:
        return indicator_events.tables(self.unit, self.sheet, self.month, self.code)

    def trend_table(self) -> Table:
        """All that the cards say of the indicator, a month a row."""
        names = ("value", "target", "high", "attainment", "light")
        labels = (_("value"), _("target"), _("target, upper end"), _("attained, %"), _("light"))
        columns = [Column("month", _("Month"), "month")]
        for prefix, label in (("", _("Month")), ("to_date_", _("Year to date"))):
            for name, text in zip(names, labels, strict=True):
                kind = "light" if name == "light" else "number"
                columns.append(Column(f"{prefix}{name}", f"{label}: {text}", kind))
        columns += [
            Column("months", _("Months with a figure"), "number"),
            Column("reported", _("Figures reported"), "number"),
            Column("due", _("Figures due"), "number"),
        ]
        said = {"indicator": self.sheet.local_name, "unit": self.unit.local_name}
        return Table(
            title=_("%(indicator)s of %(unit)s, by month") % said,
            columns=columns,
            rows=[self._file_row(month) for month in months_before(self.month, SHOWN - 1) if month in self.rows],
            notes=self._notes(),
            id="trend",
            name=f"{self.unit.code} {self.code} {self.month:%Y-%m}",
        )

    def _file_row(self, month: date) -> list[Any]:
        cell = _cell(self.rows[month], self.about)
        spans = [[*span[:4], band_words(span.band)] for span in (cell.month, cell.to_date)]
        return [month, *spans[0], *spans[1], cell.months, cell.reported, cell.due]

    def _notes(self) -> list[tuple[str, str]]:
        sheet, unit = self.sheet, self.unit
        found = [
            (_("Unit"), f"{unit.code} {unit.local_name}"),
            (_("Indicator"), f"{self.code} {sheet.local_name}"),
            (_("Month"), _("up to %(month)s") % {"month": f"{self.month:%Y-%m}"}),
            (
                _("Sheet"),
                _("version %(version)s, %(span)s") % {"version": sheet.version, "span": sheet_words.span(sheet)},
            ),
            (_("Unit of measure"), sheet.local_unit_of_measure),
            (_("Formula of the value"), sheet_words.value_words(sheet)),
            (_("Attainment, %"), sheet_words.attainment_words(sheet)),
            (pgettext("of a figure", "Source"), sheet.numerator_source),
        ]
        if self.reading and self.reading.own is not None:
            found += wording.notes(self.reading)[3:]
        return [(label, text) for label, text in found if text]


def sheet_of(sheets: list[SheetVersion], month: date) -> SheetVersion:
    """The version that holds in a month; the nearest where none does."""
    holding = [s for s in sheets if s.valid_from <= month and (s.valid_to is None or month < s.valid_to)]
    return holding[0] if holding else sheets[0] if month < sheets[0].valid_from else sheets[-1]


def _about(sheet: SheetVersion) -> dict[str, Any]:
    names = ("name", "name_en", "unit_of_measure", "unit_of_measure_en", "decimals", "sense", "light_by", "is_count")
    return {"code": sheet.indicator.code, **{name: getattr(sheet, name) for name in names}}


def _number(value: float | None) -> float:
    return NAN if value is None else value


def _is_blank(row: Any) -> bool:
    return math.isnan(_number(row.value)) and math.isnan(_number(row.target)) and math.isnan(_number(row.high))


def _cell(row: Any, about: dict[str, Any]) -> Cell | None:
    """A row of the trend, read; None where there is none."""
    if row is None:
        return None
    figures = [_number(value) for value in (row.value, row.target, row.high, row.attainment)]
    year = (row.to_date_value, row.to_date_target, row.to_date_high, row.to_date_attainment)
    month = Span(*figures, row.marks)
    to_date = Span(*[_number(value) for value in year], row.to_date_marks)
    packed = row.to_date_months
    counts = packed >> MONTHS_SHIFT, packed & MONTHS_MASK, row.reported, row.due
    return Cell(month, to_date, driver(month, to_date, about["light_by"]), *counts)

"""The tables of a scorecard as they leave, CSV or XLSX: every figure whole, with what it is of."""

from __future__ import annotations

import math

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from scorecard import wording
from scorecard.chance import changes_of
from scorecard.html import band_words
from scorecard.reading import Child, Line, Reading, Span, local
from units.tables import Column, Table


def _spans(prefix: str, label: str) -> list[Column]:
    """Columns of a month, or of the year to date."""

    def named(name, text, kind="number"):
        return Column(f"{prefix}{name}", f"{label}: {text}", kind)

    return [
        named("value", _("value")),
        named("target", _("target")),
        named("high", _("target, upper end")),
        named("attainment", _("attained, %")),
        named("light", _("light"), "light"),
    ]


def _cells(span: Span) -> list:
    return [span.value, span.target, span.high, span.attainment, wording.light_words(span)]


def lines_table(reading: Reading) -> Table:
    """The scorecard's lines, one a row."""
    columns = [
        Column("objective", _("Objective")),
        Column("objective_score", _("Score of the objective"), "number"),
        Column("number", _("Number")),
        Column("code", _("Code")),
        Column("indicator", _("Indicator")),
        Column("unit_of_measure", _("Unit of measure")),
        Column("weight", _("Weight, %"), "number"),
        *_spans("", _("Month")),
        *_spans("to_date_", _("Year to date")),
        Column("months", _("Months with a figure"), "number"),
        Column("months_due", _("Months due"), "number"),
        Column("driver", _("Light by")),
        Column("last_year", _("Same month last year"), "number"),
        Column("reported", _("Figures reported"), "number"),
        Column("due", _("Figures due"), "number"),
        Column("worst", _("Worst unit below")),
        Column("change_ratio", _("Month, times the same month last year"), "number"),
        Column("change_low", _("99 %% interval, lower end") % {}, "number"),
        Column("change_high", _("99 %% interval, upper end") % {}, "number"),
        Column("change_is", _("Change")),
    ]
    noted = changes_of(reading, timezone.localdate())
    rows = [
        [*_line_row(o, line, reading), *_noted(noted.get(line.about["code"]))]
        for o in reading.objectives
        for line in o.lines
    ]
    return Table(
        title=_("Scorecard of %(unit)s, %(month)s")
        % {"unit": reading.unit.local_name, "month": wording.month_name(reading.month)},
        columns=columns,
        rows=rows,
        notes=_card_notes(reading),
        id="lines",
        name=f"{reading.unit.code} {reading.month:%Y-%m}",
    )


def _noted(found) -> list:
    """The change's cells; an interval that is open above has no upper end."""
    if found is None:
        return [math.nan, math.nan, math.nan, ""]
    said = _("more than chance") if found.is_distinct else _("not distinguishable from chance")
    return [found.ratio, found.low, math.nan if math.isinf(found.high) else found.high, said]


def _card_notes(reading: Reading) -> list[tuple[str, str]]:
    own, number = reading.own, wording.number
    said = [(_("Overall score"), f"{number(own.score, 1) or '-'} ({band_words(reading.band)})")]
    if own.is_provisional:
        said.append((_("Approved figures only"), number(own.approved_score, 1) or "-"))
    said.append((_("Coverage"), wording.percent(100 * own.coverage, 1) or "-"))
    notes = wording.notes(reading)
    return [*notes[:3], *said, *notes[3:]]


def _line_row(objective, line: Line, reading: Reading) -> list:
    about = line.about
    worst = reading.units.get(line.worst_id)
    return [
        wording.objective_name(objective.about),
        objective.score,
        about["number"],
        about["code"],
        line.name,
        line.unit_of_measure,
        about["weight"],
        *_cells(line.month),
        *_cells(line.to_date),
        line.months_reported,
        line.months_due,
        wording.driver_words(line.is_by_month),
        line.values[0],
        line.reported,
        line.due,
        f"{worst[0]} {worst[1]}" if worst else "",
    ]


def children_table(reading: Reading) -> Table:
    """The units below, worst first, by the overall score or by the chosen indicator."""
    columns = [
        Column("code", _("Code")),
        Column("unit", _("Unit")),
        Column("score", _("Overall score"), "number"),
        Column("light", _("Overall light"), "light"),
        Column("coverage", _("Coverage, %"), "number"),
    ]
    shows = wording.by_words(reading)
    if reading.chosen:
        unit = local(reading.chosen, "unit_of_measure")
        columns += [
            Column("value", pgettext("figure", "Value"), "number", unit=unit),
            Column("target", _("Target"), "number", unit=unit),
            Column("high", _("Target, upper end"), "number", unit=unit),
            Column("attainment", _("Attained, %"), "number"),
            Column("indicator_light", _("Light"), "light"),
            Column("reported", _("Figures reported"), "number"),
            Column("due", _("Figures due"), "number"),
        ]
    said = {"unit": reading.unit.local_name, "month": wording.month_name(reading.month), "by": shows}
    return Table(
        title=_("Units below %(unit)s, %(month)s: %(by)s") % said,
        columns=columns,
        rows=[_child_row(child) for child in reading.children],
        notes=wording.notes(reading, shows) if reading.own is not None else (),
        id="children",
        name=f"{reading.unit.code} {reading.month:%Y-%m} below {reading.by}",
    )


def _child_row(child: Child) -> list:
    row = child.row
    cells = [row.code, child.name, child.score, band_words(child.score_band), 100 * row.coverage]
    if child.span is not None:
        cells += [*_cells(child.span), row.reported_at, row.due_at]
    return cells

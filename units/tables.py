"""Tables as they leave: what is on screen, with its unit, month, filters and method written on it, as CSV or XLSX.

A `Table` is also what the component `{% table %}` draws, so a page states its table once.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import xlsxwriter
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A cell that a spreadsheet would take for a formula, also in its full-width forms.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBERS = ("number", "percent")
_WIDEST = 60  # characters of a column in a spreadsheet


class Cell(NamedTuple):
    """A cell that leads somewhere, or carries a note under its figure. A file takes its value."""

    value: Any
    href: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: kind is text, number, percent, light, date, month or spark (a drawing, left out of files).

    key names it for other programs; unit stands once, in the heading; decimals are those printed, files keep the whole
    figure; say turns a value into a file's text (a light into its words); narrow is as in scorecard.components.
    """

    key: str
    label: str
    kind: str = "text"
    decimals: int | None = None
    align: str = ""
    unit: str = ""
    sort: str = ""
    narrow: str = "line"
    say: Callable[[Any], Any] | None = None

    @property
    def heading(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit else str(self.label)


@dataclass(slots=True)
class Table:
    """A table with what must be said of it. Rows hold one value a column; notes are (label, text) pairs.

    Notes say the unit, month, filters, method, source, and that figures are simulated where they are. `id` tells the
    tables of a page apart (?format=csv&table=id), `name` is the file's name without ending.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[tuple[str, str]] = ()
    id: str = "table"
    name: str = ""
    csv_href: str = ""
    xlsx_href: str = ""
    sort: str = ""
    sort_href: str = ""
    empty: str = ""
    method: str = ""
    is_caption_hidden: bool = False
    foot: Sequence[Any] = field(default=())

    @property
    def caption(self) -> str:
        return self.title

    def offered_at(self, request) -> Table:
        """The same table with the addresses at which it leaves as a file: this page's own, filters included."""
        query = request.GET.copy()
        query["table"] = self.id
        for kind in ("csv", "xlsx"):
            query["format"] = kind
            setattr(self, f"{kind}_href", f"{request.path}?{query.urlencode()}")
        return self

    @property
    def file_columns(self) -> list[tuple[int, Column]]:
        return [(i, column) for i, column in enumerate(self.columns) if column.kind != "spark"]

    @property
    def file_rows(self) -> Iterable[list[Any]]:
        """Rows as files hold them: numbers as numbers, nothing where missing, words for the rest."""
        columns = self.file_columns
        for row in self.rows:
            yield [_plain(column, row[i]) for i, column in columns]


def respond_with(tables: Table | Iterable[Table], request) -> HttpResponse | None:
    """The file that `?format=csv` or `?format=xlsx` asks for (`&table=id` where a page has several), else None.

    Of tables that are made one after the other those after the one asked for are not made, nor any for no file.
    """
    kind = request.GET.get("format")
    if not kind:
        return None
    if kind not in ("csv", "xlsx"):
        raise BadRequest(_("Tables leave as csv or xlsx, not as %(kind)s.") % {"kind": kind[:20]})
    wanted = request.GET.get("table")
    tables = [tables] if isinstance(tables, Table) else tables
    chosen = next((table for table in tables if not wanted or table.id == wanted), None)
    if chosen is None:
        raise BadRequest(_("There is no table %(id)s on this page.") % {"id": (wanted or "")[:40]})
    content, content_type = (as_csv(chosen), CSV_TYPE) if kind == "csv" else (as_xlsx(chosen), XLSX_TYPE)
    name = slugify(chosen.name or chosen.title) or chosen.id
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Cache-Control"] = "private, no-cache"
    return response


# Values --------------------------------------------------------------------------------------------------------------


def _plain(column: Column, value: Any) -> Any:
    """A value as a file holds it: None, a number, a date or text."""
    if isinstance(value, tuple) and hasattr(value, "href"):  # a Cell, this one or the component's
        value = value[0]
    if column.say is not None:
        value = column.say(value)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None) if timezone.is_aware(value) else value
    if isinstance(value, date):
        return value
    if column.kind in _NUMBERS and not isinstance(value, str):
        number = float(value)
        return None if math.isnan(number) else int(number) if number.is_integer() and abs(number) < 1e15 else number
    if isinstance(value, int):
        return value
    return " ".join(str(value).split())


def safe_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe stands before what would be one."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return safe_text(value) if isinstance(value, str) else value


# Files ---------------------------------------------------------------------------------------------------------------


def _leading(table: Table) -> list[tuple[str, str]]:
    return [(_("Table"), str(table.title)), *((str(label), " ".join(str(text).split())) for label, text in table.notes)]


def as_csv(table: Table) -> bytes:
    """UTF-8 with its mark, commas, decimal points; the notes lead, each line begun with #, then a blank line."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for label, text in _leading(table):
        writer.writerow([f"# {label}", safe_text(text)])
    writer.writerow([])
    writer.writerow([safe_text(column.heading) for _i, column in table.file_columns])
    writer.writerows([[_written(value) for value in row] for row in table.file_rows])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(table: Table) -> bytes:
    """One sheet: title and notes on top, headings that stay, a filter; numbers, dates and months as such."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(_("Data"))
        top = _write_notes(book, sheet, table)
        heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        columns = [column for _i, column in table.file_columns]
        formats = [book.add_format({"num_format": _number_format(column)}) for column in columns]
        instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        widths = [len(column.heading) for column in columns]
        for x, column in enumerate(columns):
            sheet.write_string(top, x, column.heading, heading)
        last = top
        for last, row in enumerate(table.file_rows, start=top + 1):
            for x, value in enumerate(row):
                _write_cell(sheet, last, x, value, instant if isinstance(value, datetime) else formats[x])
                widths[x] = max(widths[x], len(str(value)) if isinstance(value, str) else 0)
        for x, width in enumerate(widths):
            sheet.set_column(x, x, min(_WIDEST, max(10, width + 2)))
        sheet.freeze_panes(top + 1, 1)
        if columns and last > top:
            sheet.autofilter(top, 0, last, len(columns) - 1)
    return out.getvalue()


def _write_notes(book, sheet, table: Table) -> int:
    """Title and notes; returns the row of the headings."""
    bold, quiet = book.add_format({"bold": True, "font_size": 13}), book.add_format({"font_color": "#555555"})
    for y, (label, text) in enumerate(_leading(table)):
        sheet.write_string(y, 0, label, quiet)
        sheet.write_string(y, 1, text, None if y else bold)
    return len(table.notes) + 2


def _number_format(column: Column) -> str:
    if column.kind in _NUMBERS:
        if column.decimals is None:
            return "#,##0.###" if column.kind == "number" else "0.0"
        return "#,##0" + ("." + "0" * column.decimals if column.decimals else "")
    return {"date": "yyyy-mm-dd", "month": "yyyy-mm"}.get(column.kind, "General")


def _write_cell(sheet, y: int, x: int, value: Any, form) -> None:
    if value is None:
        return
    if isinstance(value, date):
        sheet.write_datetime(y, x, value, form)
    elif isinstance(value, (int, float)) and math.isfinite(value):
        sheet.write_number(y, x, value, form)
    else:
        sheet.write_string(y, x, str(value))

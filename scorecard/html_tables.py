"""Data tables as HTML, and the tables that say what a chart or a map shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.html import conditional_escape as esc
from django.utils.safestring import SafeString
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext, pgettext

from scorecard import components
from scorecard.components import Cell, Column, Map, Table, band_of
from scorecard.html import current_language, light, safe, sparkline
from units import tables


def _rank(marks: Any) -> int:
    return ("red", "amber", "green").index(name) if (name := band_of(marks).name) in ("red", "amber", "green") else 9


def html_date(value: date, kind: str) -> str:
    """A month, a day, or an instant in the country's time, in the reader's language."""
    if isinstance(value, datetime):
        return date_format(localtime(value) if is_aware(value) else value, "SHORT_DATETIME_FORMAT")
    return date_format(value, "YEAR_MONTH_FORMAT" if kind == "month" else "DATE_FORMAT")


def _cell_html(column: Column, value: Any, language: str) -> tuple[str, str]:
    """A cell's content, and the raw value it sorts by ("" where its text will do)."""
    note = ""
    href = ""
    if isinstance(value, (Cell, tables.Cell)):
        value, href, note = value
    kind = column.kind
    if kind == "light":
        text, raw = ("", "") if value is None else (light(value), str(_rank(value)))
    elif kind in ("number", "percent") and not isinstance(value, str):
        text = components.number(value, column.decimals, language)
        raw = "" if components.is_missing(value) else f"{value:.10g}"
        if text and kind == "percent":
            text += f"{components.NARROW_SPACE}%"
    elif kind == "spark":
        text, raw = (sparkline(*value) if value else ""), ""
    elif kind in ("date", "month") and value is not None:
        text, raw = html_date(value, kind), f"{value:%Y%m%d%H%M%S}"
    else:
        text, raw = ("" if value is None else esc(value)), ""
    if href:
        text = f'<a href="{esc(href)}">{text}</a>'
    return (f'{text}<small class="sub">{esc(note)}</small>' if note else text), raw


_CELL_CLASS = {"number": "n", "percent": "n", "spark": "sp"}


def _row_html(columns: Sequence[Column], row: Sequence[Any], language: str, labels: list[str]) -> str:
    cells = []
    for i, (column, value) in enumerate(zip(columns, row, strict=True)):
        text, raw = _cell_html(column, value, language)
        sort = f' data-v="{raw}"' if raw else ""
        if i == 0:
            cells.append(f'<th scope="row"{sort}>{text}</th>')
            continue
        name = _CELL_CLASS.get(column.kind, "")
        narrow = {"key": "key", "hide": "hide"}.get(column.narrow, "key" if column.kind == "light" else "")
        classes = f"{name} {narrow}".strip()
        said = f' data-l="{labels[i]}"' if not narrow and column.kind != "spark" else ""
        styled = f' class="{classes}"' if classes else ""
        cells.append(f"<td{styled}{said}{sort}>{text}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _heading(column: Column, table: Table) -> str:
    text = esc(column.label)
    if column.unit:
        text += f' <small class="unit">{esc(column.unit)}</small>'
    way = ""
    if column.sort and table.sort_href:
        current = table.sort.lstrip("-") == column.sort
        if current:
            way = ' aria-sort="descending"' if table.sort.startswith("-") else ' aria-sort="ascending"'
        following = f"-{column.sort}" if current and not table.sort.startswith("-") else column.sort
        href = esc(table.sort_href.replace("{sort}", following))
        text = f'<a href="{href}" data-sort>{text}</a>'
    classes = " ".join(filter(None, (_CELL_CLASS.get(column.kind, ""), "hide" if column.narrow == "hide" else "")))
    styled = f' class="{classes}"' if classes else ""
    return f'<th scope="col"{styled}{way}>{text}</th>'


def _table_tools(table: Table) -> str:
    links = [("CSV", table.csv_href), ("XLSX", table.xlsx_href)]
    parts = [f'<a href="{esc(href)}" download>{label}</a>' for label, href in links if href]
    copy = esc(gettext("Copy"))
    parts.append(f'<button type="button" class="link" data-copy="{esc(table.id)}">{copy}</button>')
    return f'<p class="tools">{" ".join(parts)}</p>'


def table_html(table: Table) -> SafeString:
    """A data table: caption, sortable headings, two-line items on narrow screens, CSV, XLSX and copy."""
    if not table.rows:
        said = esc(table.empty or gettext("Nothing here for this choice."))
        return safe(f'<p class="empty">{said}</p>')
    language = current_language()
    labels = [esc(f"{c.label} ({c.unit})" if c.unit else c.label) for c in table.columns]
    head = "".join([_heading(column, table) for column in table.columns])
    body = "".join([_row_html(table.columns, row, language, labels) for row in table.rows])
    foot = f"<tfoot>{_row_html(table.columns, table.foot, language, labels)}</tfoot>" if table.foot else ""
    hidden = ' class="vh"' if table.is_caption_hidden else ""
    method = f'<p class="method">{esc(table.method)}</p>' if table.method else ""
    return safe(
        f'<div class="tbl">{_table_tools(table)}<table class="t" id="{esc(table.id)}">'
        f"<caption{hidden}>{esc(table.caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table>{method}</div>"
    )


def chart_twin(chart: components.Chart) -> SafeString:
    """The figures of a chart as a table."""
    return table_html(chart.twin(gettext("Month") if chart.kind == "trend" else gettext("Name")))


def map_twin(map: Map) -> SafeString:
    """The figures of a map as a table."""
    if map.table is not None:
        return table_html(map.table)
    columns = [
        Column(gettext("Name")),
        Column(map.value_label or pgettext("figure", "Value"), "number"),
        Column(gettext("Light"), "light"),
    ]
    rows = [[Cell(a.name, a.href, a.code), a.value, a.marks] for a in map.areas]
    return table_html(Table(f"{map.id}-table", map.title, columns, rows, is_caption_hidden=True))

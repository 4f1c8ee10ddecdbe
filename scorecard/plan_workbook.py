"""A plan as one workbook: objectives, lines, indicator sheets and targets, each on a sheet of its own. In and out.

Headings and sheet names are read in Spanish and English, in any order, and written in the reader's language. Choices
are written by their short names (`higher`, `sum`, `ratio`), which are the same in both.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import xlsxwriter
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from indicators import models as of
from indicators.months import format_month
from scorecard.models import Verb
from units import cells
from units.files import Field, FileError, columns_of, fold, read_sheets, text
from units.refusals import Refusal

RULES = {
    "missing": gettext_lazy("This is missing."),
    "not_a_number": gettext_lazy("This is not a number."),
    "ambiguous_number": gettext_lazy("Decimals or thousands? Write 1234 or 1234.5, without marks for thousands."),
    "not_whole": gettext_lazy("This is not a whole number."),
    "not_a_day": gettext_lazy("This is not a day: write it like 2023-05-17."),
    "not_a_month": gettext_lazy("This is not a month: write it like 2023-05."),
    "unknown_choice": gettext_lazy("This is none of the choices; the sheet of notes lists them."),
    "repeated": gettext_lazy("The same stands in an earlier row."),
    "unknown_objective": gettext_lazy("There is no objective of this number on the sheet of objectives."),
    "unknown_institution": gettext_lazy("There is no institution of this code."),
    "unknown_indicator": gettext_lazy("There is no indicator of this code, here or in the system."),
    "unknown_unit": gettext_lazy("There is no unit of this code in the institution."),
    "unknown_person": gettext_lazy("Nobody has this username."),
    "not_allowed": gettext_lazy("Your roles do not let you change the plans of this institution."),
    "plan_approved": gettext_lazy("The plan is approved: open it again before it is replaced."),
    "range_crossed": gettext_lazy("The range ends below where it begins."),
    "weights": gettext_lazy("The weights of one place add up to 100."),
    "foreign_indicator": gettext_lazy("The indicator belongs to another institution."),
}


@dataclass(frozen=True)
class Column:
    """A column: our name, its heading in Spanish and English, how a cell is read and whether it must be there."""

    name: str
    es: str
    en: str
    kind: str = "text"  # text, number, whole, yes, day, month, or choice
    choices: Any = None
    is_required: bool = False
    width: int = 14

    @property
    def heading(self):
        return self.es if (get_language() or "es")[:2] == "es" else self.en

    @property
    def field(self):
        return Field(self.name, (self.en, self.es, self.name), self.is_required)


@dataclass(frozen=True)
class Part:
    """A sheet of the workbook."""

    name: str
    es: str
    en: str
    columns: tuple[Column, ...]
    is_required: bool = True

    @property
    def title(self):
        return self.es if (get_language() or "es")[:2] == "es" else self.en


@dataclass
class Row:
    """A row as it was read: its sheet and number, and what its columns say; None for an empty cell."""

    sheet: str
    number: int
    said: dict


@dataclass
class Book:
    """A workbook as it was read. parts: {name: rows}; refused: what could not be read."""

    parts: dict = field(default_factory=dict)
    refused: list = field(default_factory=list)


C = Column
HEAD = Part(
    "plan", "Plan", "Plan",
    (
        C("institution", "institución", "institution", is_required=True),
        C("year", "año", "year", "whole", is_required=True),
    ),
)  # fmt: skip
OBJECTIVES = Part(
    "objectives", "Objetivos", "Objectives",
    (
        C("number", "número", "number", is_required=True, width=9),
        C("verb", "verbo", "verb", "choice", Verb, True, 10),
        C("what", "qué", "what", is_required=True, width=34),
        C("what_en", "qué (inglés)", "what (English)", width=34),
        C("means", "por medio de", "by means of", is_required=True, width=44),
        C("means_en", "por medio de (inglés)", "by means of (English)", width=44),
        C("weight", "peso", "weight", "number", is_required=True, width=8),
        C("perspective", "perspectiva", "perspective", width=20),
        C("perspective_en", "perspectiva (inglés)", "perspective (English)", width=20),
    ),
)  # fmt: skip
LINES = Part(
    "lines", "Líneas", "Lines",
    (
        C("objective", "objetivo", "objective", is_required=True, width=9),
        C("indicator", "indicador", "indicator", is_required=True, width=24),
        C("weight", "peso", "weight", "number", is_required=True, width=8),
        C("no_target_because", "sin metas porque", "no targets because", width=30),
        C("no_baseline_because", "sin línea base porque", "no baseline because", width=30),
    ),
)  # fmt: skip
SHEETS = Part(
    "sheets", "Fichas", "Indicator sheets",
    (
        C("indicator", "indicador", "indicator", is_required=True, width=24),
        C("valid_from", "rige desde", "valid from", "month"),
        C("name", "nombre", "name", is_required=True, width=34),
        C("name_en", "nombre (inglés)", "name (English)", width=34),
        C("description", "descripción", "description", width=40),
        C("description_en", "descripción (inglés)", "description (English)", width=40),
        C("hierarchy", "jerarquía", "hierarchy", "choice", of.Hierarchy),
        C("behaviour", "comportamiento", "behaviour", "choice", of.Behaviour),
        C("sensitivity", "sensibilidad", "sensitivity", "choice", of.Sensitivity),
        C("accumulation", "acumulación", "accumulation", "choice", of.Accumulation),
        C("unit_of_measure", "unidad de medida", "unit of measure", is_required=True),
        C("unit_of_measure_en", "unidad de medida (inglés)", "unit of measure (English)"),
        C("decimals", "decimales", "decimals", "whole"),
        C("frequency", "frecuencia", "frequency", "choice", of.Frequency),
        C("lag_days", "días de rezago", "lag in days", "whole"),
        C("formula", "fórmula", "formula", width=30),
        C("numerator", "numerador", "numerator", is_required=True, width=24),
        C("numerator_source", "fuente del numerador", "source of the numerator", width=24),
        C("denominator", "denominador", "denominator", width=24),
        C("denominator_source", "fuente del denominador", "source of the denominator", width=24),
        C("denominator_kind", "clase de denominador", "kind of denominator", "choice", of.Denominator),
        C("scale", "escala", "scale", "number"),
        C("is_count", "es conteo", "is a count", "yes"),
        C("sense", "sentido", "direction", "choice", of.Sense, True),
        C("tolerance", "tolerancia", "tolerance", "number"),
        C("over_units", "consolidación entre unidades", "roll-up over units", "choice", of.Rule),
        C("over_time", "consolidación en el tiempo", "roll-up over time", "choice", of.Rule),
        C("denominator_over_units", "denominador entre unidades", "denominator over units", "choice", of.Rule),
        C("denominator_over_time", "denominador en el tiempo", "denominator over time", "choice", of.Rule),
        C("light_by", "semáforo por", "light by", "choice", of.LightBy),
        C("baseline_value", "línea base", "baseline", "number"),
        C("baseline_on", "fecha de la línea base", "baseline of", "day"),
        C("baseline_source", "fuente de la línea base", "source of the baseline", width=24),
        C("baseline_none_because", "sin línea base porque", "no baseline because", width=30),
        C("responsible", "responsable", "responsible"),
        C("approver", "aprobador", "approver"),
        C("evidence_required", "requiere evidencia", "evidence required", "yes"),
        C("is_entered", "se ingresa a mano", "entered by hand", "yes"),
    ),
    False,
)  # fmt: skip
MONTHS = tuple(C(f"m{n:02}", f"{n:02}", f"{n:02}", "number", width=9) for n in range(1, 13))
TARGETS = Part(
    "targets", "Metas", "Targets",
    (
        C("indicator", "indicador", "indicator", is_required=True, width=24),
        C("unit", "unidad", "unit", is_required=True, width=18),
        C("measure", "dato", "figure", "choice", ("target", "from", "to", "baseline"), width=10),
        *MONTHS,
    ),
    False,
)  # fmt: skip
PARTS = (HEAD, OBJECTIVES, LINES, SHEETS, TARGETS)
YES = {"yes": True, "si": True, "true": True, "verdadero": True, "1": True, "x": True}
NO = {"no": False, "false": False, "falso": False, "0": False}
SPANISH = {
    "aumentar": "increase", "incrementar": "increase", "reducir": "reduce", "disminuir": "reduce",
    "meta": "target", "desde": "from", "hasta": "to", "linea base": "baseline",
}  # fmt: skip


def choices_of(column):
    """The choices of a column by their short names: {name: value}."""
    if isinstance(column.choices, tuple):
        return {name: name for name in column.choices}
    if issubclass(column.choices, int):
        return {member.name.lower(): member.value for member in column.choices}
    return {member.value or "none": member.value for member in column.choices}


# In ------------------------------------------------------------------------------------------------------------------


def parse(path) -> Book:
    """Rows of a workbook by part. FileError without its sheets and columns; a bad cell is refused."""
    sheets = {fold(sheet.name): sheet for sheet in read_sheets(path)}
    lacking = [part.title for part in PARTS if part.is_required and _sheet(part, sheets) is None]
    if lacking:
        seen = ", ".join(sheet.name for sheet in sheets.values())
        figures = {"name": path.name, "missing": ", ".join(lacking), "found": seen}
        message = _("%(name)s has another layout: expected the sheets %(missing)s; found %(found)s.")
        raise FileError("other_layout", message % figures)
    book = Book()
    for part in PARTS:
        sheet = _sheet(part, sheets)
        book.parts[part.name] = [] if sheet is None else _rows(part, sheet, book, path)
    return book


def _sheet(part, sheets):
    return next((sheets[fold(name)] for name in (part.en, part.es, part.name) if fold(name) in sheets), None)


def _rows(part, sheet, book, path):
    try:
        columns = columns_of([sheet], [column.field for column in part.columns], name=f"{path.name}, {sheet.name}")
    except FileError as error:
        if error.rule == "empty" and part is not HEAD:
            return []
        raise
    found = []
    for i, number in enumerate(columns.numbers):
        said = {}
        for column in part.columns:
            if column.name not in columns.cells:
                continue
            try:
                said[column.name] = _cell(column, columns.cells[column.name][i])
            except cells.CellError as error:
                message = str(RULES[error.rule])
                book.refused.append(Refusal(number, column.heading, error.rule, message, sheet.name))
        found.append(Row(sheet.name, number, said))
    return found


def _cell(column, cell):
    """What a cell says; None where it is empty. Raises CellError."""
    written = text(cell)
    if not written:
        if column.is_required:
            raise cells.CellError("missing")
        return None
    return _choice(column, cell) if column.kind == "choice" else _READ[column.kind](cell)


def _choice(column, cell):
    known = {fold(name): value for name, value in choices_of(column).items()}
    known |= {fold(str(value)): value for value in choices_of(column).values() if str(value)}
    word = fold(cell)
    word = fold(SPANISH.get(word, word))
    if word not in known:
        raise cells.CellError("unknown_choice")
    return known[word]


def _yes(cell):
    known = YES | NO
    word = fold(cell)
    if word not in known:
        raise cells.CellError("unknown_choice")
    return known[word]


_READ: dict[str, Callable] = {
    "text": text,
    "number": cells.number,
    "whole": cells.whole,
    "yes": _yes,
    "day": cells.day,
    "month": cells.month,
}


# Out -----------------------------------------------------------------------------------------------------------------


def template() -> bytes:
    """The empty workbook, with the choices of each column in its notes."""
    return write({})


def write(parts: dict[str, list[dict]], notes=()) -> bytes:
    """A workbook of rows by part, in the layout in which it comes in."""
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for part in PARTS:
        _write_part(book, part, parts.get(part.name, []), head)
    _write_notes(book, notes, head)
    book.close()
    return memory.getvalue()


def _write_part(book, part, rows, head):
    page = book.add_worksheet(part.title)
    page.freeze_panes(1, 0)
    for at, column in enumerate(part.columns):
        page.set_column(at, at, column.width)
        page.write_string(0, at, column.heading + (" *" if column.is_required else ""), head)
        if column.kind == "choice":
            names = [*choices_of(column)]
            page.data_validation(1, at, 5000, at, {"validate": "list", "source": names, "error_type": "warning"})
    for number, said in enumerate(rows, 1):
        for at, column in enumerate(part.columns):
            _write_cell(page, number, at, column, said.get(column.name))


def _write_cell(page, row, at, column, value):
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return
    if column.kind == "choice":
        names = {chosen: name for name, chosen in choices_of(column).items()}
        page.write_string(row, at, names[value])
    elif column.kind == "yes":
        page.write_string(row, at, _("yes") if value else "no")
    elif isinstance(value, date):
        page.write_string(row, at, format_month(value) if column.kind == "month" else value.isoformat())
    elif column.kind in ("number", "whole"):
        page.write_number(row, at, value)
    else:
        page.write_string(row, at, str(value))


def _write_notes(book, notes, head):
    page = book.add_worksheet(_("Notes"))
    page.set_column(0, 0, 22)
    page.set_column(1, 1, 34)
    page.set_column(2, 2, 90)
    said = [
        _("A star marks what must be filled. Sheets and columns may be in any order, in Spanish or English."),
        _("Objectives: 1, 1.1, 1.2: the number says what each lies below. Weights of one place add up to 100."),
        _("Indicator sheets: what is empty keeps its value, or the usual one for a new indicator."),
        _("Targets: a row an indicator, unit and figure; an empty month takes that target back."),
        _("Units that are not listed keep their targets."),
        *notes,
    ]
    for row, line in enumerate(said):
        page.write_string(row, 0, line)
    row = len(said) + 1
    for at, title in enumerate((_("Sheet"), _("Column"), _("Choices"))):
        page.write_string(row, at, title, head)
    for part in PARTS:
        for column in part.columns:
            if column.kind == "choice":
                row += 1
                page.write_row(row, 0, [part.title, column.heading, ", ".join(choices_of(column))])

"""Units from a file: a whole tree at once, parents in any order, each in the institution of what it stands below."""

from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy

from units import cells
from units.actions import open_unit, recorded
from units.files import Field, read_columns, text
from units.imports import Rollback, refusal
from units.models import Territory, Unit
from units.refusals import Refusal

RULES = {
    "not_a_month": gettext_lazy("The month is missing or is none: write it as 2023-05, or give --from-month."),
    "unknown_parent": gettext_lazy("There is no unit of this code above it."),
    "unknown_territory": gettext_lazy("There is no territory of this code."),
    "other": gettext_lazy("A unit of this code is there already, of another name or below another unit."),
}


@dataclass(frozen=True)
class Row:
    """A unit as the file gives it; `number` is its row."""

    number: int
    code: str
    name: str
    name_en: str
    parent: str
    territory: str
    from_month: date


@dataclass
class Report:
    created: int = 0
    unchanged: int = 0
    refused: list = field(default_factory=list)


def read(path, *, from_month=None):
    """(columns, rows, refused). `from_month`: of rows that name none."""
    fields = [
        Field("code", ("code", "unit", "codigo")),
        Field("name", ("name", "nombre")),
        Field("name_en", ("name_en", "nombre_en"), False),
        Field("parent", ("parent", "depende_de", "superior")),
        Field("territory", ("territory", "territorio"), False),
        Field("from_month", ("from_month", "desde"), False),
    ]
    found = read_columns(path, fields)
    rows, refused = [], []
    given = zip(*(found.get(f.name) for f in fields), strict=True)
    for number, (code, name, name_en, parent, territory, when) in zip(found.numbers, given, strict=True):
        try:
            month = cells.month(when) if text(when) or not from_month else from_month
        except cells.CellError:
            refused.append(refusal(number, "from_month", "not_a_month", RULES))
            continue
        codes = (text(one).upper() for one in (parent, territory))
        rows.append(Row(number, text(code).upper(), text(name), text(name_en), *codes, month))
    return found, rows, refused


def load(*, by, rows, refused, accept_valid=False, dry_run=False, reason=""):
    """Open the units that are not there yet, in one transaction; nothing where a row is refused. Returns Report."""
    report = Report(refused=list(refused))
    try:
        with recorded(by=by, reason=reason):
            _open(rows, report, by)
            report.refused.sort(key=lambda one: one.row)
            if dry_run or (report.refused and not accept_valid):
                raise Rollback
    except Rollback:
        pass
    return report


def _open(rows, report, by):
    """Those whose parent is there, then those below them, until no more can be opened."""
    units = {unit.code: unit for unit in Unit.objects.select_related("parent", "institution")}
    places = {place.code: place for place in Territory.objects.all()}
    waiting = list(rows)
    while ready := [row for row in waiting if row.parent in units]:
        waiting = [row for row in waiting if row.parent not in units]
        for row in ready:
            _one(row, units, places, report, by)
    report.refused += [refusal(row.number, "parent", "unknown_parent", RULES) for row in waiting]


def _one(row, units, places, report, by):
    known = units.get(row.code)
    if known is not None:
        is_same = (known.name, known.parent and known.parent.code) == (row.name, row.parent)
        report.unchanged += is_same
        if not is_same:
            report.refused.append(refusal(row.number, "code", "other", RULES))
    elif row.territory and row.territory not in places:
        report.refused.append(refusal(row.number, "territory", "unknown_territory", RULES))
    else:
        parent = units[row.parent]
        try:
            with transaction.atomic():
                units[row.code] = open_unit(
                    by=by, institution=parent.institution, code=row.code, name=row.name, name_en=row.name_en,
                    parent=parent, territory=places.get(row.territory), from_month=row.from_month,
                )  # fmt: skip
            report.created += 1
        except ValidationError as error:
            about, messages = next(iter(error.message_dict.items())) if hasattr(error, "error_dict") else ("", None)
            report.refused.append(Refusal(row.number, about, "invalid", " ".join(messages or error.messages)))

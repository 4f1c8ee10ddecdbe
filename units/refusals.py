"""Rows that were not taken: which, in which field, by which rule; and the file in which they are given back."""

import csv
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from units.files import text


@dataclass(frozen=True)
class Refusal:
    """A row that was not taken: its number in the file (from 1), the field at fault, the rule, and the words for it."""

    row: int
    field: str
    rule: str
    message: str
    sheet: str = ""

    def __str__(self):
        where = _("sheet %(sheet)s, ") % {"sheet": self.sheet} if self.sheet else ""
        return where + _("row %(row)s, %(field)s: %(message)s [%(rule)s]") % {
            "row": self.row,
            "field": self.field,
            "message": self.message,
            "rule": self.rule,
        }


def rows_refused(columns, refusals):
    """The refused rows as a table: header and rows, each with row, field, rule and reason before its own cells."""
    row_of = dict(zip(columns.numbers, columns.rows, strict=True))
    header = ["row", "field", "rule", "reason", *columns.header]
    lines = ([r.row, r.field, r.rule, r.message, *map(text, row_of.get(r.row, []))] for r in refusals)
    return header, lines


def write_refused(path, columns, refusals):
    """Write the refused rows, with their reasons, to a CSV file that can be sent again once mended."""
    header, lines = rows_refused(columns, refusals)
    path = Path(path)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(lines)
    return path

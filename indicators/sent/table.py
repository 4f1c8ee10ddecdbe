"""A table of figures (CSV) into columns; cells that cannot be read are told one by one. Pure."""

from __future__ import annotations

import csv
import io
import math

import msgspec
from msgspec import UNSET

from indicators.sent.rows import FIELDS, REQUIRED, SHOWN, STATES, BodyError, Fault, Seen, State, Table, rule_of
from units.api import broken_off


def read(body):
    """The Table of a body (bytes) of CSV. Raises BodyError, UnicodeDecodeError."""
    text = body.decode()
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    rows, cut = [], None
    try:
        header = [name.strip() for name in next(reader)]
        rows.extend(row for row in broken_off.rows(reader) if row != [])
    except csv.Error:  # a quotation that never ends
        cut = len(rows)
    _check_header(header)
    width = len(header)
    if rows and cut is None and rows[-1] and len(rows[-1]) < width and not text.endswith("\n"):
        rows.pop()
        cut = len(rows)
    at = [n for n, row in enumerate(rows) if row and len(row) == width]
    faults = {n: [_misshapen(row)] for n, row in enumerate(rows) if row is None or len(row) != width}
    columns = dict(zip(header, zip(*(rows[n] for n in at), strict=True), strict=False))
    return _of_texts(Table(len(rows), at, *([] for _ in FIELDS), faults=faults, cut=cut), columns)


def _misshapen(row):
    return Fault("", "row_unreadable", '"') if row is None else Fault("", "row_length", str(len(row)))


def _check_header(header):
    wrong = [name for name in header if name not in FIELDS] or [name for name in REQUIRED if name not in header]
    if wrong or len(set(header)) != len(header):
        raise BodyError("header_unreadable", wrong[0][:SHOWN] if wrong else "...")


def _of_texts(table, columns):
    """Columns of text into columns of values; rows with a cell that cannot be read go to the faults."""
    wrong = {}
    found = []
    for name in FIELDS:
        cells = columns.get(name)
        if cells is None:
            cells = [""] * len(table.at)
        quick = _column(name, cells)
        if quick is None:
            quick = [_cell(name, cell.strip(), row, wrong) for row, cell in zip(table.at, cells, strict=True)]
        found.append(quick)
    if wrong:
        good = [n for n, row in enumerate(table.at) if row not in wrong]
        table.at = [table.at[n] for n in good]
        found = [[column[n] for n in good] for column in found]
        table.faults = dict(sorted((table.faults | wrong).items()))
    names = ("month", "indicator", "unit", "numerator", "denominator", "state", "seen")
    for name, column in zip(names, found, strict=True):
        setattr(table, name, column)
    return table


def _column(name, cells):
    """A whole column at once where nothing in it is wrong; None where it is to be looked at cell by cell."""
    distinct = set(cells)
    if name in REQUIRED:
        longest = 10 if name == "month" else 40
        clean = all(text and text == text.strip() and len(text) <= longest for text in distinct)
        return list(cells) if clean else None
    if distinct <= {""}:
        return [UNSET if name == "if_recorded_at" else None] * len(cells)
    if name == "state":
        return [text or None for text in cells] if distinct <= {"", *STATES} else None
    if name == "if_recorded_at":
        return None
    try:
        known = {text: _number(text) if text else None for text in distinct}
    except _WrongError:
        return None
    return [known[text] for text in cells]


def _cell(name, text, row, wrong):
    """The value of a cell; an empty one says nothing. `none` in if_recorded_at: there was no figure."""
    try:
        if name in REQUIRED:
            return msgspec.convert(text, FIELDS[name]) if text else _fail("field_missing")
        if not text:
            return UNSET if name == "if_recorded_at" else None
        if name == "if_recorded_at":
            return None if text == "none" else msgspec.convert(text, Seen)
        return text if name == "state" and msgspec.convert(text, State) else _number(text)
    except (msgspec.ValidationError, _WrongError) as error:
        rule = error.rule if isinstance(error, _WrongError) else rule_of(name, text, str(error))
        wrong.setdefault(row, []).append(Fault(name, rule, text[:SHOWN]))
        return None


class _WrongError(Exception):
    def __init__(self, rule):
        self.rule = rule


def _fail(rule):
    raise _WrongError(rule)


def _number(text):
    """A figure as programs write it: a point before decimals, no marks for thousands."""
    try:
        found = float(text) if "_" not in text else math.nan
    except ValueError:
        found = math.nan
    return found if math.isfinite(found) else _fail("not_a_number")

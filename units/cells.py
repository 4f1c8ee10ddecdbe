"""Numbers, days and months as people write them in cells. Pure: no Django.

A number may have a decimal comma or a decimal point, and thousands apart. What cannot be told (is 1.234 more than a
thousand, or a little more than one?) is not guessed: it raises, unless the file itself shows which mark it uses.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime

_PLAIN = re.compile(r"[+-]?\d+")
_ONE_MARK = re.compile(r"[+-]?(\d*)([.,])(\d+)")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:([.,\s'])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2}))?(?:[T ].*)?")
_DAY_FIRST = re.compile(r"(?:(\d{1,2})[-/.])?(\d{1,2})[-/.](\d{4})(?:[T ].*)?")
_SPACES = re.compile(r"[\s\u00a0\u202f']")


class CellError(ValueError):
    """What stands in a cell is not what it should be; `rule` names how."""

    def __init__(self, rule):
        super().__init__(rule)
        self.rule = rule


def number(cell, decimal_comma=None):
    """A number, NaN for an empty cell. decimal_comma: how the file writes decimals, if known. Raises CellError."""
    if cell is None or cell == "":
        return math.nan
    if isinstance(cell, (bool, date)):
        raise CellError("not_a_number")
    if isinstance(cell, (int, float)):
        return float(cell)
    written = cell.strip().replace("\u2212", "-")
    if not written:
        return math.nan
    if _PLAIN.fullmatch(written):
        return float(written)
    one = _ONE_MARK.fullmatch(written)
    if one:
        return _one_mark(written, *one.groups(), decimal_comma)
    if written.lower().replace("e", "").replace("+", "").replace("-", "").replace(".", "").isdigit():
        try:
            return float(written)  # 1.5e3
        except ValueError:
            pass
    return _grouped(written)


def _one_mark(written, before, mark, after, decimal_comma):
    """A number with a single point or comma: decimals, unless it could as well set thousands apart."""
    could_be_thousands = len(after) == 3 and 1 <= len(before) <= 3 and before.lstrip("0") and before[0] != "0"
    if could_be_thousands:
        if decimal_comma is None:
            raise CellError("ambiguous_number")
        if (mark == ",") != decimal_comma:
            return float(written.replace(mark, ""))
    return float(written.replace(",", "."))


def _grouped(written):
    """A number with thousands set apart: 1.234.567,8 or 1,234.5 or 1 234,5."""
    found = _THOUSANDS.fullmatch(written)
    if not found:
        raise CellError("not_a_number")
    group = found.group(1)
    plain = _SPACES.sub("", written) if _SPACES.fullmatch(group) else written.replace(group, "")
    return float(plain.replace(",", "."))


def decimal_mark(cells):
    """Whether a file's numbers have a decimal comma, by those that leave no doubt; None where none does, or both do."""
    votes = {vote for cell in cells if isinstance(cell, str) and (vote := _mark_of(cell.strip())) is not None}
    return votes.pop() if len(votes) == 1 else None


def _mark_of(written):
    """Whether this number surely has a decimal comma (True) or point (False); None if it does not tell."""
    one = _ONE_MARK.fullmatch(written)
    if one:
        before, mark, after = one.groups()
        is_clear = len(after) != 3 or len(before) > 3 or before[:1] in ("0", "")
        return mark == "," if is_clear else None
    if not _THOUSANDS.fullmatch(written):
        return None
    points, commas = written.count("."), written.count(",")
    if points and commas:
        return written.rfind(",") > written.rfind(".")
    return points > 1 if points + commas > 1 else None


def day(cell):
    """A day: a date, 2023-05-17 or 17/05/2023. Raises CellError."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    written = str(cell or "").strip()
    iso, day_first = _ISO.fullmatch(written), _DAY_FIRST.fullmatch(written)
    if iso and iso[3]:
        return _date(int(iso[1]), int(iso[2]), int(iso[3]))
    if day_first and day_first[1]:
        return _date(int(day_first[3]), int(day_first[2]), int(day_first[1]))
    raise CellError("not_a_day")


def month(cell):
    """A month as its first day: a date, 2023-05, 05/2023, or any day in it. Raises CellError."""
    if isinstance(cell, date):
        return date(cell.year, cell.month, 1)
    written = str(cell or "").strip()
    iso, day_first = _ISO.fullmatch(written), _DAY_FIRST.fullmatch(written)
    try:
        if iso:
            found = _date(int(iso[1]), int(iso[2]), int(iso[3] or 1))
        elif day_first:
            found = _date(int(day_first[3]), int(day_first[2]), int(day_first[1] or 1))
        else:
            raise CellError("not_a_month")
    except CellError:
        raise CellError("not_a_month") from None
    return found.replace(day=1)


def whole(cell):
    """A whole number, None for an empty cell: 2023, 2023.0 or 17,510,643. Raises CellError."""
    try:
        found = number(cell)
    except CellError as error:
        if error.rule != "ambiguous_number":
            raise
        found = float(cell.strip().replace(".", "").replace(",", ""))  # a whole number: the mark sets thousands apart
    if math.isnan(found):
        return None
    if not found.is_integer():
        raise CellError("not_whole")
    return int(found)


def _date(year, month, day):
    try:
        return date(year, month, day)
    except ValueError:
        raise CellError("not_a_day") from None

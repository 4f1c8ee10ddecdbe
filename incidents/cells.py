"""Single cells as files write them: dates, times, numbers, codes. Each gives (value, mended) or a ValueError. Pure.

`mended` names the rule by which the cell was read otherwise than written, or is None.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

EXCEL_EPOCH = date(1899, 12, 30)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: \d{1,2}:\d{2}.*)?")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
_CLOCK = re.compile(r"(\d{1,2})\s*[:hH]\s*(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(?:([aApP])\.?\s?[mM]\.?)?(?:\s?hrs?\.?)?")
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")


def read_date(cell):
    """A day from a date, 2023-05-17, 17/05/2023 (the day first), or the serial number of a spreadsheet."""
    if isinstance(cell, datetime):
        return cell.date(), None
    if isinstance(cell, date):
        return cell, None
    if isinstance(cell, int | float):
        return _serial(float(cell)), "date_serial"
    text = cell.strip()
    if found := _ISO.fullmatch(text):
        year, month, day = map(int, found.groups())
        return date(year, month, day), None
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = map(int, found.groups())
        return date(year, month, day), None
    if _SERIAL.fullmatch(text):
        return _serial(float(text.replace(",", "."))), "date_serial"
    raise ValueError(text)


def _serial(number):
    """Days since 1899-12-30, as spreadsheets count. Only 1954 to 2146: a smaller number is a year or a typing error."""
    if not 20_000 <= number < 90_000:
        raise ValueError(number)
    return EXCEL_EPOCH + timedelta(days=int(number))


def read_time(cell):
    """A time of day in seconds, from a time, 9:05, 09:05:30, 9h05, 9:05 PM, or a spreadsheet's fraction of a day."""
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return cell.hour * 3600 + cell.minute * 60 + cell.second, None
    if isinstance(cell, timedelta):
        return _in_day(round(cell.total_seconds())), None
    if isinstance(cell, int | float):
        return _in_day(round(cell % 1 * 1440) % 1440 * 60 if 0 <= cell < 90_000 else -1), "time_fraction"
    text = cell.strip()
    if found := _CLOCK.fullmatch(text):
        hour, minute, second, half = found.groups()
        hour = int(hour)
        if half:
            if not 1 <= hour <= 12:
                raise ValueError(text)
            hour = hour % 12 + (12 if half in "pP" else 0)
        if int(minute) > 59 or int(second or 0) > 59:
            raise ValueError(text)
        return _in_day(hour * 3600 + int(minute) * 60 + int(second or 0)), None
    raise ValueError(text)


def _in_day(seconds):
    if not 0 <= seconds < 86_400:
        raise ValueError(seconds)
    return seconds


def read_instant(cell, zone):
    """An instant in UTC from a date and time: of the country (`zone`), unless an offset stands behind it."""
    if isinstance(cell, datetime):
        instant = cell
    elif isinstance(cell, int | float):
        instant = datetime.combine(_serial(float(cell)), time()) + timedelta(seconds=round(cell % 1 * 86_400))
    else:
        instant = _instant(cell.strip())
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    return instant.astimezone(UTC), "date_serial" if isinstance(cell, int | float) else None


def _instant(text):
    found = _OFFSET.search(text) if ":" in text else None
    offset, clock = (found.group(), text[: found.start()]) if found else ("", text)
    day, _between, clock = clock.replace("T", " ", 1).partition(" ")
    if not clock:
        raise ValueError(text)
    seconds, _ = read_time(clock)
    instant = datetime.combine(read_date(day)[0], time()) + timedelta(seconds=seconds)
    return datetime.fromisoformat(f"{instant.isoformat()}{offset}") if offset else instant


def read_clock(cell):
    """The time of day of a cell that holds date and time; None where it holds a date alone."""
    if isinstance(cell, datetime):
        return read_time(cell)
    if isinstance(cell, date):
        return None, None
    if isinstance(cell, int | float):
        return read_time(cell) if cell % 1 else (None, None)
    _day, _between, clock = _OFFSET.sub("", cell.strip()).replace("T", " ", 1).partition(" ")
    return read_time(clock) if clock else (None, None)


def read_number(cell):
    """A number with a decimal point or a decimal comma. A thousands separator is not guessed at: 1.234,5 is refused."""
    if isinstance(cell, bool):
        raise ValueError(cell)
    if isinstance(cell, int | float):
        return float(cell), None
    text = cell.strip()
    if _NUMBER.fullmatch(text):
        return float(text.replace(",", ".")), "decimal_comma" if "," in text else None
    raise ValueError(text)


def read_code(cell):
    """A whole number above zero, written 0901, 901 or 901.0."""
    number, _ = read_number(cell)
    if number != int(number) or not 0 < number <= 32_767:
        raise ValueError(cell)
    return int(number), None

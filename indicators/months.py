"""Month arithmetic: a month is its first day. Pure; the day of today is always passed in."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

FREQUENCIES = (1, 2, 4, 12)  # measurements a year
_TEXT = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")


def month_of(day: date) -> date:
    """The month a day falls in: its first day."""
    return date(day.year, day.month, 1)


def parse_month(text: str) -> date:
    """A month from "2023-05" (or any day of it, "2023-05-17"). Raises ValueError saying what was expected."""
    found = _TEXT.fullmatch(text.strip())
    if not found:
        raise ValueError(f'"{text}" is not a month: expected year and month, like 2023-05.')
    year, month, day = found.groups()
    try:
        return month_of(date(int(year), int(month), int(day or 1)))
    except ValueError:
        raise ValueError(f'"{text}" is not a month: there is no such date.') from None


def format_month(month: date) -> str:
    """A month as text, "2023-05"."""
    return f"{month.year:04d}-{month.month:02d}"


def add_months(month: date, count: int) -> date:
    """The month that many months later, or earlier if negative."""
    years, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(years, index + 1, 1)


def months_between(start: date, end: date) -> int:
    """Whole months from start to end: 0 for the same month, negative if end is earlier."""
    return (end.year - start.year) * 12 + end.month - start.month


def month_range(start: date, end: date) -> Iterator[date]:
    """Every month from start to end, both included; none if end is earlier."""
    for count in range(months_between(start, end) + 1):
        yield add_months(month_of(start), count)


def months_of_year(year: int) -> list[date]:
    """The twelve months of a year."""
    return [date(year, month, 1) for month in range(1, 13)]


def last_months(month: date, count: int) -> list[date]:
    """The last `count` months that end with this one, oldest first."""
    return [add_months(month, back) for back in range(1 - count, 1)]


def same_month_last_year(month: date) -> date:
    return add_months(month, -12)


def days_in_month(month: date) -> int:
    return monthrange(month.year, month.month)[1]


def last_day(month: date) -> date:
    return month + timedelta(days=days_in_month(month) - 1)


def days_elapsed(month: date, as_of: date) -> int:
    """Whole days of a month that are over on the day as_of: 0 on its first day or before, all once it has ended."""
    return max(0, min((as_of - month_of(month)).days, days_in_month(month)))


def elapsed_share(month: date, as_of: date | None) -> float:
    """Whole days elapsed / days of the month: 1.0 for a month that has ended, or with no day of today given."""
    return 1.0 if as_of is None else days_elapsed(month, as_of) / days_in_month(month)


def measurement_months(frequency: int) -> tuple[int, ...]:
    """The calendar months in which an indicator is measured: 12 all, 4 quarter ends, 2 half-year ends, 1 December."""
    if frequency not in FREQUENCIES:
        raise ValueError(f"Frequency {frequency} is not one of 1, 2, 4 or 12 a year.")
    step = 12 // frequency
    return tuple(range(step, 13, step))


def is_measured(month: date, frequency: int) -> bool:
    """Whether a month is one of the frequency's measurement months."""
    return month.month in measurement_months(frequency)


def entry_due_on(month: date, days: int = 5) -> date:
    """The day by which a month's figure is to be entered: so many days after it ends."""
    return last_day(month) + timedelta(days=days)

"""Whether a line's change against last year is more than chance: its interval, from the months already on the page."""

from __future__ import annotations

import calendar
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from django.utils.translation import gettext as _

from indicators.change import change, dispersion_of, drawn_to_usual
from scorecard import wording
from scorecard.html import current_language
from scorecard.reading import HISTORY, Line, Reading, last_year


class Noted(NamedTuple):
    """The change of a count: ratio to the base with its 99 % interval (ends may be 0 and infinite)."""

    ratio: float
    low: float
    high: float
    is_distinct: bool

    @property
    def words(self) -> str:
        return _words(self, current_language())


@lru_cache(maxsize=4096)
def _words(noted: Noted, language: str) -> str:
    """In the language that is active, by which the words are kept."""
    said = {"ratio": _times(noted.ratio), "low": _times(noted.low), "high": _times(noted.high)}
    if noted.is_distinct:
        return _("%(ratio)s times last year, 99 %% interval %(low)s to %(high)s: more than chance") % said
    text = _("%(ratio)s times last year, 99 %% interval %(low)s to %(high)s: not distinguishable from chance")
    return text % said


def _times(value: float) -> str:
    return "–" if np.isnan(value) else "∞" if np.isinf(value) else wording.number(value, 2)


def changes_of(reading: Reading, today: date) -> dict[str, Noted]:
    """By code of the line, the month against the same month last year; nothing of a month that still runs.

    Exposure is days; dispersion is that of the twelve months before, drawn to the usual one.
    """
    lines = [line for line in reading.lines if _is_count(line)]
    if not lines or reading.month >= today.replace(day=1):
        return {}
    values = np.array([line.values for line in lines], float)
    noted = _noted(values.tobytes(), values.shape, _days(reading.month), _days(last_year(reading.month)))
    return {line.about["code"]: one for line, one in zip(lines, noted, strict=True) if one is not None}


@lru_cache(maxsize=512)
def _noted(content: bytes, shape: tuple[int, ...], days: int, days_before: int) -> list[Noted | None]:
    """Of each line's values (lines, HISTORY + 1), kept by what they are: a page is opened by many."""
    values = np.frombuffer(content).reshape(shape)
    spread = drawn_to_usual(dispersion_of(values[:, :HISTORY]))
    found = change(values[:, HISTORY], values[:, 0], days, days_before, dispersion=spread)
    noted = zip(*(part.tolist() for part in (found.ratio, found.low, found.high, found.is_distinct)), strict=True)
    return [None if np.isnan(p) else Noted(*one) for one, p in zip(noted, found.p.tolist(), strict=True)]


def _is_count(line: Line) -> bool:
    """Of counts alone, and where no figure is below zero."""
    return bool(line.about["is_count"]) and not any(value < 0 for value in line.values)


def _days(month: date) -> int:
    return calendar.monthrange(month.year, month.month)[1]

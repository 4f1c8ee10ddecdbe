"""Whether a line's change against last year is more than chance: its interval, from the months already on the page."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from django.utils.translation import gettext as _

from indicators.change import Change, Dispersion, change, changes
from indicators.codes import accrues
from indicators.models import SheetVersion
from indicators.months import elapsed_share
from scorecard import wording
from scorecard.html import current_language
from scorecard.queries import HISTORY, months_before, shifted
from scorecard.reading import Line, Reading, Span
from scorecard.spread import Level, days_of, drawn, level_of
from scorecard.trajectory import events_of


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
    said = {"ratio": times(noted.ratio), "low": times(noted.low), "high": times(noted.high)}
    if noted.is_distinct:
        return _("%(ratio)s times last year, 99 %% interval %(low)s to %(high)s: more than chance") % said
    text = _("%(ratio)s times last year, 99 %% interval %(low)s to %(high)s: not distinguishable from chance")
    return text % said


def times(value: float) -> str:
    return "–" if np.isnan(value) else "∞" if np.isinf(value) else wording.number(value, 2)


def told(ratio: float, low: float, high: float, is_distinct: bool) -> list[str]:
    """As cells of a list: the ratio with its interval, and whether it is more, fewer or chance; nothing of no ratio."""
    if np.isnan(ratio):
        return ["–", ""]
    says = (_("more") if ratio > 1 else _("fewer")) if is_distinct else _("≈ chance")
    return [f"{times(ratio)} ({times(low)}–{times(high)})", str(says)]


def changes_of(reading: Reading, today: date) -> dict[str, Noted]:
    """By code of the line, the month against the same month last year; nothing of a month that still runs.

    Of counts, and of counts over the population: then the events behind both figures, by days x people. Dispersion is
    the unit's own, drawn to that of its level (see `spread`).
    """
    lines = [line for line in reading.lines if _may_count(line)]
    if not lines or reading.month >= today.replace(day=1):
        return {}
    level = level_of(reading.unit, reading.month, today)
    lines = [line for line in lines if line.about["is_count"] or _key(line) in level.rates]
    if not lines:
        return {}
    packed = _behind(reading, lines, level)
    spread = level.of(reading.unit.pk, [line.about["position"] for line in lines])
    noted = _noted(packed.tobytes(), spread.value.tobytes(), spread.freedom.tobytes())
    return {line.about["code"]: one for line, one in zip(lines, noted, strict=True) if one is not None}


def parts_of(reading: Reading, today: date) -> dict[str, float]:
    """By code of the line, the part of last year's whole month that the month's figure is held against: of what grows
    with the days of a month that still runs. Empty once it is over. One question.
    """
    if reading.month < today.replace(day=1):
        return {}
    grows = _grow([_key(line) for line in reading.lines])
    lines = [line for line in reading.lines if _key(line) in grows]
    return {line.about["code"]: part_of(reading.month, today, line.reported >= line.due) for line in lines}


def part_of(month: date, today: date, are_all_in: bool) -> float:
    """The part of a month's days that is over; NaN while figures of units are to come yet, which are not 0."""
    part = elapsed_share(month, today)
    return part if part == 1 or (part > 0 and are_all_in) else np.nan


def _grow(keys: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Sheets of these indicators, as (indicator, version), whose figures grow with a month's days. One question."""
    held = SheetVersion.objects.filter(indicator__in=[indicator for indicator, _version in keys])
    rows = held.values_list("indicator_id", "version", "over_time", "denominator_over_time")
    return {(indicator, version) for indicator, version, *rules in rows if accrues(*rules)}


def _behind(reading: Reading, lines: list[Line], level: Level) -> np.ndarray:
    """(2, lines, HISTORY + 1): the events of the page's months, and the days, or days x people, behind them."""
    months = tuple(months_before(reading.month, HISTORY))
    packed = np.empty((2, len(lines), HISTORY + 1))
    packed[0], packed[1] = [line.values for line in lines], days_of(months)
    over_people = [n for n, line in enumerate(lines) if not line.about["is_count"]]
    if over_people:
        people = _people(reading, level, months)
        scales = np.array([[lines[n].about["scale"]] for n in over_people])
        packed[0, over_people] = events_of(packed[0, over_people] / scales, people, 1.0)
        packed[1, over_people] *= people
    return packed


def _people(reading: Reading, level: Level, months: tuple[date, ...]) -> np.ndarray:
    return np.array([level.people.get((reading.unit.pk, month.year)) or np.nan for month in months], float)


def moved_by_chance(reading: Reading, pairs: list[tuple[Line, Line]], today: date) -> dict[str, bool]:
    """By code of the line, whether its attainment moved since the month before by no more than chance, among them all.

    Of counts, and of counts over the population, that have targets: the month's events to those that its target allows
    beside those of the month before, or of a count's year until then where that drives the light; what the targets
    allow are the exposures. Nothing of a month that still runs.
    """
    tried = [(line, old) for line, old in pairs if _may_count(line) and not line.is_range]
    tried = [(line, old) for line, old in tried if line.month.target > 0 and old.driving.target > 0]
    if not tried or reading.month >= today.replace(day=1):
        return {}
    level = level_of(reading.unit, reading.month, today)
    tried = [(line, old) for line, old in tried if line.about["is_count"] or _is_rate_of_months(line, old, level)]
    if not tried:
        return {}
    lines = [line for line, _old in tried]
    own, exposures = _behind(reading, lines, level)[..., :HISTORY]
    people = _people(reading, level, (reading.month, shifted(reading.month, -1)))
    now = np.array([_to_target(line, line.month, people[0]) for line in lines])
    before = np.array([_to_target(line, old.driving, people[1]) for line, old in tried])
    spread = drawn(own, exposures, level.of(reading.unit.pk, [line.about["position"] for line in lines]))
    found = changes(now[:, 0], before[:, 0], now[:, 1], before[:, 1], dispersion=spread)
    is_chance = zip(tried, found.is_distinct.tolist(), found.p.tolist(), strict=True)
    return {line.about["code"]: not is_distinct for (line, _old), is_distinct, p in is_chance if not np.isnan(p)}


def _is_rate_of_months(line: Line, old: Line, level: Level) -> bool:
    return _key(line) in level.rates and bool(old.is_by_month)


def _to_target(line: Line, span: Span, people: float) -> tuple[float, float]:
    """The events of a figure, and those that its target allows."""
    if line.about["is_count"]:
        return span.value, span.target
    scale = line.about["scale"]
    return float(events_of(np.array(span.value), np.array(people), scale)), span.target * people / scale


@lru_cache(maxsize=512)
def _noted(packed: bytes, value: bytes, freedom: bytes) -> list[Noted | None]:
    """Of lines' events and exposures (2, lines, HISTORY + 1), kept by what they are: a page is opened by many."""
    events, exposures = np.frombuffer(packed).reshape(2, -1, HISTORY + 1)
    beside = Dispersion(np.frombuffer(value), np.frombuffer(freedom))
    spread = drawn(events[:, :HISTORY], exposures[:, :HISTORY], beside)
    found = change(events[:, HISTORY], events[:, 0], exposures[:, HISTORY], exposures[:, 0], dispersion=spread)
    return noted_of(found)


def noted_of(found: Change) -> list[Noted | None]:
    """Each change as pages tell it; None where a figure is missing."""
    noted = zip(*(part.tolist() for part in (found.ratio, found.low, found.high, found.is_distinct)), strict=True)
    return [None if np.isnan(p) else Noted(*one) for one, p in zip(noted, found.p.tolist(), strict=True)]


def _may_count(line: Line) -> bool:
    """Counts, and what may be events over the population; nowhere a figure below zero."""
    about = line.about
    return bool(about["is_count"] or about["has_denominator"]) and not any(value < 0 for value in line.values)


def _key(line: Line) -> tuple[int, int]:
    return line.about["indicator"], line.about["version"]

"""How much more than chance counts vary: of the units of a level over three years, kept by the process for a day.

A unit's own year says little of its dispersion; 140 districts over three years know theirs as well as one would in
centuries. So each unit's own is drawn to its level's, as strongly as the level's units agree.
"""

from __future__ import annotations

import calendar
from collections import deque
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from indicators.change import Dispersion, dispersion_of, drawn_to_usual, pooled
from indicators.models import Denominator, SheetVersion
from scorecard.queries import HISTORY, fetch_arrays, months_before, shifted, sql
from scorecard.trajectory import LEAST_BUT_ONE, MOST_UNITS, events_of
from units.models import Unit

PAST = 36  # months before the quarter of the month shown
MOST_KEPT = 64  # levels and quarters


class Rate(NamedTuple):
    """A sheet that counts over the population, and its place in cards."""

    indicator: int
    version: int
    scale: float
    place: int


@dataclass(frozen=True)
class Level:
    """Of a level's units (rows; the last for one that has no card) and of the places in their cards: the dispersion of
    PAST but its last HISTORY months, drawn to that of all of them.

    people: by unit and year, where an indicator counts over the population; those are `rates`, as (indicator, version).
    """

    key: tuple[Any, ...]
    rows: dict[int, int]
    value: np.ndarray
    freedom: np.ndarray
    rates: frozenset[tuple[int, int]] = frozenset()
    people: dict[tuple[int, int], float] = field(default_factory=dict)

    def of(self, unit: int, positions: list[int]) -> Dispersion:
        """(positions,): what is known of the unit beside its last HISTORY months."""
        row, width = self.rows.get(unit, -1), self.value.shape[1] - 1
        places = [place if place < width else width for place in positions]  # the last place is that of what came later
        return Dispersion(self.value[row, places], self.freedom[row, places])


_KEPT: deque[Level] = deque(maxlen=MOST_KEPT)


def level_of(unit: Unit, month: date, today: date) -> Level:
    """The unit's level before the month's quarter. Three questions where this process has not asked them today."""
    start = month.replace(month=(month.month - 1) // 3 * 3 + 1)
    key = unit.institution_id, len(unit.path), start, today
    for kept in tuple(_KEPT):
        if kept.key == key and unit.pk in kept.rows:
            return kept
    found = _read(unit, start, key)
    _KEPT.append(found)
    return found


def drawn(own: np.ndarray, exposures: np.ndarray, level: Dispersion) -> Dispersion:
    """The dispersion of a unit's last HISTORY months, (..., HISTORY) counts, with what is known of it beside them."""
    return drawn_to_usual(dispersion_of(own, exposures), level)


@lru_cache(maxsize=256)
def days_of(months: tuple[date, ...]) -> np.ndarray:
    """How many days each of the months has."""
    return np.array([calendar.monthrange(month.year, month.month)[1] for month in months], float)


def _read(unit: Unit, start: date, key: tuple[Any, ...]) -> Level:
    months = months_before(shifted(start, -1), PAST - 1)
    asked = {"unit": unit.pk, "months": months, "low": 1, "high": LEAST_BUT_ONE, "most": MOST_UNITS, "to_date": 0}
    ids, values = _values(fetch_arrays(sql("level_values"), asked), months)
    rows = {pk: n for n, pk in enumerate(ids)}
    rates = _rates(unit.institution_id)
    exposures = np.broadcast_to(days_of(tuple(months)), values.shape).copy()
    people: dict[tuple[int, int], float] = {}
    if rates:
        years = list(range(months[0].year, start.year + 1))
        wanted = {"units": [*rows, *({unit.pk} - rows.keys())], "years": years}
        people = {(row.unit_id, row.year): row.people for row in fetch_arrays(sql("level_people"), wanted)}
        of_month = np.array([[people.get((pk, month.year)) or np.nan for month in months] for pk in ids])
        for place, scale in {one.place: one.scale for one in rates}.items():  # the latest version's
            if ids and place < values.shape[1] - 1:
                values[:-1, place] = events_of(values[:-1, place], of_month, scale)
                exposures[:-1, place] *= of_month
    found = _dispersions(values, exposures)
    if unit.pk not in rows:
        rows[unit.pk] = -1
    return Level(key, rows, *found, frozenset((one.indicator, one.version) for one in rates), people)


def _values(found: list[Any], months: list[date]) -> tuple[list[int], np.ndarray]:
    """Ids, and figures (units, places, months), NaN where there is none; one unit and one place more than there are."""
    ids, at = sorted({row.unit_id for row in found}), {month: n for n, month in enumerate(months)}
    place = {pk: n for n, pk in enumerate(ids)}
    values = np.full((len(ids) + 1, 1 + max((len(row.value) for row in found), default=0), len(months)), np.nan)
    for row in found:
        values[place[row.unit_id], : len(row.value), at[row.month]] = row.value
    return ids, np.where(values < 0, np.nan, values)


def _dispersions(values: np.ndarray, exposures: np.ndarray) -> Dispersion:
    level = pooled(dispersion_of(values, exposures))
    early = slice(0, PAST - HISTORY)
    return drawn_to_usual(dispersion_of(values[..., early], exposures[..., early]), level)


def _rates(institution: int) -> list[Any]:
    """Sheets that count over the population, with their place in the institution's cards. One question."""
    held = SheetVersion.objects.filter(
        denominator_kind=Denominator.POPULATION, indicator__positions__institution=institution
    )
    names = ("indicator_id", "version", "scale", "indicator__positions__position")
    return [Rate(*row) for row in held.order_by("version").values_list(*names)]

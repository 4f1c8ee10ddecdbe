"""The figures of a large map: units so many levels below one, and what colours them through the months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from indicators.codes import STATE_MASK, LightBy, Mark, State
from indicators.models import Denominator, SheetVersion
from scorecard import classing, wording
from scorecard.atlas.asked import MOST_STEPS, OVERALL, Asked
from scorecard.components import Band, band_of, card_band
from scorecard.models import Card
from scorecard.queries import RECIPES, fetch_arrays, shifted, sql
from scorecard.reading import Reading, local

SHOWN_MONTHS = 120


@dataclass
class Figures:
    """months and units in order; value (months, units), NaN where there is none; look (months, units): places in
    `bands`, -1 where there was no card. own: the unit's own values, (months,). monthly, is_month (months, units): of a
    line, the month's own figure, and whether that is what `value` holds.
    """

    months: list[date]
    units: list[int]
    value: np.ndarray
    look: np.ndarray
    bands: list[Band]
    own: np.ndarray
    monthly: np.ndarray
    is_month: np.ndarray

    def at(self, month: date) -> int | None:
        return self.months.index(month) if month in self.months else None


@dataclass
class Atlas:
    """A unit's map of one month, or of two. `reading` is that of the unit in the month."""

    reading: Reading
    asked: Asked

    @property
    def month(self) -> date:
        return self.reading.month

    @cached_property
    def chosen(self) -> dict[str, Any] | None:
        """The line that is drawn, as the month's plan has it, else the latest plan of the unit that has it."""
        if self.reading.chosen is not None or self.asked.by == OVERALL:
            return self.reading.chosen
        cards = Card.objects.filter(unit=self.reading.unit).order_by("recipe_id")
        for recipe in sorted(cards.values_list("recipe_id", flat=True).distinct(), reverse=True):
            for line in RECIPES.of(recipe)["lines"]:
                if line["code"] == self.asked.by:
                    return line
        return None

    @cached_property
    def sheet(self) -> SheetVersion | None:
        """Of the line that is drawn."""
        about = self.chosen or {"indicator": None, "version": None}
        return SheetVersion.objects.filter(indicator=about["indicator"], version=about["version"]).first()

    @property
    def is_counted(self) -> bool:
        """Whether the line counts events, by themselves or over the population: then two months can be tried."""
        sheet = self.sheet
        return sheet is not None and (sheet.is_count or sheet.denominator_kind == Denominator.POPULATION)

    @property
    def by(self) -> str:
        return self.chosen["code"] if self.chosen else OVERALL

    @property
    def by_words(self) -> str:
        return local(self.chosen, "name") if self.chosen else _("Overall score")

    def when(self, month: date) -> str:
        """The month in words; the year until it, where that is what some of its figures are of."""
        said, at = wording.month_name(month), self.figures.at(month)
        if self.chosen is None or at is None:
            return said
        to_date = ~self.figures.is_month[at] & ~np.isnan(self.figures.value[at])
        return _("year to %(month)s") % {"month": said} if to_date.any() else said

    @property
    def unit_of_measure(self) -> str:
        return local(self.chosen, "unit_of_measure") if self.chosen else ""

    @cached_property
    def _below(self) -> list[Any]:
        asked = {"unit": self.reading.unit.pk, "month": self.month, "most": MOST_STEPS}
        return fetch_arrays(sql("atlas_units"), asked)

    @cached_property
    def levels(self) -> dict[int, int | None]:
        """Steps below the unit -> the level of most territories there; only those with something to draw."""
        found: dict[int, int | None] = {}
        for steps in sorted({row.steps for row in self._below}):
            at = [row.level for row in self._below if row.steps == steps and row.boundary]
            if at:
                found[steps] = max(set(at), key=at.count)
        return found

    @property
    def steps(self) -> int:
        """As asked for, or the nearest there is."""
        return min(self.levels, key=lambda steps: abs(steps - self.asked.steps), default=1)

    @cached_property
    def rows(self) -> list[Any]:
        """The units that the map draws and its table lists, by code."""
        return [row for row in self._below if row.steps == self.steps]

    @cached_property
    def figures(self) -> Figures:
        last = max(filter(None, (self.month, self.reading.here.latest, self.asked.beside)))
        months = [shifted(last, -n) for n in range(SHOWN_MONTHS - 1, -1, -1)]
        months += [month for month in (self.month, self.asked.beside) if month and month not in months]
        units = [row.unit_id for row in self.rows]
        position = self.chosen["position"] + 1 if self.chosen else 0
        asked = {"months": sorted(months), "units": [*units, self.reading.unit.pk], "n": position}
        return self._packed(fetch_arrays(sql("atlas_figures"), asked), units)

    def _packed(self, rows, units) -> Figures:
        place = {unit: n for n, unit in enumerate([*units, self.reading.unit.pk])}
        value = np.full((len(rows), len(place)), np.nan)
        look, monthly = np.full(value.shape, -1), np.full(value.shape, np.nan)
        is_month = np.zeros(value.shape, bool)
        bands: list[Band] = []
        for n, row in enumerate(rows):
            at = [place[unit] for unit in row.units.tolist()]
            figure, code, band_for = self._coloured_by(row)
            value[n, at] = figure
            if self.chosen is not None:
                monthly[n, at], is_month[n, at] = row.value, self._by_month(row.marks, row.to_date_marks)
            for one in np.unique(code).tolist():
                band = band_for(one)
                if band not in bands:
                    bands.append(band)
                look[n, np.array(at)[code == one]] = bands.index(band)
        months = [row.month for row in rows]
        drawn = (part[:, :-1] for part in (value, look, monthly, is_month))
        value_drawn, look_drawn, *of_line = drawn
        return Figures(months, units, value_drawn, look_drawn, bands, value[:, -1], *of_line)

    def _coloured_by(self, row):
        """(figures, codes, what a code's light is) of a month: of the score, or of the chosen line."""
        if self.chosen is None:
            return row.score, row.card, _card_band
        month, year = row.marks, row.to_date_marks
        is_month = self._by_month(month, year)
        return np.where(is_month, row.value, row.to_date_value), np.where(is_month, month, year), band_of

    def _by_month(self, month, year):
        """Whether the month is shown, by unit: as asked for, else what drives the light (as reading.driver has it)."""
        if self.asked.span:
            return np.full(len(month), self.asked.span == "month")
        is_due = [(marks & STATE_MASK) != State.NOT_APPLICABLE for marks in (month, year)]
        by_sheet = self.chosen["light_by"] == LightBy.MONTH
        return (by_sheet & ((month & Mark.SMALL) == 0)) | (is_due[0] & ~is_due[1])

    @cached_property
    def least(self) -> list[float]:
        """Where each class begins: the same in every month, so that a colour means the same in all."""
        return classing.breaks(self.figures.value.ravel().tolist(), self.asked.classes) if self.asked.classes else []

    @cached_property
    def most(self) -> float:
        """The largest figure of all months; NaN where there is none."""
        known = self.figures.value[~np.isnan(self.figures.value)]
        return float(known.max()) if len(known) else float("nan")

    @cached_property
    def parents(self) -> set[int]:
        """Units that have something drawn below them."""
        return {pk for row in self._below if row.boundary for pk in row.path[:-1]}

    @property
    def decimals(self) -> int:
        return self.chosen["decimals"] if self.chosen else 1

    def name(self, row) -> str:
        return row.name_en if row.name_en and get_language() == "en" else row.name


def _card_band(packed: int) -> Band:
    return card_band(packed & 7, provisional=bool(packed & 8), has_red=bool(packed & 16), due=bool(packed & 32))

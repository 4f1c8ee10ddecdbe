"""A unit's cards read as a page: lines with what drives them, objectives with their lights, children worst first.

Figures only; words are in `scorecard/wording.py`. Attainment is the raw one; pages show it from 0 up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from django.utils.translation import get_language

from indicators import scoring
from indicators.codes import LIGHT_MASK, LIGHT_SHIFT, STATE_MASK, Light, LightBy, Mark, Sense, State
from scorecard.components import BANDS, Band, band_of, card_band
from scorecard.queries import HISTORY, Cards, UnitHere, months_before, shifted

OVERALL = "overall"
MONTHS_SHIFT, MONTHS_MASK = 8, 0xFF  # to_date_months: months with a figure << 8 | months due
SMALL_BASE = 10
_WORST_FIRST = ("red", "amber", "green")


def local(about: dict[str, Any], name: str) -> str:
    """A text of a recipe in the reader's language, the country's where there is no other."""
    english = about.get(f"{name}_en") if get_language() == "en" else ""
    return english or about[name]


class Span(NamedTuple):
    """What is said of a month, or of the year to date. target is the lower end where there is a `high`."""

    value: float
    target: float
    high: float
    attainment: float
    marks: int

    @property
    def is_due(self) -> bool:
        return self.marks & STATE_MASK != State.NOT_APPLICABLE

    @property
    def band(self) -> Band:
        return band_of(self.marks)

    def has(self, mark: Mark) -> bool:
        return bool(self.marks & mark)


def driver(month: Span, to_date: Span, light_by: int) -> bool:
    """Whether the month drives the light: the sheet says so and its target is not small, or nothing runs to date."""
    return (light_by == LightBy.MONTH and not month.has(Mark.SMALL)) or (month.is_due and not to_date.is_due)


@dataclass(slots=True)
class Line:
    """A line of the plan on a card. values and targets are of the last 13 months; about is the recipe's."""

    about: dict[str, Any]
    month: Span
    to_date: Span
    is_by_month: bool
    months_reported: int
    months_due: int
    reported: int
    due: int
    worst_id: int
    values: list[float]
    targets: list[float]

    @property
    def driving(self) -> Span:
        return self.month if self.is_by_month else self.to_date

    @property
    def other(self) -> Span:
        return self.to_date if self.is_by_month else self.month

    @property
    def name(self) -> str:
        return local(self.about, "name")

    @property
    def unit_of_measure(self) -> str:
        return local(self.about, "unit_of_measure")

    @property
    def is_range(self) -> bool:
        return self.about["sense"] == Sense.WITHIN

    @property
    def shown_attainment(self) -> float:
        return shown_attainment(self.driving, self.about)


def shown_attainment(span: Span, about: dict[str, Any]) -> float:
    """Attainment as printed: from 0 up, and none for a count whose target is below 10, where a percentage misleads."""
    if about["is_count"] and span.target < SMALL_BASE:
        return math.nan
    return max(0.0, span.attainment) if span.attainment == span.attainment else math.nan


@dataclass(slots=True)
class Objective:
    """An objective of the plan with its score, light, depth in the tree, and its own lines."""

    about: dict[str, Any]
    score: float
    band: Band
    depth: int
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Child:
    """A unit below, in the light of the overall score or of the chosen indicator. rank sorts worst first."""

    row: Any
    name: str
    band: Band
    score: float
    score_band: Band
    span: Span | None
    rank: float

    @property
    def code(self) -> str:
        return self.row.code


class Reading:
    """A page's cards, read.

    `by` is the code of the chosen indicator, or OVERALL, also where the plan has none of the code that was asked for;
    `chosen` is its line in the recipe.
    """

    def __init__(self, here: UnitHere, cards: Cards, by: str = OVERALL):
        self.here, self.unit, self.cards = here, here.unit, cards
        self.month: date = cards.month
        self.own = cards.own
        self.structure = cards.structure if cards.own is not None else {"lines": [], "objectives": []}
        self.chosen: dict[str, Any] | None = next((one for one in self.structure["lines"] if one["code"] == by), None)
        self.asked, self.by = by, by if self.chosen else OVERALL

    # The card

    @cached_property
    def band(self) -> Band:
        return card_band_of(self.own)

    @property
    def is_scored(self) -> bool:
        return self.own is not None and not math.isnan(self.own.score)

    @property
    def has_two_scores(self) -> bool:
        """Whether figures that wait for approval move the score."""
        return self.own.is_provisional and not _alike(self.own.score, self.own.approved_score)

    @cached_property
    def lines(self) -> list[Line]:
        return _lines(self.cards, self.structure["lines"]) if self.own is not None else []

    @cached_property
    def objectives(self) -> list[Objective]:
        return _objectives(self.own, self.structure, self.lines) if self.own is not None else []

    @cached_property
    def lights(self) -> list[tuple[str, int]]:
        """How many lines stand in each band, in the order of BANDS."""
        names = [line.driving.band.name for line in self.lines]
        return [(band, names.count(band)) for band in BANDS if band in names]

    @cached_property
    def worst(self) -> Line | None:
        """The line of lowest attainment."""
        if self.own is None or self.own.worst_position < 0:
            return None
        return next((line for line in self.lines if line.about["position"] == self.own.worst_position), None)

    # What stands around it

    @cached_property
    def children(self) -> list[Child]:
        """Units below, worst first; those without a light come last."""
        is_english = get_language() == "en"
        found = [_child(row, self.chosen, is_english) for row in self.cards.children]
        return sorted(found, key=lambda child: (child.rank, child.row.code))

    @cached_property
    def units(self) -> dict[int, tuple[str, str, bool]]:
        """Code, name, and whether one may see it, of the units that lines name as their worst."""
        is_english = get_language() == "en"
        elsewhere = (self.own.elsewhere or {}) if self.own is not None else {}
        found = {
            int(pk): (code, (is_english and name_en) or name, self.here.sees(path))
            for pk, (code, name, name_en, path) in elsewhere.items()
        }
        return found | {child.row.unit_id: (child.row.code, child.name, True) for child in self.children}

    @property
    def is_simulated(self) -> bool:
        return self.own is not None and self.own.is_simulated


def _alike(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b)) or round(a, 1) == round(b, 1)


def card_band_of(row: Any) -> Band:
    """The light of a card, or of the row of one; no data where there is none."""
    if row is None:
        return Band("no_data")
    is_due = not math.isnan(row.coverage)
    return card_band(row.light, provisional=row.is_provisional, has_red=row.has_red, due=is_due)


# Lines ---------------------------------------------------------------------------------------------------------------

_COLUMNS = ("value", "target", "high", "attainment", "marks")
_COUNTS = ("to_date_months", "reported", "due", "worst_child")


def _lines(cards: Cards, abouts: list[dict[str, Any]]) -> list[Line]:
    own = cards.own
    place = np.array([about["position"] for about in abouts], np.int64)
    month = _spans([getattr(own, name) for name in _COLUMNS], place)
    to_date = _spans([getattr(own, f"to_date_{name}") for name in _COLUMNS], place)
    counts = [_taken(getattr(own, name), place, 0) for name in _COUNTS]
    values, targets = _history(cards, "value", place), _history(cards, "target", place)
    found = []
    for about, own_month, year, packed, reported, due, worst, past, promised in zip(
        abouts, month, to_date, *counts, values, targets, strict=True
    ):
        is_by_month = driver(own_month, year, about["light_by"])
        months = packed >> MONTHS_SHIFT, packed & MONTHS_MASK
        found.append(Line(about, own_month, year, is_by_month, *months, reported, due, worst, past, promised))
    return found


def _taken(array: np.ndarray, place: np.ndarray, missing: float) -> list[Any]:
    """The array at some places, `missing` past its end: an indicator that came later, a range that no line has."""
    if len(array) > place.max(initial=-1):
        return array[place].tolist()
    return [array[p].item() if p < len(array) else missing for p in place]


def _spans(columns: list[np.ndarray], place: np.ndarray) -> list[Span]:
    *figures, marks = columns
    taken = [_taken(column, place, math.nan) for column in figures]
    return [Span(*cells) for cells in zip(*taken, _taken(marks, place, 0), strict=True)]


def _history(cards: Cards, name: str, place: np.ndarray) -> list[list[float]]:
    """A list of 13 months a line, the card's own last; NaN where there was no card."""
    blank = [math.nan] * len(place)
    months = []
    for month in months_before(cards.month, HISTORY):
        card = cards.by_month.get(month)
        months.append(blank if card is None else _taken(getattr(card, name), place, math.nan))
    return [list(line) for line in zip(*months, strict=True)]


# Objectives ----------------------------------------------------------------------------------------------------------


def _objectives(own: Any, structure: dict[str, Any], lines: list[Line]) -> list[Objective]:
    abouts = structure["objectives"]
    scores = own.objective_score
    lights = scoring.light(scores)
    below: list[list[Line]] = [[] for _ in abouts]
    depth = [0] * len(abouts)
    for line in lines:
        at = line.about["objective"]
        while at >= 0:
            below[at].append(line)
            at = abouts[at]["parent"]
    for i, about in enumerate(abouts):
        depth[i] = depth[about["parent"]] + 1 if about["parent"] >= 0 else 0
    found = [
        Objective(about, float(scores[i]), _objective_band(int(lights[i]), float(scores[i]), below[i]), depth[i])
        for i, about in enumerate(abouts)
    ]
    for line in lines:
        found[line.about["objective"]].lines.append(line)
    return found


def _objective_band(light: int, score: float, lines: list[Line]) -> Band:
    """The light of an objective: of its score; never plain green over a red; without a score, why there is none."""
    marks = [line.driving.marks for line in lines]
    if not math.isnan(score):
        is_red = any((m & LIGHT_MASK) >> LIGHT_SHIFT == Light.RED for m in marks)
        provisional = any(m & Mark.PROVISIONAL for m in marks)
        return card_band(light, provisional=provisional, has_red=is_red)
    states = {m & STATE_MASK for m in marks}
    if State.EVALUATED in states:
        return Band("withheld")
    if State.NO_DATA in states:
        return Band("no_data")
    return Band("not_evaluable" if State.NOT_EVALUABLE in states else "not_applicable")


# Children ------------------------------------------------------------------------------------------------------------


def _child(row: Any, chosen: dict[str, Any] | None, is_english: bool) -> Child:
    name = (is_english and row.name_en) or row.name
    score_band = card_band_of(row)
    if chosen is None:
        return Child(row, name, score_band, row.score, score_band, None, _rank(row.score, score_band))
    nan = math.nan

    def cell(*names):
        return Span(*(nan if value is None else value for value in names[:4]), names[4] or 0)

    month = cell(row.value_at, row.target_at, row.high_at, row.attainment_at, row.marks_at)
    to_date = cell(
        row.to_date_value_at,
        row.to_date_target_at,
        row.to_date_high_at,
        row.to_date_attainment_at,
        row.to_date_marks_at,
    )
    span = month if driver(month, to_date, chosen["light_by"]) else to_date
    return Child(row, name, span.band, row.score, score_band, span, _rank(span.attainment, span.band))


def _rank(figure: float, band: Band) -> float:
    """Lowest first; what has no light, after all that have one."""
    return figure if band.name in _WORST_FIRST and not math.isnan(figure) else math.inf


def same_month_last_year(line: Line) -> tuple[float, float]:
    """The month's value and that of the same month a year before."""
    return line.values[-1], line.values[-1 - HISTORY]


def last_year(month: date) -> date:
    return shifted(month, -HISTORY)

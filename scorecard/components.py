"""What pages show and how it is written: lights, numbers, sparklines, and the plain data that components draw.

No Django here, and no words: names are keys, the words are in `templatetags/tablero.py`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isnan
from typing import Any, NamedTuple

from indicators.codes import LIGHT_MASK, LIGHT_SHIFT, STATE_MASK, Light, Mark, State

MINUS = "\u2212"
NARROW_SPACE = "\u202f"
_SPANISH_SEPARATORS = str.maketrans(",.", ".,")
_GUARD = 1e-9  # what binary fractions may lose of a decimal figure: a figure prints as its light was decided

BANDS = ("green", "amber", "red", "no_data", "not_applicable", "not_evaluable", "withheld")
_OF_LIGHT = {Light.GREEN: "green", Light.AMBER: "amber", Light.RED: "red", Light.WITHHELD: "withheld"}
_OF_STATE = {
    State.NOT_APPLICABLE: "not_applicable",
    State.NO_DATA: "no_data",
    State.NOT_EVALUABLE: "not_evaluable",
    State.EVALUATED: "withheld",
}


class Band(NamedTuple):
    """What a light shows: one of BANDS, and the marks that stand beside it."""

    name: str
    provisional: bool = False
    chance: bool = False
    red_below: bool = False


@lru_cache(maxsize=4096)
def band_of(marks: int | str | Band) -> Band:
    """A packed cell (indicators.codes), or the name of a band, as what its light shows."""
    if isinstance(marks, Band):
        return marks
    if isinstance(marks, str):
        if marks not in BANDS:
            raise ValueError(f"Unknown light {marks!r}: one of {', '.join(BANDS)}")
        return Band(marks)
    name = _OF_LIGHT.get((marks & LIGHT_MASK) >> LIGHT_SHIFT) or _OF_STATE[marks & STATE_MASK]
    painted = name in ("green", "amber", "red")
    return Band(
        name,
        painted and bool(marks & Mark.PROVISIONAL),
        painted and bool(marks & Mark.CHANCE),
        name == "green" and bool(marks & Mark.RED_BELOW),
    )


def card_band(light: int, *, provisional: bool = False, has_red: bool = False, due: bool = True) -> Band:
    """The light of a whole card. NONE is no data where something was due, else not applicable."""
    name = _OF_LIGHT.get(light) or ("no_data" if due else "not_applicable")
    painted = name in ("green", "amber", "red")
    return Band(name, painted and provisional, False, has_red and name == "green")


# Numbers


def is_missing(value: float | None) -> bool:
    """Missing is None or NaN, never 0."""
    return value is None or math.isnan(value)


def number(value: float | None, decimals: int | None = None, language: str = "en", *, sign: bool = False) -> str:
    """A figure as printed: half up, grouped thousands, true minus, decimal comma in Spanish; "" where missing.

    Without decimals: whole figures and those from 1,000 up have none, the rest one.
    """
    if is_missing(value):
        return ""
    size = abs(float(value))
    if decimals is None:
        decimals = 0 if size >= 1000 or size == int(size) else 1
    if size == math.inf:
        text, rounded = "∞", 1.0
    else:
        scale = 10**decimals
        rounded = math.floor(size * scale + 0.5 + _GUARD)
        text = f"{rounded / scale:,.{decimals}f}"
    if language[:2] == "es":
        text = text.translate(_SPANISH_SEPARATORS)
    if rounded and value < 0:
        return MINUS + text
    return "+" + text if sign and rounded else text


def percent(value: float | None, decimals: int = 0, language: str = "en", *, sign: bool = False) -> str:
    """A percentage with its unit on the same line; "" where missing. 12 is 12 %."""
    text = number(value, decimals, language, sign=sign)
    return f"{text}{NARROW_SPACE}%" if text else ""


def change(now: float | None, before: float | None, language: str = "en", *, is_count: bool = True) -> str:
    """Change with its sign: in % of the base, or the count itself where the base is below 10; "" where missing."""
    if is_missing(now) or is_missing(before):
        return ""
    if before <= 0 or (is_count and before < 10):
        difference = now - before
        return number(difference, None if is_count else 1, language, sign=True) or ""
    return percent(100 * (now - before) / before, 0, language, sign=True)


# Sparkline


class Spark(NamedTuple):
    """SVG paths of a sparkline, in its own units: the line with gaps, the target, and the last measured point."""

    line: str
    target: str
    last: tuple[float, float] | None
    is_current: bool


SPARK_WIDTH, SPARK_HEIGHT, _PAD = 96, 20, 3
_DOT = "m-.7 0a.7.7 0 1 0 1.4 0a.7.7 0 1 0-1.4 0"


@lru_cache(maxsize=64)
def _columns(count: int) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Where the months stand, as numbers and as printed."""
    step = (SPARK_WIDTH - 2 * _PAD) / max(1, count - 1)
    xs = tuple(round(_PAD + i * step, 1) for i in range(count))
    return xs, tuple(f"{x:g}" for x in xs)


def _path(values: Sequence[float | None], xs: Sequence[str], top: float, scale: float) -> str:
    """Path with a gap for each missing figure; a figure between two gaps is a dot. y = top - value * scale."""
    steps, begun = [], 0
    for x, value in zip(xs, values, strict=True):
        if value is None or isnan(value):
            if begun == 1:
                steps.append(_DOT)
            begun = 0
            continue
        steps.append(f"{'L' if begun else 'M'}{x} {top - value * scale:.1f}")
        begun += 1
    if begun == 1:
        steps.append(_DOT)
    return "".join(steps)


def sparkline(values: Sequence[float | None], target: float | Sequence[float | None] | None = None) -> Spark | None:
    """Paths of a 96 x 20 sparkline; target is one level or one a month. None where nothing was measured."""
    seen = [v for v in values if v is not None and not isnan(v)]
    if not seen:
        return None
    low, high = min(seen), max(seen)
    targets: Sequence[float | None] = ()
    if isinstance(target, Sequence):
        targets = target
        goals = [t for t in target if not is_missing(t)]
        low, high = min([low, *goals]), max([high, *goals])
    elif target is not None and not isnan(target):
        low, high = min(low, target), max(high, target)
    room = SPARK_HEIGHT - 2 * _PAD
    scale = room / (high - low) if high - low > _GUARD * max(abs(high), abs(low), _GUARD) else 0.0
    top = SPARK_HEIGHT - _PAD + low * scale if scale else SPARK_HEIGHT / 2
    xs, printed = _columns(len(values))
    last = len(values) - 1
    while is_missing(values[last]):
        last -= 1
    if targets:
        goal = _path(targets, printed, top, scale)
    else:
        y = f"{top - target * scale:.1f}" if not is_missing(target) else ""
        goal = f"M{printed[0]} {y}H{printed[-1]}" if y else ""
    point = (xs[last], round(top - values[last] * scale, 1))
    return Spark(_path(values, printed, top, scale), goal, point, last == len(values) - 1)


# What components are given


class Link(NamedTuple):
    """A choice: where it leads, whether one is there already, and a count or a note beside it."""

    label: str
    href: str
    is_current: bool = False
    note: str = ""


class Crumb(NamedTuple):
    """A step of the breadcrumb, with its siblings for the menu beside it."""

    label: str
    href: str = ""
    siblings: Sequence[Link] = ()


class Cell(NamedTuple):
    """A table cell that leads somewhere, or carries a note under its figure."""

    value: Any
    href: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: kind is text, number, percent, light or spark. On narrow screens: line (second line), key, or hide."""

    label: str
    kind: str = "text"
    unit: str = ""
    decimals: int | None = None
    sort: str = ""
    narrow: str = "line"


@dataclass(slots=True)
class Table:
    """A data table. Rows hold one value a column: plain, Cell, a light (marks or name), or a spark (values, target).

    `sort` is the current key ("-key" downwards), `sort_href` an address with {sort} in it; `method` is printed below.
    """

    id: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    csv_href: str = ""
    xlsx_href: str = ""
    sort: str = ""
    sort_href: str = ""
    empty: str = ""
    method: str = ""
    is_caption_hidden: bool = False
    foot: Sequence[Any] = ()


@dataclass(slots=True)
class IndicatorLine:
    """One line of a scorecard. Figures as floats (NaN or None missing), marks packed as on the card.

    A target is a figure, or a range as printed. `marks` are of what drives the light, which `light_note` names; the
    other's (the month's, or those to date) stand as a shape beside its own figure. `change_note` is the interval of the
    change in words; `is_chance` where it is not distinguishable from chance.
    """

    name: str
    href: str = ""
    code: str = ""
    unit: str = ""
    decimals: int | None = None
    value: float | None = None
    target: float | str | None = None
    attainment: float | None = None
    marks: int | str | Band = "no_data"
    light_note: str = ""
    month_marks: int | None = None
    to_date_marks: int | None = None
    spark: Sequence[float | None] = ()
    spark_target: float | Sequence[float | None] | None = None
    to_date: float | None = None
    to_date_target: float | str | None = None
    to_date_note: str = ""
    change: str = ""
    change_note: str = ""
    is_chance: bool = False
    coverage: float | None = None
    coverage_note: str = ""
    worst_name: str = ""
    worst_href: str = ""
    why_href: str = ""


@dataclass(slots=True)
class ObjectiveLine:
    """An objective with its lines: score 0-100, its light, weight in %."""

    name: str
    code: str = ""
    href: str = ""
    weight: float | None = None
    score: float | None = None
    marks: int | str | Band = "no_data"
    lines: Sequence[IndicatorLine] = ()


@dataclass(slots=True)
class Series:
    """A line of a chart: role is actual, target, before (last year), low, high or other."""

    name: str
    values: Sequence[float | None]
    role: str = "actual"


@dataclass(slots=True)
class Chart:
    """A chart with its table twin. kind: trend (x are months, ISO dates) or bars (x are names, one series).

    `labels` are the x as people read them (defaults to x); `bands` a light a bar; `hrefs` where a bar leads.
    """

    id: str
    title: str
    x: Sequence[str]
    series: Sequence[Series]
    kind: str = "trend"
    unit: str = ""
    decimals: int | None = None
    labels: Sequence[str] = ()
    source: str = ""
    bands: Sequence[str] = ()
    hrefs: Sequence[str] = ()

    @property
    def data_id(self) -> str:
        """Where the page keeps the payload."""
        return f"{self.id}-data"

    @property
    def payload(self) -> dict[str, Any]:
        """What the script draws, ready for JSON: NaN becomes null."""
        return {
            "kind": self.kind,
            "x": list(self.x),
            "labels": list(self.labels or self.x),
            "unit": self.unit,
            "decimals": self.decimals,
            "series": [
                {"name": str(s.name), "role": s.role, "y": [None if is_missing(v) else v for v in s.values]}
                for s in self.series
            ],
            "bands": list(self.bands),
            "hrefs": list(self.hrefs),
        }

    def twin(self, first: str) -> Table:
        """The same figures as a table; `first` heads the column of the x."""
        columns = [Column(first)] + [Column(s.name, "number", self.unit, self.decimals) for s in self.series]
        labels = self.labels or self.x
        rows = [[labels[i], *(s.values[i] for s in self.series)] for i in range(len(self.x))]
        return Table(f"{self.id}-table", self.title, columns, rows, is_caption_hidden=True)


@dataclass(slots=True)
class Area:
    """One area of a map: `d` its SVG path, `value` its figure as printed, marks its light; level its class, 0 none.

    spot: (x, y, radius) of the bubble that is coloured instead of the area.
    """

    code: str
    name: str
    d: str
    marks: int | str | Band = "no_data"
    value: str = ""
    href: str = ""
    level: int = 0
    spot: tuple[float, float, float] | None = None
    is_sought: bool = False


class MapClass(NamedTuple):
    """A class of a choropleth: its number from 1, the lowest, its words, and how many areas are in it."""

    level: int
    words: str
    count: int


@dataclass(slots=True)
class Map:
    """A map with its table twin. view_box and paths come from scorecard.mapping."""

    id: str
    title: str
    view_box: str
    areas: Sequence[Area]
    value_label: str = ""
    is_schematic: bool = True
    note: str = ""
    context: str = ""  # path of what lies around, drawn without a link
    table: Any = None  # the twin, where it says more than name, figure and light
    classes: Sequence[MapClass] = ()  # of a choropleth, drawn instead of the lights
    bands: Sequence[Band] = ()  # that the map may show later, when another month is drawn in place

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many areas stand in each band, in the order of BANDS, for the legend."""
        counted = Counter(band_of(area.marks).name for area in self.areas)
        return [(name, counted[name]) for name in BANDS if counted[name]]

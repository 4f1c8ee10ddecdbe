"""The small numbers that stand for senses, states, lights and rules, and an indicator sheet's scoring parameters.

Everything here is plain data for arrays: IntEnums, one bit field a cell, and a table of sheets. No Django, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property

import numpy as np


class Sense(IntEnum):
    """Which way is better, and so which form of attainment an indicator takes."""

    HIGHER = 1
    LOWER = 2
    LOWER_INVERSE = 3
    IMPROVE_HIGHER = 4
    IMPROVE_LOWER = 5
    WITHIN = 6
    MILESTONE = 7


class State(IntEnum):
    """What can be said of a cell; the first that holds."""

    NOT_APPLICABLE = 0
    NO_DATA = 1
    NOT_EVALUABLE = 2
    EVALUATED = 3


class Light(IntEnum):
    """What is painted; WITHHELD where fewer than 60 % of what is due has come in."""

    NONE = 0
    GREEN = 1
    AMBER = 2
    RED = 3
    WITHHELD = 4


class Rule(IntEnum):
    """How figures combine, over units or over the months of a year. LAST is for months only."""

    NONE = 0
    SUM = 1
    MEAN = 2
    WEIGHTED_MEAN = 3
    RATIO = 4
    LAST = 5
    MAX = 6


class LightBy(IntEnum):
    """Which of a line's two attainments drives its light and its card's score."""

    MONTH = 1
    TO_DATE = 2


# One int16 a cell: bits 0-1 the state, bits 2-4 the light, then one bit a mark.
STATE_MASK = 0b11
LIGHT_SHIFT = 2
LIGHT_MASK = 0b111 << LIGHT_SHIFT


class Mark(IntEnum):
    """Marks that stand beside a light, as bits of the cell's field."""

    PROVISIONAL = 1 << 5  # entered, not approved
    CHANCE = 1 << 6  # not distinguishable from chance
    DERIVED_TARGET = 1 << 7  # target rolled up from the children, none of its own
    SMALL = 1 << 8  # count with a target below 10: the month shows numbers, its light is that of the year to date
    DIRECT_FORM = 1 << 9  # improvement judged by the form of its direction: target no better than baseline
    RED_BELOW = 1 << 10  # the worst child is red: never plain green


def pack_marks(
    state,
    light,
    *,
    provisional=False,
    chance=False,
    derived_target=False,
    small=False,
    direct_form=False,
    red_below=False,
) -> np.ndarray:
    """State, light and marks of cells as one int16 each. Any broadcastable shapes."""
    flags = (
        (provisional, Mark.PROVISIONAL),
        (chance, Mark.CHANCE),
        (derived_target, Mark.DERIVED_TARGET),
        (small, Mark.SMALL),
        (direct_form, Mark.DIRECT_FORM),
        (red_below, Mark.RED_BELOW),
    )
    packed = np.asarray(state, np.int16) | (np.asarray(light, np.int16) << LIGHT_SHIFT)
    for flag, bit in flags:
        if flag is not False:
            packed = packed | np.asarray(flag, bool) * np.int16(bit)
    return packed


def state_of(marks) -> np.ndarray:
    """The State of packed cells, int8, same shape."""
    return (np.asarray(marks) & STATE_MASK).astype(np.int8)


def light_of(marks) -> np.ndarray:
    """The Light of packed cells, int8, same shape."""
    return ((np.asarray(marks) & LIGHT_MASK) >> LIGHT_SHIFT).astype(np.int8)


def has_mark(marks, mark: Mark) -> np.ndarray:
    """Whether packed cells carry a mark, bool, same shape."""
    return (np.asarray(marks) & int(mark)) != 0


@dataclass(frozen=True)
class Marks:
    """A packed cell read back: for pages and exports, one cell at a time or whole arrays."""

    state: int
    light: int
    provisional: bool
    chance: bool
    derived_target: bool
    small: bool
    direct_form: bool
    red_below: bool


def unpack_marks(marks) -> Marks:
    """State, light and marks of packed cells; scalars for a scalar, else arrays of the same shape."""
    if np.ndim(marks) == 0:
        cell = int(marks)
        bits = [bool(cell & bit) for bit in Mark]
        return Marks(State(cell & STATE_MASK), Light((cell & LIGHT_MASK) >> LIGHT_SHIFT), *bits)
    return Marks(state_of(marks), light_of(marks), *[has_mark(marks, bit) for bit in Mark])


@dataclass(frozen=True)
class Sheet:
    """What scoring needs of one version of an indicator sheet.

    value = scale * numerator / denominator where the denominator divides, else the numerator alone. Under
    WEIGHTED_MEAN the numerator is itself the value and the denominator is its weight (a mean time with its number of
    cases). A population denominator is given for every unit, parents included, and is never rolled up.
    """

    sense: int
    over_units: int = Rule.SUM
    over_time: int = Rule.SUM
    den_over_units: int = Rule.SUM
    den_over_time: int = Rule.SUM
    scale: float = 1.0
    tolerance: float = float("nan")
    light_by: int = LightBy.TO_DATE
    is_count: bool = False
    has_denominator: bool = False
    population_denominator: bool = False

    def problems(self) -> list[str]:
        """What makes a sheet impossible to compute, as short English sentences; empty when it is sound."""
        found = []
        if self.over_units == Rule.LAST or self.den_over_units == Rule.LAST:
            found.append("The rule 'last' is for months; it cannot combine units.")
        if not self.has_denominator and Rule.RATIO in (self.over_units, self.over_time):
            found.append("A ratio of sums needs a denominator.")
        if not self.has_denominator and Rule.WEIGHTED_MEAN in (self.over_units, self.over_time):
            found.append("A weighted mean needs a denominator as its weight.")
        if self.has_denominator and {self.den_over_units, self.den_over_time} & {Rule.RATIO, Rule.WEIGHTED_MEAN}:
            found.append("A denominator is combined by sum, mean, last, max or none.")
        if self.population_denominator and not self.has_denominator:
            found.append("A population denominator is a denominator.")
        if Rule.WEIGHTED_MEAN in (self.over_units, self.over_time) and Rule.RATIO in (self.over_units, self.over_time):
            found.append("A denominator is either a divisor or a weight, not both.")
        return found


_DTYPES = {
    "scale": np.float64,
    "tolerance": np.float64,
    "is_count": np.bool_,
    "has_denominator": np.bool_,
    "population_denominator": np.bool_,
}


def accrues(over_time: np.ndarray | int, den_over_time: np.ndarray | int) -> np.ndarray | np.bool_:
    """Whether a month's figure grows with its days: sums, and rates over what does not."""
    rate = np.equal(over_time, Rule.RATIO) & np.isin(den_over_time, (Rule.LAST, Rule.MEAN, Rule.MAX))
    return np.equal(over_time, Rule.SUM) | rate


@dataclass(frozen=True)
class SheetTable:
    """K sheets as arrays of shape (K,), one row an indicator (a position of the institution's cards)."""

    sense: np.ndarray
    over_units: np.ndarray
    over_time: np.ndarray
    den_over_units: np.ndarray
    den_over_time: np.ndarray
    scale: np.ndarray
    tolerance: np.ndarray
    light_by: np.ndarray
    is_count: np.ndarray
    has_denominator: np.ndarray
    population_denominator: np.ndarray

    @classmethod
    def of(cls, sheets: Sequence[Sheet]) -> SheetTable:
        """The table of a sequence of sheets, in their order."""
        columns = {f.name: [getattr(sheet, f.name) for sheet in sheets] for f in fields(Sheet)}
        return cls(**{name: np.array(column, _DTYPES.get(name, np.int8)) for name, column in columns.items()})

    def __len__(self) -> int:
        return len(self.sense)

    def take(self, rows) -> SheetTable:
        """The table of some rows, by index array, slice or mask."""
        return SheetTable(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @cached_property
    def weighs(self) -> np.ndarray:
        """Where the denominator is a weight and the numerator itself the value, (K,) bool."""
        over_units = self.over_units == Rule.WEIGHTED_MEAN
        over_time = (self.over_time == Rule.WEIGHTED_MEAN) & (self.over_units != Rule.RATIO)
        return self.has_denominator & (over_units | over_time)

    @cached_property
    def divides(self) -> np.ndarray:
        """Where value = scale * numerator / denominator, (K,) bool."""
        return self.has_denominator & ~self.weighs

    @cached_property
    def den_is_given(self) -> np.ndarray:
        """Where every unit brings its own denominator, parents included, and nothing is rolled up, (K,) bool."""
        return self.has_denominator & (self.population_denominator | (self.den_over_units == Rule.NONE))

    @cached_property
    def by_month(self) -> np.ndarray:
        """Where the month drives the light, because the sheet says so or nothing adds up over time, (K,) bool."""
        return (self.light_by == LightBy.MONTH) | ~self.has_to_date

    @cached_property
    def has_to_date(self) -> np.ndarray:
        """Where a figure to date exists at all, (K,) bool."""
        ratio_without_rule = (self.over_time == Rule.RATIO) & self.has_denominator & (self.den_over_time == Rule.NONE)
        return (self.over_time != Rule.NONE) & ~ratio_without_rule

    @cached_property
    def accrues(self) -> np.ndarray:
        """Where a month's target grows with its days, so that a running month meets a part of it, (K,) bool."""
        return accrues(self.over_time, self.den_over_time)

    @cached_property
    def within(self) -> np.ndarray:
        """Where a range is the target, (K,) bool."""
        return self.sense == Sense.WITHIN

    @cached_property
    def improves(self) -> np.ndarray:
        """Where a baseline is needed, (K,) bool."""
        return np.isin(self.sense, (Sense.IMPROVE_HIGHER, Sense.IMPROVE_LOWER))

    @cached_property
    def milestone(self) -> np.ndarray:
        """Where done or not done is the figure, (K,) bool."""
        return self.sense == Sense.MILESTONE

    @cached_property
    def weighs_months(self) -> np.ndarray:
        """Where months are taken together with their denominators, (K,) bool."""
        return np.isin(self.over_time, (Rule.RATIO, Rule.WEIGHTED_MEAN))

    @cached_property
    def counts(self) -> np.ndarray:
        """Where a count has a direction and can be tried against chance, (K,) bool."""
        return self.is_count & ~self.within & ~self.milestone

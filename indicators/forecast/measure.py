"""The year's figure of what is no count: shares, means, amounts, stocks. Its width comes from earlier years alone.

A month still to come is expected at a level: the mean of the last three, of this year's, of a whole year, or last
year's same months moved by as much as this year's have moved so far. Earlier years, forecast from as many months, say
which serves best and how far off it was, in units of how much each unit's months vary. Without two such years nothing
is said.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import special

from .year import FADE

LEAST_YEARS = 2  # earlier years, else nothing is known of how far off a forecast comes out
LEAST_CELLS = 4  # and earlier figures
POOLED = 12.0  # periods: how strongly a unit's own variation is drawn to that of all
TINY = 1e-9
WAYS = ("three", "date", "year", "season")
WIDER = 1.1  # the width comes from few years, which have chosen the way as well: so much wider
MEAN, SUM, LAST = "mean", "sum", "last"  # how the year's figure comes from its periods


class Way(NamedTuple):
    """What earlier years taught. width: of the error in units' own variation; years, cells: how many came in."""

    name: str
    width: float
    freedom: float
    years: int
    cells: int


class Measured(NamedTuple):
    """Of each unit the year's figure: middle and scale of a Student's t, (N,)."""

    middle: np.ndarray
    scale: np.ndarray
    way: Way

    def at_most(self, figure):
        """The chance that the year's figure is `figure` or less."""
        return special.stdtr(self.way.freedom, (figure - self.middle) / np.maximum(self.scale, TINY))

    def quantile(self, chance):
        return self.middle + self.scale * special.stdtrit(self.way.freedom, chance)


class Year(NamedTuple):
    """Figures by period up to the last one known, (N, T), NaN missing; to_date: the year's figure after each.

    period: the last one's number in its year, of `periods`; kind: MEAN, SUM or LAST.
    """

    values: np.ndarray
    to_date: np.ndarray
    period: int
    periods: int
    kind: str

    def ended(self, back: int) -> Year:
        """What was known as many periods into the year that lies `back` years back."""
        end = self.values.shape[1] - self.periods * back
        return self._replace(values=self.values[:, :end], to_date=self.to_date[:, :end])


def forecast(year: Year) -> Measured | None:
    """The year's figure of units of one level; None where earlier years do not say how far off it may be."""
    errors = dict(_errors(year))
    if (way := _best(errors)) is None:
        return None
    return Measured(after(year, way.name, year.periods - year.period), way.width * variation(year.values), way)


def held(year: Year) -> np.ndarray:
    """Whether figures of earlier years fell within their 80 % interval, each by the other years: (cells,) 0 or 1."""
    errors, inside = dict(_errors(year)), []
    for back in errors:
        way = _best({at: found for at, found in errors.items() if at != back}, LEAST_CELLS - 1)
        if way is None:
            return np.zeros(0)
        inside.append(np.abs(errors[back][way.name]) <= way.width * special.stdtrit(way.freedom, 0.9))
    return np.concatenate(inside).astype(float) if inside else np.zeros(0)


def after(year: Year, way: str, ahead: int) -> np.ndarray:
    """The figure expected `ahead` periods after the last known one, (N,)."""
    known = ~np.isnan(year.values[:, -year.period :])
    done = np.where(year.kind == SUM, year.period, known.sum(1))
    so_far = np.where(known.any(1), _last(year.to_date[:, -year.period :]), 0.0)
    if not ahead:
        return np.where(known.any(1), so_far, np.nan)
    level = _level(year, way, ahead)
    if year.kind == LAST:
        return level
    if year.kind == SUM:
        return so_far + (ahead + year.period - known.sum(1)) * level
    return (done * so_far + ahead * level) / (done + ahead)


def narrower(year: Year, ahead: int) -> float:
    """How wide the interval is `ahead` periods on, beside that at the year's end."""
    left = year.periods - year.period
    if not left:
        return 0.0
    if year.kind == LAST:
        return float(np.sqrt(ahead / left))
    return ahead / left if year.kind == SUM else ahead / left * year.periods / (year.period + ahead)


def variation(values: np.ndarray) -> np.ndarray:
    """How much each unit's figures vary from one period to the next, (N,): drawn to what is usual."""
    steps = np.diff(values, axis=1) ** 2 / 2
    count = (~np.isnan(steps)).sum(1)
    own = np.nansum(steps, 1)
    usual = own.sum() / max(count.sum(), 1)
    return np.sqrt(np.maximum((own + POOLED * usual) / (count + POOLED), TINY**2))


def _level(year: Year, way: str, ahead: int) -> np.ndarray:
    """What one of the next `ahead` periods is expected to be; of LAST, the last of them."""
    values, periods, period = year.values, year.periods, year.period
    if way == "three":
        return _mean(values[:, -3:]) if year.kind != LAST else _last(values)
    if way == "date":
        return _mean(values[:, -period:])
    if way == "year":
        return _mean(values[:, -periods:])
    before = values[:, -periods:][:, :ahead] if year.kind != LAST else values[:, -periods:][:, ahead - 1 : ahead]
    moved = _mean(values[:, -period:] - values[:, -periods - period : values.shape[1] - periods])
    return _mean(before) + moved


def _errors(year: Year) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Of each earlier year, the last first: by way, how far off the figure came out, in each one's own variation."""
    left = year.periods - year.period
    back = 1
    while left and year.values.shape[1] - year.periods * back >= year.periods + year.period:
        then = year.ended(back)
        end = then.values.shape[1]
        whole = year.values[:, end - year.period : end + left]
        came = year.to_date[:, end + left - 1] + np.where(np.isnan(whole[:, -1]), np.nan, 0.0)
        if year.kind == SUM:
            came = came + np.where(np.isnan(whole).any(1), np.nan, 0.0)
        found = {way: (came - after(then, way, left)) / variation(then.values) for way in WAYS}
        use = ~np.isnan(sum(found.values()))
        if use.any():
            yield back, {way: off[use] for way, off in found.items()}
        back += 1


def _best(errors: dict[int, dict[str, np.ndarray]], least: int = LEAST_CELLS) -> Way | None:
    """The way with the least squared error; its width is that error's root. A year further back counts less."""
    cells = sum(len(found[WAYS[0]]) for found in errors.values())
    if len(errors) < LEAST_YEARS or cells < least:
        return None
    weight = np.array([FADE ** ((back - 1) / 2) for back in errors])
    square = {way: float(weight @ [np.mean(found[way] ** 2) for found in errors.values()]) for way in WAYS}
    name = min(square, key=lambda way: square[way])
    effective = weight.sum() ** 2 / (weight**2).sum()
    freedom = max(2.0, effective * min(cells / len(errors), 3.0))
    return Way(name, WIDER * float(np.sqrt(max(square[name] / weight.sum(), TINY**2))), freedom, len(errors), cells)


def _mean(values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a unit without any is NaN, which is what is meant
        return np.nanmean(values, axis=1)


def _last(values):
    """The last known figure of each, NaN where none."""
    known = ~np.isnan(values)
    at = values.shape[1] - 1 - known[:, ::-1].argmax(1)
    return values[np.arange(len(values)), at]

"""A map of hot spots out of points: a surface by one of three methods, what is hot, and how that changed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from incidents.hotspots import gi_star, near_repeat, trend
from incidents.hotspots.density import bandwidth_by_rule, density
from incidents.hotspots.grid import Grid
from incidents.hotspots.risk import HORIZON, Ground

METHODS = ("density", "gi", "counts")
HOT_SHARE = 0.03  # of the area, the densest: what a list or a density calls hot
HOT_LEVEL = 0.05  # false discoveries among what Gi* calls hot
SLICE_LEVEL = 0.10  # and in one slice of time, of few events
ENOUGH = 50_000  # events, evenly taken, that tell the spread of all
FEW = 30  # events below which Gi* is not to be trusted
SHARES = (0.05, 0.10, 0.25, 0.50, 0.75)  # of the peak: where the classes of a density begin
MOST_SLICES = 24
MOST_LEARNT = 20_000  # events, evenly taken, that the next months' risk is learnt from


@dataclass
class Surface:
    """What a method says of each cell, (rows, columns).

    value: events, events a square kilometre, or z; level: 1-5 as drawn, below 0 cold, 0 not drawn; breaks: the least
    value of each class of counts and densities, in turn; q: false discoveries at which a cell is hot (Gi* alone).
    """

    method: str
    value: np.ndarray
    level: np.ndarray
    is_hot: np.ndarray
    breaks: tuple[float, ...] = ()
    q: np.ndarray | None = None

    def hottest(self, most: int) -> np.ndarray:
        """Cells that are hot, the highest value first."""
        cells = np.flatnonzero(self.is_hot)
        return cells[np.argsort(-self.value.flat[cells], kind="stable")][:most]


class Emerging(NamedTuple):
    """change: a trend.Change a cell; times: in how many slices it is hot; z of its trend; starts: first day of each."""

    change: np.ndarray
    times: np.ndarray
    z: np.ndarray
    starts: list


@dataclass
class HotSpots:
    """All that the page draws. counts: (rows, columns) of the days shown; area: the cells that are looked at."""

    grid: Grid
    area: np.ndarray
    counts: np.ndarray
    surface: Surface
    bandwidth: float
    outside: int
    shown: int

    @property
    def area_share(self) -> float:
        """Of the area, which share is hot."""
        return float(self.surface.is_hot.sum() / max(1, self.area.sum()))

    @property
    def event_share(self) -> float:
        """Of the events shown, which share lies in what is hot."""
        return float(self.counts[self.surface.is_hot].sum() / max(1, self.shown))


def hot_spots(longitude, latitude, grid: Grid, area: np.ndarray, method: str, bandwidth: float | None) -> HotSpots:
    """The surface of these events; the bandwidth by rule where none is given. Cells with events belong to the area."""
    cells = grid.cells_at(longitude, latitude)
    counts = grid.counts_of(cells)
    area = area | (counts > 0)
    if bandwidth is None:
        bandwidth = bandwidth_of(longitude, latitude, grid)
    if method == "density":
        surface = _density(density(longitude, latitude, grid, bandwidth), area, counts)
    elif method == "gi":
        surface = _gi(counts, area, reach_of(bandwidth, grid))
    else:
        surface = _counts(counts, area)
    return HotSpots(grid, area, counts, surface, bandwidth, int((cells < 0).sum()), len(cells))


def next_risk(longitude, latitude, day, grid: Grid, area: np.ndarray, end) -> HotSpots:
    """Where the events of the HORIZON days from `end` on are likely, in events a square kilometre.

    There are taken to be as many in all as in the HORIZON days before. day: (N,) datetime64[D].
    """
    cells = grid.cells_at(longitude, latitude)
    counts = grid.counts_of(cells)
    area = area | (counts > 0)
    now = int(np.datetime64(end, "D").astype(np.int64))
    recent = int((day.astype(np.int64) >= now - HORIZON).sum())
    found = ground_of(longitude, latitude, day, grid, area)
    value = np.zeros(grid.shape)
    value.flat[found.cells] = found.risk(now) * recent / (grid.cell / 1000) ** 2
    breaks = np.array(SHARES) * float(value.max(initial=0.0))
    surface = Surface("risk", value, _levels(value, breaks, area), densest(value, area), tuple(breaks.tolist()))
    return HotSpots(grid, area, counts, surface, 0.0, int((cells < 0).sum()), len(cells))


def ground_of(longitude, latitude, day, grid: Grid, area: np.ndarray, most: int = MOST_LEARNT) -> Ground:
    """The cells and at most so many of the events, evenly taken in order of time."""
    order = np.argsort(day, kind="stable")
    if len(order) > most:
        order = order[np.linspace(0, len(order) - 1, most).astype(np.int64)]
    return Ground(grid, area, longitude[order], latitude[order], day[order].astype(np.int64))


def bandwidth_of(longitude, latitude, grid: Grid) -> float:
    """The bandwidth by rule, its spreads from ENOUGH of the events."""
    part = slice(None, None, max(1, len(longitude) // ENOUGH))
    return bandwidth_by_rule(*grid.metres(longitude[part], latitude[part]), grid.cell, len(longitude))


def reach_of(bandwidth: float, grid: Grid) -> int:
    """How many cells away neighbours of Gi* may be: those within the bandwidth, one at least."""
    return int(np.clip(bandwidth // grid.cell, 1, max(grid.shape)))


def _counts(counts, area):
    value = counts.astype(np.float64)
    some = value[value > 0]
    breaks = np.unique(np.quantile(some, (0, 0.5, 0.75, 0.9, 0.97), method="higher")) if len(some) else np.ones(1)
    return Surface("counts", value, _levels(value, breaks, area), densest(value, area), tuple(breaks.tolist()))


def _density(value, area, counts):
    breaks = np.array(SHARES) * float(value[area].max(initial=0.0))
    level = _levels(value, breaks, area) if counts.any() else np.zeros(value.shape, np.int8)
    return Surface("density", value, level, densest(value, area), tuple(breaks.tolist()))


def _gi(counts, area, reach):
    z = gi_star.gi_star(counts.astype(np.float64), reach, area)
    q = gi_star.adjusted(gi_star.chance(counts, reach, area))
    level = gi_star.classes(z, q)
    return Surface("gi", z, level, (q <= HOT_LEVEL) & (z > 0), q=q)


def _levels(value, breaks, area):
    return np.where(area & (value > 0), np.searchsorted(breaks, value, side="right"), 0).astype(np.int8)


def densest(value: np.ndarray, area: np.ndarray) -> np.ndarray:
    """The HOT_SHARE of the area where the value is highest, at least one cell; ties by place, none where it is 0."""
    hot = np.zeros(value.shape, bool)
    most = max(1, round(HOT_SHARE * int(area.sum())))
    ranked = np.where(area, value, 0).ravel()
    best = np.argsort(-ranked, kind="stable")[:most]
    hot.flat[best[ranked[best] > 0]] = True
    return hot


# Over time -----------------------------------------------------------------------------------------------------------


def slices(start: np.datetime64, end: np.datetime64, events: int) -> np.ndarray:
    """First days of the slices of [start, end): its months, or so many months together that MOST_SLICES are enough and
    that a slice has FEW events on the whole.

    Only whole slices count: what is left over at the beginning belongs to none.
    """
    first, last = start.astype("M8[M]"), end.astype("M8[M]")
    if first.astype("M8[D]") < start:
        first += 1
    months = int((last - first).astype(int))
    if months <= 0:
        return np.empty(0, "M8[M]")
    most = min(MOST_SLICES, events // FEW)
    each = next((size for size in (1, 2, 3, 4, 6, 12) if months // size <= most), months)
    return np.arange(last - months // each * each, last, each)


def emerging(longitude, latitude, day, grid: Grid, area, reach: int, start, end) -> Emerging | None:
    """Gi* slice by slice and what became of its hot spots; None where they hold too few whole months or events."""
    starts = slices(np.datetime64(start, "D"), np.datetime64(end, "D"), len(day))
    if len(starts) < trend.FEWEST_SLICES:
        return None
    each = int((starts[1] - starts[0]).astype(int))
    at = np.floor_divide((day.astype("M8[M]") - starts[0]).astype(np.int64), each)
    cells = grid.cells_at(longitude, latitude)
    inside = (cells >= 0) & (at >= 0) & (at < len(starts))
    counts = np.bincount(at[inside] * grid.size + cells[inside], minlength=len(starts) * grid.size)
    counts = counts.reshape(len(starts), *grid.shape)
    z = gi_star.gi_star(counts.astype(np.float64), reach, area)
    is_hot = np.zeros(z.shape, bool)
    for n, one in enumerate(z):
        is_hot[n] = (gi_star.adjusted(gi_star.chance(counts[n], reach, area)) <= SLICE_LEVEL) & (one > 0)
    times = is_hot.sum(axis=0)
    change, moving = np.zeros(grid.shape, np.int8), np.zeros(grid.shape)
    ever = times > 0  # a cell that was never hot needs no trend
    change[ever] = trend.emerging(z[:, ever], is_hot[:, ever])
    moving[ever] = trend.mann_kendall(np.nan_to_num(z[:, ever])).z
    return Emerging(change, times, moving, [one.item() for one in starts.astype("M8[D]")])


def near_repeats(longitude, latitude, day, grid: Grid) -> near_repeat.Knox:
    x, y = grid.metres(longitude, latitude)
    return near_repeat.knox(x, y, day.astype(np.int64))

"""The hot spots that a page shows: read once, worked out by one method, with the words' figures. No clock."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from threading import Lock
from typing import NamedTuple

import numpy as np
import shapely
from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.db import connection
from django.utils.translation import gettext as _

from incidents.feed.boundaries import Boundaries
from incidents.hotspots import accuracy, analysis, coverage, grid, near_repeat, read, risk, trend
from scorecard import board
from scorecard.hotspots.asked import (
    BEST,
    EVENTS,
    FIRST_YEAR,
    LAST_YEAR,
    LEAST_BANDWIDTH,
    Asked,
    last_day,
    selection,
    shifted,
)
from scorecard.mapping import Frame, Projected
from units.models import Territory, Unit

WIDTH = 720
TOP = 20  # hottest cells that the table lists and the keyboard reaches
SHOWN_MONTHS = 120
KEPT = 600  # seconds that the events of each month are kept for
AREAS = 64
WINDOWS = 8  # of the past that a back-test on demand looks at
EARLIER = 4  # before them, by which a method is first chosen when choosing itself is tested
MOST_LEARNT = 120_000  # cells on which methods are held against the past: more would keep a reader waiting for minutes
MOST_TESTED = 8000  # events, evenly taken, that it looks at
PATROL = 1.0  # square kilometres that one patrol looks after where no territory says it
MARGIN = 0.01  # degrees around points where no boundary is known
_areas: OrderedDict[tuple, np.ndarray] = OrderedDict()
_kept_lines: dict[tuple, Boundaries] = {}
_lock = Lock()


@dataclass(frozen=True)
class Tested:
    """scores by method of the windows that begin on `starts` (days since 1970) and last `horizon` days.

    choosing: PAI on each of them of the method that was best on windows over by then, NaN where none was.
    """

    horizon: int
    starts: np.ndarray
    scores: dict[str, accuracy.Score]
    choosing: np.ndarray

    @property
    def winner(self) -> str:
        """The method with the highest PAI at accuracy.MAIN of the area, over all windows."""
        at = accuracy.SHARES.index(accuracy.MAIN)
        return max(self.scores, key=lambda method: float(self.scores[method].pai[:, at].mean()))


def drawn_method(tested: str, cell: int) -> tuple[str, int | None]:
    """How a method of the back-test is drawn: its name, and the bandwidth in metres that it was tested with."""
    name, _space, width = tested.partition(" ")
    if name == "gi":
        width = "1"  # each cell with the eight around it
    return name, max(LEAST_BANDWIDTH, round(float(width) * cell)) if width else None


class OneCell(NamedTuple):
    """A cell that the address opens: its side in metres; west, south, east, north in degrees."""

    side: int
    box: tuple[float, float, float, float]

    @property
    def middle(self) -> tuple[float, float]:
        """Longitude and latitude."""
        west, south, east, north = self.box
        return (west + east) / 2, (south + north) / 2


def cell_of(unit: Unit, asked: Asked, now: datetime) -> OneCell | None:
    """The cell that the address opens, the same as the map of hot spots has it; None where it opens none."""
    if asked.spot is None:
        return None
    spots = Spots(unit, asked, now)
    if spots.at_spot is None:
        raise BadRequest(_("That place lies outside the territory of this unit."))
    return OneCell(spots.cell, spots.box_of(spots.at_spot))


@dataclass
class Spots:
    """Hot spots of a unit's territory. `now` is an instant: boundaries are drawn as they are then."""

    unit: Unit
    asked: Asked
    now: datetime

    # What is read

    @cached_property
    def territories(self) -> tuple[int, ...] | None:
        return read.below(self.unit.territory)

    @cached_property
    def selection(self) -> read.Selection:
        return selection(self.asked, self.territories)

    @cached_property
    def points(self) -> read.Points:
        return read.points(
            self.selection,
            with_days=self.asked.method in (BEST, EVENTS, "emerging", "risk") or self.asked.near or self.asked.test,
        )

    @cached_property
    def shape(self) -> shapely.Geometry | None:
        """The territory's boundary at the end of the window, or today's."""
        for day in (self.asked.last, self.now.date()):
            found = Territory.objects.with_boundary(day).filter(pk=self.unit.territory_id)
            geometry = found.values_list("geometry", flat=True).first()
            if geometry is not None:
                return grid.area_of([geometry])
        return None

    @cached_property
    def drawn(self) -> tuple[list, Projected]:
        """Units below with a boundary, or the unit itself, and their paths: what the map shows beneath the cells."""
        rows, paths = board.Board(self.unit, 1, self.now).drawn
        if paths.frame is None:
            west, south, east, north = self.bounds
            scale = WIDTH / (east - west)
            paths = Projected(f"0 0 {WIDTH} {(north - south) * scale:.0f}", {}, Frame(west, north, scale, scale))
        return rows, paths

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        if self.shape is not None:
            return self.shape.bounds
        x, y = self.points.longitude, self.points.latitude
        if not len(x):
            return (-0.5, -0.5, 0.5, 0.5)
        return (x.min() - MARGIN, y.min() - MARGIN, x.max() + MARGIN, y.max() + MARGIN)

    @cached_property
    def beats(self) -> tuple[int, float]:
        """How many lowest territories of the unit's have a boundary, and their mean in km²; kept for a while."""
        key = f"hotspots-beats-{self.unit.territory_id}-{self.asked.last}"
        found = cache.get(key)
        if found is None:
            areas = _areas_of_lowest(self.territories, (self.asked.last, self.now.date()))
            found = len(areas), sum(areas) / len(areas) if areas else 0.0
            cache.set(key, found, KEPT)
        return found

    @property
    def patrol(self) -> float:
        """Square kilometres of one patrol: as asked for, else the mean of the lowest territories, else PATROL."""
        return self.asked.patrol or self.beats[1] or PATROL

    # What is worked out

    @cached_property
    def cell(self) -> int:
        """Side of a cell, metres: as asked for, unless there were too many; else by the size of the area."""
        area = self.shape if self.shape is not None else shapely.box(*self.bounds)
        smallest = grid.smallest_cell(self.bounds)
        if self.asked.method == "emerging":
            smallest *= analysis.MOST_SLICES**0.5
        if self.asked.method in (BEST, "risk") or self.asked.test:
            smallest = max(smallest, (grid.square_metres(area) / MOST_LEARNT) ** 0.5)
        wanted = self.asked.cell or grid.cell_size(grid.square_metres(area))
        return max(wanted, int(np.ceil(smallest / 50) * 50) if smallest > wanted else wanted)

    @cached_property
    def grid(self) -> grid.Grid:
        return grid.over(self.bounds, self.cell)

    @cached_property
    def area(self) -> np.ndarray:
        """Cells whose middle lies in the territory, kept in the process."""
        if self.shape is None:
            return np.ones(self.grid.shape, bool)
        key = hashlib.blake2b(shapely.to_wkb(self.shape), digest_size=12).hexdigest(), self.cell
        with _lock:
            if key in _areas:
                _areas.move_to_end(key)
                return _areas[key]
        found = self.grid.within(self.shape)
        with _lock:
            _areas[key] = found
            while len(_areas) > AREAS:
                _areas.popitem(last=False)
        return found

    @property
    def is_too_few(self) -> bool:
        """Too few events for more than counting them."""
        return len(self.points) < analysis.FEW

    @property
    def method(self) -> str:
        """The method that is drawn: counts alone where there are too few events, or too few months to emerge in."""
        if self.is_too_few:
            return "counts"
        return "gi" if self._wanted[0] == "emerging" and self.emerging is None else self._wanted[0]

    @property
    def are_events_drawn(self) -> bool:
        return self.asked.method == EVENTS

    @property
    def is_chosen_by_test(self) -> bool:
        return self.asked.method == BEST and self.tested is not None

    @cached_property
    def _wanted(self) -> tuple[str, int | None]:
        """(method, bandwidth): as asked for; by itself what foretold best, and Gi* where that cannot be told."""
        if self.asked.method == EVENTS:
            return "counts", None  # what the table lists, and what is drawn where events cannot be
        if self.asked.method != BEST:
            return self.asked.method, self.asked.bandwidth
        if self.tested is None:
            return "gi", self.asked.bandwidth
        method, bandwidth = drawn_method(self.tested.winner, self.cell)
        return method, self.asked.bandwidth or bandwidth

    @property
    def fixed(self) -> Asked:
        """The same question with the method that is drawn said: what is compared through time is drawn alike."""
        if not self.is_chosen_by_test:
            return self.asked
        method, bandwidth = self._wanted
        return replace(self.asked, method=method, bandwidth=bandwidth, cell=self.cell)

    @cached_property
    def bandwidth(self) -> float:
        if self._wanted[1]:
            return float(self._wanted[1])
        return analysis.bandwidth_of(self.points.longitude, self.points.latitude, self.grid)

    @cached_property
    def found(self) -> analysis.HotSpots:
        method = "counts" if self.is_too_few else "gi" if self._wanted[0] == "emerging" else self._wanted[0]
        if method == "risk":
            points, end = self.points, self.selection.end
            return analysis.next_risk(points.longitude, points.latitude, points.day, self.grid, self.area, end)
        return analysis.hot_spots(
            self.points.longitude, self.points.latitude, self.grid, self.area, method, self.bandwidth
        )

    @cached_property
    def reach(self) -> int:
        return analysis.reach_of(self.bandwidth, self.grid)

    @cached_property
    def emerging(self) -> analysis.Emerging | None:
        if self.is_too_few or self._wanted[0] != "emerging":
            return None
        points, asked = self.points, self.selection
        return analysis.emerging(
            points.longitude, points.latitude, points.day, self.grid, self.found.area, self.reach, asked.start,
            asked.end,
        )  # fmt: skip

    @cached_property
    def hottest(self) -> list[int]:
        """The cells that the table lists: the hottest, by the method that is drawn."""
        if self.method != "emerging":
            return self.found.surface.hottest(TOP).tolist()
        cells = np.flatnonzero(self.emerging.change != trend.Change.NONE)
        order = np.lexsort((-np.nan_to_num(self.found.surface.value.flat[cells]), -self.emerging.times.flat[cells]))
        return cells[order][:TOP].tolist()

    @cached_property
    def knox(self) -> near_repeat.Knox:
        points = self.points
        return analysis.near_repeats(points.longitude, points.latitude, points.day, self.grid)

    @cached_property
    def tested(self) -> Tested | None:
        """Every method held against what came next within the window; None where it is too short. Kept for a while."""
        days = (self.asked.last - self.asked.first).days + 1
        horizon = min(risk.HORIZON, days // 4)
        if self.is_too_few or horizon < risk.SHORTEST:
            return None
        asked = replace(self.selection, territories=None)
        said = repr((self.unit.territory_id, self.cell, len(self.points), self.patrol, asked))
        key = "hotspots-back-test-" + hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
        found = cache.get(key)
        if found is None:
            found = self._tested(horizon)
            cache.set(key, found, KEPT)
        return found

    def _tested(self, horizon):
        points = self.points
        area = self.area | (self.grid.counts_of(self.grid.cells_at(points.longitude, points.latitude)) > 0)
        ground = analysis.ground_of(points.longitude, points.latitude, points.day, self.grid, area, MOST_TESTED)
        first, last = (int(np.datetime64(day, "D").astype(np.int64)) for day in (self.asked.first, self.asked.last))
        starts = accuracy.origins(first, last, WINDOWS, horizon)
        patrol = min(1.0, self.patrol / (len(ground.cells) * (self.cell / 1000) ** 2))
        shares = (*accuracy.SHARES, patrol)
        scores = accuracy.back_test(ground, starts, shares=shares, horizon=horizon)
        before = accuracy.earlier(first, last, EARLIER, horizon)
        tried = accuracy.back_test(ground, before, shares=(accuracy.MAIN,), horizon=horizon)
        at = accuracy.SHARES.index(accuracy.MAIN)
        pai = np.array([np.concatenate((tried[one].pai[:, 0], scores[one].pai[:, at])) for one in scores])
        choosing = accuracy.choosing(pai, np.concatenate((before, starts)), horizon)[len(before) :]
        return Tested(horizon, starts, scores, choosing)

    # Months, for the slider and for what differs between windows

    @cached_property
    def months(self) -> list[read.Month]:
        """Events of every month and source that the address asks for, whatever its days; kept for a while."""
        asked = replace(self.selection, start=date(FIRST_YEAR, 1, 1), end=date(LAST_YEAR, 1, 1))
        said = repr((self.unit.territory_id, replace(asked, territories=None)))
        key = "hotspots-months-" + hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
        rows = cache.get(key)
        if rows is None:
            rows = [tuple(row) for row in read.months(asked)]
            cache.set(key, rows, KEPT)
        return [read.Month(*row) for row in rows]

    @cached_property
    def by_month(self) -> dict[date, int]:
        """Events a month, from the first that has some, the last SHOWN_MONTHS."""
        if not self.months:
            return {}
        found: dict[date, int] = {}
        for row in self.months:
            found[row.month] = found.get(row.month, 0) + row.events
        last = max(found)
        first = max(min(found), shifted(last, 1 - SHOWN_MONTHS))
        count = (last.year - first.year) * 12 + last.month - first.month + 1
        return {month: found.get(month, 0) for month in (shifted(first, n) for n in range(count))}

    def _window(self, asked: Asked) -> coverage.Window:
        first = asked.first.replace(day=1)
        return coverage.window(self.months, [shifted(first, n) for n in range(asked.months)])

    @cached_property
    def compared(self) -> coverage.Difference:
        """What differs from the window just before."""
        return coverage.difference(self._window(self.asked), self._window(self.asked.before))

    @cached_property
    def uneven(self) -> coverage.Unevenness:
        """What differs between the parts of the window itself: its years, or the slices in which spots emerge."""
        first = self.asked.first.replace(day=1)
        months = [shifted(first, n) for n in range(self.asked.months)]
        starts = self.emerging.starts if self.method == "emerging" else ()
        return coverage.unevenness(self.months, coverage.parts(months, starts))

    @property
    def files(self) -> str:
        """The name of files of this page."""
        last = self.asked.last
        end = f"{last:%Y-%m}" if last == last_day(last) else f"{last:%Y-%m-%d}"
        return f"{self.unit.code} {self.method} {self.asked.first:%Y-%m-%d} {end}"

    # One cell

    @cached_property
    def at_spot(self) -> int | None:
        """The cell of the point of the address; None without one, and where it lies off the map."""
        if self.asked.spot is None:
            return None
        longitude, latitude = self.asked.spot
        cell = int(self.grid.cells_at(np.array([longitude]), np.array([latitude]))[0])
        return cell if cell >= 0 else None

    @cached_property
    def opened(self) -> int | None:
        """The cell of the point that the address opens; None where it lies outside the area."""
        return self.at_spot if self.at_spot is not None and self.found.area.flat[self.at_spot] else None

    def spot_of(self, cell: int) -> tuple[float, float]:
        longitude, latitude = self.grid.centres([cell])
        return float(longitude[0]), float(latitude[0])

    def box_of(self, cell: int) -> tuple[float, float, float, float]:
        wide, high = self.grid.step
        row, column = divmod(cell, self.grid.columns)
        west, south = self.grid.west + column * wide, self.grid.south + row * high
        return west, south, west + wide, south + high

    @cached_property
    def places(self) -> dict[int, int]:
        """The lowest territory that holds the middle of each of the hottest cells, and of the opened one."""
        wanted = self.hottest + ([] if self.opened is None else [self.opened])
        if not wanted:
            return {}
        longitude, latitude = self.grid.centres(wanted)
        found = _lines().locate([self.asked.last] * len(wanted), longitude, latitude).tolist()
        return {cell: place for cell, place in zip(wanted, found, strict=True) if place}


def _areas_of_lowest(within: tuple[int, ...] | None, days: tuple[date, ...]) -> list[float]:
    """Square kilometres of the territories with none below them, by the first of the days that has boundaries."""
    for day in days:
        held = Territory.objects.with_boundary(day).filter(children=None)
        held = held if within is None else held.filter(pk__in=within)
        geometries = held.values_list("geometry", flat=True)
        if found := [grid.square_metres(grid.area_of([one])) / 1e6 for one in geometries]:
            return found
    return []


def _lines() -> Boundaries:
    """The boundaries of all territories as they are now, kept in the process until one changes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(id), sum(hashtext(xmin::text || ctid::text)) FROM units_boundary")
        version = cursor.fetchone()
    with _lock:
        kept = _kept_lines.get(version)
    if kept is None:
        kept = Boundaries()
        with _lock:
            _kept_lines.clear()
            _kept_lines[version] = kept
    return kept

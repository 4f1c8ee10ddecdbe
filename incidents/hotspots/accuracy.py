"""How good hot spots are: each method says, from the past alone, where the next events will be. Pure.

PAI = share of the next events in the hot cells / share of the area that they are (Chainey, Tompson and Uhlig 2008).
PEI = those events / the most that so many cells held (Hunt 2016).
RRI = share of the next events in them / share of the events of as many days before (Levine 2008); 1: as before.
Cells that tie at the edge of what is hot are each taken in part, as if one drew lots among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from incidents.hotspots import gi_star
from incidents.hotspots.grid import Grid
from incidents.hotspots.risk import HALF_LIVES, HORIZON, WIDTHS, Ground

SHARES = (0.01, 0.03, 0.05)  # of the area that is called hot
MAIN = 0.03
NEAR = 500.0  # metres from an event of the past, within which a cell belongs to the area
RESAMPLES = 2000
BASELINES = ("counts", "density 1", "gi")
METHODS = ("counts", *(f"density {width:g}" for width in WIDTHS if width), "gi", "risk")


@dataclass(frozen=True)
class Score:
    """Of one method: a row a window, (windows, shares).

    hits: events in the hot cells; best: the most that so many cells held; before: those of as many days before;
    all_hits and all_before: on the whole area; shares: (shares,) of the area, whole cells.
    """

    shares: np.ndarray
    hits: np.ndarray
    best: np.ndarray
    before: np.ndarray
    all_hits: np.ndarray
    all_before: np.ndarray

    @property
    def hit_rate(self) -> np.ndarray:
        """Share of the next events in the hot cells, (windows, shares)."""
        return self.hits / np.maximum(self.all_hits, 1)

    @property
    def pai(self) -> np.ndarray:
        return self.hit_rate / self.shares

    @property
    def pei(self) -> np.ndarray:
        return self.hits / np.maximum(self.best, 1)

    @property
    def rri(self) -> np.ndarray:
        before = self.before / np.maximum(self.all_before, 1)
        return np.divide(self.hit_rate, before, out=np.full(before.shape, np.nan), where=before > 0)


def interval(of_windows: np.ndarray, level: float = 0.9, seed: int = 1) -> tuple[float, float, float]:
    """(mean, low, high) over windows, by resampling them. Windows that overlap make it narrower than it ought to be."""
    some = of_windows[~np.isnan(of_windows)]
    if not len(some):
        return (np.nan,) * 3
    rng = np.random.default_rng(seed)
    means = some[rng.integers(0, len(some), (RESAMPLES, len(some)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(some.mean()), float(low), float(high)


def near_events(grid: Grid, longitude, latitude, within: float = NEAR) -> np.ndarray:
    """Cells whose middle lies within so many metres of an event, (rows, columns) bool."""
    x, y = grid.metres(longitude, latitude)
    column, row = np.floor(x / grid.cell).astype(np.int64), np.floor(y / grid.cell).astype(np.int64)
    reach = int(within // grid.cell) + 1
    steps = np.arange(-reach, reach + 1)
    rows, columns = row[:, None, None] + steps[:, None], column[:, None, None] + steps
    inside = (rows >= 0) & (rows < grid.rows) & (columns >= 0) & (columns < grid.columns)
    found = np.unique((rows * grid.columns + columns)[inside])
    middles = np.column_stack(((found % grid.columns + 0.5) * grid.cell, (found // grid.columns + 0.5) * grid.cell))
    apart, _nearest = cKDTree(np.column_stack((x, y))).query(middles)
    area = np.zeros(grid.shape, bool)
    area.flat[found[apart <= within]] = True
    return area


def origins(first: int, last: int, windows: int, horizon: int = HORIZON) -> np.ndarray:
    """Days from which so many windows look ahead: the first half of the days is past to all of them."""
    middle = first + (last + 1 - first) // 2
    latest = last + 1 - horizon
    return np.unique(np.linspace(min(middle, latest), latest, windows).astype(np.int64))


def earlier(first: int, last: int, windows: int, horizon: int = HORIZON) -> np.ndarray:
    """Days before `origins` of the same days, from which methods are tried for a first choice: each window is over when
    those of `origins` begin, and a quarter of the days is past to all of them.
    """
    days = last + 1 - first
    latest = first + days // 2 - horizon
    return np.unique(np.linspace(min(first + days // 4, latest), latest, windows).astype(np.int64))


def choosing(pai: np.ndarray, starts: np.ndarray, horizon: int = HORIZON) -> np.ndarray:
    """PAI of choosing itself, (windows,): on each window that of the method which was best on those over by then.

    pai: (methods, windows); starts: the first day of each. The best of several methods on the windows it was chosen by
    is flattered by chance; this is not. NaN where no window was over.
    """
    was_over = starts[:, None] + horizon <= starts[None, :]
    best = (pai @ was_over).argmax(0)
    return np.where(was_over.any(0), pai[best, np.arange(len(starts))], np.nan)


def back_test(
    ground: Ground, days: np.ndarray, *, methods=METHODS, shares=SHARES, horizon: int = HORIZON
) -> dict[str, Score]:
    """Score of each method, its hot cells told from the events before each of `days` and held against those after."""
    tables = {method: [] for method in methods}
    for now in days.tolist():
        came, before = ground.counts(now, now + horizon), ground.counts(now - horizon, now)
        parts = ground.parts(now)
        for method in methods:
            surface = surface_of(ground, method, now, parts)
            tables[method].append([_held(surface, came, before, share) for share in shares])
    return {method: _score(np.array(rows), np.array(shares), len(ground.cells)) for method, rows in tables.items()}


def surface_of(ground: Ground, method: str, now: int, parts: np.ndarray | None = None) -> np.ndarray:
    """What a method says of each cell from all events before day `now`, (cells,)."""
    if method == "risk":
        return ground.risk(now, parts)
    if method in ("counts", "gi"):
        counts = ground.counts(int(ground.day[0]), now)
        if method == "counts":
            return counts
        grid = np.zeros(ground.grid.shape)
        grid.flat[ground.cells] = counts
        return np.nan_to_num(gi_star.gi_star(grid, 1, ground.area).flat[ground.cells], nan=-np.inf)
    width = WIDTHS.index(float(method.removeprefix("density ")))
    parts = ground.parts(now) if parts is None else parts
    return parts[width * len(HALF_LIVES) + len(HALF_LIVES) - 1]


def _held(surface, came, before, share):
    most = max(1, round(share * len(surface)))
    taken = chosen(surface, most)
    best = np.sort(came)[::-1][:most].sum()
    held, earlier_held = ((taken * events).sum() for events in (came, before))  # a BLAS of threads waits far longer
    return held, best, earlier_held, came.sum(), before.sum()


def chosen(surface: np.ndarray, most: int) -> np.ndarray:
    """How much of each cell is among the `most` highest, (cells,) from 0 to 1: those that tie at the edge in part."""
    edge = np.sort(surface)[-most]  # of so many ties a partition takes longer
    above, ties = surface > edge, surface == edge
    return above + ties * (most - above.sum()) / ties.sum()


def _score(rows, shares, cells):
    taken = np.maximum(1, np.round(shares * cells)) / cells
    return Score(taken, *(rows[:, :, n] for n in range(5)))

"""Where the next events are likely to be: a mixture of densities, narrow and wide, of short and long memory. Pure.

Each part of the mixture is the events so far under a normal kernel of one of WIDTHS, faded by one of HALF_LIVES; its
mass in a cell is exact (the kernel's integral over the cell). What each part counts for is learnt from windows that are
over: from the events before such a window every part says where its events will be; expectation-maximisation finds the
weights under which they were most likely (Dempster, Laird and Rubin 1977). Near repeats are the narrow, young parts.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.special import ndtr

from incidents.hotspots.grid import Grid

WIDTHS = (0.0, 0.5, 1.0, 2.0, 4.0)  # bandwidths, in cells; 0 is the cell's own count
HALF_LIVES = (60.0, 120.0, 365.0, 1095.0, math.inf)  # days
HORIZON = 91  # days ahead
SHORTEST = 14  # days of a window to learn from
WINDOWS = 8  # of the past to learn from, at most
TOP = 0.25  # of the area: where a decision is made, and so where the parts are compared
STEPS = 15  # of expectation-maximisation; more would follow the noise of a few windows
EVEN = 0.2  # of the weight is shared evenly among the parts, whatever was learnt
FARTHEST = 3.2  # bandwidths to which a kernel reaches
AT_ONCE = 2000  # events


class Ground:
    """Cells of an area and the events on them, in order of time. Days are whole numbers of any one calendar.

    grid: squares of a territory; area: (rows, columns) bool, the cells that are looked at; the rest (N,).
    """

    def __init__(self, grid: Grid, area: np.ndarray, longitude, latitude, day):
        order = np.argsort(day, kind="stable")
        self.grid, self.area = grid, area
        self.cells = np.flatnonzero(area)
        self.day = np.asarray(day)[order].astype(np.int64)
        self._longitude, self._latitude = np.asarray(longitude)[order], np.asarray(latitude)[order]
        place = np.full(grid.size + 1, -1, np.int32)
        place[self.cells] = np.arange(len(self.cells))
        self._place = place
        self.at = place[grid.cells_at(self._longitude, self._latitude)]

    @cached_property
    def kernels(self) -> list[sparse.csc_matrix | None]:
        """For each width, the mass of each event (columns) in each cell (rows); None for the cell's own count."""
        return [self._kernel(width) if width else None for width in WIDTHS]

    def _kernel(self, width):
        x, y = (metres / self.grid.cell for metres in self.grid.metres(self._longitude, self._latitude))
        reach = math.ceil(FARTHEST * width)
        masses, cells, lengths = [], [], [np.zeros(1, np.int64)]
        for start in range(0, len(x), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            column, across = _masses(x[part], width, reach)
            row, along = _masses(y[part], width, reach)
            row, column = row[:, :, None], column[:, None, :]
            inside = (row >= 0) & (row < self.grid.rows) & (column >= 0) & (column < self.grid.columns)
            to = self._place[np.where(inside, row * self.grid.columns + column, -1)]
            kept = to >= 0
            cells.append(to[kept])
            masses.append((along[:, :, None] * across[:, None, :])[kept].astype(np.float32))
            lengths.append(kept.sum((1, 2)))
        ends = np.cumsum(np.concatenate(lengths))
        shape = len(self.cells), len(x)
        return sparse.csc_matrix((_joined(masses, np.float32), _joined(cells, np.int32), ends), shape)

    def parts(self, now: int) -> np.ndarray:
        """What each part of the mixture says from the events before day `now`: (parts, cells), each adds up to 1."""
        past = int(np.searchsorted(self.day, now))
        age = (now - self.day[:past])[:, None]
        fade = np.exp2(-age / np.array(HALF_LIVES)).astype(np.float32)
        found = np.concatenate([self._under(kernel, fade) for kernel in self.kernels])
        return found / np.maximum(found.sum(1, keepdims=True), 1e-30)

    def _under(self, kernel, fade):
        past = len(fade)
        if kernel is not None:
            end = kernel.indptr[past]
            some = kernel.data[:end], kernel.indices[:end], kernel.indptr[: past + 1]
            return np.asarray(sparse.csc_matrix(some, (len(self.cells), past)) @ fade).T
        at = self.at[:past]
        inside, cells = at >= 0, len(self.cells)
        return np.array([np.bincount(at[inside], one[inside], cells) for one in fade.T], np.float32)

    def counts(self, start: int, end: int) -> np.ndarray:
        """Events of each cell on the days from start until end, not included: (cells,)."""
        some = self.at[(self.day >= start) & (self.day < end)]
        return np.bincount(some[some >= 0], minlength=len(self.cells)).astype(np.float64)

    def windows(self, now: int) -> list[tuple[int, int]]:
        """(first day, day after the last) of the windows to learn from: all are over on day `now`."""
        if not len(self.day) or now <= self.day[0]:
            return []
        history = int(now - self.day[0])
        length = min(HORIZON, max(SHORTEST, history // 4))
        starts = [now - length * (n + 1) for n in range(WINDOWS)]
        return [(start, start + length) for start in starts if start - self.day[0] >= min(length, history / 3)]

    def weights(self, now: int) -> np.ndarray:
        """What each part counts for, (parts,), learnt from windows that are over on day `now`."""
        said, came = [], []
        for start, end in self.windows(now):
            parts, counts = self.parts(start), self.counts(start, end)
            top = _top(parts)
            some = top[counts[top] > 0]
            said.append(parts[:, some] / np.maximum(parts[:, top].sum(1, keepdims=True), 1e-30))
            came.append(counts[some])
        size = len(WIDTHS) * len(HALF_LIVES)
        learnt = mixture(np.concatenate(said, 1), np.concatenate(came)) if came else np.full(size, 1 / size)
        return (1 - EVEN) * learnt + EVEN / size

    def risk(self, now: int, parts: np.ndarray | None = None) -> np.ndarray:
        """The share of the next events that each cell may expect, (cells,); from what happened before day `now`.

        parts: those of that day, where they are known already.
        """
        parts = self.parts(now) if parts is None else parts
        mass = parts[:, _top(parts)].sum(1)
        found = (self.weights(now) / np.maximum(mass, 1e-30)) @ parts
        return found / max(float(found.sum()), 1e-30)


def _masses(where, width, reach):
    """For each event the cells of a line around it (N, 2 reach + 1) and the kernel's mass in each."""
    cell = np.floor(where).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    left = (cell - where[:, None]) / width
    return cell, ndtr(left + 1 / width) - ndtr(left)


def _joined(pieces, kind):
    return np.concatenate(pieces) if pieces else np.zeros(0, kind)


def _top(parts):
    """The cells among which a decision is made: those of which all parts together say most."""
    most = max(1, round(TOP * parts.shape[1]))
    return np.argsort(-parts.mean(0), kind="stable")[:most]


def mixture(said: np.ndarray, came: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """Weights (parts,) of densities `said` (parts, cells): the counts `came` (cells,) are likelier at each step."""
    weights = np.full(len(said), 1 / len(said))
    for _ in range(steps):
        shares = weights[:, None] * said
        shares /= np.maximum(shares.sum(0), 1e-300)
        found = shares @ came
        if not found.sum() > 0:
            return weights
        weights = found / found.sum()
    return weights

"""Kernel density: events binned on a grid, then smoothed by a normal kernel, as a product of Fourier series. Pure.

Equal to the sum of normal kernels at every event within 0.5 % of the peak while a bandwidth has at least FINEST cells:
counts are shared among the four nearest middles (few events), or taken where they fall (many, whose errors cancel).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import fft

from incidents.hotspots.grid import Grid

FINEST = 8  # cells a bandwidth, for which binning loses less than 0.5 % of the peak
MANY = 200_000  # events from which each may be counted in one cell
BEYOND = 5.0  # bandwidths of empty ground around the grid, so that its edges do not meet
MOST_CELLS = 4_000_000
LEAST, MOST = 100.0, 20_000.0  # bandwidths, metres


def density(longitude: np.ndarray, latitude: np.ndarray, grid: Grid, bandwidth: float) -> np.ndarray:
    """Events a square kilometre at the middle of each cell, (rows, columns) float32; bandwidth in metres.

    Where cells are coarse for the bandwidth, the sum is made on a grid some times finer and read at their middles.
    """
    finer = _times_finer(grid, bandwidth)
    fine = _with_margin(grid, finer)
    counts, spread = (_nearest if len(longitude) >= MANY else _shared)(longitude, latitude, fine)
    # Sharing among middles has itself a spread of a sixth of a cell squared, a count in its cell of a twelfth.
    sigma = math.sqrt(max((bandwidth / fine.cell) ** 2 - spread, 0.01))
    first, last = 1 + finer // 2, -1  # the margin is left out
    return smoothed(counts, sigma)[first:last:finer, first:last:finer] / (fine.cell / 1000) ** 2


def smoothed(counts: np.ndarray, sigma: float) -> np.ndarray:
    """Counts (rows, columns) under a normal kernel of sigma cells, nothing around; float32, within 1e-5 of the peak."""
    sides = [fft.next_fast_len(side + math.ceil(BEYOND * sigma), real=True) for side in counts.shape]
    waves = fft.rfft2(counts.astype(np.float32), sides)
    for way, frequencies in ((0, fft.fftfreq(sides[0])), (1, fft.rfftfreq(sides[1]))):
        damped = np.exp(-2 * (math.pi * sigma * frequencies) ** 2).astype(np.float32)
        waves *= damped[:, None] if way == 0 else damped
    smooth = fft.irfft2(waves, sides, overwrite_x=True)[: counts.shape[0], : counts.shape[1]]
    return np.maximum(smooth, 0)


def _with_margin(grid: Grid, finer: int) -> Grid:
    """The grid in finer cells, with one more on each side for events at its very edge."""
    wide, high = grid.step
    west, south = grid.west - wide / finer, grid.south - high / finer
    return Grid(west, south, grid.cell / finer, grid.columns * finer + 2, grid.rows * finer + 2, grid.latitude)


def _times_finer(grid: Grid, bandwidth: float) -> int:
    """An odd number, so that the middles of cells are middles of finer cells; what memory allows."""
    wanted = math.ceil(FINEST * grid.cell / bandwidth) | 1
    affordable = max(1, int(math.sqrt(MOST_CELLS / grid.size)))
    return min(wanted, affordable if affordable % 2 else affordable - 1)


def _nearest(longitude, latitude, fine):
    return fine.counts(longitude, latitude), 1 / 12


def _shared(longitude, latitude, fine):
    """Each event shared among the four nearest middles, by nearness; outside the outermost middles it is lost."""
    x, y = (metres / fine.cell - 0.5 for metres in fine.metres(longitude, latitude))
    inside = (x >= 0) & (x < fine.columns - 1) & (y >= 0) & (y < fine.rows - 1)
    x, y = x[inside], y[inside]
    left, low = np.floor(x), np.floor(y)
    right, up = x - left, y - low
    at = (low * fine.columns + left).astype(np.int64)
    counts = np.zeros(fine.size)
    for step, weight in (
        (0, (1 - right) * (1 - up)),
        (1, right * (1 - up)),
        (fine.columns, (1 - right) * up),
        (fine.columns + 1, right * up),
    ):
        counts += np.bincount(at + step, weight, fine.size)
    return counts.reshape(fine.shape), 1 / 6


def bandwidth_by_rule(x: np.ndarray, y: np.ndarray, cell: float, events: int | None = None) -> float:
    """Bandwidth in metres: Silverman's rule with the smaller of deviation and interquartile range, a whole 50 m.

    h = 0.9 A N^(-1/6), A = min(s, IQR / 1.34) averaged over both axes; at least one cell and LEAST, at most MOST.
    Silverman (1986), 3.31 and 4.14, in two dimensions. A territory of several towns has a large A, so that the rule
    smooths more than one town would: the page prints the bandwidth, and takes another. x and y may be a part of so
    many events, evenly taken.
    """
    if len(x) < 2:
        return max(LEAST, cell)
    spreads = [_spread(x), _spread(y)]
    h = 0.9 * math.sqrt(math.prod(spreads)) * (events or len(x)) ** (-1 / 6)
    return min(MOST, max(LEAST, cell, 50.0 * round(h / 50)))


def _spread(values: np.ndarray) -> float:
    quarter, three = np.quantile(values, [0.25, 0.75])
    deviation = float(values.std())
    return min(deviation, (three - quarter) / 1.34) if three > quarter else deviation

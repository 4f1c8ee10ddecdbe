"""Cells as SVG paths, in whole cells from the grid's north-west corner: rectangles and outlines. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from incidents.hotspots.grid import Grid
from scorecard.mapping import Frame


class Layer(NamedTuple):
    """Cells of one class: its name for the style sheet, its path, and how many cells it has."""

    name: str
    path: str
    cells: int


def placed(grid: Grid, frame: Frame) -> str:
    """The SVG transform from cells (x from the west, y from the north) to the drawing."""
    wide, high = grid.step
    x, y = frame.place(grid.west, grid.south + grid.rows * high)
    return f"translate({x:.2f} {y:.2f}) scale({wide * frame.width_of_degree:.5f} {high * frame.height_of_degree:.5f})"


def texture(grid: Grid, frame: Frame) -> str:
    """The transform that keeps a texture the same size whatever the size of the cells it lies on."""
    wide, high = grid.step
    return f"scale({1 / (wide * frame.width_of_degree):.5f} {1 / (high * frame.height_of_degree):.5f})"


def layers(level: np.ndarray, names: dict[int, str]) -> list[Layer]:
    """A layer for each class that has cells, in the order of `names`; level (rows from the south, columns)."""
    return [
        Layer(name, rectangles(level == one), int((level == one).sum()))
        for one, name in names.items()
        if (level == one).any()
    ]


def rectangles(mask: np.ndarray) -> str:
    """A path that fills the cells of the mask: runs along rows, joined with equal runs of the rows below them."""
    mask = mask[::-1]  # drawings begin in the north
    open_: dict[tuple[int, int], int] = {}
    parts = []

    def close(run, first, until):
        parts.append(f"M{run[0]} {first}h{run[1] - run[0]}v{until - first}h{run[0] - run[1]}z")

    rows = np.flatnonzero(mask.any(axis=1))
    before = -2
    for row in rows.tolist():
        runs = set(_runs(mask[row])) if len(rows) else set()
        for run in [run for run in open_ if run not in runs or row != before + 1]:
            close(run, open_.pop(run), before + 1)
        for run in runs:
            open_.setdefault(run, row)
        before = row
    for run, first in open_.items():
        close(run, first, before + 1)
    return "".join(parts)


def _runs(row):
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(np.int8), [0]))))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def outline(mask: np.ndarray) -> str:
    """The edges between the cells of the mask and the rest."""
    rows = mask.shape[0]
    padded = np.pad(mask, 1).astype(np.int8)
    parts = []
    for y, edge in enumerate(np.diff(padded, axis=0)[:, 1:-1] != 0):
        parts += [f"M{a} {rows - y}H{b}" for a, b in _runs(edge)] if edge.any() else []
    for x, edge in enumerate((np.diff(padded, axis=1)[1:-1] != 0).T):
        parts += [f"M{x} {rows - a}V{rows - b}" for a, b in _runs(edge)] if edge.any() else []
    return "".join(parts)


def square_in(box: tuple[float, float, float, float], frame: Frame) -> str:
    """One cell, (west, south, east, north) in degrees, in units of the drawing."""
    x, y = frame.place(box[0], box[3])
    width, height = (box[2] - box[0]) * frame.width_of_degree, (box[3] - box[1]) * frame.height_of_degree
    return f"M{x:.2f} {y:.2f}h{width:.2f}v{height:.2f}h{-width:.2f}z"

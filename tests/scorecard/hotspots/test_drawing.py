"""Cells are drawn where they lie, each once, whatever rectangles they are joined into."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.hotspots.grid import Grid
from scorecard.hotspots import drawing
from scorecard.mapping import Frame

GRID = Grid(-80.0, -2.0, 1000.0, 6, 4, -2.0)
FRAME = Frame(-80.1, -1.9, 100.0, 101.0)


def filled(path, shape):
    """The cells that a path of rectangles fills, from the south again; each as often as it is filled."""
    found = np.zeros(shape, int)
    for x, y, wide, high in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z", path):
        found[int(y) : int(y) + int(high), int(x) : int(x) + int(wide)] += 1
    return found[::-1]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.floats(0, 1), st.integers(0, 10**6))
def test_rectangles_fill_the_cells_of_the_mask_once(rows, columns, share, seed):
    mask = np.random.default_rng(seed).random((rows, columns)) < share
    np.testing.assert_array_equal(filled(drawing.rectangles(mask), mask.shape), mask.astype(int))


def test_like_runs_of_rows_are_one_rectangle():
    assert drawing.rectangles(np.ones((3, 4), bool)) == "M0 0h4v3h-4z"
    assert drawing.rectangles(np.zeros((3, 4), bool)) == ""


def test_an_outline_has_the_edges_between_the_mask_and_the_rest():
    mask = np.zeros((3, 3), bool)
    mask[0, 0] = True  # the south-west corner is drawn at the bottom left
    assert sorted(re.findall(r"M\d+ \d+[HV]\d+", drawing.outline(mask))) == ["M0 2H1", "M0 3H1", "M0 3V2", "M1 3V2"]
    assert drawing.outline(np.zeros((3, 3), bool)) == ""


def test_layers_are_the_classes_that_have_cells():
    level = np.array([[0, 1], [3, 1]])
    names = {3: "h5", 2: "h3", 1: "h1"}
    assert [(one.name, one.cells) for one in drawing.layers(level, names)] == [("h5", 1), ("h1", 2)]


def test_a_cell_lies_where_the_transform_of_all_cells_puts_it():
    wide, high = GRID.step
    x, y, a, b = (float(n) for n in re.findall(r"-?[\d.]+", drawing.placed(GRID, FRAME)))
    box = (GRID.west + 2 * wide, GRID.south + high, GRID.west + 3 * wide, GRID.south + 2 * high)  # column 2, row 1
    left, top, width, height = (
        float(n) for n in re.match(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", drawing.square_in(box, FRAME)).groups()
    )
    np.testing.assert_allclose([left, top, width, height], [x + 2 * a, y + 2 * b, a, b], atol=0.02)

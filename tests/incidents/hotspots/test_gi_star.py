"""Gi* is that of the published references, of a slow plain sum, and false discoveries stay at the level promised."""

import csv
import json

import numpy as np
import pytest
from esda.getisord import G_Local
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.weights import lat2W

from incidents.hotspots import gi_star
from tests.data import DATA, needs
from tests.incidents.hotspots import slow

HOTSPOTS = DATA / "hotspots"


def neighbours_of(path):
    """A file of neighbours in GAL format: an identifier and a count, then the neighbours, for each area."""
    words = [line.split() for line in path.read_text().splitlines()[1:]]
    names = [words[i][0] for i in range(0, len(words), 2)]
    at = {name: i for i, name in enumerate(names)}
    return [[at[name] for name in words[i + 1]] for i in range(0, len(words), 2)], [int(name) for name in names]


@needs("hotspots")
def test_the_six_points_of_the_documented_example():
    about = json.loads((HOTSPOTS / "numeric_reference_esda.json").read_text())
    about = about["esda docstring toy (6 points, d=15, binary)"]
    points = np.array(about["points"], float)
    apart = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
    near = [[j for j in range(6) if j != i and apart[i, j] <= 15] for i in range(6)]
    z = gi_star.gi_star_of(np.array(about["y"]), near)
    np.testing.assert_allclose(z, about["Gi_star_z"], rtol=0, atol=1e-9)


@needs("hotspots")
def test_the_counties_of_saint_louis():
    with (HOTSPOTS / "gi_star_stl_reference.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    near, names = neighbours_of(HOTSPOTS / "libpysal_reference" / "stl.gal")
    order = np.argsort(names)  # identifiers count the rows
    back = np.argsort(order)
    near = [[int(back[j]) for j in near[i]] for i in order]
    z = gi_star.gi_star_of(np.array([float(row["HR8893"]) for row in rows]), near)
    np.testing.assert_allclose(z, [float(row["gi_star_z_binary"]) for row in rows], rtol=0, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(0, 10**6), st.sampled_from([1.0, 1e6, 0.01])
)
def test_on_any_grid_it_is_the_plain_sum(rows, columns, reach, seed, scale):
    rng = np.random.default_rng(seed)
    values = rng.poisson(1.0, (rows, columns)) * scale + rng.normal(size=(rows, columns))
    area = rng.random((rows, columns)) < 0.8
    area.flat[rng.integers(area.size)] = True
    whole = np.ones_like(area)
    for inside in (area, whole):
        expected = slow.gi_star(values, reach, inside)
        np.testing.assert_allclose(gi_star.gi_star(values, reach, inside), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(gi_star.gi_star(values, reach), slow.gi_star(values, reach, whole), rtol=0, atol=1e-9)


@pytest.mark.parametrize("reach", [1, 2, 3, 7])
def test_on_a_grid_with_few_events_it_is_the_plain_sum(reach):
    values = np.random.default_rng(5).poisson(0.05, (24, 31)).astype(float)
    expected = slow.gi_star(values, reach, np.ones(values.shape, bool))
    np.testing.assert_allclose(gi_star.gi_star(values, reach), expected, rtol=0, atol=1e-9)


def test_slices_are_told_apart():
    values = np.random.default_rng(6).poisson(1, (4, 12, 9)).astype(float)
    area = np.random.default_rng(7).random((12, 9)) < 0.9
    together = gi_star.gi_star(values, 1, area)
    np.testing.assert_allclose(together, [gi_star.gi_star(one, 1, area) for one in values], atol=1e-12)


def test_where_all_cells_are_alike_there_is_nothing_to_tell():
    assert np.isnan(gi_star.gi_star(np.full((5, 5), 3.0))).all()
    assert np.isnan(gi_star.gi_star(np.zeros((5, 5)), 1, np.zeros((5, 5), bool))).all()
    assert np.isnan(gi_star.gi_star(np.arange(9.0).reshape(3, 3), 5)).all()  # every neighbourhood is the whole


@pytest.mark.parametrize(("seed", "rows", "columns", "mean"), [(8, 30, 40, 0.4), (9, 7, 60, 3.0), (10, 25, 25, 0.05)])
def test_esda_says_the_same_on_random_grids(seed, rows, columns, mean):
    values = np.random.default_rng(seed).poisson(mean, (rows, columns)).astype(float)
    weights = lat2W(rows, columns, rook=False)
    theirs = G_Local(values.ravel(), weights, transform="B", star=True, permutations=0).Zs
    np.testing.assert_allclose(gi_star.gi_star(values).ravel(), theirs, rtol=0, atol=1e-9)


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=40))
def test_adjusted_p_is_that_of_benjamini_and_hochberg(p):
    np.testing.assert_allclose(gi_star.adjusted(np.array(p)), slow.adjusted(p), rtol=1e-12)


def test_a_cell_without_p_is_no_test():
    q = gi_star.adjusted(np.array([0.01, np.nan, 0.02]))
    np.testing.assert_allclose(q, [0.02, np.nan, 0.02])
    assert np.isnan(gi_star.adjusted(np.full(3, np.nan))).all()


def test_classes_follow_the_levels_of_false_discoveries():
    z = np.array([4.0, 3.0, 2.0, 1.0, -4.0, -2.0, np.nan])
    q = np.array([0.01, 0.05, 0.1, 0.2, 0.001, 0.09, np.nan])
    assert gi_star.classes(z, q).tolist() == [3, 2, 1, 0, -3, -1, 0]


@pytest.mark.parametrize("events", [60, 300, 3000])
@pytest.mark.parametrize("reach", [1, 2])
def test_where_nothing_is_hot_few_maps_say_that_something_is(events, reach):
    rng, called, by_normal = np.random.default_rng(9), 0, 0
    for _ in range(100):
        counts = np.bincount(rng.integers(0, 1600, events), minlength=1600).reshape(40, 40)
        z = gi_star.gi_star(counts.astype(float), reach)
        called += bool((gi_star.adjusted(gi_star.chance(counts, reach)) <= 0.05).any())
        by_normal += bool(((gi_star.adjusted(gi_star.two_sided(z)) <= 0.05) & (z > 0)).any())
    assert called <= 5
    assert by_normal > called  # why the normal tail is not asked


@pytest.mark.parametrize("mean", [0.05, 0.5, 4.0])
def test_chance_is_that_of_shuffled_counts(mean):
    rng = np.random.default_rng(10)
    counts = rng.negative_binomial(0.5, 0.5 / (0.5 + mean), (20, 20))
    area = rng.random((20, 20)) < 0.9
    chance, sums = gi_star.chance(counts, 1, area), gi_star.box_sums(np.where(area, counts, 0), 1)
    shuffled = np.empty((4000, 9), int)  # what nine cells of the area hold, in each shuffle
    for n in range(len(shuffled)):
        shuffled[n] = rng.permutation(counts[area])[:9]
    weights = gi_star.box_sums(area.astype(int), 1)
    drawn = shuffled.sum(axis=1)
    for total in np.unique(sums[area & (weights == 9)]):
        tail = min(1, 2 * min((drawn >= total).mean(), (drawn <= total).mean()))
        got = chance[area & (weights == 9) & (sums == total)]
        assert abs(got - tail).max() < 0.08 + 0.25 * tail, total


def test_chance_of_what_cannot_differ_is_not_told():
    assert np.isnan(gi_star.chance(np.full((5, 5), 3))).all()
    assert np.isnan(gi_star.chance(np.arange(9).reshape(3, 3), 5)).all()
    assert np.isnan(gi_star.chance(np.zeros((2, 2), int), 1, np.zeros((2, 2), bool))).all()
    assert np.isnan(gi_star.chance(np.arange(9).reshape(3, 3), 1, np.eye(3, dtype=bool))[0, 1])


def test_empty_cells_are_not_cold_for_want_of_a_few_crowded_ones():
    counts = np.zeros((40, 40), int)
    counts[np.random.default_rng(11).integers(0, 40, 12), np.random.default_rng(12).integers(0, 40, 12)] = 5000
    assert np.nanmin(gi_star.chance(counts)[gi_star.box_sums(counts, 1) == 0]) > 0.1

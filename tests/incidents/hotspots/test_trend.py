"""Mann-Kendall is that of a slow count, and the classes of hot spots say what happened, the first that holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.hotspots.trend import Change, emerging, mann_kendall
from tests.incidents.hotspots import slow


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=15))
def test_mann_kendall_is_the_slow_count(series):
    s, z, p = slow.mann_kendall(series)
    found = mann_kendall(np.array(series, float)[:, None])
    assert found.s[0] == s
    assert found.z[0] == pytest.approx(z, abs=1e-12)
    assert found.p[0] == pytest.approx(p, abs=1e-12)


def test_a_known_series():
    # Ten values, two swapped pairs of neighbours: S = 45 - 4, no ties, variance 125.
    found = mann_kendall(np.array([2, 1, 3, 4, 6, 5, 7, 8, 9, 10.0])[:, None])
    assert found.s[0] == 41
    assert found.z[0] == pytest.approx(40 / np.sqrt(125))


RISING, FALLING = np.linspace(0, 5, 10), np.linspace(5, 0, 10)
WOBBLY = np.array([3, 1, 4, 2, 3, 1, 4, 2, 3, 2.5])


@pytest.mark.parametrize(
    ("z", "hot", "expected"),
    [
        (WOBBLY, "0000000000", Change.NONE),
        (RISING, "0000000001", Change.NEW),
        (WOBBLY, "0000000001", Change.NEW),
        (RISING, "0000000011", Change.INTENSIFYING),
        (RISING, "1111111111", Change.INTENSIFYING),
        (FALLING, "1111100000", Change.DIMINISHING),
        (FALLING, "1111111111", Change.DIMINISHING),
        (FALLING, "1000000000", Change.SPORADIC),
        (WOBBLY, "1111111111", Change.PERSISTENT),
        (WOBBLY, "1111111001", Change.PERSISTENT),
        (WOBBLY, "1111111110", Change.SPORADIC),
        (WOBBLY, "0101000100", Change.SPORADIC),
        (RISING, "0000000110", Change.SPORADIC),
    ],
)
def test_the_classes(z, hot, expected):
    is_hot = np.array([mark == "1" for mark in hot])
    assert emerging(z[:, None], is_hot[:, None]).tolist() == [expected]


def test_three_slices_tell_nothing():
    assert emerging(np.ones((3, 2)), np.ones((3, 2), bool)).tolist() == [0, 0]

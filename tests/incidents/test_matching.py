"""Publications are matched as multisets of content, then by the fewest changed facts."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents import matching
from incidents.matching import equal_pairs, match, nearest_pairs, row_keys

FACTS = [[i] for i in range(9)]
SMALL_ROWS = st.lists(st.tuples(*[st.integers(0, 1)] * 3), max_size=8)


def table(rows, width=9):
    return np.array(rows, np.int64).reshape(-1, width)


def distance(a, b):
    return sum(x != y for x, y in zip(a, b, strict=True))


@given(SMALL_ROWS, SMALL_ROWS)
def test_equal_rows_are_paired_as_multisets(old, new):
    left, right = equal_pairs(table(old, 3), table(new, 3))
    assert len(set(left.tolist())) == len(left)
    assert len(set(right.tolist())) == len(right)
    assert all(old[a] == new[b] for a, b in zip(left, right, strict=True))
    assert len(left) == (Counter(old) & Counter(new)).total()


@given(SMALL_ROWS)
def test_a_key_tells_rows_apart(rows):
    keys = row_keys(table(rows, 3)).tolist()
    assert all((keys[a] == keys[b]) == (rows[a] == rows[b]) for a in range(len(rows)) for b in range(len(rows)))


@given(st.randoms(use_true_random=False), st.integers(0, 30))
def test_the_order_of_rows_does_not_matter(random, size):
    rows = [[random.randint(0, 2) for _ in range(9)] for _ in range(size)]
    shuffled = rows[:]
    random.shuffle(shuffled)
    found = match(table(rows), table(shuffled), FACTS)
    assert len(found.same_old) == size
    assert not len(found.changed_old)
    assert not len(found.added)
    assert not len(found.removed)


def cheapest(old, new):
    """By trying all: the least sum of changes, a row without a partner on both sides counting more than any pair."""
    dear = matching.MOST_CHANGES + 1
    short, long = sorted((old, new), key=len)
    return min(
        sum(min(distance(a, b), dear) for a, b in zip(short, order, strict=True))
        for order in permutations(long, len(short))
    )


@settings(max_examples=60)
@given(st.randoms(use_true_random=False), st.integers(0, 5), st.integers(0, 5))
def test_the_rest_is_paired_by_the_fewest_changes_in_all(random, a, b):
    origin = [[random.randint(0, 1) for _ in range(9)] for _ in range(3)]
    old, new = (
        [
            [value if random.random() < 0.8 else random.randint(2, 4) for value in random.choice(origin)]
            for _ in range(n)
        ]
        for n in (a, b)
    )
    left, right = nearest_pairs([table(old)[:, [i]] for i in range(9)], [table(new)[:, [i]] for i in range(9)])
    assert len(set(left.tolist())) == len(left)
    assert len(set(right.tolist())) == len(right)
    costs = [distance(old[i], new[j]) for i, j in zip(left, right, strict=True)]
    assert all(cost <= matching.MOST_CHANGES for cost in costs)
    unpaired = min(a, b) - len(left)
    assert sum(costs) + unpaired * (matching.MOST_CHANGES + 1) == cheapest(old, new)


def test_rows_that_differ_in_too_much_are_removed_and_added():
    found = match(table([[0] * 9]), table([[1] * 4 + [0] * 5]), FACTS)
    assert found.removed.tolist() == [0]
    assert found.added.tolist() == [0]


def test_a_fact_of_several_columns_changes_once():
    where = [[0], [1, 2, 3, 4, 5], [6], [7], [8], [9], [10], [11], [12]]
    found = match(table([[0] * 13], 13), table([[0] + [1] * 5 + [0] * 7], 13), where)
    assert found.changed_old.tolist() == [0]


def test_of_two_equal_rows_one_may_be_taken_away():
    found = match(table([[0] * 9] * 3), table([[0] * 9] * 2), FACTS)
    assert len(found.same_old) == 2
    assert found.removed.tolist() == [2]


def test_a_file_that_says_little_is_matched_with_care():
    """With three facts, two rows that share but one of them are not the same incident."""
    found = match(table([[0, 0, 0]], 3), table([[0, 1, 1]], 3), FACTS[:3])
    assert found.removed.tolist() == [0]


def test_identifiers_pair_before_content_does():
    old, new = table([[0] * 9, [1] * 9]), table([[1] * 9, [5] * 9])
    found = match(old, new, FACTS, np.array([7, 8]), np.array([7, 9]))
    assert (found.changed_old.tolist(), found.changed_new.tolist()) == ([0], [0])
    assert found.removed.tolist() == [1]  # 8 is not there any more, though its content is, under another name
    assert found.added.tolist() == [1]


def test_large_revisions_are_compared_month_by_month(monkeypatch):
    monkeypatch.setattr(matching, "PAIRS_AT_MOST", 0)
    rng = np.random.default_rng(1)
    old = rng.integers(0, 50, (300, 9))
    new = old.copy()
    new[:, 4] += 100
    months = np.sort(rng.integers(0, 12, 300))
    found = match(old, new, FACTS, months=(months, months))
    assert found.changed_old.tolist() == found.changed_new.tolist()
    assert len(found.changed_old) == 300


def test_a_knot_too_large_to_solve_is_paired_greedily(monkeypatch):
    monkeypatch.setattr(matching, "DENSE", 1)
    old = table([[0] * 9, [0] * 8 + [1]])
    new = table([[0] * 7 + [2, 1], [0] * 7 + [2, 0]])
    found = match(old, new, FACTS)
    assert sorted(zip(found.changed_old.tolist(), found.changed_new.tolist(), strict=True)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_matches_nothing(a, b):
    found = match(table([[1] * 9] * a), table([[2] * 9] * b), FACTS)
    assert (len(found.removed), len(found.added)) == (a, b)

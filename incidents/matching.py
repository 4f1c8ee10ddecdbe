"""Two publications of the same months without identifiers: which rows are the same incident. Pure.

An account of an incident is a row of whole numbers (F columns). Columns are grouped into facts: what, which day, what
time, where (code, point and canton are one fact), and every variable is one. First rows that say exactly the same are
paired, each with one other (multisets: two equal rows need two partners). Of the rest, old and new rows that differ
in at most MOST_CHANGES facts may be the same incident, and are paired so that in all the fewest facts change. What
then has no partner was removed, or added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MOST_CHANGES = 3  # and at most a third of the facts that the file says at all
PAIRS_AT_ONCE = 20_000_000
PAIRS_AT_MOST = 1_500_000_000  # beyond, only rows of the same month or the next are compared
DENSE = 1500  # rows of a knot of likely pairs that are still solved exactly


@dataclass
class Match:
    """Indices into the old and the new rows: equal pairs, changed pairs, and what has no partner."""

    same_old: np.ndarray
    same_new: np.ndarray
    changed_old: np.ndarray
    changed_new: np.ndarray
    removed: np.ndarray
    added: np.ndarray


def match(old, new, facts, old_ids=None, new_ids=None, months=None):
    """Pair the rows of two publications. old (A, F), new (B, F) int64; facts: list of lists of columns.

    old_ids, new_ids: identifiers of the source (int64, below 0 for none) that pair rows before their content does.
    months: (old (A,), new (B,)) of the events, int64, used where the rest is too large to compare all with all.
    """
    by_id = _by_id(old_ids, new_ids)
    free_old, free_new = np.ones(len(old), bool), np.ones(len(new), bool)
    free_old[by_id[0]] = free_new[by_id[1]] = False
    if new_ids is not None:  # what has an identifier is the same by that alone
        free_new &= new_ids < 0
        free_old &= old_ids < 0
    rest_old, rest_new = np.flatnonzero(free_old), np.flatnonzero(free_new)
    same = equal_pairs(old[rest_old], new[rest_new])
    same = rest_old[same[0]], rest_new[same[1]]
    free_old[same[0]] = free_new[same[1]] = False
    rest_old, rest_new = np.flatnonzero(free_old), np.flatnonzero(free_new)
    rest_months = None if months is None else (months[0][rest_old], months[1][rest_new])
    near = nearest_pairs(_facts(old[rest_old], facts), _facts(new[rest_new], facts), rest_months)
    near = rest_old[near[0]], rest_new[near[1]]
    equal = (old[by_id[0]] == new[by_id[1]]).all(axis=1)
    same_old, same_new = (np.concatenate([by_id[i][equal], same[i]]) for i in (0, 1))
    changed_old, changed_new = (np.concatenate([by_id[i][~equal], near[i]]) for i in (0, 1))
    removed = np.setdiff1d(np.arange(len(old)), np.concatenate([same_old, changed_old]))
    added = np.setdiff1d(np.arange(len(new)), np.concatenate([same_new, changed_new]))
    return Match(same_old, same_new, changed_old, changed_new, removed, added)


def _by_id(old_ids, new_ids):
    if new_ids is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    _, at_old, at_new = np.intersect1d(old_ids, new_ids, return_indices=True)
    named = old_ids[at_old] >= 0
    return at_old[named], at_new[named]


def equal_pairs(old, new):
    """Indices (old, new) of rows that say the same, one to one: the first of several with the first, and so on."""
    keys = row_keys(np.concatenate([old, new]))
    ranked = [_with_rank(part) for part in (keys[: len(old)], keys[len(old) :])]
    _, at_old, at_new = np.intersect1d(*ranked, assume_unique=True, return_indices=True)
    return at_old, at_new


def row_keys(rows):
    """A number for each distinct row (R, F): equal rows have equal numbers."""
    if not len(rows):
        return np.empty(0, np.int64)
    keys = np.zeros(len(rows), np.int64)
    for column in rows.T:  # column by column, renumbered, so that the numbers stay below R
        _, values = np.unique(column, return_inverse=True)
        _, keys = np.unique(keys * (int(values.max()) + 1) + values, return_inverse=True)
    return keys


def repeated(rows):
    """How many rows say the same as an earlier one."""
    return len(rows) - len(np.unique(row_keys(rows)))


def _with_rank(keys):
    """Key and how many equal ones stand before it, in one number: distinct within a side."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(keys) else np.empty(0, np.int64)
    rank = np.empty(len(keys), np.int64)
    rank[order] = np.arange(len(keys)) - np.repeat(starts, np.diff(np.r_[starts, len(keys)]))
    return keys * (1 << 32) + rank


def _facts(rows, facts):
    """The columns of each fact apart: list of (R, c)."""
    return [rows[:, columns] for columns in facts]


def nearest_pairs(old, new, months=None):
    """Pair rows that differ in at most MOST_CHANGES facts so that the sum of changes is least.

    old, new: lists over facts of (A, c) and (B, c). A row left without a partner costs more than any pair.
    """
    most = min(MOST_CHANGES, len(old) // 3)
    left, right, cost = _likely(old, new, months, most)
    if not len(left):
        return left, right
    size = len(old[0])
    graph = coo_array((np.ones(len(left), np.int8), (left, right + size)), shape=(size + len(new[0]),) * 2)
    _, knot = connected_components(graph, directed=False)
    knot = knot[left]
    order = np.argsort(knot, kind="stable")
    pairs = [_solve(left[edges], right[edges], cost[edges]) for edges in _split(order, knot)]
    return tuple(np.concatenate([pair[i] for pair in pairs]) for i in (0, 1))


def _split(order, knot):
    return np.split(order, np.flatnonzero(np.diff(knot[order])) + 1)


def _likely(old, new, months, most):
    """Pairs (old, new, facts changed) within `most` changes, compared block by block."""
    a, b = len(old[0]), len(new[0])
    every = np.arange(b)
    if a * b <= PAIRS_AT_MOST or months is None:
        step = max(1, PAIRS_AT_ONCE // max(b, 1))
        blocks = ((np.arange(start, min(start + step, a)), every) for start in range(0, a, step))
    else:
        blocks = _by_month(*months)
    found = [_compare(old, new, rows, columns, most) for rows, columns in blocks if len(rows) and len(columns)]
    if not found:
        empty = np.empty(0, np.int64)
        return empty, empty, empty
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def _by_month(old, new):
    for month in np.unique(old):
        columns = np.flatnonzero(np.abs(new - month) <= 1)
        rows = np.flatnonzero(old == month)
        step = max(1, PAIRS_AT_ONCE // max(len(columns), 1))
        for start in range(0, len(rows), step):
            yield rows[start : start + step], columns


def _compare(old, new, rows, columns, most):
    changes = np.zeros((len(rows), len(columns)), np.int8)
    for before, after in zip(old, new, strict=True):
        differs = np.zeros(changes.shape, bool)
        for part in range(before.shape[1]):
            differs |= before[rows, part][:, None] != after[columns, part][None, :]
        changes += differs
    left, right = np.nonzero(changes <= most)
    return rows[left], columns[right], changes[left, right].astype(np.int64)


def _solve(left, right, cost):
    """The cheapest pairing within one knot of likely pairs."""
    if len(left) == 1:
        return left, right
    rows, at_row = np.unique(left, return_inverse=True)
    columns, at_column = np.unique(right, return_inverse=True)
    if max(len(rows), len(columns)) > DENSE:
        return _greedy(left, right, cost)
    matrix = np.full((len(rows), len(columns)), 1000 * (MOST_CHANGES + 1), np.int64)
    # Among equals the pair nearest in order, so that the outcome does not depend on chance.
    matrix[at_row, at_column] = 1000 * cost + np.minimum(np.abs(at_row - at_column), 99)
    chosen_row, chosen_column = linear_sum_assignment(matrix)
    real = matrix[chosen_row, chosen_column] < 1000 * (MOST_CHANGES + 1)
    return rows[chosen_row[real]], columns[chosen_column[real]]


def _greedy(left, right, cost):
    """For knots too large to solve exactly: the fewest changes first, in order."""
    used_left, used_right, chosen = set(), set(), []
    for edge in np.lexsort((right, left, cost)):
        if left[edge] not in used_left and right[edge] not in used_right:
            used_left.add(left[edge])
            used_right.add(right[edge])
            chosen.append(edge)
    return left[chosen], right[chosen]

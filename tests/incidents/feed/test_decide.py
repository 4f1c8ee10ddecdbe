"""The rules of versions, retries and tombstones, as tables of cases."""

import pytest

from incidents.feed import decide
from incidents.feed.decide import CREATED, RECLASSIFIED, REFUSED, RETRACTED, UNCHANGED, UPDATED, Key

SAME, OTHER = 11, 22


def key(version=None, *, is_retracted=False):
    return Key(1, None, SAME, version, is_retracted)


@pytest.mark.parametrize(
    ("version", "digest", "held", "was_said_before", "verdict"),
    [
        (None, SAME, key(), False, (UNCHANGED, "")),
        (None, OTHER, key(), False, (UPDATED, "")),
        (None, OTHER, key(), True, (UNCHANGED, "older")),  # a replay of what was replaced since
        (None, OTHER, key(3), False, (UPDATED, "")),
        (2, OTHER, key(3), False, (UNCHANGED, "older")),
        (3, OTHER, key(3), True, (UNCHANGED, "older")),
        (3, OTHER, key(3), False, (REFUSED, "version_repeated")),
        (4, OTHER, key(3), True, (UPDATED, "")),  # back to an earlier account, and it says so
        (4, SAME, key(3), False, (UNCHANGED, "")),
        (None, SAME, key(is_retracted=True), False, (REFUSED, "retracted")),
        (3, OTHER, key(3, is_retracted=True), False, (REFUSED, "retracted")),
        (4, OTHER, key(3, is_retracted=True), False, (CREATED, "")),
        (1, OTHER, key(is_retracted=True), False, (CREATED, "")),
    ],
)
def test_account_of_a_known_event(version, digest, held, was_said_before, verdict):
    assert decide.account(version, digest, held, was_said_before) == verdict


@pytest.mark.parametrize(
    ("version", "category", "held", "verdict"),
    [
        (None, 5, None, (REFUSED, "unknown_event")),
        (None, 5, key(is_retracted=True), (REFUSED, "retracted")),
        (None, 5, key(), (UNCHANGED, "")),
        (None, 6, key(), (RECLASSIFIED, "")),
        (1, 6, key(2), (UNCHANGED, "older")),
    ],
)
def test_reclassification(version, category, held, verdict):
    assert decide.reclassification(version, category, held, 5) == verdict


@pytest.mark.parametrize(
    ("version", "held", "verdict"),
    [
        (None, None, (REFUSED, "unknown_event")),
        (None, key(is_retracted=True), (UNCHANGED, "")),
        (None, key(7), (RETRACTED, "")),
        (6, key(7), (UNCHANGED, "older")),
        (7, key(7), (RETRACTED, "")),
    ],
)
def test_retraction(version, held, verdict):
    assert decide.retraction(version, held) == verdict

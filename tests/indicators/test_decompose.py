"""A gap in parts: the parts sum to it exactly, in whatever order they are told, and nothing unknown is lost."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.decompose import Kind, exact, explaining, of_counts, of_rates, shared_out

KEYS = st.sampled_from("abcdefgh")
COUNTS = st.dictionaries(KEYS, st.one_of(st.integers(0, 10_000), st.none(), st.just(math.nan)))
FLOATS = st.floats(-1e6, 1e6)
RATES = st.dictionaries(
    KEYS, st.tuples(st.one_of(FLOATS, st.none()), st.one_of(st.floats(0, 1e7), st.none(), st.just(math.nan)))
)


def summed(gap):
    return sum((part.effect for part in gap.parts), Fraction(0))


@settings(deadline=None)
@given(COUNTS, COUNTS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_parts_of_whole_numbers_sum_exactly_and_are_whole(actual, base, now, was):
    gap = of_counts(actual, base, now, was)
    assert summed(gap) == now - was
    assert all(part.effect.denominator == 1 for part in gap.parts)


@settings(deadline=None)
@given(RATES, RATES, FLOATS, FLOATS)
def test_parts_of_rates_sum_exactly_with_level_and_mix(actual, base, now, was):
    gap = of_rates(actual, base, now, was)
    assert summed(gap) == Fraction(now) - Fraction(was) == gap.total
    assert abs(math.fsum(float(part.level) + float(part.mix) for part in gap.parts) - (now - was)) <= 1e-9 * max(
        1, sum(abs(float(p.level)) + abs(float(p.mix)) for p in gap.parts)
    )


@settings(deadline=None)
@given(RATES, RATES, FLOATS, FLOATS, st.randoms())
def test_the_order_in_which_items_are_told_does_not_matter(actual, base, now, was, random):
    def shuffled(figures):
        keys = list(figures)
        random.shuffle(keys)
        return {key: figures[key] for key in keys}

    assert of_rates(shuffled(actual), shuffled(base), now, was) == of_rates(actual, base, now, was)
    counts, others = ({k: rate for k, (rate, _) in side.items()} for side in (actual, base))
    assert of_counts(shuffled(counts), shuffled(others), now, was) == of_counts(counts, others, now, was)


@settings(deadline=None)
@given(RATES)
def test_weights_that_do_not_change_leave_no_mix(rates):
    """Against a target an item has the weight that it has: the gap is all level."""
    base = {key: (None if rate is None else rate / 2, weight) for key, (rate, weight) in rates.items()}
    assert all(part.mix == 0 for part in of_rates(rates, base, 1.0, 2.0).items)


@settings(deadline=None)
@given(COUNTS, COUNTS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_is_known_on_one_side_alone_is_a_part_by_name(actual, base, now, was):
    known = [{key for key, value in side.items() if exact(value) is not None} for side in (actual, base)]
    parts = {part.kind: part for part in of_counts(actual, base, now, was).parts if part.kind != Kind.ITEM}
    lone = known[0] ^ known[1]
    assert set(parts[Kind.MISSING].items if Kind.MISSING in parts else ()) == lone


def test_a_gap_between_counts_worked_by_hand():
    gap = of_counts({"a": 30, "b": 12, "c": None}, {"a": 10, "b": 14, "c": 5}, 45, 30)
    assert [(part.key, part.effect) for part in gap.parts] == [
        ("a", 20),
        ("b", -2),
        (Kind.MISSING, -5),
        (Kind.UNATTRIBUTED, 3),  # 45 - 42
        (Kind.UNSHARED, -1),  # 29 - 30
    ]
    assert gap.total == 15


def test_level_and_mix_worked_by_hand():
    """Two districts at 10 and 20; people move from half and half to one in four and three in four: all is mix."""
    gap = of_rates({"a": (10, 25), "b": (20, 75)}, {"a": (10, 50), "b": (20, 50)}, 17.5, 15)
    assert (gap.level, gap.mix, gap.total) == (0, 2.5, 2.5)
    assert [float(part.mix) for part in gap.items] == [1.5625, 0.9375]  # a shrinks from below 16.25, b grows from above
    gap = of_rates({"a": (12, 1), "b": (20, 1)}, {"a": (10, 1), "b": (20, 1)}, 16, 15)
    assert (gap.level, gap.mix) == (1, 0)


def test_an_item_that_is_new_is_all_mix():
    gap = of_rates({"a": (10, 50), "b": (30, 50)}, {"a": (10, 100)}, 20, 10)
    new = next(part for part in gap.items if part.key == "b")
    assert new.level == 0
    assert summed(gap) == 10


def test_a_total_is_shared_out_to_the_last_bit():
    parts = shared_out(100, {"a": 1, "b": 1, "c": 1})
    assert sum(parts.values()) == 100
    assert shared_out(100, {"a": 0}) == {}


@pytest.mark.parametrize(
    ("actual", "named", "share"),
    [
        ({"a": 60, "b": 25, "c": 15}, "ab", 0.85),
        ({"a": 100, "b": 0, "c": 0}, "a", 1.0),
        ({"a": 150, "b": -50, "c": 0}, "a", 1.5),
        ({"a": 10, "b": 0, "c": 0}, "", 0.1),  # most of the gap is in no item
    ],
)
def test_the_fewest_items_that_explain_the_gap(actual, named, share):
    gap = of_counts(actual, dict.fromkeys(actual, 0), 100, 0)
    parts, explained = explaining(gap)
    assert "".join(part.key for part in parts) == named
    assert float(explained) == share


def test_without_a_gap_nothing_explains_it():
    assert explaining(of_counts({"a": 1}, {"a": 1}, 1, 1)) == ((), 0)

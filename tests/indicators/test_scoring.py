"""Attainment, state and light: every worked case, on both paths, and the properties between them."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from indicators import scoring, slow
from indicators.codes import (
    Light,
    Mark,
    Rule,
    Sense,
    Sheet,
    SheetTable,
    State,
    has_mark,
    light_of,
    pack_marks,
    state_of,
)
from indicators.codes import unpack_marks as unpack
from tests.data import DATA, needs

_ = float("nan")

# number, sense, v, m, b, lo, hi, T, attainment, shown, in a roll-up, light, state
CASES = [
    (1, "higher", 95, 100, _, _, _, _, 95.00, 95.0, 95.00, "GREEN", "EVALUATED"),
    (2, "higher", 94.96, 100, _, _, _, _, 94.96, 95.0, 94.96, "GREEN", "EVALUATED"),
    (3, "higher", 94.94, 100, _, _, _, _, 94.94, 94.9, 94.94, "AMBER", "EVALUATED"),
    (4, "higher", 85, 100, _, _, _, _, 85.00, 85.0, 85.00, "AMBER", "EVALUATED"),
    (5, "higher", 84.94, 100, _, _, _, _, 84.94, 84.9, 84.94, "RED", "EVALUATED"),
    (6, "higher", 130, 100, _, _, _, _, 130.00, 130.0, 100.00, "GREEN", "EVALUATED"),
    (7, "higher", -5, 100, _, _, _, _, -5.00, 0.0, 0.00, "RED", "EVALUATED"),
    (8, "higher", 0, 100, _, _, _, _, 0.00, 0.0, 0.00, "RED", "EVALUATED"),
    (9, "higher", _, 100, _, _, _, _, _, _, _, "NONE", "NO_DATA"),
    (10, "higher", 5, _, _, _, _, _, _, _, _, "NONE", "NOT_EVALUABLE"),
    (11, "higher", 5, 0, _, _, _, _, _, _, _, "NONE", "NOT_EVALUABLE"),
    (12, "higher", -8, -10, _, _, _, _, _, _, _, "NONE", "NOT_EVALUABLE"),
    (13, "lower", 100, 100, _, _, _, _, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (14, "lower", 105, 100, _, _, _, _, 95.00, 95.0, 95.00, "GREEN", "EVALUATED"),
    (15, "lower", 115, 100, _, _, _, _, 85.00, 85.0, 85.00, "AMBER", "EVALUATED"),
    (16, "lower", 116, 100, _, _, _, _, 84.00, 84.0, 84.00, "RED", "EVALUATED"),
    (17, "lower", 0, 100, _, _, _, _, 200.00, 200.0, 100.00, "GREEN", "EVALUATED"),
    (18, "lower", 250, 100, _, _, _, _, -50.00, 0.0, 0.00, "RED", "EVALUATED"),
    (19, "lower", 0, 0, _, _, _, _, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (20, "lower", 1, 0, _, _, _, _, 0.00, 0.0, 0.00, "RED", "EVALUATED"),
    (21, "lower", 1, 0.3, _, _, _, _, -133.33, 0.0, 0.00, "RED", "EVALUATED"),
    (22, "lower", 4, 3, _, _, _, _, 66.67, 66.7, 66.67, "RED", "EVALUATED"),
    (23, "lower_inverse", 125, 100, _, _, _, _, 80.00, 80.0, 80.00, "RED", "EVALUATED"),
    (24, "lower_inverse", 105, 100, _, _, _, _, 95.24, 95.2, 95.24, "GREEN", "EVALUATED"),
    (25, "lower_inverse", 0, 100, _, _, _, _, 200.00, 200.0, 100.00, "GREEN", "EVALUATED"),
    (26, "lower_inverse", 10, 100, _, _, _, _, 200.00, 200.0, 100.00, "GREEN", "EVALUATED"),
    (27, "improve_lower", 90, 90, 100, _, _, _, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (28, "improve_lower", 91, 90, 100, _, _, _, 90.00, 90.0, 90.00, "AMBER", "EVALUATED"),
    (29, "improve_lower", 92, 90, 100, _, _, _, 80.00, 80.0, 80.00, "RED", "EVALUATED"),
    (30, "improve_lower", 100, 90, 100, _, _, _, 0.00, 0.0, 0.00, "RED", "EVALUATED"),
    (31, "improve_lower", 110, 90, 100, _, _, _, -100.00, 0.0, 0.00, "RED", "EVALUATED"),
    (32, "improve_lower", 80, 90, 100, _, _, _, 200.00, 200.0, 100.00, "GREEN", "EVALUATED"),
    (33, "improve_lower", 100, 110, 100, _, _, _, 109.09, 109.1, 100.00, "GREEN", "EVALUATED"),
    (34, "improve_lower", 120, 110, 100, _, _, _, 90.91, 90.9, 90.91, "AMBER", "EVALUATED"),
    (35, "improve_lower", 100, 100, 100, _, _, _, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (36, "improve_lower", 3, 4, 5, _, _, _, 200.00, 200.0, 100.00, "GREEN", "EVALUATED"),
    (37, "improve_lower", 5, 4, _, _, _, _, _, _, _, "NONE", "NOT_EVALUABLE"),
    (38, "improve_higher", 60, 80, 40, _, _, _, 50.00, 50.0, 50.00, "RED", "EVALUATED"),
    (39, "improve_higher", 80, 80, 40, _, _, _, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (40, "improve_higher", -2, 5, -10, _, _, _, 53.33, 53.3, 53.33, "RED", "EVALUATED"),
    (41, "improve_higher", 45, 40, 50, _, _, _, 112.50, 112.5, 100.00, "GREEN", "EVALUATED"),
    (42, "improve_lower", 2, 0, 4, _, _, _, 50.00, 50.0, 50.00, "RED", "EVALUATED"),
    (43, "within", 50, _, _, 40, 60, 10, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (44, "within", 40, _, _, 40, 60, 10, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (45, "within", 60.5, _, _, 40, 60, 10, 95.00, 95.0, 95.00, "GREEN", "EVALUATED"),
    (46, "within", 39, _, _, 40, 60, 10, 90.00, 90.0, 90.00, "AMBER", "EVALUATED"),
    (47, "within", 75, _, _, 40, 60, 10, 0.00, 0.0, 0.00, "RED", "EVALUATED"),
    (48, "within", 61, _, _, 40, 60, 0, 0.00, 0.0, 0.00, "RED", "EVALUATED"),
    (49, "within", 5, _, _, _, 6, 2, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (50, "within", 50, _, _, 60, 40, 10, _, _, _, "NONE", "NOT_EVALUABLE"),
    (51, "lower", 6.9, 6.0, _, _, _, _, 85.00, 85.0, 85.00, "AMBER", "EVALUATED"),
    (52, "improve_lower", 2.2, 2.1, 4.1, _, _, _, 95.00, 95.0, 95.00, "GREEN", "EVALUATED"),
    (53, "within", 4.1, _, _, 4.2, 6, 2.0, 95.00, 95.0, 95.00, "GREEN", "EVALUATED"),
    (54, "milestone", 1, _, _, _, _, _, 100.00, 100.0, 100.00, "GREEN", "EVALUATED"),
    (55, "milestone", 0, _, _, _, _, _, 0.00, 0.0, 0.00, "RED", "EVALUATED"),
]


def published_cases():
    """The published worked cases, where the data directory is present."""
    with (DATA / "scoring/scoring_cases.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            numbers = [float(row[name]) if row[name] else _ for name in ("v", "m", "b", "lo", "hi", "T")]
            results = [float(row[name]) if row[name] else _ for name in ("attainment_raw", "shown", "in_rollup")]
            light, state = row["light"].upper() or "NONE", row["state"].upper().replace(" ", "_")
            yield int(row["n"]), row["sense"], *numbers, *results, light, state


def assert_fast(case):
    number, sense, v, m, b, lo, hi, T, *expected, light, state = case
    raw = scoring.attainment(Sense[sense.upper()], v, m, b, lo, hi, T)
    found = [raw, scoring.shown(raw), scoring.in_rollup(raw)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.005001, err_msg=f"case {number}")
    assert scoring.light(raw) == Light[light], number
    assert scoring.state(True, not np.isnan(v), raw) == State[state], number


def assert_slow(case):
    number, sense, v, m, b, lo, hi, T, expected, shown, rolled, light, state = case
    goal = slow.Goal(*(slow.exact(number) for number in (m, lo, hi, b)))
    raw = slow.attainment(Sense[sense.upper()], slow.exact(v), goal, T)
    assert slow.light(raw) == Light[light], number
    if State[state] != State.EVALUATED:
        assert raw is None, number
    else:
        found = [float(raw), float(slow.shown(raw)), float(slow.in_rollup(raw))]
        np.testing.assert_allclose(found, [expected, shown, rolled], rtol=0, atol=0.005001, err_msg=f"case {number}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_worked_case_is_scored_as_by_hand(case):
    assert_fast(case)
    assert_slow(case)


@needs("scoring")
def test_published_worked_cases_are_scored_as_by_hand():
    cases = list(published_cases())
    assert len(cases) >= 55
    for case in cases:
        assert_fast(case)
        assert_slow(case)


def test_all_cases_at_once_score_as_one_by_one():
    senses = np.array([Sense[case[1].upper()] for case in CASES])
    columns = [np.array([case[i] for case in CASES], float) for i in range(2, 8)]
    together = scoring.attainment(senses, *columns)
    alone = [scoring.attainment(Sense[c[1].upper()], *c[2:8]) for c in CASES]
    np.testing.assert_array_equal(together, alone)
    v, m, b, lo, hi = (column[:, None] for column in columns[:5])
    np.testing.assert_array_equal(scoring.attainment_rows(senses, v, m, b, lo, hi, columns[5])[:, 0], alone)


def test_usable_says_which_targets_can_be_scored_whatever_the_figure():
    for case in CASES:
        sense, usable = Sense[case[1].upper()], scoring.usable(Sense[case[1].upper()], *case[3:7])
        assert usable == (case[-1] != "NOT_EVALUABLE"), case
        assert scoring.usable(np.array([sense]), *case[3:7])[0] == usable


def test_no_figure_is_no_data_in_every_sense_and_never_zero():
    for sense in Sense:
        assert np.isnan(scoring.attainment(sense, np.nan, 10.0, 12.0, 5.0, 15.0, 2.0))


def test_state_is_the_first_that_holds():
    raw = np.array([50.0, np.nan, np.nan, 50.0])
    states = scoring.state(np.array([False, True, True, True]), np.array([True, False, True, True]), raw)
    assert states.tolist() == [State.NOT_APPLICABLE, State.NO_DATA, State.NOT_EVALUABLE, State.EVALUATED]


def test_milestone_before_its_date_and_not_done_does_not_apply():
    assert scoring.is_ahead(Sense.MILESTONE, 0.0, 0.0)
    assert scoring.is_ahead(Sense.MILESTONE, np.nan, 0.0)
    assert not scoring.is_ahead(Sense.MILESTONE, 1.0, 0.0)
    assert not scoring.is_ahead(Sense.MILESTONE, 0.0, 1.0)
    assert not scoring.is_ahead(Sense.HIGHER, 0.0, 0.0)
    assert scoring.attainment(Sense.MILESTONE, 1.0, 0.0) == 100.0


def test_bounds_of_a_range_are_inside_even_when_binary_fractions_miss_them():
    assert scoring.attainment(Sense.WITHIN, 0.1 + 0.2, lo=0.1, hi=0.3, T=0.0) == 100.0


def test_target_equal_to_the_baseline_is_not_taken_for_better_by_a_binary_fraction():
    assert scoring.is_direct_form(Sense.IMPROVE_LOWER, 0.3, 0.1 + 0.2)
    assert scoring.attainment(Sense.IMPROVE_LOWER, 0.3, 0.3, 0.1 + 0.2) == pytest.approx(100.0)


def test_direct_form_is_said_only_of_improvements_with_a_baseline():
    assert scoring.is_direct_form(Sense.IMPROVE_HIGHER, 40.0, 50.0)
    assert not scoring.is_direct_form(Sense.IMPROVE_HIGHER, 60.0, 50.0)
    assert not scoring.is_direct_form(Sense.IMPROVE_HIGHER, 40.0, np.nan)
    assert not scoring.is_direct_form(Sense.LOWER, 60.0, 50.0)


def test_one_homicide_against_three_tenths_cannot_be_told_from_chance():
    assert scoring.poisson_tail(Sense.LOWER, 1, 0.3) == pytest.approx(0.26, abs=0.005)
    assert scoring.poisson_tail(Sense.LOWER, 4, 3) == pytest.approx(0.35, abs=0.005)
    assert scoring.is_chance(Sense.LOWER, 1.0, 0.3, -133.33)
    assert scoring.is_chance(Sense.LOWER, 4.0, 3.0, 66.67)


def test_green_and_large_counts_carry_no_mark_of_chance():
    assert not scoring.is_chance(Sense.LOWER, 3.0, 3.0, 100.0)
    assert not scoring.is_chance(Sense.LOWER, 126.0, 120.0, 90.0)
    assert not scoring.is_chance(Sense.LOWER, 1.0, 0.0, 0.0)
    assert not scoring.is_chance(Sense.LOWER, 4.0, np.nan, np.nan)
    assert not scoring.is_chance(Sense.WITHIN, 4.0, 3.0, 50.0)


@given(v=st.integers(0, 300), m=st.floats(0.01, 119.9), higher=st.booleans())
def test_chance_table_says_what_the_exact_tail_says(v, m, higher):
    sense = Sense.HIGHER if higher else Sense.LOWER
    tail = stats.poisson.cdf(v, m) if higher else stats.poisson.sf(v - 1, m)
    assert scoring.poisson_tail(sense, v, m) == pytest.approx(tail, abs=1e-9)
    assert slow.chance_of_missing(sense, v, slow.exact(m)) == pytest.approx(tail, abs=1e-9)
    if abs(tail - scoring.CHANCE_P) > 1e-9:
        assert scoring.is_chance(sense, float(v), m, 0.0) == (tail > scoring.CHANCE_P)


def test_improvement_of_a_count_that_promises_less_than_chance_brings_is_warned_of():
    assert scoring.weak_promise(90.0, 100.0)
    assert scoring.weak_promise(100.0, 209.9)
    assert not scoring.weak_promise(100.0, 210.0)


@given(raw=st.floats(-1e4, 1e4))
def test_light_is_that_of_the_figure_as_printed(raw):
    printed = scoring.shown(raw)
    expected = Light.GREEN if printed >= 95.0 else Light.AMBER if printed >= 85.0 else Light.RED
    assert scoring.light(raw) == expected
    assert scoring.is_red(raw) == (expected == Light.RED)


@given(tenths=st.integers(0, 2000), m=st.integers(1, 999))
def test_binary_fractions_never_move_a_light(tenths, m):
    """v/m is exactly a tenth of a percent: the printed figure is that tenth, whatever binary division leaves."""
    v = round(tenths / 1000 * m, 6)
    exact = slow.attainment(Sense.HIGHER, slow.exact(v), slow.Goal(slow.exact(m)))
    assert scoring.shown(scoring.attainment(Sense.HIGHER, v, m)) == pytest.approx(float(slow.shown(exact)))
    assert scoring.light(scoring.attainment(Sense.HIGHER, v, m)) == slow.light(exact)


def test_marks_are_packed_and_read_back():
    states, lights = np.array([3, 1], np.int8), np.array([Light.WITHHELD, Light.NONE])
    marks = pack_marks(states, lights, provisional=np.array([True, False]), red_below=True)
    assert marks.dtype == np.int16
    assert state_of(marks).tolist() == [3, 1]
    assert light_of(marks).tolist() == [4, 0]
    assert has_mark(marks, Mark.PROVISIONAL).tolist() == [True, False]
    cell = unpack(marks[0])
    assert (cell.state, cell.light, cell.provisional, cell.red_below) == (State.EVALUATED, Light.WITHHELD, True, True)
    assert not (cell.chance)
    assert not (cell.small)
    assert not (cell.derived_target)
    assert not (cell.direct_form)
    assert unpack(marks).provisional.tolist() == [True, False]


def test_sheets_that_cannot_be_computed_say_why():
    assert Sheet(Sense.HIGHER).problems() == []
    assert Sheet(Sense.HIGHER, over_units=Rule.LAST).problems()
    assert Sheet(Sense.HIGHER, over_time=Rule.RATIO).problems()
    assert Sheet(Sense.HIGHER, over_units=Rule.WEIGHTED_MEAN).problems()
    both = Sheet(Sense.HIGHER, over_units=Rule.WEIGHTED_MEAN, over_time=Rule.RATIO, has_denominator=True)
    assert both.problems()


def test_table_of_sheets_keeps_their_order():
    table = SheetTable.of([Sheet(Sense.HIGHER, scale=2.0), Sheet(Sense.LOWER, is_count=True)])
    assert len(table) == 2
    assert table.sense.tolist() == [1, 2]
    assert table.take([1]).is_count.tolist() == [True]

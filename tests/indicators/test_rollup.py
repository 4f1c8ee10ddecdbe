"""Figures over units, the year to date and cards: every worked case, on both paths."""

import csv
import re
from datetime import date

import numpy as np
import pytest

from indicators import slow, slow_cards
from indicators.cards import PlanTree, score_cards
from indicators.codes import (
    Light,
    LightBy,
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
from indicators.rollup import Tree
from indicators.scoring import light
from indicators.year import Figures, Targets, score_year, score_year_pair
from tests.data import DATA, needs
from tests.indicators.engine import BARE, Case, assert_cell

# --- the year to date: sheet, months (v or num/den), targets, what else, then v, m, attainment of the last month named

RATIO = {"over_units": Rule.RATIO, "over_time": Rule.RATIO, "scale": 100.0, "has_denominator": True}
RATE = RATIO | {"scale": 1e5, "den_over_time": Rule.LAST, "population_denominator": True}
TO_DATE = {
    1: (Sheet(Sense.LOWER), [3, 5, 4], [4, 4, 4], {}, 12, 12, 100.00, (3, 3)),
    2: (Sheet(Sense.LOWER), [3, BARE, 4], [4, 4, 4], {}, 7, 8, 112.50, (2, 3)),
    3: (Sheet(Sense.HIGHER), [3, 5, BARE], [4, 4, 4], {}, 8, 8, 100.00, (2, 3)),
    4: (Sheet(Sense.HIGHER, **RATIO), [(8, 10), (1, 90)], [80, 80], {}, 9, 80, 11.25, (2, 2)),
    5: (Sheet(Sense.HIGHER, **RATIO), [(40, 50), (90, 100)], [70, 85], {}, 86.6667, 80, 108.33, (2, 2)),
    6: (Sheet(Sense.HIGHER, over_time=Rule.LAST), [100, BARE], [120, 130], {}, 100, 120, 83.33, (1, 2)),
    7: (
        Sheet(Sense.HIGHER, over_time=Rule.LAST),
        [BARE, BARE, 50],
        [BARE, BARE, 60],
        {"due": [False, False, True]},
        50,
        60,
        83.33,
        (1, 1),
    ),
    8: (
        Sheet(Sense.WITHIN, over_time=Rule.MEAN, tolerance=10.0),
        [50, 64],
        [BARE, BARE],
        {"low": 40, "high": 60},
        57,
        BARE,
        100.00,
        (2, 2),
    ),
    9: (Sheet(Sense.LOWER, over_time=Rule.MAX), [12, 30, 9], [20, 20, 20], {}, 30, 20, 50.00, (3, 3)),
    10: (Sheet(Sense.IMPROVE_LOWER), [8, 7, 9], [8, 8, 8], {"baseline": 10}, 24, 24, 100.00, (3, 3)),
    11: (Sheet(Sense.LOWER), [2], [6], {"as_of": date(2023, 1, 11), "month_of_30": True}, 2, 2.0, 100.00, (1, 1)),
    12: (Sheet(Sense.LOWER, **RATE), [(10, 1e6)] * 3, [1, 1, 1], {}, 3.00, 3.00, 100.00, (3, 3)),
    13: (Sheet(Sense.HIGHER), [5], [0], {}, 5, 0, BARE, (1, 1)),
}


def to_date_case(number):
    """A single unit's year of a worked case; month 11 (running) is put in April, which has 30 days."""
    sheet, figures, targets, extra, *expected = TO_DATE[number]
    start = 3 if extra.get("month_of_30") else 0
    case = Case([sheet], [-1])
    for i, (figure, target) in enumerate(zip(figures, targets, strict=True), start=start):
        top, under = figure if isinstance(figure, tuple) else (figure, BARE)
        case.numerator[i], case.denominator[i], case.target[i] = top, under, target
        case.due[i] = extra.get("due", [True] * 99)[i - start]
        for name in ("low", "high", "baseline"):
            getattr(case, name)[i] = extra.get(name, BARE)
    as_of = date(2023, 4, 11) if start else None
    return case, start + len(figures) - 1, as_of, expected


def run(case, **options):
    return score_year(case.table, case.trees, case.figures, case.targets, case.due, year=2023, **options)


@pytest.mark.parametrize("number", TO_DATE)
def test_worked_year_to_date_is_as_by_hand(number):
    case, last, as_of, (v, m, attained, months) = to_date_case(number)
    result = run(case, as_of=as_of)
    at = (last, 0, 0)
    found = [result.to_date.value[at], result.to_date.target[at], result.to_date.attainment[at]]
    np.testing.assert_allclose(found, [v, m, attained], atol=0.005)
    assert (result.months_reported[at], result.months_due[at]) == months
    state = State.NOT_EVALUABLE if np.isnan(attained) else State.EVALUATED
    assert state_of(result.to_date.marks[at]) == state
    for (month, unit), cell in case.slow(0, year=2023, as_of=as_of).items():
        assert_cell(result, (month - 1, 0, unit), cell)


@needs("scoring")
def test_published_years_to_date_are_as_by_hand():
    with (DATA / "scoring/scoring_ytd.csv").open(newline="") as file:
        rows = {int(row["n"]): row for row in csv.DictReader(file)}
    assert rows.keys() >= TO_DATE.keys()
    for number, row in rows.items():
        case, last, as_of, _ = to_date_case(number)
        found = run(case, as_of=as_of).to_date.attainment[last, 0, 0]
        expected = float(row["attainment"]) if row["attainment"] else np.nan
        np.testing.assert_allclose(found, expected, atol=0.005, err_msg=f"case {number}")
        cell = case.slow(0, year=2023, as_of=as_of)[last + 1, 0]
        slowly = np.nan if cell.to_date.attainment is None else float(cell.to_date.attainment)
        np.testing.assert_allclose(slowly, expected, atol=0.005, err_msg=f"case {number}, slow")


def test_missing_last_month_is_no_data_though_the_year_to_date_is_evaluated():
    case, last, _, _ = to_date_case(3)
    result = run(case)
    assert state_of(result.month.marks[last, 0, 0]) == State.NO_DATA
    case, last, _, _ = to_date_case(6)
    result = run(case)
    assert state_of(result.month.marks[last, 0, 0]) == State.NO_DATA
    assert result.last_month[last, 0, 0] == 1


def test_seasonal_target_of_zero_becomes_evaluable_when_targets_come():
    case = Case([Sheet(Sense.HIGHER)], [-1])
    case.numerator[:3, 0, 0], case.target[:3, 0, 0], case.due[:3] = [5, 0, 0], [0, 0, 12], True
    result = run(case)
    assert state_of(result.to_date.marks[0, 0, 0]) == State.NOT_EVALUABLE
    assert result.to_date.attainment[2, 0, 0] == pytest.approx(41.67, abs=0.005)


def test_improvement_to_date_meets_the_baseline_to_date():
    case, last, _, _ = to_date_case(10)
    assert run(case).to_date.baseline[last, 0, 0] == 30
    case.numerator[2, 0, 0] = 12
    assert run(case).to_date.attainment[last, 0, 0] == pytest.approx(50.0)


def test_running_month_meets_the_part_of_its_target_for_whole_days_elapsed():
    case, last, as_of, _ = to_date_case(11)
    result = run(case, as_of=as_of)
    assert result.month.target[last, 0, 0] == pytest.approx(2.0)
    assert result.month.attainment[last, 0, 0] == pytest.approx(100.0)


def test_month_with_no_whole_day_over_has_nothing_to_meet_and_later_months_are_not_due():
    case = Case([Sheet(Sense.HIGHER)], [-1])
    case.numerator[:], case.target[:], case.due[:] = 5, 5, True
    result = run(case, as_of=date(2023, 4, 1))
    assert state_of(result.month.marks[:, 0, 0]).tolist() == [3, 3, 3, 2] + [0] * 8
    assert result.to_date.value[3, 0, 0] == 15
    assert result.to_date.attainment[3, 0, 0] == pytest.approx(100.0)


# --- cards: children as weight:raw or state, then score, coverage %, range, light, worst (index), has_red

NA, ND, NE = "NA", "ND", "NE"
CARDS = {
    1: ([(1, 120), (1, 80)], 90.00, 100, (90, 90), "AMBER", 1, True),
    2: ([(1, -300), (1, 100)], 50.00, 100, (50, 50), "RED", 0, True),
    3: ([(2, 100), (1, 40)], 80.00, 100, (80, 80), "RED", 1, True),
    4: ([(1, 100), (1, 100), (1, ND)], 100.00, 66.7, (66.7, 100), "GREEN", 0, False),
    5: ([(1, 100), (1, ND), (1, ND)], BARE, 33.3, (33.3, 100), "WITHHELD", 0, False),
    6: ([(1, 100), (1, NA)], 100.00, 100, (100, 100), "GREEN", 0, False),
    7: ([(1, 100), (1, NE)], BARE, 50, (50, 100), "WITHHELD", 0, False),
    8: ([(3, 98), (1, 20)], 78.50, 100, (78.5, 78.5), "RED", 1, True),
    9: ([(9, 99), (1, 10)], 90.10, 100, (90.1, 90.1), "AMBER", 1, True),
    10: ([(19, 100), (1, 10)], 95.50, 100, (95.5, 95.5), "GREEN", 1, True),
    12: ([(0, 50), (0, ND)], BARE, BARE, (BARE, BARE), "NONE", 0, True),
}
STATES = {"NA": State.NOT_APPLICABLE, "ND": State.NO_DATA, "NE": State.NOT_EVALUABLE}


def lines_of(children):
    """Raw attainments and marks (L, 1) of a worked case's children."""
    raw = np.array([[BARE if child in STATES else float(child)] for _, child in children])
    states = np.array([[STATES.get(child, State.EVALUATED)] for _, child in children])
    return raw, pack_marks(states, light(raw))


def flat_plan(weights):
    return PlanTree.of([-1], [0], [0] * len(weights), weights)


def assert_card(children, score, coverage, between, colour, worst, has_red):
    raw, marks = lines_of(children)
    card = score_cards(flat_plan([weight for weight, _ in children]), raw, marks)
    np.testing.assert_allclose(card.score[0, 0], score, atol=0.005)
    np.testing.assert_allclose(100 * card.coverage[0, 0], coverage, atol=0.05)
    np.testing.assert_allclose([card.low[0, 0], card.high[0, 0]], between, atol=0.05)
    assert light_of(card.marks[0, 0]) == Light[colour]
    assert (card.worst_line[0, 0], card.has_red[0, 0]) == (worst, has_red)
    assert has_mark(card.marks[0, 0], Mark.RED_BELOW) == has_red


def assert_slow_card(children, score, coverage, between, colour, worst, has_red):
    lines = [
        slow_cards.SlowLine(weight, None if child in STATES else child, STATES.get(child, State.EVALUATED), name=i)
        for i, (weight, child) in enumerate(children)
    ]
    card = slow_cards.slow_card(slow_cards.SlowObjective(1, lines))
    found = [card.score, card.low, card.high]
    np.testing.assert_allclose([BARE if n is None else float(n) for n in found], [score, *between], atol=0.05)
    covered = BARE if card.coverage is None else 100 * float(card.coverage)
    np.testing.assert_allclose(covered, coverage, atol=0.05)
    assert (card.light, card.worst_line, card.has_red) == (Light[colour], worst, has_red)


@pytest.mark.parametrize("number", CARDS)
def test_worked_card_is_as_by_hand(number):
    assert_card(*CARDS[number])
    assert_slow_card(*CARDS[number])


@needs("scoring")
def test_published_cards_are_as_by_hand():
    with (DATA / "scoring/scoring_rollups.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert len(rows) >= 12
    for number, children, score, coverage, between, colour, *_rest in rows:
        if int(number) == 11:
            continue  # two totals: below
        pairs = [part.split(":") for part in children.split()]
        raw, marks = lines_of([(float(weight), child) for weight, child in pairs])
        card = score_cards(flat_plan([float(weight) for weight, _ in pairs]), raw, marks)
        first = BARE if score == "none" else float(score)
        np.testing.assert_allclose(card.score[0, 0], first, atol=0.005, err_msg=number)
        covered = BARE if coverage == "-" else float(coverage)
        np.testing.assert_allclose(100 * card.coverage[0, 0], covered, atol=0.05, err_msg=number)
        if between:
            ends = [float(end) for end in between.split("..")]
            np.testing.assert_allclose([card.low[0, 0], card.high[0, 0]], ends, atol=0.05, err_msg=number)
        assert light_of(card.marks[0, 0]) == Light[re.match(r"\w+", colour)[0].upper()], number


def test_approved_and_provisional_scores_are_two_figures():
    """Worked case 11: 90 provisional and 100 approved, equal weights."""
    case = Case([Sheet(Sense.HIGHER), Sheet(Sense.HIGHER)], [-1])
    case.numerator[0, :, 0], case.target[0], case.due[0] = [90, 100], 100, True
    case.provisional[0, 0, 0] = True
    every, approved = score_year_pair(case.table, case.trees, case.figures, case.targets, case.due, year=2023, last=1)
    both = [score_cards(flat_plan([1, 1]), one.driver_attainment, one.driver_marks) for one in (every, approved)]
    np.testing.assert_allclose([card.coverage[0, 0, 0] for card in both], [1.0, 0.5])
    np.testing.assert_allclose([card.score[0, 0, 0] for card in both], [95.0, BARE])
    assert light_of(both[0].marks[0, 0, 0]) == Light.GREEN
    assert has_mark(both[0].marks[0, 0, 0], Mark.PROVISIONAL)
    assert light_of(both[1].marks[0, 0, 0]) == Light.WITHHELD
    assert approved.driver_attainment[0, 1, 0] == 100.0
    assert state_of(approved.driver_marks[0, 0, 0]) == State.NO_DATA


def test_without_provisional_figures_both_totals_are_one_result():
    case = Case([Sheet(Sense.HIGHER)], [-1])
    case.numerator[0], case.target[0], case.due[0] = 1, 1, True
    every, approved = score_year_pair(case.table, case.trees, case.figures, case.targets, case.due, year=2023)
    assert every is approved


def test_weights_are_renormalised_level_by_level_and_a_withheld_objective_has_no_data():
    plan = PlanTree.of([-1, 0, 0], [0, 60, 40], [1, 1, 2, 2], [50, 50, 90, 10])
    raw, marks = lines_of([(50, 100), (50, ND), (90, 80), (10, ND)])
    card = score_cards(plan, raw, marks)
    np.testing.assert_allclose(card.score[:, 0], [BARE, BARE, 80.0])
    np.testing.assert_allclose(card.coverage[:, 0], [0.36, 0.5, 0.9])
    np.testing.assert_allclose([card.low[0, 0], card.high[0, 0]], [0.6 * 50 + 0.4 * 72, 0.6 * 100 + 0.4 * 82])
    assert light_of(card.marks[:, 0]).tolist() == [Light.WITHHELD, Light.WITHHELD, Light.RED]
    assert card.without_data[:, 0].tolist() == [2, 1, 1]


def test_withheld_line_counts_as_no_data():
    raw = np.array([[100.0], [100.0]])
    marks = pack_marks(np.full((2, 1), State.EVALUATED), np.array([[Light.GREEN], [Light.WITHHELD]]))
    card = score_cards(flat_plan([3, 1]), raw, marks)
    assert (card.coverage[0, 0], card.score[0, 0], card.without_data[0, 0]) == (0.75, 100.0, 1)


def test_card_with_nothing_due_does_not_apply():
    raw, marks = lines_of([(1, NA), (1, NA)])
    card = score_cards(flat_plan([1, 1]), raw, marks)
    assert state_of(card.marks[0, 0]) == State.NOT_APPLICABLE
    assert np.isnan(card.score[0, 0])
    assert np.isnan(card.coverage[0, 0])
    assert card.worst_line[0, 0] == -1


def test_worst_line_ties_go_to_the_heavier():
    raw, marks = lines_of([(1, 50), (2, 50), (1, 90)])
    assert score_cards(flat_plan([1, 2, 1]), raw, marks).worst_line[0, 0] == 1


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (([0], [0], [0], [1]), "no parent"),
        (([-1, 2, 0], [0, 1, 1], [1], [1]), "parents come first"),
        (([-1], [0], [1], [1]), "not in the plan"),
        (([-1], [0], [0], [-1]), "zero or more"),
    ],
)
def test_unsound_plan_is_refused(columns, problem):
    with pytest.raises(ValueError, match=problem):
        PlanTree.of(*columns)


# --- figures over units


def test_unit_below_itself_is_refused_by_name():
    with pytest.raises(ValueError, match="Unit 1 stands below itself"):
        Tree([-1, 2, 1, 0])


def test_order_of_units_does_not_matter_to_what_is_rolled_up():
    figures = np.array([[1.0, 2.0, 4.0, 8.0]])
    ordered, other = Tree([-1, 0, 1, 0]), Tree([3, 3, 0, -1])
    np.testing.assert_array_equal(ordered.sum_up(figures), [[15, 6, 4, 8]])
    np.testing.assert_array_equal(other.sum_up(figures), [[5, 2, 4, 15]])
    assert [level.parents for level in other.levels] == [slice(0, 1), slice(3, 4)]


def one_month(sheet, parents, numerator, denominator=None, target=None, **more):
    """January of one indicator: numbers by unit; due where a number or None is given in `due`."""
    case = Case([sheet], parents, more.pop("weight", None))
    case.numerator[0, 0] = numerator
    if denominator is not None:
        case.denominator[0, 0] = denominator
    if target is not None:
        case.target[0, 0] = target
    case.due[0, 0] = more.pop("due", ~np.isnan(case.numerator[0, 0]))
    for name, array in more.items():
        getattr(case, name)[0, 0] = array
    result = run(case, last=1)
    for (month, unit), cell in case.slow(0, year=2023).items():
        if month == 1:
            assert_cell(result, (0, 0, unit), cell)
    return result


NATION = [-1, 0, 0, 1, 1]  # nation; two zones; two districts of the first zone


def test_ratio_of_sums_is_not_the_mean_of_ratios():
    sheet = Sheet(Sense.HIGHER, **RATIO)
    result = one_month(sheet, NATION, [BARE, BARE, 90, 8, 1], [BARE, BARE, 100, 10, 90], 80)
    np.testing.assert_allclose(result.month.value[0, 0], [49.5, 9.0, 90.0, 80.0, 100 / 90])
    assert result.reported[0, 0].tolist() == [3, 2, 1, 1, 1]


def test_missing_children_are_left_out_and_counted():
    result = one_month(
        Sheet(Sense.LOWER), NATION, [BARE, BARE, 5, BARE, 3], target=10, due=[False, False, True, True, True]
    )
    np.testing.assert_array_equal(result.month.value[0, 0], [8, 3, 5, BARE, 3])
    assert result.reported[0, 0].tolist() == [2, 1, 1, 0, 1]
    assert result.due[0, 0].tolist() == [3, 2, 1, 1, 1]
    lights = light_of(result.month.marks[0, 0]).tolist()
    assert lights[1] == Light.WITHHELD
    assert lights[0] == Light.GREEN
    assert state_of(result.month.marks[0, 0]).tolist() == [3, 3, 3, 1, 3]


def test_declared_not_applicable_is_outside_coverage():
    result = one_month(
        Sheet(Sense.LOWER), NATION, [BARE, BARE, 5, BARE, 3], target=10,
        due=[False, False, True, True, True], declared_na=[False, False, False, True, False],
    )  # fmt: skip
    assert result.due[0, 0].tolist() == [2, 1, 1, 0, 1]
    assert state_of(result.month.marks[0, 0]).tolist() == [3, 3, 3, 0, 3]


def test_population_of_a_parent_is_its_own_and_not_its_childrens():
    sheet = Sheet(Sense.LOWER, **RATE)
    result = one_month(sheet, [-1, 0, 0], [BARE, 2, 3], [2e6, 9e5, 1e6], 1.0, due=[False, True, True])
    np.testing.assert_allclose(result.month.value[0, 0], [0.25, 2 / 9, 0.3])


def test_weighted_mean_takes_the_denominator_for_a_weight():
    sheet = Sheet(Sense.LOWER, over_units=Rule.WEIGHTED_MEAN, over_time=Rule.WEIGHTED_MEAN, has_denominator=True)
    result = one_month(sheet, NATION, [BARE, BARE, 6, 10, 20], [BARE, BARE, 100, 30, 10], 12)
    np.testing.assert_allclose(result.month.value[0, 0], [(6 * 100 + 300 + 200) / 140, 12.5, 6, 10, 20])


def test_mean_counts_each_child_once_and_maximum_keeps_the_largest():
    figures = [BARE, BARE, 6, 10, 20]
    mean = one_month(Sheet(Sense.LOWER, Rule.MEAN, Rule.MEAN), NATION, figures, target=12)
    np.testing.assert_allclose(mean.month.value[0, 0], [10.5, 15, 6, 10, 20])
    top = one_month(Sheet(Sense.LOWER, Rule.MAX, Rule.MAX), NATION, figures, target=12)
    np.testing.assert_allclose(top.month.value[0, 0], [20, 20, 6, 10, 20])


def test_rule_none_keeps_figures_where_they_were_reported():
    result = one_month(Sheet(Sense.LOWER, Rule.NONE, Rule.LAST), NATION, [7, BARE, BARE, 10, 20], target=12)
    np.testing.assert_array_equal(result.month.value[0, 0], [7, BARE, BARE, 10, 20])
    assert state_of(result.month.marks[0, 0]).tolist() == [3, 0, 0, 3, 3]


def test_target_is_derived_from_the_children_that_have_a_figure_and_said_to_be():
    result = one_month(
        Sheet(Sense.LOWER), NATION, [BARE, BARE, 5, BARE, 3], target=[BARE, BARE, 6, 100, 4],
        due=[False, False, True, True, True],
    )  # fmt: skip
    np.testing.assert_array_equal(result.month.target[0, 0], [10, 4, 6, 100, 4])
    derived = has_mark(result.month.marks[0, 0], Mark.DERIVED_TARGET).tolist()
    assert derived == [True, True, False, False, False]


def test_own_target_stands_before_a_derived_one():
    result = one_month(Sheet(Sense.LOWER), [-1, 0, 0], [BARE, 5, 3], target=[7, 6, 4], due=[False, True, True])
    assert result.month.target[0, 0, 0] == 7
    assert not has_mark(result.month.marks[0, 0, 0], Mark.DERIVED_TARGET)


def test_target_is_not_derived_where_a_reporting_child_has_none():
    result = one_month(Sheet(Sense.LOWER), [-1, 0, 0], [BARE, 5, 3], target=[BARE, BARE, 4], due=[False, True, True])
    assert state_of(result.month.marks[0, 0]).tolist() == [2, 2, 3]


def test_target_of_a_ratio_is_weighted_by_the_childrens_denominators():
    sheet = Sheet(Sense.HIGHER, **RATIO)
    result = one_month(sheet, [-1, 0, 0], [BARE, 40, 90], [BARE, 50, 100], [BARE, 70, 85], due=[False, True, True])
    assert result.month.target[0, 0, 0] == pytest.approx(80.0)


def test_range_is_derived_bound_by_bound_and_an_open_bound_stays_open():
    sheet = Sheet(Sense.WITHIN, Rule.MEAN, Rule.MEAN, tolerance=10.0)
    result = one_month(
        sheet, [-1, 0, 0], [BARE, 50, 70], low=[BARE, 40, BARE], high=[BARE, 60, 80], due=[False, True, True]
    )
    assert result.month.high[0, 0, 0] == 70
    assert np.isnan(result.month.low[0, 0, 0])
    assert result.month.attainment[0, 0, 0] == 100.0


def test_provisional_figure_marks_all_its_parents():
    result = one_month(
        Sheet(Sense.LOWER), NATION, [BARE, BARE, 5, 2, 3], target=10, provisional=[False, False, False, True, False],
        due=[False, False, True, True, True],
    )  # fmt: skip
    assert has_mark(result.month.marks[0, 0], Mark.PROVISIONAL).tolist() == [True, True, False, True, False]


def test_worst_child_is_the_lowest_and_ties_go_to_the_heavier():
    weight = np.array([0.0, 1.0, 3.0, 2.0])
    result = one_month(
        Sheet(Sense.HIGHER), [-1, 0, 0, 0], [BARE, 5, 5, 9], target=10, weight=weight, due=[False, True, True, True]
    )
    assert result.worst_child[0, 0].tolist() == [2, -1, -1, -1]
    assert has_mark(result.driver_marks[0, 0, 0], Mark.RED_BELOW)


def test_parents_are_never_plain_green_over_a_red_child():
    result = one_month(
        Sheet(Sense.HIGHER), [-1, 0, 0], [BARE, 190, 10], target=[200, 100, 100], due=[False, True, True]
    )
    marks = result.driver_marks[0, 0, 0]
    assert light_of(marks) == Light.GREEN
    assert has_mark(marks, Mark.RED_BELOW)


def test_small_count_is_painted_by_the_year_to_date():
    sheet = Sheet(Sense.LOWER, is_count=True, light_by=LightBy.MONTH)
    case = Case([sheet], [-1])
    case.numerator[:2, 0, 0], case.target[:2], case.due[:2] = [0, 3], 2.0, True
    result = run(case, last=2)
    assert has_mark(result.month.marks[1, 0, 0], Mark.SMALL)
    assert result.month.attainment[1, 0, 0] == 50.0
    assert light_of(result.month.marks[1, 0, 0]) == Light.GREEN
    assert result.driver_attainment[1, 0, 0] == pytest.approx(125.0)


def test_division_by_zero_is_not_evaluable_and_not_missing():
    result = one_month(Sheet(Sense.HIGHER, **RATIO), [-1], [0], [0], 80)
    assert state_of(result.month.marks[0, 0, 0]) == State.NOT_EVALUABLE
    assert result.reported[0, 0, 0] == 1


def test_stale_column_alone_equals_its_part_of_the_whole_year():
    rng = np.random.default_rng(7)
    case = Case([Sheet(Sense.LOWER), Sheet(Sense.HIGHER, **RATIO), Sheet(Sense.HIGHER, Rule.MEAN, Rule.LAST)], NATION)
    case.numerator[:], case.denominator[:] = rng.integers(0, 9, case.shape), rng.integers(5, 20, case.shape)
    case.target[:], case.due[:] = rng.integers(1, 60, case.shape), rng.random(case.shape) < 0.8
    whole = run(case)
    for k in range(3):
        pick = slice(k, k + 1)
        figures = Figures(*(array[:, pick] for array in vars(case.figures).values()))
        targets = Targets(*(array[:, pick] for array in vars(case.targets).values()))
        table = SheetTable.of(case.sheets[pick])
        part = score_year(table, case.trees, figures, targets, case.due[:, pick], year=2023, first=4)
        for name in ("reported", "worst_child", "driver_attainment", "driver_marks", "last_month"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[4:, pick])
        np.testing.assert_array_equal(part.to_date.value, whole.to_date.value[4:, pick])


def test_reused_arrays_hold_nothing_of_the_former_year():
    case = Case([Sheet(Sense.LOWER), Sheet(Sense.LOWER, Rule.NONE, Rule.NONE)], NATION)
    case.numerator[:], case.target[:], case.due[:] = 4, 5, True
    result = run(case)
    case.numerator[:, :, 2:], case.due[:, :, 1] = BARE, False
    fresh = run(case)
    again = run(case, out=result)
    for span in ("month", "to_date"):
        for name in ("value", "target", "attainment", "marks"):
            np.testing.assert_array_equal(getattr(getattr(fresh, span), name), getattr(getattr(again, span), name))


def test_slow_oracle_reads_figures_as_the_decimals_they_print_as():
    assert slow.exact(6.9) / slow.exact(6.0) == slow.exact(1.15)
    assert slow.exact(float("nan")) is None


def test_an_institution_without_units_has_an_empty_tree():
    tree = Tree(np.zeros(0, np.int64))
    assert tree.levels == []
    assert tree.sum_up(np.zeros((2, 0))).shape == (2, 0)
